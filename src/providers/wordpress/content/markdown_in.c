/* Markdown, HTML or block markup to blocks. */
#include "providers/wordpress/content/markdown_in.h"

#include "providers/wordpress/content/blocks.h"
#include "providers/wordpress/content/html_in.h"
#include "providers/wordpress/content/markdown_chunks.h"
#include "providers/wordpress/content/markdown_walk.h"

bool content_format_from(struct str name, enum content_format *ret)
{
    static const struct {
        struct str name;
        enum content_format format;
    } formats[] = {{STR_INIT(""), CONTENT_MARKDOWN},
                   {STR_INIT("markdown"), CONTENT_MARKDOWN},
                   {STR_INIT("html"), CONTENT_HTML},
                   {STR_INIT("blocks"), CONTENT_BLOCKS}};
    for (size_t i = 0; i < ARRAY_LENGTH(formats); i++)
        if (str_eq(name, formats[i].name)) {
            *ret = formats[i].format;
            return true;
        }
    return false;
}

/* Block markup is taken as it is, if WordPress would read it as it was meant. */
static int check_blocks(struct call *call, struct str text)
{
    struct blocks blocks = blocks_parse(call->arena, text, BLOCKS_AS_WORDPRESS);
    if (!blocks.is_broken)
        return OK;
    const struct block *open = blocks.last;
    while (open && open->last_child && open->last_child->is_unclosed)
        open = open->last_child;
    if (open && open->is_unclosed)
        return fail(call, E_INVALID, "The block markup is broken: the block %.*s (%.*s) is never closed.",
                    STR_ARG(open->number), STR_ARG(open->name));
    return fail(call, E_INVALID,
                "The block markup is broken: after block %zu there is a closing comment without its opening one.",
                blocks.count ? blocks.count - 1 : 0);
}

static int convert(struct call *call, struct str text, enum content_format format, struct block_writer *writer)
{
    struct str trimmed = str_trim(text);
    if (text.len > CONTENT_BYTES_MAX)
        return fail(call, E_LIMIT, "The content is longer than %d MiB.", CONTENT_BYTES_MAX / 1024 / 1024);
    /* Block markup under another name is still block markup. */
    if (format == CONTENT_HTML && blocks_delimiter_length(trimmed))
        format = CONTENT_BLOCKS;
    if (format == CONTENT_BLOCKS) {
        int rc = check_blocks(call, trimmed);
        if (rc == OK && trimmed.len)
            write_raw(writer, trimmed);
        return rc;
    }
    if (format == CONTENT_HTML) {
        html_to_blocks(call->arena, trimmed, HTML_IN_FOREIGN, writer);
        return OK;
    }
    return markdown_chunks_write(call, text, writer);
}

int content_to_blocks(struct call *call, struct str text, enum content_format format, struct buf *out)
{
    struct block_writer writer = block_writer_on(out, false);
    int rc = convert(call, text, format, &writer);
    if (rc == OK && buf_failed(out))
        return fail(call, E_LIMIT, "The content would be longer than %zu bytes.", out->max);
    return rc;
}

int content_to_classic(struct call *call, struct str text, enum content_format format, struct buf *out)
{
    struct block_writer writer = block_writer_on(out, true);
    if (format == CONTENT_HTML && !blocks_delimiter_length(str_trim(text))) {
        write_raw(&writer, str_trim(text));
    } else {
        int rc = convert(call, text, format, &writer);
        if (rc != OK)
            return rc;
    }
    return buf_failed(out) ? fail(call, E_LIMIT, "The content would be longer than %zu bytes.", out->max) : OK;
}
