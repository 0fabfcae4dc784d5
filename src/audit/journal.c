/* The audit log as a file. */
#include "audit/journal.h"

#include "json/json_write.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 32 * 1024 };

static int journal = -1;

static bool make_folders(char *path)
{
    for (char *at = path + 1; *at; at++)
        if (*at == '/') {
            *at = 0;
            bool good = mkdir(path, 0700) == 0 || errno == EEXIST;
            *at = '/';
            if (!good)
                return false;
        }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

int journal_open(struct call *call, struct str folder)
{
    char *path = arena_alloc(call->arena, folder.len + 1);
    snprintf(path, folder.len + 1, "%.*s", STR_ARG(folder));
    const char *file = call_format(call, "%s/audit.jsonl", path).ptr;
    struct stat status;
    journal_close();
    if (!make_folders(path))
        return fail(call, E_UNAVAILABLE, "the folder %s cannot be made: %s", path, strerror(errno));
    if (stat(file, &status) == 0 && status.st_size > JOURNAL_MAX_BYTES)
        (void)!rename(file, call_format(call, "%s.1", file).ptr);
    journal = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (journal < 0)
        return fail(call, E_UNAVAILABLE, "the audit log %s cannot be opened: %s", file, strerror(errno));
    return OK;
}

void journal_close(void)
{
    if (journal >= 0)
        close(journal);
    journal = -1;
}

bool journal_is_open(void)
{
    return journal >= 0;
}

int journal_write(struct call *call, struct str action, struct str data_json, int64_t at_ms, bool durable)
{
    struct buf line;
    struct json_writer w;
    char when[CLOCK_TEXT_BYTES], date[CLOCK_TEXT_BYTES + 1];
    if (journal < 0)
        return OK;
    clock_format(at_ms, when); /* "2026-11-22 16:00:00.000" */
    snprintf(date, sizeof date, "%.10sT%sZ", when, when + 11);
    buf_init_heap(&line, LINE_MAX_BYTES);
    json_write_init(&w, &line);
    json_object(&w);
    json_member_str(&w, "at", str_from(date));
    json_member_str(&w, "action", action);
    if (data_json.len)
        json_member_raw(&w, "data", data_json);
    json_end(&w);
    buf_add_char(&line, '\n');
    bool good = !buf_failed(&line) && write(journal, line.ptr, line.len) == (ssize_t)line.len &&
                (!durable || fdatasync(journal) == 0);
    int error_number = errno;
    buf_done(&line);
    return good ? OK : fail(call, E_UNAVAILABLE, "The audit log cannot be written: %s.", strerror(error_number));
}
