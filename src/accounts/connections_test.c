/* Connections and their tokens: what each operation changes, and what it leaves alone. */
#include "accounts/accounts_test_help.h"

#include "accounts/token_rotate.h"
#include "crypto/token.h"

static enum token_type type_of(struct str token)
{
    enum token_type type = TOKEN_TYPES;
    return token_check(token, &type) ? type : TOKEN_TYPES;
}

static int opens(struct fixture *f, struct str token)
{
    const struct principal *who;
    int error = authenticate(&f->call, token, &who);
    if (!error)
        assert_true(who->token_id > 0);
    return error;
}

/* The five columns that mirror the primary token. */
static void assert_mirror(struct fixture *f, int64_t id, const struct token_made *made)
{
    struct connection_row row;
    struct token_row primary;
    assert_ok(&f->call, connections_show(&f->call, USER_ANY, id, &row));
    assert_int_equal(row.token_hash.len, 64);
    if (!made) {
        assert_text(row.token_last4, "");
        assert_int_equal(store_tokens_primary(&f->call, id, &primary), E_NOT_FOUND);
        return;
    }
    char hash[MAC_HEX_BYTES];
    token_hash(made->token, hash);
    assert_text(row.token_hash, hash);
    assert_true(str_eq(row.token_last4, made->last4));
    assert_ok(&f->call, store_tokens_primary(&f->call, id, &primary));
    assert_int_equal(primary.id, made->token_id);
    assert_true(primary.is_primary && !primary.revoked_at_ms);
}

static void adding(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    int64_t user = add_user(f, "ana@example.test", "+5511999990001");
    struct token_made made = add_connection(f, user, "  My site ");
    assert_int_equal(type_of(made.token), TOKEN_PAT);
    assert_true(str_eq(made.last4, str_from_offset(made.token, made.token.len - 4)));
    assert_mirror(f, made.connection_id, &made);
    assert_ok(call, opens(f, made.token));

    struct connection_row row;
    assert_ok(call, connections_show(call, user, made.connection_id, &row));
    assert_text(row.name, "My site");
    assert_text(row.status, "active");
    assert_text(row.provider_key, "wordpress");
    assert_text(row.user_email, "ana@example.test");
    assert_false(row.check.found);

    struct site site;
    struct str plain;
    assert_ok(call, connections_site(call, user, made.connection_id, &site));
    assert_false(str_contains(site.secret.sealed_json, STR("abcd")));
    assert_ok(call, seal_open(call, &site.secret, &plain));
    assert_text(plain, "{\"username\":\"ana\",\"app_password\":\"abcd efgh\"}");

    struct token_rows tokens;
    assert_ok(call, tokens_list(call, user, made.connection_id, &tokens));
    assert_int_equal(tokens.count, 1);
    assert_text(tokens.items[0].name, "primary");
    assert_text(tokens.items[0].rights, "read,publish");
    struct str audit = sql_text(f, "SELECT CAST(data AS text) FROM mcp_audit_logs WHERE action = 'connections.create'");
    assert_true(str_contains(audit, made.last4));
    assert_false(str_contains(audit, made.token));
}

static void adding_is_refused(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    int64_t user = add_user(f, "ana@example.test", "+5511999990001");
    struct token_made made;
    add_connection(f, user, "site");
    struct connection_new good = {
        .user_id = user,
        .provider_key = STR("wordpress"),
        .name = STR("other"),
        .config_json = STR("{}"),
        .secret_json = STR("{}"),
        .token = {.rights = RIGHTS_DEFAULT},
    };
    struct connection_new bad = good;
    bad.name = STR("site");
    assert_int_equal(connections_add(call, &bad, &made), E_CONFLICT);
    bad = good;
    bad.name = STR(" ");
    assert_int_equal(connections_add(call, &bad, &made), E_INVALID);
    bad = good;
    bad.provider_key = STR("nothing");
    assert_int_equal(connections_add(call, &bad, &made), E_NOT_FOUND);
    bad = good;
    bad.user_id = user + 100;
    assert_int_equal(connections_add(call, &bad, &made), E_NOT_FOUND);
    bad = good;
    bad.config_json = STR("[]");
    assert_int_equal(connections_add(call, &bad, &made), E_INVALID);
    bad = good;
    bad.secret_json = STR("{");
    assert_int_equal(connections_add(call, &bad, &made), E_INVALID);
    bad = good;
    bad.token.expires_at_ms = 1000;
    assert_int_equal(connections_add(call, &bad, &made), E_INVALID);
    assert_ok(call, providers_set_enabled(call, STR("wordpress"), false));
    assert_int_equal(connections_add(call, &good, &made), E_DENIED);
    assert_int_equal(providers_set_enabled(call, STR("nothing"), false), E_NOT_FOUND);
    /* Nothing of all that is left. */
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_service_connections"), 1);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_tokens"), 1);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_logs WHERE action = 'connections.create'"), 1);
    /* Another user may use the same name. */
    assert_ok(call, providers_set_enabled(call, STR("wordpress"), true));
    add_connection(f, add_user(f, "bia@example.test", "+5511999990002"), "site");
}

