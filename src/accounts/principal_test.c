/*
 * Whom a token stands for: each reason to refuse one, tokens over several sites of which some rest, a database that fails, and how
 * often it is asked.
 */
#include "accounts/accounts_test_help.h"

#include "accounts/token_make.h"
#include "crypto/token.h"
#include "store/db_fault_test_help.h"

static struct token_made single, several;
static const struct principal *who;

static int asks(struct fixture *f, struct str token)
{
    call_clear_error(&f->call);
    authenticate_done(); /* nothing is remembered */
    return authenticate(&f->call, token, &who);
}

static void ready(struct fixture *f)
{
    int64_t ana = add_user(f, "ana@example.test", "+5511999990001");
    single = add_connection(f, ana, "one");
    struct token_site sites[] = {{add_connection(f, ana, "two").connection_id, RIGHT_PUBLISH},
                                 {add_connection(f, ana, "three").connection_id, 0}};
    struct token_new new = {.rights = RIGHT_DRAFT, .sites = sites, .n_sites = ARRAY_LENGTH(sites)};
    assert_ok(&f->call, tokens_add(&f->call, ana, single.connection_id, &new, &several));
    assert_int_equal(single.connection_id, 1);
    assert_int_equal(sites[0].connection_id, 2);
    assert_int_equal(sites[1].connection_id, 3);
}

/* As if we had made the token as its rows are now. */
static void seal(struct fixture *f, int64_t token_id)
{
    struct token_row row;
    char mac[MAC_HEX_BYTES];
    assert_ok(&f->call, store_tokens_get(&f->call, USER_ANY, token_id, &row));
    const struct token_claims claims = token_claims_of(&row);
    token_mac(&f->call, &claims, mac);
    assert_ok(&f->call, db_query(&f->call, f->db, NULL, "UPDATE mcp_token_details SET mac = $1 WHERE token_id = $2",
                                 DB_TEXT(str_from(mac)), DB_INT(token_id)));
}

static void each_refusal_says_why(void **state)
{
#define TOKEN "UPDATE mcp_tokens SET "
#define DETAILS "UPDATE mcp_token_details SET "
#define CONNECTION "UPDATE mcp_service_connections SET status = "
    static const struct {
        const char *edit, *undo, *says;
        bool is_sealed;
    } cases[] = {
        {TOKEN "revoked_at = '2026-01-01 00:00:00.000'", TOKEN "revoked_at = NULL", "was revoked", false},
        {TOKEN "expires_at = '2026-01-01 00:00:00.000'", TOKEN "expires_at = NULL", "has expired", true},
        {CONNECTION "'paused'", CONNECTION "'active'", "is paused. The token is good", false},
        {CONNECTION "'error'", CONNECTION "'active'", "refuses the password of this connection. The token is good",
         false},
        {CONNECTION "'revoked'", CONNECTION "'active'", "Make a new connection", false},
        {"UPDATE mcp_service_providers SET enabled = 0", "UPDATE mcp_service_providers SET enabled = 1",
         "switched off on this server. The token is good", false},
        {"INSERT INTO mcp_user_profiles (user_id, is_admin, language, stopped_at, totp_step, updated_at) "
         "VALUES (1, 0, 'en', '2026-01-01 00:00:00.000', 0, '2026-01-01 00:00:00.000')",
         "DELETE FROM mcp_user_profiles", "stopped everything. The token is good", false},
        {DETAILS "rights = 'nonsense'", DETAILS "rights = 'read,publish'", "not valid any more", true},
        {DETAILS "confirm = 'nonsense'", DETAILS "confirm = 'none'", "not valid any more", true},
        {DETAILS "mac = ''", DETAILS "name = name", "not valid any more", false},
    };
    struct fixture *f = *state;
    const struct principal *by_id;
    ready(f);
    assert_ok(&f->call, tokens_revoke(&f->call, 1, several.token_id));
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_ok(&f->call, asks(f, single.token));
        sql(f, cases[i].edit);
        if (cases[i].is_sealed)
            seal(f, single.token_id);
        bool rests = strstr(cases[i].says, "The token is good") != NULL;
        assert_int_equal(asks(f, single.token), rests ? E_DENIED : E_UNAUTHENTICATED);
        assert_says(&f->call, cases[i].says);
        call_clear_error(&f->call);
        assert_int_equal(authenticate_token(&f->call, single.token_id, &by_id), E_UNAUTHENTICATED);
        assert_says(&f->call, cases[i].says);
        sql(f, cases[i].undo);
        seal(f, single.token_id);
    }
    /* Options are not sealed, and give no rights: what is none is passed over. */
    sql(f, DETAILS "options = 'nonsense'");
    assert_ok(&f->call, asks(f, single.token));
    assert_int_equal(who->options, 0);
    sql(f, "DELETE FROM mcp_token_details");
    assert_int_equal(asks(f, single.token), E_UNAUTHENTICATED);
    assert_says(&f->call, "earlier system");
    char hash[MAC_HEX_BYTES];
    struct str earlier = STR("abcdefghijklmnopqrstuvwxyz012345"); /* as that system made them */
    token_hash(earlier, hash);
    assert_int_equal(asks(f, earlier), E_UNAUTHENTICATED);
    assert_says(&f->call, "not known");
    assert_ok(&f->call, db_query(&f->call, f->db, NULL, "UPDATE mcp_tokens SET token_hash = $1 WHERE id = $2",
                                 DB_TEXT(str_from(hash)), DB_INT(single.token_id)));
    assert_int_equal(asks(f, earlier), E_UNAUTHENTICATED);
    assert_says(&f->call, "earlier system");
    assert_int_equal(asks(f, token_make(&f->call, TOKEN_PAT)), E_UNAUTHENTICATED);
    assert_says(&f->call, "not known");
    call_clear_error(&f->call);
    assert_int_equal(authenticate_token(&f->call, 99, &by_id), E_UNAUTHENTICATED);
    assert_says(&f->call, "not known");
    char longest[TOKEN_CHARS_MAX + 1];
    memset(longest, 'a', sizeof longest);
    assert_int_equal(asks(f, str_of(longest, sizeof longest)), E_UNAUTHENTICATED);
    assert_says(&f->call, "cut or mistyped");
}

