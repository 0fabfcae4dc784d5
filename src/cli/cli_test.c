/* The command line against the table of subcommands, and the two forms of an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/answer.h"
#include "cli/arguments.h"
#include "cli/help.h"

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(4 << 20);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* Splits at spaces and parses. */
static bool parse(const char *line, struct arguments *ret, struct str *ret_problem)
{
    char *argv[32];
    int argc = 0;
    struct str rest = str_from(line), word;
    while (str_next(&rest, ' ', &word))
        argv[argc++] = (char *)(uintptr_t)str_copy_cstr(arena, word);
    return arguments_parse(arena, line[0] ? argc : 0, argv, ret, ret_problem);
}

static void test_good_lines(void **state)
{
    (void)state;
    struct arguments got;
    struct str problem;
    assert_true(parse("version", &got, &problem));
    assert_ptr_equal(got.noun, &version_noun);
    assert_false(got.json);
    assert_true(parse("--json config check", &got, &problem));
    assert_ptr_equal(got.command, &config_noun.commands[0]);
    assert_true(got.json);
    assert_true(parse("config --listen=127.0.0.1:1 check --config /x --secret-key-file /k", &got, &problem));
    assert_int_equal(got.n_settings, 3);
    assert_true(str_eq(got.settings[0].name, STR("listen")) && str_eq(got.settings[0].value, STR("127.0.0.1:1")));
    assert_true(str_eq(got.settings[2].name, STR("secret-key-file")));
    assert_true(parse("migrate --status", &got, &problem));
    assert_int_equal(got.n_options, 1);
    assert_true(parse("--version", &got, &problem));
    assert_ptr_equal(got.noun, &version_noun);
    assert_true(parse("--help", &got, &problem) && got.help && got.noun == NULL);
    assert_true(parse("help", &got, &problem) && got.help && got.noun == NULL);
    assert_true(parse("help config", &got, &problem) && got.help && got.noun == &config_noun && got.command == NULL);
    assert_true(parse("help config check", &got, &problem) && got.help && got.command != NULL);
    assert_true(parse("config -h", &got, &problem) && got.help && got.noun == &config_noun && got.command == NULL);
}

struct bad_line {
    const char *line;
    const char *words; /* in the sentence */
};

static void test_bad_lines(void **state)
{
    static const struct bad_line lines[] = {
        {"", "porteiro --help"},
        {"help confgi", "did you mean \"config\""},
        {"help help", "there is no command"},
        {"hepl", "did you mean \"help\""},
        {"verson", "did you mean \"version\""},
        {"config", "There is: check"},
        {"config chekc", "did you mean \"config check\""},
        {"config check more", "one word too many"},
        {"config check --jsno", "did you mean --json"},
        {"config check --listn 1", "did you mean --listen"},
        {"config check --listen", "needs a value"},
        {"config check --listen --json", "needs a value"},
        {"config check -l", "two dashes"},
        {"migrate --status=1", "takes no value"},
        {"migrate --status --status", "twice"},
        {"config check --secret-key hunter2", "--secret-key-file"},
        {"config check --database-url=postgres://u:hunter2@h/d", "--database-url-file"},
        {"config check --passwrod=hunter2", "no option --passwrod"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
        struct arguments got;
        struct str problem;
        assert_false(parse(lines[i].line, &got, &problem));
        if (!str_contains(problem, str_from(lines[i].words)))
            print_message("%s: %.*s\n", lines[i].line, STR_ARG(problem));
        assert_true(str_contains(problem, str_from(lines[i].words)));
        assert_false(str_contains(problem, STR("hunter2")));
    }
}

static void test_an_error_is_json_wherever_json_stands(void **state)
{
    (void)state;
    struct arguments got;
    struct str problem;
    assert_false(parse("config nonsense --json", &got, &problem));
    assert_true(got.json);
    assert_false(parse("--json nonsense", &got, &problem));
    assert_true(got.json);
}

/* Every command has what its help promises, and no option hides a setting or one of the program's own. */
static void test_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_nouns; i++) {
        const struct noun *noun = nouns[i];
        assert_true(noun->n_commands > 0);
        for (size_t j = 0; j < noun->n_commands; j++) {
            const struct command *command = &noun->commands[j];
            struct option option;
            assert_true(command->verb != NULL || noun->n_commands == 1);
            assert_non_null(command->run);
            assert_true(strlen(command->summary) > 10);
            assert_true(str_contains(str_from(command->example), str_from(noun->name)));
            for (size_t k = 0; command_option(command, k, &option); k++) {
                enum setting setting;
                bool file;
                assert_non_null(option.help);
                assert_true(!option.required || option.value);
                assert_false(config_flag_known(str_from(option.name), &setting, &file));
                assert_true(strcmp(option.name, "json") && strcmp(option.name, "help") &&
                            strcmp(option.name, "config"));
            }
            struct str help = help_text(arena, noun, command);
            assert_true(str_contains(help, STR("Example")) &&
                        str_contains(help, str_from(command->example)) == (strchr(command->example, '\n') == NULL));
        }
        assert_true(str_contains(help_text(arena, NULL, NULL), str_from(noun->summary)));
        assert_true(help_text(arena, noun, NULL).len > 50);
    }
}

