/* porteiro connection import */
#include <sodium.h> /* before base/banned.h: it names what is banned */

#include "cli/connection_import.h"

#include "accounts/connect.h"
#include "base/csv.h"
#include "cli/open.h"
#include "cli/person.h"
#include "json/json_write.h"
#include "net/url.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
    FILE_BYTES_MAX = 4 * 1024 * 1024,
    ROWS_MAX = 1000,
    ROW_TIMEOUT_MS = 60 * 1000,
    ROW_MEMORY_BYTES = 32 * 1024 * 1024,
    ROW_JSON_BYTES_MAX = 64 * 1024,
};

/* What people call the columns of WordPress's form, in English and Portuguese; without accents, as plain_name() makes them. */
static const struct {
    struct str other, field;
} synonyms[] = {
    {STR_INIT("user"), STR_INIT("username")},
    {STR_INIT("password"), STR_INIT("app_password")},
    {STR_INIT("application password"), STR_INIT("app_password")},
    {STR_INIT("address"), STR_INIT("url")},
    {STR_INIT("site"), STR_INIT("url")},
    {STR_INIT("endereco"), STR_INIT("url")},
    {STR_INIT("usuario"), STR_INIT("username")},
    {STR_INIT("senha"), STR_INIT("app_password")},
    {STR_INIT("senha de aplicativo"), STR_INIT("app_password")},
    {STR_INIT("senha do aplicativo"), STR_INIT("app_password")},
    {STR_INIT("senha de aplicacao"), STR_INIT("app_password")},
    {STR_INIT("nome"), STR_INIT("name")},
};
/* What a row may say besides the fields of its provider. */
static const struct str terms[] = {STR_INIT("name"), STR_INIT("rights"), STR_INIT("confirm"), STR_INIT("expires")};

struct import {
    struct cli *cli;
    const struct provider *provider;
    struct user_row user;
    struct csv csv;
    struct csv_row header, row;
    struct answers *results;
    int64_t connected, failed;
};

/* ---- the file */

static void wipe(void *object)
{
    sodium_memzero(object, FILE_BYTES_MAX + 1);
}

static int read_file(struct cli *cli, struct str *ret)
{
    struct str path = cli->arguments.argument;
    char *text = arena_alloc(cli->arena, FILE_BYTES_MAX + 1);
    size_t length = 0;
    ssize_t got = 1;
    arena_defer(cli->arena, wipe, text); /* there are passwords in it */
    int file = str_eq(path, STR("-")) ? dup(STDIN_FILENO)
                                      : open(str_copy_cstr(cli->arena, path), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    while (file >= 0 && got > 0 && length <= FILE_BYTES_MAX) {
        got = read(file, text + length, FILE_BYTES_MAX + 1 - length);
        length += got > 0 ? (size_t)got : 0;
    }
    int problem = errno;
    if (file >= 0)
        close(file);
    if (file < 0 || got < 0)
        return fail(&cli->call, E_INVALID, "%.*s cannot be read: %s", STR_ARG(path), strerror(problem));
    if (length > FILE_BYTES_MAX)
        return fail(&cli->call, E_INVALID, "%.*s is larger than %d MiB", STR_ARG(path), FILE_BYTES_MAX >> 20);
    *ret = str_of(text, length);
    return str_is_utf8(*ret)
               ? OK
               : fail(&cli->call, E_INVALID, "%.*s is not UTF-8 text; save it as CSV UTF-8", STR_ARG(path));
}

/* ---- the columns */

static const struct provider_field *find_field(const struct provider *provider, struct str name)
{
    for (size_t i = 0; i < provider->n_fields; i++)
        if (str_eq(str_from(provider->fields[i].name), name))
            return &provider->fields[i];
    return NULL;
}

static bool is_term(struct str name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(terms); i++)
        if (str_eq(terms[i], name))
            return true;
    return false;
}

/* In small letters, and without accents: "Endereço", "ENDERECO" and what macOS writes as "Enderec" and a cedilla are one. */
static struct str plain_name(struct arena *arena, struct str cell)
{
    /* U+00C0 to U+00DF; those up to U+00FF are the same in small. A space: not a letter of Portuguese, kept as it is. */
    static const char letters[] = "aaaaaa ceeeeiiii nooooo  uuuuy  ";
    char *text = arena_alloc(arena, cell.len + 1);
    size_t length = 0;
    for (size_t i = 0; i < cell.len; i++) {
        unsigned char byte = (unsigned char)cell.ptr[i], next = i + 1 < cell.len ? (unsigned char)cell.ptr[i + 1] : 0;
        if ((byte == 0xcc && next >= 0x80) || (byte == 0xcd && next >= 0x80 && next <= 0xaf)) {
            i++; /* an accent that stands behind its letter */
        } else if (byte == 0xc3 && next >= 0x80 && letters[next & 0x1f] != ' ') {
            text[length++] = letters[next & 0x1f];
            i++;
        } else {
            text[length++] = (char)byte;
        }
    }
    return str_lower(arena, str_trim(str_of(text, length)));
}