/* ---- several sites */

static void assert_sites(struct fixture *f, size_t n, int64_t home)
{
    assert_ok(&f->call, asks(f, several.token));
    assert_int_equal(who->n_grants, n);
    assert_int_equal(who->connection_id, home);
    assert_int_equal(who->site.connection_id, home);
    assert_int_equal(who->grants[0].site.connection_id, home);
}

static void sites_that_rest_drop_out(void **state)
{
    struct fixture *f = *state;
    const struct principal *there;
    ready(f);
    assert_sites(f, 3, 1);
    assert_ok(&f->call, principal_for(&f->call, who, 1, &there));
    assert_ptr_equal(there, who);
    assert_ok(&f->call, principal_for(&f->call, who, 2, &there));
    assert_int_equal(there->rights, RIGHT_READ | RIGHT_PUBLISH);
    assert_int_equal(there->site.connection_id, 2);
    assert_ok(&f->call, principal_for(&f->call, who, 3, &there));
    assert_int_equal(there->rights, RIGHT_READ | RIGHT_DRAFT);
    assert_int_equal(principal_for(&f->call, who, 99, &there), E_DENIED);
    sql(f, "UPDATE mcp_service_connections SET status = 'revoked' WHERE id = 2");
    assert_sites(f, 2, 1);
    assert_int_equal(principal_for(&f->call, who, 2, &there), E_DENIED);
    call_clear_error(&f->call);
    assert_ok(&f->call, authenticate_token(&f->call, several.token_id, &there));
    assert_int_equal(there->n_grants, 2);
    /* The first that can be used is whom it stands for. */
    sql(f, "UPDATE mcp_service_connections SET status = 'paused' WHERE id = 1");
    assert_sites(f, 1, 3);
    assert_text(who->site.name, "three");
    sql(f, "UPDATE mcp_service_connections SET status = 'error' WHERE id = 3");
    assert_int_equal(asks(f, several.token), E_DENIED);
    assert_says(&f->call, "is paused"); /* of the first */
    call_clear_error(&f->call);
    assert_int_equal(authenticate_token(&f->call, several.token_id, &there), E_UNAUTHENTICATED);
}