static void a_secret_does_not_open_in_another_row(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    int64_t ana = add_user(f, "ana@example.test", "+5511999990001");
    int64_t bia = add_user(f, "bia@example.test", "+5511999990002");
    struct token_made first = add_connection(f, ana, "one"), second = add_connection(f, ana, "two"),
                      third = add_connection(f, bia, "three");
    assert_ok(call, db_query(call, f->db, NULL,
                             "UPDATE mcp_service_connections SET secret_json = "
                             "(SELECT s.secret_json FROM mcp_service_connections s WHERE s.id = $1) WHERE id <> $1",
                             DB_INT(first.connection_id)));
    struct site site;
    struct str plain;
    assert_ok(call, connections_site(call, USER_ANY, first.connection_id, &site));
    assert_ok(call, seal_open(call, &site.secret, &plain));
    assert_ok(call, connections_site(call, USER_ANY, second.connection_id, &site));
    assert_int_equal(seal_open(call, &site.secret, &plain), E_CRYPTO);
    assert_says(call, "Enter the password again");
    assert_ok(call, connections_site(call, USER_ANY, third.connection_id, &site));
    assert_int_equal(seal_open(call, &site.secret, &plain), E_CRYPTO);
    /* A key that does not fit is an error, and nothing is overwritten with remains (rotating and pausing do not touch it). */
    struct str before = sql_text(f, "SELECT CAST(secret_json AS text) FROM mcp_service_connections WHERE name = 'two'");
    struct token_made made;
    assert_ok(call, connections_rotate_token(call, ana, second.connection_id, &made));
    assert_ok(call, connections_pause(call, ana, second.connection_id));
    assert_true(str_eq(
        before, sql_text(f, "SELECT CAST(secret_json AS text) FROM mcp_service_connections WHERE name = 'two'")));
    /* Entering it again heals. */
    assert_ok(call, connections_set_secret(call, ana, second.connection_id, STR("{}"), STR("{\"x\":\"new\"}")));
    assert_ok(call, connections_site(call, ana, second.connection_id, &site));
    assert_ok(call, seal_open(call, &site.secret, &plain));
    assert_text(plain, "{\"x\":\"new\"}");
}

