/* What people agreed to: what is refused, what ends a family, and a database that fails in the middle of each step. */
#include "accounts/accounts_test_help.h"

#include "accounts/consent.h"
#include "accounts/generation.h"
#include "crypto/token.h"
#include "oauth/clients.h"
#include "oauth/family.h"
#include "oauth/forget.h"
#include "oauth/grants.h"
#include "oauth/scopes.h"
#include "store/db_fault_test_help.h"

/* RFC 7636, appendix B. */
#define VERIFIER "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define REDIRECT "https://app.example/cb"
#define RESOURCE "https://mcp.example/mcp"

static const struct str not_said = {NULL, 0};

/* Of one test. */
static struct oauth_client_row client, stranger, own; /* own: with credentials of its own */
static int64_t sites[3];
static struct str code;
static struct grant_tokens tokens;
static struct str refresh_token;

static struct oauth_client_row registered(struct fixture *f)
{
    const struct json *description;
    struct oauth_client_row row;
    const char *error;
    assert_int_equal(json_parse(f->call.arena, STR("{\"client_name\":\"App\",\"redirect_uris\":[\"" REDIRECT "\"]}"),
                                NULL, &description, NULL),
                     OK);
    assert_ok(&f->call, clients_register(&f->call, description, STR("192.0.2.1"), &row, &error));
    return row;
}

static void ready(struct fixture *f)
{
    const char *const names[] = {"one", "two", "three"};
    int64_t ana = add_user(f, "ana@example.test", "+5511999990001");
    struct str secret;
    for (size_t i = 0; i < ARRAY_LENGTH(sites); i++)
        sites[i] = add_connection(f, ana, names[i]).connection_id;
    const struct client_new new = {.name = STR("Own"), .connection_id = sites[0], .made_by = ana};
    client = registered(f);
    stranger = registered(f);
    assert_ok(&f->call, clients_add(&f->call, &new, &own, &secret));
}

static struct grant_new wish(size_t n)
{
    return (struct grant_new){.user_id = 1,
                              .client = &client,
                              .connection_ids = sites,
                              .n_connections = n,
                              .rights = RIGHT_DRAFT,
                              .resource = STR(RESOURCE),
                              .redirect_uri = STR(REDIRECT),
                              .redirect_host = STR("app.example"),
                              .challenge = STR(CHALLENGE)};
}

static int agrees(struct fixture *f)
{
    const struct grant_new new = wish(2);
    call_clear_error(&f->call);
    return grants_agree(&f->call, &new, &code);
}

static int redeems_as(struct fixture *f, const struct oauth_client_row *as, struct redemption asked, const char **error)
{
    call_clear_error(&f->call);
    return grants_redeem(&f->call, as, &asked, &tokens, error);
}

static struct redemption well_asked(void)
{
    return (struct redemption){
        .code = code, .verifier = STR(VERIFIER), .redirect_uri = STR(REDIRECT), .resource = STR(RESOURCE)};
}

static int redeems(struct fixture *f)
{
    const char *error;
    return redeems_as(f, &client, well_asked(), &error);
}

static int refreshes_as(struct fixture *f, const struct oauth_client_row *as, struct str token, unsigned rights,
                        struct str resource, const char **error)
{
    call_clear_error(&f->call);
    return grants_refresh(&f->call, as, token, rights, resource, &tokens, error);
}

static int refreshes(struct fixture *f)
{
    const char *error;
    return refreshes_as(f, &client, refresh_token, 0, not_said, &error);
}

static void log_in(struct fixture *f)
{
    assert_ok(&f->call, agrees(f));
    assert_ok(&f->call, redeems(f));
    refresh_token = tokens.refresh;
}

static int64_t events(struct fixture *f, const char *action)
{
    struct db_rows rows;
    assert_ok(&f->call, db_query(&f->call, f->db, &rows, "SELECT count(*) FROM mcp_audit_logs WHERE action = $1",
                                 DB_TEXT(str_from(action))));
    return db_int(&rows, 0, 0);
}

