/* porteiro doctor: the command, and the checks of settings and machine. */
#include "cli/doctor.h"

#include "net/tls.h"
#include "cli/https.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { TIMEOUT_MS = 120 * 1000, TEXT_BYTES_MAX = 256 * 1024 };

static const char *const verdict_names[] = {"ok", "skip", "warn", "fail"};

void doctor_say(struct doctor *doctor, enum doctor_verdict verdict, const char *fix, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    struct str text = str_format_list(doctor->cli->arena, format, list), none = {NULL, 0};
    va_end(list);
    struct answer *finding = answers_add(doctor->findings);
    answer_text(finding, "check", str_from(doctor->check));
    answer_text(finding, "result", str_from(verdict_names[verdict]));
    answer_text(finding, "text", text);
    answer_text(finding, "fix", fix ? str_copy(doctor->cli->arena, str_from(fix)) : none);
    text = answer_printable(doctor->cli->arena, text);
    buf_add_format(&doctor->lines, "%-4s  %-16s  %.*s\n", verdict_names[verdict], doctor->check, STR_ARG(text));
    if (fix)
        buf_add_format(&doctor->lines, "%24s%s\n", "-> ", fix);
    doctor->warned += verdict == DOCTOR_WARN;
    doctor->failed += verdict == DOCTOR_FAIL;
}

void doctor_say_failure(struct doctor *doctor, enum doctor_verdict verdict, const char *fix)
{
    const struct call *call = &doctor->cli->call;
    if (call->error_detail.len)
        doctor_say(doctor, verdict, fix, "%.*s (%.*s)", STR_ARG(call->error_text), STR_ARG(call->error_detail));
    else
        doctor_say(doctor, verdict, fix, "%.*s", STR_ARG(call->error_text));
    call_clear_error(&doctor->cli->call);
}

static const char *text_of(const struct doctor *doctor, enum setting setting)
{
    return str_copy_cstr(doctor->cli->arena, config_text(doctor->cli->config, setting));
}

/* ---- settings */

static void check_settings(struct doctor *doctor)
{
    const struct config *config = doctor->cli->config;
    if (config->n_problems)
        doctor_say(doctor, DOCTOR_FAIL, "Correct them; porteiro config check shows each.", "%.*s",
                   STR_ARG(cli_config_problems(doctor->cli->arena, config)));
    else
        doctor_say(doctor, DOCTOR_OK, NULL, "all can be read; file: %.*s",
                   STR_ARG(config->file.len ? config->file : STR("none")));
}

static void check_settings_warnings(struct doctor *doctor)
{
    const struct config *config = doctor->cli->config;
    if (!config->n_warnings)
        return doctor_say(doctor, DOCTOR_OK, NULL, "none looks mistyped");
    doctor_say(doctor, DOCTOR_WARN, "Correct the name, or remove it; porteiro config check shows each.",
               "%zu: %.*s %.*s", config->n_warnings, STR_ARG(config->warnings[0].where),
               STR_ARG(config->warnings[0].text));
}

static bool is_loopback(struct str address)
{
    return str_starts_with(address, STR("127.")) || str_starts_with(address, STR("[::1]")) ||
           str_starts_with(address, STR("localhost"));
}

static bool serves_tls(const struct config *config)
{
    return config_is_set(config, SETTING_DOMAIN) || config_is_set(config, SETTING_TLS_CERT);
}

static void check_public_url(struct doctor *doctor)
{
    const struct config *config = doctor->cli->config;
    struct str url = config_text(config, SETTING_PUBLIC_URL), listen = config_text(config, SETTING_LISTEN);
    if (serves_tls(config) || str_starts_with(url, STR("https://")))
        return doctor_say(doctor, DOCTOR_OK, NULL, "clients come by https");
    if (config->values[SETTING_PUBLIC_URL].source != SOURCE_DEFAULT && !is_loopback(str_from_offset(url, 7)))
        return doctor_say(doctor, DOCTOR_FAIL, "Put a proxy with TLS in front, or set PORTEIRO_DOMAIN.",
                          "%.*s is plain http: tokens and passwords can be read on the way", STR_ARG(url));
    if (!is_loopback(listen))
        return doctor_say(doctor, DOCTOR_FAIL, "Name the address that clients use: PORTEIRO_PUBLIC_URL=https://...",
                          "is not set, and the server listens on %.*s", STR_ARG(listen));
    doctor_say(doctor, DOCTOR_WARN, "For clients elsewhere set PORTEIRO_PUBLIC_URL=https://... or PORTEIRO_DOMAIN.",
               "only this machine can reach the server");
}

