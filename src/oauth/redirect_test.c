/* Which addresses people may be sent back to, and which are the same. */
#include "oauth/redirect.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_judge(void **state)
{
    static const struct {
        const char *uri;
        enum redirect_kind kind;
        const char *host, *origin;
    } cases[] = {
        {"https://claude.ai/api/mcp/auth_callback", REDIRECT_HTTPS, "claude.ai", "https://claude.ai"},
        {"https://n8n.example:5678/rest/oauth2-credential/callback?x=1", REDIRECT_HTTPS, "n8n.example:5678",
         "https://n8n.example:5678"},
        {"https://app.example", REDIRECT_HTTPS, "app.example", "https://app.example"},
        {"http://127.0.0.1/callback", REDIRECT_LOOPBACK, "127.0.0.1", "http://127.0.0.1"},
        {"http://127.0.0.1:33418", REDIRECT_LOOPBACK, "127.0.0.1:33418", "http://127.0.0.1:33418"},
        {"http://localhost:8787/callback", REDIRECT_LOOPBACK, "localhost:8787", "http://localhost:8787"},
        {"http://[::1]:1/cb?a=b", REDIRECT_LOOPBACK, "[::1]:1", "http://[::1]:1"},
        {"cursor://anysphere.cursor-mcp/oauth/callback", REDIRECT_APP, "cursor", "cursor:"},
        {"", REDIRECT_BAD, NULL, NULL},
        {"https://", REDIRECT_BAD, NULL, NULL},
        {"/callback", REDIRECT_BAD, NULL, NULL},
        {"//app.example/cb", REDIRECT_BAD, NULL, NULL},
        {"app.example/cb", REDIRECT_BAD, NULL, NULL},
        {"http://app.example/cb", REDIRECT_BAD, NULL, NULL},
        {"javascript:alert(1)", REDIRECT_BAD, NULL, NULL},
        {"data:text/html,x", REDIRECT_BAD, NULL, NULL},
        {"file:///etc/passwd", REDIRECT_BAD, NULL, NULL},
        {"com.example.app:/cb", REDIRECT_BAD, NULL, NULL},
        {"cursor://anysphere.cursor-mcp/oauth/callback2", REDIRECT_BAD, NULL, NULL},
        {"cursor://evil/oauth/callback", REDIRECT_BAD, NULL, NULL},
        {"https://user@app.example/cb", REDIRECT_BAD, NULL, NULL},
        {"https://user:pass@app.example/cb", REDIRECT_BAD, NULL, NULL},
        {"https://app.example@evil.example/cb", REDIRECT_BAD, NULL, NULL},
        {"https://app.example/cb#fragment", REDIRECT_BAD, NULL, NULL},
        {"https://app.example/a/../cb", REDIRECT_BAD, NULL, NULL},
        {"https://app.example/a/%2e%2e/cb", REDIRECT_BAD, NULL, NULL},
        {"https://app.example\\@evil.example/cb", REDIRECT_BAD, NULL, NULL},
        {"https://app.example:443/cb", REDIRECT_BAD, NULL, NULL},
        {"https://APP.example/cb", REDIRECT_BAD, NULL, NULL},
        {"HTTPS://app.example/cb", REDIRECT_BAD, NULL, NULL},
        {"https://app.example/c b", REDIRECT_BAD, NULL, NULL},
        {"https://app.example/\r\nSet-Cookie: x", REDIRECT_BAD, NULL, NULL},
        {"https://app.example/<script>", REDIRECT_BAD, NULL, NULL},
        {"https://app.example/\xC3\xA4", REDIRECT_BAD, NULL, NULL},
        {"http://127.0.0.1.evil.example/cb", REDIRECT_BAD, NULL, NULL},
        {"http://localhost.evil.example/cb", REDIRECT_BAD, NULL, NULL},
        {"http://localhost@evil.example/cb", REDIRECT_BAD, NULL, NULL},
        {"http://127.0.0.1:80@evil.example/cb", REDIRECT_BAD, NULL, NULL},
        {"http://127.0.0.1:0/cb", REDIRECT_BAD, NULL, NULL},
        {"http://127.0.0.1:65536/cb", REDIRECT_BAD, NULL, NULL},
        {"http://127.0.0.1:/cb", REDIRECT_BAD, NULL, NULL},
        {"http://127.0.0.1/a/../cb", REDIRECT_BAD, NULL, NULL},
        {"http://127.0.0.1/c b", REDIRECT_BAD, NULL, NULL},
        {"http://127.0.0.1/c\x7f", REDIRECT_BAD, NULL, NULL},
        {"http://127.0.0.1/a/./cb", REDIRECT_BAD, NULL, NULL},
        {"http://127.0.0.1/a/..", REDIRECT_BAD, NULL, NULL},
        {"http://127.0.0.1/a/.", REDIRECT_BAD, NULL, NULL},
        {"http://127.0.0.1:123456/cb", REDIRECT_BAD, NULL, NULL},
        {"http://127.0.0.1?x", REDIRECT_LOOPBACK, "127.0.0.1", "http://127.0.0.1"},
        {"http://127.1/cb", REDIRECT_BAD, NULL, NULL},
        {"http://0x7f.0.0.1/cb", REDIRECT_BAD, NULL, NULL},
        {"http://LOCALHOST/cb", REDIRECT_BAD, NULL, NULL},
        {"http://0.0.0.0/cb", REDIRECT_BAD, NULL, NULL},
    };
    struct arena *arena = arena_new(1024 * 1024);
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct redirect found = redirect_judge(arena, str_from(cases[i].uri));
        if (found.kind != cases[i].kind)
            fail_msg("%s is judged %d", cases[i].uri, (int)found.kind);
        if (cases[i].host) {
            assert_true(str_eq(found.host, str_from(cases[i].host)));
            assert_true(str_eq(found.origin, str_from(cases[i].origin)));
        }
    }
    char longest[REDIRECT_BYTES_MAX + 1];
    static const char *const beginnings[] = {"https://app.example/", "http://127.0.0.1/"};
    for (size_t i = 0; i < ARRAY_LENGTH(beginnings); i++) {
        memset(longest, 'a', sizeof longest);
        memcpy(longest, beginnings[i], strlen(beginnings[i]));
        assert_true(redirect_judge(arena, str_of(longest, REDIRECT_BYTES_MAX)).kind != REDIRECT_BAD);
        assert_int_equal(redirect_judge(arena, str_of(longest, REDIRECT_BYTES_MAX + 1)).kind, REDIRECT_BAD);
    }
    arena_free(arena);
}