static void rotating(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    int64_t user = add_user(f, "ana@example.test", "+5511999990001");
    struct token_made first = add_connection(f, user, "site"), further, second, third;
    struct token_new token = {.name = STR("n8n"), .rights = RIGHT_READ};
    int64_t id = first.connection_id;
    assert_ok(call, tokens_add(call, user, id, &token, &further));
    sql(f, "UPDATE mcp_service_connections SET token_created_at = '2020-01-01 00:00:00.000', "
           "updated_at = '2020-01-01 00:00:00.000'");
    assert_ok(call, connections_rotate_token(call, user, id, &second));
    assert_int_equal(opens(f, first.token), E_UNAUTHENTICATED);
    assert_ok(call, opens(f, second.token));
    assert_ok(call, opens(f, further.token));
    assert_mirror(f, id, &second);
    struct connection_row row;
    assert_ok(call, connections_show(call, user, id, &row));
    assert_true(row.token_created_at_ms > clock_now_ms() - 60 * 1000);
    assert_true(row.updated_at_ms > clock_now_ms() - 60 * 1000);

    /* The times of what ended before stay as they were. */
    sql(f, "UPDATE mcp_tokens SET revoked_at = '2020-01-01 00:00:00.000' WHERE revoked_at IS NOT NULL");
    assert_ok(call, connections_rotate_token(call, user, id, &third));
    struct token_row old;
    assert_ok(call, store_tokens_get(call, user, first.token_id, &old));
    assert_int_equal(old.revoked_at_ms, 1577836800000);
    assert_ok(call, store_tokens_get(call, user, second.token_id, &old));
    assert_true(old.revoked_at_ms > clock_now_ms() - 60 * 1000);
    struct token_row primary;
    assert_ok(call, store_tokens_primary(call, id, &primary));
    assert_text(primary.rights, "read,publish");
    assert_text(primary.name, "primary");

    /* Rights that were edited in the row are not taken over. */
    sql(f, "UPDATE mcp_token_details SET rights = 'read,draft,publish,delete,fetch,admin'");
    assert_ok(call, connections_rotate_token(call, user, id, &third));
    assert_ok(call, store_tokens_primary(call, id, &primary));
    assert_text(primary.rights, "read,draft");
}

/* Whether it has ended or not: the one after it never lives for good. */
static void rotating_one_that_expires(void **state)
{
    enum { LIFE_MS = 2000 };
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct connection_new connection = {
        .user_id = add_user(f, "ana@example.test", "+5511999990001"),
        .provider_key = STR("wordpress"),
        .name = STR("site"),
        .config_json = STR("{}"),
        .secret_json = STR("{}"),
        .token = {.rights = RIGHT_READ, .expires_at_ms = clock_now_ms() + LIFE_MS},
    };
    struct token_row primary;
    struct token_made made;
    assert_ok(call, connections_add(call, &connection, &made));
    int64_t id = made.connection_id;
    usleep(1000 * (LIFE_MS + 1));
    assert_ok(call, store_tokens_primary(call, id, &primary));
    assert_string_equal(token_state(&primary), "expired");
    for (int i = 0; i < 2; i++) {
        assert_ok(call, connections_rotate_token(call, connection.user_id, id, &made));
        assert_ok(call, store_tokens_primary(call, id, &primary));
        assert_int_equal(primary.id, made.token_id);
        assert_in_range(primary.expires_at_ms - primary.created_at_ms, 1, LIFE_MS);
    }
}

static void a_newer_token_in_the_place_of_one(void **state)
{
    enum { HOUR_MS = 3600 * 1000 };
    struct fixture *f = *state;
    struct call *call = &f->call;
    int64_t user = add_user(f, "ana@example.test", "+5511999990001"), expires_at_ms, ends_at_ms, now = clock_now_ms();
    struct token_made home = add_connection(f, user, "home"), blog = add_connection(f, user, "blog"),
                      shop = add_connection(f, user, "shop"), old, newer;
    const struct token_site sites[] = {{blog.connection_id, RIGHT_READ}, {shop.connection_id, RIGHT_READ}};
    const struct token_new token = {
        .rights = RIGHT_READ, .expires_at_ms = now + HOUR_MS, .sites = sites, .n_sites = ARRAY_LENGTH(sites)};
    struct token_row row;
    assert_ok(call, tokens_add(call, user, home.connection_id, &token, &old));

    /* It goes on no longer than it would have, and that is what is told. */
    ends_at_ms = now + 5 * HOUR_MS;
    assert_ok(call, token_rotate(call, user, old.token_id, &ends_at_ms, &newer, &expires_at_ms));
    assert_int_equal(ends_at_ms, now + HOUR_MS);
    assert_ok(call, store_tokens_get(call, user, old.token_id, &row));
    assert_int_equal(row.expires_at_ms, now + HOUR_MS);
    struct str audit = sql_text(f, "SELECT CAST(data AS text) FROM mcp_audit_logs WHERE action = 'tokens.rotate'");
    assert_true(str_contains(audit, call_format(call, "%lld", (long long)ends_at_ms)));
    assert_text(newer.sites, "home, blog, shop");
    old = newer;
    ends_at_ms = now + HOUR_MS / 2;
    assert_ok(call, token_rotate(call, user, old.token_id, &ends_at_ms, &newer, &expires_at_ms));
    assert_int_equal(ends_at_ms, now + HOUR_MS / 2);

    /* A connection that was revoked is left out, and holds nothing up. */
    assert_ok(call, connections_revoke(call, user, blog.connection_id));
    ends_at_ms = 0;
    old = newer;
    assert_ok(call, token_rotate(call, user, old.token_id, &ends_at_ms, &newer, &expires_at_ms));
    assert_int_equal(ends_at_ms, 0);
    assert_text(newer.sites, "home, shop");
    assert_ok(call, opens(f, newer.token));
    assert_int_equal(opens(f, old.token), E_UNAUTHENTICATED);
    assert_ok(call, connections_revoke(call, user, shop.connection_id));
    assert_ok(call, token_rotate(call, user, newer.token_id, &ends_at_ms, &newer, &expires_at_ms));
    assert_text(newer.sites, "");
    assert_ok(call, opens(f, newer.token));
}