/* ---- agreeing */

static int agrees_to(struct fixture *f, const int64_t *ids, size_t n)
{
    struct grant_new new = wish(n);
    new.connection_ids = ids;
    call_clear_error(&f->call);
    return grants_agree(&f->call, &new, &code);
}

static void what_cannot_be_agreed_to(void **state)
{
    struct fixture *f = *state;
    ready(f);
    int64_t many[GRANT_SITES_MAX + 1] = {0};
    int64_t others = add_connection(f, add_user(f, "bia@example.test", "+5511999990002"), "hers").connection_id;
    assert_int_equal(agrees_to(f, sites, 0), E_INVALID);
    assert_says(&f->call, "1 to 20");
    assert_int_equal(agrees_to(f, many, ARRAY_LENGTH(many)), E_INVALID);
    assert_int_equal(agrees_to(f, &others, 1), E_NOT_FOUND);
    const int64_t mixed[] = {sites[0], others};
    assert_int_equal(agrees_to(f, mixed, 2), E_NOT_FOUND);
    sql(f, "UPDATE mcp_service_connections SET status = 'revoked' WHERE name = 'two'");
    assert_int_equal(agrees_to(f, sites, 2), E_CONFLICT);
    assert_says(&f->call, "two");
    assert_int_equal(agrees_to(f, sites + 1, 1), E_CONFLICT);
    sql(f, "UPDATE mcp_service_connections SET status = 'active'");
    sql(f, "INSERT INTO mcp_service_providers (\"key\", name, enabled, version) VALUES ('other', "
           "'Other', 1, '1')");
    sql(f, "UPDATE mcp_service_connections SET provider_id = (SELECT id FROM mcp_service_providers WHERE \"key\" = "
           "'other') "
           "WHERE name = 'three'");
    assert_int_equal(agrees_to(f, sites, 3), E_INVALID);
    assert_says(&f->call, "one kind");
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_oauth_codes"), 0);
    assert_int_equal(
        sql_int(f, "SELECT count(*) FROM mcp_oauth_grants WHERE client_id <> (SELECT id FROM mcp_oauth_clients "
                   "WHERE kind = 'manual')"),
        0);
    assert_ok(&f->call, agrees_to(f, sites, 2));
    assert_int_equal(sql_int(f, "SELECT CAST(connections AS integer) FROM mcp_oauth_grants WHERE state = 'pending'"),
                     sites[1]);
}

static void one_family_too_many_ends_the_oldest(void **state)
{
    struct fixture *f = *state;
    struct oauth_grant_rows rows;
    struct oauth_grant_row found;
    bool is_found;
    ready(f);
    for (int i = 0; i < GRANTS_PER_CLIENT_MAX; i++)
        log_in(f);
    /* The one in the middle was not used for longest. */
    assert_ok(&f->call, grants_list(&f->call, 1, &rows));
    assert_int_equal(rows.count, GRANTS_PER_CLIENT_MAX + 1); /* and the one of `own` */
    struct str oldest = rows.items[20].id;
    assert_ok(&f->call, db_query(&f->call, f->db, NULL,
                                 "UPDATE mcp_oauth_grants SET used_at = '2020-01-01 00:00:00.000' WHERE id = $1",
                                 DB_TEXT(oldest)));
    sql(f, "UPDATE mcp_token_details SET last_used_at = NULL");
    assert_true(each_statement_fails(f, agrees) > 10);
    assert_int_equal(events(f, "oauth.end"), 1);
    struct db_rows ended;
    assert_ok(&f->call,
              db_query(&f->call, f->db, &ended, "SELECT id, ended_by FROM mcp_oauth_grants WHERE state = 'ended'"));
    assert_int_equal(ended.n_rows, 1);
    assert_true(str_eq(db_text(&ended, 0, 0), oldest));
    assert_text(db_text(&ended, 0, 1), "too many");
    /* What is remembered is the newest whose seal is right. */
    assert_ok(&f->call, grants_remembered(&f->call, 1, client.id, &found, &is_found));
    assert_true(is_found);
    assert_ok(&f->call, db_query(&f->call, f->db, NULL, "UPDATE mcp_oauth_grants SET mac = '' WHERE client_id = $1",
                                 DB_TEXT(client.id)));
    assert_ok(&f->call, grants_remembered(&f->call, 1, client.id, &found, &is_found));
    assert_false(is_found);
}

