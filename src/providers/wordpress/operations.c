/* What a site can do: its REST index and its abilities, in compact form. */
#include "providers/wordpress/operations.h"

#include <stdlib.h>

enum {
    KEPT_MS = 5 * 60 * 1000,
    KEPT_CONNECTIONS = 64,
    KEPT_MAX_BYTES = 1024 * 1024, /* a larger site's operations are made anew for each call */
    ABILITY_PAGES_MAX = 5,
    ABILITIES_A_PAGE = 100,
    ARGS_MAX_BYTES = 16 * 1024,
    MEMBERS_MAX = 60,
    ABOUT_MAX_BYTES = 200,
};

static const struct {
    struct str name;
    unsigned method;
} methods[] = {
    {STR_INIT("GET"), OPERATION_GET},     {STR_INIT("POST"), OPERATION_POST},     {STR_INIT("PUT"), OPERATION_PUT},
    {STR_INIT("PATCH"), OPERATION_PATCH}, {STR_INIT("DELETE"), OPERATION_DELETE},
};

struct str operation_method_name(unsigned mask)
{
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++)
        if (methods[i].method & mask)
            return methods[i].name;
    return STR_EMPTY;
}

unsigned operation_method_of(struct str name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++)
        if (str_eq_nocase(methods[i].name, name))
            return methods[i].method;
    return 0;
}

static const struct json nothing = {.type = JSON_MISSING};

/* --- paths --------------------------------------------------------------------------------------------------------------- */

/* The length of the group that begins at text[0] == '(', or 0 when it does not end. */
static size_t group_length(struct str text)
{
    size_t depth = 0;
    bool in_class = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\\')
            i++;
        else if (in_class)
            in_class = c != ']';
        else if (c == '[')
            in_class = true;
        else if (c == '(')
            depth++;
        else if (c == ')' && --depth == 0)
            return i + 1;
    }
    return 0;
}

static bool is_pattern_of_digits(struct str pattern)
{
    static const struct str digits[] = {STR_INIT("[\\d]+"), STR_INIT("\\d+"), STR_INIT("[0-9]+"), STR_INIT("[\\d]*")};
    for (size_t i = 0; i < ARRAY_LENGTH(digits); i++)
        if (str_eq(digits[i], pattern))
            return true;
    return str_starts_with(pattern, STR("\\d{")) && str_ends_with(pattern, STR("}"));
}

/* One class of characters that names no slash and excludes none. */
static bool is_pattern_of_word(struct str pattern)
{
    size_t end = str_find_char(pattern, ']');
    if (pattern.len < 3 || pattern.ptr[0] != '[' || pattern.ptr[1] == '^' || end == STR_NOT_FOUND)
        return str_eq(pattern, STR("\\w+"));
    struct str behind = str_from_offset(pattern, end + 1), inside = str_sub(pattern, 1, end - 1);
    return (str_eq(behind, STR("+")) || str_eq(behind, STR("*")) || str_eq(behind, STR("+?"))) &&
           str_find_char(inside, '/') == STR_NOT_FOUND && !str_contains(inside, STR("\\S"));
}

static char class_of(struct str pattern)
{
    if (is_pattern_of_digits(pattern))
        return 'd';
    if (is_pattern_of_word(pattern) || str_eq(pattern, STR("[^/]+")) || str_eq(pattern, STR("[^\\/]+")))
        return 'w';
    return 'p';
}

/* "(?P<id>[\d]+)" at the start of `text`. False: some other group. */
static bool read_parameter(struct str group, struct str *ret_name, char *ret_class)
{
    size_t start = str_starts_with(group, STR("(?P<")) ? 4 : str_starts_with(group, STR("(?<")) ? 3 : 0;
    size_t end = str_find_char(group, '>');
    if (!start || end == STR_NOT_FOUND || end <= start)
        return false;
    *ret_name = str_sub(group, start, end - start);
    for (size_t i = 0; i < ret_name->len; i++)
        if (!ascii_is_alnum(ret_name->ptr[i]) && ret_name->ptr[i] != '_')
            return false;
    *ret_class = class_of(str_sub(group, end + 1, group.len - end - 2));
    return true;
}

