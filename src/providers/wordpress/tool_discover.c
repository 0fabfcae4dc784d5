/* wp_discover: what else this site can do. */
#include "providers/wordpress/operation_request.h"
#include "providers/wordpress/operation_search.h"
#include "providers/wordpress/structured.h"
#include "providers/wordpress/tools.h"

#include <stdlib.h>

enum {
    HITS_DEFAULT = 8,
    HITS_MAX = 50,
    HINT_ARGS = 4, /* shown of each hit; name shows all */
    NAMESPACES_SHOWN = 30,
    SCHEMA_LEVELS = 2,
    SHOWN_DEFAULT_MAX_BYTES = 60,
};

static const struct json nothing = {.type = JSON_MISSING};

/* --- searching ----------------------------------------------------------------------------------------------------------- */

struct hit {
    const struct operation *operation;
    unsigned score;
};

static int by_score(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return x->operation < y->operation ? -1 : x->operation > y->operation; /* the site's order */
}

static bool is_for(const struct operation *operation, unsigned rights)
{
    struct operation_needs needs;
    operation_needs(operation, operation->path, &nothing, &needs);
    return operation_is_within(&needs, rights);
}

/* "wp/v2" of "/wp/v2/posts", "core" of the ability "core/get-site-info". */
static struct str namespace_of(const struct operation *operation)
{
    struct str path = operation->is_ability ? operation->path : str_from_offset(operation->path, 1);
    size_t slash = str_find_char(path, '/');
    if (slash == STR_NOT_FOUND || operation->is_ability)
        return str_sub(path, 0, slash);
    size_t second = str_find_char(str_from_offset(path, slash + 1), '/');
    return second == STR_NOT_FOUND ? path : str_sub(path, 0, slash + 1 + second);
}

static void write_namespaces(const struct operations *operations, unsigned rights, struct buf *out)
{
    struct str seen[NAMESPACES_SHOWN];
    size_t counts[NAMESPACES_SHOWN] = {0}, n = 0, k;
    for (size_t i = 0; i < operations->count; i++) {
        struct str name = namespace_of(&operations->list[i]);
        if (!is_for(&operations->list[i], rights))
            continue;
        for (k = 0; k < n && !str_eq(seen[k], name);)
            k++;
        if (k == NAMESPACES_SHOWN)
            continue;
        n += k == n;
        seen[k] = name;
        counts[k]++;
    }
    for (k = 0; k < n; k++)
        buf_add_format(out, "%s%.*s (%zu)", k ? ", " : "", STR_ARG(seen[k]), counts[k]);
}

/* {"name":"GET /wp/v2/posts","arguments":"status[],+15","writes":false,"about":"..."} */
static void structured_hit(struct structured *s, const struct operation *operation, struct str signature)
{
    size_t about = operation->is_ability ? str_find(signature, STR(": ")) : STR_NOT_FOUND;
    struct str head = str_sub(signature, 0, about);
    size_t open = str_find(head, STR(" ("));
    struct str arguments = open == STR_NOT_FOUND ? STR_EMPTY : str_from_offset(head, open + 2);
    structured_object(s, NULL);
    structured_str(s, "name",
                   operation->is_ability   ? operation->path
                   : open != STR_NOT_FOUND ? str_sub(head, 0, open)
                                           : head);
    structured_str(s, "arguments", str_sub(arguments, 0, str_find_last_char(arguments, ')')));
    structured_bool(s, "writes", !(operation->methods & OPERATION_GET));
    if (about != STR_NOT_FOUND)
        structured_str(s, "about", str_from_offset(signature, about + 2));
    structured_close(s);
}

