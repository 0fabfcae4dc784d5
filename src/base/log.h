/*
 * The program's own log: one line an event, to stderr, as text for people or JSON for collectors (PORTEIRO_LOG).
 * Never a secret, never a body. Only the top of a call, the loop and main log; everything below reports errors upwards.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

void log_init(enum log_level lowest, bool json);

/*
 * In JSON, each line says for whom it was written, as members of their own: "call", "user", "connection". `get` fills in what it
 * knows; 0 and NULL are left out. NULL: nobody knows.
 */
struct log_origin {
    const char *call;
    int64_t user_id, connection_id;
};
void log_origin_by(struct log_origin (*get)(void));

/* Each line names the process: "worker 2". The text must live as long as the process; NULL: no name. */
void log_process(const char *name);

/* Control characters in the text are shown as \xNN, so that outside text cannot forge a line. */
void log_line(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

#endif
