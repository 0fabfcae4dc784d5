/* Logins: sessions, API tokens, the second factor, a forgotten password, stop everything. */
#include "accounts/accounts_test_help.h"
#include "accounts/beside_test_help.h"
#include "accounts/device.h"
#include "accounts/login.h"
#include "accounts/sessions.h"
#include "accounts/totp.h"
#include "crypto/token.h"
#include "limits/limits.h"

static const struct session_from from_browser = {STR_INIT("192.0.2.7"), STR_INIT("Firefox")};

static struct str login(struct fixture *f, const char *who, const char *password, const char *code, int expected)
{
    struct str token = STR_EMPTY;
    int64_t id;
    int error = sessions_login(&f->call, str_from(who), str_from(password), str_from(code), &from_browser, &token, &id);
    if (error != expected)
        fail_msg("%s instead of %s: %.*s", error_name(error), error_name(expected), STR_ARG(f->call.error_text));
    return token;
}

static void a_session_and_its_end(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct person person, other;
    struct session_rows rows;
    int64_t ended, id = add_user(f, "ana@example.test", "+5511999990001");
    struct str first = login(f, "ana@example.test", TEST_PASSWORD, "", OK),
               second = login(f, "+5511999990001", TEST_PASSWORD, "", OK);
    assert_ok(call, sessions_find(call, first, &person));
    assert_int_equal(person.user_id, id);
    assert_text(person.email, "ana@example.test");
    assert_false(person.is_admin);
    assert_true(sessions_is_proven(&person));
    assert_ok(call, sessions_list(call, id, STR_EMPTY, &rows));
    assert_int_equal(rows.count, 2);
    assert_text(rows.items[0].address, "192.0.2.7");

    assert_ok(call, sessions_end_others(call, &person, &ended));
    assert_int_equal(ended, 1);
    assert_int_equal(sessions_find(call, second, &other), E_UNAUTHENTICATED);
    assert_ok(call, sessions_find(call, first, &other));
    assert_int_equal(sessions_end(call, id + 1, person.session_id), E_NOT_FOUND); /* somebody else */
    assert_ok(call, sessions_end(call, id, person.session_id));
    assert_int_equal(sessions_find(call, first, &other), E_UNAUTHENTICATED);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_sessions"), 0);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_audit_logs WHERE action = 'sessions.begin'"), 2);
}

static void what_is_no_session(void **state)
{
    struct fixture *f = *state;
    struct person person;
    int64_t id = add_user(f, "ana@example.test", "+5511999990001");
    struct token_made made = add_connection(f, id, "site");
    struct str token = login(f, "ana@example.test", TEST_PASSWORD, "", OK);
    const struct str wrong[] = {STR_EMPTY,
                                STR("x"),
                                made.token,
                                str_sub(token, 0, token.len - 1),
                                token_make(&f->call, TOKEN_SES),
                                token_make(&f->call, TOKEN_API)};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
        assert_int_equal(sessions_find(&f->call, wrong[i], &person), E_UNAUTHENTICATED);
}

static void sessions_end_by_time(void **state)
{
    struct fixture *f = *state;
    struct person person;
    add_user(f, "ana@example.test", "+5511999990001");
    struct str idle = login(f, "ana@example.test", TEST_PASSWORD, "", OK);
    sql(f, "UPDATE mcp_sessions SET seen_at = '2020-01-01 00:00:00.000'");
    assert_int_equal(sessions_find(&f->call, idle, &person), E_UNAUTHENTICATED);
    struct str old = login(f, "ana@example.test", TEST_PASSWORD, "", OK);
    sql(f, "UPDATE mcp_sessions SET expires_at = '2020-01-01 00:00:00.000'");
    assert_int_equal(sessions_find(&f->call, old, &person), E_UNAUTHENTICATED);
    struct str stale = login(f, "ana@example.test", TEST_PASSWORD, "", OK);
    sql(f, "UPDATE mcp_sessions SET proved_at = '2020-01-01 00:00:00.000'");
    assert_ok(&f->call, sessions_find(&f->call, stale, &person));
    assert_false(sessions_is_proven(&person));
    assert_int_equal(sessions_prove(&f->call, &person, STR("not the password"), &from_browser), E_UNAUTHENTICATED);
    assert_ok(&f->call, sessions_prove(&f->call, &person, STR(TEST_PASSWORD), &from_browser));
    assert_ok(&f->call, sessions_find(&f->call, stale, &person));
    assert_true(sessions_is_proven(&person));
}

