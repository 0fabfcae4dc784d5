/* Web addresses: what is read, refused, written, joined, encoded. */
#include "net/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(64 << 20);
    return arena ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void assert_text(struct str got, const char *expected)
{
    if (!str_eq(got, str_from(expected)))
        fail_msg("got \"%.*s\", not \"%s\"", STR_ARG(got), expected);
}

static void test_parts(void **state)
{
    (void)state;
    struct url url;
    assert_int_equal(url_parse(arena, STR("HTTPS://Example.COM:8443/a/b%20c?x=1&y=%2F#part"), &url), OK);
    assert_true(url.is_https);
    assert_text(url.scheme, "https");
    assert_text(url.host, "example.com");
    assert_int_equal(url.port, 8443);
    assert_text(url.path, "/a/b%20c");
    assert_text(url.query, "x=1&y=%2F");
    assert_int_equal(url_parse(arena, STR("http://[2001:DB8::1]"), &url), OK);
    assert_false(url.is_https);
    assert_true(url.host_is_ipv6);
    assert_text(url.host, "2001:db8::1");
    assert_int_equal(url.port, 80);
    assert_text(url.path, "/");
    assert_text(url.query, "");
}

/* RFC 6454: scheme, host and port, all three. */
static void test_same_origin(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool is_same;
    } cases[] = {
        {"https://a.example/x?y", "HTTPS://A.example:443/z", true},
        {"https://a.example", "http://a.example", false},
        {"https://a.example:80", "http://a.example:80", false},
        {"https://a.example", "https://a.example:8443", false},
        {"https://a.example", "https://b.example", false},
        {"https://a.example", "https://www.a.example", false},
        {"https://[2001:db8::1]", "https://[2001:DB8::1]:443", true},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct url a, b;
        assert_int_equal(url_parse(arena, str_from(cases[i].a), &a), OK);
        assert_int_equal(url_parse(arena, str_from(cases[i].b), &b), OK);
        assert_int_equal(url_same_origin(&a, &b), cases[i].is_same);
        assert_int_equal(url_same_origin(&b, &a), cases[i].is_same);
    }
}

/* The short cut for plain addresses and libcurl say the same. */
static void test_short_cut(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "https://example.com",
        "https://example.com/",
        "http://a.b-c.example:8080/x/y?z=1&w=%2F",
        "https://127.0.0.1:9/x",
        "https://127.0.0.01/x",
        "https://127.1/",
        "https://1.example/",
        "https://example.1/",
        "https://example.com:0443/",
        "https://example.com:00/",
        "https://example.com:65535",
        "https://example.com:65536",
        "https://example.com:/",
        "https://example.com:",
        "https://example.com/a/./b",
        "https://example.com/a/%2e/b",
        "https://example.com/a?",
        "https://example.com/a??b",
        "https://example.com/a?b?c",
        "https://example.com?x",
        "https://example.com/a/..",
        "https://example.com/a?x/../y",
        "https://a_b.example/",
        "https://-a.example/",
        "https://Example.com/",
        "HTTPS://example.com/",
        "https://example.com//x//",
        "https://xn--mller-kva.example/",
        "https://0x7f.1/",
        "https://1.2.3.4.5/",
        "https://1.2.3.256/",
        "https://example.com/a%",
        "https://example.com/x;y=z,(w)*!$@:",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct url quick, careful;
        int error = url_parse(arena, str_from(cases[i]), &quick);
        if (error != url_parse_carefully(arena, str_from(cases[i]), &careful))
            fail_msg("%s", cases[i]);
        if (error)
            continue;
        assert_true(url_same_origin(&quick, &careful));
        assert_text(quick.path, str_copy_cstr(arena, careful.path));
        assert_text(quick.query, str_copy_cstr(arena, careful.query));
    }
}

