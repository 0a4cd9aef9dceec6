#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define EXIT_AGAIN     75
#define KILL_WAIT_MS   10000
#define LAST_WORDS_MAX 300

/* ---- the child ---- */

static void keep_lifeline(void)
{
    uint64_t fd;
    if (str_to_u64(str_from(getenv(START_LIFELINE_ENV)), INT32_MAX, &fd) == 0)
        (void)fcntl((int)fd, F_SETFD, 0);
}

static _Noreturn void child(const struct start_spec *spec, int go_fd, int log_fd)
{
    char byte;
    int null_fd = open("/dev/null", O_RDONLY);
    if (setsid() < 0 || null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(log_fd, STDOUT_FILENO) < 0 ||
        dup2(log_fd, STDERR_FILENO) < 0)
        _exit(1);
    if (read(go_fd, &byte, 1) != 1) /* our parent died before it could remember us */
        _exit(1);
    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    keep_lifeline();
    execv(spec->argv[0], (char *const *)(uintptr_t)spec->argv);
    fprintf(stderr, "cannot execute %s: %m\n", spec->argv[0]);
    _exit(127);
}

/* ---- waiting ---- */

struct wait {
    const struct start_spec *spec;
    int notify_fd; /* of the folder that the readiness file appears in */
    int pid_fd;
    pid_t pid;
    int64_t until_ms;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static bool is_ready(const struct wait *w)
{
    json_t *json = json_load_file(w->spec->place->ready, JSON_DISABLE_EOF_CHECK, NULL);
    bool ready = json_integer_value(json_object_get(json, "epoch")) == w->spec->epoch;
    json_decref(json);
    return ready;
}

static void last_words(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    out[0] = '\0';
    if (fd < 0)
        return;
    off_t end = lseek(fd, 0, SEEK_END), begin = end > (off_t)size - 1 ? end - (off_t)size + 1 : 0;
    ssize_t len = pread(fd, out, size - 1, begin);
    close(fd);
    out[len > 0 ? len : 0] = '\0';
    for (char *c = out; *c; c++)
        if (!ascii_isprint(*c))
            *c = ' ';
}

static int child_ended(const struct wait *w, struct err_buf *eb)
{
    int status = 0;
    char said[LAST_WORDS_MAX];
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
        ;
    last_words(w->spec->place->log, said, sizeof(said));
    bool again = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_AGAIN;
    return err_set(eb, again ? ERR_UNAVAILABLE : ERR_REFUSED, "the instance ended (%s %d): ...%s",
                   WIFEXITED(status) ? "status" : "signal",
                   WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), said);
}

static int not_in_time(const struct wait *w, struct err_buf *eb)
{
    int status;
    kill(w->pid, SIGKILL); /* our child, not waited for yet: the pid is its own */
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
        ;
    return err_set(eb, ERR_TIMEOUT, "the instance was not ready in %lld ms", (long long)w->spec->timeout_ms);
}

static int wait_until_ready(const struct wait *w, struct err_buf *eb)
{
    char events[4096];
    while (!is_ready(w)) {
        struct pollfd fds[] = {{.fd = w->notify_fd, .events = POLLIN}, {.fd = w->pid_fd, .events = POLLIN}};
        int64_t left_ms = w->until_ms - now_ms();
        int ready = left_ms > 0 ? poll(fds, 2, (int)left_ms) : 0;
        if (ready == 0)
            return not_in_time(w, eb);
        if (ready > 0 && fds[1].revents)
            return child_ended(w, eb);
        ssize_t drained = read(w->notify_fd, events, sizeof(events));
        (void)drained;
    }
    return 0;
}

/* ---- starting ---- */

static int remember(const struct start_spec *spec, pid_t pid, struct state *state, struct err_buf *eb)
{
    struct pid_name name = {.pid = pid};
    *state = (struct state){.epoch = spec->epoch, .pid = name};
    int rc = pid_start_of(pid, &state->pid.start);
    if (rc < 0)
        return err_set(eb, rc, "the instance's process has no start time");
    return state_write(spec->place, state, eb);
}

static int follow(const struct start_spec *spec, pid_t pid, int go_fd, struct state *state,
                  struct err_buf *eb)
{
    struct wait w = {.spec = spec, .pid = pid, .until_ms = now_ms() + spec->timeout_ms};
    int rc = remember(spec, pid, state, eb);
    if (rc < 0)
        return rc; /* closing go_fd ends the child */
    w.notify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    w.pid_fd = pidfd_open(pid, 0);
    if (w.notify_fd < 0 || w.pid_fd < 0 ||
        inotify_add_watch(w.notify_fd, spec->place->dir, IN_CLOSE_WRITE | IN_MOVED_TO) < 0)
        rc = err_set(eb, err_from_errno(errno), "cannot watch %s: %m", spec->place->dir);
    else if (write(go_fd, "g", 1) != 1)
        rc = err_set(eb, ERR_IO, "the instance's process ended before it began");
    else
        rc = wait_until_ready(&w, eb);
    if (w.notify_fd >= 0)
        close(w.notify_fd);
    if (w.pid_fd >= 0)
        close(w.pid_fd);
    return rc;
}

int start_instance(const struct start_spec *spec, struct state *state, struct err_buf *eb)
{
    int go[2];
    int log_fd = open(spec->place->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0)
        return err_set(eb, err_from_errno(errno), "cannot write %s: %m", spec->place->log);
    unlink(spec->place->ready);
    signal(SIGPIPE, SIG_IGN);
    if (pipe2(go, O_CLOEXEC) != 0) {
        close(log_fd);
        return err_set(eb, err_from_errno(errno), "no pipe: %m");
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(go[1]);
        signal(SIGPIPE, SIG_DFL);
        child(spec, go[0], log_fd);
    }
    close(go[0]);
    close(log_fd);
    int rc =
        pid < 0 ? err_set(eb, err_from_errno(errno), "cannot fork: %m") : follow(spec, pid, go[1], state, eb);
    close(go[1]);
    if (rc == 0) {
        state->ready = true;
        rc = state_write(spec->place, state, eb);
    }
    return rc;
}
