/* Settings: where values come from, which win, what is refused, and that secrets stay hidden. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/config.h"
#include "base/nearest.h"

#include <fcntl.h>
#include <sys/stat.h>

static char directory[] = "/tmp/porteiro-config-XXXXXX";

/* One load with a world of its own. */
struct world {
    struct arena *arena;
    const char *environment[16];
    struct config_flag flags[8];
    size_t n_flags;
    const char *system_file;
    bool root;
    struct config *config;
};

static void load(struct world *world)
{
    struct config_sources sources = {.flags = world->flags,
                                     .n_flags = world->n_flags,
                                     .environment = (char *const *)(uintptr_t)world->environment,
                                     .system_file =
                                         world->system_file ? world->system_file : "/nonexistent/porteiro.conf",
                                     .root = world->root};
    world->arena = arena_new(1 << 20);
    world->config = config_load(world->arena, &sources);
}

static void done(struct world *world)
{
    arena_free(world->arena);
}

static const char *path_of(struct world *world, const char *name)
{
    static char path[256];
    (void)world;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static const char *write_file(const char *name, const char *content, mode_t mode)
{
    const char *path = path_of(NULL, name);
    unlink(path);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_true(file >= 0);
    assert_int_equal(write(file, content, strlen(content)), (ssize_t)strlen(content));
    assert_int_equal(fchmod(file, mode), 0);
    close(file);
    return path;
}

#define assert_text(config, setting, expected)                                                                         \
    do {                                                                                                               \
        struct str text_ = config_text((config), (setting));                                                           \
        assert_int_equal(text_.len, strlen(expected));                                                                 \
        assert_memory_equal(text_.ptr, (expected), text_.len);                                                         \
    } while (0)

static bool said(const struct config_problem *problems, size_t n, const char *where, const char *words)
{
    for (size_t i = 0; i < n; i++) {
        if (str_contains(problems[i].where, str_from(where)) && str_contains(problems[i].text, str_from(words)))
            return true;
    }
    for (size_t i = 0; i < n; i++)
        print_message("%.*s: %.*s\n", STR_ARG(problems[i].where), STR_ARG(problems[i].text));
    return false;
}

static void test_defaults(void **state)
{
    (void)state;
    struct world world = {.environment = {"HOME=/home/ana"}};
    load(&world);
    assert_int_equal(world.config->n_problems, 0);
    assert_text(world.config, SETTING_DATA_DIR, "/home/ana/.local/share/porteiro");
    assert_text(world.config, SETTING_DATABASE_URL, "sqlite:/home/ana/.local/share/porteiro/porteiro.db");
    assert_text(world.config, SETTING_PUBLIC_URL, "http://127.0.0.1:8080");
    assert_false(config_is_set(world.config, SETTING_SECRET_KEY));
    assert_true(config_switch(world.config, SETTING_ACCESS_LOG));
    done(&world);

    world = (struct world){.environment = {"HOME=/home/ana", "XDG_DATA_HOME=/data"}};
    load(&world);
    assert_text(world.config, SETTING_DATA_DIR, "/data/porteiro");
    done(&world);

    world = (struct world){.environment = {"HOME=/root"}, .root = true};
    load(&world);
    assert_text(world.config, SETTING_DATA_DIR, "/var/lib/porteiro");
    done(&world);

    world = (struct world){.root = false};
    load(&world);
    assert_true(said(world.config->problems, world.config->n_problems, "PORTEIRO_DATA_DIR", "HOME"));
    done(&world);
}

static void test_every_default_is_a_good_value(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting_row *row = &setting_table[i];
        assert_non_null(row->name);
        assert_non_null(row->environment);
        assert_non_null(row->meaning);
        assert_true(row->standard || row->standard_text);
        assert_true(row->kind != SETTING_CHOICE || row->choices);
        assert_true(row->kind != SETTING_NUMBER || (row->unit && row->min < row->max));
        struct str text = str_from(row->standard), wrong;
        int64_t number;
        if (row->standard)
            assert_true(setting_check(arena, (enum setting)i, &text, &number, &wrong));
    }
    arena_free(arena);
}

