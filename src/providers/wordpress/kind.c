/* The kinds of things a site has. */
#include "providers/wordpress/kind.h"

/* Public or by itself later is what is not here; unknown statuses are taken for public. */
#define POST_DRAFTS STR_INIT("draft,pending,private,auto-draft,trash")

#define POST_FIELDS                                                                                                    \
    STR_INIT("comment_status,date,date_gmt,excerpt,format,author,menu_order,parent,ping_status,slug,sticky,template,"  \
             "title,status,featured_media")

const struct wp_kind wp_kind_post = {
    .name = STR_INIT("post"),
    .id_field = STR_INIT("id"),
    .flags = WP_PAGES | WP_SEARCHES | WP_HAS_STATUS | WP_HAS_DATES | WP_HAS_AUTHOR | WP_HAS_PARENT | WP_HAS_INCLUDE |
             WP_HAS_ORDER | WP_BY_SLUG | WP_HAS_BLOCKS | WP_HAS_TERMS | WP_CREATES | WP_EDITS | WP_TRASHES | WP_DELETES,
    .not_public = POST_DRAFTS,
    .columns = STR_INIT("id,date,title"),
    .title = STR_INIT("title"),
    .text = STR_INIT("content"),
    .known = POST_FIELDS,
};

/* Reusable blocks have no title but the stored one. */
const struct wp_kind wp_kind_block = {
    .name = STR_INIT("block"),
    .id_field = STR_INIT("id"),
    .flags = WP_PAGES | WP_SEARCHES | WP_HAS_STATUS | WP_HAS_DATES | WP_HAS_INCLUDE | WP_HAS_ORDER | WP_BY_SLUG |
             WP_HAS_BLOCKS | WP_HAS_TERMS | WP_CREATES | WP_EDITS | WP_TRASHES | WP_DELETES,
    .not_public = POST_DRAFTS,
    .columns = STR_INIT("id,date,title=title.raw"),
    .title = STR_INIT("title"),
    .text = STR_INIT("content"),
};

/* The menus of block themes: stored like posts, but part of how the site looks. */
const struct wp_kind wp_kind_navigation = {
    .name = STR_INIT("navigation"),
    .id_field = STR_INIT("id"),
    .flags = WP_PAGES | WP_SEARCHES | WP_HAS_STATUS | WP_HAS_DATES | WP_HAS_INCLUDE | WP_HAS_ORDER | WP_BY_SLUG |
             WP_HAS_BLOCKS | WP_CREATES | WP_EDITS | WP_TRASHES | WP_DELETES,
    .write_right = RIGHT_ADMIN,
    .not_public = POST_DRAFTS,
    .columns = STR_INIT("id,date,title"),
    .title = STR_INIT("title"),
    .text = STR_INIT("content"),
};

/* Terms are public at once and have no trash. Of those that stand below each other WordPress takes no offset. */
const struct wp_kind wp_kind_term = {
    .name = STR_INIT("term"),
    .id_field = STR_INIT("id"),
    .flags = WP_PAGES | WP_BY_PAGE | WP_SEARCHES | WP_HAS_PARENT | WP_HAS_INCLUDE | WP_HAS_ORDER | WP_BY_SLUG |
             WP_CREATES | WP_EDITS | WP_DELETES,
    .write_right = RIGHT_PUBLISH,
    .columns = STR_INIT("id,name,slug,count,parent"),
    .fields = STR_INIT("id,name,slug,description,parent,count,link"),
    .known = STR_INIT("name,slug,description"),
    .title = STR_INIT("name"),
    .text = STR_INIT("description"),
};

/* Older texts of a post, and what its editors have not saved yet. WordPress lets nobody delete them by its REST API. */
const struct wp_kind wp_kind_revision = {
    .name = STR_INIT("revision"),
    .id_field = STR_INIT("id"),
    .flags = WP_PAGES | WP_HAS_BLOCKS,
    .columns = STR_INIT("id,modified,author,title=title.rendered"),
};