/* An entry that no set of proxies of one's own fills; ptr NULL: there is none. */
static struct str wide_proxies(struct str all)
{
    enum { NARROW_BITS = 8 };
    struct str entry;
    uint64_t bits;
    while (all.ptr && str_next(&all, ',', &entry)) {
        size_t slash = str_find_char(entry, '/');
        if (slash != STR_NOT_FOUND && str_to_u64(str_trim(str_from_offset(entry, slash + 1)), &bits) &&
            bits < NARROW_BITS)
            return str_trim(entry);
    }
    return (struct str){NULL, 0};
}

static void check_proxies(struct doctor *doctor)
{
    const struct config *config = doctor->cli->config;
    struct str wide = wide_proxies(config_text(config, SETTING_TRUSTED_PROXIES));
    if (wide.ptr)
        return doctor_say(
            doctor, DOCTOR_WARN,
            "Set PORTEIRO_TRUSTED_PROXIES to the proxies' own addresses, such as 127.0.0.1 or 10.0.0.0/24.",
            "%.*s trusts nearly everybody: with X-Forwarded-For anybody chooses the address that the "
            "limits of logins and the audit log see",
            STR_ARG(wide));
    if (config_is_set(config, SETTING_TRUSTED_PROXIES))
        return doctor_say(doctor, DOCTOR_OK, NULL, "%s", text_of(doctor, SETTING_TRUSTED_PROXIES));
    if (config->values[SETTING_PUBLIC_URL].source != SOURCE_DEFAULT && !serves_tls(config))
        return doctor_say(doctor, DOCTOR_WARN, "Set PORTEIRO_TRUSTED_PROXIES to the proxy's address.",
                          "a proxy seems to be in front, and is not named: limits and audit see its address only");
    doctor_say(doctor, DOCTOR_OK, NULL, "none is in front");
}

static void check_origins(struct doctor *doctor)
{
    struct str all = config_text(doctor->cli->config, SETTING_ALLOWED_ORIGINS), origin;
    while (all.ptr && str_next(&all, ',', &origin))
        if (str_starts_with(str_trim(origin), STR("http://")) && !is_loopback(str_from_offset(str_trim(origin), 7)))
            return doctor_say(doctor, DOCTOR_WARN, "Remove it, or use its https address.",
                              "pages of %.*s, which anybody on the way can change, may call this server",
                              STR_ARG(str_trim(origin)));
    doctor_say(doctor, DOCTOR_OK, NULL, "no page of a plain http address may call this server");
}

static void check_egress(struct doctor *doctor)
{
    struct str all = config_text(doctor->cli->config, SETTING_EGRESS_ALLOW), entry;
    while (all.ptr && str_next(&all, ',', &entry))
        if (str_ends_with(str_trim(entry), STR("/0")) || str_starts_with(str_trim(entry), STR("169.254.")))
            return doctor_say(doctor, DOCTOR_FAIL, "Name only the networks that sites are in.",
                              "PORTEIRO_EGRESS_ALLOW opens %.*s: anybody with an account reaches everything there",
                              STR_ARG(str_trim(entry)));
    if (config_is_set(doctor->cli->config, SETTING_EGRESS_ALLOW))
        return doctor_say(doctor, DOCTOR_WARN, "Keep it as small as it can be.",
                          "sites in %s are reached although they are private", text_of(doctor, SETTING_EGRESS_ALLOW));
    doctor_say(doctor, DOCTOR_OK, NULL, "public addresses only, by https");
}

