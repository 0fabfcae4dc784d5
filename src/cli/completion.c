/* porteiro completion, porteiro manual: what shells complete and what man shows, from the table of subcommands. */
#include "cli/cli.h"

#include "base/buf.h"

enum { TEXT_BYTES_MAX = 1024 * 1024 };

struct out {
    struct arena *arena;
    struct buf text;
};

static struct out begin(struct cli *cli)
{
    struct out out = {.arena = cli->arena};
    buf_init(&out.text, cli->arena, TEXT_BYTES_MAX);
    return out;
}

static bool is_file(const struct option *option)
{
    return option->value && strncmp(option->value, "FILE", 4) == 0;
}

/* ---- what stands in every command */

/* "--json", "--config", and the settings. False behind the last. */
static bool common_option(struct arena *arena, size_t index, struct option *ret)
{
    static const struct option common[] = {
        {.name = "help", .help = "what it does, with examples"},
        {.name = "json", .help = "answer as one line of JSON"},
        {.name = "config", .value = "FILE", .help = "the settings' file"},
    };
    if (index < ARRAY_LENGTH(common)) {
        *ret = common[index];
        return true;
    }
    size_t setting = index - ARRAY_LENGTH(common);
    if (setting >= SETTINGS)
        return false;
    const struct setting_row *row = &setting_table[setting];
    bool is_path = row->secret || row->kind == SETTING_PATH;
    *ret = (struct option){.name = str_copy_cstr(arena, config_flag_name(arena, (enum setting)setting)),
                           .value = is_path ? "FILE" : "VALUE",
                           .help = row->meaning};
    return true;
}

static size_t count_verbs(const struct noun *noun)
{
    return noun->n_commands == 1 && !noun->commands[0].verb ? 0 : noun->n_commands;
}

/* ---- bash */

static void add_bash_options(struct out *out, const struct command *command)
{
    struct option option;
    for (size_t i = 0; command_option(command, i, &option); i++)
        buf_add_format(&out->text, "%s--%s", i ? " " : "", option.name);
}

static bool is_listed(struct out *out, const char *name)
{
    return str_ends_with(buf_str(&out->text), str_format(out->arena, "--%s", name)) ||
           str_contains(buf_str(&out->text), str_format(out->arena, "--%s|", name));
}

/* After these a file's name follows: "--secret-file|--config". */
static void add_bash_files(struct out *out)
{
    struct option option;
    const char *before = "";
    for (size_t i = 0; common_option(out->arena, i, &option); i++)
        if (is_file(&option)) {
            buf_add_format(&out->text, "%s--%s", before, option.name);
            before = "|";
        }
    for (size_t n = 0; n < n_nouns; n++)
        for (size_t c = 0; c < nouns[n]->n_commands; c++)
            for (size_t i = 0; command_option(&nouns[n]->commands[c], i, &option); i++)
                if (is_file(&option) && !is_listed(out, option.name))
                    buf_add_format(&out->text, "|--%s", option.name);
}

/* `porteiro help COMMAND` is a way to say --help, and so is not in the table. */
static const char help_summary[] = "What a command does, with its options and examples.";

