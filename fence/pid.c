#include "pid.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

#define STAT_START_FIELD 22
#define STAT_STATE_FIELD 3

int pid_name_parse(struct str text, struct pid_name *ret_name)
{
    uint64_t pid, start;
    struct str head;
    if (!str_split(&text, ':', &head) || str_to_u64(head, INT32_MAX, &pid) < 0 || pid <= 1 || !text.ptr ||
        str_to_u64(text, INT64_MAX, &start) < 0)
        return ERR_SYNTAX;
    *ret_name = (struct pid_name){(int64_t)pid, (int64_t)start};
    return 0;
}

/* The name of the program, field 2, is in parentheses and may hold anything. */
static int parse_stat(struct str stat, int64_t *ret_start)
{
    struct str rest = stat, field;
    const char *end = memrchr(stat.ptr, ')', stat.len);
    uint64_t start;
    if (!end || (size_t)(end - stat.ptr) + 2 > stat.len)
        return ERR_SYNTAX;
    rest = str_sub(stat, (size_t)(end - stat.ptr) + 2, stat.len);
    for (int i = STAT_STATE_FIELD; str_split(&rest, ' ', &field); i++) {
        if (i == STAT_STATE_FIELD && (str_eq(field, STR("Z")) || str_eq(field, STR("X"))))
            return ERR_NOT_FOUND;
        if (i < STAT_START_FIELD)
            continue;
        if (str_to_u64(field, INT64_MAX, &start) < 0)
            return ERR_SYNTAX;
        *ret_start = (int64_t)start;
        return 0;
    }
    return ERR_SYNTAX;
}

/* A name that /proc does not know says something only when it is ours, and mounted; and when it hides nothing
 * from us (hidepid=2, ProtectProc=invisible): the kernel still knows the pid then. */
static int not_there(int64_t pid_looked_for)
{
    char self[32];
    ssize_t len = readlink("/proc/self", self, sizeof(self));
    uint64_t pid;
    bool ours = len > 0 && str_to_u64((struct str){self, (size_t)len}, INT32_MAX, &pid) == 0 &&
                (pid_t)pid == getpid();
    bool gone = kill((pid_t)pid_looked_for, 0) != 0 && errno == ESRCH;
    return ours && gone ? ERR_NOT_FOUND : ERR_UNAVAILABLE;
}

int pid_start_of(int64_t pid, int64_t *ret_start)
{
    char path[64], text[1024];
    snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? not_there(pid) : err_from_errno(errno);
    ssize_t len = read(fd, text, sizeof(text));
    int errno_value = errno;
    close(fd);
    if (len <= 0)
        return len < 0 && errno_value != ESRCH ? err_from_errno(errno_value) : ERR_NOT_FOUND;
    return parse_stat((struct str){text, (size_t)len}, ret_start);
}

int pid_look(const struct pid_name *name)
{
    int64_t start;
    if (name->pid <= 1)
        return ERR_NOT_FOUND;
    int rc = pid_start_of(name->pid, &start);
    return rc == 0 && start != name->start ? ERR_NOT_FOUND : rc;
}

int64_t pid_namespace(void)
{
    struct stat st;
    return stat("/proc/self/ns/pid", &st) == 0 ? (int64_t)st.st_ino : 0;
}

static int signal_and_wait(int fd, int signum, int wait_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    if (pidfd_send_signal(fd, signum, NULL, 0) != 0)
        return errno == ESRCH ? 0 : err_from_errno(errno);
    int ready;
    do
        ready = poll(&poll_fd, 1, wait_ms);
    while (ready < 0 && errno == EINTR);
    return ready > 0 ? 0 : ERR_TIMEOUT;
}

int pid_end(const struct pid_name *name, int signum, int wait_ms)
{
    int fd = pidfd_open((pid_t)name->pid, 0);
    if (fd < 0)
        return errno == ESRCH ? 0 : err_from_errno(errno);
    /* Looked at after the descriptor was opened: it is of the process whose start we see. */
    int rc = pid_look(name);
    rc = rc == 0 ? signal_and_wait(fd, signum, wait_ms) : rc == ERR_NOT_FOUND ? 0 : rc;
    close(fd);
    return rc;
}
