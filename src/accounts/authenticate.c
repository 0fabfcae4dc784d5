/* Who is it? */
#include <sodium.h> /* before base/banned.h: it names what is banned there */

#include "accounts/authenticate.h"

#include "base/metrics.h"
#include "accounts/consent.h"
#include "accounts/generation.h"
#include "accounts/grants.h"
#include "accounts/token_make.h"
#include "net/loop.h"
#include "net/task.h"

enum {
    BUCKETS = 1 << 14,
    CACHE_KEY_BYTES = crypto_shorthash_siphashx24_BYTES,
    TOUCHES_MAX = AUTH_CACHE_ENTRIES,
    TOUCH_BUDGET_BYTES = 8 * 1024 * 1024,
    TOUCH_TIMEOUT_MS = 10 * 1000,
};

/* ---- refusals */

enum refusal {
    GOOD,
    BAD_FORM,
    UNKNOWN,
    EARLIER,
    REVOKED,
    EXPIRED,
    PAUSED,
    BROKEN,
    CONNECTION_ENDED,
    DISABLED,
    STOPPED,
    TAMPERED,
};

#define MAKE_NEW " Make a new token: `porteiro token add --connection ID`, or in the dashboard."

static const struct {
    const char *detail; /* our log */
    const char *text;   /* the client */
} refusals[] = {
    [BAD_FORM] = {"not of a token's form, or its checksum is wrong",
                  "This is not a token of this server: it was cut or mistyped. Copy it again, whole." MAKE_NEW},
    [UNKNOWN] = {"no such token", "This token is not known here." MAKE_NEW},
    [EARLIER] = {"a token of the earlier system that was not taken over",
                 "This token is of the earlier system and was not taken over." MAKE_NEW},
    [REVOKED] = {"revoked", "This token was revoked." MAKE_NEW},
    [EXPIRED] = {"expired", "This token has expired." MAKE_NEW},
    [PAUSED] = {"the connection is not active",
                "The connection of this token is paused. The token is good: its owner can resume the connection in the "
                "dashboard, or with `porteiro connection resume`."},
    [BROKEN] =
        {"the connection is in the state error",
         "The service refuses the password of this connection. The token is good: it works again when its owner has "
         "entered the password again in the dashboard."},
    [STOPPED] =
        {"its owner stopped everything",
         "The owner of this token, or an administrator, has stopped everything. The token is good: it works again "
         "when they let everything go on in the dashboard."},
    [CONNECTION_ENDED] = {"the connection is revoked",
                          "The connection of this token was revoked. Make a new connection."},
    [DISABLED] = {"the provider is disabled",
                  "This kind of service is switched off on this server. The token is good: an "
                  "administrator can switch the service on again."},
    [TAMPERED] = {"the token's rows were changed: their MAC does not fit",
                  "This token is not valid any more." MAKE_NEW},
};

/*
 * A good token that rests, or whose connection does, is no bad token: who hears that of theirs gets a new one, again and again,
 * which does no better.
 */
static bool rests(enum refusal why)
{
    return why == PAUSED || why == BROKEN || why == DISABLED || why == STOPPED;
}

static int refuse(struct call *call, enum refusal why)
{
    fail_detail(call, "token refused: %s", refusals[why].detail);
    return fail(call, rests(why) ? E_DENIED : E_UNAUTHENTICATED, "%s", refusals[why].text);
}

/* ---- the cache: entries by a hash of the token, in two queues (good and refused) with the least recently used at the end */

struct answer { /* constant; shared by the cache and the calls that use it */
    size_t references;
    struct principal principal;
    struct site_grant grants[]; /* and the text behind them */
};

struct entry {
    struct entry *next; /* in its bucket */
    struct entry *newer, *older;
    unsigned char key[CACHE_KEY_BYTES];
    enum refusal refusal;
    bool is_refreshing;
    struct answer *answer; /* of GOOD */
    int64_t checked_ms;    /* monotonic: when the database was asked, which may take a while to answer */
    uint64_t generation;   /* before it was looked up */
    int64_t touched_ms;    /* monotonic: when last_used_at was last noted; 0 never */
};

struct queue {
    struct entry *newest, *oldest;
    size_t count, max;
};

