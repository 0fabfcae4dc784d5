/* The program's own log. */
#include "base/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_BYTES = 2048 };

static enum log_level lowest_level = LOG_INFO;
static bool as_json;
static const char *process_name;
static struct log_origin (*origin)(void);

static const char *const level_names[] = {"debug", "info", "warning", "error"};

void log_init(enum log_level lowest, bool json)
{
    lowest_level = lowest;
    as_json = json;
}

void log_process(const char *name)
{
    process_name = name;
}

void log_origin_by(struct log_origin (*get)(void))
{
    origin = get;
}

/* ,"call":"..." and so on, behind what is there. */
static int write_origin(char *out, size_t room)
{
    const struct log_origin who = origin ? origin() : (struct log_origin){0};
    int len = who.call ? snprintf(out, room, "\"call\":\"%s\",", who.call) : 0;
    if (who.user_id)
        len += snprintf(out + len, room - (size_t)len, "\"user\":%lld,", (long long)who.user_id);
    if (who.connection_id)
        len += snprintf(out + len, room - (size_t)len, "\"connection\":%lld,", (long long)who.connection_id);
    return len;
}

/* Copies `text` so that it stays one line, and inside JSON quotes one string. */
static size_t escape(char *out, size_t room, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    size_t length = 0;
    for (const char *p = text; *p && length + 7 < room; p++) {
        unsigned char c = (unsigned char)*p;
        if (c < 0x20 || c == 0x7f) {
            const char *form = as_json ? "\\u00" : "\\x";
            while (*form)
                out[length++] = *form++;
            out[length++] = hex[c >> 4];
            out[length++] = hex[c & 15];
        } else {
            if (as_json && (c == '"' || c == '\\'))
                out[length++] = '\\';
            out[length++] = (char)c;
        }
    }
    return length;
}

void log_line(enum log_level level, const char *format, ...)
{
    if (level < lowest_level)
        return;
    char text[LINE_BYTES], line[LINE_BYTES * 2 + 256], when[CLOCK_TEXT_BYTES];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    clock_format(clock_now_ms(), when);
    const char *name = process_name ? process_name : "";
    int head = as_json ? snprintf(line, sizeof line, "{\"time\":\"%s\",\"level\":\"%s\",%s%s%s", when,
                                  level_names[level], *name ? "\"process\":\"" : "", name, *name ? "\"," : "")
                       : snprintf(line, sizeof line, "%s %s: %s%s", when, level_names[level], name, *name ? ": " : "");
    if (as_json) {
        head += write_origin(line + head, sizeof line - (size_t)head);
        head += snprintf(line + head, sizeof line - (size_t)head, "\"text\":\"");
    }
    size_t length = (size_t)head + escape(line + head, sizeof line - (size_t)head - 4, text);
    if (as_json) {
        line[length++] = '"';
        line[length++] = '}';
    }
    line[length++] = '\n';
    /* One write() a line: lines of several processes do not mix. A log that cannot be written must not stop the server. */
    ssize_t ignored = write(STDERR_FILENO, line, length);
    (void)ignored;
}