static void sites_whose_rows_were_changed(void **state)
{
    struct fixture *f = *state;
    char mac[MAC_HEX_BYTES];
    ready(f);
    /* Another's rights, of another kind of service, and words that are none though we had sealed them. */
    sql(f, "UPDATE mcp_token_grants SET rights = 'read,admin' WHERE connection_id = 3");
    assert_sites(f, 2, 1);
    sql(f, "INSERT INTO mcp_service_providers (\"key\", name, enabled, version) VALUES ('other', "
           "'Other', 1, '1')");
    sql(f, "UPDATE mcp_service_connections SET provider_id = (SELECT id FROM mcp_service_providers WHERE \"key\" = "
           "'other') "
           "WHERE id = 2");
    assert_sites(f, 1, 1);
    struct token_row row;
    const int64_t id = 3;
    assert_ok(&f->call, store_tokens_get(&f->call, USER_ANY, several.token_id, &row));
    const struct token_claims claims = {.token_id = row.id,
                                        .token_hash = row.token_hash,
                                        .connection_ids = &id,
                                        .n_connections = 1,
                                        .rights = STR("nonsense"),
                                        .confirm = STR("site three")};
    token_mac(&f->call, &claims, mac);
    assert_ok(&f->call, db_query(&f->call, f->db, NULL,
                                 "UPDATE mcp_token_grants SET rights = 'nonsense', mac = $1 WHERE connection_id = 3",
                                 DB_TEXT(str_from(mac))));
    assert_sites(f, 1, 1);
    sql(f, "UPDATE mcp_token_grants SET mac = ''");
    assert_int_equal(asks(f, several.token), E_UNAUTHENTICATED);
    assert_says(&f->call, "not valid any more");
    /* None is left that is that person's. */
    add_user(f, "bia@example.test", "+5511999990002");
    sql(f, "DELETE FROM mcp_token_grants WHERE connection_id <> 2");
    sql(f, "UPDATE mcp_service_connections SET user_id = 2 WHERE id = 2");
    assert_int_equal(asks(f, several.token), E_UNAUTHENTICATED);
    assert_says(&f->call, "not valid any more");
}

/* ---- what is remembered */

static void what_is_remembered_ends_in_time(void **state)
{
    struct fixture *f = *state;
    struct token_made brief;
    ready(f);
    const struct token_new new = {.rights = RIGHT_READ, .expires_at_ms = clock_now_ms() + 400};
    assert_ok(&f->call, tokens_add(&f->call, 1, 1, &new, &brief));
    assert_ok(&f->call, asks(f, brief.token));
    assert_ok(&f->call, asks(f, several.token));
    assert_ok(&f->call, authenticate(&f->call, brief.token, &who));
    while (authenticate(&f->call, brief.token, &who) == OK)
        usleep(20 * 1000);
    assert_says(&f->call, "has expired");
    /* Who asks again, and has less time than that takes at most, has it all the same. */
    assert_ok(&f->call, asks(f, several.token));
    usleep((AUTH_FRESH_MS + 50) * 1000);
    int64_t deadline_ms = f->call.deadline_ms;
    f->call.deadline_ms = clock_monotonic_ms() + AUTH_QUERY_MS / 2;
    int error = authenticate(&f->call, several.token, &who);
    f->call.deadline_ms = deadline_ms;
    assert_ok(&f->call, error);
}

/* ---- a database that fails in the middle */

static int asks_and_writes_use(struct fixture *f)
{
    int error = asks(f, several.token);
    return error ? error : authenticate_flush(&f->call);
}

static int writes_use(struct fixture *f)
{
    return authenticate_flush(&f->call);
}

static int asks_again(struct fixture *f)
{
    return authenticate(&f->call, several.token, &who);
}

static int asks_anew(struct fixture *f)
{
    return asks(f, several.token);
}

static int asks_by_id(struct fixture *f)
{
    return authenticate_token(&f->call, several.token_id, &who);
}

static void the_database_fails(void **state)
{
    struct fixture *f = *state;
    ready(f);
    assert_true(each_statement_fails(f, asks_and_writes_use) >= 5);
    assert_int_equal(who->n_grants, 3);
    assert_true(sql_int(f, "SELECT count(last_used_at) FROM mcp_token_details") == 1);
    assert_true(each_statement_fails(f, asks_by_id) >= 2);
    /* Who cannot begin to write the use notes it again when the token is used next. */
    assert_ok(&f->call, asks(f, several.token));
    sql(f, "UPDATE mcp_token_details SET last_used_at = NULL");
    assert_int_equal(while_others_hold_it(f, db_begin, writes_use), E_TIMEOUT);
    assert_ok(&f->call, asks_and_writes_use(f));
    assert_int_equal(sql_int(f, "SELECT count(last_used_at) FROM mcp_token_details"), 1);
    /* A database that has no time is away: what is known is believed. */
    usleep((AUTH_FRESH_MS + 50) * 1000);
    assert_ok(&f->call, while_others_hold_it(f, db_begin_snapshot, asks_again));
    assert_int_equal(who->n_grants, 3);
    assert_int_equal(while_others_hold_it(f, db_begin_snapshot, asks_anew), E_TIMEOUT);
    /* What is no pause is an error, and nothing is believed meanwhile. */
    sql(f, "ALTER TABLE mcp_token_grants RENAME TO away");
    assert_int_equal(asks(f, several.token), E_INTERNAL);
    sql(f, "ALTER TABLE away RENAME TO mcp_token_grants");
    assert_ok(&f->call, asks(f, several.token));
}