static struct cache {
    bool has_key;
    unsigned char key[crypto_shorthash_siphashx24_KEYBYTES]; /* random, of this process */
    struct entry *buckets[BUCKETS];
    struct queue good, bad;
    int64_t down_until_ms;
} cache = {.good.max = AUTH_CACHE_ENTRIES, .bad.max = AUTH_CACHE_BAD_ENTRIES};

static void answer_release(void *object)
{
    struct answer *answer = object;
    if (answer && --answer->references == 0)
        free(answer);
}

/*
 * What an entry is found by: a keyed hash of the token (SipHash-2-4 with 128 bits), so that no token lies in memory
 * and nobody can choose buckets, or find another text with the hash of a token. Not the HMAC of the database: that one
 * costs more, and this is done for each request.
 */
static void cache_key(struct str token, unsigned char out[CACHE_KEY_BYTES])
{
    if (!cache.has_key) {
        randombytes_buf(cache.key, sizeof cache.key);
        cache.has_key = true;
    }
    crypto_shorthash_siphashx24(out, (const unsigned char *)token.ptr, token.len, cache.key);
}

static struct entry **bucket_of(const unsigned char key[CACHE_KEY_BYTES])
{
    uint32_t bits;
    memcpy(&bits, key, sizeof bits);
    return &cache.buckets[bits % BUCKETS];
}

static struct entry *find_entry(const unsigned char key[CACHE_KEY_BYTES])
{
    struct entry *entry = *bucket_of(key);
    while (entry &&
           memcmp(entry->key, key, CACHE_KEY_BYTES) != 0) /* of what nobody can foresee: its time tells nothing */
        entry = entry->next;
    return entry;
}

static struct queue *queue_of(const struct entry *entry)
{
    return entry->refusal == GOOD ? &cache.good : &cache.bad;
}

static void queue_remove(struct queue *queue, struct entry *entry)
{
    if (entry->newer)
        entry->newer->older = entry->older;
    else
        queue->newest = entry->older;
    if (entry->older)
        entry->older->newer = entry->newer;
    else
        queue->oldest = entry->newer;
    queue->count--;
}

static void queue_add(struct queue *queue, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = queue->newest;
    if (queue->newest)
        queue->newest->newer = entry;
    else
        queue->oldest = entry;
    queue->newest = entry;
    queue->count++;
}

static void remove_entry(struct entry *entry)
{
    struct entry **at = bucket_of(entry->key);
    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    queue_remove(queue_of(entry), entry);
    answer_release(entry->answer);
    free(entry);
}

/* `answer` becomes the cache's. Without memory there is simply no entry. asked_ms: what came later is not in it. */
static struct entry *put_entry(const unsigned char key[CACHE_KEY_BYTES], enum refusal refusal, struct answer *answer,
                               uint64_t generation, int64_t asked_ms)
{
    struct entry *entry = find_entry(key);
    int64_t touched_ms = entry ? entry->touched_ms : 0;
    if (entry) {
        queue_remove(queue_of(entry), entry);
        answer_release(entry->answer);
    } else {
        entry = malloc(sizeof *entry);
        if (!entry) {
            answer_release(answer);
            return NULL;
        }
        struct entry **bucket = bucket_of(key);
        entry->next = *bucket;
        memcpy(entry->key, key, CACHE_KEY_BYTES);
        *bucket = entry;
    }
    entry->refusal = refusal;
    entry->is_refreshing = false;
    entry->answer = answer;
    entry->checked_ms = asked_ms;
    entry->generation = generation;
    entry->touched_ms = touched_ms;
    struct queue *queue = queue_of(entry);
    if (queue->oldest && queue->count >= queue->max)
        remove_entry(queue->oldest);
    queue_add(queue, entry);
    return entry;
}

/* ---- last_used_at: noted here, written in batches */

struct touch {
    int64_t token_id, used_at_ms;
};

static struct touches {
    struct touch *items;
    size_t count, capacity;
    bool has_timer, is_set;
    struct loop_timer timer;
} touches;