static void test_flags_win_over_environment_over_file(void **state)
{
    (void)state;
    const char *path =
        write_file("order.conf", "# three settings\n\nlisten = 127.0.0.1:1\nlog = json\naccess_log=off\r\n", 0600);
    char config_variable[300];
    snprintf(config_variable, sizeof config_variable, "PORTEIRO_CONFIG=%s", path);
    struct world world = {
        .environment = {"HOME=/h", config_variable, "PORTEIRO_LISTEN=127.0.0.1:2", "PORTEIRO_LOG=text"},
        .flags = {{STR("listen"), STR("127.0.0.1:3")}},
        .n_flags = 1};
    load(&world);
    assert_int_equal(world.config->n_problems, 0);
    assert_text(world.config, SETTING_LISTEN, "127.0.0.1:3");
    assert_int_equal(world.config->values[SETTING_LISTEN].source, SOURCE_FLAG);
    assert_text(world.config, SETTING_LOG, "text");
    assert_int_equal(world.config->values[SETTING_LOG].source, SOURCE_ENVIRONMENT);
    assert_false(config_switch(world.config, SETTING_ACCESS_LOG));
    assert_int_equal(world.config->values[SETTING_ACCESS_LOG].source, SOURCE_FILE);
    assert_true(str_ends_with(world.config->values[SETTING_ACCESS_LOG].where, STR("order.conf:5 (access_log)")));
    assert_text(world.config, SETTING_PUBLIC_URL, "http://127.0.0.1:3");
    done(&world);
}

/* What a supervisor hands to its workers: the same values, with nothing of their own environment. */
static void test_as_file(void **state)
{
    (void)state;
    struct world world = {.environment = {"HOME=/h", "PORTEIRO_LISTEN=127.0.0.1:2", "PORTEIRO_SECRET_KEY=a = b #c",
                                          "PORTEIRO_MAX_UPSTREAM=7"},
                          .flags = {{STR("log"), STR("json")}},
                          .n_flags = 1};
    load(&world);
    assert_int_equal(world.config->n_problems, 0);
    struct str problem = STR_EMPTY, text = config_as_file(world.arena, world.config, &problem);
    const char *path = write_file("handed.conf", str_copy_cstr(world.arena, text), 0600);
    struct config_sources sources = config_sources_file(world.arena, str_from(path));
    struct config *again = config_load(world.arena, &sources);
    assert_int_equal(again->n_problems, 0);
    for (size_t i = 0; i < SETTINGS; i++) {
        assert_true(str_eq(again->values[i].text, world.config->values[i].text));
        assert_int_equal(again->values[i].number, world.config->values[i].number);
    }
    assert_int_equal(again->values[SETTING_LOG].source, SOURCE_FILE);
    assert_int_equal(again->values[SETTING_LOG_LEVEL].source, SOURCE_DEFAULT);
    world.config->values[SETTING_SECRET_KEY].text = STR("two\nlines = 1");
    assert_null(config_as_file(world.arena, world.config, &problem).ptr);
    assert_true(problem.len > 0 && !str_contains(problem, STR("two")));
    unlink(path);
    done(&world);
}

static void test_which_file(void **state)
{
    (void)state;
    char data_variable[300], system_file[300];
    snprintf(system_file, sizeof system_file, "%s", write_file("system.conf", "listen = 127.0.0.1:7\n", 0600));
    snprintf(data_variable, sizeof data_variable, "PORTEIRO_DATA_DIR=%s", directory);

    struct world world = {.environment = {data_variable}, .system_file = system_file};
    load(&world); /* nothing in the data directory yet */
    assert_text(world.config, SETTING_LISTEN, "127.0.0.1:7");
    done(&world);

    write_file("porteiro.conf", "listen = 127.0.0.1:8\n", 0600);
    load(&world);
    assert_text(world.config, SETTING_LISTEN, "127.0.0.1:8");
    done(&world);

    struct world named = {
        .environment = {data_variable}, .flags = {{STR("config"), str_from(system_file)}}, .n_flags = 1};
    load(&named);
    assert_text(named.config, SETTING_LISTEN, "127.0.0.1:7");
    done(&named);

    write_file("porteiro.conf", "data_dir = /elsewhere\n", 0600);
    load(&world);
    assert_true(said(world.config->problems, world.config->n_problems, "porteiro.conf:1", "cannot name another"));
    done(&world);
    unlink(path_of(NULL, "porteiro.conf"));

    struct world missing = {.environment = {"HOME=/h", "PORTEIRO_CONFIG=/nonexistent/file"}};
    load(&missing);
    assert_true(said(missing.config->problems, missing.config->n_problems, "PORTEIRO_CONFIG", "No such file"));
    done(&missing);
}