static void api_tokens(void **state)
{
    struct fixture *f = *state;
    struct person person;
    struct session_row row;
    struct str token;
    int64_t id = add_user(f, "ana@example.test", "+5511999990001");
    assert_int_equal(sessions_add_api(&f->call, id, STR("  "), 0, &row, &token), E_INVALID);
    assert_ok(&f->call, sessions_add_api(&f->call, id, STR("backup script"), 0, &row, &token));
    assert_true(str_starts_with(token, STR("prt_api_")));
    assert_ok(&f->call, sessions_find(&f->call, token, &person));
    assert_true(person.by_api);
    assert_false(sessions_is_proven(&person));
    sql(f, "UPDATE mcp_sessions SET seen_at = '2020-01-01 00:00:00.000'"); /* not used for years: still good */
    assert_ok(&f->call, sessions_find(&f->call, token, &person));
    /* A changed password ends browsers, not programs: those are ended by name. */
    assert_ok(&f->call, users_set_password(&f->call, id, STR("another long password"), STR_EMPTY));
    assert_ok(&f->call, sessions_find(&f->call, token, &person));
    assert_ok(&f->call, sessions_end(&f->call, id, row.id));
    assert_int_equal(sessions_find(&f->call, token, &person), E_UNAUTHENTICATED);
}

/* RFC 6238, appendix B; its codes have eight digits, ours are the last six. */
static void codes_of_the_rfc(void **state)
{
    (void)state;
    static const unsigned char key[TOTP_KEY_BYTES] = "12345678901234567890";
    static const struct {
        int64_t seconds;
        uint32_t code;
    } cases[] = {{59, 287082},       {1111111109, 81804},  {1111111111, 50471},
                 {1234567890, 5924}, {2000000000, 279037}, {20000000000, 353130}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_int_equal(totp_code(key, cases[i].seconds / TOTP_STEP_S), cases[i].code);
}

static void unbase32(struct str text, unsigned char key[TOTP_KEY_BYTES])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    memset(key, 0, TOTP_KEY_BYTES);
    for (size_t i = 0; i < text.len; i++)
        for (size_t bit = 0; bit < 5; bit++)
            if ((size_t)(strchr(letters, text.ptr[i]) - letters) & (16u >> bit))
                key[(i * 5 + bit) / 8] |= (unsigned char)(128u >> (i * 5 + bit) % 8);
}

static const char *code_now(struct fixture *f, struct str secret, int64_t ahead)
{
    unsigned char key[TOTP_KEY_BYTES];
    unbase32(secret, key);
    struct str code = call_format(&f->call, "%06u", totp_code(key, clock_now_ms() / 1000 / TOTP_STEP_S + ahead));
    return str_copy_cstr(f->call.arena, code);
}