static int write_touches(struct call *call)
{
    size_t count = touches.count;
    struct touch *items = arena_array_of(call->arena, struct touch, count);
    bool mine;
    if (count == 0)
        return OK;
    memcpy(items, touches.items, count * sizeof *items);
    touches.count = 0; /* should they not be written, the next use will be */
    int error = store_begin(call, &mine);
    if (error)
        return error;
    for (size_t i = 0; !error && i < count; i++)
        error = store_tokens_touch(call, items[i].token_id, items[i].used_at_ms);
    return store_end(call, mine, error);
}

int authenticate_flush(struct call *call)
{
    return write_touches(call);
}

static void touch_task(struct call *call, void *context)
{
    (void)context;
    call->error = write_touches(call);
}

static void touch_ended(struct call *call, void *context)
{
    (void)context;
    arena_free(call->arena);
    free(call);
}

static void touch_timer_ran(void *context)
{
    (void)context;
    touches.is_set = false;
    struct call *call = calloc(1, sizeof *call);
    struct arena *arena = call ? arena_new(TOUCH_BUDGET_BYTES) : NULL;
    if (arena) {
        call_init(call, arena, TOUCH_TIMEOUT_MS);
        if (task_spawn(call, touch_task, touch_ended, NULL) == OK)
            return;
    }
    arena_free(arena);
    free(call);
}

static void note_use(struct entry *entry, int64_t now_ms)
{
    if (entry->touched_ms && now_ms - entry->touched_ms < AUTH_TOUCH_MS)
        return;
    if (touches.count == touches.capacity) {
        size_t capacity = touches.capacity ? 2 * touches.capacity : 64;
        struct touch *items = capacity <= 2 * TOUCHES_MAX ? realloc(touches.items, capacity * sizeof *items) : NULL;
        if (!items)
            return;
        touches.items = items;
        touches.capacity = capacity;
    }
    entry->touched_ms = now_ms;
    touches.items[touches.count++] = (struct touch){entry->answer->principal.token_id, clock_now_ms()};
    if (!touches.has_timer)
        touches.has_timer = loop_timer_init(&touches.timer, touch_timer_ran, NULL);
    if (touches.has_timer && !touches.is_set) {
        touches.is_set = true;
        loop_timer_set(&touches.timer, AUTH_TOUCH_DELAY_MS);
    }
}

void authenticate_done(void)
{
    while (cache.good.oldest)
        remove_entry(cache.good.oldest);
    while (cache.bad.oldest)
        remove_entry(cache.bad.oldest);
    cache.down_until_ms = 0;
    if (touches.has_timer)
        loop_timer_done(&touches.timer);
    free(touches.items);
    touches = (struct touches){0};
}

/* ---- looking up */

/* What a good token's row says of it. */
struct grant {
    unsigned rights;
    enum confirm confirm;
    unsigned options;
};

static enum refusal judge_connection(struct str status, bool provider_enabled)
{
    if (str_eq(status, STR(CONNECTION_REVOKED)))
        return CONNECTION_ENDED;
    if (str_eq(status, STR(CONNECTION_ERROR)))
        return BROKEN;
    if (!str_eq(status, STR(CONNECTION_ACTIVE)))
        return PAUSED;
    return provider_enabled ? GOOD : DISABLED;
}

/*
 * Of a token over several sites: keeps those that can be used, and makes the first of them the one it stands for. What cannot
 * be used drops out; when nothing is left, the first one's reason is the token's.
 */
static enum refusal judge_grants(struct call *call, struct token_facts *facts, struct grant_rows *rows,
                                 struct grant *ret)
{
    enum refusal first = TAMPERED;
    size_t good = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct grant_row *row = &rows->items[i];
        unsigned rights;
        enum refusal why = grant_is_right(call, &facts->token, row) && str_eq(row->provider_key, facts->provider_key)
                               ? judge_connection(row->status, row->provider_enabled)
                               : TAMPERED;
        if (why == GOOD && rights_parse(call, row->rights, &rights)) {
            call_clear_error(call);
            why = TAMPERED;
        }
        if (i == 0)
            first = why;
        if (why == GOOD)
            rows->items[good++] = *row;
    }
    rows->count = good;
    if (!good)
        return first == GOOD ? TAMPERED : first;
    facts->token.connection_id = rows->items[0].connection_id;
    facts->connection_name = rows->items[0].name;
    facts->config_json = rows->items[0].config_json;
    facts->secret_json = rows->items[0].secret_json;
    return rights_parse(call, rows->items[0].rights, &ret->rights) ? TAMPERED : GOOD;
}

