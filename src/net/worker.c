/* A process that a supervisor started. */
#include "net/worker.h"

#include "base/log.h"
#include "net/loop.h"
#include "net/packet.h"
#include "net/supervisor.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { PACKETS_AT_ONCE = 64 };

static struct {
    struct worker self;
    bool asked, is_worker;
    char name[24];
    struct worker_callbacks callbacks;
    struct event *readable;
} worker;

/* Takes the number before the next space. */
static bool take_number(struct str *rest, int64_t *ret)
{
    struct str piece;
    return str_next(rest, ' ', &piece) && str_to_i64(piece, ret);
}

/* "NUMBER FIRST PARENT BEGUN_NS SOURCE" */
static bool read_variable(const char *text)
{
    struct str rest = str_from(text);
    int64_t number, first, parent, begun_ns;
    if (!take_number(&rest, &number) || !take_number(&rest, &first) || !take_number(&rest, &parent) ||
        !take_number(&rest, &begun_ns))
        return false;
    worker.self.number = (int)number;
    worker.self.first = first != 0;
    worker.self.begun_ns = begun_ns;
    worker.self.source = rest.ptr ? rest : STR_EMPTY;
    if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) || getppid() != parent) /* it may have ended before the prctl() */
        _exit(1);
    return true;
}

const struct worker *worker_self(void)
{
    if (!worker.asked) {
        const char *text = getenv(SUPERVISOR_VARIABLE);
        worker.asked = true;
        worker.is_worker = text && read_variable(text);
        if (worker.is_worker) {
            snprintf(worker.name, sizeof worker.name, worker.self.number ? "worker %d" : "helper", worker.self.number);
            log_process(worker.name);
            signal(SIGHUP, SIG_IGN); /* a terminal sends these to all of us, and the supervisor knows what they mean */
            signal(SIGINT, SIG_IGN);
            signal(SIGUSR2, SIG_IGN); /* systemctl kill sends it to the whole unit; only the supervisor upgrades */
        }
    }
    return worker.is_worker ? &worker.self : NULL;
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    char bytes[PACKET_MAX_BYTES];
    (void)what;
    (void)context;
    for (int i = 0; i < PACKETS_AT_ONCE; i++) {
        size_t len;
        int file;
        enum packet_result result = packet_receive(fd, bytes, &len, &file);
        if (result == PACKET_GONE)
            event_del(worker.readable); /* the supervisor ended, and SIGTERM is on its way */
        if (result != PACKET_ONE)
            return;
        if (bytes[0] == SUPERVISOR_TELL && worker.callbacks.told)
            worker.callbacks.told(worker.callbacks.context, str_of(bytes + 1, len - 1), file);
        else if (file >= 0)
            close(file);
        if (bytes[0] == SUPERVISOR_RETIRE && worker.callbacks.retire)
            worker.callbacks.retire(worker.callbacks.context);
        if (bytes[0] == SUPERVISOR_PING) /* our loop turns */
            (void)!packet_send(fd, str_of(bytes, 1), -1);
    }
}

bool worker_begin(const struct worker_callbacks *callbacks)
{
    worker.callbacks = *callbacks;
    worker.readable = event_new(loop_base(), WORKER_CONTROL_FD, EV_READ | EV_PERSIST, on_readable, NULL);
    return worker.readable && event_add(worker.readable, NULL) == 0;
}

void worker_ready(void)
{
    char ready = SUPERVISOR_READY;
    if (!packet_send(WORKER_CONTROL_FD, str_of(&ready, 1), -1))
        log_warning("the supervisor does not listen");
}

void worker_renewed(void)
{
    char renewed = SUPERVISOR_RENEWED;
    if (!packet_send(WORKER_CONTROL_FD, str_of(&renewed, 1), -1))
        log_warning("the supervisor does not listen");
}

bool worker_tell(struct str bytes, int file)
{
    static char packet[PACKET_MAX_BYTES]; /* tasks have small stacks, and this does not wait */
    if (!worker.is_worker || bytes.len + 1 > sizeof packet)
        return false;
    packet[0] = SUPERVISOR_TELL;
    memcpy(packet + 1, bytes.ptr, bytes.len);
    return packet_send(WORKER_CONTROL_FD, str_of(packet, bytes.len + 1), file);
}

void worker_end(void)
{
    if (worker.readable)
        event_free(worker.readable);
    worker.readable = NULL;
}