/* ---- codes */

static void check_refused(struct fixture *f, int result, const char *error, const char *expected)
{
    if (result != E_DENIED || !error || strcmp(error, expected) != 0)
        fail_msg("%s, %s instead of %s: %.*s", error_name(result), error ? error : "nothing", expected,
                 STR_ARG(f->call.error_text));
}

/* `error` is what `expression` sets. */
#define assert_refused(f, expression, error, expected)                                                                 \
    do {                                                                                                               \
        int refused_ = (expression);                                                                                   \
        check_refused(f, refused_, error, expected);                                                                   \
    } while (0)

static void codes_that_are_not_good(void **state)
{
    static const char *const edits[] = {
        "UPDATE mcp_oauth_codes SET expires_at = '2026-01-01 00:00:00.000'",
        "UPDATE mcp_oauth_codes SET mac = ''",
        "UPDATE mcp_oauth_codes SET challenge = '" CHALLENGE "x'",
        "UPDATE mcp_oauth_grants SET rights = 'read,draft,admin' WHERE state = 'pending'",
        "UPDATE mcp_oauth_grants SET state = 'active' WHERE state = 'pending'",
        "UPDATE mcp_oauth_grants SET state = 'ended' WHERE state = 'pending'",
        "DELETE FROM mcp_oauth_grants WHERE state = 'pending'",
    };
    struct fixture *f = *state;
    const char *error;
    ready(f);
    for (size_t i = 0; i < ARRAY_LENGTH(edits); i++) {
        assert_ok(&f->call, agrees(f));
        sql(f, edits[i]);
        assert_refused(f, redeems_as(f, &client, well_asked(), &error), error, "invalid_grant");
        sql(f, "DELETE FROM mcp_oauth_grants WHERE resource <> ''");
    }
    static const struct redemption wrong[] = {
        {.verifier = STR_INIT("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXx"), .redirect_uri = STR_INIT(REDIRECT)},
        {.verifier = STR_INIT(VERIFIER), .redirect_uri = STR_INIT(REDIRECT "2")},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        struct redemption asked = wrong[i];
        assert_ok(&f->call, agrees(f));
        asked.code = code;
        assert_refused(f, redeems_as(f, &client, asked, &error), error, "invalid_grant");
        assert_refused(f, redeems_as(f, &client, well_asked(), &error), error, "invalid_grant"); /* one attempt */
    }
    assert_ok(&f->call, agrees(f));
    assert_refused(f, redeems_as(f, &stranger, well_asked(), &error), error, "invalid_grant");
    assert_ok(&f->call, agrees(f));
    struct redemption asked = well_asked();
    asked.resource = STR("https://mcp.example/mcp/other");
    assert_refused(f, redeems_as(f, &client, asked, &error), error, "invalid_target");
    asked.code = token_make(&f->call, TOKEN_OAC);
    assert_refused(f, redeems_as(f, &client, asked, &error), error, "invalid_grant");
    asked.code = token_make(&f->call, TOKEN_OAT);
    assert_refused(f, redeems_as(f, &client, asked, &error), error, "invalid_grant");
    asked.code = STR("x");
    assert_refused(f, redeems_as(f, &client, asked, &error), error, "invalid_grant");
    assert_int_equal(events(f, "oauth.token"), 0);
    /* A client that takes no refresh token gets none; without a word about the resource it is the one agreed to. */
    assert_ok(&f->call, agrees(f));
    struct oauth_client_row once = client;
    once.grant_types = STR("authorization_code");
    asked = well_asked();
    asked.resource = not_said;
    assert_ok(&f->call, redeems_as(f, &once, asked, &error));
    assert_int_equal(tokens.refresh.len, 0);
    assert_in_range(tokens.expires_in_s, 3590, 3600);
    assert_int_equal(tokens.rights, RIGHT_READ | RIGHT_DRAFT);
}

