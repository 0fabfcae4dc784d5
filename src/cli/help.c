/* The text of --help. */
#include "cli/help.h"

#include "base/buf.h"
#include "base/config.h"

enum { HELP_BYTES_MAX = 64 * 1024, LEFT = 30 };

static void add_line(struct buf *out, const char *left, const char *right)
{
    size_t length = strlen(left);
    buf_add_format(out, "  %s", left);
    if (length + 2 > LEFT)
        buf_add_format(out, "\n  %*s", LEFT, "");
    else
        buf_add_format(out, "%*s", (int)(LEFT - length), "");
    buf_add_format(out, "%s\n", right);
}

static void add_lines(struct buf *out, const char *lines)
{
    struct str rest = str_from(lines), line;
    while (str_next(&rest, '\n', &line))
        buf_add_format(out, "  %.*s\n", STR_ARG(line));
}

static const char *usage(struct arena *arena, const struct noun *noun, const struct command *command)
{
    struct buf line;
    buf_init(&line, arena, HELP_BYTES_MAX);
    buf_add_format(&line, "porteiro %s", noun->name);
    if (command->verb)
        buf_add_format(&line, " %s", command->verb);
    if (command->argument)
        buf_add_format(&line, " %s", command->argument);
    for (size_t i = 0; i < command->n_options; i++) {
        const struct option *option = &command->options[i];
        if (option->required)
            buf_add_format(&line, " --%s %s", option->name, option->value);
    }
    struct option any;
    for (size_t i = 0; command_option(command, i, &any); i++) {
        if (!any.required) {
            buf_add(&line, STR(" [OPTIONS]"));
            break;
        }
    }
    buf_add_char(&line, 0);
    return line.ptr;
}

static void add_command(struct arena *arena, struct buf *out, const struct noun *noun, const struct command *command)
{
    struct option option;
    buf_add_format(out, "usage: %s\n\n%s\n", usage(arena, noun, command), command->summary);
    if (command->argument_help) {
        buf_add_char(out, '\n');
        add_line(out, command->argument, command->argument_help);
    }
    buf_add(out, STR("\nOptions\n"));
    for (size_t i = 0; command_option(command, i, &option); i++) {
        struct str words =
            str_format(arena, "--%s%s%s", option.name, option.value ? " " : "", option.value ? option.value : "");
        add_line(out, words.ptr, option.help);
    }
    add_line(out, "--json", "answer as one line of JSON; errors too, on stderr");
    add_line(out, "--config FILE", "the settings' file; every setting is also an option: porteiro config --help");
    buf_add(out, strchr(command->example, '\n') ? STR("\nExamples\n") : STR("\nExample\n"));
    add_lines(out, command->example);
}

static void add_settings(struct arena *arena, struct buf *out)
{
    buf_add(out, STR("\nSettings: option, environment variable; in the file the option's name with _ for -\n"));
    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting_row *row = &setting_table[i];
        struct str flag = config_flag_name(arena, (enum setting)i);
        buf_add_format(out, "  --%.*s %s, %s\n", STR_ARG(flag), row->secret ? "FILE" : "VALUE", row->environment);
        if (row->secret)
            buf_add_format(out, "      (or %s_FILE; it and the option name a file that holds the value)\n",
                           row->environment);
        buf_add_format(out, "      %s", row->meaning);
        if (row->choices)
            buf_add_format(out, " (%s)", row->choices);
        if (row->unit)
            buf_add_format(out, "; %s", row->unit);
        buf_add_format(out, "; default: %s\n", row->standard ? row->standard : row->standard_text);
    }
}

static void add_noun(struct arena *arena, struct buf *out, const struct noun *noun)
{
    buf_add_format(out, "porteiro %s: %s\n\nusage: porteiro %s VERB [OPTIONS]\n\n", noun->name, noun->summary,
                   noun->name);
    for (size_t i = 0; i < noun->n_commands; i++) {
        const struct command *command = &noun->commands[i];
        struct str words = str_format(arena, "%s%s%s", command->verb, command->argument ? " " : "",
                                      command->argument ? command->argument : "");
        add_line(out, words.ptr, command->summary);
    }
    buf_add(out, STR("\nExamples\n"));
    for (size_t i = 0; i < noun->n_commands; i++)
        add_lines(out, noun->commands[i].example);
    buf_add_format(out, "\nporteiro %s VERB --help tells a verb's options.\n", noun->name);
}

static void add_all(struct buf *out)
{
    buf_add(out, STR("porteiro lets AI clients operate people's WordPress sites, by MCP.\n\n"
                     "usage: porteiro COMMAND [VERB] [OPTIONS]\n\n"));
    for (size_t i = 0; i < n_nouns; i++)
        add_line(out, nouns[i]->name, nouns[i]->summary);
    buf_add(out, STR("\nporteiro COMMAND --help, or porteiro help COMMAND, tells its verbs, options and examples.\n"
                     "Exit codes: 0 done, 1 failed, 2 the command line or a setting is wrong.\n"));
}

struct str help_text(struct arena *arena, const struct noun *noun, const struct command *command)
{
    struct buf out;
    buf_init(&out, arena, HELP_BYTES_MAX);
    if (noun == NULL)
        add_all(&out);
    else if (command)
        add_command(arena, &out, noun, command);
    else
        add_noun(arena, &out, noun);
    if (noun == &config_noun)
        add_settings(arena, &out);
    return buf_str(&out);
}
