/* Is /etc/resolv.conf still the same file? */
#include "net/watch.h"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESOLVER "/etc/resolv.conf"

static struct stat seen;

static bool is_another(void)
{
    struct stat now;
    if (stat(RESOLVER, &now) != 0) /* between two */
        return false;
    bool another = now.st_ino != seen.st_ino || now.st_dev != seen.st_dev;
    seen = now;
    return another;
}

int watch_resolver(void)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    (void)is_another();
    /* A file that is replaced shows in its directory: the link's, and that which systemd-resolved writes to. */
    if (fd >= 0 && inotify_add_watch(fd, "/etc", IN_MOVED_TO | IN_CREATE) < 0) {
        close(fd);
        return -1;
    }
    if (fd >= 0)
        (void)inotify_add_watch(fd, "/run/systemd/resolve", IN_MOVED_TO | IN_CREATE);
    return fd;
}

bool watch_changed(int fd)
{
    char events[4096];
    while (read(fd, events, sizeof events) > 0)
        continue; /* what happened is asked of the file itself */
    return is_another();
}