static void test_match(void **state)
{
    static const struct {
        const char *registered, *wanted;
        bool same;
    } cases[] = {
        {"https://app.example/cb", "https://app.example/cb", true},
        {"https://app.example/cb", "https://app.example/cb/", false},
        {"https://app.example/cb", "https://app.example/cb?x=1", false},
        {"https://app.example/cb", "https://app.example:8443/cb", false},
        {"https://app.example/cb", "https://app.example/CB", false},
        {"https://app.example/cb", "https://app.example.evil/cb", false},
        {"https://app.example/cb", "http://app.example/cb", false},
        {"http://127.0.0.1/cb", "http://127.0.0.1:50001/cb", true},
        {"http://127.0.0.1:1/cb", "http://127.0.0.1/cb", true},
        {"http://localhost/callback", "http://localhost:65535/callback", true},
        {"http://[::1]:9/cb", "http://[::1]:10/cb", true},
        {"http://127.0.0.1/cb", "http://127.0.0.1:50001/other", false},
        {"http://127.0.0.1/cb", "http://localhost:50001/cb", false},
        {"http://127.0.0.1/cb", "http://127.0.0.1:50001/cb?x", false},
        {"http://127.0.0.1/cb", "http://127.0.0.1:99999/cb", false},
        {"http://127.0.0.1/cb", "http://127.0.0.1:1@evil.example/cb", false},
        {"http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", false},
        {"http://127.0.0.1/cb", "https://127.0.0.1/cb", false},
        {"http://127.0.0.1/cb", "http://127.0.0.1:5/cb#x", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        if (redirect_matches(str_from(cases[i].registered), str_from(cases[i].wanted)) != cases[i].same)
            fail_msg("%s and %s", cases[i].registered, cases[i].wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_match),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