static void check_registration(struct doctor *doctor)
{
    struct str word = config_text(doctor->cli->config, SETTING_REGISTRATION);
    bool has_mail = config_is_set(doctor->cli->config, SETTING_SMTP_URL);
    if (str_eq(word, STR("open")) && !has_mail)
        return doctor_say(doctor, DOCTOR_WARN, "Set PORTEIRO_SMTP_URL, or PORTEIRO_REGISTRATION=invitation.",
                          "anyone may register, and no mail proves their address");
    doctor_say(doctor, DOCTOR_OK, NULL, "%.*s", STR_ARG(word));
}

static void check_workers(struct doctor *doctor)
{
    int64_t workers = config_number(doctor->cli->config, SETTING_WORKERS);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (str_starts_with(config_text(doctor->cli->config, SETTING_DATABASE_URL), STR("sqlite:")) && workers > 1)
        return doctor_say(doctor, DOCTOR_WARN, "Use PostgreSQL for more, or set PORTEIRO_WORKERS=1.",
                          "%lld are set, and with SQLite there is one", (long long)workers);
    if (cores > 0 && workers > cores)
        return doctor_say(doctor, DOCTOR_WARN, "As many as there are cores is plenty.", "%lld on %ld cores",
                          (long long)workers, cores);
    doctor_say(doctor, DOCTOR_OK, NULL, "%lld on %ld cores", (long long)workers, cores);
}

/* ---- the data directory */

static void check_data_directory(struct doctor *doctor)
{
    struct stat found;
    const char *path = text_of(doctor, SETTING_DATA_DIR);
    if (stat(path, &found))
        return doctor_say(doctor, errno == ENOENT ? DOCTOR_WARN : DOCTOR_FAIL,
                          errno == ENOENT ? "The first start makes it." : "Let this user reach it.", "%s: %s", path,
                          strerror(errno));
    if (!S_ISDIR(found.st_mode) || access(path, R_OK | W_OK | X_OK))
        return doctor_say(doctor, DOCTOR_FAIL, "Run this as the user of the service, or give the directory to it.",
                          "%s cannot be written by this user", path);
    doctor_say(doctor, DOCTOR_OK, NULL, "%s", path);
}

static void check_permissions(struct doctor *doctor)
{
    struct stat found;
    const char *path = text_of(doctor, SETTING_DATA_DIR);
    if (stat(path, &found))
        return doctor_say(doctor, DOCTOR_SKIP, NULL, "there is no data directory yet");
    if (found.st_mode & 077)
        return doctor_say(doctor, DOCTOR_FAIL, str_format(doctor->cli->arena, "chmod 700 %s", path).ptr,
                          "others on this machine can look into %s (mode %04o)", path,
                          (unsigned)(found.st_mode & 07777));
    doctor_say(doctor, DOCTOR_OK, NULL, "only its owner can look into it");
}

static void check_key(struct doctor *doctor)
{
    struct stat found;
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    struct str path = str_format(doctor->cli->arena, "%s/master.key", text_of(doctor, SETTING_DATA_DIR));
    if (credentials && access(str_format(doctor->cli->arena, "%s/master.key", credentials).ptr, R_OK) == 0)
        return doctor_say(doctor, DOCTOR_OK, NULL, "comes from systemd's credentials");
    if (config_is_set(doctor->cli->config, SETTING_SECRET_KEY)) {
        if (getenv("PORTEIRO_SECRET_KEY"))
            return doctor_say(doctor, DOCTOR_WARN, "Put it into a file, and name that: PORTEIRO_SECRET_KEY_FILE.",
                              "comes from the environment, which other programs of this user can read");
        return doctor_say(doctor, DOCTOR_OK, NULL, "comes from the settings");
    }
    if (stat(path.ptr, &found))
        return doctor_say(doctor, DOCTOR_WARN, "The first start makes one; then keep a copy apart from the database.",
                          "%s: %s", path.ptr, strerror(errno));
    if (found.st_mode & 077)
        return doctor_say(doctor, DOCTOR_FAIL, str_format(doctor->cli->arena, "chmod 600 %s", path.ptr).ptr,
                          "others on this machine can read the master key");
    doctor_say(doctor, DOCTOR_OK, NULL, "%s; keep a copy of it apart from the database", path.ptr);
}