/* Rows that say what we never wrote, though we had sealed them: nobody gets anything, and nothing breaks. */
static void seal_grant(struct fixture *f, const char *edit)
{
    struct oauth_grant_row row;
    sql(f, edit);
    struct str id = sql_text(f, "SELECT id FROM mcp_oauth_grants WHERE resource <> ''");
    assert_ok(&f->call, store_oauth_grants_get(&f->call, 1, id, &row));
    struct str mac = consent_mac(&f->call, &row);
    assert_ok(&f->call, db_query(&f->call, f->db, NULL, "UPDATE mcp_oauth_grants SET mac = $1 WHERE id = $2",
                                 DB_TEXT(mac), DB_TEXT(id)));
}

static void rows_of_nonsense(void **state)
{
#define GRANT_SET(what) "UPDATE mcp_oauth_grants SET " what " WHERE resource <> ''"
    struct fixture *f = *state;
    const char *error;
    const struct principal *who;
    ready(f);
    assert_ok(&f->call, agrees(f));
    seal_grant(f, GRANT_SET("rights = 'nonsense'"));
    assert_int_equal(redeems(f), E_INVALID);
    seal_grant(f, GRANT_SET("rights = 'read,draft'"));
    assert_ok(&f->call, redeems(f)); /* that attempt was undone */
    refresh_token = tokens.refresh;
    seal_grant(f, GRANT_SET("rights = 'nonsense'"));
    assert_int_equal(refreshes(f), E_INVALID);
    seal_grant(f, GRANT_SET("rights = 'read,draft', state = 'pending'"));
    assert_refused(f, refreshes_as(f, &client, refresh_token, 0, not_said, &error), error, "invalid_grant");
    seal_grant(f, GRANT_SET("state = 'active', connections = '2,x,,3,"
                            "3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3'"));
    assert_true(refreshes(f) != OK || authenticate(&f->call, tokens.access, &who) == OK);
    sql(f, "UPDATE mcp_oauth_grants SET rights = 'nonsense' WHERE resource = ''");
    assert_refused(f, grants_give_standing(&f->call, &own, 0, STR(RESOURCE), &tokens, &error), error, "invalid_grant");
}

static void proofs_of_the_wrong_form(void **state)
{
    char longest[130];
    (void)state;
    memset(longest, 'a', sizeof longest);
    assert_false(pkce_is_answered(STR(CHALLENGE), str_of(longest, 42)));
    assert_false(pkce_is_answered(STR(CHALLENGE), str_of(longest, 43)));
    assert_false(pkce_is_answered(STR(CHALLENGE), str_of(longest, 128)));
    assert_false(pkce_is_answered(STR(CHALLENGE), str_of(longest, 129)));
    assert_false(pkce_is_answered(STR(CHALLENGE "x"), STR(VERIFIER)));
    assert_false(pkce_is_answered(STR(CHALLENGE), STR("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjX+")));
    assert_false(pkce_is_answered(STR(CHALLENGE), STR("~Bjf.JeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")));
    assert_true(pkce_is_answered(STR(CHALLENGE), STR(VERIFIER)));
}

static void sites_that_went_meanwhile(void **state)
{
    struct fixture *f = *state;
    const char *error;
    const struct principal *who;
    ready(f);
    for (int i = 0; i < 3; i++) {
        sql(f, "UPDATE mcp_service_connections SET status = 'active'");
        assert_ok(&f->call, agrees_to(f, sites, 3));
        if (i == 1)
            sql(f, "UPDATE mcp_service_connections SET status = 'revoked' WHERE name = 'two'");
        if (i == 2)
            sql(f, "DELETE FROM mcp_service_connections WHERE name = 'three'");
        assert_ok(&f->call, redeems(f));
        assert_ok(&f->call, authenticate(&f->call, tokens.access, &who));
        assert_int_equal(who->n_grants, i ? 2 : 3);
    }
    assert_ok(&f->call, agrees_to(f, sites, 1));
    sql(f, "UPDATE mcp_service_connections SET status = 'revoked' WHERE name = 'one'");
    assert_refused(f, redeems_as(f, &client, well_asked(), &error), error, "invalid_grant");
    assert_says(&f->call, "revoked");
}

