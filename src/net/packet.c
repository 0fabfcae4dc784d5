/* Packets between the supervisor and its workers. */
#include "net/packet.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

union control {
    struct cmsghdr head;
    char room[CMSG_SPACE(sizeof(int))];
};

bool packet_pair(int ret_ends[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ret_ends) == 0;
}

bool packet_send(int end, struct str bytes, int file)
{
    struct iovec part = {(void *)(uintptr_t)bytes.ptr, bytes.len};
    union control control = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (file >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control.room;
        control.head =
            (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof file), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.head), &file, sizeof file);
    }
    ssize_t sent;
    do
        sent = sendmsg(end, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)bytes.len;
}

static int file_of(struct msghdr *message)
{
    int file = -1;
    for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at; at = CMSG_NXTHDR(message, at))
        if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SCM_RIGHTS && at->cmsg_len == CMSG_LEN(sizeof file))
            memcpy(&file, CMSG_DATA(at), sizeof file);
    return file;
}

enum packet_result packet_receive(int end, char buffer[PACKET_MAX_BYTES], size_t *ret_len, int *ret_file)
{
    for (;;) {
        struct iovec part = {buffer, PACKET_MAX_BYTES};
        union control control;
        struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.room};
        ssize_t got = recvmsg(end, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return PACKET_NONE_NOW;
        if (got <= 0) /* nobody sends empty packets */
            return PACKET_GONE;
        *ret_file = file_of(&message);
        *ret_len = (size_t)got;
        if (!(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
            return PACKET_ONE;
        if (*ret_file >= 0)
            close(*ret_file);
    }
}

int packet_file(const char *name, struct str bytes)
{
    int file = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file < 0)
        return -1;
    size_t done = 0;
    while (done < bytes.len) {
        ssize_t put = pwrite(file, bytes.ptr + done, bytes.len - done, (off_t)done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            break;
        done += (size_t)put;
    }
    if (done == bytes.len && fchmod(file, 0600) == 0 &&
        fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0)
        return file;
    close(file);
    return -1;
}
