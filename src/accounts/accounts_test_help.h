/* For tests of what stands on the database: a fresh one of each kind, migrated, with keys; a user and a connection. */
#ifndef ACCOUNTS_ACCOUNTS_TEST_HELP_H
#define ACCOUNTS_ACCOUNTS_TEST_HELP_H

#include <sodium.h> /* before base/banned.h */

#include "accounts/accounts.h"
#include "accounts/authenticate.h"
#include "accounts/connections.h"
#include "accounts/users.h"
#include "audit/audit.h"
#include "store/db_test_help.h"
#include "store/migrate.h"

#define TEST_MASTER "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
#define TEST_PASSWORD "correct horse battery"

static __attribute__((unused)) void assert_says(const struct call *call, const char *part)
{
    if (!str_contains(call->error_text, str_from(part)))
        fail_msg("\"%.*s\" does not say \"%s\"", STR_ARG(call->error_text), part);
}

static __attribute__((unused)) void open_fixture(struct fixture *f)
{
    struct accounts_options options = {
        .keys = {.key_text = STR(TEST_MASTER)}, .audit_writer = STR("test"), .small_host = true};
    bool made;
    if (!f->db)
        assert_ok(&f->call, db_open(&f->call, str_from(f->database.url), &f->db));
    assert_ok(&f->call, migrate_apply(&f->call, f->db, NULL));
    assert_ok(&f->call, accounts_open(&f->call, f->db, &options, &made));
    const struct provider_entry providers[] = {{STR("wordpress"), STR("WordPress"), STR("1")}};
    assert_ok(&f->call, providers_sync(&f->call, providers, 1));
}

static __attribute__((unused)) void close_fixture(struct fixture *f)
{
    accounts_close();
    db_close(f->db);
    f->db = NULL;
}

static int setup(void **state, enum db_kind kind)
{
    struct fixture *f = *state = fixture_new(kind, 256 * 1024 * 1024, 100 * 1000);
    open_fixture(f);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = fixture_end_call(state);
    accounts_close();
    fixture_free(f);
    return 0;
}

static __attribute__((unused)) int64_t add_user(struct fixture *f, const char *email, const char *phone)
{
    struct user_new user = {STR("Ana"), str_from(email), str_from(phone), STR(TEST_PASSWORD)};
    int64_t id = 0;
    assert_ok(&f->call, users_add(&f->call, &user, &id));
    assert_true(id > 0);
    return id;
}

static __attribute__((unused)) struct token_made add_connection(struct fixture *f, int64_t user_id, const char *name)
{
    struct connection_new connection = {
        .user_id = user_id,
        .provider_key = STR("wordpress"),
        .name = str_from(name),
        .config_json = STR("{\"url\":\"https://ana.example\"}"),
        .secret_json = STR("{\"username\":\"ana\",\"app_password\":\"abcd efgh\"}"),
        .token = {.rights = RIGHT_READ | RIGHT_PUBLISH},
    };
    struct token_made made;
    assert_ok(&f->call, connections_add(&f->call, &connection, &made));
    return made;
}

#endif