/* A route's regular expression as a path with {parameters}; false when it is more than that can say. */
static bool read_route(struct call *call, struct str route, struct operation *ret)
{
    struct buf path, classes;
    buf_init(&path, call->arena, OPERATION_PATH_MAX);
    buf_init(&classes, call->arena, OPERATION_PARAMETERS_MAX);
    for (size_t i = 0; i < route.len;) {
        char c = route.ptr[i];
        struct str rest = str_from_offset(route, i), name;
        char class;
        if (c == '(') {
            size_t length = group_length(rest);
            if (!length)
                return false;
            if (read_parameter(str_sub(rest, 0, length), &name, &class)) {
                buf_add_format(&path, "{%.*s}", STR_ARG(name));
                buf_add_char(&classes, class);
            } else if (i + length >= route.len || route.ptr[i + length] != '?') {
                return false; /* not an optional part, which can be left out */
            }
            i += length;
            if (i < route.len && route.ptr[i] == '?')
                i++;
        } else if (c == '\\' && i + 1 < route.len && !ascii_is_alnum(route.ptr[i + 1])) {
            buf_add_char(&path, route.ptr[i + 1]);
            i += 2;
        } else if (str_eq(rest, STR("/?"))) {
            break;
        } else if (ascii_is_alnum(c) || c == '/' || c == '-' || c == '_' || c == '.' || c == '~') {
            buf_add_char(&path, c);
            i++;
        } else {
            return false;
        }
    }
    ret->path = buf_str(&path);
    ret->classes = buf_str(&classes);
    return !buf_failed(&path) && !buf_failed(&classes) && path.len > 1;
}

bool operation_next_piece(struct str *path, struct str *ret, bool *ret_is_parameter)
{
    if (!path->len)
        return false;
    *ret_is_parameter = path->ptr[0] == '{';
    size_t end = str_find_char(*path, *ret_is_parameter ? '}' : '{');
    if (end == STR_NOT_FOUND)
        end = path->len;
    *ret = *ret_is_parameter ? str_sub(*path, 1, end - 1) : str_sub(*path, 0, end);
    *path = str_from_offset(*path, end + *ret_is_parameter);
    return true;
}

/* How much of `path` a parameter of this class can take at most. */
static size_t longest_value(char class, struct str path)
{
    size_t n = 0;
    while (n < path.len && path.ptr[n] != '{' && path.ptr[n] != '}' &&
           (class == 'd' ? ascii_is_digit(path.ptr[n]) : class == 'p' || path.ptr[n] != '/'))
        n++;
    return n;
}

static bool match_rest(struct str template, struct str classes, struct str path, struct str *values)
{
    struct str piece;
    bool is_parameter;
    if (!operation_next_piece(&template, &piece, &is_parameter))
        return path.len == 0;
    if (!is_parameter)
        return path.len >= piece.len && str_eq_nocase(str_sub(path, 0, piece.len), piece) &&
               match_rest(template, classes, str_from_offset(path, piece.len), values);
    if (!classes.len)
        return false;
    struct str other;
    struct str after = path;
    if (path.len && path.ptr[0] == '{')
        return operation_next_piece(&after, &other, &is_parameter) && str_eq(other, piece) &&
               (*values = str_sub(path, 0, piece.len + 2), true) &&
               match_rest(template, str_from_offset(classes, 1), after, values + 1);
    for (size_t n = longest_value(classes.ptr[0], path); n > 0; n--) {
        *values = str_sub(path, 0, n);
        if (match_rest(template, str_from_offset(classes, 1), str_from_offset(path, n), values + 1))
            return true;
    }
    return false;
}

bool operation_matches(const struct operation *operation, struct str path, struct str values[OPERATION_PARAMETERS_MAX])
{
    return !operation->is_ability && match_rest(operation->path, operation->classes, path, values);
}

/* --- arguments ----------------------------------------------------------------------------------------------------------- */

static char type_letter(const struct json *schema)
{
    static const struct {
        struct str name;
        char letter;
    } letters[] = {
        {STR_INIT("string"), 's'},  {STR_INIT("integer"), 'i'}, {STR_INIT("number"), 'n'},
        {STR_INIT("boolean"), 'b'}, {STR_INIT("array"), 'a'},   {STR_INIT("object"), 'o'},
    };
    struct str type = json_str(json_get(schema, STR("type")));
    for (size_t i = 0; i < ARRAY_LENGTH(letters); i++)
        if (str_eq(letters[i].name, type))
            return letters[i].letter;
    return '?';
}

static bool is_plain_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!ascii_is_alnum(name.ptr[i]) && name.ptr[i] != '_' && name.ptr[i] != '-' && name.ptr[i] != '.')
            return false;
    return name.len > 0 && name.len <= 80;
}

