/*
 * What a file is: judged by its first bytes and its name, against what WordPress takes into its media library
 * (wp_get_mime_types() without what only an unfiltered_html user may add). What a sender declares is believed only of plain text,
 * which has no marks. Pure.
 */
#ifndef PROVIDERS_WORDPRESS_FILE_TYPE_H
#define PROVIDERS_WORDPRESS_FILE_TYPE_H

#include "call/call.h"

enum { FILE_NAME_MAX_BYTES = 120 };

struct file_type {
    struct str name; /* cleaned; its ending is the content's */
    struct str mime;
    bool is_image;
    bool is_renamed; /* the ending was wrong, or there was none */
};

/*
 * `head`: the first bytes of the file, some thousand or all. `name`: as it was given, or empty; `declared`: a Content-Type, or
 * empty. E_INVALID: it is nothing WordPress takes, or not what its name says; the text says what and why.
 */
MUST_CHECK int file_type_judge(struct call *call, struct str head, struct str name, struct str declared,
                               struct file_type *ret);

/* The last segment of a path or address, as a file's name; may be empty. */
struct str file_name_of(struct call *call, struct str path);

#endif
