/* HTML to blocks. */
#include "providers/wordpress/content/html_in.h"

#include "providers/wordpress/content/html.h"
#include "providers/wordpress/content/text.h"

enum { DEPTH_MAX = 12, ELEMENT_BYTES_MAX = 16 * 1024 * 1024 };

struct conversion {
    struct arena *arena;
    enum html_in_mode mode;
    struct block_writer *writer;
    unsigned depth;
    bool all_known;
};

/* Attributes that say nothing that a block would need: only these, of `keep` none but the listed. */
static bool attributes_are(const struct conversion *conversion, struct str attributes, const char *const *keep)
{
    struct html_attribute attribute;
    while (html_next_attribute(&attributes, &attribute)) {
        bool kept = false;
        for (size_t i = 0; keep && keep[i]; i++)
            kept = kept || str_eq_nocase(attribute.name, str_from(keep[i]));
        /* Identifiers and scripts are not style: with them, an element stays HTML. */
        bool style = str_eq_nocase(attribute.name, STR("class")) || str_eq_nocase(attribute.name, STR("style")) ||
                     str_eq_nocase(attribute.name, STR("align")) || str_eq_nocase(attribute.name, STR("dir")) ||
                     str_starts_with_nocase(attribute.name, STR("data-"));
        if (!kept && !(style && conversion->mode == HTML_IN_FOREIGN))
            return false;
    }
    return true;
}

static bool has_block_tags(struct str html)
{
    struct html_token token;
    while (html_next(&html, &token))
        if (token.kind == HTML_COMMENT || (token.kind != HTML_TEXT && html_is_block(token.name)))
            return true;
    return false;
}

/* Whether `html` can be the rich text of a block. */
static bool is_inline(struct str html)
{
    return !has_block_tags(html) && html_is_balanced(html);
}

static bool ends_with_break(const struct buf *out)
{
    struct str s = buf_str(out);
    return str_ends_with(s, STR("<br>")) || str_ends_with(s, STR("<br/>")) || str_ends_with(s, STR("<br />"));
}

/* Rich text on one line: white space around it goes; a line break in the source is a space, in classic text a <br>. */
static struct str one_line(struct conversion *conversion, struct str html)
{
    html = text_canonical_html(conversion->arena, str_trim(html));
    if (str_find_char(html, '\n') == STR_NOT_FOUND && str_find_char(html, '\r') == STR_NOT_FOUND)
        return html;
    struct buf out;
    buf_init(&out, conversion->arena, ELEMENT_BYTES_MAX);
    for (size_t i = 0; i < html.len; i++) {
        char c = html.ptr[i];
        if (c != '\n' && c != '\r') {
            buf_add_char(&out, c);
            continue;
        }
        while (i + 1 < html.len && ascii_is_space(html.ptr[i + 1]))
            i++;
        while (out.len && (out.ptr[out.len - 1] == ' ' || out.ptr[out.len - 1] == '\t'))
            out.len--;
        if (ends_with_break(&out))
            continue;
        buf_add(&out, conversion->mode == HTML_IN_CLASSIC ? STR("<br>") : STR(" "));
    }
    return buf_str(&out);
}

static bool convert_pieces(struct conversion *conversion, struct str html);

/* --- pictures */

static bool read_image(struct conversion *conversion, struct str html, struct image *ret)
{
    static const char *const loose[] = {"src",     "alt",      "title",         "width", "height", "srcset",
                                        "loading", "decoding", "fetchpriority", "sizes", NULL};
    static const char *const strict[] = {"src", "alt", "title", NULL};
    struct html_token tag;
    struct str inner, rest = html;
    *ret = (struct image){STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY};
    if (html_whole_element(html, "a", &tag, &inner)) {
        static const char *const link[] = {"href", NULL};
        if (!attributes_are(conversion, tag.attributes, link) || !html_attribute(tag.attributes, "href", &ret->href))
            return false;
        rest = inner;
    }
    if (!html_whole_element(rest, "img", &tag, &inner) ||
        !attributes_are(conversion, tag.attributes, conversion->mode == HTML_IN_FOREIGN ? loose : strict))
        return false;
    html_attribute(tag.attributes, "alt", &ret->alt);
    html_attribute(tag.attributes, "title", &ret->title);
    return html_attribute(tag.attributes, "src", &ret->src) && ret->src.len;
}

