/*
 * Writes blocks as the editor of WordPress 7.1 saves them (its save functions and its serializer), or the same as classic HTML
 * without delimiters and block classes. Texts given as `html` are rich text: escaped already.
 */
#ifndef PROVIDERS_WORDPRESS_CONTENT_BLOCK_WRITE_H
#define PROVIDERS_WORDPRESS_CONTENT_BLOCK_WRITE_H

#include "base/buf.h"

struct block_writer {
    struct buf *out;
    bool classic;
    bool needs_gap; /* a sibling stands before */
};

static inline struct block_writer block_writer_on(struct buf *out, bool classic)
{
    return (struct block_writer){.out = out, .classic = classic, .needs_gap = out->len > 0};
}

void write_paragraph(struct block_writer *writer, struct str html);
void write_heading(struct block_writer *writer, unsigned level, struct str html);

/* Lists and quotes hold what is written between. An item's text comes first: write it to writer->out after opening. */
void write_list_open(struct block_writer *writer, bool ordered, uint64_t start);
void write_list_close(struct block_writer *writer, bool ordered);
void write_item_open(struct block_writer *writer);
void write_item_close(struct block_writer *writer);
void write_quote_open(struct block_writer *writer);
void write_quote_close(struct block_writer *writer, struct str cite_html); /* empty: no cite */

/* language: of a code fence, or empty; code is plain text. */
void write_code(struct block_writer *writer, struct str language, struct str code);
void write_preformatted(struct block_writer *writer, struct str html);

/* href: where the picture links to, or empty; all but caption_html plain text (references stay). */
struct image {
    struct str src, alt, title, href, caption_html;
};
void write_image(struct block_writer *writer, const struct image *image);

enum cell_align { ALIGN_NONE, ALIGN_LEFT, ALIGN_CENTER, ALIGN_RIGHT };
void write_table_open(struct block_writer *writer);
void write_table_section(struct block_writer *writer, const char *name, bool open); /* "thead", "tbody", "tfoot" */
void write_table_row(struct block_writer *writer, bool open);
void write_table_cell(struct block_writer *writer, bool head, enum cell_align align, struct str html);
void write_table_close(struct block_writer *writer, struct str caption_html);

void write_separator(struct block_writer *writer);
void write_more(struct block_writer *writer, struct str custom_text);
void write_next_page(struct block_writer *writer);
void write_html(struct block_writer *writer, struct str html);

/* True when the address belongs to a service WordPress embeds; only then a lone link becomes an embed. */
bool embed_is_known(struct str url);
void write_embed(struct block_writer *writer, struct str url);

/* Markup as it is, as one more sibling. */
void write_raw(struct block_writer *writer, struct str markup);

#endif