/* `lives`: it may have expired. */
static enum refusal judge(struct call *call, const struct token_facts *facts, struct str hash, bool lives,
                          struct grant *ret)
{
    const struct token_row *token = &facts->token;
    if (!facts->found || token->token_hash.len != hash.len ||
        sodium_memcmp(token->token_hash.ptr, hash.ptr, hash.len) != 0)
        return UNKNOWN;
    if (token->revoked_at_ms)
        return REVOKED;
    if (!lives && token->expires_at_ms && token->expires_at_ms <= clock_now_ms())
        return EXPIRED;
    if (!token->has_details)
        return EARLIER;
    const struct token_claims claims = token_claims_of(token);
    if (!token_mac_is_right(call, &claims, token->mac))
        return TAMPERED;
    enum refusal why = facts->has_grants ? GOOD : judge_connection(facts->status, facts->provider_enabled);
    if (why != GOOD)
        return why;
    if (facts->is_stopped)
        return STOPPED;
    if (rights_parse(call, token->rights, &ret->rights) || confirm_parse(call, token->confirm, &ret->confirm)) {
        call_clear_error(call);
        return TAMPERED;
    }
    if (token_options_parse(call, token->options, &ret->options))
        call_clear_error(call); /* of a later version, or nonsense: options give no rights */
    return GOOD;
}

static struct str keep(char **at, struct str s)
{
    struct str kept = {*at, s.len};
    if (s.len)
        memcpy(*at, s.ptr, s.len);
    *at += s.len;
    return kept;
}

static size_t grants_text_size(const struct grant_rows *rows)
{
    size_t size = 0;
    for (size_t i = 0; i < rows->count; i++)
        size += rows->items[i].alias.len + rows->items[i].name.len + rows->items[i].config_json.len +
                rows->items[i].secret_json.len;
    return size;
}

static struct site site_of(char **at, int64_t connection_id, int64_t user_id, struct str name, struct str config_json,
                           struct str secret_json, struct str wrapped_key, struct str provider_key)
{
    return (struct site){
        .connection_id = connection_id,
        .user_id = user_id,
        .provider_key = provider_key,
        .name = keep(at, name),
        .config_json = keep(at, config_json),
        .secret = {.sealed_json = keep(at, secret_json),
                   .wrapped_key = wrapped_key,
                   .user_id = user_id,
                   .connection_id = connection_id},
    };
}

/* In one heap block. NULL: no memory. */
static struct answer *answer_new(struct call *call, const struct token_facts *facts, const struct grant *grant,
                                 const struct grant_rows *rows)
{
    const struct token_row *token = &facts->token;
    size_t size = facts->provider_key.len + token->name.len + token->last4.len + token->audience.len +
                  token->family.len + facts->connection_name.len + facts->config_json.len + facts->secret_json.len +
                  facts->wrapped_key.len + grants_text_size(rows);
    struct answer *answer = malloc(sizeof *answer + rows->count * sizeof answer->grants[0] + size);
    if (!answer)
        return NULL;
    char *at = (char *)(answer->grants + rows->count);
    struct str wrapped_key = keep(&at, facts->wrapped_key), provider_key = keep(&at, facts->provider_key);
    answer->references = 1;
    answer->principal = (struct principal){
        .token_id = token->id,
        .connection_id = token->connection_id,
        .user_id = token->user_id,
        .expires_at_ms = token->expires_at_ms,
        .provider_key = provider_key,
        .token_name = keep(&at, token->name),
        .token_last4 = keep(&at, token->last4),
        .audience = keep(&at, token->audience),
        .family = keep(&at, token->family),
        .rights = grant->rights,
        .confirm = grant->confirm,
        .options = grant->options,
        .site = site_of(&at, token->connection_id, token->user_id, facts->connection_name, facts->config_json,
                        facts->secret_json, wrapped_key, provider_key),
        .grants = answer->grants,
        .n_grants = rows->count,
    };
    for (size_t i = 0; i < rows->count; i++) {
        const struct grant_row *row = &rows->items[i];
        answer->grants[i] = (struct site_grant){
            .alias = keep(&at, row->alias),
            .site = site_of(&at, row->connection_id, token->user_id, row->name, row->config_json, row->secret_json,
                            wrapped_key, provider_key),
        };
        if (rights_parse(call, row->rights, &answer->grants[i].rights))
            answer->grants[i].rights = 0; /* was judged before: cannot be */
    }
    return answer;
}

