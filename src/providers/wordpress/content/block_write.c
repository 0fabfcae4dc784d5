/* Writes blocks as the editor saves them. */
#include "providers/wordpress/content/block_write.h"

#include "providers/wordpress/content/html.h"
#include "providers/wordpress/content/text.h"

static void add(struct block_writer *writer, const char *text)
{
    buf_add(writer->out, str_from(text));
}

/* `attributes` is JSON with a space behind it, or "". In a classic post there is only the markup. */
static void open_block(struct block_writer *writer, const char *name, const char *attributes)
{
    if (writer->needs_gap)
        add(writer, "\n\n");
    writer->needs_gap = false;
    if (!writer->classic)
        buf_add_format(writer->out, "<!-- wp:%s %s-->\n", name, attributes);
}

static void close_block(struct block_writer *writer, const char *name)
{
    if (!writer->classic)
        buf_add_format(writer->out, "\n<!-- /wp:%s -->", name);
    writer->needs_gap = true;
}

/* A class attribute, in block markup only. */
static void add_class(struct block_writer *writer, const char *name)
{
    if (!writer->classic)
        buf_add_format(writer->out, " class=\"%s\"", name);
}

static void add_attribute(struct block_writer *writer, const char *name, struct str value)
{
    buf_add_format(writer->out, " %s=\"", name);
    text_escape_attribute(writer->out, value);
    add(writer, "\"");
}

/* A JSON string as the block serializer writes it: nothing in it can end the comment. */
static void add_json_string(struct buf *out, struct str s)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool dash_pair = c == '-' && i + 1 < s.len && s.ptr[i + 1] == '-';
        if (dash_pair) {
            buf_add(out, STR("\\u002d\\u002d"));
            i++;
        } else if (c < 0x20 || c == '<' || c == '>' || c == '&' || c == '"' || c == '\\') {
            buf_add_format(out, "\\u%04x", c);
        } else {
            buf_add_char(out, (char)c);
        }
    }
    buf_add_char(out, '"');
}

void write_paragraph(struct block_writer *writer, struct str html)
{
    open_block(writer, "paragraph", "");
    add(writer, "<p>");
    buf_add(writer->out, html);
    add(writer, "</p>");
    close_block(writer, "paragraph");
}

void write_heading(struct block_writer *writer, unsigned level, struct str html)
{
    char attributes[32] = "";
    if (level != 2)
        snprintf(attributes, sizeof attributes, "{\"level\":%u} ", level);
    open_block(writer, "heading", attributes);
    buf_add_format(writer->out, "<h%u", level);
    add_class(writer, "wp-block-heading");
    add(writer, ">");
    buf_add(writer->out, html);
    buf_add_format(writer->out, "</h%u>", level);
    close_block(writer, "heading");
}

void write_list_open(struct block_writer *writer, bool ordered, uint64_t start)
{
    char attributes[64] = "";
    bool has_start = ordered && start != 1;
    if (ordered && has_start)
        snprintf(attributes, sizeof attributes, "{\"ordered\":true,\"start\":%llu} ", (unsigned long long)start);
    else if (ordered)
        snprintf(attributes, sizeof attributes, "{\"ordered\":true} ");
    open_block(writer, "list", attributes);
    add(writer, ordered ? "<ol" : "<ul");
    if (has_start)
        buf_add_format(writer->out, " start=\"%llu\"", (unsigned long long)start);
    add_class(writer, "wp-block-list");
    add(writer, ">");
    if (writer->classic)
        add(writer, "\n");
}

void write_list_close(struct block_writer *writer, bool ordered)
{
    add(writer, writer->classic ? "\n" : "");
    add(writer, ordered ? "</ol>" : "</ul>");
    close_block(writer, "list");
}

void write_item_open(struct block_writer *writer)
{
    if (writer->classic && writer->needs_gap) {
        add(writer, "\n"); /* a blank line would make a paragraph */
        writer->needs_gap = false;
    }
    open_block(writer, "list-item", "");
    add(writer, "<li>");
}

