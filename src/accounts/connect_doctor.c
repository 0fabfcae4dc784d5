/* One connection looked at from end to end. */
#include "accounts/connect_doctor.h"

#include "accounts/connect.h"
#include "accounts/connect_state.h"
#include "net/url.h"
#include "store/providers.h"

enum { SLOW_MS = 3000 };

const char *finding_result_name(enum finding_result result)
{
    static const char *const names[] = {
        [FINDING_OK] = "ok", [FINDING_SKIP] = "skip", [FINDING_WARN] = "warn", [FINDING_FAIL] = "fail"};
    return names[result];
}

static void add(struct findings *findings, struct finding finding)
{
    if (findings->count == FINDINGS_MAX)
        return;
    findings->failed += finding.result == FINDING_FAIL;
    findings->warned += finding.result == FINDING_WARN;
    findings->items[findings->count++] = finding;
}

/* ---- what is ours */

static void look_at_status(struct call *call, const struct connection_row *row, struct findings *findings)
{
    struct finding finding = {.check = "status", .result = FINDING_FAIL, .code = row->status, .ms = -1};
    if (str_eq(row->status, STR(CONNECTION_ACTIVE))) {
        finding.result = FINDING_OK;
        finding.text = STR("active");
    } else if (str_eq(row->status, STR(CONNECTION_ERROR))) {
        finding.text = STR("the service refuses the stored access data, so nothing is sent to it");
        finding.fix = STR("Enter new access data.");
    } else {
        finding.text = call_format(call, "%.*s: its tokens are refused", STR_ARG(row->status));
        finding.fix = str_eq(row->status, STR(CONNECTION_REVOKED)) ? STR("It has ended for good: make a new one.")
                                                                   : STR("Let it go on.");
    }
    add(findings, finding);
}

static int look_at_provider(struct call *call, const struct connection_row *row, struct findings *findings)
{
    struct provider_row provider;
    int error = store_providers_by_key(call, row->provider_key, &provider);
    if (error)
        return error;
    add(findings,
        (struct finding){
            .check = "provider",
            .result = provider.enabled ? FINDING_OK : FINDING_FAIL,
            .code = provider.enabled ? STR("on") : STR("off"),
            .value = provider.name,
            .text = call_format(call, "%.*s is switched %s", STR_ARG(provider.name), provider.enabled ? "on" : "off"),
            .fix = provider.enabled ? STR_EMPTY : STR("An administrator switches it on."),
            .ms = -1,
        });
    return OK;
}

static int look_at_tokens(struct call *call, const struct connection_row *row, struct findings *findings)
{
    int64_t count;
    int error = store_tokens_count_live(call, row->id, &count);
    if (error)
        return error;
    add(findings, (struct finding){
                      .check = "tokens",
                      .result = count ? FINDING_OK : FINDING_WARN,
                      .code = count ? STR("some") : STR("none"),
                      .value = call_format(call, "%lld", (long long)count),
                      .text = call_format(call, "%lld are not revoked", (long long)count),
                      .fix = count ? STR_EMPTY : STR("Make one for your client."),
                      .ms = -1,
                  });
    return OK;
}

static void look_at_address(struct call *call, const struct connection_row *row, struct findings *findings)
{
    struct str address = connect_address(call->arena, provider_find(row->provider_key), row->config_json);
    struct finding finding = {.check = "address", .code = STR("https"), .value = address, .text = address, .ms = -1};
    struct url url;
    if (!address.ptr)
        return; /* a service without one of its own */
    if (url_parse(call->arena, address, &url) != OK) {
        finding.result = FINDING_FAIL;
        finding.code = STR("unreadable");
        finding.text = STR("it cannot be read");
        finding.fix = STR("Delete the connection and make it again.");
    } else if (!url.is_https) {
        finding.result = FINDING_WARN;
        finding.code = STR("http");
        finding.fix = STR("Give it a certificate: its password goes over the network readable.");
    }
    add(findings, finding);
}

/* ---- the service */