static void test_normal_forms(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"https://example.com", "https://example.com/"},
        {"https://example.com:443/", "https://example.com/"},
        {"http://example.com:80/", "http://example.com/"},
        {"https://example.com:80/", "https://example.com:80/"},
        {"https://example.com:0443/", "https://example.com/"},
        {"https://example.com./", "https://example.com/"},
        {"https://EXAMPLE.com/Path", "https://example.com/Path"},
        {"https://example.com?x=1", "https://example.com/?x=1"},
        {"https://example.com#x", "https://example.com/"},
        {"https://example.com/a#b?c", "https://example.com/a"},
        {"https://example.com/a/../b/./c", "https://example.com/b/c"},
        {"https://example.com/../../x", "https://example.com/x"},
        {"https://example.com/\u00e4?\u00f6=<>", "https://example.com/%C3%A4?%C3%B6=%3C%3E"},
        {"https://example.com/{a}|b^c`\"", "https://example.com/%7Ba%7D%7Cb%5Ec%60%22"},
        {"https://m\u00fcller.example/", "https://xn--mller-kva.example/"},
        {"https://xn--mller-kva.example/", "https://xn--mller-kva.example/"},
        {"https://a_\u00fc.example/", "https://xn--a_-yka.example/"},
        {"https://\uff21\uff0eexample/", "https://a.example/"}, /* full width */
        {"https://[::FFFF:1.2.3.4]:8443/", NULL}, /* whatever its spelling becomes, it is read again the same */
        {"https://under_score.example/", "https://under_score.example/"},
        {"https://example.com/a//b", "https://example.com/a//b"},
        {"https://example.com/%2e%2ea", "https://example.com/%2e%2ea"},
        {"https://example.com/...", "https://example.com/..."},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct url url, again;
        assert_int_equal(url_parse(arena, str_from(cases[i][0]), &url), OK);
        struct str text = url_format(arena, &url);
        if (cases[i][1])
            assert_text(text, cases[i][1]);
        assert_int_equal(url_parse(arena, text, &again), OK);
        assert_true(str_eq(url_format(arena, &again), text));
        assert_true(url_same_origin(&url, &again));
    }
}

static void put(char *text, struct str beginning)
{
    memcpy(text, beginning.ptr, beginning.len);
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "example.com",
        "/path",
        "//example.com/",
        "https:/example.com/",
        "https:example.com",
        "https://",
        "https:///path",
        "https://?x",
        "https://:443/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "javascript://example.com/%0aalert(1)",
        "httpss://example.com/",
        "gopher://example.com/",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://:@example.com/",
        "https://example.com@evil.example/",
        "https://example.com:80:80/",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:-1/",
        "https://example.com:8x/",
        "https://example.com: 80/",
        "https://exa mple.com/",
        "https://example.com/a b",
        " https://example.com/",
        "https://example.com/\n",
        "https://example.com\r\nHost: x/",
        "https://example.com/\tx",
        "https://example.com/\x7f",
        "https://example.com\\@evil.example/",
        "https:\\\\example.com\\",
        "https://example.com/a\\b",
        "https://ex%61mple.com/",
        "https://%65xample.com/",
        "https://example.com%00.evil.example/",
        "https://exa<mple.com/",
        "https://exa\"mple.com/",
        "https://exa|mple.com/",
        "https://[::1",
        "https://::1/",
        "https://[::1]x/",
        "https://[::1%25lo]/",
        "https://[fe80::1%lo]/",
        "https://[::g]/",
        "https://[1.2.3.4]/",
        "https://..example.com/",
        "https://example..com/",
        "https://.example.com/",
        "https://./",
        "https://../",
        "https://example.com../",
        "https://example.com/%2e%2e/x",
        "https://example.com/a/%2E/x",
        "https://example.com/a/.%2e",
        "https://example.com/a/%2e.?x",
        "https://example.com/\xff",
        "https://\xff.example/",
        "https://example.com/\xc0\xaf",
        "https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example/",
        "https://\u00fc..example/",
        "https://\u00fc\ufffd.example/",       /* of no name */
        "https://\uff05\uff10\uff10.example/", /* a percent sign and zeros, full width */
        "https://exa\uff05mple.example/",      /* ... between letters: not the host without it */
        "https://\u00fc\uff0fx.example/",      /* a slash, full width */
        "https://exa<m\u00fcller.example/",
        "https://[\u00fc.example]/",
        "https://\u00fc~x.example/",
        "https://exa\uff5emple.example/", /* a tilde, full width */
        "https://xn--a\u00fc.example/",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct url url;
        if (url_parse(arena, str_from(cases[i]), &url) != E_INVALID)
            fail_msg("%s is read as %.*s", cases[i], STR_ARG(url_format(arena, &url)));
        assert_non_null(url.problem);
    }
    struct url url;
    assert_int_equal(url_parse(arena, STR("https://example.com/\0x"), &url), E_INVALID);
    static char text[URL_MAX_BYTES + 1];
    memset(text, 'a', sizeof text);
    put(text, STR("https://a/"));
    assert_int_equal(url_parse(arena, str_of(text, URL_MAX_BYTES), &url), OK);
    assert_int_equal(url_parse(arena, str_of(text, URL_MAX_BYTES + 1), &url), E_INVALID);
    memset(text + 10, '"', URL_MAX_BYTES - 10); /* grows threefold */
    assert_int_equal(url_parse(arena, str_of(text, URL_MAX_BYTES), &url), OK);
    assert_int_equal(url.path.len, 1 + (URL_MAX_BYTES - 10) * 3);
    put(text, STR("https://"));
    for (size_t i = 8; i < 300; i++) /* a host beyond 253 bytes */
        text[i] = i % 10 ? 'a' : '.';
    assert_int_equal(url_parse(arena, str_of(text, 300), &url), E_INVALID);
    assert_int_equal(url_parse(arena, str_of(text, 200), &url), OK);
    for (size_t i = 8; i < 1200; i += 2) /* an international host that is too long to convert */
        put(text + i, STR("\u00fc"));
    assert_int_equal(url_parse(arena, str_of(text, 1200), &url), E_INVALID);
    assert_string_equal(url.problem, "its host is too long");
    bool guessed;
    memset(text, 'a', sizeof text); /* too long before a scheme is put in front of it */
    assert_int_equal(url_parse_site(arena, str_of(text, URL_MAX_BYTES + 1), &url, &guessed), E_INVALID);
    assert_string_equal(url.problem, "it is too long");
}

