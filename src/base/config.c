/* Where the settings' values come from. */
#include <sodium.h> /* before base/banned.h: it names what is banned */

#include "base/config.h"

#include "base/nearest.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char SYSTEM_FILE[] = "/etc/porteiro/porteiro.conf";

/* One load in progress. */
struct loading {
    struct arena *arena;
    const struct config_sources *sources;
    struct config *config;
};

struct wiped {
    void *bytes;
    size_t size;
};

static void wipe(void *object)
{
    struct wiped *wiped = object;
    sodium_memzero(wiped->bytes, wiped->size);
}

static void PRINTF_LIKE(3, 4) problem(struct loading *loading, struct str where, const char *format, ...)
{
    struct config *config = loading->config;
    va_list list;
    va_start(list, format);
    if (config->n_problems < CONFIG_PROBLEMS_MAX)
        config->problems[config->n_problems++] =
            (struct config_problem){where, str_format_list(loading->arena, format, list)};
    va_end(list);
}

static void PRINTF_LIKE(3, 4) warning(struct loading *loading, struct str where, const char *format, ...)
{
    struct config *config = loading->config;
    va_list list;
    va_start(list, format);
    if (config->n_warnings < CONFIG_PROBLEMS_MAX)
        config->warnings[config->n_warnings++] =
            (struct config_problem){where, str_format_list(loading->arena, format, list)};
    va_end(list);
}

/* ---- names */

/* Equal but for '-' in a flag where the table has '_'. */
static bool is_flag_of(struct str flag, struct str name)
{
    if (flag.len != name.len)
        return false;
    for (size_t i = 0; i < flag.len; i++) {
        if (flag.ptr[i] != (name.ptr[i] == '_' ? '-' : name.ptr[i]))
            return false;
    }
    return true;
}

bool config_flag_known(struct str name, enum setting *ret_setting, bool *ret_file)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        struct str own = str_from(setting_table[i].name);
        bool file = setting_table[i].secret && str_ends_with(name, STR("-file"));
        if (is_flag_of(file ? str_sub(name, 0, name.len - 5) : name, own)) {
            *ret_setting = (enum setting)i;
            *ret_file = file;
            return true;
        }
    }
    return false;
}

struct str config_flag_name(struct arena *arena, enum setting setting)
{
    struct str name = str_replace(arena, str_from(setting_table[setting].name), STR("_"), STR("-"));
    return setting_table[setting].secret ? str_concat(arena, name, STR("-file")) : name;
}

/* A name in the file is the table's, or the environment variable's; a secret's also with _file or _FILE. */
static bool file_name_known(struct str name, enum setting *ret_setting, bool *ret_file)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting_row *row = &setting_table[i];
        struct str own = str_from(row->name), env = str_from(row->environment);
        *ret_setting = (enum setting)i;
        *ret_file = false;
        if (str_eq(name, own) || str_eq(name, env))
            return true;
        *ret_file = true;
        if (row->secret && name.len > 5 &&
            ((str_ends_with(name, STR("_file")) && str_eq(str_sub(name, 0, name.len - 5), own)) ||
             (str_ends_with(name, STR("_FILE")) && str_eq(str_sub(name, 0, name.len - 5), env))))
            return true;
    }
    return false;
}

/* ---- files */

/* The whole of a small file, wiped when the arena ends. Empty text and an errno in *ret_error when it cannot be read. */
static struct str read_file(struct loading *loading, const char *path, size_t max, int *ret_error, mode_t *ret_mode)
{
    struct stat found;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (file < 0) {
        *ret_error = errno;
        return STR_EMPTY;
    }
    struct wiped *wiped = malloc(sizeof *wiped + max + 1);
    *ret_error = wiped && fstat(file, &found) == 0 ? 0 : ENOMEM;
    size_t length = 0;
    while (*ret_error == 0 && length <= max) {
        ssize_t got = read(file, (char *)(wiped + 1) + length, max + 1 - length);
        if (got < 0 && errno != EINTR)
            *ret_error = errno;
        if (got == 0)
            break;
        if (got > 0)
            length += (size_t)got;
    }
    close(file);
    if (*ret_error == 0 && length > max)
        *ret_error = EFBIG;
    struct str content = STR_EMPTY;
    if (*ret_error == 0) {
        char *copy = arena_alloc(loading->arena, length + 1);
        memcpy(copy, wiped + 1, length);
        content = str_of(copy, length);
        *ret_mode = found.st_mode;
        struct wiped *later = arena_new_of(loading->arena, struct wiped);
        *later = (struct wiped){copy, length};
        arena_defer(loading->arena, wipe, later);
    }
    if (wiped)
        sodium_memzero(wiped + 1, max + 1);
    free(wiped);
    return content;
}

