/* What a client named and gave, as a request that does that and nothing else. */
#include "providers/wordpress/operation_request.h"

#include "json/json_write.h"
#include "net/url.h"
#include "providers/wordpress/route_guard.h"

enum {
    NAME_MAX_BYTES = 400,
    BODY_MAX_BYTES = 4 * 1024 * 1024,
    INPUT_DEPTH_MAX = 4,
};

/* --- names --------------------------------------------------------------------------------------------------------------- */

/* Plain letters only: no escapes, no query, nothing that a server could read as another path. */
static bool is_plain_path(struct str path)
{
    struct str rest = str_from_offset(path, 1), segment;
    if (path.len < 2 || path.len > NAME_MAX_BYTES || path.ptr[0] != '/' || path.ptr[path.len - 1] == '/')
        return false;
    for (size_t i = 0; i < path.len; i++) {
        char c = path.ptr[i];
        if (!ascii_is_alnum(c) && c != '/' && c != '-' && c != '_' && c != '.' && c != '~' && c != '{' && c != '}')
            return false;
    }
    while (str_next(&rest, '/', &segment))
        if (str_eq(segment, STR(".")) || str_eq(segment, STR("..")))
            return false;
    return true;
}

static const struct operation *find_route(const struct operations *operations, unsigned method, struct str path,
                                          struct str values[OPERATION_PARAMETERS_MAX])
{
    for (size_t i = 0; i < operations->count; i++)
        if ((operations->list[i].methods & method) && operation_matches(&operations->list[i], path, values))
            return &operations->list[i];
    return NULL;
}

static const struct operation *find_ability(const struct operations *operations, struct str name)
{
    for (size_t i = 0; i < operations->count; i++)
        if (operations->list[i].is_ability && str_eq(operations->list[i].path, name))
            return &operations->list[i];
    return NULL;
}

static int fail_no_route(struct call *call, const struct operations *operations, struct str method, struct str path)
{
    struct str values[OPERATION_PARAMETERS_MAX], has = STR_EMPTY;
    for (unsigned mask = OPERATION_GET; mask <= OPERATION_DELETE; mask <<= 1)
        if (find_route(operations, mask, path, values))
            has = call_format(call, "%.*s%s%.*s", STR_ARG(has), has.len ? ", " : "",
                              STR_ARG(operation_method_name(mask)));
    if (has.len)
        return fail(call, E_NOT_FOUND, "There is no %.*s of %.*s here, but %.*s.", STR_ARG(method), STR_ARG(path),
                    STR_ARG(has));
    return fail(call, E_NOT_FOUND, "This site has no operation '%.*s %.*s'. Search with wp_discover.", STR_ARG(method),
                STR_ARG(path));
}

/* --- the path ------------------------------------------------------------------------------------------------------------ */

static int path_value(struct call *call, struct str name, struct str given, const struct json *args, struct str *ret)
{
    const struct json *value = json_get(args, name);
    struct str text = json_is(value, JSON_NUMBER) ? json_raw(value) : json_str(value);
    bool is_given = !(given.len && given.ptr[0] == '{');
    if (is_given && json_is(value, JSON_MISSING)) {
        *ret = given;
        return OK;
    }
    /* WordPress lets an argument win over the path: two that differ would name two things. */
    if (is_given && !str_eq(given, text))
        return fail(call, E_INVALID, "The path says %.*s is '%.*s', and args says otherwise.", STR_ARG(name),
                    STR_ARG(given));
    if (!text.len)
        return fail(call, E_INVALID, "args must give '%.*s': it is part of the path.", STR_ARG(name));
    *ret = text;
    return OK;
}