static void test_mistakes_in_the_file(void **state)
{
    (void)state;
    const char *path = write_file("bad.conf",
                                  "listn = 127.0.0.1:1\n"
                                  "listen 127.0.0.1:1\n"
                                  "log = xml\n"
                                  "PORTEIRO_PUBLIC_URL = https://Example.org/\n"
                                  "public_url = https://b.example\n"
                                  "access_log =\n"
                                  "something_else = 1\n",
                                  0600);
    struct world world = {.environment = {"HOME=/h"}, .flags = {{STR("config"), str_from(path)}}, .n_flags = 1};
    load(&world);
    struct config *config = world.config;
    assert_true(said(config->problems, config->n_problems, "bad.conf:1", "did you mean \"listen\""));
    assert_true(said(config->problems, config->n_problems, "bad.conf:2", "name = value"));
    assert_true(said(config->problems, config->n_problems, "bad.conf:3", "text json"));
    assert_true(said(config->problems, config->n_problems, "bad.conf:5", "second time"));
    assert_true(said(config->problems, config->n_problems, "bad.conf:6", "no value"));
    assert_true(said(config->problems, config->n_problems, "bad.conf:7", "no setting \"something_else\""));
    assert_int_equal(config->n_problems, 6);
    assert_text(config, SETTING_PUBLIC_URL, "https://example.org");
    done(&world);
}

static void test_huge_and_binary_files(void **state)
{
    (void)state;
    char *big = malloc(CONFIG_FILE_BYTES_MAX + 2);
    memset(big, '#', CONFIG_FILE_BYTES_MAX + 1);
    big[CONFIG_FILE_BYTES_MAX + 1] = 0;
    const char *path = write_file("big.conf", big, 0600);
    free(big);
    struct world world = {.environment = {"HOME=/h"}, .flags = {{STR("config"), str_from(path)}}, .n_flags = 1};
    load(&world);
    assert_int_equal(world.config->n_problems, 1);
    done(&world);

    char many[40 * 8 + 1] = "";
    for (size_t i = 0; i < 40; i++)
        snprintf(many + i * 8, 9, "x%05zu=\n", i);
    path = write_file("many.conf", many, 0600);
    world = (struct world){.environment = {"HOME=/h"}, .flags = {{STR("config"), str_from(path)}}, .n_flags = 1};
    load(&world);
    assert_int_equal(world.config->n_problems, CONFIG_PROBLEMS_MAX);
    done(&world);

    path = write_file("binary.conf", "listen = \xff\xfe\n", 0600);
    world = (struct world){.environment = {"HOME=/h"}, .flags = {{STR("config"), str_from(path)}}, .n_flags = 1};
    load(&world);
    assert_true(said(world.config->problems, world.config->n_problems, "binary.conf:1", "not text"));
    done(&world);
}

static void test_secrets(void **state)
{
    (void)state;
    const char *path = write_file("key", "c2VjcmV0\n", 0600);
    char variable[300];
    snprintf(variable, sizeof variable, "PORTEIRO_SECRET_KEY_FILE=%s", path);
    struct world world = {
        .environment = {"HOME=/h", variable, "DATABASE_URL=postgres://ana:hunter2@db.example/x?password=y"}};
    load(&world);
    assert_int_equal(world.config->n_problems, 0);
    assert_int_equal(world.config->n_warnings, 0);
    assert_text(world.config, SETTING_SECRET_KEY, "c2VjcmV0");
    assert_true(str_eq(config_shown(world.arena, world.config, SETTING_SECRET_KEY), STR("(set)")));
    assert_true(str_eq(config_shown(world.arena, world.config, SETTING_DATABASE_URL),
                       STR("postgres://ana:***@db.example/x?...")));
    done(&world);

    /* As a flag: only the name of a file. */
    world = (struct world){.environment = {"HOME=/h"}, .flags = {{STR("secret-key"), STR("c2VjcmV0")}}, .n_flags = 1};
    load(&world);
    assert_true(said(world.config->problems, world.config->n_problems, "--secret-key", "--secret-key-file"));
    assert_false(config_is_set(world.config, SETTING_SECRET_KEY));
    done(&world);
    world =
        (struct world){.environment = {"HOME=/h"}, .flags = {{STR("secret-key-file"), str_from(path)}}, .n_flags = 1};
    load(&world);
    assert_text(world.config, SETTING_SECRET_KEY, "c2VjcmV0");
    done(&world);

    /* Both forms at once; a missing file; one that others can read. */
    world = (struct world){.environment = {"HOME=/h", variable, "PORTEIRO_SECRET_KEY=x"}};
    load(&world);
    assert_true(said(world.config->problems, world.config->n_problems, "PORTEIRO_SECRET_KEY", "too"));
    done(&world);
    world = (struct world){.environment = {"HOME=/h", "PORTEIRO_SECRET_KEY_FILE=/nonexistent/key"}};
    load(&world);
    assert_true(said(world.config->problems, world.config->n_problems, "PORTEIRO_SECRET_KEY_FILE", "/nonexistent/key"));
    done(&world);
    assert_int_equal(chmod(path, 0644), 0);
    world = (struct world){.environment = {"HOME=/h", variable}};
    load(&world);
    assert_true(said(world.config->warnings, world.config->n_warnings, "PORTEIRO_SECRET_KEY_FILE", "chmod 600"));
    done(&world);

    /* A bad value of a secret is not repeated. */
    world = (struct world){.environment = {"HOME=/h", "DATABASE_URL=mysql://ana:hunter2@db"}};
    load(&world);
    assert_int_equal(world.config->n_problems, 1);
    assert_false(str_contains(world.config->problems[0].text, STR("hunter2")));
    done(&world);
}

