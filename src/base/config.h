/*
 * The settings: one table with name, meaning and default, read from flags > environment > file > default.
 *
 * The file is the first there is of: --config F, $PORTEIRO_CONFIG, porteiro.conf in the data directory,
 * /etc/porteiro/porteiro.conf. It has lines `name = value`, with '#' at the start of a line for a comment. A secret may also
 * be given as the name of a file that holds it: PORTEIRO_SECRET_KEY_FILE=..., secret_key_file = ..., --secret-key-file F; it
 * is never taken from the command line itself, which other users of the machine can read.
 *
 * Loading does not stop at the first mistake: all of them are listed with where they stand, and nothing may be used then.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include "base/setting.h"

enum setting_source { SOURCE_DEFAULT, SOURCE_FILE, SOURCE_ENVIRONMENT, SOURCE_FLAG };

struct setting_value {
    struct str text; /* ptr NULL: not set */
    enum setting_source source;
    struct str where; /* "--listen", "PORTEIRO_LISTEN", "/etc/porteiro/porteiro.conf:3", "default" */
    int64_t number;   /* of SETTING_NUMBER, and 0 or 1 of SETTING_SWITCH */
};

struct config_problem {
    struct str where; /* as in setting_value */
    struct str text;
};

enum { CONFIG_PROBLEMS_MAX = 32, CONFIG_FILE_BYTES_MAX = 64 * 1024, CONFIG_SECRET_BYTES_MAX = 16 * 1024 };

struct config {
    struct setting_value values[SETTINGS];
    struct str file; /* the file that was read; empty: none */
    struct config_problem problems[CONFIG_PROBLEMS_MAX];
    size_t n_problems;
    struct config_problem warnings[CONFIG_PROBLEMS_MAX];
    size_t n_warnings;
};

/* A flag as it stood on the command line, without its dashes. */
struct config_flag {
    struct str name, value;
};

struct config_sources {
    const struct config_flag *flags; /* "config" and those of the table */
    size_t n_flags;
    char *const *environment; /* as environ */
    const char *system_file;  /* /etc/porteiro/porteiro.conf */
    bool root;                /* whose default data directory is /var/lib/porteiro */
};

/* The process's own. */
struct config_sources config_sources(const struct config_flag *flags, size_t n_flags);

/* Only this file, for a process that is given its settings: neither flags nor environment nor other files. */
struct config_sources config_sources_file(struct arena *arena, struct str file);

/*
 * The settings as a file that config_load() makes the same of, secrets included. ptr NULL: `*ret_problem` says which value
 * cannot stand in a file.
 */
struct str config_as_file(struct arena *arena, const struct config *config, struct str *ret_problem);

/* Never NULL: ask n_problems. Everything in it is in the arena; secrets there are wiped when the arena ends. */
struct config *config_load(struct arena *arena, const struct config_sources *sources);

static inline struct str config_text(const struct config *config, enum setting setting)
{
    return config->values[setting].text;
}
static inline bool config_is_set(const struct config *config, enum setting setting)
{
    return config->values[setting].text.ptr != NULL;
}
static inline int64_t config_number(const struct config *config, enum setting setting)
{
    return config->values[setting].number;
}
static inline bool config_switch(const struct config *config, enum setting setting)
{
    return config->values[setting].number != 0;
}

/* What may be shown of it: a secret is "(set)", a database URL has its password replaced. Empty when it is not set. */
struct str config_shown(struct arena *arena, const struct config *config, enum setting setting);

/*
 * Which setting a flag name (without dashes) stands for. True when there is one; *ret_file tells that it is the `-file` form.
 */
bool config_flag_known(struct str name, enum setting *ret_setting, bool *ret_file);
/* The flag's name of a setting, "data-dir"; of a secret with "-file" behind it. */
struct str config_flag_name(struct arena *arena, enum setting setting);

/* Makes the data directory (0700, with its parents) when it is not there. False: `*ret_problem` says why. */
MUST_CHECK bool config_make_data_dir(struct arena *arena, const struct config *config, struct str *ret_problem);

#endif