static void test_site(void **state)
{
    (void)state;
    static const struct {
        const char *typed, *stored;
        bool guessed;
    } cases[] = {
        {"example.com", "https://example.com", true},
        {"  Example.com/ \n", "https://example.com", true},
        {"//example.com/blog/", "https://example.com/blog", true},
        {"https://example.com:443///", "https://example.com", false},
        {"http://localhost:8080/", "http://localhost:8080", false},
        {"localhost:8080/wp", "https://localhost:8080/wp", true},
        {"HTTP://Example.com/Blog/#top", "http://example.com/Blog", false},
        {"example.com:8443", "https://example.com:8443", true},
        {"", NULL, true},
        {"   ", NULL, true},
        {"https://example.com/?p=1", NULL, false},
        {"user:password@example.com", NULL, true},
        {"mailto:me@example.com", NULL, true},
        {"my site", NULL, true},
        {"ftp://example.com", NULL, false},
        {"https://", NULL, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct url url;
        bool guessed;
        int error = url_parse_site(arena, str_from(cases[i].typed), &url, &guessed);
        assert_int_equal(guessed, cases[i].guessed);
        if (cases[i].stored) {
            assert_int_equal(error, OK);
            assert_text(url_format(arena, &url), cases[i].stored);
        } else {
            assert_int_equal(error, E_INVALID);
            assert_non_null(url.problem);
        }
    }
}

static void test_join(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"https://a.example", "/wp-json/", "https://a.example/wp-json/"},
        {"https://a.example/blog/", "wp-json/wp/v2/posts?per_page=1",
         "https://a.example/blog/wp-json/wp/v2/posts?per_page=1"},
        {"https://a.example/blog?x=1", "?rest_route=/", "https://a.example/blog?rest_route=/"},
        {"https://a.example", "?rest_route=/", "https://a.example/?rest_route=/"},
        {"https://a.example/", "//evil.example/", "https://a.example//evil.example/"},
        {"https://a.example/", "@evil.example/", "https://a.example/@evil.example/"},
        {"https://a.example", ".evil.example/", "https://a.example/.evil.example/"},
        {"https://a.example/blog", "/../../x", "https://a.example/x"},
        {"https://a.example/blog/?x=1", "", "https://a.example/blog"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct url base, joined;
        assert_int_equal(url_parse(arena, str_from(cases[i][0]), &base), OK);
        assert_int_equal(url_join(arena, &base, str_from(cases[i][1]), &joined), OK);
        assert_text(url_format(arena, &joined), cases[i][2]);
        assert_true(url_same_origin(&base, &joined));
    }
    struct url base, joined;
    assert_int_equal(url_parse_site(arena, STR("a.example/blog/"), &base, NULL), OK);
    assert_int_equal(url_join(arena, &base, STR("/wp-json/"), &joined), OK);
    assert_text(url_format(arena, &joined), "https://a.example/blog/wp-json/");
    assert_int_equal(url_join(arena, &base, STR("/a b"), &joined), E_INVALID);
    assert_int_equal(url_join(arena, &base, STR("/%2e%2e/x"), &joined), E_INVALID);
}