static void a_second_factor(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct str secret, uri, codes[TOTP_RECOVERY_CODES];
    int64_t id = add_user(f, "ana@example.test", "+5511999990001");
    assert_ok(call, totp_begin(call, id, STR("ana@example.test"), &secret, &uri));
    assert_int_equal(secret.len, 32);
    login(f, "ana@example.test", TEST_PASSWORD, "", OK); /* not asked for before it is confirmed */
    assert_int_equal(totp_confirm(call, id, STR("12345"), codes), E_INVALID);
    assert_int_equal(totp_confirm(call, id, str_from(code_now(f, secret, -9)), codes), E_INVALID);
    assert_ok(call, totp_confirm(call, id, str_from(code_now(f, secret, -1)), codes));
    assert_int_equal(totp_begin(call, id, STR("ana@example.test"), &secret, &uri), E_CONFLICT);

    login(f, "ana@example.test", TEST_PASSWORD, "", E_WAITING);
    login(f, "ana@example.test", "wrong password", "", E_UNAUTHENTICATED); /* does not tell that there is a factor */
    login(f, "ana@example.test", TEST_PASSWORD, "000000", E_UNAUTHENTICATED);
    const char *code = code_now(f, secret, 0);
    login(f, "ana@example.test", TEST_PASSWORD, code, OK);
    login(f, "ana@example.test", TEST_PASSWORD, code, E_UNAUTHENTICATED); /* each code once */
    const char *recovery = str_copy_cstr(call->arena, codes[3]);
    login(f, "ana@example.test", TEST_PASSWORD, recovery, OK);
    login(f, "ana@example.test", TEST_PASSWORD, recovery, E_UNAUTHENTICATED);
    assert_true(str_contains(sql_text(f, "SELECT totp_sealed FROM mcp_user_profiles"), STR("\"c\"")));

    assert_ok(call, totp_end(call, id));
    login(f, "ana@example.test", TEST_PASSWORD, "", OK);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_proofs"), 0);
}

static void a_forgotten_password(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct user_row user;
    struct person person;
    struct str first, second, program;
    struct session_row row;
    int64_t found, id = add_user(f, "ana@example.test", "+5511999990001");
    struct str session = login(f, "ana@example.test", TEST_PASSWORD, "", OK);
    assert_ok(call, sessions_add_api(call, id, STR("backup script"), 0, &row, &program));
    assert_int_equal(users_begin_reset(call, STR("nobody@example.test"), &user, &first), E_NOT_FOUND);
    assert_ok(call, users_begin_reset(call, STR("ana@example.test"), &user, &first));
    assert_ok(call, users_begin_reset(call, STR("+55 11 99999-0001"), &user, &second));
    assert_int_equal(users_reset_password(call, first, STR("a quite new password"), &found), E_DENIED); /* voided */
    assert_int_equal(users_reset_password(call, second, STR("short"), &found), E_INVALID); /* and not used up by that */
    assert_ok(call, users_reset_password(call, second, STR("a quite new password"), &found));
    assert_int_equal(found, id);
    assert_int_equal(users_reset_password(call, second, STR("a quite new password 2"), &found), E_DENIED);
    assert_int_equal(sessions_find(call, session, &person), E_UNAUTHENTICATED);
    assert_int_equal(sessions_find(call, program, &person), E_UNAUTHENTICATED);
    login(f, "ana@example.test", "a quite new password", "", OK);
    assert_ok(call, users_begin_reset(call, STR("ana@example.test"), &user, &first));
    sql(f, "UPDATE mcp_users SET reset_expires_at = '2020-01-01 00:00:00.000'");
    assert_int_equal(users_reset_password(call, first, STR("a quite new password 3"), &found), E_DENIED);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_users WHERE length(reset_token) = 64"), 1);
}

/* ---- a password that changes while the one before is under way */

/*
 * Somebody else's change: it has begun, with the owner's lock, and is committed two seconds later. What was proved by the
 * password before sees it when it gets the lock.
 */
static PGconn *begin_change(struct fixture *f, int64_t id)
{
    char text[640];
    snprintf(text, sizeof text,
             "BEGIN; UPDATE mcp_data_keys SET master_kid = master_kid WHERE id = 'user:%lld'; SELECT pg_sleep(2); "
             "UPDATE mcp_users SET password_hash = 'another' WHERE id = %lld; "
             "DELETE FROM mcp_proofs WHERE user_id = %lld; COMMIT",
             (long long)id, (long long)id, (long long)id);
    return begin_beside(f, text);
}

