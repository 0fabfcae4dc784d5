/* The table of settings, and what makes a value a good one. Where values come from: base/config.h. */
#ifndef BASE_SETTING_H
#define BASE_SETTING_H

#include "base/arena.h"

enum setting {
    SETTING_DATA_DIR,
    SETTING_DATABASE_URL,
    SETTING_DATABASE_URL_DIRECT,
    SETTING_LISTEN,
    SETTING_PUBLIC_URL,
    SETTING_DOMAIN,
    SETTING_LISTEN_HTTP,
    SETTING_LISTEN_METRICS,
    SETTING_METRICS_TOKEN,
    SETTING_TLS_CERT,
    SETTING_TLS_KEY,
    SETTING_ACME_URL,
    SETTING_ACME_EMAIL,
    SETTING_TRUSTED_PROXIES,
    SETTING_ALLOWED_ORIGINS,
    SETTING_EGRESS_ALLOW,
    SETTING_CA_FILE,
    SETTING_SECRET_KEY,
    SETTING_REGISTRATION,
    SETTING_SMTP_URL,
    SETTING_MAIL_FROM,
    SETTING_NEON_AUTH_URL,
    SETTING_NEON_AUTH_ISSUER,
    SETTING_NEON_AUTH_AUDIENCE,
    SETTING_ALERT_URL,
    SETTING_ALERT_MAIL,
    SETTING_OTLP_ENDPOINT,
    SETTING_OTLP_HEADERS,
    SETTING_SERVICE_NAME,
    SETTING_TRACE_PERCENT,
    SETTING_WORKERS,
    SETTING_SANDBOX,
    SETTING_LOG,
    SETTING_LOG_LEVEL,
    SETTING_ACCESS_LOG,
    SETTING_MAX_CONNECTIONS,
    SETTING_MAX_UPSTREAM,
    SETTING_MAX_UPSTREAM_PER_SITE,
    SETTING_MAX_UPSTREAM_PER_USER,
    SETTING_MAX_UPSTREAM_QUEUED,
    SETTING_MAX_ANSWER_MEMORY,
    SETTING_BREAKER_FAILURES,
    SETTING_BREAKER_PAUSE_S,
    SETTING_TOKEN_CALLS_PER_MINUTE,
    SETTING_TOKEN_WRITES_PER_MINUTE,
    SETTING_TOKEN_CALLS_AT_ONCE,
    SETTING_USER_CALLS_PER_MINUTE,
    SETTING_MAX_BODY,
    SETTING_MAX_REQUESTS_PER_CONNECTION,
    SETTING_MAX_HANDSHAKES,
    SETTING_HEAD_TIMEOUT_S,
    SETTING_BODY_RATE,
    SETTING_IDLE_TIMEOUT_S,
    SETTING_WRITE_STALL_S,
    SETTING_REQUEST_TIMEOUT_S,
    SETTING_DRAIN_S,
    SETTING_UPSTREAM_CONNECT_S,
    SETTING_UPSTREAM_FIRST_BYTE_S,
    SETTING_UPSTREAM_TOTAL_S,
    SETTING_PASSWORD_CHECKS_QUEUED,
    SETTING_LOGIN_TRIES_PER_ADDRESS,
    SETTING_LOGIN_TRIES_PER_ACCOUNT,
    SETTING_AUDIT_DAYS,
    SETTING_AUDIT_CHECKPOINTS,
    SETTING_CHANGES_DAYS,
    SETTING_CHANGES_MAX,
    SETTING_JOB_LEASE,
    SETTING_OPEN_DISCOVER,
    SETTING_OAUTH_GRACE,
    SETTING_JOB_WAIT,
    SETTING_MAX_UPLOAD,
    SETTING_MAX_UPLOADS,
    SETTINGS, /* how many there are */
};

enum setting_kind {
    SETTING_PATH,
    SETTING_DATABASE, /* postgres://..., postgresql://... or sqlite:PATH */
    SETTING_ADDRESS,  /* ADDRESS:PORT, [ADDRESS6]:PORT */
    SETTING_HOST,     /* a name, without port */
    SETTING_ORIGIN,   /* http(s)://HOST[:PORT] */
    SETTING_ORIGINS,  /* several, with commas */
    SETTING_NETWORKS, /* ADDRESS[/BITS], several, with commas */
    SETTING_EGRESS,   /* the same, and :PORT */
    SETTING_NUMBER,   /* min to max */
    SETTING_CHOICE,   /* one of `choices` */
    SETTING_SWITCH,   /* on or off */
    SETTING_PLAIN,    /* any text */
};

struct setting_row {
    const char *name;        /* in the file: "listen"; as a flag: "--listen", with '-' for '_' */
    const char *environment; /* "PORTEIRO_LISTEN" */
    enum setting_kind kind;
    bool secret;          /* never shown, never a flag; also as *_file */
    const char *standard; /* its default as text; NULL: none, or worked out (then `standard_text` says how) */
    const char *standard_text;
    const char *meaning;
    const char *choices; /* "text json" */
    int64_t min, max;
    const char *unit; /* of a number */
};

extern const struct setting_row setting_table[SETTINGS];

/*
 * Is the text a value for this setting? True: *text is in its normal form (in the arena when it had to change), *ret_number is
 * set for numbers and switches. False: *ret_problem says what is right. It never repeats a secret.
 */
MUST_CHECK bool setting_check(struct arena *arena, enum setting setting, struct str *text, int64_t *ret_number,
                              struct str *ret_problem);

/* Splits "127.0.0.1:8080" or "[::1]:8080". False when it is not of that form. */
MUST_CHECK bool setting_split_address(struct str address, struct str *ret_host, uint16_t *ret_port);

#endif