/* The members that can be given to an object, when it takes no others. */
static void write_members(const struct json *schema, struct buf *out)
{
    const struct json *properties = json_get(schema, STR("properties")),
                      *others = json_get(schema, STR("additionalProperties"));
    if (!json_is(properties, JSON_OBJECT) || json_count(properties) > MEMBERS_MAX || json_bool_or(others, false) ||
        json_is(others, JSON_OBJECT))
        return;
    for (size_t i = 0; i < json_count(properties); i++)
        if (!is_plain_name(json_member_at(properties, i).name))
            return;
    for (size_t i = 0, n = 0; i < json_count(properties); i++)
        if (!json_bool_or(json_get(json_member_at(properties, i).value, STR("readonly")), false))
            buf_add_format(out, "%s%.*s", n++ ? "," : "", STR_ARG(json_member_at(properties, i).name));
}

/* One line each: type, '*' or '-', name, a space, members. What could not be passed on is left out. */
static void write_arg(const struct json_member *member, bool required, struct buf *out)
{
    if (wp_name_is_reserved(member->name) || !is_plain_name(member->name))
        return;
    char type = type_letter(member->value);
    buf_add_format(out, "%c%c%.*s ", type, required ? '*' : '-', STR_ARG(member->name));
    if (type == 'o')
        write_members(member->value, out);
    buf_add_char(out, '\n');
}

static bool is_in(struct str name, const struct json *list)
{
    for (size_t i = 0; json_is(list, JSON_ARRAY) && i < json_count(list); i++)
        if (str_eq(json_str(json_at(list, i)), name))
            return true;
    return false;
}

static bool is_path_parameter(const struct operation *operation, struct str name)
{
    struct str path = operation->path, piece;
    bool is_parameter;
    while (!operation->is_ability && operation_next_piece(&path, &piece, &is_parameter))
        if (is_parameter && str_eq(piece, name))
            return true;
    return false;
}

/* `args`: a route's args, or the properties of an ability's input. Those of the path are not among them. */
static bool read_args(struct call *call, const struct json *args, const struct json *required, struct operation *ret)
{
    struct buf out;
    buf_init(&out, call->arena, ARGS_MAX_BYTES);
    for (size_t i = 0; json_is(args, JSON_OBJECT) && i < json_count(args); i++) {
        struct json_member member = json_member_at(args, i);
        bool must = json_bool_or(json_get(member.value, STR("required")), false) || is_in(member.name, required);
        if (!is_path_parameter(ret, member.name))
            write_arg(&member, must, &out);
    }
    ret->args = buf_str(&out);
    const struct json *status = json_get(args, STR("status"));
    ret->has_drafts = is_in(STR("draft"), json_get(status, STR("enum")));
    ret->is_public = str_eq(json_str(json_get(status, STR("default"))), STR("publish"));
    return !buf_failed(&out);
}

bool operation_next_arg(struct str *rest, struct operation_arg *ret)
{
    struct str line;
    if (!rest->len || !str_next(rest, '\n', &line) || line.len < 3)
        return false;
    size_t space = str_find_char(line, ' ');
    *ret = (struct operation_arg){.type = line.ptr[0],
                                  .required = line.ptr[1] == '*',
                                  .name = str_sub(line, 2, space - 2),
                                  .members = str_from_offset(line, space + 1)};
    return true;
}

bool operation_arg(const struct operation *operation, struct str name, struct operation_arg *ret)
{
    struct str rest = operation->args;
    while (operation_next_arg(&rest, ret))
        if (str_eq(ret->name, name))
            return true;
    return false;
}

/* --- building ------------------------------------------------------------------------------------------------------------ */

struct builder {
    struct operation *list;
    size_t count;
};

static void add(struct builder *builder, const struct operation *operation, unsigned mask)
{
    if (!mask || builder->count == OPERATIONS_MAX)
        return;
    builder->list[builder->count] = *operation;
    builder->list[builder->count++].methods = mask;
}

/* The index of a namespace lists routes; it is what wp_discover is for. */
static bool is_index(const struct json *endpoint)
{
    return json_str(json_path(endpoint, "args.namespace.default")).len > 0;
}

static unsigned methods_of(const struct json *endpoint)
{
    const struct json *names = json_get(endpoint, STR("methods"));
    unsigned mask = 0;
    for (size_t k = 0; k < json_count(names); k++)
        mask |= operation_method_of(json_str(json_at(names, k)));
    return mask;
}

