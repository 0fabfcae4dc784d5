/* People: e-mail and phone in their forms, adding, logging in, deleting. */
#include "accounts/accounts_test_help.h"
#include "accounts/beside_test_help.h"
#include "accounts/contact.h"
#include "accounts/login.h"
#include "accounts/totp.h"

#include "crypto/password.h"
#include "net/smtp.h"

static struct call plain;

static int check(struct call *call, struct str who, struct str password, int64_t *ret_id)
{
    const struct login_proof proof = {.who = who, .password = password};
    struct user_row user;
    int error = login_check(call, &proof, &user);
    if (!error && ret_id)
        *ret_id = user.id;
    return error;
}

static void phones_in_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *given, *kept; /* NULL: refused */
    } cases[] = {
        {"+55 (11) 91234-5678", "5511912345678"},
        {"5511912345678", "5511912345678"},
        {"0055 11 91234 5678", "5511912345678"},
        {" +1.415.555.2671 ", "14155552671"},
        {"+49/30/123456", "4930123456"},
        {"+44 (0)20 7946 0958", "442079460958"},
        {"0044 (0) 20 7946 0958", "442079460958"},
        {"0044(0)20 7946 0958", "442079460958"},
        {"+39 (0)6 1234 5678", "390612345678"},
        {"+55\xC2\xA0"
         "11\xC2\xA0"
         "91234\xE2\x80\x91"
         "5678",
         "5511912345678"},
        {"+55 11 91234\xE2\x80\x8B"
         "5678",
         NULL},
        {"12345678", "12345678"},
        {"1234567", NULL},
        {"", NULL},
        {"abc", NULL},
        {"+55 11 9123-ABCD", NULL},
        {"+", NULL},
        {"011 91234 5678", NULL},
        {"1234567890123456", NULL},
        {"12345678901234567890123456789012345678901234567890", NULL},
        {"55+11912345678", NULL},
        {"+5511912345678;", NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct str kept;
        int error = contact_clean_phone(&plain, str_from(cases[i].given), &kept);
        assert_int_equal(error, cases[i].kept ? OK : E_INVALID);
        if (cases[i].kept)
            assert_text(kept, cases[i].kept);
    }
}

static void emails_in_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *given, *kept;
    } cases[] = {
        {"ana@example.com", "ana@example.com"},
        {"  Ana.Maria+wp@Mail.Example.COM ", "ana.maria+wp@mail.example.com"},
        {"a@b.co", "a@b.co"},
        {"o'neil_1%x@a-b.example", "o'neil_1%x@a-b.example"},
        {"", NULL},
        {"ana", NULL},
        {"@example.com", NULL},
        {"ana@", NULL},
        {"ana@localhost", NULL},
        {"ana@.com", NULL},
        {"ana@example.", NULL},
        {"ana@-example.com", NULL},
        {"ana@exam ple.com", NULL},
        {"an a@example.com", NULL},
        {"ana@b@example.com", NULL},
        {".ana@example.com", NULL},
        {"a..b@example.com", NULL},
        {"ana@example.com\r\nBcc: x@y.z", NULL},
        {"<ana@example.com>", NULL},
        {"jos\xc3\xa9@example.com", NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct str kept;
        int error = contact_clean_email(&plain, str_from(cases[i].given), &kept);
        if (error != (cases[i].kept ? OK : E_INVALID))
            fail_msg("\"%s\": %s", cases[i].given, error_name(error));
        if (cases[i].kept)
            assert_text(kept, cases[i].kept);
    }
}