static void test_resolve(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "https://a.example/b/c?d=1"},
        {"#x", "https://a.example/b/c?d=1"},
        {"?y=2", "https://a.example/b/c?y=2"},
        {"e", "https://a.example/b/e"},
        {"./e/", "https://a.example/b/e/"},
        {"../e", "https://a.example/e"},
        {"../../../e", "https://a.example/e"},
        {"/e?x", "https://a.example/e?x"},
        {"//b.example/e", "https://b.example/e"},
        {"http://c.example:81/", "http://c.example:81/"},
        {"e:f/g", NULL},
        {"e+f-1.0:g", NULL}, /* a scheme as well (RFC 3986 3.1) */
        {"e/f:g", "https://a.example/b/e/f:g"},
        {":e", "https://a.example/b/:e"},
        {"1:2", "https://a.example/b/1:2"},
        {"javascript:alert(1)", NULL},
        {"data:text/html,x", NULL},
        {"//user@b.example/", NULL},
        {"/a b", NULL},
        {"\\\\b.example\\", NULL},
    };
    struct url base, url;
    assert_int_equal(url_parse(arena, STR("https://a.example/b/c?d=1"), &base), OK);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        int error = url_resolve(arena, &base, str_from(cases[i][0]), &url);
        assert_int_equal(error, cases[i][1] ? OK : E_INVALID);
        if (cases[i][1])
            assert_text(url_format(arena, &url), cases[i][1]);
    }
    base.path = STR_EMPTY; /* as url_parse_site() leaves it */
    assert_int_equal(url_resolve(arena, &base, STR("e"), &url), OK);
    assert_text(url_format(arena, &url), "https://a.example/e");
    base.query = STR_EMPTY;
    assert_int_equal(url_resolve(arena, &base, STR_EMPTY, &url), OK);
    assert_text(url_format(arena, &url), "https://a.example/");
}

static void test_encode(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, arena, 4096);
    url_query_add(&buf, STR("a b"), STR("c&d=e+f/\u00e4~"));
    url_query_add(&buf, STR("x"), STR(""));
    assert_text(buf_str(&buf), "a%20b=c%26d%3De%2Bf%2F%C3%A4~&x=");
    buf_clear(&buf);
    buf_add(&buf, STR("/posts?"));
    url_query_add(&buf, STR("a"), STR("1"));
    buf_add_char(&buf, '&');
    url_query_add(&buf, STR("b"), STR("2"));
    assert_text(buf_str(&buf), "/posts?a=1&b=2");
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        buf_clear(&buf);
        url_encode_component(&buf, str_of(&byte, 1));
        assert_true(str_eq(url_decode(arena, buf_str(&buf), true), str_of(&byte, 1)));
    }
}

static void test_decode(void **state)
{
    (void)state;
    assert_text(url_decode(arena, STR("a+b%20c"), true), "a b c");
    assert_text(url_decode(arena, STR("a+b%20c"), false), "a+b c");
    assert_text(url_decode(arena, STR("%"), true), "%");
    assert_text(url_decode(arena, STR("%4"), true), "%4");
    assert_text(url_decode(arena, STR("%zz%41%"), true), "%zzA%");
    assert_text(url_decode(arena, STR("%4z%"), true), "%4z%");
    assert_text(url_decode(arena, STR("%2541"), true), "%41"); /* once */
    assert_true(str_eq(url_decode(arena, STR("%00"), true), str_of("\0", 1)));
    struct str rest = STR("&&a=1&b&=c&d=e=f&g=%26&&h+i=+"), name, value;
    static const char *const pairs[][2] = {{"a", "1"}, {"b", ""}, {"", "c"}, {"d", "e=f"}, {"g", "&"}, {"h i", " "}};
    for (size_t i = 0; i < ARRAY_LENGTH(pairs); i++) {
        assert_true(url_query_next(arena, &rest, true, &name, &value));
        assert_text(name, pairs[i][0]);
        assert_text(value, pairs[i][1]);
    }
    assert_false(url_query_next(arena, &rest, true, &name, &value));
    assert_false(url_query_next(arena, &rest, true, &name, &value));
    rest = STR_EMPTY;
    assert_false(url_query_next(arena, &rest, true, &name, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_parts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_same_origin, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_short_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_normal_forms, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_site, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_join, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_resolve, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_encode, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_decode, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