static void add_route(struct call *call, struct builder *builder, struct str route, const struct json *endpoints)
{
    struct operation operation = {0};
    if (!read_route(call, route, &operation))
        return;
    for (size_t i = 0; i < json_count(endpoints); i++) {
        const struct json *endpoint = json_at(endpoints, i);
        unsigned mask = methods_of(endpoint);
        if (is_index(endpoint) || !read_args(call, json_get(endpoint, STR("args")), &nothing, &operation))
            continue;
        add(builder, &operation, mask & OPERATION_GET);
        add(builder, &operation, mask & (OPERATION_POST | OPERATION_PUT | OPERATION_PATCH));
        add(builder, &operation, mask & OPERATION_DELETE);
    }
}

const struct json *operation_schema(struct call *call, const struct operation *operation, const struct json *index)
{
    const struct json *routes = json_get(index, STR("routes"));
    for (size_t i = 0; json_is(routes, JSON_OBJECT) && i < json_count(routes); i++) {
        struct operation other = {0};
        struct json_member route = json_member_at(routes, i);
        const struct json *endpoints = json_get(route.value, STR("endpoints"));
        if (!read_route(call, route.name, &other) || !str_eq(other.path, operation->path))
            continue;
        for (size_t k = 0; k < json_count(endpoints); k++)
            if (methods_of(json_at(endpoints, k)) & operation->methods)
                return json_get(json_at(endpoints, k), STR("args"));
    }
    return &nothing;
}

/* The methods are WordPress's rule: WP_REST_Abilities_V1_Run_Controller::validate_request_method(). */
static void add_ability(struct call *call, struct builder *builder, const struct json *ability)
{
    const struct json *input = json_get(ability, STR("input_schema")), *hints = json_path(ability, "meta.annotations");
    struct str type = json_str(json_get(input, STR("type")));
    struct operation operation = {
        .is_ability = true,
        .path = json_str(json_get(ability, STR("name"))),
        .destructive = json_bool_or(json_get(hints, STR("destructive")), false),
        .scalar_input = type.len > 0 && !str_eq(type, STR("object")),
        .about = str_sub(call_format(call, "%.*s. %.*s", STR_ARG(json_str(json_get(ability, STR("label")))),
                                     STR_ARG(json_str(json_get(ability, STR("description"))))),
                         0, ABOUT_MAX_BYTES),
    };
    for (size_t i = 0; i < operation.path.len; i++)
        if (!ascii_is_alnum(operation.path.ptr[i]) && operation.path.ptr[i] != '-' && operation.path.ptr[i] != '/')
            return;
    if (!operation.path.len || operation.path.len > OPERATION_PATH_MAX || operation.path.ptr[0] == '/')
        return;
    if (operation.scalar_input)
        operation.args = call_format(call, "%c*input \n", type_letter(input));
    else if (!read_args(call, json_get(input, STR("properties")), json_get(input, STR("required")), &operation))
        return;
    operation.has_drafts = operation.is_public = false;
    bool reads = json_bool_or(json_get(hints, STR("readonly")), false);
    bool deletes = operation.destructive && json_bool_or(json_get(hints, STR("idempotent")), false);
    add(builder, &operation, reads ? OPERATION_GET : deletes ? OPERATION_DELETE : OPERATION_POST);
}

void operations_build(struct call *call, const struct json *index, const struct json *const *abilities,
                      size_t n_abilities, struct operations *ret)
{
    const struct json *routes = json_get(index, STR("routes"));
    struct builder builder = {.list = arena_array_of(call->arena, struct operation, OPERATIONS_MAX)};
    for (size_t i = 0; json_is(routes, JSON_OBJECT) && i < json_count(routes); i++) {
        struct json_member route = json_member_at(routes, i);
        add_route(call, &builder, route.name, json_get(route.value, STR("endpoints")));
    }
    for (size_t page = 0; page < n_abilities; page++)
        for (size_t i = 0; json_is(abilities[page], JSON_ARRAY) && i < json_count(abilities[page]); i++)
            add_ability(call, &builder, json_at(abilities[page], i));
    *ret = (struct operations){.list = builder.list, .count = builder.count};
}

/* --- what is kept -------------------------------------------------------------------------------------------------------- */

static struct operations *kept_first; /* newest first; an entry in use outlives its place in the list */

static void release(void *object)
{
    struct operations *operations = object;
    if (--operations->users == 0)
        free(operations);
}

static void use(struct call *call, struct operations *operations)
{
    operations->users++;
    arena_defer(call->arena, release, operations);
}

static void drop(struct operations **at)
{
    struct operations *gone = *at;
    *at = gone->next;
    release(gone);
}

