/* How much memory the answers of sites may take together. */
#include "net/http_budget.h"

#include "base/metrics.h"
#include "net/loop.h"

static struct {
    size_t max, used;
    TAILQ_HEAD(, http_transfer) line;
    bool is_set, is_posted;
    struct loop_post post;
} budget;

void http_budget_init(size_t max_bytes)
{
    budget.max = max_bytes;
    if (!budget.is_set)
        TAILQ_INIT(&budget.line);
    budget.is_set = true;
}

size_t http_budget_used(void)
{
    return budget.used;
}

/* One that is larger than all there is goes alone. */
static bool fits(size_t bytes)
{
    return budget.used == 0 || (bytes <= budget.max && budget.used <= budget.max - bytes);
}

static void reserve(struct http_transfer *transfer, size_t bytes)
{
    metric_move(GAUGE_ANSWER_BYTES, (int64_t)bytes - (int64_t)transfer->reserved_bytes);
    budget.used += bytes - transfer->reserved_bytes;
    transfer->reserved_bytes = bytes;
}

static void leave_line(struct http_transfer *transfer)
{
    if (!transfer->wanted_bytes)
        return;
    TAILQ_REMOVE(&budget.line, transfer, line);
    transfer->wanted_bytes = 0;
}

/* First come, first served: a small one does not overtake a large one for ever. */
static void serve_line(void *context)
{
    (void)context;
    budget.is_posted = false;
    for (struct http_transfer *first; (first = TAILQ_FIRST(&budget.line)) && fits(first->wanted_bytes);) {
        size_t bytes = first->wanted_bytes;
        leave_line(first);
        reserve(first, bytes);
        first->is_held = false;
        if (first->carrier)
            http_pool_resume(first->carrier); /* it may end in there, and give back */
    }
}

/* Not at once: the caller may be within libcurl. */
static void wake_line(void)
{
    if (budget.is_posted || !budget.is_set || TAILQ_EMPTY(&budget.line))
        return;
    budget.is_posted = true;
    budget.post = (struct loop_post){.run = serve_line};
    loop_post(&budget.post);
}

bool http_budget_take(struct http_transfer *transfer, size_t bytes)
{
    if (transfer->reserved_bytes >= bytes)
        return true;
    if (TAILQ_EMPTY(&budget.line) && fits(bytes)) {
        reserve(transfer, bytes);
        return true;
    }
    if (!transfer->wanted_bytes)
        TAILQ_INSERT_TAIL(&budget.line, transfer, line);
    transfer->wanted_bytes = bytes;
    transfer->is_held = true;
    return false;
}

void http_budget_keep(struct http_transfer *transfer, size_t bytes)
{
    if (transfer->wanted_bytes || transfer->reserved_bytes <= bytes)
        return;
    reserve(transfer, bytes);
    wake_line();
}

void http_budget_release(struct http_transfer *transfer)
{
    bool counted = transfer->wanted_bytes || transfer->reserved_bytes;
    leave_line(transfer);
    reserve(transfer, 0);
    if (counted)
        wake_line();
}