static void a_login_does_not_outlive_its_password(void **state)
{
    struct fixture *f = *state;
    struct str token;
    int64_t found, id = add_user(f, "ana@example.test", "+5511999990001");
    login(f, "ana@example.test", TEST_PASSWORD, "", OK);
    sql(f, "DELETE FROM mcp_sessions");
    PGconn *other = begin_change(f, id);
    assert_int_equal(
        sessions_login_password(&f->call, STR("ana@example.test"), STR(TEST_PASSWORD), &from_browser, &token, &found),
        E_UNAUTHENTICATED);
    end_beside(other);
    assert_says(&f->call, "changed meanwhile");
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_sessions"), 0);
}

static void nor_does_half_a_login(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct str secret, uri, codes[TOTP_RECOVERY_CODES], half, token;
    int64_t found, id = add_user(f, "ana@example.test", "+5511999990001");
    const struct str who = STR("ana@example.test"), password = STR(TEST_PASSWORD);
    assert_ok(call, totp_begin(call, id, who, &secret, &uri));
    assert_ok(call, totp_confirm(call, id, str_from(code_now(f, secret, -1)), codes));
    struct str hash = sql_text(f, "SELECT password_hash FROM mcp_users");

    PGconn *other = begin_change(f, id);
    assert_int_equal(sessions_login_password(call, who, password, &from_browser, &half, &found), E_UNAUTHENTICATED);
    end_beside(other);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_proofs WHERE kind = 'login'"), 0);

    /* The second half, as the change takes away the first. */
    assert_ok(call, db_query(call, f->db, NULL, "UPDATE mcp_users SET password_hash = $1", DB_TEXT(hash)));
    assert_int_equal(sessions_login_password(call, who, password, &from_browser, &half, &found), E_WAITING);
    other = begin_change(f, id);
    assert_int_equal(sessions_login_code(call, half, str_from(code_now(f, secret, 0)), &from_browser, &token, &found),
                     E_DENIED);
    end_beside(other);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_sessions"), 0);
}

static void a_new_password_does_not_undo_another(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct person person;
    int64_t id = add_user(f, "ana@example.test", "+5511999990001");
    struct str token = login(f, "ana@example.test", TEST_PASSWORD, "", OK);
    assert_ok(call, sessions_find(call, token, &person));
    PGconn *other = begin_change(f, id);
    assert_int_equal(
        sessions_change_password(call, &person, STR(TEST_PASSWORD), STR("a quite new password"), &from_browser),
        E_UNAUTHENTICATED);
    end_beside(other);
    assert_says(call, "changed meanwhile");
    assert_text(sql_text(f, "SELECT password_hash FROM mcp_users"), "another");
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_sessions"), 1);
}

static void changing_the_password(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    const struct str before = STR(TEST_PASSWORD), after = STR("a quite new password");
    struct person person;
    add_user(f, "ana@example.test", "+5511999990001");
    struct str here = login(f, "ana@example.test", TEST_PASSWORD, "", OK),
               there = login(f, "ana@example.test", TEST_PASSWORD, "", OK);
    assert_ok(call, sessions_find(call, here, &person));
    assert_int_equal(sessions_change_password(call, &person, after, after, &from_browser), E_UNAUTHENTICATED);
    assert_int_equal(sessions_change_password(call, &person, before, STR("short"), &from_browser), E_INVALID);
    assert_ok(call, sessions_change_password(call, &person, before, after, &from_browser));
    assert_int_equal(sessions_find(call, there, &person), E_UNAUTHENTICATED);
    assert_ok(call, sessions_find(call, here, &person));
    login(f, "ana@example.test", TEST_PASSWORD, "", E_UNAUTHENTICATED);
    /* A login that has ended proves nothing, whatever password is given. */
    sql(f, "DELETE FROM mcp_sessions");
    assert_int_equal(sessions_prove(call, &person, after, &from_browser), E_UNAUTHENTICATED);
    assert_says(call, "Log in again");
    assert_int_equal(sessions_change_password(call, &person, after, before, &from_browser), E_UNAUTHENTICATED);
    login(f, "ana@example.test", "a quite new password", "", OK);
}

