/* Bodies of webhooks: whatever they hold, what is read of them stays inside them. */
#include "providers/whatsapp/evolution.h"
#include "providers/whatsapp/webhook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_str(struct str text)
{
    volatile char last = 0;
    if (text.len)
        last = text.ptr[text.len - 1];
    (void)last;
}

static void read_message(const struct message *message)
{
    const struct str all[] = {message->id,   message->chat, message->sender,   message->name,
                              message->kind, message->text, message->media_id, message->reply_to};
    for (size_t i = 0; i < ARRAY_LENGTH(all); i++)
        read_str(all[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(16 << 20);
    struct call call;
    const struct json *json;
    call_init(&call, arena, 1000);
    if (json_parse(arena, str_of((const char *)data, size), NULL, &json, NULL) == OK) {
        struct message message = evolution_message(&call, json_get(json, STR("data")));
        read_message(&message);
        const struct json *value = json_path(json, "entry.0.changes.0.value");
        message = cloud_message(&call, value, json_path(value, "messages.0"));
        read_message(&message);
        struct problem problem = problem_of_cloud(arena, 400, json);
        read_str(problem.said);
        problem = problem_of_evolution(arena, 201, json);
        read_str(problem.said);
    }
    arena_free(arena);
    return 0;
}