static void write_bash(struct out *out)
{
    struct option option;
    struct buf *b = &out->text;
    buf_add(b, STR("# bash completion of porteiro: porteiro completion bash\n_porteiro() {\n"
                   "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=\n"
                   "    local at=1\n    [[ ${COMP_WORDS[1]-} == help && $COMP_CWORD -gt 1 ]] && at=2\n"
                   "    local command=${COMP_WORDS[at]-} verb=${COMP_WORDS[at + 1]-}\n    case $prev in\n    "));
    add_bash_files(out);
    buf_add(b, STR(")\n        COMPREPLY=($(compgen -f -- \"$cur\"))\n        return\n        ;;\n    esac\n"
                   "    if ((COMP_CWORD == at)); then\n        words=\""));
    for (size_t n = 0; n < n_nouns; n++)
        buf_add_format(b, "%s%s", n ? " " : "", nouns[n]->name);
    buf_add(b, STR("\"\n        ((at > 1)) || words=\"help $words\"\n    else\n        case $command in\n"));
    for (size_t n = 0; n < n_nouns; n++) {
        buf_add_format(b, "        %s)\n", nouns[n]->name);
        if (!count_verbs(nouns[n])) {
            buf_add(b, STR("            words=\""));
            add_bash_options(out, &nouns[n]->commands[0]);
            buf_add(b, STR("\"\n            ;;\n"));
            continue;
        }
        buf_add(b, STR("            if ((COMP_CWORD == at + 1)); then\n                words=\""));
        for (size_t c = 0; c < nouns[n]->n_commands; c++)
            buf_add_format(b, "%s%s", c ? " " : "", nouns[n]->commands[c].verb);
        buf_add(b, STR("\"\n            else\n                case $verb in\n"));
        for (size_t c = 0; c < nouns[n]->n_commands; c++) {
            buf_add_format(b, "                %s) words=\"", nouns[n]->commands[c].verb);
            add_bash_options(out, &nouns[n]->commands[c]);
            buf_add(b, STR("\" ;;\n"));
        }
        buf_add(b, STR("                esac\n            fi\n            ;;\n"));
    }
    buf_add(b, STR("        esac\n    fi\n    if ((COMP_CWORD > at)); then\n        words=\"$words"));
    for (size_t i = 0; common_option(out->arena, i, &option); i++)
        buf_add_format(b, " --%s", option.name);
    buf_add(b, STR("\"\n    fi\n    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
                   "complete -o default -F _porteiro porteiro\n"));
}

/* ---- zsh and fish */

/* In single quotes; those of the text, and what zsh takes for its own, are written so that they stay text. */
static void add_quoted(struct out *out, const char *text, const char *special)
{
    buf_add_char(&out->text, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            buf_add(&out->text, STR("'\\''"));
        else if (strchr(special, *text))
            buf_add_format(&out->text, "\\%c", *text);
        else
            buf_add_char(&out->text, *text == '\n' ? ' ' : *text);
    }
    buf_add_char(&out->text, '\'');
}

static void add_zsh_option(struct out *out, const struct option *option, const char *indent)
{
    struct str words = str_format(out->arena, "%s--%s[%s]%s", option->many ? "*" : "", option->name, option->help,
                                  !option->value    ? ""
                                  : is_file(option) ? ":file:_files"
                                                    : ":value");
    /* Brackets and colons inside the help would end it. */
    char *text = (char *)(uintptr_t)str_copy_cstr(out->arena, words);
    size_t open = str_find_char(words, '[') + 1, close = open + strlen(option->help);
    for (size_t i = open; i < close; i++)
        text[i] = text[i] == '[' ? '(' : text[i] == ']' ? ')' : text[i] == ':' ? ',' : text[i];
    buf_add_format(&out->text, "\n%s", indent);
    add_quoted(out, text, "");
}

static void add_zsh_options(struct out *out, const struct command *command)
{
    struct option option;
    buf_add(&out->text, STR("own=("));
    for (size_t i = 0; command_option(command, i, &option); i++)
        add_zsh_option(out, &option, "                ");
    buf_add(&out->text, STR(")\n"));
}

static void add_zsh_description(struct out *out, const char *indent, const char *name, const char *help)
{
    buf_add_format(&out->text, "%s", indent);
    add_quoted(out, str_copy_cstr(out->arena, str_format(out->arena, "%s:%s", name, help)), "");
    buf_add_char(&out->text, '\n');
}

