/* The files that are in the program. */
#include "web/assets.h"

#include "web/page.h"
#include "web/routes.h"

#include <assert.h>

const struct asset *assets_find(struct str path)
{
    for (size_t i = 0; i < n_assets; i++)
        if (str_eq(assets[i].path, path))
            return &assets[i];
    return NULL;
}

struct str assets_path(const char *name)
{
    for (size_t i = 0; i < n_assets; i++)
        if (str_eq(assets[i].name, str_from(name)))
            return assets[i].path;
    assert(!"an asset of src/web/assets");
    return STR_EMPTY;
}

/* ---- which form of it */

struct form {
    struct str bytes, coding; /* coding empty: as it is */
};

/* RFC 9110, section 12.5.3: is that coding among those accepted, and not with weight 0? */
static bool accepts(struct str header, struct str coding)
{
    struct str item;
    while (header.ptr && str_next(&header, ',', &item)) {
        size_t semicolon = str_find_char(item, ';');
        if (!str_eq_nocase(str_trim(str_sub(item, 0, semicolon)), coding))
            continue;
        struct str weight = str_trim(str_from_offset(item, semicolon == STR_NOT_FOUND ? item.len : semicolon + 1));
        if (!str_starts_with_nocase(weight, STR("q=0")))
            return true;
        for (size_t i = 3; i < weight.len; i++)
            if (weight.ptr[i] >= '1' && weight.ptr[i] <= '9')
                return true;
        return false;
    }
    return false;
}

static struct form choose(const struct http_request *request, const struct asset *asset)
{
    struct str header = http_header_value(request, STR("accept-encoding"));
    if (asset->brotli.len && accepts(header, STR("br")))
        return (struct form){asset->brotli, STR("br")};
    if (asset->gzip.len && accepts(header, STR("gzip")))
        return (struct form){asset->gzip, STR("gzip")};
    return (struct form){asset->plain, STR_EMPTY};
}

/* If-None-Match: a list of tags, compared weakly, or "*". */
static bool is_known(const struct http_request *request, struct str tag)
{
    struct str header = http_header_value(request, STR("if-none-match")), item;
    while (header.ptr && str_next(&header, ',', &item)) {
        item = str_trim(item);
        if (str_starts_with(item, STR("W/")))
            item = str_from_offset(item, 2);
        if (str_eq(item, tag) || str_eq(item, STR("*")))
            return true;
    }
    return false;
}

/* ---- sending */

/* Of the document that is the dashboard; the other files do nothing by themselves. */
static void add_document_headers(struct http_exchange *exchange)
{
    http_answer_header(exchange, STR("Content-Security-Policy"),
                       STR("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                           "connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
                           "form-action 'self'"));
    http_answer_header(exchange, STR("Referrer-Policy"), STR("no-referrer"));
    http_answer_header(exchange, STR("Cross-Origin-Opener-Policy"), STR("same-origin"));
    http_answer_header(exchange, STR("X-Frame-Options"), STR("DENY"));
}

void assets_send(struct call *call, struct http_exchange *exchange, const struct asset *asset)
{
    const struct http_request *request = http_exchange_request(exchange);
    struct form form = choose(request, asset);
    struct str tag =
        call_format(call, "\"%.*s%s%.*s\"", STR_ARG(asset->hash), form.coding.len ? "-" : "", STR_ARG(form.coding));
    if (str_starts_with(asset->type, STR("text/html")))
        add_document_headers(exchange);
    http_answer_header(exchange, STR("Cross-Origin-Resource-Policy"), STR("same-origin"));
    http_answer_header(exchange, STR("Cache-Control"),
                       asset->is_immutable ? STR("public, max-age=31536000, immutable") : STR("no-cache"));
    http_answer_header(exchange, STR("Vary"), STR("Accept-Encoding"));
    http_answer_header(exchange, STR("ETag"), tag);
    if (is_known(request, tag)) {
        http_answer(exchange, 304, STR_EMPTY, STR_EMPTY);
        return;
    }
    if (form.coding.len)
        http_answer_header(exchange, STR("Content-Encoding"), form.coding);
    http_answer(exchange, 200, asset->type, form.bytes);
}

void assets_serve(struct call *call, struct http_exchange *exchange, struct str segment)
{
    const struct http_request *request = http_exchange_request(exchange);
    const struct asset *asset = assets_find(request->path);
    (void)segment;
    if (asset)
        assets_send(call, exchange, asset);
    else if (page_is_wanted(request))
        page_serve_error(call, exchange, 404);
    else
        routes_error(call, exchange, 404, "not_found", STR("There is no such file."));
}
