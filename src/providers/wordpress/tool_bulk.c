/* wp_bulk: the same change to many items, after a look at what it would be. */
#include <sodium.h> /* before base/banned.h */

#include "json/json_write.h"
#include "providers/wordpress/bulk.h"
#include "providers/wordpress/content/text.h"
#include "providers/wordpress/fields.h"
#include "providers/wordpress/tools.h"

enum {
    SAMPLE_TITLES = 5,
    SAMPLE_TITLE_CHARS = 40,
    SAMPLE_CHARS = 600, /* of what would become of the first item */
    WORDS_CHARS = 400,  /* of the change, as it was given */
    DIGEST_HEX_BYTES = 17,
    TEXT_MAX_BYTES = 512 * 1024,
};

struct bulk {
    struct wp wp;
    struct wp_type type;
    const struct json *set, *edits;
    bool deletes;
    struct found_items items;
};

/* --- which ones ------------------------------------------------------------------------------------------------------------- */

/* A word that means nothing, or a value that is not read, would widen what is found. */
static int check_query(struct call *call, const struct json *query)
{
    static const struct {
        struct str name;
        enum json_type type;
    } members[] = {
        {STR_INIT("q"), JSON_STRING},      {STR_INIT("status"), JSON_STRING}, {STR_INIT("terms"), JSON_OBJECT},
        {STR_INIT("author"), JSON_STRING}, {STR_INIT("parent"), JSON_NUMBER}, {STR_INIT("ids"), JSON_ARRAY},
        {STR_INIT("after"), JSON_STRING},  {STR_INIT("before"), JSON_STRING}, {STR_INIT("order"), JSON_STRING},
        {STR_INIT("filter"), JSON_OBJECT},
    };
    for (size_t i = 0; i < json_count(query); i++) {
        struct json_member member = json_member_at(query, i);
        int64_t number;
        size_t k = 0;
        while (k < ARRAY_LENGTH(members) && !str_eq(members[k].name, member.name))
            k++;
        if (k == ARRAY_LENGTH(members))
            return fail(call, E_INVALID,
                        "query may not hold '%.*s': q, status, terms, author, parent, ids, after, before, order and "
                        "filter, as in wp_find; type is an argument of its own.",
                        STR_ARG(str_sub(member.name, 0, 40)));
        if (!json_is(member.value, members[k].type) ||
            (members[k].type == JSON_NUMBER && !json_to_i64(member.value, &number)))
            return fail(call, E_INVALID, "query.%.*s must be %s, as in wp_find.", STR_ARG(member.name),
                        members[k].type == JSON_NUMBER ? "an integer" : json_type_name(members[k].type));
        if (members[k].type >= JSON_ARRAY && !json_count(member.value))
            return fail(call, E_INVALID, "query.%.*s is empty: which items?", STR_ARG(member.name));
    }
    return OK;
}

static int take_query(struct call *call, const struct json *arguments, const struct wp_type *type,
                      const struct json **ret)
{
    const struct json *ids = json_get(arguments, STR("ids")), *query = json_get(arguments, STR("query"));
    struct buf text;
    if (json_count(query) && json_count(ids))
        return fail(call, E_INVALID, "Give ids or query, not both.");
    if (json_count(query)) {
        int error = check_query(call, query);
        if (error)
            return error;
        *ret = query;
        return OK;
    }
    if (!json_count(ids))
        return fail(call, E_INVALID, "Which items? Give ids, or a query as for wp_find.");
    buf_init(&text, call->arena, TEXT_MAX_BYTES);
    buf_add_format(&text, "{\"ids\":%.*s%s}", STR_ARG(json_raw(ids)),
                   type->kind->flags & WP_HAS_STATUS ? ",\"status\":\"any\"" : "");
    if (buf_failed(&text) || json_parse(call->arena, buf_str(&text), NULL, ret, NULL) != OK)
        return fail(call, E_LIMIT, "At most %d items at a time.", BULK_ITEMS_MAX);
    return OK;
}

static size_t place_of(const struct found_items *items, int64_t id)
{
    size_t i = 0;
    while (i < items->count && items->ids[i] != id)
        i++;
    return i;
}

/* In the order they were named, each once; all must be there: with a wrong id among many nobody would notice. */
static int check_named(struct call *call, const struct json *ids, struct bulk *bulk)
{
    struct found_items *items = &bulk->items;
    size_t n = 0;
    for (size_t i = 0; i < json_count(ids); i++) {
        size_t at = place_of(items, json_i64_or(json_at(ids, i), 0));
        if (at == items->count)
            return fail(call, E_NOT_FOUND, "There is no %.*s %.*s (or it is in the trash). Nothing was done.",
                        STR_ARG(bulk->type.slug), STR_ARG(json_raw(json_at(ids, i))));
        if (at < n)
            continue; /* named twice */
        int64_t id = items->ids[at];
        struct str title = items->titles[at];
        items->ids[at] = items->ids[n];
        items->titles[at] = items->titles[n];
        items->ids[n] = id;
        items->titles[n++] = title;
    }
    return OK;
}