static bool convert_figure(struct conversion *conversion, struct str inner)
{
    struct image image;
    struct html_token tag;
    struct str rest = inner, picture_inner, caption = STR_EMPTY;
    if (!html_next_element(&rest, &tag, &picture_inner))
        return false;
    struct str picture = str_of(inner.ptr, (size_t)(rest.ptr - inner.ptr));
    if (str_trim(rest).len) {
        if (!html_whole_element(rest, "figcaption", &tag, &caption) ||
            !attributes_are(conversion, tag.attributes, NULL) || !is_inline(caption))
            return false;
    }
    if (!read_image(conversion, picture, &image))
        return false;
    image.caption_html = one_line(conversion, caption);
    write_image(conversion->writer, &image);
    return true;
}

/* --- text */

static bool convert_paragraph(struct conversion *conversion, struct str inner)
{
    struct image image;
    if (!is_inline(inner))
        return false;
    if (read_image(conversion, inner, &image)) {
        write_image(conversion->writer, &image);
        return true;
    }
    struct str text = one_line(conversion, inner);
    if (text.len == 0)
        return true;
    if (embed_is_known(text))
        write_embed(conversion->writer, text_decode_entities(conversion->arena, text));
    else
        write_paragraph(conversion->writer, text);
    return true;
}

static bool convert_pre(struct conversion *conversion, struct str inner)
{
    struct html_token tag;
    struct str code, class, language = STR_EMPTY;
    if (str_starts_with(inner, STR("\n")))
        inner = str_from_offset(inner, 1); /* to a browser it is not there */
    if (html_whole_element(inner, "code", &tag, &code)) {
        static const char *const keep[] = {"class", NULL};
        struct str rest = code;
        struct html_token token;
        while (html_next(&rest, &token))
            if (token.kind != HTML_TEXT)
                return false;
        if (!attributes_are(conversion, tag.attributes, keep))
            return false;
        if (html_attribute(tag.attributes, "class", &class) && str_starts_with(class, STR("language-")))
            language = str_from_offset(class, 9);
        code = text_decode_entities(conversion->arena, code);
        if (str_ends_with(code, STR("\n")))
            code.len--;
        write_code(conversion->writer, language, code);
        return true;
    }
    if (!is_inline(inner))
        return false;
    write_preformatted(conversion->writer, text_canonical_html(conversion->arena, inner));
    return true;
}

/* --- lists */

/* The text of an item and the lists in it: false when there is anything else. */
static bool split_item(struct str inner, struct str *ret_text, struct str *ret_lists)
{
    struct str rest = inner;
    struct html_token token;
    *ret_text = inner;
    *ret_lists = STR_EMPTY;
    while (html_next(&rest, &token)) {
        if (token.kind == HTML_COMMENT)
            return false;
        if (token.kind != HTML_OPEN || !html_is_block(token.name))
            continue;
        if (!html_is(&token, "ul") && !html_is(&token, "ol"))
            return false;
        size_t at = (size_t)(token.source.ptr - inner.ptr);
        *ret_text = str_sub(inner, 0, at);
        *ret_lists = str_from_offset(inner, at);
        return html_is_balanced(*ret_text);
    }
    return html_is_balanced(inner);
}

/* "<p>text</p>" in an item is its text. */
static struct str unwrap_paragraph(const struct conversion *conversion, struct str inner)
{
    struct html_token tag;
    struct str text;
    return html_whole_element(inner, "p", &tag, &text) && attributes_are(conversion, tag.attributes, NULL) ? text
                                                                                                           : inner;
}

static bool convert_list(struct conversion *conversion, const struct html_token *list, struct str inner)
{
    static const char *const keep[] = {"start", NULL};
    bool ordered = html_is(list, "ol");
    struct str start_text, rest = inner, item;
    struct html_token tag;
    uint64_t start = 1;
    if (conversion->depth == DEPTH_MAX || !attributes_are(conversion, list->attributes, ordered ? keep : NULL))
        return false;
    if (html_attribute(list->attributes, "start", &start_text) &&
        (!str_to_u64(start_text, &start) || start > 999999999))
        return false;
    conversion->depth++;
    write_list_open(conversion->writer, ordered, start);
    bool good = true;
    while (good && str_trim(rest).len) {
        struct str text, lists, list_inner;
        struct html_token inner_list;
        good = html_next_element(&rest, &tag, &item) && html_is(&tag, "li") &&
               attributes_are(conversion, tag.attributes, NULL) &&
               split_item(unwrap_paragraph(conversion, item), &text, &lists);
        if (!good)
            break;
        write_item_open(conversion->writer);
        buf_add(conversion->writer->out, one_line(conversion, text));
        while (good && str_trim(lists).len) {
            conversion->writer->needs_gap = false;
            good = html_next_element(&lists, &inner_list, &list_inner) &&
                   (html_is(&inner_list, "ul") || html_is(&inner_list, "ol")) &&
                   convert_list(conversion, &inner_list, list_inner);
        }
        write_item_close(conversion->writer);
    }
    write_list_close(conversion->writer, ordered);
    conversion->depth--;
    return good;
}

