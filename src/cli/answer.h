/*
 * What a command answers: members with names, or a list of such. Printed as one line of JSON with --json, else as aligned text
 * for people. The names are the JSON members (docs/cli.md has them all in one table, which a test compares).
 */
#ifndef CLI_ANSWER_H
#define CLI_ANSWER_H

#include "base/arena.h"

struct answer;
struct answers;

struct answer *answer_new(struct arena *arena);
/* ptr NULL is null. */
void answer_text(struct answer *answer, const char *name, struct str value);
void answer_integer(struct answer *answer, const char *name, int64_t value);
void answer_switch(struct answer *answer, const char *name, bool value);
/* In JSON "2026-11-22T16:00:00.000Z"; 0 is null. */
void answer_time(struct answer *answer, const char *name, int64_t unix_ms);
/* "read,draft" becomes ["read","draft"]. */
void answer_words(struct answer *answer, const char *name, struct str comma_list);
/* A value that is JSON already, one that was written by this program. In text it stands as it is. */
void answer_json(struct answer *answer, const char *name, struct str json);
/* NULL is null. */
void answer_nested(struct answer *answer, const char *name, const struct answer *value);
void answer_list(struct answer *answer, const char *name, const struct answers *list);

struct answers *answers_new(struct arena *arena);
struct answer *answers_add(struct answers *list);
size_t answers_count(const struct answers *list);

/* One line, with its newline. */
struct str answer_as_json(struct arena *arena, const struct answer *answer);
/* {"items":[...]} */
struct str answers_as_json(struct arena *arena, const struct answers *list);
/* "site name  Blog" line by line; null and lists are left out. */
struct str answer_as_text(struct arena *arena, const struct answer *answer);
/* The named members ("id email name") as columns under their names. */
struct str answers_as_text(struct arena *arena, const struct answers *list, const char *columns);

/* The same with what a terminal would obey taken out: control characters, and what turns the writing direction. */
struct str answer_printable(struct arena *arena, struct str text);

#endif