/* Fills the parameters in and sees that the whole still leads to the same operation. */
static int fill_path(struct call *call, const struct operations *operations, const struct json *args,
                     struct str values[OPERATION_PARAMETERS_MAX], struct operation_request *request)
{
    struct str template = request->operation->path, piece, other[OPERATION_PARAMETERS_MAX];
    struct buf path;
    bool is_parameter;
    size_t n = 0;
    buf_init(&path, call->arena, NAME_MAX_BYTES);
    while (operation_next_piece(&template, &piece, &is_parameter)) {
        struct str value = piece;
        int error = is_parameter ? path_value(call, piece, values[n++], args, &value) : OK;
        if (error)
            return error;
        buf_add(&path, value);
    }
    if (buf_failed(&path) || !is_plain_path(buf_str(&path)) || str_find_char(buf_str(&path), '{') != STR_NOT_FOUND ||
        find_route(operations, request->method, buf_str(&path), other) != request->operation)
        return fail(call, E_INVALID, "'%.*s' does not fit %.*s.", STR_ARG(str_sub(buf_str(&path), 0, 100)),
                    STR_ARG(request->operation->path));
    request->route = str_from_offset(buf_str(&path), 1);
    return OK;
}

static bool is_in_path(const struct operation *operation, struct str name)
{
    struct str path = operation->path, piece;
    bool is_parameter;
    while (!operation->is_ability && operation_next_piece(&path, &piece, &is_parameter))
        if (is_parameter && str_eq(piece, name))
            return true;
    return false;
}

/* --- the arguments ------------------------------------------------------------------------------------------------------- */

static struct str names_of(struct call *call, const struct operation *operation)
{
    struct str names = STR_EMPTY, rest = operation->args;
    struct operation_arg arg;
    while (operation_next_arg(&rest, &arg))
        names = call_format(call, "%.*s%s%.*s", STR_ARG(names), names.len ? ", " : "", STR_ARG(arg.name));
    return names.len ? names : STR("none");
}

static int check_members(struct call *call, const struct operation_arg *arg, const struct json *value)
{
    for (size_t i = 0; json_is(value, JSON_OBJECT) && arg->members.len && i < json_count(value); i++) {
        struct str rest = arg->members, member, name = json_member_at(value, i).name;
        bool found = false;
        while (!found && str_next(&rest, ',', &member))
            found = str_eq(member, name);
        if (!found)
            return fail(call, E_INVALID, "%.*s has no '%.*s'. It has: %.*s.", STR_ARG(arg->name),
                        STR_ARG(str_sub(name, 0, 60)), STR_ARG(arg->members));
    }
    return OK;
}

static int check_arg(struct call *call, const struct operation *operation, const struct json_member *member)
{
    struct operation_arg arg;
    if (wp_name_is_reserved(member->name))
        return fail(call, E_INVALID, "'%.*s' is not passed on: it would change what the request does.",
                    STR_ARG(str_sub(member->name, 0, 60)));
    if (!operation_arg(operation, member->name, &arg))
        return fail(call, E_INVALID, "%.*s has no argument '%.*s'. It has: %.*s.", STR_ARG(operation->path),
                    STR_ARG(str_sub(member->name, 0, 60)), STR_ARG(names_of(call, operation)));
    return check_members(call, &arg, member->value);
}

/* input[a][b][]=c: how PHP reads a tree from a query. Names are checked, so that no bracket is theirs. */
static int add_input(struct call *call, struct wp_query *query, struct str name, const struct json *value, int depth)
{
    bool is_object = json_is(value, JSON_OBJECT);
    if (depth > INPUT_DEPTH_MAX)
        return fail(call, E_LIMIT, "The arguments are nested too deep.");
    if (!is_object && !json_is(value, JSON_ARRAY))
        return wp_query_add_json(call, query, name, value);
    for (size_t i = 0; i < json_count(value); i++) {
        struct str key = is_object ? json_member_at(value, i).name : call_format(call, "%zu", i);
        if (wp_name_is_reserved(key))
            return fail(call, E_INVALID, "'%.*s' is not passed on.", STR_ARG(str_sub(key, 0, 60)));
        int error = add_input(call, query, call_format(call, "%.*s[%.*s]", STR_ARG(name), STR_ARG(key)),
                              is_object ? json_member_at(value, i).value : json_at(value, i), depth + 1);
        if (error)
            return error;
    }
    return OK;
}

