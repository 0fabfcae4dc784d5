/* The migrations in the program: made from db/migrations by db/embed.py. */
#ifndef STORE_MIGRATIONS_H
#define STORE_MIGRATIONS_H

#include "base/str.h"

struct migration {
    const char *tag;  /* "0002_keys_details_audit" */
    int64_t when_ms;  /* its identity: Drizzle's created_at */
    const char *hash; /* SHA-256 of text, hex */
    struct str text;  /* pieces are parted by "--> statement-breakpoint" */
};

struct migration_set {
    const struct migration *entries; /* by time */
    size_t count;
};

extern const struct migration_set migrations_postgres, migrations_sqlite;

/* What the five given tables look like after 0001: the answer of migrate.c's structure query, line by line. */
extern const struct str migrations_given;

#endif
