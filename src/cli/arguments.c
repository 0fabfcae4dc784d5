/* What stood on the command line, against the table of subcommands. */
#include "cli/arguments.h"

#include "base/nearest.h"

struct parsing {
    struct arena *arena;
    struct arguments *arguments;
    int argc;
    char *const *argv;
    int next;
    struct str problem;
};

static bool PRINTF_LIKE(2, 3) wrong(struct parsing *parsing, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    parsing->problem = str_format_list(parsing->arena, format, list);
    va_end(list);
    return false;
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != 0;
}

/* "porteiro backup", "porteiro connection add": whose --help tells more. */
static struct str command_words(const struct parsing *parsing)
{
    const struct noun *noun = parsing->arguments->noun;
    const struct command *command = parsing->arguments->command;
    bool has_verb = command && command->verb;
    return str_format(parsing->arena, "porteiro%s%s%s%s", noun ? " " : "", noun ? noun->name : "", has_verb ? " " : "",
                      has_verb ? command->verb : "");
}

/* ---- noun and verb */

static bool unknown_noun(struct parsing *parsing, struct str word)
{
    struct nearest nearest = nearest_to(word);
    for (size_t i = 0; i < n_nouns; i++)
        nearest_offer(&nearest, str_from(nouns[i]->name));
    nearest_offer(&nearest, STR("help"));
    if (nearest.found.len)
        return wrong(parsing, "there is no command \"%.*s\"; did you mean \"%.*s\"? See porteiro --help", STR_ARG(word),
                     STR_ARG(nearest.found));
    return wrong(parsing, "there is no command \"%.*s\"; see porteiro --help", STR_ARG(word));
}

static bool unknown_verb(struct parsing *parsing, struct str word)
{
    const struct noun *noun = parsing->arguments->noun;
    struct nearest nearest = nearest_to(word);
    struct str verbs = STR_EMPTY;
    for (size_t i = 0; i < noun->n_commands; i++) {
        nearest_offer(&nearest, str_from(noun->commands[i].verb));
        verbs = str_format(parsing->arena, "%.*s%s%s", STR_ARG(verbs), i ? ", " : "", noun->commands[i].verb);
    }
    if (word.len == 0)
        return wrong(parsing, "%s what? There is: %.*s. See porteiro %s --help", noun->name, STR_ARG(verbs),
                     noun->name);
    if (nearest.found.len)
        return wrong(parsing, "there is no \"%s %.*s\"; did you mean \"%s %.*s\"? See porteiro %s --help", noun->name,
                     STR_ARG(word), noun->name, STR_ARG(nearest.found), noun->name);
    return wrong(parsing, "there is no \"%s %.*s\"; there is: %.*s. See porteiro %s --help", noun->name, STR_ARG(word),
                 STR_ARG(verbs), noun->name);
}

/* A word that is no option: the noun, its verb, or the argument, in this order. */
static bool take_word(struct parsing *parsing, struct str word)
{
    struct arguments *arguments = parsing->arguments;
    if (arguments->noun == NULL && !arguments->help && str_eq(word, STR("help"))) {
        arguments->help = true; /* of what stands behind it */
        return true;
    }
    if (arguments->noun == NULL) {
        for (size_t i = 0; i < n_nouns; i++) {
            if (str_eq(word, str_from(nouns[i]->name)))
                arguments->noun = nouns[i];
        }
        if (arguments->noun && arguments->noun->commands[0].verb == NULL)
            arguments->command = &arguments->noun->commands[0];
        return arguments->noun ? true : unknown_noun(parsing, word);
    }
    if (arguments->command == NULL) {
        for (size_t i = 0; i < arguments->noun->n_commands; i++) {
            if (str_eq(word, str_from(arguments->noun->commands[i].verb)))
                arguments->command = &arguments->noun->commands[i];
        }
        return arguments->command ? true : unknown_verb(parsing, word);
    }
    if (arguments->command->argument == NULL || arguments->argument.ptr)
        return wrong(parsing, "\"%.*s\" is one word too many", STR_ARG(word));
    arguments->argument = word;
    return true;
}