static int find_items(struct call *call, const struct json *arguments, struct bulk *bulk)
{
    const struct json *query, *ids = json_get(arguments, STR("ids"));
    int error;
    if (json_count(ids) > BULK_ITEMS_MAX)
        return fail(call, E_LIMIT, "At most %d items at a time.", BULK_ITEMS_MAX);
    if ((error = take_query(call, arguments, &bulk->type, &query)) ||
        (error = tool_find_items(call, &bulk->wp, &bulk->type, query, BULK_ITEMS_MAX, &bulk->items)) ||
        (error = check_named(call, ids, bulk)))
        return error;
    if (!bulk->items.count)
        return fail(call, E_NOT_FOUND, "No %.*s was found by that. Nothing was done.", STR_ARG(bulk->type.slug));
    return OK;
}

/* --- what would be done ------------------------------------------------------------------------------------------------------ */

static int read_change(struct call *call, const struct json *arguments, struct bulk *bulk)
{
    bulk->set = json_get(arguments, STR("set"));
    bulk->edits = json_get(arguments, STR("edits"));
    bulk->deletes = json_bool_or(json_get(arguments, STR("delete")), false);
    if (bulk->deletes && (json_count(bulk->set) || json_count(bulk->edits)))
        return fail(call, E_INVALID, "Give delete, or set and edits, not both.");
    if (!bulk->deletes && !json_count(bulk->set) && !json_count(bulk->edits))
        return fail(call, E_INVALID, "What is to be done? Give set, edits, or delete=true (to the trash).");
    if (bulk->deletes && !(bulk->wp.rights & RIGHT_DELETE))
        return rights_lack(call, RIGHT_DELETE, fail(call, E_DENIED, "This token lacks the right delete."));
    if (bulk->deletes && !(bulk->type.kind->flags & WP_TRASHES))
        return fail(call, E_INVALID, "Type %.*s has no trash, so it is not deleted in bulk.", STR_ARG(bulk->type.slug));
    if (bulk->type.kind->id != WP_ID_NUMBER)
        return fail(call, E_INVALID, "Type %.*s is not changed in bulk.", STR_ARG(bulk->type.slug));
    return OK;
}

/* "ids":[...],"type":...,"set":... */
static struct str job_members(struct call *call, const struct bulk *bulk, struct str ids_json)
{
    struct buf text;
    buf_init(&text, call->arena, TEXT_MAX_BYTES);
    buf_add_format(&text, "\"type\":%.*s,\"ids\":%.*s", STR_ARG(json_quote(call->arena, bulk->type.slug)),
                   STR_ARG(ids_json));
    if (bulk->deletes)
        buf_add(&text, STR(",\"delete\":true"));
    if (json_count(bulk->set))
        buf_add_format(&text, ",\"set\":%.*s", STR_ARG(json_raw(bulk->set)));
    if (json_count(bulk->edits))
        buf_add_format(&text, ",\"edits\":%.*s", STR_ARG(json_raw(bulk->edits)));
    return buf_failed(&text) ? STR_EMPTY : buf_str(&text);
}

/* What it would make of the first item; what is wrong with the change shows here, before anybody agrees to it. */
static int try_first(struct call *call, const struct tool_context *context, const struct bulk *bulk, struct str *ret)
{
    const struct json *arguments;
    struct tool_result result = {0};
    struct str text = call_format(call, "{\"dry_run\":true,\"id\":\"%lld\",%.*s}", (long long)bulk->items.ids[0],
                                  STR_ARG(job_members(call, bulk, STR("[]"))));
    *ret = STR_EMPTY;
    if (bulk->deletes)
        return OK;
    buf_init(&result.text, call->arena, TEXT_MAX_BYTES);
    if (json_parse(call->arena, text, NULL, &arguments, NULL) != OK)
        return fail(call, E_LIMIT, "The change is too large.");
    int error = tool_edit(call, context, arguments, &result);
    if (error)
        return error;
    struct str shown = buf_str(&result.text);
    size_t line = str_find_char(shown, '\n'); /* its first says that nothing was written, which is said for all */
    if (line != STR_NOT_FOUND && json_count(bulk->edits))
        *ret = str_trim(text_cut(str_from_offset(shown, line + 1), SAMPLE_CHARS));
    return OK;
}

/* Exactly these items: another one found later is another agreement. */
static struct str digest_of(struct call *call, const struct found_items *items)
{
    unsigned char hash[crypto_generichash_BYTES_MIN];
    char *hex = arena_alloc(call->arena, DIGEST_HEX_BYTES);
    crypto_generichash(hash, sizeof hash, (const unsigned char *)items->ids, items->count * sizeof items->ids[0], NULL,
                       0);
    sodium_bin2hex(hex, DIGEST_HEX_BYTES, hash, (DIGEST_HEX_BYTES - 1) / 2);
    return str_from(hex);
}