static void search(struct call *call, const struct operations *operations, unsigned rights, struct str query,
                   size_t limit, struct structured *s, struct buf *out)
{
    struct hit *hits = arena_array_of(call->arena, struct hit, operations->count + 1);
    size_t count = 0;
    for (size_t i = 0; i < operations->count; i++) {
        unsigned score = operation_score(&operations->list[i], query);
        if (score && is_for(&operations->list[i], rights))
            hits[count++] = (struct hit){&operations->list[i], score};
    }
    if (!count) {
        buf_add_format(out, "Nothing matches '%.*s'. There are operations of: ", STR_ARG(str_sub(query, 0, 80)));
        write_namespaces(operations, rights, out);
        structured_array(s, "operations");
        structured_close(s);
        return;
    }
    structured_array(s, "operations");
    qsort(hits, count, sizeof *hits, by_score);
    for (size_t i = 0; i < count && i < limit; i++) {
        buf_add(out, i ? STR("\n") : STR(""));
        size_t from = out->len;
        operation_write_signature(hits[i].operation, HINT_ARGS, out);
        structured_hit(s, hits[i].operation, str_from_offset(buf_str(out), from));
    }
    structured_close(s);
    if (count > limit)
        buf_add_format(out, "\n+%zu more", count - limit);
    if (count > limit)
        structured_i64(s, "more", (int64_t)(count - limit));
}

/* --- one operation's schema ---------------------------------------------------------------------------------------------- */

static void write_type(const struct json *schema, struct buf *out)
{
    const struct json *type = json_get(schema, STR("type")), *values = json_get(schema, STR("enum"));
    if (json_is(values, JSON_ARRAY) && json_count(values)) {
        for (size_t i = 0; i < json_count(values); i++) {
            const struct json *value = json_at(values, i);
            buf_add(out, i ? STR("|") : STR(" "));
            buf_add(out, json_is(value, JSON_STRING) ? json_str(value) : json_raw(value));
        }
        return;
    }
    for (size_t i = 0; json_is(type, JSON_ARRAY) && i < json_count(type); i++)
        buf_add_format(out, "%s%.*s", i ? "|" : " ", STR_ARG(json_str(json_at(type, i))));
    if (json_str(type).len)
        buf_add_format(out, " %.*s", STR_ARG(json_str(type)));
    if (json_str(json_path(schema, "items.type")).len)
        buf_add_format(out, " of %.*s", STR_ARG(json_str(json_path(schema, "items.type"))));
}

static void write_property(struct str name, const struct json *schema, bool required, int depth, struct structured *s,
                           struct buf *out)
{
    const struct json *inner = json_get(schema, STR("properties")), *otherwise = json_get(schema, STR("default"));
    struct str description = json_str(json_get(schema, STR("description")));
    if (wp_name_is_reserved(name))
        return;
    buf_add_format(out, "\n%*s%.*s%s", depth * 2, "", STR_ARG(name), required ? "*" : "");
    size_t type = out->len;
    write_type(schema, out);
    structured_object(s, NULL);
    structured_str(s, "name", name);
    structured_str(s, "type", str_trim(str_from_offset(buf_str(out), type)));
    if (required)
        structured_bool(s, "required", true);
    if (!json_is(otherwise, JSON_MISSING) && !json_is(otherwise, JSON_NULL) &&
        json_raw(otherwise).len <= SHOWN_DEFAULT_MAX_BYTES) {
        buf_add_format(out, " =%.*s", STR_ARG(json_raw(otherwise)));
        structured_cell(s, STR("default"), otherwise,
                        json_is(otherwise, JSON_STRING) ? json_str(otherwise) : json_raw(otherwise));
    }
    if (description.len)
        buf_add_format(out, ": %.*s", STR_ARG(description));
    structured_str(s, "description", description);
    bool has_members = json_is(inner, JSON_OBJECT) && depth < SCHEMA_LEVELS && json_count(inner);
    if (has_members)
        structured_array(s, "members");
    for (size_t i = 0; has_members && i < json_count(inner); i++) {
        struct json_member member = json_member_at(inner, i);
        write_property(member.name, member.value, false, depth + 1, s, out);
    }
    if (has_members)
        structured_close(s);
    structured_close(s);
}

