/*
 * What the official MCP conformance suite expects a server to have: tools, prompts and resources that do nothing but answer as
 * the suite's descriptions say. They stand on the same tables as every provider, so what the suite measures is the product's own
 * protocol. Not part of a release: see the option `conformance` in meson_options.txt.
 */
#ifndef PROVIDERS_CONFORMANCE_CONFORMANCE_H
#define PROVIDERS_CONFORMANCE_CONFORMANCE_H

#include "providers/provider.h"

extern const struct provider provider_conformance;

/* Of this folder: the tables, each in the file of its name. */
enum { CONFORMANCE_TOOLS = 38, CONFORMANCE_JOBS = 7, CONFORMANCE_PROMPTS = 5 };
extern const struct tool conformance_tools[CONFORMANCE_TOOLS];
extern const struct job_kind conformance_jobs[CONFORMANCE_JOBS];
extern const struct prompt conformance_prompts[CONFORMANCE_PROMPTS];
extern const struct resources conformance_resources;

int conformance_content(struct call *call, const struct tool_context *context, const struct json *arguments,
                        struct tool_result *result);
int conformance_ask(struct call *call, const struct tool_context *context, const struct json *arguments,
                    struct tool_result *result);

int conformance_greet(struct call *call, const struct tool_context *context, const struct json *arguments,
                      struct tool_result *result);
int conformance_start_job(struct call *call, const struct tool_context *context, const struct json *arguments,
                          struct tool_result *result);
int conformance_tell_job(struct call *call, const struct tool_context *context, const struct json *arguments,
                         struct tool_result *result);
int conformance_stop_job(struct call *call, const struct tool_context *context, const struct json *arguments,
                         struct tool_result *result);
int conformance_ask_and_start(struct call *call, const struct tool_context *context, const struct json *arguments,
                              struct tool_result *result);

/* 1x1 pixel, and a header of a WAV file without samples */
#define CONFORMANCE_PNG                                                                                                \
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
#define CONFORMANCE_WAV "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="

/* Tools of one kind differ in their data only. */
struct conformance_content {
    struct str text;
    const char *blocks[3];
    bool is_error;
};

struct conformance_question {
    const char *key;
    enum host_ability kind;
    const char *params_json;
};
struct conformance_questions {
    struct conformance_question items[3];
    bool one_by_one;    /* a round for each */
    bool only_what_can; /* leave out what the client cannot be asked */
    const char *text;   /* "{}" in it stands for what the last answer says */
};

#endif