static void revoking_a_connection(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    int64_t user = add_user(f, "ana@example.test", "+5511999990001");
    struct token_made primary = add_connection(f, user, "site"), further, none;
    struct token_new token = {.rights = RIGHT_READ};
    int64_t id = primary.connection_id;
    assert_ok(call, tokens_add(call, user, id, &token, &further));
    assert_ok(call, tokens_revoke(call, user, further.token_id));
    sql(f, "UPDATE mcp_tokens SET revoked_at = '2020-01-01 00:00:00.000' WHERE revoked_at IS NOT NULL");
    assert_ok(call, connections_revoke(call, user, id));
    assert_int_equal(opens(f, primary.token), E_UNAUTHENTICATED);
    assert_mirror(f, id, NULL);
    struct token_row row;
    assert_ok(call, store_tokens_get(call, user, further.token_id, &row));
    assert_int_equal(row.revoked_at_ms, 1577836800000);
    /* Again changes nothing, and nothing revives it. */
    sql(f, "UPDATE mcp_tokens SET revoked_at = '2020-01-01 00:00:00.000'");
    assert_ok(call, connections_revoke(call, user, id));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_logs WHERE action = 'connections.revoke'"), 1);
    assert_ok(call, store_tokens_get(call, user, primary.token_id, &row));
    assert_int_equal(row.revoked_at_ms, 1577836800000);
    assert_int_equal(connections_rotate_token(call, user, id, &none), E_CONFLICT);
    assert_int_equal(connections_resume(call, user, id), E_CONFLICT);
    assert_int_equal(connections_pause(call, user, id), E_CONFLICT);
    assert_int_equal(tokens_add(call, user, id, &token, &none), E_CONFLICT);
    assert_int_equal(connections_set_secret(call, user, id, STR("{}"), STR("{}")), E_CONFLICT);
    const struct site_check check = {.ok = true};
    assert_ok(call, connections_record_check(call, id, NULL, &check, false));
    struct connection_row connection;
    assert_ok(call, connections_show(call, user, id, &connection));
    assert_text(connection.status, "revoked");
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_tokens WHERE revoked_at IS NULL"), 0);
}

static void pausing_and_providers(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    int64_t user = add_user(f, "ana@example.test", "+5511999990001");
    struct token_made made = add_connection(f, user, "site");
    assert_ok(call, opens(f, made.token));
    assert_ok(call, connections_pause(call, user, made.connection_id));
    assert_ok(call, connections_pause(call, user, made.connection_id));
    assert_int_equal(opens(f, made.token), E_DENIED);
    assert_says(call, "paused");
    assert_ok(call, connections_resume(call, user, made.connection_id));
    assert_ok(call, opens(f, made.token));
    assert_ok(call, providers_set_enabled(call, STR("wordpress"), false));
    assert_int_equal(opens(f, made.token), E_DENIED);
    sql(f, "UPDATE mcp_service_providers SET enabled = NULL");
    assert_ok(call, providers_set_enabled(call, STR("wordpress"), true));
    sql(f, "UPDATE mcp_service_providers SET enabled = NULL");
    authenticate_done();
    assert_ok(call, opens(f, made.token));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_logs WHERE action = 'connections.pause'"), 1);
    /* Syncing again leaves the switch alone. */
    assert_ok(call, providers_set_enabled(call, STR("wordpress"), false));
    const struct provider_entry newer[] = {{STR("wordpress"), STR("WordPress"), STR("2")}};
    assert_ok(call, providers_sync(call, newer, 1));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_service_providers WHERE version = '2'"), 1);
    assert_int_equal(opens(f, made.token), E_DENIED);
}