/* --- quotes */

static bool convert_quote(struct conversion *conversion, struct str inner)
{
    struct str cite = STR_EMPTY, body = str_trim(inner);
    size_t at = str_find(body, STR("<cite>"));
    if (at != STR_NOT_FOUND) {
        struct html_token tag;
        if (!html_whole_element(str_from_offset(body, at), "cite", &tag, &cite) || !is_inline(cite))
            return false;
        body = str_trim(str_sub(body, 0, at));
    }
    if (conversion->depth == DEPTH_MAX)
        return false;
    conversion->depth++;
    write_quote_open(conversion->writer);
    bool good = convert_pieces(conversion, body);
    write_quote_close(conversion->writer, one_line(conversion, cite));
    conversion->depth--;
    return good;
}

/* --- tables */

static bool cell_alignment(const struct conversion *conversion, struct str attributes, enum cell_align *ret)
{
    static const char *const keep[] = {"style", "align", "scope", NULL};
    static const struct {
        const char *name;
        enum cell_align align;
    } names[] = {{"left", ALIGN_LEFT}, {"center", ALIGN_CENTER}, {"right", ALIGN_RIGHT}};
    struct str value;
    *ret = ALIGN_NONE;
    if (!attributes_are(conversion, attributes, keep))
        return false;
    bool styled = html_attribute(attributes, "style", &value);
    if (styled) {
        if (!str_starts_with(str_trim(value), STR("text-align:")))
            return conversion->mode == HTML_IN_FOREIGN;
        value = str_from_offset(str_trim(value), 11);
        if (str_ends_with(value, STR(";")))
            value.len--;
    } else if (!html_attribute(attributes, "align", &value)) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (str_eq_nocase(str_trim(value), str_from(names[i].name)))
            *ret = names[i].align;
    return *ret != ALIGN_NONE || conversion->mode == HTML_IN_FOREIGN;
}

static bool convert_rows(struct conversion *conversion, struct str rows)
{
    struct html_token tag;
    struct str row, cell;
    while (str_trim(rows).len) {
        if (!html_next_element(&rows, &tag, &row) || !html_is(&tag, "tr") ||
            !attributes_are(conversion, tag.attributes, NULL))
            return false;
        write_table_row(conversion->writer, true);
        while (str_trim(row).len) {
            enum cell_align align;
            if (!html_next_element(&row, &tag, &cell) || !(html_is(&tag, "td") || html_is(&tag, "th")) ||
                !is_inline(cell) || !cell_alignment(conversion, tag.attributes, &align))
                return false;
            write_table_cell(conversion->writer, html_is(&tag, "th"), align, one_line(conversion, cell));
        }
        write_table_row(conversion->writer, false);
    }
    return true;
}

static bool convert_table(struct conversion *conversion, struct str inner)
{
    struct html_token tag;
    struct str rest = inner, section, caption = STR_EMPTY, after;
    write_table_open(conversion->writer);
    while (str_trim(rest).len) {
        after = rest;
        if (!html_next_element(&rest, &tag, &section))
            return false;
        if (html_is(&tag, "caption") && is_inline(section)) {
            caption = one_line(conversion, section);
        } else if (html_is(&tag, "tr")) {
            write_table_section(conversion->writer, "tbody", true);
            if (!convert_rows(conversion, after))
                return false;
            write_table_section(conversion->writer, "tbody", false);
            break;
        } else if (html_is(&tag, "thead") || html_is(&tag, "tbody") || html_is(&tag, "tfoot")) {
            const char *name = html_is(&tag, "thead") ? "thead" : (html_is(&tag, "tbody") ? "tbody" : "tfoot");
            write_table_section(conversion->writer, name, true);
            if (!attributes_are(conversion, tag.attributes, NULL) || !convert_rows(conversion, section))
                return false;
            write_table_section(conversion->writer, name, false);
        } else {
            return false;
        }
    }
    write_table_close(conversion->writer, caption);
    return true;
}

/* --- all */