static void write_properties(const struct json *properties, const struct json *required, struct structured *s,
                             struct buf *out)
{
    for (size_t i = 0; json_is(properties, JSON_OBJECT) && i < json_count(properties); i++) {
        struct json_member member = json_member_at(properties, i);
        bool must = json_bool_or(json_get(member.value, STR("required")), false);
        for (size_t k = 0; json_is(required, JSON_ARRAY) && k < json_count(required); k++)
            must |= str_eq(json_str(json_at(required, k)), member.name);
        write_property(member.name, member.value, must, 0, s, out);
    }
    if (!json_count(properties))
        buf_add(out, STR("\nno arguments"));
}

static int describe_ability(struct call *call, const struct wp *wp, const struct operation *operation,
                            struct structured *s, struct buf *out)
{
    struct wp_answer answer;
    struct str route = call_format(call, "wp-abilities/v1/abilities/%.*s", STR_ARG(operation->path));
    int error = wp_get(call, wp, route, NULL, &answer);
    if (error)
        return error;
    const struct json *input = json_get(answer.json, STR("input_schema"));
    buf_add_format(out, "%.*s: %.*s", STR_ARG(operation->path),
                   STR_ARG(json_str(json_get(answer.json, STR("description")))));
    structured_str(s, "name", operation->path);
    structured_str(s, "about", json_str(json_get(answer.json, STR("description"))));
    structured_array(s, "arguments");
    if (operation->scalar_input)
        write_property(STR("input"), input, true, 0, s, out);
    else
        write_properties(json_get(input, STR("properties")), json_get(input, STR("required")), s, out);
    structured_close(s);
    return OK;
}

/* The namespace's own index says more of each argument than is kept. */
static int describe_route(struct call *call, const struct wp *wp, const struct operation_request *request,
                          struct structured *s, struct buf *out)
{
    struct wp_answer answer;
    struct wp_query query;
    wp_query_init(call, &query);
    wp_query_add(&query, "_fields", STR("routes"));
    int error = wp_get(call, wp, namespace_of(request->operation), &query, &answer);
    if (error)
        return error;
    buf_add(out, request->name);
    structured_str(s, "name", request->name);
    structured_array(s, "arguments");
    write_properties(operation_schema(call, request->operation, answer.json), &nothing, s, out);
    structured_close(s);
    return OK;
}

static int describe(struct call *call, const struct wp *wp, const struct operations *operations, struct str name,
                    struct structured *s, struct buf *out)
{
    struct operation_request request;
    struct operation_needs needs;
    int error = operation_request_find(call, operations, name, &request);
    if (error)
        return error;
    operation_needs(request.operation, request.operation->path, &nothing, &needs);
    if ((error = operation_check_rights(call, &needs, wp->rights)))
        return error;
    return request.operation->is_ability ? describe_ability(call, wp, request.operation, s, out)
                                         : describe_route(call, wp, &request, s, out);
}

int tool_discover(struct call *call, const struct tool_context *context, const struct json *arguments,
                  struct tool_result *result)
{
    struct wp wp;
    const struct operations *operations;
    struct str name = json_str(json_get(arguments, STR("name")));
    int64_t limit = json_i64_or(json_get(arguments, STR("limit")), HITS_DEFAULT);
    int error;
    if (limit < 1 || limit > HITS_MAX)
        return fail(call, E_INVALID, "limit must be 1 to %d.", HITS_MAX);
    if ((error = wp_open(call, context->site, context->rights, &wp)) ||
        (error = operations_get(call, &wp, &operations)))
        return error;
    struct structured *s = structured_begin(call, context);
    if (name.len) {
        error = describe(call, &wp, operations, name, s, &result->text);
        if (error == E_NOT_FOUND && operations_forget(&wp, OPERATIONS_REFRESH_AGE_MS)) {
            call_clear_error(call); /* a plugin may have been added since */
            error = operations_get(call, &wp, &operations);
            if (!error)
                error = describe(call, &wp, operations, name, s, &result->text);
        }
    } else {
        search(call, operations, wp.rights, json_str(json_get(arguments, STR("q"))), (size_t)limit, s, &result->text);
    }
    if (!error)
        structured_end(s, result);
    return error;
}