void write_item_close(struct block_writer *writer)
{
    add(writer, "</li>");
    close_block(writer, "list-item");
}

void write_quote_open(struct block_writer *writer)
{
    open_block(writer, "quote", "");
    add(writer, "<blockquote");
    add_class(writer, "wp-block-quote");
    add(writer, ">");
}

void write_quote_close(struct block_writer *writer, struct str cite_html)
{
    if (cite_html.len) {
        add(writer, writer->classic && writer->needs_gap ? "\n\n<cite>" : "<cite>");
        buf_add(writer->out, cite_html);
        add(writer, "</cite>");
    }
    add(writer, "</blockquote>");
    close_block(writer, "quote");
}

/* A name that is a class and needs no escaping. */
static bool is_language(struct str s)
{
    if (s.len == 0 || s.len > 32)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!ascii_is_alnum(s.ptr[i]) && s.ptr[i] != '_' && s.ptr[i] != '+' && s.ptr[i] != '#' && s.ptr[i] != '.')
            return false;
    return true;
}

/*
 * The first line that is nothing but an address: there the editor hides the slashes, or WordPress would embed it. Returns the
 * offset of "//", or STR_NOT_FOUND.
 */
static size_t lone_address(struct str code)
{
    struct str rest = code, line;
    while (str_next(&rest, '\n', &line)) {
        struct str s = str_trim(line);
        size_t scheme = str_starts_with(s, STR("https://")) ? 6 : (str_starts_with(s, STR("http://")) ? 5 : 0);
        bool lone = scheme != 0 && s.len > scheme + 2;
        for (size_t i = scheme + 2; lone && i < s.len; i++)
            lone = !ascii_is_space(s.ptr[i]) && s.ptr[i] != '<' && s.ptr[i] != '>' && s.ptr[i] != '"';
        if (lone)
            return (size_t)(s.ptr - code.ptr) + scheme;
    }
    return STR_NOT_FOUND;
}

void write_code(struct block_writer *writer, struct str language, struct str code)
{
    char attributes[80] = "", class[80] = "wp-block-code";
    if (is_language(language)) {
        snprintf(attributes, sizeof attributes, "{\"className\":\"language-%.*s\"} ", STR_ARG(language));
        snprintf(class, sizeof class, "wp-block-code language-%.*s", STR_ARG(language));
    }
    open_block(writer, "code", attributes);
    add(writer, "<pre");
    add_class(writer, class);
    add(writer, "><code>");
    size_t slashes = lone_address(code), plain = 0;
    for (size_t i = 0; i < code.len; i++) {
        if (i != slashes && code.ptr[i] != '[')
            continue;
        text_escape(writer->out, str_sub(code, plain, i - plain));
        add(writer, i == slashes ? "&#47;&#47;" : "&#91;");
        i += i == slashes;
        plain = i + 1;
    }
    text_escape(writer->out, str_from_offset(code, plain));
    add(writer, "</code></pre>");
    close_block(writer, "code");
}

void write_preformatted(struct block_writer *writer, struct str html)
{
    open_block(writer, "preformatted", "");
    add(writer, "<pre");
    add_class(writer, "wp-block-preformatted");
    add(writer, ">");
    buf_add(writer->out, html);
    add(writer, "</pre>");
    close_block(writer, "preformatted");
}

void write_image(struct block_writer *writer, const struct image *image)
{
    bool figure = !writer->classic || image->caption_html.len;
    open_block(writer, "image", image->href.len ? "{\"linkDestination\":\"custom\"} " : "");
    if (figure) {
        add(writer, "<figure");
        add_class(writer, "wp-block-image");
        add(writer, ">");
    }
    if (image->href.len) {
        add(writer, "<a");
        add_attribute(writer, "href", image->href);
        add(writer, ">");
    }
    add(writer, "<img");
    add_attribute(writer, "src", image->src);
    add_attribute(writer, "alt", image->alt);
    if (image->title.len)
        add_attribute(writer, "title", image->title);
    add(writer, "/>");
    if (image->href.len)
        add(writer, "</a>");
    if (image->caption_html.len) {
        add(writer, "<figcaption");
        add_class(writer, "wp-element-caption");
        add(writer, ">");
        buf_add(writer->out, image->caption_html);
        add(writer, "</figcaption>");
    }
    if (figure)
        add(writer, "</figure>");
    close_block(writer, "image");
}

