/* How many requests are in flight at once, and who waits. */
#include "net/http_transfer.h"

#include "net/task.h"

static size_t n_queued;

size_t http_slots_queued(void)
{
    return n_queued;
}

void http_slots_leave(struct http_transfer *transfer)
{
    if (transfer->state != TRANSFER_WAITING)
        return;
    TAILQ_REMOVE(&transfer->waiting_in->waiting, transfer, link);
    transfer->waiting_in->n_waiting--;
    n_queued--;
    transfer->state = TRANSFER_NEW;
}

/* Not a task_queue: whoever waits may be abandoned. */
int http_slots_take(struct call *call, struct http_slots *slots, struct http_transfer *transfer, bool *holds)
{
    if (slots->used < slots->limit) {
        slots->used++;
        *holds = true;
        return OK;
    }
    if (slots->max_waiting && slots->n_waiting >= slots->max_waiting) {
        transfer->failure = HTTP_FETCH_BUSY;
        return E_LIMIT;
    }
    transfer->waiting_in = slots;
    transfer->waiting_for = holds;
    transfer->state = TRANSFER_WAITING;
    TAILQ_INSERT_TAIL(&slots->waiting, transfer, link);
    slots->n_waiting++;
    n_queued++;
    while (!*holds) {
        int error = transfer->state == TRANSFER_WAITING ? task_park(call) : E_CANCELLED; /* the client has ended */
        if (error) {
            http_slots_leave(transfer);
            return error;
        }
    }
    return OK;
}

void http_slots_give(struct http_slots *slots, bool *holds)
{
    if (!*holds)
        return;
    *holds = false;
    struct http_transfer *next = TAILQ_FIRST(&slots->waiting);
    if (!next) {
        slots->used--;
        return;
    }
    http_slots_leave(next);
    *next->waiting_for = true;
    task_wake(next->call);
}