/* ---- the key of the cache */

static size_t n_drawn; /* how often random bytes for a key of SipHash were asked for */

static void draw(void *const buffer, const size_t size)
{
    n_drawn += size == crypto_shorthash_siphashx24_KEYBYTES;
    randombytes_sysrandom_implementation.buf(buffer, size);
}

/* Who knew the key could choose tokens that all come into one bucket. The first test: a process draws it once. */
static void nobody_knows_the_key_of_the_cache(void **state)
{
    struct fixture *f = *state;
    struct randombytes_implementation counted = randombytes_sysrandom_implementation;
    counted.buf = draw;
    n_drawn = 0;
    randombytes_set_implementation(&counted);
    int error = authenticate(&f->call, STR("x"), &who);
    size_t first = n_drawn;
    for (int i = 0; i < 3; i++)
        error = authenticate(&f->call, STR("x"), &who);
    randombytes_set_implementation(&randombytes_sysrandom_implementation);
    assert_int_equal(error, E_UNAUTHENTICATED);
    assert_int_equal(first, 1);
    assert_int_equal(n_drawn, 1);
}

/* ---- how often the database is asked */

static int n_asked;
static bool is_away, was_answered;
static struct str asked_meanwhile;
static int64_t meanwhile_ms; /* how long that took */

/* Counts the questions; while one is under way, another call may come with the same token. */
static void counted_run(struct call *call, struct db_link *link, const struct db_request *request, struct db_raw *raw,
                        struct db_outcome *outcome)
{
    struct str token = asked_meanwhile;
    asked_meanwhile = STR_EMPTY;
    n_asked++;
    if (token.len) {
        struct call other;
        const struct principal *same;
        call_init_piece(&other, call, 64 * 1024);
        int64_t began_ms = clock_monotonic_ms();
        was_answered = authenticate(&other, token, &same) == OK;
        meanwhile_ms = clock_monotonic_ms() - began_ms;
    }
    if (is_away)
        db_outcome_set(outcome, E_UNAVAILABLE, "the test's doing");
    else
        fault_driver->run(call, link, request, raw, outcome);
}

static struct db_driver counted_driver;

static void count_questions(struct fixture *f)
{
    fault_driver = f->db->driver;
    counted_driver = *fault_driver;
    counted_driver.run = counted_run;
    f->db->driver = &counted_driver;
    n_asked = 0;
    is_away = false;
}

/* The bare question, as `single` has no grants: one statement. */
static int asks_single(struct fixture *f)
{
    call_clear_error(&f->call);
    return authenticate(&f->call, single.token, &who);
}

static void sleep_until(int64_t monotonic_ms)
{
    int64_t left_ms = monotonic_ms - clock_monotonic_ms();
    if (left_ms > 0)
        usleep((useconds_t)left_ms * 1000);
}

/* While it is away it is asked once in AUTH_DOWN_MS, for all tokens together: each question may take AUTH_QUERY_MS. */
static void a_database_that_is_away_is_left_alone(void **state)
{
    struct fixture *f = *state;
    struct token_made second;
    ready(f);
    second = add_connection(f, 1, "four");
    assert_ok(&f->call, asks(f, single.token));
    assert_ok(&f->call, authenticate(&f->call, second.token, &who));
    count_questions(f);
    usleep((AUTH_FRESH_MS + 50) * 1000);
    is_away = true;
    for (int n = 1; n <= 2; n++) {
        int64_t began_ms = clock_monotonic_ms();
        int last, all;
        do { /* a machine that stood still for a second tells nothing */
            n_asked = 0;
            sleep_until(clock_monotonic_ms() + AUTH_DOWN_MS + 50);
            began_ms = clock_monotonic_ms();
            last = 0;
            for (int i = 0; i < 50; i++) {
                last |= asks_single(f);
                last |= authenticate(&f->call, second.token, &who);
            }
            all = n_asked;
        } while (clock_monotonic_ms() - began_ms >= AUTH_DOWN_MS);
        assert_int_equal(last, OK);
        assert_int_equal(all, 1);
    }
    f->db->driver = fault_driver;
}

