/* The supervisor of `porteiro serve`. */
#include <sodium.h> /* before base/banned.h: it names what is banned */

#include "cli/supervise.h"

#include "base/crash.h"
#include "base/log.h"
#include "limits/limits.h"
#include "net/http_server.h"
#include "net/packet.h"
#include "net/sandbox.h"
#include "net/supervisor.h"
#include "net/worker.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    FIRST_FREE_FD = 10, /* workers get theirs under fixed numbers below */
    RELOAD_MEMORY_BYTES = 4 * 1024 * 1024,
};

struct supervised {
    struct cli *cli;
    struct str problem; /* of the last plan that failed */
};

struct str supervise_settings_file(void)
{
    _Static_assert(WORKER_SETTINGS_FD == 5, "the path below");
    return STR("/proc/self/fd/5");
}

/* ---- a plan from settings */

static int move_up(int fd)
{
    int higher = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    if (fd >= 0)
        close(fd);
    return higher;
}

static size_t count_workers(const struct config *config)
{
    size_t count = (size_t)config_number(config, SETTING_WORKERS);
    if (count == 1 || !str_starts_with(config_text(config, SETTING_DATABASE_URL), STR("sqlite:")))
        return count;
    log_warning("PORTEIRO_WORKERS is %zu, but a SQLite database has one writer: one worker serves. With PostgreSQL "
                "(DATABASE_URL=postgres://...) there can be more",
                count);
    return 1;
}

static int make_settings_file(struct supervised *self, struct arena *arena, const struct config *config)
{
    struct str text = config_as_file(arena, config, &self->problem);
    if (!text.ptr)
        return -1;
    int file = move_up(packet_file("porteiro-settings", text));
    sodium_memzero((char *)(uintptr_t)text.ptr, text.len);
    if (file < 0)
        self->problem = STR("the settings cannot be handed to a worker: no file descriptor or no memory is left");
    return file;
}

/* `old`: whose socket is kept when it is on the right address; NULL: there is none. */
static bool make_plan(struct supervised *self, struct arena *arena, const struct config *config,
                      const struct supervisor_plan *old, struct supervisor_plan *ret)
{
    char why[200];
    struct str address = config_text(config, SETTING_LISTEN);
    bool keeps = old && str_eq(address, str_from(old->address));
    *ret = (struct supervisor_plan){.n_workers = count_workers(config)};
    if (!str_to_cstr(address, ret->address, sizeof ret->address)) {
        self->problem = STR("PORTEIRO_LISTEN is too long for an address");
        return false;
    }
    ret->listen_fd = keeps ? old->listen_fd : move_up(http_listen_socket(address, why));
    if (ret->listen_fd < 0) {
        self->problem = str_format(arena, "%s Is porteiro running already? PORTEIRO_LISTEN names another address", why);
        return false;
    }
    ret->settings_fd = make_settings_file(self, arena, config);
    ret->limits_fd = old ? old->limits_fd : move_up(limits_file());
    if (ret->limits_fd < 0)
        self->problem = STR("the memory that workers share cannot be made: no file descriptor or no memory is left");
    bool good = ret->settings_fd >= 0 && ret->limits_fd >= 0;
    if (!good && !keeps)
        close(ret->listen_fd);
    return good;
}

/* ---- SIGHUP */

static void reload_out_of_memory(struct arena *arena, size_t size, void *context)
{
    (void)arena;
    (void)size;
    (void)context;
    log_error("settings of this size cannot be read; ending");
    _exit(CLI_FAILED); /* 4 MiB of settings: the file has a limit of 64 KiB */
}

static bool reload(void *context, const struct supervisor_plan *old, struct supervisor_plan *ret)
{
    struct supervised *self = context;
    struct arena *arena = arena_new(RELOAD_MEMORY_BYTES);
    if (!arena) {
        log_error("the settings are not read again: no memory. Those before stay in force");
        return false;
    }
    arena_on_exhausted(arena, reload_out_of_memory, NULL);
    const struct arguments *arguments = &self->cli->arguments;
    struct config_sources sources = config_sources(arguments->settings, arguments->n_settings);
    const struct config *config = config_load(arena, &sources);
    bool good = config->n_problems == 0;
    if (!good)
        self->problem = cli_config_problems(arena, config);
    else
        good = make_plan(self, arena, config, old, ret);
    if (good)
        cli_start_log(config);
    else
        log_error("the new settings are not taken, those before stay in force: %.*s", STR_ARG(self->problem));
    self->problem = STR_EMPTY;
    arena_free(arena);
    return good;
}

/* ---- the start */

int supervise(struct cli *cli)
{
    struct supervised self = {.cli = cli};
    struct str file = cli->config->file.len ? cli->config->file : STR("none");
    struct supervisor_settings settings = {
        .arguments = cli_arguments,
        .source = str_copy_cstr(cli->arena, file),
        .begun_ns = clock_monotonic_ns(),
        .reload = reload,
        .context = &self,
    };
    log_process("supervisor");
    sandbox_process();
    crash_init(NULL);
    for (size_t i = 0; i < cli->config->n_warnings; i++)
        log_warning("%.*s: %.*s", STR_ARG(cli->config->warnings[i].where), STR_ARG(cli->config->warnings[i].text));
    if (!make_plan(&self, cli->arena, cli->config, NULL, &settings.plan))
        return fail(&cli->call, E_UNAVAILABLE, "%.*s", STR_ARG(self.problem));
    int code = supervisor_run(&settings);
    if (code == CLI_DONE)
        log_info("stopped");
    cli->exit_code = code;
    return OK;
}