static void deleting(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    int64_t user = add_user(f, "ana@example.test", "+5511999990001");
    struct token_made made = add_connection(f, user, "site");
    assert_ok(call, opens(f, made.token));
    assert_ok(call, connections_delete(call, user, made.connection_id));
    assert_int_equal(opens(f, made.token), E_UNAUTHENTICATED);
    assert_int_equal(connections_delete(call, user, made.connection_id), E_NOT_FOUND);
    struct audit_query query = {.connection_id = made.connection_id};
    struct audit_rows rows;
    assert_ok(call, audit_list(call, &query, &rows));
    assert_int_equal(rows.count, 2);
    assert_text(rows.items[0].action, "connections.delete");
    assert_int_equal(rows.items[0].connection_id, 0);
    assert_int_equal(audit_show(call, &rows.items[0]).connection_id, made.connection_id);
    assert_text(audit_show(call, &rows.items[0]).data_json, "{\"name\":\"site\"}");
}

static void a_token_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    int64_t user = add_user(f, "ana@example.test", "+5511999990001");
    struct token_made primary = add_connection(f, user, "site"), made;
    struct token_new token = {.name = STR("n8n"), .rights = RIGHT_DELETE, .confirm = CONFIRM_HUMAN};
    token.expires_at_ms = clock_now_ms() + 1500;
    assert_ok(call, tokens_add(call, user, primary.connection_id, &token, &made));
    const struct principal *who;
    assert_ok(call, authenticate(call, made.token, &who));
    assert_int_equal(who->rights, RIGHT_READ | RIGHT_DELETE);
    assert_int_equal(who->confirm, CONFIRM_HUMAN);
    assert_text(who->token_name, "n8n");
    assert_int_equal(who->expires_at_ms, token.expires_at_ms);
    assert_mirror(f, primary.connection_id, &primary);
    usleep(1600 * 1000);
    assert_int_equal(opens(f, made.token), E_UNAUTHENTICATED);
    assert_says(call, "expired");

    token.expires_at_ms = 0;
    assert_ok(call, tokens_add(call, user, primary.connection_id, &token, &made));
    assert_ok(call, tokens_revoke(call, user, made.token_id));
    assert_ok(call, tokens_revoke(call, user, made.token_id));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_logs WHERE action = 'tokens.revoke'"), 1);
    assert_int_equal(opens(f, made.token), E_UNAUTHENTICATED);
    assert_says(call, "porteiro token add");
    assert_ok(call, opens(f, primary.token));
    assert_ok(call, tokens_revoke(call, user, primary.token_id));
    assert_mirror(f, primary.connection_id, NULL);
    assert_int_equal(opens(f, primary.token), E_UNAUTHENTICATED);
    assert_ok(call, connections_rotate_token(call, user, primary.connection_id, &primary));
    assert_mirror(f, primary.connection_id, &primary);
    assert_ok(call, opens(f, primary.token));
}