/* ---- values */

static void take(struct loading *loading, enum setting setting, struct str text, enum setting_source source,
                 struct str where)
{
    struct setting_value *value = &loading->config->values[setting];
    struct str wrong = STR_EMPTY;
    int64_t number;
    if (setting_check(loading->arena, setting, &text, &number, &wrong))
        *value = (struct setting_value){.text = text, .source = source, .where = where, .number = number};
    else
        problem(loading, where, "%.*s", STR_ARG(wrong));
}

/* A secret from the file that `path` names. */
static void take_from_file(struct loading *loading, enum setting setting, struct str path, enum setting_source source,
                           struct str where)
{
    int error;
    mode_t mode = 0;
    struct str content =
        read_file(loading, str_copy_cstr(loading->arena, path), CONFIG_SECRET_BYTES_MAX, &error, &mode);
    if (error) {
        problem(loading, where, "the file %.*s cannot be read: %s", STR_ARG(path), strerror(error));
        return;
    }
    if (S_ISREG(mode) && (mode & (S_IRWXG | S_IRWXO) & ~S_IRGRP))
        warning(loading, where, "the file %.*s is open to other users; chmod 600 it", STR_ARG(path));
    take(loading, setting, str_trim(content), source, where);
}

/* ---- flags and environment */

static struct str environment(const struct loading *loading, struct str name)
{
    for (char *const *entry = loading->sources->environment; entry && *entry; entry++) {
        struct str text = str_from(*entry);
        if (str_starts_with(text, name) && text.len > name.len + 1 && text.ptr[name.len] == '=')
            return str_from_offset(text, name.len + 1);
    }
    return (struct str){NULL, 0}; /* an empty variable counts as none: that is how one is taken away */
}

static struct str flag(const struct loading *loading, struct str name)
{
    struct str found = {NULL, 0};
    for (size_t i = 0; i < loading->sources->n_flags; i++) {
        if (str_eq(loading->sources->flags[i].name, name))
            found = loading->sources->flags[i].value;
    }
    return found;
}

static void read_flags(struct loading *loading, enum setting only)
{
    for (size_t i = 0; i < loading->sources->n_flags; i++) {
        const struct config_flag *given = &loading->sources->flags[i];
        enum setting setting;
        bool file;
        if (!config_flag_known(given->name, &setting, &file) || (only != SETTINGS && setting != only))
            continue;
        struct str where = str_format(loading->arena, "--%.*s", STR_ARG(given->name));
        if (file)
            take_from_file(loading, setting, given->value, SOURCE_FLAG, where);
        else if (setting_table[setting].secret)
            problem(loading, where, "other users can read the command line; use --%.*s-file FILE or %s",
                    STR_ARG(given->name), setting_table[setting].environment);
        else
            take(loading, setting, given->value, SOURCE_FLAG, where);
    }
}

static void read_environment_of(struct loading *loading, enum setting setting)
{
    struct str name = str_from(setting_table[setting].environment);
    struct str name_file = str_concat(loading->arena, name, STR("_FILE"));
    struct str text = environment(loading, name), path = STR_EMPTY;
    if (setting_table[setting].secret)
        path = environment(loading, name_file);
    if (text.len && path.len)
        problem(loading, name, "is set, and %.*s too; leave one of them", STR_ARG(name_file));
    else if (text.len)
        take(loading, setting, text, SOURCE_ENVIRONMENT, name);
    else if (path.len)
        take_from_file(loading, setting, path, SOURCE_ENVIRONMENT, name_file);
}

/* Only a warning: schedulers put variables with a service's name into its environment. */
static void warn_of_unknown_variables(struct loading *loading)
{
    for (char *const *entry = loading->sources->environment; entry && *entry; entry++) {
        struct str text = str_from(*entry), name = str_sub(text, 0, str_find_char(text, '='));
        enum setting setting;
        bool file;
        if (!str_starts_with(name, STR("PORTEIRO_")) || str_eq(name, STR("PORTEIRO_CONFIG")) ||
            str_eq(name, STR("PORTEIRO_TOKEN")) || str_starts_with(name, STR("PORTEIRO_TEST_")) ||
            file_name_known(name, &setting, &file))
            continue;
        struct nearest nearest = nearest_to(name);
        for (size_t i = 0; i < SETTINGS; i++)
            nearest_offer(&nearest, str_from(setting_table[i].environment));
        if (nearest.found.len)
            warning(loading, str_copy(loading->arena, name), "is no setting, and is ignored; did you mean %.*s?",
                    STR_ARG(nearest.found));
    }
}