static void test_unknown_variables(void **state)
{
    (void)state;
    struct world world = {
        .environment = {"HOME=/h", "PORTEIRO_LISTN=x", "PORTEIRO_SERVICE_HOST=10.0.0.1", "PORTEIRO_LOG="}};
    load(&world);
    assert_int_equal(world.config->n_problems, 0);
    assert_int_equal(world.config->n_warnings, 1);
    assert_true(said(world.config->warnings, 1, "PORTEIRO_LISTN", "PORTEIRO_LISTEN"));
    assert_text(world.config, SETTING_LOG, "text"); /* empty: as if it were not there */
    done(&world);
}

struct value_case {
    enum setting setting;
    const char *text;
    const char *normal; /* NULL: refused */
};

static void test_values(void **state)
{
    static const struct value_case cases[] = {
        {SETTING_LISTEN, "127.0.0.1:8080", "127.0.0.1:8080"},
        {SETTING_LISTEN, "0.0.0.0:0", "0.0.0.0:0"},
        {SETTING_LISTEN, "[::1]:65535", "[::1]:65535"},
        {SETTING_LISTEN, "::1:80", NULL},
        {SETTING_LISTEN, "127.0.0.1", NULL},
        {SETTING_LISTEN, "127.0.0.1:65536", NULL},
        {SETTING_LISTEN, "127.0.0.1:-1", NULL},
        {SETTING_LISTEN, "example.com:80", NULL},
        {SETTING_LISTEN, "[127.0.0.1]:80", NULL},
        {SETTING_LISTEN, ":80", NULL},
        {SETTING_PUBLIC_URL, "https://MCP.Example.com/", "https://mcp.example.com"},
        {SETTING_PUBLIC_URL, "https://mcp.example.com:443", "https://mcp.example.com"},
        {SETTING_PUBLIC_URL, "http://[::1]:8080", "http://[::1]:8080"},
        {SETTING_PUBLIC_URL, "https://[::1]", "https://[::1]"},
        {SETTING_PUBLIC_URL, "https://mcp.example.com/x", NULL},
        {SETTING_PUBLIC_URL, "https://user@mcp.example.com", NULL},
        {SETTING_PUBLIC_URL, "https://mcp.example.com:0", NULL},
        {SETTING_PUBLIC_URL, "https://", NULL},
        {SETTING_PUBLIC_URL, "ftp://mcp.example.com", NULL},
        {SETTING_PUBLIC_URL, "not a url", NULL},
        {SETTING_ALLOWED_ORIGINS, "https://a.example, http://B.example:81/", "https://a.example,http://b.example:81"},
        {SETTING_ALLOWED_ORIGINS, "https://a.example,", NULL},
        {SETTING_ALLOWED_ORIGINS, "*", NULL},
        {SETTING_TRUSTED_PROXIES, "10.0.0.0/8, ::1", "10.0.0.0/8,::1"},
        {SETTING_TRUSTED_PROXIES, ":8443", NULL},
        {SETTING_TRUSTED_PROXIES, "10.0.0.0/33", NULL},
        {SETTING_TRUSTED_PROXIES, "::/129", NULL},
        {SETTING_TRUSTED_PROXIES, "10.0.0/8", NULL},
        {SETTING_EGRESS_ALLOW, "127.0.0.0/8,:8443", "127.0.0.0/8,:8443"},
        {SETTING_EGRESS_ALLOW, "300.0.0.0/8", NULL},
        {SETTING_EGRESS_ALLOW, ":0", NULL},
        {SETTING_DATABASE_URL, "sqlite:x", "sqlite:x"},
        {SETTING_DATABASE_URL, "sqlite:", NULL},
        {SETTING_DATABASE_URL, "mysql://x", NULL},
        {SETTING_LOG, "json", "json"},
        {SETTING_LOG, "JSON", NULL},
        {SETTING_ACCESS_LOG, "Off", "Off"},
        {SETTING_ACCESS_LOG, "maybe", NULL},
        {SETTING_MAX_UPSTREAM, "1", "1"},
        {SETTING_MAX_UPSTREAM, "0", NULL},
        {SETTING_MAX_UPSTREAM, "100001", NULL},
        {SETTING_MAX_UPSTREAM, "8 # comment", NULL},
        {SETTING_MAX_UPSTREAM, "99999999999999999999", NULL},
        {SETTING_CA_FILE, "/x/y", "/x/y"},
        {SETTING_CA_FILE, "a\xff", NULL},
        {SETTING_CA_FILE, "", NULL},
    };
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    size_t n_wrong = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct str text = str_from(cases[i].text), wrong = STR_EMPTY;
        int64_t number;
        bool good = setting_check(arena, cases[i].setting, &text, &number, &wrong);
        bool right = good == (cases[i].normal != NULL) && (!good || str_eq(text, str_from(cases[i].normal)));
        if (!right)
            print_message("%s = %s: %s %.*s\n", setting_table[cases[i].setting].name, cases[i].text,
                          good ? "accepted as" : "refused:", STR_ARG(good ? text : wrong));
        n_wrong += !right;
        if (!good)
            assert_true(wrong.len > 0);
    }
    arena_free(arena);
    assert_int_equal(n_wrong, 0);
}

