#include "run/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "run/state_folder.h"

#define PATIENCE_MS 1000 /* the kernel ends a process within milliseconds; a busy machine may need more */
#define STEP_MS     20
#define SINCE_MAX   32

/* The folder may be another user's than ours (root): what stands there under the
 * file's name may be no link to something else. */
static int open_own(const struct config *c, const char *path, struct err_buf *eb)
{
    struct stat status;
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
    if (fd < 0)
        return err_set(eb, err_from_errno(errno), "cannot open %s: %m; give it to the user that starts this",
                       path);
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink != 1) {
        close(fd);
        return err_set(eb, ERR_INVALID, "%s is no file of ours: remove it", path);
    }
    const struct passwd *pw = state_folder_user(c);
    if (pw && fchown(fd, pw->pw_uid, pw->pw_gid) != 0) {
        close(fd);
        return err_set(eb, err_from_errno(errno), "%s cannot be given to user %s: %m", path, c->user);
    }
    return fd;
}

/* 0, or an errno: EWOULDBLOCK when another keeps it. */
static int lock(int fd)
{
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
    for (int waited_ms = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited_ms += STEP_MS) {
        if (errno != EINTR && (errno != EWOULDBLOCK || waited_ms >= PATIENCE_MS))
            return errno;
        nanosleep(&step, NULL);
    }
    return 0;
}

static long holder_pid(int fd)
{
    char text[24] = "";
    ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
    text[len > 0 ? len : 0] = '\0';
    return strtol(text, NULL, 10);
}

static void holder_since(int fd, char out[SINCE_MAX])
{
    struct stat status = {0};
    struct tm utc;
    (void)fstat(fd, &status);
    gmtime_r(&status.st_mtime, &utc);
    strftime(out, SINCE_MAX, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static int taken(int fd, const char *what, const struct config_node *node, struct err_buf *eb)
{
    char since[SINCE_MAX];
    const char *role = node && strcmp(what, CLAIM_NODE) != 0 ? what : "";
    holder_since(fd, since);
    return err_set(eb, ERR_BUSY, "%s%s%s is already running (pid %ld, since %s): end that first",
                   node ? node->name : "this network", role[0] ? "'s " : "", role, holder_pid(fd), since);
}

/* The text is for people; its age says since when. */
static void sign(int fd)
{
    if (ftruncate(fd, 0) != 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
        return; /* a full disk: the lock is what counts */
}

int claim_take(const struct config *c, const char *what, const struct config_node *node,
               struct claim *ret_claim, struct err_buf *eb)
{
    char *path = mem_asprintf("%s/%s%s%s.pid", c->state_dir, what, node ? "@" : "", node ? node->name : "");
    int fd = open_own(c, path, eb);
    int errno_value = fd < 0 ? 0 : lock(fd);
    int rc = fd < 0 ? fd : 0;
    if (errno_value == EWOULDBLOCK)
        rc = taken(fd, what, node, eb);
    else if (errno_value)
        rc = err_set(eb, err_from_errno(errno_value), "cannot lock %s: %s", path, strerror(errno_value));
    free(path);
    if (rc < 0) {
        if (fd >= 0)
            close(fd);
        return rc;
    }
    sign(fd);
    ret_claim->fd = fd;
    return 0;
}

void claim_release(struct claim *claim)
{
    if (claim->fd >= 0)
        close(claim->fd);
    *claim = CLAIM_NONE;
}