/* ---- the file */

static void unknown_name(struct loading *loading, struct str name, struct str where)
{
    struct nearest nearest = nearest_to(name);
    for (size_t i = 0; i < SETTINGS; i++)
        nearest_offer(&nearest, str_from(setting_table[i].name));
    if (nearest.found.len)
        problem(loading, where, "there is no setting \"%.*s\"; did you mean \"%.*s\"?", STR_ARG(name),
                STR_ARG(nearest.found));
    else
        problem(loading, where, "there is no setting \"%.*s\"; porteiro config check lists them", STR_ARG(name));
}

static void read_line(struct loading *loading, struct str line, struct str where, bool seen[SETTINGS])
{
    line = str_trim(line);
    size_t equals = str_find_char(line, '=');
    if (line.len == 0 || line.ptr[0] == '#')
        return;
    if (equals == STR_NOT_FOUND) {
        problem(loading, where, "is not a line of the form: name = value");
        return;
    }
    struct str name = str_trim(str_sub(line, 0, equals)), value = str_trim(str_from_offset(line, equals + 1));
    enum setting setting;
    bool file;
    if (!file_name_known(name, &setting, &file)) {
        unknown_name(loading, name, where);
    } else if (seen[setting]) {
        problem(loading, where, "%s stands in this file a second time", setting_table[setting].name);
    } else {
        seen[setting] = true;
        struct str place = str_format(loading->arena, "%.*s (%s)", STR_ARG(where), setting_table[setting].name);
        if (file)
            take_from_file(loading, setting, value, SOURCE_FILE, place);
        else
            take(loading, setting, value, SOURCE_FILE, place);
    }
}

/* False when there is no such file, which is a problem only when somebody named it. */
static bool read_config_file(struct loading *loading, struct str path, struct str named_by)
{
    int error;
    mode_t mode = 0;
    struct str rest = read_file(loading, str_copy_cstr(loading->arena, path), CONFIG_FILE_BYTES_MAX, &error, &mode);
    if (error == ENOENT && named_by.len == 0)
        return false;
    struct config *config = loading->config;
    config->file = str_copy(loading->arena, path);
    if (error) {
        problem(loading, named_by.len ? named_by : config->file, "the settings' file %.*s cannot be read: %s",
                STR_ARG(path), strerror(error));
        return true;
    }
    bool seen[SETTINGS] = {false};
    struct str line;
    if (str_starts_with(rest, STR("\xef\xbb\xbf")))
        rest = str_from_offset(rest, 3);
    for (unsigned number = 1; str_next(&rest, '\n', &line); number++)
        read_line(loading, line, str_format(loading->arena, "%.*s:%u", STR_ARG(path), number), seen);
    for (size_t i = 0; i < SETTINGS; i++) {
        if (seen[i] && setting_table[i].secret && S_ISREG(mode) && (mode & S_IROTH))
            warning(loading, config->file, "holds %s, and other users can read it; chmod 600 it",
                    setting_table[i].name);
    }
    return true;
}

static void find_config_file(struct loading *loading)
{
    struct config *config = loading->config;
    struct str named = flag(loading, STR("config"));
    if (named.len) {
        read_config_file(loading, named, STR("--config"));
        return;
    }
    named = environment(loading, STR("PORTEIRO_CONFIG"));
    if (named.len) {
        read_config_file(loading, named, STR("PORTEIRO_CONFIG"));
        return;
    }
    struct str data_dir = config_text(config, SETTING_DATA_DIR);
    if (data_dir.len &&
        read_config_file(loading, str_concat(loading->arena, data_dir, STR("/porteiro.conf")), STR_EMPTY)) {
        struct setting_value *found = &config->values[SETTING_DATA_DIR];
        if (found->source == SOURCE_FILE && !str_eq(found->text, data_dir))
            problem(loading, found->where, "this file was found in the data directory %.*s, so it cannot name another",
                    STR_ARG(data_dir));
        return;
    }
    read_config_file(loading, str_from(loading->sources->system_file), STR_EMPTY);
}

/* ---- defaults */

static void set_default(struct loading *loading, enum setting setting, struct str text)
{
    take(loading, setting, text, SOURCE_DEFAULT, STR("default"));
}