static void others_see_and_change_nothing(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    int64_t ana = add_user(f, "ana@example.test", "+5511999990001");
    int64_t bia = add_user(f, "bia@example.test", "+5511999990002");
    struct token_made made = add_connection(f, ana, "site"), none;
    struct token_new token = {.rights = RIGHTS_ALL};
    int64_t id = made.connection_id;
    struct connection_row row;
    struct connection_rows rows;
    struct token_rows tokens;
    struct site site;
    assert_int_equal(connections_show(call, bia, id, &row), E_NOT_FOUND);
    assert_int_equal(connections_site(call, bia, id, &site), E_NOT_FOUND);
    assert_int_equal(connections_rotate_token(call, bia, id, &none), E_NOT_FOUND);
    assert_int_equal(connections_pause(call, bia, id), E_NOT_FOUND);
    assert_int_equal(connections_resume(call, bia, id), E_NOT_FOUND);
    assert_int_equal(connections_revoke(call, bia, id), E_NOT_FOUND);
    assert_int_equal(connections_delete(call, bia, id), E_NOT_FOUND);
    assert_int_equal(connections_rename(call, bia, id, STR("x")), E_NOT_FOUND);
    assert_int_equal(connections_set_secret(call, bia, id, STR("{}"), STR("{}")), E_NOT_FOUND);
    assert_int_equal(tokens_add(call, bia, id, &token, &none), E_NOT_FOUND);
    assert_int_equal(tokens_revoke(call, bia, made.token_id), E_NOT_FOUND);
    assert_int_equal(connections_show(call, 0, id, &row), E_NOT_FOUND); /* nobody is not everybody */
    assert_ok(call, connections_list(call, bia, &rows));
    assert_int_equal(rows.count, 0);
    assert_ok(call, tokens_list(call, bia, 0, &tokens));
    assert_int_equal(tokens.count, 0);
    assert_ok(call, connections_list(call, USER_ANY, &rows));
    assert_int_equal(rows.count, 1);
    assert_ok(call, opens(f, made.token));
}

static void checks_are_kept(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    int64_t user = add_user(f, "ana@example.test", "+5511999990001");
    struct token_made made = add_connection(f, user, "site");
    struct connection_row row;
    struct site_check check = {
        .ok = true,
        .latency_ms = 31,
        .site_name = STR("Ana's"),
        .site_version = STR("7.1.1"),
        .site_user = STR("ana"),
        .site_role = STR("editor"),
        .config_json = STR("{\"url\":\"https://ana.example\",\"rest\":\"/wp-json/\"}"),
        .details_json = STR("{\"php\":\"8.2\"}"),
    };
    assert_ok(call, connections_record_check(call, made.connection_id, NULL, &check, false));
    assert_ok(call, connections_show(call, user, made.connection_id, &row));
    assert_true(row.check.found && row.check.ok);
    assert_text(row.check.site_version, "7.1.1");
    assert_int_equal(row.check.latency_ms, 31);
    assert_true(str_contains(row.config_json, STR("/wp-json/")));

    struct site_check bad = {.error_code = STR("wrong_password"), .error_text = STR("No.")};
    assert_ok(call, connections_record_check(call, made.connection_id, NULL, &bad, true));
    assert_ok(call, connections_show(call, user, made.connection_id, &row));
    assert_text(row.status, "error");
    assert_false(row.check.ok);
    assert_text(row.check.error_code, "wrong_password");
    assert_int_equal(opens(f, made.token), E_DENIED);
    assert_says(call, "entered the password again");
    assert_ok(call, connections_record_check(call, made.connection_id, NULL, &check, false));
    assert_ok(call, connections_show(call, user, made.connection_id, &row));
    assert_text(row.status, "active");
    assert_ok(call, opens(f, made.token));
    /* Paused is its owner's word: a check does not end it. */
    assert_ok(call, connections_pause(call, user, made.connection_id));
    assert_ok(call, connections_record_check(call, made.connection_id, NULL, &check, false));
    assert_ok(call, connections_record_check(call, made.connection_id, NULL, &bad, true));
    assert_ok(call, connections_show(call, user, made.connection_id, &row));
    assert_text(row.status, "paused");
    assert_int_equal(connections_record_check(call, 9999, NULL, &check, false), E_NOT_FOUND);
}

/* What was found with an address and a password that are not the connection's any more says nothing of it. */
static void late_verdicts(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    int64_t user = add_user(f, "ana@example.test", "+5511999990001");
    int64_t id = add_connection(f, user, "site").connection_id;
    struct connection_row row;
    struct site before, now;
    const struct site_check old = {.ok = true, .config_json = STR("{\"url\":\"https://ana.example\",\"rest\":\"/\"}")};
    const struct site_check bad = {.error_code = STR("wrong_password")};
    assert_ok(call, connections_site(call, user, id, &before));
    assert_ok(call, connections_set_secret(call, user, id, STR("{\"url\":\"https://new.example\"}"),
                                           STR("{\"username\":\"ana\",\"app_password\":\"new\"}")));
    assert_ok(call, connections_record_check(call, id, &before, &old, false));
    assert_ok(call, connections_refused(call, &before, STR("No.")));
    assert_ok(call, connections_show(call, user, id, &row));
    assert_true(str_contains(row.config_json, STR("new.example")));
    assert_text(row.status, "active");
    assert_false(row.check.found);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_logs WHERE action = 'connections.check'"), 0);
    assert_ok(call, connections_site(call, user, id, &now));
    assert_ok(call, connections_refused(call, &now, STR("No.")));
    assert_ok(call, connections_show(call, user, id, &row));
    assert_text(row.status, "error");
    assert_text(row.check.error_code, "wrong_password");
    /* Once is enough; but whoever tests it by hand is recorded each time. */
    assert_ok(call, connections_refused(call, &now, STR("No.")));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_logs WHERE action = 'connections.check'"), 1);
    assert_ok(call, connections_record_check(call, id, &now, &bad, true));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_logs WHERE action = 'connections.check'"), 2);
}