static void a_code_that_comes_twice_ends_its_family(void **state)
{
    struct fixture *f = *state;
    const char *error;
    const struct principal *who;
    ready(f);
    log_in(f);
    struct str access = tokens.access;
    assert_ok(&f->call, authenticate(&f->call, access, &who));
    assert_refused(f, redeems_as(f, &client, well_asked(), &error), error, "invalid_grant");
    assert_int_equal(authenticate(&f->call, access, &who), E_UNAUTHENTICATED);
    assert_int_equal(events(f, "oauth.replay"), 1);
    assert_refused(f, redeems_as(f, &client, well_asked(), &error), error, "invalid_grant");
    assert_int_equal(events(f, "oauth.replay"), 1); /* it ended once */
}

/* ---- refresh tokens */

static void refresh_tokens_that_are_not_good(void **state)
{
    struct fixture *f = *state;
    const char *error;
    ready(f);
    log_in(f);
    struct str mine = refresh_token;
    assert_refused(f, refreshes_as(f, &client, STR("x"), 0, not_said, &error), error, "invalid_grant");
    assert_refused(f, refreshes_as(f, &client, tokens.access, 0, not_said, &error), error, "invalid_grant");
    assert_refused(f, refreshes_as(f, &client, token_make(&f->call, TOKEN_ORT), 0, not_said, &error), error,
                   "invalid_grant");
    assert_refused(f, refreshes_as(f, &stranger, mine, 0, not_said, &error), error, "invalid_grant");
    assert_refused(f, refreshes_as(f, &client, mine, 0, STR("https://mcp.example/x"), &error), error, "invalid_target");
    assert_refused(f, refreshes_as(f, &client, mine, RIGHT_ADMIN, not_said, &error), error, "invalid_scope");
    struct str mac = sql_text(f, "SELECT mac FROM mcp_oauth_refresh_tokens");
    sql(f, "UPDATE mcp_oauth_refresh_tokens SET mac = ''");
    assert_refused(f, refreshes_as(f, &client, mine, 0, not_said, &error), error, "invalid_grant");
    assert_ok(&f->call, db_query(&f->call, f->db, NULL, "UPDATE mcp_oauth_refresh_tokens SET mac = $1", DB_TEXT(mac)));
    /* Each of them was what refused it. Fewer rights for once; the next time all that was agreed to. */
    assert_ok(&f->call, refreshes_as(f, &client, mine, RIGHT_READ, STR(RESOURCE), &error));
    assert_int_equal(tokens.rights, RIGHT_READ);
    struct grant_tokens first = tokens;
    assert_ok(&f->call, refreshes_as(f, &client, mine, 0, not_said, &error)); /* the answer was lost */
    assert_true(str_eq(tokens.access, first.access) && str_eq(tokens.refresh, first.refresh));
    assert_int_equal(tokens.rights, RIGHT_READ);
    assert_in_range(tokens.expires_in_s, 3590, 3600);
    assert_ok(&f->call, refreshes_as(f, &client, first.refresh, 0, not_said, &error));
    assert_int_equal(tokens.rights, RIGHT_READ | RIGHT_DRAFT);
    /* What was given for it is gone: there is nothing to give again. */
    sql(f, "DELETE FROM mcp_tokens WHERE id IN (SELECT token_id FROM mcp_oauth_tokens)");
    assert_refused(f, refreshes_as(f, &client, mine, 0, not_said, &error), error, "invalid_grant");
    assert_int_equal(events(f, "oauth.replay"), 0);
}