void write_table_open(struct block_writer *writer)
{
    open_block(writer, "table", "");
    add(writer, writer->classic ? "<table>" : "<figure class=\"wp-block-table\"><table class=\"has-fixed-layout\">");
}

void write_table_section(struct block_writer *writer, const char *name, bool open)
{
    buf_add_format(writer->out, open ? "<%s>" : "</%s>", name);
}

void write_table_row(struct block_writer *writer, bool open)
{
    add(writer, open ? "<tr>" : "</tr>");
}

void write_table_cell(struct block_writer *writer, bool head, enum cell_align align, struct str html)
{
    static const char *const names[] = {"", "left", "center", "right"};
    const char *tag = head ? "th" : "td";
    buf_add_format(writer->out, "<%s", tag);
    if (align != ALIGN_NONE && writer->classic)
        buf_add_format(writer->out, " style=\"text-align:%s\"", names[align]);
    else if (align != ALIGN_NONE)
        buf_add_format(writer->out, " class=\"has-text-align-%s\" data-align=\"%s\"", names[align], names[align]);
    add(writer, ">");
    buf_add(writer->out, html);
    buf_add_format(writer->out, "</%s>", tag);
}

void write_table_close(struct block_writer *writer, struct str caption_html)
{
    add(writer, "</table>");
    if (!writer->classic) {
        if (caption_html.len) {
            add(writer, "<figcaption class=\"wp-element-caption\">");
            buf_add(writer->out, caption_html);
            add(writer, "</figcaption>");
        }
        add(writer, "</figure>");
    }
    close_block(writer, "table");
}

void write_separator(struct block_writer *writer)
{
    open_block(writer, "separator", "");
    add(writer, writer->classic ? "<hr />" : "<hr class=\"wp-block-separator has-alpha-channel-opacity\"/>");
    close_block(writer, "separator");
}

void write_more(struct block_writer *writer, struct str custom_text)
{
    struct buf *out = writer->out;
    if (custom_text.len && !writer->classic) {
        if (writer->needs_gap)
            add(writer, "\n\n");
        add(writer, "<!-- wp:more {\"customText\":");
        add_json_string(out, custom_text);
        add(writer, "} -->\n");
    } else {
        open_block(writer, "more", "");
    }
    buf_add_format(out, "<!--more%s%.*s-->", custom_text.len ? " " : "", STR_ARG(custom_text));
    close_block(writer, "more");
}

void write_next_page(struct block_writer *writer)
{
    open_block(writer, "nextpage", "");
    add(writer, "<!--nextpage-->");
    close_block(writer, "nextpage");
}

void write_html(struct block_writer *writer, struct str html)
{
    open_block(writer, "html", "");
    buf_add(writer->out, html);
    close_block(writer, "html");
}