static int write_ability(struct call *call, const struct json *args, struct operation_request *request)
{
    const struct json *input = request->operation->scalar_input ? json_get(args, STR("input")) : args;
    struct buf body;
    struct json_writer w;
    request->route = call_format(call, "wp-abilities/v1/abilities/%.*s/run", STR_ARG(request->operation->path));
    if (request->method != OPERATION_POST)
        return json_is(input, JSON_MISSING) ? OK : add_input(call, &request->query, STR("input"), input, 0);
    buf_init(&body, call->arena, BODY_MAX_BYTES);
    json_write_init(&w, &body);
    json_object(&w);
    if (!json_is(input, JSON_MISSING))
        json_member_value(&w, "input", input);
    json_end(&w);
    request->body = buf_str(&body);
    return buf_failed(&body) ? fail(call, E_LIMIT, "The arguments are too large.") : OK;
}

static int write_route(struct call *call, const struct json *args, struct operation_request *request)
{
    bool in_query = request->method == OPERATION_GET || request->method == OPERATION_DELETE;
    struct buf body;
    struct json_writer w;
    buf_init(&body, call->arena, BODY_MAX_BYTES);
    json_write_init(&w, &body);
    json_object(&w);
    for (size_t i = 0; json_is(args, JSON_OBJECT) && i < json_count(args); i++) {
        struct json_member member = json_member_at(args, i);
        if (is_in_path(request->operation, member.name))
            continue;
        int error = in_query ? wp_query_add_json(call, &request->query, member.name, member.value) : OK;
        if (error)
            return error;
        json_key(&w, member.name);
        json_value(&w, member.value);
    }
    json_end(&w);
    if (!in_query)
        request->body = buf_str(&body);
    return buf_failed(&body) ? fail(call, E_LIMIT, "The arguments are too large.") : OK;
}

int operation_request_find(struct call *call, const struct operations *operations, struct str name,
                           struct operation_request *ret)
{
    struct str values[OPERATION_PARAMETERS_MAX], path = str_trim(name), method;
    *ret = (struct operation_request){0};
    if (path.len > NAME_MAX_BYTES)
        return fail(call, E_INVALID, "name is too long for an operation.");
    if (str_find_char(path, ' ') == STR_NOT_FOUND) {
        if (!(ret->operation = find_ability(operations, path)))
            return fail(
                call, E_NOT_FOUND,
                "This site has no ability '%.*s'. A route is named with its method: GET /wp/v2/settings. Search "
                "with wp_discover.",
                STR_ARG(path));
        ret->method = ret->operation->methods;
        ret->name = ret->operation->path;
        return OK;
    }
    (void)str_next(&path, ' ', &method);
    path = str_trim(path);
    ret->method = operation_method_of(method);
    if (!ret->method || !is_plain_path(path))
        return fail(call, E_INVALID,
                    "'%.*s' is no operation: name is a method and a path as wp_discover shows them (GET "
                    "/wp/v2/posts/{id}); all else goes into args.",
                    STR_ARG(str_sub(name, 0, 120)));
    if (!(ret->operation = find_route(operations, ret->method, path, values)))
        return fail_no_route(call, operations, operation_method_name(ret->method), path);
    ret->route = path;
    ret->name =
        call_format(call, "%.*s %.*s", STR_ARG(operation_method_name(ret->method)), STR_ARG(ret->operation->path));
    return OK;
}

int operation_request_make(struct call *call, const struct operations *operations, struct str name,
                           const struct json *args, struct operation_request *ret)
{
    struct str values[OPERATION_PARAMETERS_MAX];
    int error = operation_request_find(call, operations, name, ret);
    if (error)
        return error;
    wp_query_init(call, &ret->query);
    for (size_t i = 0; json_is(args, JSON_OBJECT) && i < json_count(args); i++) {
        struct json_member member = json_member_at(args, i);
        if (!is_in_path(ret->operation, member.name) && (error = check_arg(call, ret->operation, &member)))
            return error;
    }
    if (ret->operation->is_ability)
        return write_ability(call, args, ret);
    if (!operation_matches(ret->operation, ret->route, values))
        return fail(call, E_INTERNAL, "The operation was lost.");
    error = fill_path(call, operations, args, values, ret);
    return error ? error : write_route(call, args, ret);
}

