/* The supervisor of `porteiro serve`. */
#include <sodium.h> /* before base/banned.h: it names what is banned */

#include "cli/supervise.h"

#include "cli/values.h"

#include "base/crash.h"
#include "base/log.h"
#include "base/metrics.h"
#include "limits/limits.h"
#include "net/http_server.h"
#include "net/packet.h"
#include "net/sandbox.h"
#include "net/supervisor.h"
#include "net/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    FIRST_FREE_FD = 10, /* workers get theirs under fixed numbers below */
    RELOAD_MEMORY_BYTES = 4 * 1024 * 1024,
    DRAIN_SPARE_MS = 10 * 1000, /* behind drain_s, in which a worker cancels what is left and ends */
};

struct supervised {
    struct cli *cli;
    struct str problem;  /* of the last plan that failed */
    char file[PATH_MAX]; /* the settings' file in force; empty: none */
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

/* One listener: the socket of the plan before when it is on the right address. False: it cannot be listened on. */
static bool make_listener(struct supervised *self, struct arena *arena, const struct config *config,
                          enum setting setting, const struct supervisor_listener *old, struct supervisor_listener *ret)
{
    char why[200];
    struct str address = config_text(config, setting);
    const char *name = setting_table[setting].environment;
    *ret = (struct supervisor_listener){.fd = -1};
    if (!config_is_set(config, setting))
        return true;
    if (!str_to_cstr(address, ret->address, sizeof ret->address)) {
        self->problem = str_format(arena, "%s is too long for an address", name);
        return false;
    }
    bool keeps = old && old->fd >= 0 && str_eq(address, str_from(old->address));
    ret->fd = keeps ? old->fd : move_up(http_listen_socket(address, why));
    if (ret->fd < 0)
        self->problem = str_format(arena, "%s Is porteiro running already? %s names another address", why, name);
    return ret->fd >= 0;
}

static void drop_listeners(const struct supervisor_plan *plan, const struct supervisor_plan *old)
{
    for (size_t i = 0; i < SUPERVISOR_LISTENERS; i++)
        if (plan->listeners[i].fd >= 0 && (!old || plan->listeners[i].fd != old->listeners[i].fd))
            close(plan->listeners[i].fd);
}

/* `old`: whose sockets and shared memory are kept; NULL: there is none. */
static bool make_plan(struct supervised *self, struct arena *arena, const struct config *config,
                      const struct supervisor_plan *old, struct supervisor_plan *ret)
{
    static const enum setting settings[SUPERVISOR_LISTENERS] = {
        [SUPERVISOR_MAIN] = SETTING_LISTEN,
        [SUPERVISOR_HTTP] = SETTING_LISTEN_HTTP,
        [SUPERVISOR_METRICS] = SETTING_LISTEN_METRICS,
    };
    bool good = true;
    *ret = (struct supervisor_plan){
        .n_workers = count_workers(config),
        .has_helper = config_is_set(config, SETTING_DOMAIN) && !config_is_set(config, SETTING_TLS_CERT),
        .settings_fd = -1,
        .drain_ms = config_number(config, SETTING_DRAIN_S) * 1000 + DRAIN_SPARE_MS,
    };
    for (size_t i = 0; i < SUPERVISOR_LISTENERS; i++)
        ret->listeners[i].fd = -1;
    for (size_t i = 0; good && i < SUPERVISOR_LISTENERS; i++)
        good = make_listener(self, arena, config, settings[i], old ? &old->listeners[i] : NULL, &ret->listeners[i]);
    if (good) {
        ret->settings_fd = make_settings_file(self, arena, config);
        ret->limits_fd = old && old->limits_fd >= 0 ? old->limits_fd : move_up(limits_file());
        ret->metrics_fd = old && old->metrics_fd >= 0 ? old->metrics_fd : move_up(metrics_file());
        if (ret->limits_fd < 0 || ret->metrics_fd < 0)
            self->problem =
                STR("the memory that workers share cannot be made: no file descriptor or no memory is left");
        good = ret->settings_fd >= 0 && ret->limits_fd >= 0 && ret->metrics_fd >= 0;
    }
    if (!good)
        drop_listeners(ret, old);
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

#define FILE_GONE                                                                                                      \
    "the settings' file %s, which is in force, is not there any more; put it back, or restart the server to do "       \
    "without it"

/* The defaults are no settings that somebody chose: they would move the listener and the database to other places. */
static bool file_is_gone(const struct supervised *self)
{
    return self->file[0] && access(self->file, F_OK) && errno == ENOENT;
}

static void remember_file(struct supervised *self, const struct config *config)
{
    if (!str_to_cstr(config->file, self->file, sizeof self->file))
        self->file[0] = '\0';
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
    self->problem = config->n_problems ? cli_config_problems(arena, config) : values_problems(arena, config);
    if (self->problem.len == 0 && file_is_gone(self))
        self->problem = str_format(arena, FILE_GONE, self->file);
    bool good = self->problem.len == 0;
    if (good)
        good = make_plan(self, arena, config, old, ret);
    if (good) {
        remember_file(self, config);
        cli_start_log(config);
    } else {
        log_error("the new settings are not taken, those before stay in force: %.*s", STR_ARG(self->problem));
    }
    self->problem = STR_EMPTY;
    arena_free(arena);
    return good;
}

static bool may_upgrade(void *context)
{
    const struct supervised *self = context;
    if (!file_is_gone(self))
        return true;
    log_error("this program goes on: " FILE_GONE, self->file);
    return false;
}

/* ---- the start */

/* What the program before has left, as its plan. Memory whose layout is another one's is not used. */
static struct supervisor_plan plan_before(const struct handover *handover)
{
    struct supervisor_plan plan = {.settings_fd = -1};
    for (size_t i = 0; i < SUPERVISOR_LISTENERS; i++) {
        plan.listeners[i].fd = handover->fds[i];
        memcpy(plan.listeners[i].address, handover->addresses[i], sizeof plan.listeners[i].address);
    }
    plan.limits_fd = handover->fds[SUPERVISOR_HANDS_LIMITS];
    plan.metrics_fd = handover->fds[SUPERVISOR_HANDS_METRICS];
    if (plan.limits_fd >= 0 && !limits_file_fits(plan.limits_fd))
        plan.limits_fd = -1;
    if (plan.metrics_fd >= 0 && !metrics_file_fits(plan.metrics_fd))
        plan.metrics_fd = -1;
    return plan;
}

int supervise(struct cli *cli)
{
    struct supervised self = {.cli = cli};
    static struct handover handover;
    struct str file = cli->config->file.len ? cli->config->file : STR("none");
    struct supervisor_settings settings = {
        .arguments = cli_arguments,
        .source = str_copy_cstr(cli->arena, file),
        .begun_ns = clock_monotonic_ns(),
        .reload = reload,
        .may_upgrade = may_upgrade,
        .context = &self,
    };
    remember_file(&self, cli->config);
    log_process("supervisor");
    sandbox_process();
    crash_init(NULL);
    for (size_t i = 0; i < cli->config->n_warnings; i++)
        log_warning("%.*s: %.*s", STR_ARG(cli->config->warnings[i].where), STR_ARG(cli->config->warnings[i].text));
    struct str problem = values_problems(cli->arena, cli->config); /* before a worker is started that cannot serve */
    if (problem.len)
        return cli_usage(cli, "%.*s", STR_ARG(problem));
    if (handover_is_trial()) /* the settings are good, or we were not here */
        return OK;
    handover_remember_program();
    bool continues = handover_take(&handover);
    struct supervisor_plan before = plan_before(&handover);
    settings.handover = continues ? &handover : NULL;
    if (!make_plan(&self, cli->arena, cli->config, continues ? &before : NULL, &settings.plan))
        return fail(&cli->call, E_UNAVAILABLE, "%.*s", STR_ARG(self.problem));
    if (continues)
        drop_listeners(&before, &settings.plan);
    int code = supervisor_run(&settings);
    if (code == CLI_DONE)
        log_info("stopped");
    cli->exit_code = code;
    return OK;
}
