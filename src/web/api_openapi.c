/* /api/openapi.json */
#include "web/api_openapi.h"

#include "net/own_address.h"
#include "web/routes.h"

#define ERROR_SCHEMA                                                                                                   \
    "{\"type\":\"object\",\"properties\":{\"error\":{\"type\":\"object\",\"properties\":{\"code\":" API_TEXT           \
    ",\"message\":" API_TEXT ",\"steps\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"          \
    "\"check\":" API_TEXT ",\"result\":" API_TEXT                                                                      \
    ",\"ms\":{\"type\":[\"integer\",\"null\"]}}}}},\"required\":[\"code\",\"message\"]}},\"required\":[\"error\"]}"

static void write_content(struct json_writer *w, const char *type, struct str schema)
{
    json_key(w, STR("content"));
    json_object(w);
    json_key(w, str_from(type));
    json_object(w);
    json_member_raw(w, "schema", schema);
    json_end(w);
    json_end(w);
}

static void write_parameter(struct json_writer *w, struct str name, const char *in, struct str schema)
{
    json_object(w);
    json_member_str(w, "name", name);
    json_member_str(w, "in", str_from(in));
    if (strcmp(in, "path") == 0)
        json_member_bool(w, "required", true);
    json_member_raw(w, "schema", schema);
}

/* {id} and {number} are numbers, every other segment a text. */
static void write_segments(struct json_writer *w, struct str path)
{
    for (size_t open; (open = str_find_char(path, '{')) != STR_NOT_FOUND;) {
        struct str name = str_sub(path, open + 1, str_find_char(path, '}') - open - 1);
        bool is_number = str_eq(name, STR("id")) || str_eq(name, STR("number"));
        write_parameter(w, name, "path", is_number ? STR(API_INTEGER) : STR(API_TEXT));
        json_end(w);
        path = str_from_offset(path, open + name.len + 2);
    }
}

static void write_parameters(struct json_writer *w, const struct route *route)
{
    const struct api_operation *operation = route->operation;
    if (str_find_char(route->path, '{') == STR_NOT_FOUND && operation->n_parameters == 0)
        return;
    json_key(w, STR("parameters"));
    json_array(w);
    write_segments(w, route->path);
    for (size_t i = 0; i < operation->n_parameters; i++) {
        const struct api_parameter *parameter = &operation->parameters[i];
        write_parameter(w, str_from(parameter->name), "query", str_from(parameter->schema));
        json_member_str(w, "description", str_from(parameter->meaning));
        json_end(w);
    }
    json_end(w);
}

static void write_responses(struct call *call, struct json_writer *w, const struct api_operation *operation)
{
    json_key(w, STR("responses"));
    json_object(w);
    json_key(w, call_format(call, "%d", operation->status));
    json_object(w);
    json_member_str(w, "description", STR("done"));
    if (operation->answer)
        write_content(w, "application/json", str_from(operation->answer));
    json_end(w);
    json_key(w, STR("default"));
    json_object(w);
    json_member_str(w, "description", STR("not done, and why"));
    write_content(w, "application/json", STR(ERROR_SCHEMA));
    json_end(w);
    json_end(w);
}

static void write_operation(struct call *call, struct json_writer *w, const struct route *route)
{
    const struct api_operation *operation = route->operation;
    json_key(w, str_lower(call->arena, route->method));
    json_object(w);
    json_member_str(w, "operationId", str_from(operation->id));
    json_member_str(w, "summary", str_from(operation->summary));
    write_parameters(w, route);
    if (operation->body) {
        json_key(w, STR("requestBody"));
        json_object(w);
        write_content(w, "application/json", str_from(operation->body));
        json_end(w);
    }
    write_responses(call, w, operation);
    json_member_raw(w, "security", route->who == ROUTE_ANYONE ? STR("[]") : STR("[{\"session\":[]},{\"token\":[]}]"));
    if (route->who == ROUTE_ADMIN)
        json_member_bool(w, "x-administrators-only", true);
    if (operation->is_grave || operation->is_grave_by_hand)
        json_member_bool(w, "x-password-needed", true);
    json_end(w);
}

static bool is_first_of_path(size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (routes[i].operation && str_eq(routes[i].path, routes[index].path))
            return false;
    return true;
}

static int write_openapi(struct call *call, struct api *api)
{
    struct json_writer *w = &api->out;
    json_object(w);
    json_member_str(w, "openapi", STR("3.1.0"));
    json_member_raw(w, "info",
                    STR("{\"title\":\"porteiro\",\"version\":\"" PORTEIRO_VERSION
                        "\",\"summary\":\"Accounts, connections and tokens of an MCP server for WordPress.\"}"));
    json_key(w, STR("servers"));
    json_array(w);
    json_object(w);
    json_member_str(w, "url", own_address_url());
    json_end(w);
    json_end(w);
    json_key(w, STR("paths"));
    json_object(w);
    for (size_t i = 0; i < n_routes; i++) {
        if (!routes[i].operation || !is_first_of_path(i))
            continue;
        json_key(w, routes[i].path);
        json_object(w);
        for (size_t j = i; j < n_routes; j++)
            if (routes[j].operation && str_eq(routes[j].path, routes[i].path))
                write_operation(call, w, &routes[j]);
        json_end(w);
    }
    json_end(w);
    json_member_raw(w, "components",
                    STR("{\"securitySchemes\":{\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"__Host-"
                        "porteiro\"},\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"}}}"));
    json_end(w);
    return OK;
}

const struct api_operation api_openapi = {.id = "openapi",
                                          .summary = "This description.",
                                          .answer = "{\"type\":\"object\"}",
                                          .status = 200,
                                          .run = write_openapi};