static void write_zsh(struct out *out)
{
    struct option option;
    struct buf *b = &out->text;
    buf_add(b, STR("#compdef porteiro\n# zsh completion of porteiro: porteiro completion zsh\n_porteiro() {\n"
                   "    local -a words_of own common\n    if [[ $words[2] == help ]] && ((CURRENT > 2)); then\n"
                   "        shift words\n        ((CURRENT--))\n    fi\n    common=("));
    for (size_t i = 0; common_option(out->arena, i, &option); i++)
        add_zsh_option(out, &option, "        ");
    buf_add(b, STR(")\n    if ((CURRENT == 2)); then\n        words_of=(\n"));
    for (size_t n = 0; n < n_nouns; n++)
        add_zsh_description(out, "            ", nouns[n]->name, nouns[n]->summary);
    add_zsh_description(out, "            ", "help", help_summary);
    buf_add(b, STR("        )\n        _describe command words_of\n        return\n    fi\n    case $words[2] in\n"));
    for (size_t n = 0; n < n_nouns; n++) {
        buf_add_format(b, "    %s)\n", nouns[n]->name);
        if (!count_verbs(nouns[n])) {
            buf_add(b, STR("        "));
            add_zsh_options(out, &nouns[n]->commands[0]);
            buf_add(b, STR("        ;;\n"));
            continue;
        }
        buf_add(b, STR("        if ((CURRENT == 3)); then\n            words_of=(\n"));
        for (size_t c = 0; c < nouns[n]->n_commands; c++)
            add_zsh_description(out, "                ", nouns[n]->commands[c].verb, nouns[n]->commands[c].summary);
        buf_add(b, STR("            )\n            _describe verb words_of\n            return\n        fi\n"
                       "        case $words[3] in\n"));
        for (size_t c = 0; c < nouns[n]->n_commands; c++) {
            buf_add_format(b, "        %s) ", nouns[n]->commands[c].verb);
            add_zsh_options(out, &nouns[n]->commands[c]);
            buf_add(b, STR("            ;;\n"));
        }
        buf_add(b, STR("        esac\n        ;;\n"));
    }
    buf_add(b, STR("    esac\n    _arguments $own $common '*:file:_files'\n}\ncompdef _porteiro porteiro\n"));
}

static void add_fish(struct out *out, const char *condition, const struct option *option)
{
    buf_add_format(&out->text, "complete -c porteiro -n '%s' -l %s%s -d ", condition, option->name,
                   !option->value    ? ""
                   : is_file(option) ? " -r -F"
                                     : " -x");
    add_quoted(out, option->help, "\\");
    buf_add_char(&out->text, '\n');
}

static void add_fish_word(struct out *out, const char *condition, const char *word, const char *help)
{
    buf_add_format(&out->text, "complete -c porteiro -f -n '%s' -a %s -d ", condition, word);
    add_quoted(out, help, "\\");
    buf_add_char(&out->text, '\n');
}

static void write_fish(struct out *out)
{
    struct option option;
    buf_add(&out->text, STR("# fish completion of porteiro: porteiro completion fish\nset -l porteiro_commands"));
    for (size_t n = 0; n < n_nouns; n++)
        buf_add_format(&out->text, " %s", nouns[n]->name);
    buf_add_char(&out->text, '\n');
    add_fish_word(out, "__fish_use_subcommand", "help", help_summary);
    for (size_t n = 0; n < n_nouns; n++) {
        const struct noun *noun = nouns[n];
        const char *seen = str_format(out->arena, "__fish_seen_subcommand_from %s", noun->name).ptr;
        add_fish_word(out, "__fish_use_subcommand", noun->name, noun->summary);
        buf_add_format(&out->text,
                       "complete -c porteiro -f -n \"__fish_seen_subcommand_from help; and not "
                       "__fish_seen_subcommand_from $porteiro_commands\" -a %s -d ",
                       noun->name);
        add_quoted(out, noun->summary, "\\");
        buf_add_char(&out->text, '\n');
        buf_add_format(&out->text, "set -l porteiro_verbs");
        for (size_t c = 0; c < count_verbs(noun); c++)
            buf_add_format(&out->text, " %s", noun->commands[c].verb);
        buf_add_char(&out->text, '\n');
        for (size_t c = 0; c < noun->n_commands; c++) {
            const struct command *command = &noun->commands[c];
            const char *condition = seen;
            if (command->verb) {
                buf_add_format(&out->text,
                               "complete -c porteiro -f -n \"%s; and not __fish_seen_subcommand_from $porteiro_verbs\" "
                               "-a %s -d ",
                               seen, command->verb);
                add_quoted(out, command->summary, "\\");
                buf_add_char(&out->text, '\n');
                condition = str_format(out->arena, "%s; and __fish_seen_subcommand_from %s", seen, command->verb).ptr;
            }
            for (size_t i = 0; command_option(command, i, &option); i++)
                add_fish(out, condition, &option);
        }
    }
    for (size_t i = 0; common_option(out->arena, i, &option); i++)
        add_fish(out, "not __fish_use_subcommand", &option);
}