static void changing_what_one_says_of_oneself(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct user_row user;
    struct profile_row profile;
    int64_t id = add_user(f, "ana@example.test", "+5511999990001");
    add_user(f, "bia@example.test", "+5511999990002");
    assert_ok(call, users_confirm_email(call, id, STR("ana@example.test")));
    assert_int_equal(users_change(call, id, &(struct user_change){.email = STR("BIA@example.test")}), E_CONFLICT);
    assert_int_equal(users_change(call, id, &(struct user_change){.phone = STR("5511999990002")}), E_CONFLICT);
    assert_int_equal(users_change(call, id, &(struct user_change){.language = STR("fr")}), E_INVALID);
    assert_ok(call, store_profiles_get(call, id, &profile));
    assert_true(profile.email_confirmed_at_ms > 0);
    assert_ok(call,
              users_change(call, id,
                           &(struct user_change){
                               .email = STR("Ana2@example.test"), .name = STR("Ana B"), .language = STR("pt-BR")}));
    assert_ok(call, store_users_by_id(call, id, &user));
    assert_text(user.email, "ana2@example.test");
    assert_text(user.name, "Ana B");
    assert_ok(call, store_profiles_get(call, id, &profile));
    assert_int_equal(profile.email_confirmed_at_ms, 0); /* of the new address nothing is known */
    assert_text(profile.language, "pt-BR");
    assert_int_equal(users_confirm_email(call, id, STR("ana@example.test")), E_DENIED);
}

static void administrators_and_stop_everything(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    const struct principal *who;
    struct person person;
    int64_t id = add_user(f, "ana@example.test", "+5511999990001");
    struct token_made made = add_connection(f, id, "site");
    assert_ok(call, users_set_admin(call, id, true));
    assert_int_equal(users_set_admin(call, id, false), E_CONFLICT); /* the last one */
    assert_int_equal(users_delete(call, id), E_CONFLICT);
    assert_says(call, "only administrator");
    assert_ok(call, authenticate(call, made.token, &who));
    assert_ok(call, users_set_stopped(call, id, true, false));
    assert_int_equal(authenticate(call, made.token, &who), E_DENIED);
    assert_ok(call, sessions_find(call, login(f, "ana@example.test", TEST_PASSWORD, "", OK), &person));
    assert_true(person.is_admin && person.is_stopped);
    assert_ok(call, users_set_stopped(call, id, false, false));
    assert_ok(call, authenticate(call, made.token, &who));
    assert_ok(call, users_set_stopped(call, id, true, true));
    assert_ok(call, users_set_stopped(call, id, true, false)); /* which does not make it the person's own */
    assert_int_equal(users_set_stopped(call, id, false, false), E_DENIED);
    assert_says(call, "administrator");
    assert_int_equal(authenticate(call, made.token, &who), E_DENIED);
    assert_ok(call, users_set_stopped(call, id, false, true));
    assert_ok(call, authenticate(call, made.token, &who));
    assert_ok(call, users_set_stopped(call, id, true, false));
    assert_ok(call, users_set_stopped(call, id, false, false));
    int64_t other = add_user(f, "bia@example.test", "+5511999990002");
    assert_ok(call, users_set_admin(call, other, true));
    assert_ok(call, users_delete(call, id));
    assert_int_equal(users_delete(call, other), E_CONFLICT);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_users"), 1);
}