static void check_disk(struct doctor *doctor)
{
    enum { FAIL_MIB = 100, WARN_MIB = 1024 };
    struct statvfs found;
    if (statvfs(text_of(doctor, SETTING_DATA_DIR), &found))
        return doctor_say(doctor, DOCTOR_SKIP, NULL, "there is no data directory yet");
    unsigned long long free_mib = (unsigned long long)found.f_bavail * found.f_frsize >> 20;
    bool no_files = found.f_files && found.f_favail < 1000;
    if (free_mib < FAIL_MIB || no_files)
        return doctor_say(doctor, DOCTOR_FAIL, "Make room, or move the data directory.",
                          "%llu MiB and %llu files are left", free_mib, (unsigned long long)found.f_favail);
    if (free_mib < WARN_MIB)
        return doctor_say(doctor, DOCTOR_WARN, "Make room before it is full.", "%llu MiB are left", free_mib);
    doctor_say(doctor, DOCTOR_OK, NULL, "%llu MiB are left", free_mib);
}

/* A file without a name is written to the disk, as every commit is. */
static void check_disk_speed(struct doctor *doctor)
{
    enum { SLOW_MS = 100, ROUNDS = 5 };
    char block[4096] = {0};
    int file = open(text_of(doctor, SETTING_DATA_DIR), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0)
        return doctor_say(doctor, DOCTOR_SKIP, NULL, "no file can be made there: %s", strerror(errno));
    int64_t begun_ns = clock_monotonic_ns();
    bool good = true;
    for (int i = 0; i < ROUNDS && good; i++)
        good = write(file, block, sizeof block) == (ssize_t)sizeof block && fdatasync(file) == 0;
    int problem = errno;
    close(file);
    long long us = (clock_monotonic_ns() - begun_ns) / 1000 / ROUNDS;
    if (!good)
        return doctor_say(doctor, DOCTOR_FAIL, "See the kernel's log (dmesg).", "writing failed: %s",
                          strerror(problem));
    doctor_say(doctor, us > SLOW_MS * 1000 ? DOCTOR_WARN : DOCTOR_OK,
               us > SLOW_MS * 1000 ? "Each change waits so long; use a faster disk." : NULL,
               "a write reaches the disk in %lld.%03lld ms", us / 1000, us % 1000);
}

/* ---- the machine */

static void check_user(struct doctor *doctor)
{
    if (geteuid() == 0)
        return doctor_say(doctor, DOCTOR_WARN, "Run the service as a user of its own; the package makes one.",
                          "this runs as root");
    doctor_say(doctor, DOCTOR_OK, NULL, "not root");
}

static void check_files_limit(struct doctor *doctor)
{
    struct rlimit limit;
    int64_t wanted = config_number(doctor->cli->config, SETTING_MAX_CONNECTIONS);
    if (getrlimit(RLIMIT_NOFILE, &limit))
        return doctor_say(doctor, DOCTOR_SKIP, NULL, "not known");
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < 1024)
        return doctor_say(doctor, DOCTOR_FAIL, "Raise it: LimitNOFILE=65536 in the unit, ulimit -n in a shell.",
                          "%llu open files at most", (unsigned long long)limit.rlim_max);
    if (limit.rlim_max != RLIM_INFINITY && (int64_t)limit.rlim_max < wanted + 1024)
        return doctor_say(doctor, DOCTOR_WARN, "Raise it (LimitNOFILE=65536), or lower PORTEIRO_MAX_CONNECTIONS.",
                          "%llu open files at most, less than %lld clients need", (unsigned long long)limit.rlim_max,
                          (long long)wanted);
    doctor_say(doctor, DOCTOR_OK, NULL, "%llu open files at most", (unsigned long long)limit.rlim_max);
}

static void check_memory(struct doctor *doctor)
{
    enum { LOW_MIB = 160 }; /* two password checks at once, and the program */
    long pages = sysconf(_SC_AVPHYS_PAGES), all = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    long long all_mib = (long long)all * size >> 20, free_mib = (long long)pages * size >> 20;
    if (all_mib < LOW_MIB)
        return doctor_say(doctor, DOCTOR_WARN, "Two password checks at once take 128 MiB: give it more.",
                          "%lld MiB in all", all_mib);
    doctor_say(doctor, DOCTOR_OK, NULL, "%lld MiB, %lld of them free", all_mib, free_mib);
}