static int run_completion(struct cli *cli)
{
    static const struct {
        struct str name;
        void (*write)(struct out *out);
    } shells[] = {{STR_INIT("bash"), write_bash}, {STR_INIT("zsh"), write_zsh}, {STR_INIT("fish"), write_fish}};
    for (size_t i = 0; i < ARRAY_LENGTH(shells); i++) {
        if (!str_eq(shells[i].name, cli->arguments.argument))
            continue;
        struct out out = begin(cli);
        shells[i].write(&out);
        if (!cli->arguments.json)
            return cli_print(cli, buf_str(&out.text));
        struct answer *answer = answer_new(cli->arena);
        answer_text(answer, "shell", shells[i].name);
        answer_text(answer, "script", buf_str(&out.text));
        return cli_answer(cli, answer, NULL);
    }
    return cli_usage(cli, "there are completions for bash, zsh and fish, not for \"%.*s\"",
                     STR_ARG(cli->arguments.argument));
}

/* ---- the manual pages */

/* Text of ours as roff shows it: what would be a request or an escape stays text. */
static void add_roff(struct out *out, const char *text)
{
    bool starts_line = true;
    for (; *text; text++) {
        if (starts_line && (*text == '.' || *text == '\''))
            buf_add(&out->text, STR("\\&"));
        if (*text == '\\')
            buf_add(&out->text, STR("\\e"));
        else if (*text == '-')
            buf_add(&out->text, STR("\\-"));
        else
            buf_add_char(&out->text, *text);
        starts_line = *text == '\n';
    }
}

static void add_roff_line(struct out *out, const char *text)
{
    add_roff(out, text);
    buf_add_char(&out->text, '\n');
}

static void add_tagged(struct out *out, const char *tag, const char *text)
{
    buf_add(&out->text, STR(".TP\n\\fB"));
    add_roff(out, tag);
    buf_add(&out->text, STR("\\fR\n"));
    add_roff_line(out, text);
}

static void add_option_page(struct out *out, const struct option *option)
{
    const char *tag =
        str_format(out->arena, "--%s%s%s", option->name, option->value ? " " : "", option->value ? option->value : "")
            .ptr;
    add_tagged(out, tag, option->help);
}

static void add_command_page(struct out *out, const struct noun *noun, const struct command *command)
{
    struct option option;
    buf_add(&out->text, STR(".SS \""));
    add_roff(out, str_format(out->arena, "porteiro %s%s%s%s%s", noun->name, command->verb ? " " : "",
                             command->verb ? command->verb : "", command->argument ? " " : "",
                             command->argument ? command->argument : "")
                      .ptr);
    buf_add(&out->text, STR("\"\n"));
    add_roff_line(out, command->summary);
    if (command->argument)
        add_tagged(out, command->argument, command->argument_help);
    for (size_t i = 0; command_option(command, i, &option); i++)
        add_option_page(out, &option);
    buf_add(&out->text, STR(".PP\n.nf\n"));
    add_roff_line(out, command->example);
    buf_add(&out->text, STR(".fi\n"));
}

static void write_program_page(struct out *out)
{
    struct option option;
    buf_add(&out->text,
            STR(".TH PORTEIRO 1 \"\" \"porteiro " PORTEIRO_VERSION "\" \"User Commands\"\n"
                ".SH NAME\nporteiro \\- AI clients operate people's WordPress sites, by MCP\n"
                ".SH SYNOPSIS\n.B porteiro\n.I COMMAND\n[\\fIVERB\\fR] [\\fIOPTIONS\\fR]\n"
                ".SH DESCRIPTION\nPeople register, connect their WordPress sites, and get tokens. AI clients use a "
                "token to read and edit the site through MCP tools. Every action is in an audit log.\n"
                ".SH OPTIONS OF EVERY COMMAND\n"));
    for (size_t i = 0; i < 3 && common_option(out->arena, i, &option); i++)
        add_option_page(out, &option);
    buf_add(&out->text, STR(".PP\nEvery setting is an option, too: see \\fBporteiro.conf\\fR(5).\n.SH COMMANDS\n"));
    for (size_t n = 0; n < n_nouns; n++)
        for (size_t c = 0; c < nouns[n]->n_commands; c++)
            add_command_page(out, nouns[n], &nouns[n]->commands[c]);
    buf_add(&out->text, STR(".SH EXIT STATUS\n0: done. 1: failed. 2: the command line or a setting is wrong.\n"
                            ".SH SEE ALSO\n\\fBporteiro.conf\\fR(5), /usr/share/doc/porteiro\n"));
}

