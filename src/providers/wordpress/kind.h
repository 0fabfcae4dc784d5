/*
 * The kinds of things a site has, one row each: where they are, how one is named, what of them is shown, and who may change them.
 * Tools are made for rows, not for names: a new kind is a new row.
 *
 * Posts, pages and custom types share one row, and so do the terms of all taxonomies; which of them a site has, types.h finds out.
 */
#ifndef PROVIDERS_WORDPRESS_KIND_H
#define PROVIDERS_WORDPRESS_KIND_H

#include "call/rights.h"

/* How one of them is named, in its route and in the tools. */
enum wp_id_kind {
    WP_ID_NUMBER,
    WP_ID_SLUG, /* "sidebar-1" */
    WP_ID_PATH, /* "theme//home", "folder/file" */
    WP_ID_NONE, /* there is only one: the settings */
};

enum wp_kind_flag {
    /* what their list can be asked */
    WP_PAGES = 1 << 0, /* per_page and offset; without it the list comes whole */
    WP_SEARCHES = 1 << 1,
    WP_HAS_STATUS = 1 << 2, /* status as a list */
    WP_HAS_STATE = 1 << 3,  /* status as one word */
    WP_HAS_DATES = 1 << 4,  /* before and after */
    WP_HAS_AUTHOR = 1 << 5,
    WP_HAS_PARENT = 1 << 6,
    WP_HAS_INCLUDE = 1 << 7,
    WP_HAS_ORDER = 1 << 8,
    WP_NO_LIST = 1 << 9,  /* there is no list of them */
    WP_BY_SLUG = 1 << 10, /* the list can be asked for a slug */
    WP_BY_PAGE = 1 << 21, /* with WP_PAGES: the list knows no offset, only page */
    WP_IS_MAP = 1 << 20,  /* the list is an object by name: _fields would cut the names */
    /* what one of them is like */
    WP_HAS_BLOCKS = 1 << 11,     /* title, status and a text of blocks: shown as Markdown, changed by edits */
    WP_HAS_TERMS = 1 << 12,      /* terms and a featured image */
    WP_NO_SINGLE = 1 << 13,      /* one is found in the list only */
    WP_SCHEMA_AT_ITEM = 1 << 14, /* the fields that can be set are told by the item's route, not by the list's */
    /* what can be done */
    WP_CREATES = 1 << 15,
    WP_EDITS = 1 << 16,
    WP_TRASHES = 1 << 17,  /* deleting without force can be taken back */
    WP_DELETES = 1 << 18,  /* for good */
    WP_NO_FORCE = 1 << 19, /* its DELETE has no force argument: it is always for good */
};

struct wp_kind {
    struct str name;    /* "menu_item" */
    struct str aliases; /* "menu-items,nav_menu_item" */
    struct str route;   /* "wp/v2/menu-items"; empty where types.h finds it */
    enum wp_id_kind id;
    struct str id_field;   /* of its JSON: "id", "plugin" */
    unsigned flags;        /* enum wp_kind_flag, or'ed */
    unsigned read_right;   /* 0: read */
    unsigned write_right;  /* 0: draft or publish, by the status */
    struct str not_public; /* statuses that only the site's own people see */
    struct str columns;    /* of wp_find: "id,title=title.rendered"; with = behind the name a dotted path */
    struct str fields;     /* what wp_read asks for and shows; empty: all */
    struct str title;      /* the field that wp_create's title goes into; empty: none */
    struct str text;       /* the field that wp_create's content goes into; empty: none */
    struct str known;      /* fields that can be set in every version: the site need not be asked */
    struct str only;       /* the fields that can be set at all; empty: what the route's schema names */
    struct str items;      /* the ids, where the site has no list of them */
    struct str namespace;  /* of the plugin that brings it: "wc/v3"; empty: the core */
};

extern const struct wp_kind wp_kind_post, wp_kind_block, wp_kind_navigation, wp_kind_term, wp_kind_revision;

/* The kind with a route of its own that is called so, or NULL. */
const struct wp_kind *wp_kind_find(struct str name);

size_t wp_kind_count(void);
const struct wp_kind *wp_kind_at(size_t index);

/* Is `word` one of the list's ("a,b,c")? */
bool wp_list_has(struct str list, struct str word);

/* The same with the letters as they are: WordPress passes over a field "Title". */
bool wp_list_names(struct str list, struct str word);

#endif