static void adding_and_its_refusals(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    int64_t id = add_user(f, " Ana@Example.Test", "+55 11 99999-0001");
    struct user_rows rows;
    assert_ok(call, users_list(call, &rows));
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.items[0].id, id);
    assert_text(rows.items[0].email, "ana@example.test");
    assert_text(rows.items[0].phone, "5511999990001");
    assert_text(rows.items[0].password_hash, "");
    assert_true(rows.items[0].created_at_ms > clock_now_ms() - 60 * 1000);
    assert_true(rows.items[0].created_at_ms <= clock_now_ms());
    static const struct {
        struct user_new user;
        int error;
        const char *says;
    } cases[] = {
        {{STR_INIT("B"), STR_INIT("ANA@example.test"), STR_INIT("+5511999990002"), STR_INIT(TEST_PASSWORD)},
         E_CONFLICT,
         "e-mail"},
        {{STR_INIT("B"), STR_INIT("b@example.test"), STR_INIT("0055 11 99999 0001"), STR_INIT(TEST_PASSWORD)},
         E_CONFLICT,
         "phone"},
        {{STR_INIT("B"), STR_INIT("b@example.test"), STR_INIT("+5511999990002"), STR_INIT("short")}, E_INVALID, "12"},
        {{STR_INIT("B"), STR_INIT("bernardo@example.test"), STR_INIT("+5511999990002"), STR_INIT("bernardo2026x")},
         E_INVALID,
         "e-mail"},
        {{STR_INIT(" "), STR_INIT("b@example.test"), STR_INIT("+5511999990002"), STR_INIT(TEST_PASSWORD)},
         E_INVALID,
         "name"},
        {{STR_INIT("\xe2\x80\x8b"), STR_INIT("b@example.test"), STR_INIT("+5511999990002"), STR_INIT(TEST_PASSWORD)},
         E_INVALID,
         "invisible"},
        {{STR_INIT("\xc2\xa0"), STR_INIT("b@example.test"), STR_INIT("+5511999990002"), STR_INIT(TEST_PASSWORD)},
         E_INVALID,
         "invisible"},
        {{STR_INIT("B\xe2\x80\xae"), STR_INIT("b@example.test"), STR_INIT("+5511999990002"), STR_INIT(TEST_PASSWORD)},
         E_INVALID,
         "control"},
        {{STR_INIT("B\xc2\x9b"), STR_INIT("b@example.test"), STR_INIT("+5511999990002"), STR_INIT(TEST_PASSWORD)},
         E_INVALID,
         "control"},
        {{STR_INIT("Win at https://x.test"), STR_INIT("b@example.test"), STR_INIT("+5511999990002"),
          STR_INIT(TEST_PASSWORD)},
         E_INVALID,
         "://"},
        {{STR_INIT("B"), STR_INIT("b"), STR_INIT("+5511999990002"), STR_INIT(TEST_PASSWORD)}, E_INVALID, "e-mail"},
        {{STR_INIT("B"), STR_INIT("b@example.test"), STR_INIT("abc"), STR_INIT(TEST_PASSWORD)}, E_INVALID, "phone"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        int64_t other = 0;
        assert_int_equal(users_add(call, &cases[i].user, &other), cases[i].error);
        assert_says(call, cases[i].says);
        assert_int_equal(other, 0);
    }
    char long_name[151];
    memset(long_name, 'x', sizeof long_name);
    struct user_new user = {str_of(long_name, 151), STR("c@example.test"), STR("+5511999990003"), STR(TEST_PASSWORD)};
    assert_int_equal(users_add(call, &user, &id), E_INVALID);
    user.name = str_of(long_name, 150);
    assert_ok(call, users_add(call, &user, &id));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_users"), 2);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_logs WHERE action = 'auth.register'"), 2);
}

static void logging_in(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    int64_t id = add_user(f, "ana@example.test", "+5511999990001"), found = 0;
    assert_ok(call, check(call, STR(" ANA@example.test "), STR(TEST_PASSWORD), &found));
    assert_int_equal(found, id);
    assert_ok(call, check(call, STR("+55 (11) 99999-0001"), STR(TEST_PASSWORD), &found));
    assert_int_equal(found, id);
    static const struct {
        const char *email, *password;
    } wrong[] = {
        {"ana@example.test", "correct horse batterY"},
        {"ana@example.test", ""},
        {"nobody@example.test", TEST_PASSWORD},
        {"", TEST_PASSWORD},
        {"", ""},
        {"abc", "x"},
        {"5511999990002", TEST_PASSWORD},
        {"abc", TEST_PASSWORD},
        {"\xff\xfe", "x"},
        {"' OR 1=1 --", "x"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        int64_t before = clock_monotonic_ms();
        assert_int_equal(check(call, str_from(wrong[i].email), str_from(wrong[i].password), NULL), E_UNAUTHENTICATED);
        assert_text(call->error_text, "E-mail, phone, password or code are wrong.");
        assert_true(clock_monotonic_ms() - before >= 249);
    }
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_logs WHERE action = 'auth.login_failed'"),
                     ARRAY_LENGTH(wrong));
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_logs WHERE action = 'auth.login'"), 2);
    assert_ok(call, users_set_password(call, id, STR("another long password"), STR_EMPTY));
    assert_int_equal(check(call, STR("ana@example.test"), STR(TEST_PASSWORD), NULL), E_UNAUTHENTICATED);
    assert_ok(call, check(call, STR("ana@example.test"), STR("another long password"), NULL));
    assert_int_equal(users_set_password(call, id, STR("short"), STR_EMPTY), E_INVALID);
    assert_int_equal(users_set_password(call, id + 1, STR("another long password"), STR_EMPTY), E_NOT_FOUND);
}