static void an_old_one_ends_its_family(void **state)
{
    struct fixture *f = *state;
    const char *error;
    ready(f);
    log_in(f);
    assert_ok(&f->call, refreshes(f));
    grants_init(1);
    usleep(5000);
    assert_refused(f, refreshes_as(f, &client, refresh_token, 0, not_said, &error), error, "invalid_grant");
    grants_init(0);
    assert_int_equal(events(f, "oauth.replay"), 1);
    assert_refused(f, refreshes_as(f, &client, tokens.refresh, 0, not_said, &error), error, "invalid_grant");
}

static void a_family_ends_in_time(void **state)
{
    struct fixture *f = *state;
    const char *error;
    struct oauth_grant_row row;
    ready(f);
    log_in(f);
    struct str id = sql_text(f, "SELECT id FROM mcp_oauth_grants WHERE resource <> ''");
    assert_ok(&f->call, store_oauth_grants_get(&f->call, 1, id, &row));
    /* Half an hour is left of it: no token lives longer. */
    row.ends_at_ms = clock_now_ms() + 1800 * 1000;
    row.expires_at_ms = clock_now_ms() + 1000;
    struct str mac = consent_mac(&f->call, &row);
    assert_ok(&f->call, db_query(&f->call, f->db, NULL,
                                 "UPDATE mcp_oauth_grants SET ends_at = $1, expires_at = $2, mac = $3 WHERE id = $4",
                                 DB_TIME(row.ends_at_ms), DB_TIME(row.expires_at_ms), DB_TEXT(mac), DB_TEXT(id)));
    assert_ok(&f->call, refreshes(f));
    assert_in_range(tokens.expires_in_s, 1790, 1800);
    assert_ok(&f->call, store_oauth_grants_get(&f->call, 1, id, &row));
    assert_in_range(row.expires_at_ms, row.ends_at_ms - 10, row.ends_at_ms);
    row.expires_at_ms = clock_now_ms() - 1;
    mac = consent_mac(&f->call, &row);
    assert_ok(&f->call,
              db_query(&f->call, f->db, NULL, "UPDATE mcp_oauth_grants SET expires_at = $1, mac = $2 WHERE id = $3",
                       DB_TIME(row.expires_at_ms), DB_TEXT(mac), DB_TEXT(id)));
    assert_refused(f, refreshes_as(f, &client, tokens.refresh, 0, not_said, &error), error, "invalid_grant");
}

/* ---- credentials of its own */

static int stands(struct fixture *f)
{
    const char *error;
    call_clear_error(&f->call);
    return grants_give_standing(&f->call, &own, 0, STR(RESOURCE), &tokens, &error);
}

static void credentials_of_its_own(void **state)
{
    struct fixture *f = *state;
    const char *error;
    ready(f);
    assert_ok(&f->call, stands(f));
    assert_int_equal(tokens.rights, RIGHT_READ | RIGHT_DRAFT);
    assert_int_equal(tokens.refresh.len, 0);
    assert_ok(&f->call, grants_give_standing(&f->call, &own, RIGHT_READ, STR(RESOURCE), &tokens, &error));
    assert_int_equal(tokens.rights, RIGHT_READ);
    assert_refused(f, grants_give_standing(&f->call, &own, RIGHT_ADMIN, STR(RESOURCE), &tokens, &error), error,
                   "invalid_scope");
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_oauth_tokens"), 2); /* each run has its own */
    sql(f, "UPDATE mcp_oauth_grants SET state = 'ended'");
    assert_refused(f, grants_give_standing(&f->call, &own, 0, STR(RESOURCE), &tokens, &error), error, "invalid_grant");
    assert_says(&f->call, "Make a new client");
}

/* ---- giving back, and ending */

static struct str given;
static bool has_changed;

static int revokes(struct fixture *f)
{
    call_clear_error(&f->call);
    return grants_revoke_token(&f->call, &client, given, &has_changed);
}

static int ends(struct fixture *f)
{
    call_clear_error(&f->call);
    return grants_end(&f->call, 1, given);
}