/* Hands the answer to the call, which holds it until its arena is released. */
static int give(struct call *call, struct answer *answer, const struct principal **ret)
{
    if (answer->principal.expires_at_ms && answer->principal.expires_at_ms <= clock_now_ms())
        return refuse(call, EXPIRED);
    answer->references++;
    arena_defer(call->arena, answer_release, answer);
    *ret = &answer->principal;
    return OK;
}

static bool is_usable_while_down(const struct entry *entry, int64_t now_ms)
{
    return entry && entry->answer && entry->generation == generation_now() &&
           now_ms - entry->checked_ms < AUTH_STALE_MS;
}

static int query(struct call *call, struct str hash, bool has_stale, struct token_facts *ret, struct grant_rows *rows)
{
    int64_t deadline = call->deadline_ms, latest = clock_monotonic_ms() + AUTH_QUERY_MS;
    if (has_stale && latest < deadline)
        call->deadline_ms = latest;
    int error = store_tokens_facts(call, hash, ret);
    *rows = (struct grant_rows){0};
    if (!error && ret->has_grants)
        error = store_grants_of(call, ret->token.id, rows);
    call->deadline_ms = deadline;
    return error;
}

static int look_up(struct call *call, struct str bearer, const unsigned char key[CACHE_KEY_BYTES],
                   const struct principal **ret)
{
    struct token_facts facts;
    char hash[MAC_HEX_BYTES];
    struct grant grant = {0};
    struct grant_rows rows;
    uint64_t generation = generation_now();
    int64_t now_ms = clock_monotonic_ms();
    struct entry *entry = find_entry(key);
    bool has_stale = is_usable_while_down(entry, now_ms);
    if (has_stale && now_ms < cache.down_until_ms)
        return give(call, entry->answer, ret);
    if (entry)
        entry->is_refreshing = true;

    token_hash(bearer, hash);
    int error = query(call, str_from(hash), has_stale, &facts, &rows);
    if (error == E_UNAVAILABLE || error == E_TIMEOUT) {
        cache.down_until_ms = clock_monotonic_ms() + AUTH_DOWN_MS;
        entry = find_entry(key); /* it may have gone while we waited */
        if (entry)
            entry->is_refreshing = false;
        if (!is_usable_while_down(entry, clock_monotonic_ms()))
            return error;
        call_clear_error(call);
        return give(call, entry->answer, ret);
    }
    if (error)
        return error;
    cache.down_until_ms = 0;
    enum refusal refusal = judge(call, &facts, str_from(hash), false, &grant);
    if (refusal == GOOD && facts.has_grants)
        refusal = judge_grants(call, &facts, &rows, &grant);
    struct answer *answer = refusal == GOOD ? answer_new(call, &facts, &grant, &rows) : NULL;
    if (refusal == GOOD && !answer)
        return fail(call, E_UNAVAILABLE, "There is no memory for this call. Try again later.");
    entry = put_entry(key, refusal, answer, generation, now_ms);
    if (refusal != GOOD)
        return refuse(call, refusal);
    if (!entry)
        return fail(call, E_UNAVAILABLE, "There is no memory for this call. Try again later.");
    note_use(entry, clock_monotonic_ms());
    return give(call, entry->answer, ret);
}

/* An answer that needs no question to the database. While one call asks again, the others go on with what is known. */
static bool is_fresh(const struct entry *entry, int64_t now_ms)
{
    int64_t age_ms = now_ms - entry->checked_ms;
    if (entry->generation != generation_now())
        return false;
    if (entry->refusal != GOOD)
        return age_ms < AUTH_NEGATIVE_MS;
    return age_ms < (entry->is_refreshing ? AUTH_FRESH_MS : AUTH_REFRESH_MS);
}