static int describe(struct call *call, const struct tool_context *context, const struct bulk *bulk, struct str sample,
                    struct str *ret)
{
    struct buf rest;
    struct str type = bulk->type.slug, site = context->site->name;
    buf_init(&rest, call->arena, 8 * 1024);
    for (size_t i = 0; i < bulk->items.count && i < SAMPLE_TITLES; i++)
        buf_add_format(&rest, "%s%lld \"%.*s\"", i ? ", " : "", (long long)bulk->items.ids[i],
                       STR_ARG(text_cut(bulk->items.titles[i], SAMPLE_TITLE_CHARS)));
    if (bulk->items.count > SAMPLE_TITLES)
        buf_add_format(&rest, ", +%zu", bulk->items.count - SAMPLE_TITLES);
    buf_add_format(&rest, " [%.*s].", STR_ARG(digest_of(call, &bulk->items)));
    if (json_count(bulk->set))
        buf_add_format(&rest, " set %.*s", STR_ARG(text_cut(json_raw(bulk->set), WORDS_CHARS)));
    if (json_count(bulk->edits))
        buf_add_format(&rest, " edits %.*s", STR_ARG(text_cut(json_raw(bulk->edits), WORDS_CHARS)));
    if (bulk->deletes)
        *ret = call_format(call, "put into the trash %zu of type %.*s of %.*s: %.*s", bulk->items.count, STR_ARG(type),
                           STR_ARG(site), STR_ARG(buf_str(&rest)));
    else if (sample.len)
        *ret = call_format(call, "change %zu of type %.*s of %.*s: %.*s\nThe first: %.*s", bulk->items.count,
                           STR_ARG(type), STR_ARG(site), STR_ARG(buf_str(&rest)), STR_ARG(sample));
    else
        *ret = call_format(call, "change %zu of type %.*s of %.*s: %.*s", bulk->items.count, STR_ARG(type),
                           STR_ARG(site), STR_ARG(buf_str(&rest)));
    return OK;
}

/* --- ------------------------------------------------------------------------------------------------------------------------- */

static struct str ids_json(struct call *call, const struct found_items *items)
{
    struct buf text;
    buf_init(&text, call->arena, TEXT_MAX_BYTES);
    buf_add_char(&text, '[');
    for (size_t i = 0; i < items->count; i++)
        buf_add_format(&text, "%s%lld", i ? "," : "", (long long)items->ids[i]);
    buf_add_char(&text, ']');
    return buf_str(&text);
}

static struct str field_names(struct call *call, const struct bulk *bulk)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, 4 * 1024);
    json_write_init(&w, &text);
    json_array(&w);
    if (json_count(bulk->edits))
        json_string(&w, STR("content"));
    for (size_t i = 0; i < json_count(bulk->set); i++)
        json_string(&w, str_sub(json_member_at(bulk->set, i).name, 0, 60));
    json_end(&w);
    return buf_failed(&text) ? STR("[]") : buf_str(&text);
}

static int begin(struct call *call, const struct tool_context *context, const struct bulk *bulk,
                 struct tool_result *result)
{
    struct str ids = ids_json(call, &bulk->items);
    struct bulk_plan plan = {
        .job = STR("bulk"),
        .item_type = bulk->type.slug,
        .title = call_format(call, "%zu items%s", bulk->items.count, bulk->deletes ? " to the trash" : ""),
        .fields_json = field_names(call, bulk),
        .ids_json = ids,
        .members = job_members(call, bulk, ids),
        .total = (int64_t)bulk->items.count,
    };
    if (!plan.members.len)
        return fail(call, E_LIMIT, "The change is too large.");
    return bulk_begin(call, context, &plan, result);
}

int tool_bulk(struct call *call, const struct tool_context *context, const struct json *arguments,
              struct tool_result *result)
{
    struct bulk *bulk = arena_new_of(call->arena, struct bulk);
    struct str sample, what, job = json_str(json_get(arguments, STR("job")));
    int error;
    if (job.len)
        return host_tell_job(call, context->host, job, result);
    if ((error = wp_open(call, context->site, context->rights, &bulk->wp)) ||
        (error = wp_type_find(call, &bulk->wp, json_str(json_get(arguments, STR("type"))), &bulk->type)) ||
        (error = read_change(call, arguments, bulk)) || (error = find_items(call, arguments, bulk)) ||
        (error = try_first(call, context, bulk, &sample)) || (error = describe(call, context, bulk, sample, &what)) ||
        (error = host_confirm_for_good(call, context->host, what)))
        return error;
    return begin(call, context, bulk, result);
}