static void what_is_given_back(void **state)
{
    struct fixture *f = *state;
    const struct principal *who;
    ready(f);
    log_in(f);
    struct grant_tokens mine = tokens;
    const struct str nothing[] = {STR_INIT("x"), token_make(&f->call, TOKEN_PAT), token_make(&f->call, TOKEN_OAT),
                                  token_make(&f->call, TOKEN_ORT)};
    uint64_t generation = generation_now(); /* only what changes something moves it: anybody may ask */
    for (size_t i = 0; i < ARRAY_LENGTH(nothing); i++) {
        given = nothing[i];
        assert_ok(&f->call, revokes(f));
        assert_false(has_changed);
    }
    assert_ok(&f->call, grants_revoke_token(&f->call, &stranger, mine.access, &has_changed));
    assert_false(has_changed);
    assert_ok(&f->call, grants_revoke_token(&f->call, &stranger, mine.refresh, &has_changed));
    assert_false(has_changed);
    assert_ok(&f->call, authenticate(&f->call, mine.access, &who));
    sql(f, "UPDATE mcp_oauth_refresh_tokens SET mac = 'x' || mac");
    given = mine.refresh;
    assert_ok(&f->call, revokes(f)); /* of a row that was changed: nothing happens */
    assert_true(generation_now() == generation);
    assert_ok(&f->call, authenticate(&f->call, mine.access, &who));
    sql(f, "UPDATE mcp_oauth_refresh_tokens SET mac = substr(mac, 2)");
    given = mine.access;
    for (int i = 0; i < 2; i++) {
        generation = generation_now();
        assert_ok(&f->call, revokes(f));
        assert_int_equal(has_changed, i == 0);
        assert_int_equal(generation_now() != generation, i == 0);
        assert_int_equal(events(f, "oauth.revoke"), 1);
    }
    assert_int_equal(authenticate(&f->call, mine.access, &who), E_UNAUTHENTICATED);
    call_clear_error(&f->call);
    assert_int_equal(events(f, "oauth.end"), 0);
    given = mine.refresh;
    for (int i = 0; i < 2; i++) {
        generation = generation_now();
        assert_ok(&f->call, revokes(f));
        assert_int_equal(has_changed, i == 0);
        assert_int_equal(generation_now() != generation, i == 0);
        assert_int_equal(events(f, "oauth.end"), 1);
    }
    /* By its owner, who is nobody else. */
    log_in(f);
    given = sql_text(f, "SELECT id FROM mcp_oauth_grants WHERE state = 'active' AND resource <> ''");
    assert_int_equal(grants_end(&f->call, 2, given), E_NOT_FOUND);
    call_clear_error(&f->call);
    for (int i = 0; i < 2; i++) {
        generation = generation_now();
        assert_ok(&f->call, ends(f));
        assert_int_equal(generation_now() != generation,
                         i == 0); /* what is remembered of its tokens is worth nothing */
        assert_int_equal(events(f, "oauth.end"), 2);
    }
}

/* ---- a database that fails in the middle: nothing is half done, and the same may be asked again */

static void the_database_fails(void **state)
{
    struct fixture *f = *state;
    const struct principal *who;
    ready(f);
    assert_true(each_statement_fails(f, agrees) > 5);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_oauth_codes"), 1);
    assert_true(each_statement_fails(f, redeems) > 10);
    refresh_token = tokens.refresh;
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_oauth_tokens"), 1);
    assert_true(each_statement_fails(f, refreshes) > 10);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_oauth_tokens"), 2);
    assert_true(each_statement_fails(f, refreshes) > 3); /* once more the same */
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_oauth_tokens"), 2);
    assert_ok(&f->call, authenticate(&f->call, tokens.access, &who));
    given = tokens.access;
    assert_true(each_statement_fails(f, revokes) > 4);
    given = tokens.refresh;
    assert_true(each_statement_fails(f, revokes) > 4);
    assert_int_equal(events(f, "oauth.end"), 1);
    assert_true(each_statement_fails(f, stands) > 8);
    given = sql_text(f, "SELECT id FROM mcp_oauth_grants WHERE state = 'active'");
    assert_true(each_statement_fails(f, ends) > 4);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_oauth_grants WHERE state = 'active'"), 0);
    /* Forgetting is tried again later; whoever asked for something else does not hear of it. */
    one_statement_fails(f, 0, forget_old);
    assert_int_equal(f->call.error, OK);
}