int operation_request_get(struct call *call, const struct wp *wp, const struct json *arguments,
                          struct operation_request *ret)
{
    const struct operations *operations;
    struct str name = json_str(json_get(arguments, STR("name")));
    const struct json *args = json_get(arguments, STR("args"));
    int error = operations_get(call, wp, &operations);
    if (error)
        return error;
    error = operation_request_make(call, operations, name, args, ret);
    if (error != E_NOT_FOUND || !operations_forget(wp, OPERATIONS_REFRESH_AGE_MS))
        return error;
    call_clear_error(call); /* a plugin may have been added since */
    error = operations_get(call, wp, &operations);
    return error ? error : operation_request_make(call, operations, name, args, ret);
}

/* --- rights -------------------------------------------------------------------------------------------------------------- */

/* What belongs to the site and not to its content. */
static const struct str admin_resources[] = {
    STR_INIT("users"),         STR_INIT("settings"),        STR_INIT("plugins"),       STR_INIT("themes"),
    STR_INIT("widgets"),       STR_INIT("widget-types"),    STR_INIT("sidebars"),      STR_INIT("menus"),
    STR_INIT("menu-items"),    STR_INIT("menu-locations"),  STR_INIT("templates"),     STR_INIT("template-parts"),
    STR_INIT("global-styles"), STR_INIT("navigation"),      STR_INIT("font-families"), STR_INIT("font-collections"),
    STR_INIT("types"),         STR_INIT("block-directory"), STR_INIT("webhooks"),      STR_INIT("payment_gateways"),
    STR_INIT("shipping"),      STR_INIT("taxes"),           STR_INIT("system_status"), STR_INIT("customers"),
    STR_INIT("options"),       STR_INIT("roles"),           STR_INIT("capabilities"),  STR_INIT("keys"),
};

/* What never goes through tools. `method` 0: all. */
static const struct {
    struct str segment;
    unsigned methods;
    const char *why;
} refused[] = {
    {STR_INIT("application-passwords"), 0, "Application passwords are not touched through tools."},
    {STR_INIT("batch"), 0, "Batches are not run through tools: call each operation by itself."},
    {STR_INIT("run"), 0, "Run an ability by its own name, as wp_discover shows it."},
    /* Makes a menu when there is none: a read that writes. */
    {STR_INIT("navigation-fallback"), 0, "This would create a menu while reading. List GET /wp/v2/navigation instead."},
    {STR_INIT("keys"), OPERATION_WRITES, "Credentials are not made through tools."},
    {STR_INIT("roles"), OPERATION_WRITES, "Roles are not changed through tools."},
    {STR_INIT("capabilities"), OPERATION_WRITES, "Capabilities are not changed through tools."},
};

/* Reads that have the site call an address from the arguments. */
static const struct str fetching[] = {STR_INIT("/oembed/1.0/proxy"), STR_INIT("/wp-block-editor/v1/url-details"),
                                      STR_INIT("/wp/v2/block-renderer/")};

/* Reads by which the core puts its own records in order (widgets of a former theme, the result of a test): for admins only. */
static const struct str ordering[] = {STR_INIT("/wp/v2/widgets"), STR_INIT("/wp/v2/sidebars"),
                                      STR_INIT("/wp-site-health/v1/tests/https-status")};

/* Segments that equal `segment`, in any case. From the third: what stands before is the namespace. */
static bool has_segment(struct str path, struct str segment)
{
    struct str piece;
    while (str_next(&path, '/', &piece))
        if (str_eq_nocase(piece, segment))
            return true;
    return false;
}

static struct str resource_of(struct str path)
{
    struct str piece = STR_EMPTY;
    for (int i = 0; i < 4; i++) /* "", namespace, version, resource */
        if (!str_next(&path, '/', &piece))
            return STR_EMPTY;
    return piece;
}