static void times_of_expiry(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    int64_t at, day = 24 * 3600 * 1000;
    assert_ok(call, tokens_parse_expiry(call, STR("90d"), &at));
    assert_in_range(at, clock_now_ms() + 90 * day - 1000, clock_now_ms() + 90 * day);
    assert_ok(call, tokens_parse_expiry(call, STR(" 12h "), &at));
    assert_in_range(at, clock_now_ms() + day / 2 - 1000, clock_now_ms() + day / 2);
    assert_ok(call, tokens_parse_expiry(call, STR("never"), &at));
    assert_int_equal(at, 0);
    static const char *const bad[] = {"", "d", "90", "-1d", "0d", "90 d", "1y", "99999999999999d", "1.5d"};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_int_equal(tokens_parse_expiry(call, str_from(bad[i]), &at), E_INVALID);
}

/* What a database with data says to a program without its key. */
static void keys_and_databases_belong_together(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct accounts_options options = {.keys = {.data_dir = str_from(test_folder)}};
    char path[64];
    bool made;
    snprintf(path, sizeof path, "%s/master.key", test_folder);
    accounts_close();
    assert_int_equal(accounts_open(call, f->db, &options, &made), E_CRYPTO);
    assert_says(call, "PORTEIRO_SECRET_KEY");
    assert_false(made);
    assert_int_equal(access(path, F_OK), -1);
    options.keys.key_text = STR("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDI=");
    assert_int_equal(accounts_open(call, f->db, &options, &made), E_CRYPTO);
    assert_says(call, "another master key");
    options.keys.key_text = STR(TEST_MASTER);
    assert_ok(call, accounts_open(call, f->db, &options, &made));
    /* Keys that were lost are not made anew over what they sealed. */
    add_connection(f, add_user(f, "ana@example.test", "+5511999990001"), "site");
    sql(f, "DELETE FROM mcp_data_keys");
    accounts_close();
    assert_int_equal(accounts_open(call, f->db, &options, &made), E_CRYPTO);
    assert_says(call, "backup");
    /* An adopted database has people, but nothing that needs a key: it gets one. */
    sql(f, "DELETE FROM mcp_token_details");
    sql(f, "DELETE FROM mcp_service_connections");
    sql(f, "DELETE FROM mcp_audit_heads");
    options.keys.key_text = STR_EMPTY;
    assert_ok(call, accounts_open(call, f->db, &options, &made));
    assert_true(made);
    accounts_close();
    assert_ok(call, accounts_open(call, f->db, &options, &made));
    assert_false(made);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(adding),
        ON_BOTH(adding_is_refused),
        ON_BOTH(a_secret_does_not_open_in_another_row),
        ON_BOTH(rotating),
        ON_BOTH(rotating_one_that_expires),
        ON_BOTH(a_newer_token_in_the_place_of_one),
        ON_BOTH(revoking_a_connection),
        ON_BOTH(pausing_and_providers),
        ON_BOTH(deleting),
        ON_BOTH(a_token_of_its_own),
        ON_BOTH(others_see_and_change_nothing),
        ON_BOTH(checks_are_kept),
        ON_BOTH(late_verdicts),
        ON_SQLITE(times_of_expiry),
        ON_BOTH(keys_and_databases_belong_together),
    };
    return cmocka_run_group_tests(tests, test_server_start, test_server_stop);
}