static void test_data_dir_is_made_for_its_owner(void **state)
{
    (void)state;
    char variable[300];
    struct stat found;
    struct str problem;
    snprintf(variable, sizeof variable, "PORTEIRO_DATA_DIR=%s/a/b/data", directory);
    struct world world = {.environment = {variable}};
    load(&world);
    assert_true(config_make_data_dir(world.arena, world.config, &problem));
    assert_int_equal(stat(path_of(NULL, "a/b/data"), &found), 0);
    assert_int_equal(found.st_mode & 07777, 0700);
    assert_true(config_make_data_dir(world.arena, world.config, &problem)); /* and once more */
    done(&world);

    write_file("plain", "", 0600);
    snprintf(variable, sizeof variable, "PORTEIRO_DATA_DIR=%s/plain", directory);
    load(&world);
    assert_false(config_make_data_dir(world.arena, world.config, &problem));
    done(&world);
    snprintf(variable, sizeof variable, "PORTEIRO_DATA_DIR=%s/plain/below", directory);
    load(&world);
    assert_false(config_make_data_dir(world.arena, world.config, &problem));
    done(&world);
}

static void test_nearest(void **state)
{
    (void)state;
    static const char *const words[][2] = {
        {"listn", "listen"},
        {"lsiten", "listen"},
        {"LISTEN", "listen"},
        {"data-dri", "data_dir"},
        {"xyz", ""},
        {"", ""},
        {"a-word-that-is-far-too-long-to-be-near-to-anything-at-all", ""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        struct nearest nearest = nearest_to(str_from(words[i][0]));
        nearest_offer(&nearest, STR("log"));
        nearest_offer(&nearest, STR("listen"));
        nearest_offer(&nearest, STR("data_dir"));
        assert_true(str_eq(nearest.found, str_from(words[i][1])));
    }
}

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    static const char *const names[] = {"order.conf",    "system.conf", "bad.conf", "big.conf",
                                        "many.conf",     "binary.conf", "key",      "plain",
                                        "porteiro.conf", "a/b/data",    "a/b",      "a"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        (void)remove(path_of(NULL, names[i]));
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_every_default_is_a_good_value),
        cmocka_unit_test(test_flags_win_over_environment_over_file),
        cmocka_unit_test(test_as_file),
        cmocka_unit_test(test_which_file),
        cmocka_unit_test(test_mistakes_in_the_file),
        cmocka_unit_test(test_huge_and_binary_files),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_unknown_variables),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_data_dir_is_made_for_its_owner),
        cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
