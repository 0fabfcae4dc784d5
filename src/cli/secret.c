/* Secrets on their way in. */
#include <sodium.h> /* before base/banned.h: it names what is banned */

#include "cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    interrupted = signal_number;
}

static void wipe(void *object)
{
    sodium_memzero(object, SECRET_BYTES_MAX + 1);
}

static char *secret_buffer(struct cli *cli)
{
    char *buffer = arena_alloc(cli->arena, SECRET_BYTES_MAX + 1);
    arena_defer(cli->arena, wipe, buffer);
    return buffer;
}

/* To the end of the file, or (at a terminal) of the line. Negative: errno, or too much. */
static ssize_t read_secret(int file, char *buffer, bool line)
{
    size_t length = 0;
    while (length <= SECRET_BYTES_MAX) {
        ssize_t got = read(file, buffer + length, SECRET_BYTES_MAX + 1 - length);
        if (got < 0 && (errno != EINTR || interrupted))
            return -errno;
        if (got == 0)
            break;
        if (got > 0)
            length += (size_t)got;
        if (line && length && buffer[length - 1] == '\n')
            break;
    }
    if (length > SECRET_BYTES_MAX)
        return -EFBIG;
    while (length && (buffer[length - 1] == '\n' || buffer[length - 1] == '\r'))
        length--;
    return (ssize_t)length;
}

static int judge(struct cli *cli, const char *name, const char *buffer, ssize_t length, struct str *ret)
{
    if (length == -EFBIG)
        return fail(&cli->call, E_INVALID, "the %s is longer than %d bytes", name, SECRET_BYTES_MAX);
    if (length < 0)
        return fail(&cli->call, E_INVALID, "the %s cannot be read: %s", name, strerror((int)-length));
    if (length == 0)
        return fail(&cli->call, E_INVALID, "the %s is empty", name);
    *ret = str_of(buffer, (size_t)length);
    return OK;
}

/* One line without echo. The terminal is set back whatever happens, Ctrl-C included. */
static int ask(struct cli *cli, const char *name, const char *prompt, struct str *ret)
{
    struct termios before, silent;
    struct sigaction act = {.sa_handler = on_interrupt}, old_int, old_term;
    char *buffer = secret_buffer(cli);
    if (tcgetattr(STDIN_FILENO, &before))
        return fail(&cli->call, E_INVALID, "the terminal cannot be asked: %s", strerror(errno));
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    interrupted = 0;
    sigaction(SIGINT, &act, &old_int);
    sigaction(SIGTERM, &act, &old_term);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    dprintf(STDERR_FILENO, "%s: ", prompt);
    ssize_t length = read_secret(STDIN_FILENO, buffer, true);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    dprintf(STDERR_FILENO, "\n");
    sigaction(SIGINT, &old_int, NULL);
    sigaction(SIGTERM, &old_term, NULL);
    if (interrupted)
        return fail(&cli->call, E_CANCELLED, "stopped; nothing was changed");
    return judge(cli, name, buffer, length, ret);
}

static int ask_twice(struct cli *cli, const char *name, const char *prompt, struct str *ret)
{
    struct str again = STR_EMPTY;
    int error = ask(cli, name, prompt, ret);
    if (!error)
        error = ask(cli, name, str_format(cli->arena, "%s, once more", prompt).ptr, &again);
    if (!error && !str_eq(*ret, again))
        error = fail(&cli->call, E_INVALID, "the two are not the same");
    return error;
}

static int read_file(struct cli *cli, const char *name, struct str path, struct str *ret)
{
    char *buffer = secret_buffer(cli);
    int file = open(str_copy_cstr(cli->arena, path), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (file < 0)
        return fail(&cli->call, E_INVALID, "the file %.*s cannot be read: %s", STR_ARG(path), strerror(errno));
    ssize_t length = read_secret(file, buffer, false);
    close(file);
    return judge(cli, name, buffer, length, ret);
}

int secret_read(struct cli *cli, const char *name, const char *prompt, bool twice, struct str *ret)
{
    const char *from_stdin = str_format(cli->arena, "%s-stdin", name).ptr;
    const char *from_file = str_format(cli->arena, "%s-file", name).ptr;
    struct str path = cli_option(cli, from_file);
    if (path.ptr && cli_has(cli, from_stdin))
        return cli_usage(cli, "--%s and --%s are both there; leave one of them", from_stdin, from_file);
    if (path.ptr)
        return read_file(cli, name, path, ret);
    if (cli_has(cli, from_stdin)) {
        char *buffer = secret_buffer(cli);
        return judge(cli, name, buffer, read_secret(STDIN_FILENO, buffer, false), ret);
    }
    if (!isatty(STDIN_FILENO))
        return cli_usage(cli, "the %s is missing: use --%s, --%s FILE, or run this at a terminal to be asked", name,
                         from_stdin, from_file);
    return twice ? ask_twice(cli, name, prompt, ret) : ask(cli, name, prompt, ret);
}

bool secret_confirm(struct cli *cli, const char *question)
{
    char word[8] = "";
    if (!isatty(STDIN_FILENO) || cli->arguments.json)
        return true;
    dprintf(STDERR_FILENO, "%s Type yes: ", question);
    return read(STDIN_FILENO, word, sizeof word - 1) > 0 && str_eq(str_trim(str_from(word)), STR("yes"));
}