static void set_data_dir(struct loading *loading)
{
    struct str data = environment(loading, STR("XDG_DATA_HOME")), home = environment(loading, STR("HOME"));
    if (loading->sources->root)
        set_default(loading, SETTING_DATA_DIR, STR("/var/lib/porteiro"));
    else if (data.len && data.ptr[0] == '/')
        set_default(loading, SETTING_DATA_DIR, str_concat(loading->arena, data, STR("/porteiro")));
    else if (home.len && home.ptr[0] == '/')
        set_default(loading, SETTING_DATA_DIR, str_concat(loading->arena, home, STR("/.local/share/porteiro")));
}

static void set_defaults(struct loading *loading)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        if (setting_table[i].standard)
            set_default(loading, (enum setting)i, str_from(setting_table[i].standard));
    }
    set_data_dir(loading);
}

static void set_with(struct loading *loading, enum setting setting, struct str text, enum setting because_of)
{
    struct config *config = loading->config;
    const struct setting_value *why = &config->values[because_of];
    if (!config_is_set(config, setting) || config->values[setting].source == SOURCE_DEFAULT)
        take(loading, setting, text, why->source, why->where);
}

/* `domain` alone makes a bare machine a server that clients reach. Behind a listener that was named it only names it. */
static void set_by_domain(struct loading *loading)
{
    const struct config *config = loading->config;
    if (!config_is_set(config, SETTING_DOMAIN))
        return;
    struct str domain = config_text(config, SETTING_DOMAIN);
    set_with(loading, SETTING_LISTEN, STR("[::]:443"), SETTING_DOMAIN);
    set_with(loading, SETTING_LISTEN_HTTP, STR("[::]:80"), SETTING_DOMAIN);
    set_with(loading, SETTING_PUBLIC_URL, str_concat(loading->arena, STR("https://"), domain), SETTING_DOMAIN);
}

/* What follows from other settings, when it was not set itself. */
static void set_derived(struct loading *loading)
{
    struct config *config = loading->config;
    if (!config_is_set(config, SETTING_DATA_DIR))
        problem(loading, STR("PORTEIRO_DATA_DIR"), "is not set, and there is no HOME to make a default of");
    else if (!config_is_set(config, SETTING_DATABASE_URL))
        set_default(
            loading, SETTING_DATABASE_URL,
            str_format(loading->arena, "sqlite:%.*s/porteiro.db", STR_ARG(config_text(config, SETTING_DATA_DIR))));
    set_by_domain(loading);
    bool cert = config_is_set(config, SETTING_TLS_CERT), key = config_is_set(config, SETTING_TLS_KEY);
    if (cert != key)
        problem(loading, str_from(setting_table[cert ? SETTING_TLS_CERT : SETTING_TLS_KEY].environment),
                "is set, but not %s; a certificate and its key belong together",
                setting_table[cert ? SETTING_TLS_KEY : SETTING_TLS_CERT].environment);
    if (config_is_set(config, SETTING_DATA_DIR) && !config_is_set(config, SETTING_AUDIT_CHECKPOINTS))
        set_default(
            loading, SETTING_AUDIT_CHECKPOINTS,
            str_format(loading->arena, "%.*s/audit-checkpoints.jsonl", STR_ARG(config_text(config, SETTING_DATA_DIR))));
    /* Port 0 is known only when it is listened on. */
    if (!config_is_set(config, SETTING_PUBLIC_URL) && config_is_set(config, SETTING_LISTEN) &&
        !str_ends_with(config_text(config, SETTING_LISTEN), STR(":0")))
        set_default(
            loading, SETTING_PUBLIC_URL,
            str_concat(loading->arena, cert ? STR("https://") : STR("http://"), config_text(config, SETTING_LISTEN)));
}

struct config_sources config_sources(const struct config_flag *flags, size_t n_flags)
{
    return (struct config_sources){
        .flags = flags, .n_flags = n_flags, .environment = environ, .system_file = SYSTEM_FILE, .root = geteuid() == 0};
}

struct config_sources config_sources_file(struct arena *arena, struct str file)
{
    struct config_flag *flag = arena_new_of(arena, struct config_flag);
    *flag = (struct config_flag){STR("config"), file};
    return (struct config_sources){.flags = flag, .n_flags = 1, .system_file = file.ptr};
}

