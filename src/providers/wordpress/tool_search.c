/*
 * search: with fetch what ChatGPT's deep research asks for, by their names, arguments and shapes (OpenAI, "Building MCP servers
 * for ChatGPT and API integrations"). Only tokens with the option research have them: others do all of it, and more, with
 * wp_find and wp_read.
 *
 * {"results":[{"id","title","url"}]} of what is public, of any type of content; ids are the URIs of resources.
 */
#include "providers/wordpress/content/text.h"
#include "providers/wordpress/resources.h"
#include "providers/wordpress/tools.h"

#include "json/json_write.h"

enum {
    RESULTS_MAX = 10,
    WORDS_MAX = 3, /* that are looked for one by one when no text has them all */
    WORD_MIN_BYTES = 4,
    QUERY_MAX_BYTES = 500,
    ANSWER_MAX_BYTES = 64 * 1024,
    TITLE_CHARS_MAX = 300,
};

struct hit {
    struct str uri, title, url;
    size_t words; /* of the query, that found it */
};
struct hits {
    struct hit list[RESULTS_MAX * WORDS_MAX];
    size_t n;
};

static struct hit *find_hit(struct hits *hits, struct str uri)
{
    for (size_t i = 0; i < hits->n; i++)
        if (str_eq(hits->list[i].uri, uri))
            return &hits->list[i];
    return NULL;
}

/* A type that wp_read does not know has no URI, and is left out. */
static int uri_of(struct call *call, const struct wp *wp, const struct json *found, struct str *ret)
{
    struct wp_type type;
    *ret = STR_EMPTY;
    int error = wp_type_find(call, wp, json_str(json_get(found, STR("subtype"))), &type);
    if (error == E_INVALID || error == E_NOT_FOUND) {
        call_clear_error(call);
        return OK;
    }
    if (!error)
        *ret = wp_uri_format(call->arena, wp_uri_collection(type.route), json_i64_or(json_get(found, STR("id")), 0));
    return error;
}

static int look_for(struct call *call, const struct wp *wp, struct str words, struct hits *hits)
{
    struct wp_answer answer;
    struct wp_query query;
    wp_query_init(call, &query);
    wp_query_add(&query, "search", words);
    wp_query_add(&query, "type", STR("post"));
    wp_query_add(&query, "subtype", STR("any"));
    wp_query_add_i64(&query, "per_page", RESULTS_MAX);
    wp_query_add(&query, "_fields", STR("id,title,url,subtype"));
    int error = wp_get(call, wp, STR("wp/v2/search"), &query, &answer);
    for (size_t i = 0; !error && i < json_count(answer.json); i++) {
        const struct json *found = json_at(answer.json, i);
        struct str uri, title = text_from_html(call->arena, json_str(json_get(found, STR("title"))));
        if ((error = uri_of(call, wp, found, &uri)) || !uri.len)
            continue;
        struct hit *hit = find_hit(hits, uri);
        if (hit)
            hit->words++;
        else if (hits->n < ARRAY_LENGTH(hits->list))
            hits->list[hits->n++] =
                (struct hit){uri, text_cut(title, TITLE_CHARS_MAX), json_str(json_get(found, STR("url"))), 1};
    }
    return error;
}

/* Without the punctuation around it. */
static struct str bare(struct str word)
{
    while (word.len && (unsigned char)word.ptr[0] < 0x80 && !ascii_is_alnum(word.ptr[0]))
        word = str_from_offset(word, 1);
    while (word.len && (unsigned char)word.ptr[word.len - 1] < 0x80 && !ascii_is_alnum(word.ptr[word.len - 1]))
        word.len--;
    return word;
}

/* The longest words, in `ret`, longest first. */
static size_t longest_words(struct str query, struct str ret[WORDS_MAX])
{
    struct str rest = query, word;
    size_t n = 0;
    while (str_next(&rest, ' ', &word)) {
        word = bare(word);
        if (word.len < WORD_MIN_BYTES)
            continue;
        size_t at = n;
        while (at > 0 && ret[at - 1].len < word.len)
            at--;
        if (at == WORDS_MAX)
            continue;
        n += n < WORDS_MAX;
        for (size_t i = n - 1; i > at; i--)
            ret[i] = ret[i - 1];
        ret[at] = word;
    }
    return n;
}

/* WordPress wants every word in a text. Questions in whole sentences find nothing so: then what has the most of their words. */
static int search(struct call *call, const struct wp *wp, struct str query, struct hits *hits)
{
    struct str words[WORDS_MAX];
    int error = look_for(call, wp, query, hits);
    if (error || hits->n || str_find_char(query, ' ') == STR_NOT_FOUND)
        return error;
    size_t n = longest_words(query, words);
    for (size_t i = 0; i < n && !error; i++)
        error = look_for(call, wp, words[i], hits);
    return error;
}

static void write_results(const struct hits *hits, struct buf *out)
{
    struct json_writer w;
    size_t left = RESULTS_MAX;
    json_write_init(&w, out);
    json_object(&w);
    json_key(&w, STR("results"));
    json_array(&w);
    for (size_t words = WORDS_MAX; words > 0; words--)
        for (size_t i = 0; i < hits->n && left; i++) {
            const struct hit *hit = &hits->list[i];
            if (hit->words != words)
                continue;
            json_object(&w);
            json_member_str(&w, "id", hit->uri);
            json_member_str(&w, "title", hit->title);
            json_member_str(&w, "url", hit->url);
            json_end(&w);
            left--;
        }
    json_end(&w);
    json_end(&w);
}

int tool_search(struct call *call, const struct tool_context *context, const struct json *arguments,
                struct tool_result *result)
{
    struct wp wp;
    struct buf json;
    struct hits *hits = arena_new_of(call->arena, struct hits);
    struct str query = str_trim(json_str(json_get(arguments, STR("query"))));
    if (!query.len || query.len > QUERY_MAX_BYTES)
        return fail(call, E_INVALID, "query is 1 to %d bytes of text.", QUERY_MAX_BYTES);
    int error = wp_open(call, context->site, context->rights, &wp);
    if (error || (error = search(call, &wp, query, hits)))
        return error;
    buf_init(&json, call->arena, ANSWER_MAX_BYTES);
    write_results(hits, &json);
    return tool_result_json(call, result, &json);
}