static struct str column_name(struct import *import, struct str cell)
{
    struct str name = plain_name(import->cli->arena, cell);
    if (find_field(import->provider, name) || is_term(name))
        return name;
    for (size_t i = 0; i < ARRAY_LENGTH(synonyms); i++)
        if (str_eq(synonyms[i].other, name) &&
            (find_field(import->provider, synonyms[i].field) || is_term(synonyms[i].field)))
            return synonyms[i].field;
    return (struct str){NULL, 0};
}

static bool has_column(const struct import *import, struct str name, size_t before)
{
    for (size_t i = 0; i < before; i++)
        if (str_eq(import->header.cells[i], name))
            return true;
    return false;
}

static int bad_header(struct import *import, const char *what, struct str name)
{
    struct str all = STR_EMPTY;
    for (size_t i = 0; i < import->provider->n_fields; i++)
        all = str_format(import->cli->arena, "%.*s%s%s", STR_ARG(all), i ? "," : "", import->provider->fields[i].name);
    return fail(&import->cli->call, E_INVALID,
                "the first line names the columns: %.*s, and as you like name,rights,confirm,expires; %s \"%.*s\"",
                STR_ARG(all), what, STR_ARG(str_sub(name, 0, 60)));
}

static int read_header(struct import *import)
{
    if (!csv_next(import->cli->arena, &import->csv, &import->header))
        return import->csv.problem
                   ? fail(&import->cli->call, E_INVALID, "line %zu: %s", import->csv.line, import->csv.problem)
                   : bad_header(import, "this file is", STR("empty"));
    for (size_t i = 0; i < import->header.count; i++) {
        struct str name = column_name(import, import->header.cells[i]);
        if (!name.ptr)
            return bad_header(import, "there is no column", import->header.cells[i]);
        if (has_column(import, name, i))
            return bad_header(import, "twice there is", name);
        import->header.cells[i] = name;
    }
    for (size_t i = 0; i < import->provider->n_fields; i++) {
        const struct provider_field *field = &import->provider->fields[i];
        if (field->required && !has_column(import, str_from(field->name), import->header.count))
            return bad_header(import, "missing is", str_from(field->name));
    }
    return OK;
}

/* ---- a row */

static struct str cell_of(const struct import *import, struct str name)
{
    for (size_t i = 0; i < import->header.count && i < import->row.count; i++)
        if (str_eq(import->header.cells[i], name))
            return str_trim(import->row.cells[i]);
    return STR_EMPTY;
}

/* Without a name it is called like its host. */
static struct str name_of(const struct import *import, struct arena *arena)
{
    struct str name = cell_of(import, STR("name"));
    struct url url;
    for (size_t i = 0; i < import->provider->n_fields && !name.len; i++) {
        struct str address = cell_of(import, str_from(import->provider->fields[i].name));
        if (import->provider->fields[i].kind == FIELD_URL)
            name = url_parse(arena, address, &url) == OK ? url.host : address;
    }
    return str_sub(name, 0, CONNECTION_NAME_CHARS_MAX);
}

static int read_terms(struct call *call, const struct import *import, struct connection_new *new)
{
    struct str rights = cell_of(import, STR("rights")), confirm = cell_of(import, STR("confirm")),
               expires = cell_of(import, STR("expires"));
    int error = rights.len ? rights_parse(call, rights, &new->token.rights) : OK;
    if (!error && confirm.len)
        error = confirm_parse(call, confirm, &new->token.confirm);
    return !error && expires.len ? tokens_parse_expiry(call, expires, &new->token.expires_at_ms) : error;
}

static int read_fields(struct call *call, const struct import *import, struct connection_new *new)
{
    const struct json *given, *none;
    struct json_writer w;
    struct buf text;
    if (import->row.count > import->header.count)
        return fail(call, E_INVALID, "There are more cells than columns; put a text with commas into \"\".");
    buf_init(&text, call->arena, ROW_JSON_BYTES_MAX);
    json_write_init(&w, &text);
    json_object(&w);
    for (size_t i = 0; i < import->header.count; i++)
        if (!is_term(import->header.cells[i]) && cell_of(import, import->header.cells[i]).len)
            json_member_str(&w, str_copy_cstr(call->arena, import->header.cells[i]),
                            cell_of(import, import->header.cells[i]));
    json_end(&w);
    if (buf_failed(&text) || json_parse(call->arena, buf_str(&text), NULL, &given, NULL) < 0 ||
        json_parse(call->arena, STR("{}"), NULL, &none, NULL) < 0)
        return fail(call, E_LIMIT, "This row is too long.");
    return connect_fields(call, import->provider, given, none, NULL, &new->config_json, &new->secret_json);
}

static int add(struct call *call, const struct import *import, struct connection_new *new, struct site_check *check,
               struct token_made *made)
{
    int error = read_terms(call, import, new);
    if (!error)
        error = read_fields(call, import, new);
    return error ? error : connect_add(call, new, check, made);
}