struct str config_as_file(struct arena *arena, const struct config *config, struct str *ret_problem)
{
    bool is_in[SETTINGS] = {false};
    size_t size = 1;
    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting_value *value = &config->values[i];
        /* The data directory's default comes from the environment. */
        is_in[i] = value->text.ptr && (value->source != SOURCE_DEFAULT || i == SETTING_DATA_DIR);
        if (is_in[i] && str_find_char(value->text, '\n') != STR_NOT_FOUND) {
            *ret_problem = str_format(arena, "%.*s: a value of several lines cannot be used", STR_ARG(value->where));
            return (struct str){NULL, 0};
        }
        size += is_in[i] ? strlen(setting_table[i].name) + value->text.len + strlen(" = \n") : 0;
    }
    /* In one piece, so that the caller can wipe it. */
    char *text = arena_alloc(arena, size);
    size_t length = 0;
    for (size_t i = 0; i < SETTINGS; i++)
        if (is_in[i])
            length += (size_t)snprintf(text + length, size - length, "%s = %.*s\n", setting_table[i].name,
                                       STR_ARG(config->values[i].text));
    return str_of(text, length);
}

struct config *config_load(struct arena *arena, const struct config_sources *sources)
{
    struct config *config = arena_new_of(arena, struct config);
    struct loading loading = {.arena = arena, .sources = sources, .config = config};
    config->file = STR_EMPTY;
    set_defaults(&loading);
    /* The data directory first, as the file may be there; once more below, since flag and environment win over the file. */
    size_t problems_before = config->n_problems, warnings_before = config->n_warnings;
    read_environment_of(&loading, SETTING_DATA_DIR);
    read_flags(&loading, SETTING_DATA_DIR);
    config->n_problems = problems_before;
    config->n_warnings = warnings_before;
    find_config_file(&loading);
    for (size_t i = 0; i < SETTINGS; i++)
        read_environment_of(&loading, (enum setting)i);
    read_flags(&loading, SETTINGS);
    set_derived(&loading);
    warn_of_unknown_variables(&loading);
    return config;
}

/* ---- showing, and the data directory */

/* postgres://user:secret@host/db?password=secret: the password, wherever the URL has one. */
static struct str mask_database_url(struct arena *arena, struct str url)
{
    if (str_starts_with(url, STR("sqlite:")))
        return url;
    size_t scheme = str_find(url, STR("://"));
    struct str rest = str_from_offset(url, scheme + 3);
    size_t query = str_find_char(rest, '?');
    struct str place = str_sub(rest, 0, query);
    size_t at = str_find_last_char(place, '@');
    struct str user = at == STR_NOT_FOUND ? STR_EMPTY : str_sub(place, 0, at);
    size_t colon = str_find_char(user, ':');
    return str_format(arena, "%.*s%.*s%s%.*s%s", STR_ARG(str_sub(url, 0, scheme + 3)), STR_ARG(str_sub(user, 0, colon)),
                      colon == STR_NOT_FOUND ? "" : ":***",
                      STR_ARG(at == STR_NOT_FOUND ? place : str_from_offset(place, at)),
                      query == STR_NOT_FOUND ? "" : "?...");
}

struct str config_shown(struct arena *arena, const struct config *config, enum setting setting)
{
    struct str text = config_text(config, setting);
    if (text.ptr == NULL)
        return STR_EMPTY;
    if (setting_table[setting].kind == SETTING_DATABASE)
        return mask_database_url(arena, text);
    return setting_table[setting].secret ? STR("(set)") : text;
}

bool config_make_data_dir(struct arena *arena, const struct config *config, struct str *ret_problem)
{
    struct str path = config_text(config, SETTING_DATA_DIR);
    char *name = arena_alloc(arena, path.len + 1);
    memcpy(name, path.ptr, path.len);
    /* The parents are everybody's business; only our own directory is closed to others. */
    for (size_t i = 1; i <= path.len; i++) {
        if (i < path.len && path.ptr[i] != '/')
            continue;
        name[i] = 0;
        if (mkdir(name, i == path.len ? 0700 : 0755) && errno != EEXIST && i == path.len) {
            *ret_problem = str_format(arena, "the data directory %s cannot be made: %s", name, strerror(errno));
            return false;
        }
        name[i] = i < path.len ? '/' : 0;
    }
    struct stat found;
    if (stat(name, &found) || !S_ISDIR(found.st_mode)) {
        *ret_problem = str_format(arena, "%s is not a directory", name);
        return false;
    }
    if (access(name, R_OK | W_OK | X_OK)) {
        *ret_problem =
            str_format(arena, "the data directory %s is not writable for this user: %s", name, strerror(errno));
        return false;
    }
    return true;
}