static void write_settings_page(struct out *out)
{
    buf_add(&out->text,
            STR(".TH PORTEIRO.CONF 5 \"\" \"porteiro " PORTEIRO_VERSION "\" \"File Formats\"\n"
                ".SH NAME\nporteiro.conf \\- settings of porteiro\n.SH DESCRIPTION\n"
                "Lines \\fBname = value\\fR; \\fB#\\fR at the start of a line begins a comment. The file is "
                "the one of \\fB\\-\\-config\\fR, of the variable PORTEIRO_CONFIG, porteiro.conf in the data "
                "directory, or /etc/porteiro/porteiro.conf. An option on the command line comes before the "
                "environment, and that before the file. A secret is never an option; NAME_file names a file "
                "that holds it. \\fBporteiro config check\\fR shows what is in force.\n.SH SETTINGS\n"));
    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting_row *row = &setting_table[i];
        add_tagged(out, row->name,
                   str_format(out->arena, "%s%s%s%s. Environment: %s%s. Default: %s.", row->meaning,
                              row->choices ? ": one of "
                              : row->unit  ? "; in "
                                           : "",
                              row->choices ? row->choices
                              : row->unit  ? row->unit
                                           : "",
                              row->secret ? " (secret)" : "", row->environment,
                              row->secret ? " or the same with _FILE" : "",
                              row->standard ? row->standard : row->standard_text)
                       .ptr);
    }
    buf_add(&out->text, STR(".SH FILES\n/etc/porteiro/porteiro.conf\n.SH SEE ALSO\n\\fBporteiro\\fR(1)\n"));
}

static int run_manual(struct cli *cli)
{
    struct str page = cli->arguments.argument;
    struct out out = begin(cli);
    if (!page.ptr || str_eq(page, STR("porteiro")))
        write_program_page(&out);
    else if (str_eq(page, STR("porteiro.conf")))
        write_settings_page(&out);
    else
        return cli_usage(cli, "there are the pages porteiro and porteiro.conf, not \"%.*s\"", STR_ARG(page));
    if (!cli->arguments.json)
        return cli_print(cli, buf_str(&out.text));
    struct answer *answer = answer_new(cli->arena);
    answer_text(answer, "page", page.ptr ? page : STR("porteiro"));
    answer_text(answer, "text", buf_str(&out.text));
    return cli_answer(cli, answer, NULL);
}

/* ---- the table */

static const struct command completion_commands[] = {{
    .summary = "Prints the completions of a shell.",
    .argument = "SHELL",
    .argument_help = "bash, zsh or fish",
    .bad_settings = true,
    .example = "porteiro completion bash > /etc/bash_completion.d/porteiro\n"
               "porteiro completion fish > ~/.config/fish/completions/porteiro.fish",
    .run = run_completion,
}};
const struct noun completion_noun = {"completion", "what a shell completes: bash, zsh, fish", completion_commands,
                                     ARRAY_LENGTH(completion_commands)};

static const struct command manual_commands[] = {{
    .summary = "Prints a manual page, as man reads it.",
    .argument = "[PAGE]",
    .argument_help = "porteiro (as without it) or porteiro.conf",
    .bad_settings = true,
    .example = "porteiro manual | man -l -",
    .run = run_manual,
}};
const struct noun manual_noun = {"manual", "the manual pages", manual_commands, ARRAY_LENGTH(manual_commands)};