static void guessers_do_not_lock_the_owner_out(void **state)
{
    struct fixture *f = *state;
    const struct limits_settings limits = {0};
    add_user(f, "ana@example.test", "+5511999990001");
    login(f, "ana@example.test", TEST_PASSWORD, "", OK); /* at home */
    assert_true(limits_open(-1, &limits));
    struct login_proof guess = {
        .who = STR("ana@example.test"), .password = STR("a guess"), .address = STR("203.0.113.9")};
    for (int i = 0; i < 10; i++)
        assert_int_equal(login_check(&f->call, &guess, NULL), E_UNAUTHENTICATED);
    assert_int_equal(login_check(&f->call, &guess, NULL), E_LIMIT);
    guess.address = STR("203.0.113.10"); /* another machine of theirs, and now without a question to the database */
    store_init(NULL);
    int error = login_check(&f->call, &guess, NULL);
    store_init(f->db);
    assert_int_equal(error, E_LIMIT);
    guess.password = STR(TEST_PASSWORD); /* even the right one: the limit tells nothing */
    assert_int_equal(login_check(&f->call, &guess, NULL), E_LIMIT);
    login(f, "ana@example.test", TEST_PASSWORD, "", OK); /* the owner, from where they always are */
    /* On the road, in the browser from home: with tries of its own, wherever the browser is, and not more than others have. */
    guess.device = device_make(&f->call, 1);
    assert_ok(&f->call, login_check(&f->call, &guess, NULL));
    guess.address = STR("203.0.113.9"); /* whose tries are nearly used up */
    for (int i = 0; i < 9; i++)
        assert_ok(&f->call, login_check(&f->call, &guess, NULL));
    assert_int_equal(login_check(&f->call, &guess, NULL), E_LIMIT);
    guess.device = device_make(&f->call, 1);
    assert_ok(&f->call, login_check(&f->call, &guess, NULL));
    guess.device = device_make(&f->call, 2); /* somebody else's browser */
    assert_int_equal(login_check(&f->call, &guess, NULL), E_LIMIT);
    limits_close();
}

static void a_browser_is_known_by_our_cookie_only(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct str good = device_make(call, 7), word = STR("1.");
    struct device device = device_read(call, good);
    assert_int_equal(device.user_id, 7);
    assert_int_equal(device.name.len, 22);
    assert_false(str_eq(device.name, device_read(call, device_make(call, 7)).name));
    for (size_t i = 0; i < good.len; i++) { /* each character counts */
        char *bad = (char *)(uintptr_t)str_copy_cstr(call->arena, good);
        bad[i] = bad[i] == '1' ? '2' : '1';
        assert_int_equal(device_read(call, str_from(bad)).user_id, 0);
        assert_int_equal(device_read(call, str_sub(good, 0, i)).user_id, 0);
    }
    assert_int_equal(device_read(call, call_format(call, "%.*s.", STR_ARG(good))).user_id, 0);
    assert_int_equal(device_read(call, call_format(call, "%.*s%.*s", STR_ARG(word), STR_ARG(good))).user_id, 0);
    assert_int_equal(device_read(call, (struct str){NULL, 0}).user_id, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_of_the_rfc),
        ON_BOTH(a_session_and_its_end),
        ON_SQLITE(what_is_no_session),
        ON_SQLITE(guessers_do_not_lock_the_owner_out),
        ON_SQLITE(a_browser_is_known_by_our_cookie_only),
        ON_BOTH(sessions_end_by_time),
        ON_BOTH(api_tokens),
        ON_BOTH(a_second_factor),
        ON_BOTH(a_forgotten_password),
        ON_BOTH(changing_the_password),
        ON_POSTGRES(a_login_does_not_outlive_its_password),
        ON_POSTGRES(nor_does_half_a_login),
        ON_POSTGRES(a_new_password_does_not_undo_another),
        ON_BOTH(changing_what_one_says_of_oneself),
        ON_BOTH(administrators_and_stop_everything),
    };
    return cmocka_run_group_tests(tests, test_server_start, test_server_stop);
}