/* ---- options */

static bool is_named(struct str name, const char *option)
{
    return str_eq(name, str_from(option));
}

/* "--password" where there is "--password-stdin": somebody is about to show a secret to the whole machine. */
static bool is_secret_in_argv(const struct command *command, struct str name)
{
    struct option option;
    for (size_t i = 0; command && command_option(command, i, &option); i++) {
        struct str own = str_from(option.name);
        if (str_ends_with(own, STR("-stdin")) && str_eq(str_sub(own, 0, own.len - 6), name))
            return true;
    }
    return false;
}

static bool unknown_option(struct parsing *parsing, struct str name)
{
    const struct command *command = parsing->arguments->command;
    if (is_secret_in_argv(command, name))
        return wrong(parsing,
                     "a secret is not taken from the command line, where other users of this machine can read it; "
                     "use --%.*s-stdin or --%.*s-file FILE, or leave both out to be asked",
                     STR_ARG(name), STR_ARG(name));
    struct nearest nearest = nearest_to(name);
    struct option option;
    nearest_offer(&nearest, STR("json"));
    nearest_offer(&nearest, STR("help"));
    nearest_offer(&nearest, STR("config"));
    for (size_t i = 0; command && command_option(command, i, &option); i++)
        nearest_offer(&nearest, str_from(option.name));
    for (size_t i = 0; i < SETTINGS; i++)
        nearest_offer(&nearest, config_flag_name(parsing->arena, (enum setting)i));
    struct str see = command_words(parsing);
    if (nearest.found.len)
        return wrong(parsing, "there is no option --%.*s here; did you mean --%.*s? See %.*s --help", STR_ARG(name),
                     STR_ARG(nearest.found), STR_ARG(see));
    return wrong(parsing, "there is no option --%.*s here; see %.*s --help", STR_ARG(name), STR_ARG(see));
}

static bool find_option(const struct command *command, struct str name, struct option *ret)
{
    for (size_t i = 0; command && command_option(command, i, ret); i++) {
        if (is_named(name, ret->name))
            return true;
    }
    return false;
}

/* The value of an option: behind its '=', or the next word. */
static bool take_value(struct parsing *parsing, struct str name, struct str inline_value, struct str *ret)
{
    if (inline_value.ptr) {
        *ret = inline_value;
        return true;
    }
    if (parsing->next >= parsing->argc)
        return wrong(parsing, "--%.*s needs a value behind it", STR_ARG(name));
    *ret = str_from(parsing->argv[parsing->next++]);
    if (str_starts_with(*ret, STR("--")))
        return wrong(parsing, "--%.*s needs a value behind it (one that begins with -- as --%.*s=VALUE)", STR_ARG(name),
                     STR_ARG(name));
    return true;
}

static bool take_setting(struct parsing *parsing, struct str name, struct str inline_value)
{
    struct arguments *arguments = parsing->arguments;
    struct str value;
    if (!take_value(parsing, name, inline_value, &value))
        return false;
    if (arguments->n_settings == ARGUMENTS_MAX)
        return wrong(parsing, "there are too many options");
    arguments->settings[arguments->n_settings++] = (struct config_flag){name, value};
    return true;
}

static bool take_own_option(struct parsing *parsing, const struct option *option, struct str name,
                            struct str inline_value)
{
    struct arguments *arguments = parsing->arguments;
    struct str value = STR_EMPTY;
    if (option->value && !take_value(parsing, name, inline_value, &value))
        return false;
    if (!option->value && inline_value.ptr)
        return wrong(parsing, "--%.*s takes no value", STR_ARG(name));
    for (size_t i = 0; i < arguments->n_options; i++) {
        if (!option->many && str_eq(arguments->options[i].name, name))
            return wrong(parsing, "--%.*s stands there twice", STR_ARG(name));
    }
    if (arguments->n_options == ARGUMENTS_MAX)
        return wrong(parsing, "there are too many options");
    arguments->options[arguments->n_options++] = (struct given_option){name, value};
    return true;
}