/* Who cannot even begin is told so, and may ask the same again. */
static void the_database_has_no_time(void **state)
{
    static int (*const operations[])(struct fixture * f) = {agrees, redeems, refreshes, revokes, stands, ends};
    struct fixture *f = *state;
    ready(f);
    for (size_t i = 0; i < ARRAY_LENGTH(operations); i++) {
        refresh_token = tokens.refresh;
        given = operations[i] == ends ? sql_text(f, "SELECT max(id) FROM mcp_oauth_grants WHERE state = 'active'")
                                      : tokens.access;
        assert_int_equal(while_others_hold_it(f, db_begin, operations[i]), E_TIMEOUT);
        assert_ok(&f->call, operations[i](f));
    }
}

static int comes_twice(struct fixture *f)
{
    int error = redeems(f);
    return error == E_DENIED ? OK : error;
}

static void the_database_fails_at_a_replay(void **state)
{
    struct fixture *f = *state;
    ready(f);
    log_in(f);
    assert_true(each_statement_fails(f, comes_twice) > 5);
    assert_int_equal(events(f, "oauth.replay"), 1);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_oauth_grants WHERE state = 'ended'"), 1);
}

/* ---- scopes */

static void words_of_scopes(void **state)
{
    static const struct {
        const char *text;
        unsigned rights; /* 0: refused */
    } cases[] = {
        {"read", RIGHT_READ},
        {"draft publish", RIGHT_READ | RIGHT_DRAFT | RIGHT_PUBLISH},
        {"draft openid  email", RIGHT_READ | RIGHT_DRAFT},
        {"offline_access", RIGHTS_DEFAULT},
        {"offline_access delete", RIGHT_READ | RIGHT_DELETE},
        {"openid", 0},
        {"", 0},
        {"read,admin", 0},
        {"READ", 0},
    };
    struct fixture *f = *state;
    unsigned rights;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        rights = 0;
        call_clear_error(&f->call);
        assert_int_equal(scopes_parse(&f->call, str_from(cases[i].text), &rights), cases[i].rights ? OK : E_INVALID);
        assert_int_equal(rights, cases[i].rights);
    }
    char words[64 * 2 + 3];
    for (size_t i = 0; i < sizeof words; i++)
        words[i] = i % 2 ? ' ' : 'x';
    call_clear_error(&f->call);
    assert_ok(&f->call, scopes_parse(&f->call, call_format(&f->call, "%.*sread", 63 * 2, words), &rights));
    assert_int_equal(scopes_parse(&f->call, call_format(&f->call, "%.*sread", 64 * 2, words), &rights), E_INVALID);
    assert_says(&f->call, "too many");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_SQLITE(what_cannot_be_agreed_to),
        ON_SQLITE(one_family_too_many_ends_the_oldest),
        ON_SQLITE(codes_that_are_not_good),
        ON_SQLITE(rows_of_nonsense),
        cmocka_unit_test(proofs_of_the_wrong_form),
        ON_SQLITE(sites_that_went_meanwhile),
        ON_SQLITE(a_code_that_comes_twice_ends_its_family),
        ON_SQLITE(refresh_tokens_that_are_not_good),
        ON_SQLITE(an_old_one_ends_its_family),
        ON_SQLITE(a_family_ends_in_time),
        ON_SQLITE(credentials_of_its_own),
        ON_SQLITE(what_is_given_back),
        ON_SQLITE(the_database_fails),
        ON_SQLITE(the_database_has_no_time),
        ON_SQLITE(the_database_fails_at_a_replay),
        ON_SQLITE(words_of_scopes),
    };
    return cmocka_run_group_tests(tests, test_folder_start, test_folder_stop);
}