static bool is_bearer(struct str text)
{
    enum token_type type;
    return token_check(text, &type) && (type == TOKEN_PAT || type == TOKEN_OAT || type == TOKEN_EARLIER);
}

int authenticate(struct call *call, struct str bearer, const struct principal **ret)
{
    unsigned char key[CACHE_KEY_BYTES];
    if (bearer.len > TOKEN_CHARS_MAX)
        return refuse(call, BAD_FORM);
    cache_key(bearer, key);
    struct entry *entry = find_entry(key);
    int64_t now_ms = clock_monotonic_ms();
    bool known = entry && is_fresh(entry, now_ms);
    if (!entry && !is_bearer(bearer)) /* what has an entry had the form */
        return refuse(call, BAD_FORM);
    metric_count(METRIC_CACHE, STR("authentication"), known ? STR("hit") : STR("miss"));
    if (!known)
        return look_up(call, bearer, key, ret);
    struct queue *queue = queue_of(entry);
    if (queue->newest != entry) {
        queue_remove(queue, entry);
        queue_add(queue, entry);
    }
    if (entry->refusal != GOOD)
        return refuse(call, entry->refusal);
    note_use(entry, now_ms);
    return give(call, entry->answer, ret);
}

/* Is the agreement that this access token came of still good? */
static int family_lives(struct call *call, const struct token_row *token, bool *ret)
{
    struct oauth_grant_row row;
    int error = store_oauth_grants_of_token(call, token->id, &row);
    if (error == E_NOT_FOUND)
        call_clear_error(call);
    *ret = !error && str_eq(row.state, STR(GRANT_ACTIVE)) && row.expires_at_ms > clock_now_ms() &&
           row.user_id == token->user_id && row.connection_id == token->connection_id && consent_is_right(call, &row);
    return error == E_NOT_FOUND ? OK : error;
}

int authenticate_token(struct call *call, int64_t token_id, const struct principal **ret)
{
    struct token_facts facts;
    struct grant grant = {0};
    struct grant_rows rows = {0};
    int error = store_tokens_facts_of(call, token_id, &facts);
    if (!error && facts.has_grants)
        error = store_grants_of(call, token_id, &rows);
    if (error)
        return error;
    bool lives = false;
    if (facts.found && facts.token.audience.len)
        error = family_lives(call, &facts.token, &lives);
    if (error)
        return error;
    enum refusal refusal = judge(call, &facts, facts.token.token_hash, lives, &grant);
    if (lives)
        facts.token.expires_at_ms = 0;
    if (refusal == GOOD && facts.has_grants)
        refusal = judge_grants(call, &facts, &rows, &grant);
    if (refusal != GOOD) {
        (void)refuse(call, refusal);
        return E_UNAUTHENTICATED; /* work of its own does not wait until its owner lets it go on */
    }
    struct answer *answer = answer_new(call, &facts, &grant, &rows);
    if (!answer)
        return fail(call, E_UNAVAILABLE, "There is no memory for this call. Try again later.");
    error = give(call, answer, ret);
    answer_release(answer); /* the call holds it now */
    return error;
}

int principal_for(struct call *call, const struct principal *who, int64_t connection_id, const struct principal **ret)
{
    *ret = who;
    if (who->connection_id == connection_id)
        return OK;
    for (size_t i = 0; i < who->n_grants; i++) {
        const struct site_grant *grant = &who->grants[i];
        if (grant->site.connection_id != connection_id)
            continue;
        struct principal *other = arena_new_of(call->arena, struct principal);
        *other = *who;
        other->connection_id = connection_id;
        other->rights = grant->rights;
        other->site = grant->site;
        *ret = other;
        return OK;
    }
    return fail(call, E_DENIED, "This token is not for that connection, or the connection rests just now.");
}

int64_t principal_holder(const struct principal *who)
{
    unsigned char hash[crypto_generichash_BYTES];
    int64_t number;
    if (!who->family.len)
        return who->token_id;
    crypto_generichash(hash, sizeof hash, (const unsigned char *)who->family.ptr, who->family.len, NULL, 0);
    memcpy(&number, hash, sizeof number);
    return number | INT64_MIN;
}