static void check_memory_lock(struct doctor *doctor)
{
    enum { NEEDED_KIB = 64 };
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= NEEDED_KIB * 1024)
        return doctor_say(doctor, DOCTOR_OK, NULL, "keys can be kept out of swap");
    doctor_say(doctor, DOCTOR_WARN, "Raise it: LimitMEMLOCK=1M in the unit.",
               "%llu KiB may be locked, so keys may be swapped", (unsigned long long)limit.rlim_cur / 1024);
}

static void check_sandbox(struct doctor *doctor)
{
    struct utsname kernel;
    long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, 1U);
    if (uname(&kernel))
        return doctor_say(doctor, DOCTOR_SKIP, NULL, "not known");
    if (!config_switch(doctor->cli->config, SETTING_SANDBOX))
        return doctor_say(doctor, DOCTOR_WARN, "Remove PORTEIRO_SANDBOX=off.", "is switched off");
    if (version < 1)
        return doctor_say(doctor, DOCTOR_WARN, "Use a kernel with Landlock (5.13 or later, lsm=landlock).",
                          "Linux %s has no Landlock: workers can open other files of this user", kernel.release);
    doctor_say(doctor, DOCTOR_OK, NULL, "Landlock %ld, Linux %s", version, kernel.release);
}

static void check_clock(struct doctor *doctor)
{
    struct timex state = {0};
    const int64_t released_ms = INT64_C(1767225600000); /* 2026: before, this program was not there */
    if (clock_now_ms() < released_ms)
        return doctor_say(doctor, DOCTOR_FAIL, "Set the clock; timedatectl set-ntp true keeps it right.",
                          "this machine's clock is years behind: certificates and codes do not work");
    if (adjtimex(&state) == TIME_ERROR || (state.status & STA_UNSYNC))
        return doctor_say(doctor, DOCTOR_WARN, "timedatectl set-ntp true, or see the machine's host.",
                          "nobody keeps this machine's clock right; codes of the second factor allow 30 seconds");
    doctor_say(doctor, DOCTOR_OK, NULL, "is kept right");
}

static void check_listen(struct doctor *doctor)
{
    struct str host;
    uint16_t port;
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    struct str listen = config_text(doctor->cli->config, SETTING_LISTEN);
    if (!setting_split_address(listen, &host, &port) ||
        getaddrinfo(str_copy_cstr(doctor->cli->arena, host), str_format(doctor->cli->arena, "%u", port).ptr, &hints,
                    &found))
        return doctor_say(doctor, DOCTOR_FAIL, "Write ADDRESS:PORT.", "%.*s is no address", STR_ARG(listen));
    int one = 1, file = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), problem = 0;
    if (file >= 0)
        (void)setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (file < 0 || bind(file, found->ai_addr, found->ai_addrlen))
        problem = errno;
    if (file >= 0)
        close(file);
    freeaddrinfo(found);
    if (problem == EADDRINUSE)
        return doctor_say(doctor, DOCTOR_OK, NULL, "%.*s is in use: by the running server, or by another program",
                          STR_ARG(listen));
    if (problem)
        return doctor_say(doctor, DOCTOR_FAIL, "Choose an address of this machine, and a port from 1024 on.",
                          "%.*s cannot be listened on: %s", STR_ARG(listen), strerror(problem));
    doctor_say(doctor, DOCTOR_OK, NULL, "%.*s is free: the server does not run now", STR_ARG(listen));
}

