/* Hints for dashboards. */
#include "mcp/feed.h"

#include "audit/audit.h"
#include "base/log.h"
#include "mcp/bus.h"
#include "net/loop.h"

enum { KEY_BYTES_MAX = 64 };

static const struct {
    struct str prefix;
    unsigned kinds;
} kinds_of_actions[] = {
    {STR_INIT("tool."), FEED_AUDIT},
    {STR_INIT("prompt."), FEED_AUDIT},
    {STR_INIT("resource."), FEED_AUDIT},
    {STR_INIT("approvals."), FEED_APPROVAL},
    {STR_INIT("connections."), FEED_CONNECTION | FEED_TOKEN},
    {STR_INIT("tokens."), FEED_TOKEN},
    {STR_INIT("oauth."), FEED_TOKEN},
};

static const char *const names[FEED_KINDS] = {"audit", "approval", "connection", "token", "account"};

static struct {
    int64_t user_id;
    unsigned kinds;
} gathered[FEED_PEOPLE_MAX];
static size_t n_gathered;
static struct loop_timer timer;
static bool has_timer;

const char *feed_kind_name(unsigned kind)
{
    for (size_t i = 0; i < FEED_KINDS; i++)
        if (kind == 1U << i)
            return names[i];
    return "message";
}

unsigned feed_kinds_parse(struct str key)
{
    struct str word;
    unsigned kinds = 0;
    while (str_next(&key, ',', &word))
        for (size_t i = 0; i < FEED_KINDS; i++)
            if (str_eq(word, str_from(names[i])))
                kinds |= 1U << i;
    return kinds;
}

static void tell(int64_t user_id, unsigned kinds)
{
    char key[KEY_BYTES_MAX];
    size_t length = 0;
    for (size_t i = 0; i < FEED_KINDS; i++)
        if (kinds & 1U << i)
            length += (size_t)snprintf(key + length, sizeof key - length, "%s%s", length ? "," : "", names[i]);
    bus_publish(&(struct bus_event){.topic = BUS_ACCOUNT, .number = user_id, .key = str_of(key, length)});
}

static void tell_all(void *context)
{
    (void)context;
    for (size_t i = 0; i < n_gathered; i++)
        tell(gathered[i].user_id, gathered[i].kinds);
    n_gathered = 0;
}

/* A tool that waits for somebody's approval ends with that outcome. */
static unsigned kinds_of(const struct audit_event *event)
{
    for (size_t i = 0; i < ARRAY_LENGTH(kinds_of_actions); i++)
        if (str_starts_with(event->action, kinds_of_actions[i].prefix))
            return kinds_of_actions[i].kinds |
                   (str_contains(event->data_json, STR("\"outcome\":\"waiting\"")) ? FEED_APPROVAL : 0);
    return FEED_ACCOUNT;
}

void feed_changed(int64_t user_id, unsigned kinds)
{
    size_t i = 0;
    if (!has_timer || !user_id)
        return;
    while (i < n_gathered && gathered[i].user_id != user_id)
        i++;
    if (i == FEED_PEOPLE_MAX) {
        tell_all(NULL);
        i = 0;
    }
    if (i == n_gathered) {
        if (n_gathered++ == 0)
            loop_timer_set(&timer, FEED_GATHER_MS);
        gathered[i].user_id = user_id;
        gathered[i].kinds = 0;
    }
    gathered[i].kinds |= kinds;
}

static void observe(const struct audit_event *event)
{
    if (!str_ends_with(event->action, STR(".intent")))
        feed_changed(event->user_id, kinds_of(event));
}

void feed_start(void)
{
    has_timer = loop_timer_init(&timer, tell_all, NULL);
    if (has_timer)
        audit_set_observer(observe);
    else
        log_warning("dashboards are not told of what happens: no memory for a timer");
}

void feed_end(void)
{
    audit_set_observer(NULL);
    if (has_timer)
        loop_timer_done(&timer);
    has_timer = false;
    n_gathered = 0;
}