static struct answer *an_answer(void)
{
    struct answer *answer = answer_new(arena), *site = answer_new(arena);
    struct str none = {NULL, 0};
    answer_integer(answer, "id", 7);
    answer_text(answer, "name", STR("a \"b\"\n\x1b[31m\xc3\xa9"));
    answer_text(answer, "last4", none);
    answer_words(answer, "rights", STR("read,draft"));
    answer_words(answer, "none", STR(""));
    answer_time(answer, "created_at", 1795363200123);
    answer_time(answer, "expires_at", 0);
    answer_switch(answer, "enabled", true);
    answer_text(site, "user", STR("editor"));
    answer_json(site, "details", STR("{\"x\":1}"));
    answer_nested(answer, "site", site);
    answer_nested(answer, "check", NULL);
    return answer;
}

static void test_json(void **state)
{
    (void)state;
    assert_string_equal(str_copy_cstr(arena, answer_as_json(arena, an_answer())),
                        "{\"id\":7,\"name\":\"a \\\"b\\\"\\u000a\\u001b[31m\xc3\xa9\",\"last4\":null,"
                        "\"rights\":[\"read\",\"draft\"],\"none\":[],\"created_at\":\"2026-11-22T16:00:00.123Z\","
                        "\"expires_at\":null,\"enabled\":true,\"site\":{\"user\":\"editor\",\"details\":{\"x\":1}},"
                        "\"check\":null}\n");
    struct answers *list = answers_new(arena);
    assert_string_equal(str_copy_cstr(arena, answers_as_json(arena, list)), "{\"items\":[]}\n");
    answer_text(answers_add(list), "x", STR("\xff"));
    answer_integer(answers_add(list), "x", -1);
    assert_string_equal(str_copy_cstr(arena, answers_as_json(arena, list)), "{\"items\":[{\"x\":\"?\"},{\"x\":-1}]}\n");
}

static void test_text(void **state)
{
    (void)state;
    assert_string_equal(str_copy_cstr(arena, answer_as_text(arena, an_answer())),
                        "id            7\n"
                        "name          a \"b\"??[31m\xc3\xa9\n"
                        "rights        read,draft\n"
                        "created at    2026-11-22 16:00:00\n"
                        "enabled       yes\n"
                        "site user     editor\n"
                        "site details  {\"x\":1}\n");
    struct answers *list = answers_new(arena);
    struct answer *first = answers_add(list), *second = answers_add(list);
    answer_integer(first, "id", 1);
    answer_text(first, "full_name", STR("Jos\xc3\xa9"));
    answer_integer(second, "id", 12);
    answer_text(second, "full_name", (struct str){NULL, 0});
    assert_string_equal(str_copy_cstr(arena, answers_as_text(arena, list, "full_name id")), "full name  id\n"
                                                                                            "Jos\xc3\xa9       1\n"
                                                                                            "-          12\n");
}

static void test_nothing_steers_the_terminal(void **state)
{
    (void)state;
    struct str shown = answer_printable(arena, STR("a\x1b]0;x\x07\r\xc2\x9b"
                                                   "b\xe2\x80\xae\xe2\x81\xa6\xe2\x80\xa6\x7f"));
    assert_string_equal(str_copy_cstr(arena, shown), "a?]0;x???b??\xe2\x80\xa6?");
}

/* A name may be shaped like a time; only a time is shown as one. */
static void test_a_text_like_a_time_is_a_text(void **state)
{
    (void)state;
    struct answer *answer = answer_new(arena);
    answer_text(answer, "name", STR("AB\x1b[31mCDET\x1b[5mFG\x1b[0mHIZ"));
    assert_string_equal(str_copy_cstr(arena, answer_as_text(arena, answer)), "name  AB?[31mCDET?[5mFG?[0mHIZ\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_lines),
        cmocka_unit_test(test_bad_lines),
        cmocka_unit_test(test_an_error_is_json_wherever_json_stands),
        cmocka_unit_test(test_the_table),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_nothing_steers_the_terminal),
        cmocka_unit_test(test_a_text_like_a_time_is_a_text),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