static const struct wp_kind kinds[] = {
    {
        .name = STR_INIT("media"),
        .aliases = STR_INIT("attachment,attachments,image,images,file,files"),
        .route = STR_INIT("wp/v2/media"),
        .id_field = STR_INIT("id"),
        .flags = WP_PAGES | WP_SEARCHES | WP_HAS_STATUS | WP_HAS_DATES | WP_HAS_AUTHOR | WP_HAS_PARENT |
                 WP_HAS_INCLUDE | WP_HAS_ORDER | WP_BY_SLUG | WP_EDITS | WP_TRASHES | WP_DELETES,
        .write_right = RIGHT_PUBLISH,
        .columns = STR_INIT("id,date,title=title.rendered,type=mime_type,alt=alt_text"),
        .fields = STR_INIT("id,date,slug,link,title,author,post,mime_type,source_url,alt_text,caption,description,"
                           "media_details.width,media_details.height,media_details.filesize"),
        .title = STR_INIT("title"),
        .known = STR_INIT("title,alt_text,caption,description,slug"),
    },
    {
        .name = STR_INIT("comment"),
        .aliases = STR_INIT("comments"),
        .route = STR_INIT("wp/v2/comments"),
        .id_field = STR_INIT("id"),
        .flags = WP_PAGES | WP_SEARCHES | WP_HAS_STATE | WP_HAS_DATES | WP_HAS_AUTHOR | WP_HAS_PARENT | WP_HAS_INCLUDE |
                 WP_HAS_ORDER | WP_CREATES | WP_EDITS | WP_TRASHES | WP_DELETES,
        .not_public = STR_INIT("hold,spam,trash"),
        .columns = STR_INIT("id,date,status,post,by=author_name,text=content.rendered"),
        .fields = STR_INIT("id,date,status,post,parent,author,author_name,author_url,link,content"),
        .text = STR_INIT("content"),
        .known = STR_INIT("content,status,post,parent"),
    },
    {
        /* New users, their roles and passwords are credentials: not through tools. Deleting one takes their posts along. */
        .name = STR_INIT("user"),
        .aliases = STR_INIT("users,author,authors"),
        .route = STR_INIT("wp/v2/users"),
        .id_field = STR_INIT("id"),
        .flags = WP_PAGES | WP_SEARCHES | WP_HAS_INCLUDE | WP_HAS_ORDER | WP_BY_SLUG | WP_EDITS,
        .write_right = RIGHT_ADMIN,
        .columns = STR_INIT("id,name,slug"),
        .fields = STR_INIT("id,name,slug,description,url,link,roles,first_name,last_name,nickname,locale"),
        .title = STR_INIT("name"),
        .text = STR_INIT("description"),
        .only = STR_INIT("name,first_name,last_name,nickname,description,url,locale,slug"),
        .known = STR_INIT("name,first_name,last_name,nickname,description,url,locale,slug"),
    },
    {
        .name = STR_INIT("menu"),
        .aliases = STR_INIT("menus,nav_menu"),
        .route = STR_INIT("wp/v2/menus"),
        .id_field = STR_INIT("id"),
        .flags =
            WP_PAGES | WP_SEARCHES | WP_HAS_INCLUDE | WP_HAS_ORDER | WP_BY_SLUG | WP_CREATES | WP_EDITS | WP_DELETES,
        .write_right = RIGHT_ADMIN,
        .columns = STR_INIT("id,name,slug,locations"),
        .fields = STR_INIT("id,name,slug,description,locations,auto_add"),
        .title = STR_INIT("name"),
        .text = STR_INIT("description"),
        .known = STR_INIT("name,slug,description"),
    },
    {
        .name = STR_INIT("menu_item"),
        .aliases = STR_INIT("menu-item,menu_items,menu-items,nav_menu_item"),
        .route = STR_INIT("wp/v2/menu-items"),
        .id_field = STR_INIT("id"),
        .flags =
            WP_PAGES | WP_SEARCHES | WP_HAS_STATUS | WP_HAS_INCLUDE | WP_HAS_ORDER | WP_CREATES | WP_EDITS | WP_DELETES,
        .write_right = RIGHT_ADMIN,
        .columns = STR_INIT("id,order=menu_order,title=title.rendered,parent,url"),
        .fields =
            STR_INIT("id,title,status,url,type,object,object_id,parent,menu_order,menus,target,classes,description"),
        .title = STR_INIT("title"),
        .known = STR_INIT("title,menus,type,object,object_id,url,parent,menu_order,status"),
    },
    {
        .name = STR_INIT("menu_location"),
        .aliases = STR_INIT("menu-locations,menu_locations"),
        .route = STR_INIT("wp/v2/menu-locations"),
        .id = WP_ID_SLUG,
        .id_field = STR_INIT("name"),
        .flags = WP_IS_MAP,
        .columns = STR_INIT("name,description,menu"),
    },
    {
        /* The core puts widgets in order while it lists them, so even reading takes admin. */
        .name = STR_INIT("widget"),
        .aliases = STR_INIT("widgets"),
        .route = STR_INIT("wp/v2/widgets"),
        .id = WP_ID_SLUG,
        .id_field = STR_INIT("id"),
        .flags = WP_CREATES | WP_EDITS | WP_TRASHES | WP_DELETES,
        .read_right = RIGHT_ADMIN,
        .write_right = RIGHT_ADMIN,
        .columns = STR_INIT("id,id_base,sidebar,text=rendered"),
        .fields = STR_INIT("id,id_base,sidebar,instance,rendered"),
    },
    {
        .name = STR_INIT("sidebar"),
        .aliases = STR_INIT("sidebars,widget_area"),
        .route = STR_INIT("wp/v2/sidebars"),
        .id = WP_ID_SLUG,
        .id_field = STR_INIT("id"),
        .flags = WP_EDITS | WP_SCHEMA_AT_ITEM,
        .read_right = RIGHT_ADMIN,
        .write_right = RIGHT_ADMIN,
        .columns = STR_INIT("id,name,status,widgets"),
        .fields = STR_INIT("id,name,description,status,widgets"),
    },
    {
        .name = STR_INIT("template"),
        .aliases = STR_INIT("templates,wp_template"),
        .route = STR_INIT("wp/v2/templates"),
        .id = WP_ID_PATH,
        .id_field = STR_INIT("id"),
        .flags = WP_HAS_BLOCKS | WP_CREATES | WP_EDITS | WP_TRASHES | WP_DELETES,
        .write_right = RIGHT_ADMIN,
        .columns = STR_INIT("id,title=title.rendered,source"),
        .title = STR_INIT("title"),
        .text = STR_INIT("content"),
    },
    {
        .name = STR_INIT("template_part"),
        .aliases = STR_INIT("template-parts,template_parts,wp_template_part"),
        .route = STR_INIT("wp/v2/template-parts"),
        .id = WP_ID_PATH,
        .id_field = STR_INIT("id"),
        .flags = WP_HAS_BLOCKS | WP_CREATES | WP_EDITS | WP_TRASHES | WP_DELETES,
        .write_right = RIGHT_ADMIN,
        .columns = STR_INIT("id,title=title.rendered,area,source"),
        .title = STR_INIT("title"),
        .text = STR_INIT("content"),
    },
    {
        /* Which record is the active theme's is told by a link of the theme, and the core makes the record while it makes the link. */
        .name = STR_INIT("global_styles"),
        .aliases = STR_INIT("global-styles,styles,wp_global_styles"),
        .route = STR_INIT("wp/v2/global-styles"),
        .id_field = STR_INIT("id"),
        .flags = WP_EDITS | WP_SCHEMA_AT_ITEM,
        .read_right = RIGHT_ADMIN,
        .write_right = RIGHT_ADMIN,
        .columns = STR_INIT("id,theme"),
        .fields = STR_INIT("id,title,settings,styles"),
        .title = STR_INIT("title"),
    },
    {
        .name = STR_INIT("pattern"),
        .aliases = STR_INIT("patterns,block_pattern"),
        .route = STR_INIT("wp/v2/block-patterns/patterns"),
        .id = WP_ID_PATH,
        .id_field = STR_INIT("name"),
        .flags = WP_NO_SINGLE,
        .columns = STR_INIT("name,title,categories"),
        .fields = STR_INIT("name,title,description,categories,content"),
        .text = STR_INIT("content"),
    },
    {
        .name = STR_INIT("settings"),
        .aliases = STR_INIT("setting,options"),
        .route = STR_INIT("wp/v2/settings"),
        .id = WP_ID_NONE,
        .flags = WP_EDITS,
        .write_right = RIGHT_ADMIN,
        .columns = STR_INIT("name,value"),
    },
    {
        .name = STR_INIT("plugin"),
        .aliases = STR_INIT("plugins"),
        .route = STR_INIT("wp/v2/plugins"),
        .id = WP_ID_PATH,
        .id_field = STR_INIT("plugin"),
        .flags = WP_HAS_STATUS | WP_EDITS | WP_DELETES | WP_NO_FORCE | WP_SCHEMA_AT_ITEM,
        .write_right = RIGHT_ADMIN,
        .columns = STR_INIT("plugin,name,status,version"),
        .fields = STR_INIT("plugin,name,status,version,author,description,plugin_uri,requires_wp,requires_php"),
    },
    {
        .name = STR_INIT("theme"),
        .aliases = STR_INIT("themes"),
        .route = STR_INIT("wp/v2/themes"),
        .id = WP_ID_SLUG,
        .id_field = STR_INIT("stylesheet"),
        .flags = WP_HAS_STATUS,
        .columns = STR_INIT("stylesheet,name=name.rendered,status,version"),
        /* Named one by one: with its links, WordPress would make the theme's record of styles. */
        .fields = STR_INIT("stylesheet,template,name,status,version,author,description,tags,theme_uri,requires_wp,"
                           "requires_php,is_block_theme"),
    },
    {
        .name = STR_INIT("search"),
        .route = STR_INIT("wp/v2/search"),
        .id_field = STR_INIT("id"),
        .flags = WP_PAGES | WP_BY_PAGE | WP_SEARCHES | WP_NO_SINGLE,
        .columns = STR_INIT("id,type=subtype,title,url"),
    },
    {
        .name = STR_INIT("site_health"),
        .aliases = STR_INIT("site-health,health"),
        .route = STR_INIT("wp-site-health/v1/tests"),
        .id = WP_ID_SLUG,
        .id_field = STR_INIT("test"),
        .flags = WP_NO_LIST,
        .read_right = RIGHT_ADMIN, /* some note their result */
        .fields = STR_INIT("test,status,label,description"),
        .items = STR_INIT("background-updates,loopback-requests,https-status,dotorg-communication,"
                          "authorization-header,page-cache"),
    },
    {
        .name = STR_INIT("type"),
        .aliases = STR_INIT("types,post_type"),
        .route = STR_INIT("wp/v2/types"),
        .id = WP_ID_SLUG,
        .id_field = STR_INIT("slug"),
        .flags = WP_IS_MAP,
        .columns = STR_INIT("slug,name,taxonomies,rest_base"),
    },
    {
        .name = STR_INIT("taxonomy"),
        .aliases = STR_INIT("taxonomies"),
        .route = STR_INIT("wp/v2/taxonomies"),
        .id = WP_ID_SLUG,
        .id_field = STR_INIT("slug"),
        .flags = WP_IS_MAP,
        .columns = STR_INIT("slug,name,types,rest_base"),
    },
    {
        .name = STR_INIT("product"),
        .aliases = STR_INIT("products"),
        .route = STR_INIT("wc/v3/products"),
        .namespace = STR_INIT("wc/v3"),
        .id_field = STR_INIT("id"),
        .flags = WP_PAGES | WP_SEARCHES | WP_HAS_STATE | WP_HAS_DATES | WP_HAS_INCLUDE | WP_HAS_ORDER | WP_BY_SLUG |
                 WP_CREATES | WP_EDITS | WP_TRASHES | WP_DELETES,
        .not_public = POST_DRAFTS,
        .columns = STR_INIT("id,name,sku,price,stock=stock_quantity,status"),
        .fields = STR_INIT("id,name,slug,type,status,sku,price,regular_price,sale_price,stock_status,stock_quantity,"
                           "categories,tags,permalink,short_description,description"),
        .title = STR_INIT("name"),
        .text = STR_INIT("description"),
    },
    {
        .name = STR_INIT("order"),
        .aliases = STR_INIT("orders,shop_order"),
        .route = STR_INIT("wc/v3/orders"),
        .namespace = STR_INIT("wc/v3"),
        .id_field = STR_INIT("id"),
        .flags = WP_PAGES | WP_SEARCHES | WP_HAS_STATE | WP_HAS_DATES | WP_HAS_INCLUDE | WP_HAS_ORDER | WP_CREATES |
                 WP_EDITS | WP_TRASHES | WP_DELETES,
        .write_right = RIGHT_PUBLISH,
        .columns = STR_INIT("id,date=date_created,status,total,currency,by=billing.last_name"),
        .fields = STR_INIT("id,number,status,currency,total,date_created,customer_id,customer_note,billing,shipping,"
                           "payment_method_title,line_items,coupon_lines"),
    },
    {
        .name = STR_INIT("customer"),
        .aliases = STR_INIT("customers"),
        .route = STR_INIT("wc/v3/customers"),
        .namespace = STR_INIT("wc/v3"),
        .id_field = STR_INIT("id"),
        .flags = WP_PAGES | WP_SEARCHES | WP_HAS_INCLUDE | WP_HAS_ORDER,
        .columns = STR_INIT("id,name=username,first_name,last_name"),
        .fields = STR_INIT("id,username,first_name,last_name,date_created,is_paying_customer,billing,shipping"),
    },
    {
        .name = STR_INIT("coupon"),
        .aliases = STR_INIT("coupons,shop_coupon"),
        .route = STR_INIT("wc/v3/coupons"),
        .namespace = STR_INIT("wc/v3"),
        .id_field = STR_INIT("id"),
        .flags = WP_PAGES | WP_SEARCHES | WP_HAS_DATES | WP_HAS_INCLUDE | WP_HAS_ORDER | WP_CREATES | WP_EDITS |
                 WP_TRASHES | WP_DELETES,
        .write_right = RIGHT_PUBLISH,
        .columns = STR_INIT("id,code,amount,type=discount_type,expires=date_expires,used=usage_count"),
        .title = STR_INIT("code"),
        .text = STR_INIT("description"),
    },
};

static bool list_has(struct str list, struct str word, bool (*is_same)(struct str, struct str))
{
    struct str piece;
    while (list.len && str_next(&list, ',', &piece))
        if (is_same(piece, word))
            return true;
    return false;
}

bool wp_list_has(struct str list, struct str word)
{
    return list_has(list, word, str_eq_nocase);
}

bool wp_list_names(struct str list, struct str word)
{
    return list_has(list, word, str_eq);
}

const struct wp_kind *wp_kind_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (str_eq_nocase(kinds[i].name, name) || wp_list_has(kinds[i].aliases, name))
            return &kinds[i];
    return NULL;
}

size_t wp_kind_count(void)
{
    return ARRAY_LENGTH(kinds);
}

const struct wp_kind *wp_kind_at(size_t index)
{
    return index < ARRAY_LENGTH(kinds) ? &kinds[index] : NULL;
}