static bool convert_comment(struct conversion *conversion, struct str comment)
{
    struct str text = str_sub(comment, 4, comment.len - 7);
    if (str_eq(text, STR("more")) || str_starts_with(text, STR("more ")))
        write_more(conversion->writer, str_trim(str_from_offset(text, 4)));
    else if (str_eq(text, STR("nextpage")))
        write_next_page(conversion->writer);
    else
        return false;
    return true;
}

static bool convert_element(struct conversion *conversion, const struct html_token *tag, struct str inner,
                            struct str piece)
{
    if (html_is(tag, "ul") || html_is(tag, "ol"))
        return convert_list(conversion, tag, inner);
    if (html_is(tag, "img"))
        return convert_paragraph(conversion, piece);
    if (!attributes_are(conversion, tag->attributes, NULL))
        return false;
    if (html_is(tag, "p"))
        return convert_paragraph(conversion, inner);
    if (tag->name.len == 2 && ascii_lower(tag->name.ptr[0]) == 'h' && tag->name.ptr[1] >= '1' &&
        tag->name.ptr[1] <= '6') {
        if (!is_inline(inner))
            return false;
        write_heading(conversion->writer, (unsigned)(tag->name.ptr[1] - '0'), one_line(conversion, inner));
        return true;
    }
    if (html_is(tag, "blockquote"))
        return convert_quote(conversion, inner);
    if (html_is(tag, "pre"))
        return convert_pre(conversion, inner);
    if (html_is(tag, "table"))
        return convert_table(conversion, inner);
    if (html_is(tag, "figure"))
        return convert_figure(conversion, inner);
    if (html_is(tag, "hr")) {
        write_separator(conversion->writer);
        return true;
    }
    return false;
}

/* Elements that only group others: their children become the blocks. */
static bool is_transparent(const struct conversion *conversion, const struct html_token *tag)
{
    static const char *const names[] = {"div", "section", "article", "main", "body", "html"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (html_is(tag, names[i]))
            return conversion->mode == HTML_IN_FOREIGN && attributes_are(conversion, tag->attributes, NULL);
    return false;
}

static bool convert_piece(struct conversion *conversion, struct str piece)
{
    struct html_token tag;
    struct str rest = piece, inner;
    if (!html_next(&rest, &tag))
        return true;
    if (tag.kind == HTML_COMMENT)
        return convert_comment(conversion, piece);
    if (tag.kind != HTML_OPEN || !html_is_block(tag.name))
        return tag.kind != HTML_CLOSE && convert_paragraph(conversion, piece);
    rest = piece;
    if (!html_next_element(&rest, &tag, &inner) || str_trim(rest).len)
        return false;
    if (is_transparent(conversion, &tag) && conversion->depth < DEPTH_MAX) {
        conversion->depth++;
        convert_pieces(conversion, inner);
        conversion->depth--;
        return true;
    }
    return convert_element(conversion, &tag, inner, piece);
}

/* Writes neighbours that stay HTML as one block. */
static void write_unknown(struct conversion *conversion, struct str *unknown)
{
    if (unknown->len)
        write_html(conversion->writer, *unknown);
    *unknown = STR_EMPTY;
}

static bool convert_pieces(struct conversion *conversion, struct str html)
{
    struct block_writer *writer = conversion->writer;
    struct str piece, unknown = STR_EMPTY;
    struct buf scratch;
    bool good = true;
    while (html_next_piece(&html, &piece)) {
        /* What cannot be converted to its end is taken back. */
        buf_init(&scratch, conversion->arena, ELEMENT_BYTES_MAX);
        struct block_writer trial = {.out = &scratch, .classic = writer->classic};
        conversion->writer = &trial;
        bool known = convert_piece(conversion, piece) && !buf_failed(&scratch);
        conversion->writer = writer;
        if (known) {
            write_unknown(conversion, &unknown);
            if (scratch.len)
                write_raw(writer, buf_str(&scratch));
        } else {
            unknown = unknown.len ? str_of(unknown.ptr, (size_t)(piece.ptr + piece.len - unknown.ptr)) : piece;
            good = conversion->all_known = false;
        }
    }
    write_unknown(conversion, &unknown);
    return good;
}

bool html_to_blocks(struct arena *arena, struct str html, enum html_in_mode mode, struct block_writer *writer)
{
    struct conversion conversion = {.arena = arena, .mode = mode, .writer = writer, .all_known = true};
    convert_pieces(&conversion, html);
    return conversion.all_known;
}