/* As the earlier system left them: mixed case, bcrypt. */
#define BCRYPT "$2a$10$AwuLZtzZDgjnlA4gl.JEiOsS8nD7mp2WhtFNAOTMiEaqA1MW22sW6"
static void users_of_the_earlier_system(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    sql(f, "INSERT INTO mcp_users (id, name, email, phone, password_hash) VALUES "
           "(101, 'a', 'Bia@Example.test', '1', '" BCRYPT "'), (102, 'b', 'Caio@Example.test', '2', '" BCRYPT "'), "
           "(103, 'c', 'CAIO@example.test', 'abc', '" BCRYPT "')");
    struct user_row user;
    assert_ok(call, users_find(call, STR("Bia@Example.test"), &user));
    assert_ok(call, users_find(call, STR("bia@example.TEST"), &user));
    assert_int_equal(user.id, 101);
    assert_ok(call, users_find(call, STR("Caio@Example.test"), &user));
    assert_int_equal(user.id, 102);
    assert_ok(call, users_find(call, STR("CAIO@example.test"), &user));
    assert_int_equal(user.id, 103);
    assert_int_equal(users_find(call, STR("caio@example.test"), &user), E_NOT_FOUND);
    assert_says(call, "exactly");

    int64_t found = 0;
    assert_int_equal(check(call, STR("bia@example.test"), STR("Senha antiga 2"), NULL), E_UNAUTHENTICATED);
    assert_text(sql_text(f, "SELECT password_hash FROM mcp_users WHERE id = 101"), BCRYPT);
    assert_ok(call, check(call, STR("bia@example.test"), STR("Senha antiga 1"), &found));
    assert_int_equal(found, 101);
    assert_true(str_starts_with(sql_text(f, "SELECT password_hash FROM mcp_users WHERE id = 101"), STR("$argon2id$")));
    assert_ok(call, check(call, STR("bia@example.test"), STR("Senha antiga 1"), NULL));
    assert_text(sql_text(f, "SELECT password_hash FROM mcp_users WHERE id = 102"), BCRYPT);
    /* A login goes by the hash that it left there, not by the old one. */
    struct user_row checked;
    const struct login_proof proof = {.who = STR("Caio@Example.test"), .password = STR("Senha antiga 1")};
    assert_ok(call, login_check(call, &proof, &checked));
    assert_text(checked.password_hash,
                str_copy_cstr(call->arena, sql_text(f, "SELECT password_hash FROM mcp_users WHERE id = 102")));
    /* A new user with the same address in another case. */
    struct user_new again = {STR("x"), STR("bia@example.test"), STR("+5511999990009"), STR(TEST_PASSWORD)};
    assert_int_equal(users_add(call, &again, &found), E_CONFLICT);
}

static void deleting_takes_all_along_but_the_audit(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    int64_t id = add_user(f, "ana@example.test", "+5511999990001");
    add_connection(f, id, "site");
    int64_t events = sql_int(f, "SELECT count(*) FROM mcp_audit_logs");
    assert_ok(call, users_delete(call, id));
    assert_int_equal(users_delete(call, id), E_NOT_FOUND);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_users"), 0);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_service_connections"), 0);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_tokens"), 0);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_token_details"), 0);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_data_keys WHERE id NOT IN ('check', 'server')"), 0);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_logs"), events + 1);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_logs WHERE user_id IS NOT NULL"), 0);
    struct audit_query query = {.user_id = id};
    struct audit_rows rows;
    assert_ok(call, audit_list(call, &query, &rows));
    assert_int_equal(rows.count, events + 1);
    assert_text(rows.items[0].action, "users.delete");
    assert_int_equal(audit_show(call, &rows.items[0]).user_id, id);
}