static const char *refusal_of(const struct operation *operation, struct str path, const struct json *args)
{
    bool is_run = str_starts_with_nocase(path, STR("/wp-abilities/"));
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++)
        if ((!refused[i].methods || (refused[i].methods & operation->methods)) &&
            has_segment(path, refused[i].segment) && (is_run || !str_eq(refused[i].segment, STR("run"))))
            return refused[i].why;
    struct str resource = resource_of(path);
    if (operation->methods & OPERATION_GET)
        return NULL;
    if (str_eq_nocase(resource, STR("users")) && str_ends_with(path, STR("/users")) &&
        (operation->methods & OPERATION_POST))
        return "People are added in WordPress itself: a new user is a credential.";
    for (size_t i = 0; json_is(args, JSON_OBJECT) && i < json_count(args); i++) {
        const char *why = wp_field_refusal(resource, json_member_at(args, i).name);
        if (why)
            return why;
    }
    return NULL;
}

static void needs_of_ability(const struct operation *operation, struct operation_needs *ret)
{
    if (operation->methods & OPERATION_GET)
        return;
    ret->rights |= RIGHT_PUBLISH;
    if (operation->destructive)
        ret->rights |= RIGHT_DELETE;
    ret->permanent = operation->destructive;
}

void operation_needs(const struct operation *operation, struct str path, const struct json *args,
                     struct operation_needs *ret)
{
    struct operation_arg force;
    *ret = (struct operation_needs){.rights = RIGHT_READ};
    if (operation->is_ability) {
        needs_of_ability(operation, ret);
        return;
    }
    ret->refusal = refusal_of(operation, path, args);
    for (size_t i = 0; i < ARRAY_LENGTH(fetching); i++)
        if (str_starts_with_nocase(path, fetching[i]))
            ret->rights |= RIGHT_FETCH;
    for (size_t i = 0; i < ARRAY_LENGTH(ordering); i++)
        if (str_starts_with_nocase(path, ordering[i]))
            ret->rights |= RIGHT_ADMIN;
    if (operation->methods & OPERATION_GET)
        return;
    for (size_t i = 0; i < ARRAY_LENGTH(admin_resources); i++)
        if (str_eq_nocase(resource_of(path), admin_resources[i]))
            ret->rights |= RIGHT_ADMIN;
    if (operation->methods & OPERATION_DELETE) {
        const struct json *forced = json_get(args, STR("force"));
        ret->rights |= RIGHT_DELETE;
        /* Where nothing is said of force there is no trash. Only a plain no is one: WordPress reads "0" as false, "x" as true. */
        ret->permanent =
            !operation_arg(operation, STR("force"), &force) ||
            (!json_is(forced, JSON_MISSING) && !(json_is(forced, JSON_BOOL) && !json_bool_or(forced, true)));
    } else if (!(ret->rights & RIGHT_ADMIN)) {
        ret->draft_may_do = operation->has_drafts;
        if (!ret->draft_may_do)
            ret->rights |= RIGHT_PUBLISH;
    }
}

static unsigned missing_of(const struct operation_needs *needs, unsigned rights)
{
    unsigned missing = needs->rights & ~(rights | RIGHT_READ);
    if (needs->draft_may_do && !(rights & (RIGHT_DRAFT | RIGHT_PUBLISH)))
        missing |= RIGHT_DRAFT;
    return missing;
}

bool operation_is_within(const struct operation_needs *needs, unsigned rights)
{
    return !needs->refusal && !missing_of(needs, rights);
}

int operation_check_rights(struct call *call, const struct operation_needs *needs, unsigned rights)
{
    char words[RIGHTS_TEXT_BYTES];
    unsigned missing = missing_of(needs, rights);
    if (needs->refusal)
        return fail(call, E_DENIED, "%s", needs->refusal);
    if (missing)
        return rights_lack(call, missing,
                           fail(call, E_DENIED, "This token may not do this: it lacks the right %.*s.",
                                STR_ARG(rights_format(missing, words))));
    return OK;
}