static bool take_option(struct parsing *parsing, struct str word)
{
    struct arguments *arguments = parsing->arguments;
    size_t dashes = str_starts_with(word, STR("--")) ? 2 : 1, equals = str_find_char(word, '=');
    struct str name = str_sub(str_sub(word, 0, equals), dashes, SIZE_MAX);
    struct str inline_value = equals == STR_NOT_FOUND ? (struct str){NULL, 0} : str_from_offset(word, equals + 1);
    struct option option;
    enum setting setting;
    bool file;
    if (str_eq(word, STR("--help")) || str_eq(word, STR("-h"))) {
        arguments->help = true;
        return true;
    }
    if (dashes == 1)
        return wrong(parsing, "options begin with two dashes: --%.*s", STR_ARG(name));
    if (is_named(name, "json") && !inline_value.ptr) {
        arguments->json = true;
        return true;
    }
    if (str_eq(word, STR("--version")) && arguments->noun == NULL)
        return take_word(parsing, STR("version"));
    if (find_option(arguments->command, name, &option))
        return take_own_option(parsing, &option, name, inline_value);
    if (is_named(name, "config"))
        return take_setting(parsing, name, inline_value);
    if (config_flag_known(name, &setting, &file)) {
        if (setting_table[setting].secret && !file)
            return wrong(parsing,
                         "%s is not taken from the command line, where other users of this machine can read it; "
                         "use --%.*s-file FILE or the variable %s",
                         setting_table[setting].name, STR_ARG(name), setting_table[setting].environment);
        return take_setting(parsing, name, inline_value);
    }
    return unknown_option(parsing, name);
}

/* ---- all of it */

static bool check_complete(struct parsing *parsing)
{
    struct arguments *arguments = parsing->arguments;
    const struct command *command = arguments->command;
    if (arguments->help)
        return true;
    if (arguments->noun == NULL)
        return wrong(parsing, "what shall be done? Usage: porteiro COMMAND; see porteiro --help");
    if (command == NULL)
        return unknown_verb(parsing, STR_EMPTY);
    if (command->argument && command->argument[0] != '[' && arguments->argument.ptr == NULL)
        return wrong(parsing, "%s is missing; see %.*s --help", command->argument, STR_ARG(command_words(parsing)));
    struct option option;
    for (size_t i = 0; i < command->n_options && command_option(command, i, &option); i++) {
        bool is_there = !option.required;
        for (size_t j = 0; j < arguments->n_options; j++)
            is_there = is_there || is_named(arguments->options[j].name, option.name);
        if (!is_there)
            return wrong(parsing, "--%s %s is missing; see %.*s --help", option.name, option.value,
                         STR_ARG(command_words(parsing)));
    }
    return true;
}

bool arguments_parse(struct arena *arena, int argc, char *const *argv, struct arguments *ret, struct str *ret_problem)
{
    *ret = (struct arguments){0};
    struct parsing parsing = {.arena = arena, .arguments = ret, .argc = argc, .argv = argv, .problem = STR_EMPTY};
    bool good = true, only_words = false;
    while (good && parsing.next < argc) {
        const char *word = argv[parsing.next++];
        if (!only_words && strcmp(word, "--") == 0)
            only_words = true;
        else if (!only_words && is_option(word))
            good = take_option(&parsing, str_from(word));
        else
            good = take_word(&parsing, str_from(word));
    }
    /* Asked for JSON behind the mistake? Then the mistake is told as JSON. */
    while (!good && parsing.next < argc) {
        if (strcmp(argv[parsing.next++], "--json") == 0)
            ret->json = true;
    }
    good = good && check_complete(&parsing);
    *ret_problem = parsing.problem;
    return good;
}
