/* JSON-RPC messages and redaction from any bytes: what is echoed or recorded is valid JSON again. */
#include "call/call.h"
#include "mcp/redact.h"
#include "mcp/rpc.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(64 * 1024 * 1024);
    const struct json *value, *again;
    if (size <= 65536 && json_parse(arena, str_of((const char *)data, size), NULL, &value, NULL) == OK) {
        struct rpc_message message = rpc_read(value);
        must((message.kind == RPC_REQUEST) <= (message.id_raw.len > 0));
        must((message.kind == RPC_NOTIFICATION) <= (message.id_raw.len == 0));
        struct buf out;
        buf_init(&out, arena, 1 << 20);
        rpc_error(&out, message.id_raw, RPC_INVALID_REQUEST, message.method.ptr ? message.method : STR_EMPTY,
                  (struct str){NULL, 0});
        must(json_parse(arena, buf_str(&out), NULL, &again, NULL) == OK);
        struct str redacted = redact_arguments(arena, value);
        must(json_parse(arena, redacted, NULL, &again, NULL) == OK);
        must(redacted.len < 3 * REDACT_TOTAL_MAX_BYTES);
    }
    arena_free(arena);
    return 0;
}