static void check_certificate(struct doctor *doctor)
{
    enum { DAY_S = 24 * 3600, WARN_DAYS = 10 };
    struct cli *cli = doctor->cli;
    if (!serves_tls(cli->config))
        return doctor_say(doctor, DOCTOR_SKIP, NULL, "TLS is the proxy's");
    const char *file = config_is_set(cli->config, SETTING_TLS_CERT)
                           ? text_of(doctor, SETTING_TLS_CERT)
                           : str_copy_cstr(cli->arena, https_acme_certificate(cli));
    long long days = (tls_certificate_ends_s(file, NULL) - clock_now_ms() / 1000) / DAY_S;
    bool is_ours = !config_is_set(cli->config, SETTING_TLS_CERT);
    if (access(file, R_OK))
        return doctor_say(doctor, is_ours ? DOCTOR_WARN : DOCTOR_FAIL,
                          is_ours ? "The server gets one when it starts; port 80 must reach it from outside."
                                  : "Let this user read it.",
                          "%s: %s", file, strerror(errno));
    if (days < 0)
        return doctor_say(doctor, DOCTOR_FAIL, "Put a new one there; the server takes it on a reload.",
                          "%s has expired, or is no certificate", file);
    doctor_say(doctor, days < WARN_DAYS ? DOCTOR_WARN : DOCTOR_OK,
               days < WARN_DAYS ? "Renew it; see the log for why that did not happen." : NULL, "good for %lld days",
               days);
}

static const struct doctor_check machine_checks[] = {
    {"settings", check_settings},
    {"settings_names", check_settings_warnings},
    {"public_url", check_public_url},
    {"trusted_proxies", check_proxies},
    {"allowed_origins", check_origins},
    {"egress", check_egress},
    {"registration", check_registration},
    {"workers", check_workers},
    {"data_directory", check_data_directory},
    {"permissions", check_permissions},
    {"master_key", check_key},
    {"disk", check_disk},
    {"disk_speed", check_disk_speed},
    {"user", check_user},
    {"open_files", check_files_limit},
    {"memory", check_memory},
    {"memory_lock", check_memory_lock},
    {"sandbox", check_sandbox},
    {"clock", check_clock},
    {"listen", check_listen},
    {"certificate", check_certificate},
};

/* ---- the command */

static void run_checks(struct doctor *doctor, const struct doctor_check *checks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        doctor->check = checks[i].name;
        checks[i].run(doctor);
    }
}

static int show(struct doctor *doctor)
{
    struct cli *cli = doctor->cli;
    int64_t count = (int64_t)answers_count(doctor->findings);
    cli->exit_code = doctor->failed ? CLI_FAILED : CLI_DONE;
    if (cli->arguments.json) {
        struct answer *answer = answer_new(cli->arena);
        answer_switch(answer, "ok", doctor->failed == 0);
        answer_integer(answer, "failed", doctor->failed);
        answer_integer(answer, "warned", doctor->warned);
        answer_list(answer, "checks", doctor->findings);
        return cli_answer(cli, answer, NULL);
    }
    return cli_print(cli, str_format(cli->arena, "%.*s\n%lld checks: %lld failed, %lld to look at\n",
                                     STR_ARG(buf_str(&doctor->lines)), (long long)count, (long long)doctor->failed,
                                     (long long)doctor->warned));
}

static int run_doctor(struct cli *cli)
{
    struct doctor doctor = {.cli = cli, .findings = answers_new(cli->arena)};
    buf_init(&doctor.lines, cli->arena, TEXT_BYTES_MAX);
    int64_t id = 0;
    int error = cli_option_number(cli, "connection", 0, &id);
    cli->call.deadline_ms = clock_monotonic_ms() + TIMEOUT_MS;
    if (!error && id)
        error = doctor_connection(&doctor, id);
    if (!error && !id) {
        run_checks(&doctor, machine_checks, ARRAY_LENGTH(machine_checks));
        if (!cli->config->n_problems) {
            run_checks(&doctor, doctor_database_checks, n_doctor_database_checks);
            run_checks(&doctor, doctor_network_checks, n_doctor_network_checks);
        }
    }
    return error ? error : show(&doctor);
}

static const struct option options[] = {
    {.name = "connection", .value = "ID", .help = "look at this connection instead: its site, step by step"},
};
static const struct command commands[] = {{
    .summary = "Looks at everything this server needs, and says what to do where something is wrong. Changes nothing.",
    .options = options,
    .n_options = ARRAY_LENGTH(options),
    .bad_settings = true,
    .example = "porteiro doctor\nporteiro doctor --connection 7 --json",
    .run = run_doctor,
}};
const struct noun doctor_noun = {"doctor", "what is wrong here, and what to do about it", commands,
                                 ARRAY_LENGTH(commands)};