bool operations_forget(const struct wp *wp, int64_t min_age_ms)
{
    for (struct operations **at = &kept_first; *at; at = &(*at)->next)
        if ((*at)->connection_id == wp->site->connection_id) {
            if (clock_monotonic_ms() - (*at)->made_ms < min_age_ms)
                return false;
            drop(at);
            return true;
        }
    return false;
}

static struct str move(char **at, struct str s)
{
    struct str moved = str_of(*at, s.len);
    memcpy(*at, s.len ? s.ptr : "", s.len);
    *at += s.len;
    return moved;
}

/* One piece of the heap; NULL when it is too large or there is no memory. */
static struct operations *pack(const struct operations *from)
{
    size_t size = sizeof *from + from->count * sizeof *from->list;
    for (size_t i = 0; i < from->count; i++) {
        const struct operation *operation = &from->list[i];
        size += operation->path.len + operation->classes.len + operation->args.len + operation->about.len;
    }
    struct operations *packed = size <= KEPT_MAX_BYTES ? malloc(size) : NULL;
    if (!packed)
        return NULL;
    struct operation *list = (struct operation *)(packed + 1);
    char *at = (char *)(list + from->count);
    for (size_t i = 0; i < from->count; i++) {
        list[i] = from->list[i];
        list[i].path = move(&at, list[i].path);
        list[i].classes = move(&at, list[i].classes);
        list[i].args = move(&at, list[i].args);
        list[i].about = move(&at, list[i].about);
    }
    *packed = (struct operations){.count = from->count, .list = list, .made_ms = clock_monotonic_ms()};
    return packed;
}

static void keep(struct call *call, const struct wp *wp, const struct operations *made, const struct operations **ret)
{
    struct operations *packed = wp->site->connection_id ? pack(made) : NULL;
    if (!packed)
        return;
    operations_forget(wp, 0);
    packed->connection_id = wp->site->connection_id;
    packed->users = 1; /* the list */
    packed->next = kept_first;
    kept_first = packed;
    size_t n = 0;
    for (struct operations **at = &kept_first; *at;)
        if (++n > KEPT_CONNECTIONS)
            drop(at);
        else
            at = &(*at)->next;
    use(call, packed);
    *ret = packed;
}

static int fetch_abilities(struct call *call, const struct wp *wp, const struct json *index,
                           const struct json *pages[ABILITY_PAGES_MAX], size_t *ret_count)
{
    *ret_count = 0;
    if (json_is(json_get(json_get(index, STR("routes")), STR("/wp-abilities/v1/abilities")), JSON_MISSING))
        return OK;
    for (int64_t page = 1; page <= ABILITY_PAGES_MAX; page++) {
        struct wp_answer answer;
        struct wp_query query;
        wp_query_init(call, &query);
        wp_query_add_i64(&query, "per_page", ABILITIES_A_PAGE);
        wp_query_add_i64(&query, "page", page);
        wp_query_add(&query, "_fields", STR("name,label,description,input_schema,meta"));
        int error = wp_get(call, wp, STR("wp-abilities/v1/abilities"), &query, &answer);
        if (error == E_DENIED) {
            call_clear_error(call); /* this WordPress user has none; the routes remain */
            return OK;
        }
        if (error)
            return error;
        pages[(*ret_count)++] = answer.json;
        if (json_count(answer.json) < ABILITIES_A_PAGE)
            break;
    }
    return OK;
}

int operations_get(struct call *call, const struct wp *wp, const struct operations **ret)
{
    for (struct operations **at = &kept_first; *at; at = &(*at)->next)
        if ((*at)->connection_id == wp->site->connection_id) {
            struct operations *found = *at;
            if (clock_monotonic_ms() - found->made_ms > KEPT_MS) {
                drop(at);
                break;
            }
            *at = found->next;
            found->next = kept_first;
            kept_first = found;
            use(call, found);
            *ret = found;
            return OK;
        }
    struct wp_answer index;
    struct wp_query query;
    const struct json *abilities[ABILITY_PAGES_MAX];
    size_t n_abilities;
    struct operations *made = arena_new_of(call->arena, struct operations);
    wp_query_init(call, &query);
    wp_query_add(&query, "_fields", STR("routes"));
    int error = wp_get(call, wp, STR_EMPTY, &query, &index);
    if (error || (error = fetch_abilities(call, wp, index.json, abilities, &n_abilities)))
        return error;
    operations_build(call, index.json, abilities, n_abilities, made);
    if (!made->count)
        return fail(call, E_UPSTREAM, "The site's answer lists no REST routes.");
    *ret = made;
    keep(call, wp, made, ret);
    return OK;
}
