/* JSON-RPC 2.0 messages. */
#include "mcp/rpc.h"

#include "json/json_write.h"

enum { ID_MAX_BYTES = 256 };

static bool id_is_good(const struct json *id)
{
    int64_t integer;
    if (json_raw(id).len > ID_MAX_BYTES)
        return false;
    return json_is(id, JSON_STRING) || json_to_i64(id, &integer);
}

static struct rpc_message invalid(struct rpc_message message, const char *reason)
{
    message.kind = RPC_INVALID;
    message.reason = reason;
    return message;
}

struct rpc_message rpc_read(const struct json *value)
{
    const struct json *id = json_get(value, STR("id"));
    const struct json *method = json_get(value, STR("method"));
    struct rpc_message message = {.params = json_get(value, STR("params"))};
    if (!json_is(value, JSON_OBJECT))
        return invalid(message, "A message is a JSON object.");
    if (id_is_good(id))
        message.id_raw = json_raw(id);
    if (!str_eq(json_str(json_get(value, STR("jsonrpc"))), STR("2.0")))
        return invalid(message, "\"jsonrpc\" must be \"2.0\".");
    if (!json_is(id, JSON_MISSING) && message.id_raw.len == 0)
        return invalid(message, "\"id\" must be a string or an integer.");
    if (json_is(method, JSON_MISSING)) {
        if (json_is(json_get(value, STR("result")), JSON_MISSING) &&
            json_is(json_get(value, STR("error")), JSON_MISSING))
            return invalid(message, "A message has a \"method\", a \"result\" or an \"error\".");
        message.kind = RPC_RESPONSE;
        return message;
    }
    if (!json_is(method, JSON_STRING) || json_str(method).len == 0)
        return invalid(message, "\"method\" must be a string.");
    if (!json_is(message.params, JSON_MISSING) && !json_is(message.params, JSON_OBJECT))
        return invalid(message, "\"params\" must be an object.");
    message.method = json_str(method);
    message.kind = message.id_raw.len ? RPC_REQUEST : RPC_NOTIFICATION;
    return message;
}

void rpc_begin_result(struct buf *out, struct str id_raw)
{
    buf_add(out, STR("{\"jsonrpc\":\"2.0\",\"id\":"));
    buf_add(out, id_raw);
    buf_add(out, STR(",\"result\":{"));
}

void rpc_end_result(struct buf *out)
{
    buf_add(out, STR("}}"));
}

void rpc_error(struct buf *out, struct str id_raw, int code, struct str message, struct str data_raw)
{
    struct json_writer w;
    json_write_init(&w, out);
    json_object(&w);
    json_member_str(&w, "jsonrpc", STR("2.0"));
    if (id_raw.len)
        json_member_raw(&w, "id", id_raw);
    json_key(&w, STR("error"));
    json_object(&w);
    json_member_i64(&w, "code", code);
    json_member_str(&w, "message", message);
    if (data_raw.len)
        json_member_raw(&w, "data", data_raw);
    json_end(&w);
    json_end(&w);
}