/* The services of WordPress's list whose embed block the editor names; path: what the address goes on with. */
static const struct service {
    struct str host, path;
    const char *slug, *type;
    bool wide; /* a 16:9 player */
} services[] = {
    {STR_INIT("youtube.com"), STR_INIT("/watch"), "youtube", "video", true},
    {STR_INIT("youtube.com"), STR_INIT("/playlist"), "youtube", "video", true},
    {STR_INIT("youtube.com"), STR_INIT("/live/"), "youtube", "video", true},
    {STR_INIT("youtube.com"), STR_INIT("/shorts/"), "youtube", "video", false},
    {STR_INIT("youtu.be"), STR_INIT("/"), "youtube", "video", true},
    {STR_INIT("vimeo.com"), STR_INIT("/"), "vimeo", "video", true},
    {STR_INIT("dailymotion.com"), STR_INIT("/"), "dailymotion", "video", true},
    {STR_INIT("dai.ly"), STR_INIT("/"), "dailymotion", "video", true},
    {STR_INIT("ted.com"), STR_INIT("/talks/"), "ted", "video", true},
    {STR_INIT("wordpress.tv"), STR_INIT("/"), "wordpress-tv", "video", true},
    {STR_INIT("tiktok.com"), STR_INIT("/@"), "tiktok", "video", false},
    {STR_INIT("twitter.com"), STR_INIT("/"), "twitter", "rich", false},
    {STR_INIT("soundcloud.com"), STR_INIT("/"), "soundcloud", "rich", false},
    {STR_INIT("open.spotify.com"), STR_INIT("/"), "spotify", "rich", false},
    {STR_INIT("mixcloud.com"), STR_INIT("/"), "mixcloud", "rich", false},
    {STR_INIT("reddit.com"), STR_INIT("/r/"), "reddit", "rich", false},
    {STR_INIT("bsky.app"), STR_INIT("/profile/"), "bluesky", "rich", false},
    {STR_INIT("kickstarter.com"), STR_INIT("/projects/"), "kickstarter", "rich", false},
    {STR_INIT("speakerdeck.com"), STR_INIT("/"), "speaker-deck", "rich", false},
};

static const struct service *find_service(struct str url)
{
    size_t scheme = str_starts_with(url, STR("https://")) ? 8 : (str_starts_with(url, STR("http://")) ? 7 : 0);
    struct str rest = str_from_offset(url, scheme);
    size_t slash = str_find_char(rest, '/');
    if (!scheme || slash == STR_NOT_FOUND)
        return NULL;
    struct str host = str_sub(rest, 0, slash), path = str_from_offset(rest, slash);
    if (str_starts_with(host, STR("www.")))
        host = str_from_offset(host, 4);
    else if (str_starts_with(host, STR("m.")))
        host = str_from_offset(host, 2);
    for (size_t i = 0; i < ARRAY_LENGTH(services); i++)
        if (str_eq_nocase(host, services[i].host) && str_starts_with(path, services[i].path) && path.len > 1)
            return &services[i];
    return NULL;
}

bool embed_is_known(struct str url)
{
    for (size_t i = 0; i < url.len; i++)
        if ((unsigned char)url.ptr[i] <= ' ' || url.ptr[i] == '<' || url.ptr[i] == '>' || url.ptr[i] == '"')
            return false;
    return find_service(url) != NULL;
}

void write_embed(struct block_writer *writer, struct str url)
{
    static const char wide[] = "wp-embed-aspect-16-9 wp-has-aspect-ratio";
    const struct service *service = find_service(url);
    struct buf *out = writer->out;
    if (writer->needs_gap)
        add(writer, "\n\n");
    if (writer->classic) {
        buf_add(out, url);
        writer->needs_gap = true;
        return;
    }
    add(writer, "<!-- wp:embed {\"url\":");
    add_json_string(out, url);
    if (service)
        buf_add_format(out, ",\"type\":\"%s\",\"providerNameSlug\":\"%s\",\"responsive\":true", service->type,
                       service->slug);
    if (service && service->wide)
        buf_add_format(out, ",\"className\":\"%s\"", wide);
    add(writer, "} -->\n<figure class=\"wp-block-embed");
    if (service)
        buf_add_format(out, " is-type-%s is-provider-%s wp-block-embed-%s", service->type, service->slug,
                       service->slug);
    if (service && service->wide)
        buf_add_format(out, " %s", wide);
    add(writer, "\"><div class=\"wp-block-embed__wrapper\">\n");
    text_escape_attribute(out, url);
    add(writer, "\n</div></figure>");
    close_block(writer, "embed");
}

void write_raw(struct block_writer *writer, struct str markup)
{
    if (writer->needs_gap)
        add(writer, "\n\n");
    buf_add(writer->out, markup);
    writer->needs_gap = true;
}