static void add_step(struct call *call, const struct site_check *check, const struct site_step *step,
                     struct findings *findings)
{
    struct finding finding = {.check = step->name, .code = STR("works"), .text = STR("works"), .ms = step->ms};
    if (step->is_left_out) {
        finding.result = FINDING_SKIP;
        finding.code = finding.text = STR("not_reached");
    } else if (!step->ok) {
        finding.result = FINDING_FAIL;
        finding.code = check->error_code;
        finding.text = check->error_text.len ? check->error_text : STR("does not work");
    } else if (step->ms >= 0) {
        finding.text = call_format(call, "works, in %lld ms", (long long)step->ms);
    }
    add(findings, finding);
}

static void look_at_found(struct call *call, const struct site_check *check, struct findings *findings)
{
    if (check->site_user.len)
        add(findings, (struct finding){
                          .check = "user",
                          .code = STR("known"),
                          .value = check->site_role.len ? call_format(call, "%.*s (%.*s)", STR_ARG(check->site_user),
                                                                      STR_ARG(check->site_role))
                                                        : check->site_user,
                          .text = call_format(call, "acts there as %.*s", STR_ARG(check->site_user)),
                          .ms = -1,
                      });
    if (check->warning.len)
        add(findings,
            (struct finding){
                .check = "advice", .result = FINDING_WARN, .code = STR("advice"), .text = check->warning, .ms = -1});
    bool is_slow = check->latency_ms > SLOW_MS;
    add(findings, (struct finding){
                      .check = "speed",
                      .result = is_slow ? FINDING_WARN : FINDING_OK,
                      .code = is_slow ? STR("slow") : STR("fine"),
                      .text = call_format(call, "answers in %lld ms", (long long)check->latency_ms),
                      .fix = is_slow ? STR("It is slow; its host may know why.") : STR_EMPTY,
                      .ms = check->latency_ms,
                  });
}

static int look_at_service(struct call *call, int64_t user_id, int64_t id, struct findings *findings)
{
    struct site_check check;
    int64_t begun_ms = clock_monotonic_ms();
    int error = connect_test(call, user_id, id, &check);
    if (error == E_CANCELLED || error == E_UNAVAILABLE)
        return error;
    if (error) { /* it came to no verdict */
        check.ok = false;
        check.error_code = str_from(error_name(error));
        check.error_text = call->error_text;
        call_clear_error(call);
    }
    if (!check.n_steps) {
        const struct site_step whole = {"service", clock_monotonic_ms() - begun_ms, check.ok, false};
        add_step(call, &check, &whole, findings);
    }
    for (size_t i = 0; i < check.n_steps; i++)
        add_step(call, &check, &check.steps[i], findings);
    if (check.ok)
        look_at_found(call, &check, findings);
    return OK;
}

/* Of services that somebody has to be logged in at. */
static int look_at_state(struct call *call, int64_t user_id, const struct connection_row *row,
                         struct findings *findings)
{
    struct connection_state state;
    struct webhook_place place;
    const struct provider *provider = provider_find(row->provider_key);
    if (!provider || !provider->state)
        return OK;
    int64_t begun_ms = clock_monotonic_ms();
    int error = connect_state(call, user_id, row->id, STR_EMPTY, false, &state, &place);
    if (error == E_CANCELLED || error == E_UNAVAILABLE)
        return error;
    if (error) {
        state.state = str_from(error_name(error));
        state.text = call->error_text;
        call_clear_error(call);
    }
    add(findings, (struct finding){
                      .check = "state",
                      .result = str_eq(state.state, STR("open")) ? FINDING_OK : FINDING_FAIL,
                      .code = state.state,
                      .text = state.text.len ? state.text : state.state,
                      .ms = clock_monotonic_ms() - begun_ms,
                  });
    return OK;
}

int connect_doctor(struct call *call, int64_t user_id, int64_t id, struct findings *ret)
{
    struct connection_row row;
    *ret = (struct findings){0};
    int error = connections_show(call, user_id, id, &row);
    if (error)
        return error;
    look_at_status(call, &row, ret);
    if ((error = look_at_provider(call, &row, ret)) || (error = look_at_tokens(call, &row, ret)))
        return error;
    look_at_address(call, &row, ret);
    error = look_at_service(call, user_id, id, ret);
    return error || ret->failed ? error : look_at_state(call, user_id, &row, ret);
}