static void import_row(struct import *import, struct call *call)
{
    struct arena *arena = import->cli->arena;
    struct str none = {NULL, 0};
    struct connection_new new = {.user_id = import->user.id,
                                 .provider_key = import->provider->key,
                                 .name = name_of(import, call->arena),
                                 .token = {.name = STR_EMPTY, .rights = RIGHTS_DEFAULT}};
    struct site_check check = {0};
    struct token_made made = {0};
    int error = add(call, import, &new, &check, &made);
    struct answer *result = answers_add(import->results);
    bool site_said = error == E_UPSTREAM && check.error_code.len;
    answer_integer(result, "line", (int64_t)import->csv.line);
    answer_text(result, "name", str_copy(arena, new.name));
    answer_switch(result, "ok", !error);
    if (error)
        answer_text(result, "id", none);
    else
        answer_integer(result, "id", made.connection_id);
    answer_text(result, "token", error ? none : str_copy(arena, made.token));
    answer_text(result, "error",
                !error ? none : str_copy(arena, site_said ? check.error_code : str_from(error_name(error))));
    answer_text(result, "message",
                error               ? str_copy(arena, call->error_text)
                : check.warning.len ? str_copy(arena, check.warning)
                                    : none);
    *(error ? &import->failed : &import->connected) += 1;
}

/* ";;;": where somebody emptied a row of the spreadsheet. */
static bool is_empty(const struct csv_row *row)
{
    for (size_t i = 0; i < row->count; i++)
        if (str_trim(row->cells[i]).len)
            return false;
    return true;
}

/* Before the first is connected: its token is shown once, and only with all the others. What cannot be read is told later. */
static int check_count(struct import *import)
{
    struct csv csv = import->csv;
    struct csv_row row;
    int64_t count = 0;
    while (count <= ROWS_MAX && csv_next(import->cli->arena, &csv, &row))
        count += !is_empty(&row);
    return count <= ROWS_MAX
               ? OK
               : fail(&import->cli->call, E_LIMIT,
                      "more than %d rows at once are not taken; split the file. Nothing was stored", ROWS_MAX);
}

static int import_rows(struct import *import)
{
    struct cli *cli = import->cli;
    struct call piece;
    cli->call.deadline_ms = clock_monotonic_ms() + (int64_t)ROWS_MAX * ROW_TIMEOUT_MS;
    call_init_piece(&piece, &cli->call, ROW_MEMORY_BYTES);
    while (csv_next(cli->arena, &import->csv, &import->row)) {
        if (is_empty(&import->row))
            continue;
        cli_note(cli, "line %zu ...", import->csv.line);
        piece.deadline_ms = clock_monotonic_ms() + ROW_TIMEOUT_MS;
        import_row(import, &piece);
        call_clear_error(&piece);
        arena_reset(piece.arena);
    }
    if (import->csv.problem) { /* a row that cannot be read: those before it are done */
        struct answer *result = answers_add(import->results);
        answer_integer(result, "line", (int64_t)import->csv.line);
        answer_text(result, "name", STR_EMPTY);
        answer_switch(result, "ok", false);
        answer_text(result, "id", (struct str){NULL, 0});
        answer_text(result, "token", (struct str){NULL, 0});
        answer_text(result, "error", STR("invalid"));
        answer_text(result, "message", str_from(import->csv.problem));
        import->failed++;
    }
    if (import->connected + import->failed == 0)
        return fail(&cli->call, E_INVALID,
                    "there are column names and no row under them; each site is a line of its own. Nothing was stored");
    return OK;
}

int connection_import(struct cli *cli)
{
    struct import *import = arena_new_of(cli->arena, struct import);
    struct str key = cli_option(cli, "provider"), text;
    *import = (struct import){.cli = cli, .results = answers_new(cli->arena)};
    int error = connect_provider(&cli->call, key.ptr ? key : STR("wordpress"), &import->provider);
    cli->usage_error = error != OK;
    if (!error)
        error = read_file(cli, &text);
    if (error)
        return error;
    csv_begin(&import->csv, text);
    error = read_header(import);
    if (!error)
        error = check_count(import);
    if (!error)
        error = open_accounts(cli);
    if (!error)
        error = open_client(cli);
    if (!error)
        error = person_find(cli, cli_option(cli, "user"), &import->user);
    if (!error)
        error = import_rows(import);
    if (error)
        return error;
    cli->exit_code = import->failed ? CLI_FAILED : CLI_DONE;
    if (!cli->arguments.json)
        return cli_answer_list(cli, import->results, "line name ok id token message", "there is no row in the file");
    struct answer *answer = answer_new(cli->arena);
    answer_integer(answer, "connected", import->connected);
    answer_integer(answer, "failed", import->failed);
    answer_list(answer, "items", import->results);
    return cli_answer(cli, answer, NULL);
}