/*
 * Shortly before an answer is too old one call asks again; those that come meanwhile believe it and wait for nothing. One that asked
 * too would wait for the link that the first one holds. More than one try: a machine may stand still for a moment.
 */
static void one_call_asks_again_for_all(void **state)
{
    struct fixture *f = *state;
    bool is_good = false;
    ready(f);
    count_questions(f);
    for (int round = 0; !is_good && round < 5; round++) {
        assert_ok(&f->call, asks(f, single.token));
        sleep_until(clock_monotonic_ms() + AUTH_REFRESH_MS + 10);
        n_asked = 0;
        was_answered = false;
        asked_meanwhile = single.token;
        assert_ok(&f->call, asks_single(f));
        assert_true(was_answered);
        is_good = n_asked == 1 && meanwhile_ms < AUTH_QUERY_MS / 2;
    }
    f->db->driver = fault_driver;
    assert_true(is_good);
}

/* Who asked and got no answer does not ask any more: as soon as the database is back, the next call does. */
static void after_a_failure_the_next_call_asks(void **state)
{
    struct fixture *f = *state;
    struct token_made second;
    const struct principal *other;
    ready(f);
    second = add_connection(f, 1, "four");
    count_questions(f);
    for (int round = 0; round < 2; round++) {
        is_away = false;
        assert_ok(&f->call, asks(f, single.token));
        sleep_until(clock_monotonic_ms() + AUTH_REFRESH_MS + 10);
        is_away = true;
        assert_ok(&f->call, asks_single(f));
        is_away = false;
        assert_ok(&f->call, authenticate(&f->call, second.token, &other)); /* it is seen to be back */
        n_asked = 0;
        assert_ok(&f->call, asks_single(f));
        assert_int_equal(n_asked, 1);
    }
    f->db->driver = fault_driver;
}

/* ---- from one site to another */

static void there_and_back(void **state)
{
    struct fixture *f = *state;
    const struct principal *there, *back;
    ready(f);
    assert_ok(&f->call, asks(f, several.token));
    assert_ok(&f->call, principal_for(&f->call, who, 3, &there));
    assert_ok(&f->call, principal_for(&f->call, there, 1, &back)); /* the first of its sites is not its own any more */
    assert_int_equal(back->connection_id, 1);
    assert_int_equal(back->site.connection_id, 1);
    assert_int_equal(back->rights, who->rights);
    assert_text(back->site.name, "one");
}

/* Of a database that lost the agreement: the token lives until its hour is over, and the call has no error of what was not found. */
static void an_access_token_without_its_agreement(void **state)
{
    struct fixture *f = *state;
    const struct principal *by_id;
    ready(f);
    sql(f, "PRAGMA foreign_keys = OFF");
    sql(f,
        "INSERT INTO mcp_oauth_tokens (token_id, grant_id, resource) VALUES (1, 'gone', 'https://here.example/mcp')");
    seal(f, single.token_id);
    call_clear_error(&f->call);
    assert_ok(&f->call, authenticate_token(&f->call, single.token_id, &by_id));
    assert_text(by_id->audience, "https://here.example/mcp");
    assert_int_equal(f->call.error, OK);
    assert_int_equal(f->call.error_text.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_SQLITE(nobody_knows_the_key_of_the_cache), /* before any other asks */
        ON_SQLITE(each_refusal_says_why),
        ON_SQLITE(sites_that_rest_drop_out),
        ON_SQLITE(sites_whose_rows_were_changed),
        ON_SQLITE(what_is_remembered_ends_in_time),
        ON_SQLITE(the_database_fails),
        ON_SQLITE(a_database_that_is_away_is_left_alone),
        ON_SQLITE(one_call_asks_again_for_all),
        ON_SQLITE(after_a_failure_the_next_call_asks),
        ON_SQLITE(there_and_back),
        ON_SQLITE(an_access_token_without_its_agreement),
    };
    return cmocka_run_group_tests(tests, test_folder_start, test_folder_stop);
}