/*
 * Somebody else's transaction, as an administrator's stop is one: it has begun, and is committed half a second later. What changes
 * the profile meanwhile must wait for it, or it writes back what it had read before.
 */
static void while_stopped(struct fixture *f, int64_t id, int (*operation)(struct call *call, int64_t id))
{
    char text[640];
    snprintf(text, sizeof text,
             "BEGIN; UPDATE mcp_data_keys SET master_kid = master_kid WHERE id = 'server'; "
             "UPDATE mcp_user_profiles SET stopped_at = '2026-11-22 00:00:00.000', stopped_by_admin = true "
             "WHERE user_id = %lld; SELECT pg_sleep(0.5); COMMIT",
             (long long)id);
    sql(f, "UPDATE mcp_user_profiles SET stopped_at = NULL, stopped_by_admin = false");
    PGconn *other = begin_beside(f, text);
    assert_ok(&f->call, operation(&f->call, id));
    end_beside(other);
    assert_int_equal(
        sql_int(f, "SELECT count(*) FROM mcp_user_profiles WHERE stopped_at IS NOT NULL AND stopped_by_admin"), 1);
}

static int confirms_email(struct call *call, int64_t id)
{
    return users_confirm_email(call, id, STR("ana@example.test"));
}

static int begins_totp(struct call *call, int64_t id)
{
    struct str secret, uri;
    return totp_begin(call, id, STR("ana@example.test"), &secret, &uri);
}

static void a_stop_is_not_undone_by_what_happens_beside_it(void **state)
{
    struct fixture *f = *state;
    int64_t id = add_user(f, "ana@example.test", "+5511999990001");
    assert_ok(&f->call, users_set_stopped(&f->call, id, true, true));
    while_stopped(f, id, confirms_email);
    while_stopped(f, id, begins_totp);
    while_stopped(f, id, totp_end);
}

/* A link for a new password does not go to an address that was left while the link was asked for. */
static void a_reset_is_for_the_address_of_now(void **state)
{
    struct fixture *f = *state;
    const struct smtp_settings relay = {.url = "smtp://127.0.0.1:1", .from = "porteiro@example.test"}, none = {0};
    struct user_row user;
    struct str token;
    char text[400];
    int64_t id = add_user(f, "ana@example.test", "+5511999990001");
    smtp_init(&relay);
    assert_ok(&f->call, users_begin_reset(&f->call, STR("ana@example.test"), &user, &token));
    sql(f, "UPDATE mcp_users SET reset_token = NULL");
    snprintf(text, sizeof text,
             "BEGIN; UPDATE mcp_data_keys SET master_kid = master_kid WHERE id = 'user:%lld'; "
             "UPDATE mcp_users SET email = 'ana2@example.test' WHERE id = %lld; SELECT pg_sleep(0.5); COMMIT",
             (long long)id, (long long)id);
    PGconn *other = begin_beside(f, text);
    assert_int_equal(users_begin_reset(&f->call, STR("ana@example.test"), &user, &token), E_NOT_FOUND);
    end_beside(other);
    smtp_init(&none);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_users WHERE reset_token IS NOT NULL"), 0);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_logs WHERE action = 'users.reset_asked'"), 1);
}

static int group_start(void **state)
{
    call_init(&plain, arena_new(1024 * 1024), 1000);
    return test_server_start(state);
}

static int group_stop(void **state)
{
    arena_free(plain.arena);
    return test_server_stop(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phones_in_every_form),
        cmocka_unit_test(emails_in_every_form),
        ON_BOTH(adding_and_its_refusals),
        ON_BOTH(logging_in),
        ON_BOTH(users_of_the_earlier_system),
        ON_BOTH(deleting_takes_all_along_but_the_audit),
        ON_POSTGRES(a_reset_is_for_the_address_of_now),
        ON_POSTGRES(a_stop_is_not_undone_by_what_happens_beside_it),
    };
    return cmocka_run_group_tests(tests, group_start, group_stop);
}
