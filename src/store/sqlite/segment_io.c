#include "store/sqlite/segment_io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/durable.h"

/* Some seconds of a busy relay, some 20 ms to write once. */
#define SEGMENT_BYTES (16 << 20)
/* Of the file system, what no segment takes: two logs of 8 MiB and as much for the databases; a quarter of a
 * tiny one. */
#define KEPT_FREE_BYTES (32 << 20)
#define KEPT_FREE_PART  4

static int outcome(int rc)
{
    return rc == 0 ? 0 : errno == ENOSPC || errno == EDQUOT ? ERR_FULL : err_from_errno(errno);
}

static int real_open(const char *path, bool create, int *ret_fd)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT | O_EXCL : 0), 0600);
    if (fd < 0)
        return outcome(-1);
    *ret_fd = fd;
    return 0;
}

static void real_close(int fd)
{
    close(fd);
}

/* Mail that comes in must not take the room by which mail goes out: the logs of the databases, that of the
 * network's file beside it included. */
static bool leaves_room(const struct statvfs *s, uint64_t bytes)
{
    uint64_t all = (uint64_t)s->f_blocks * s->f_frsize, left = (uint64_t)s->f_bavail * s->f_frsize;
    uint64_t kept = all / KEPT_FREE_PART < KEPT_FREE_BYTES ? all / KEPT_FREE_PART : KEPT_FREE_BYTES;
    return left >= bytes + kept;
}

static int real_room(const char *path, uint64_t bytes)
{
    struct statvfs s;
    return statvfs(path, &s) != 0 || leaves_room(&s, bytes) ? 0 : ERR_FULL;
}

static int real_reserve(int fd, uint64_t bytes)
{
    int rc;
    struct statvfs s;
    if (fstatvfs(fd, &s) == 0 && !leaves_room(&s, bytes))
        return ERR_FULL;
    do
        rc = fallocate(fd, 0, 0, (off_t)bytes);
    while (rc != 0 && errno == EINTR);
    return rc != 0 && errno == EOPNOTSUPP ? 0 : outcome(rc);
}

static int real_read(int fd, uint64_t at, void *data, size_t len)
{
    char *to = data;
    while (len > 0) {
        ssize_t n = pread(fd, to, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? ERR_IO : ERR_CORRUPT;
        at += (uint64_t)n;
        to += n;
        len -= (size_t)n;
    }
    return 0;
}

static void skip(struct iovec **pieces, int *count, size_t done)
{
    while (*count > 0 && done >= (*pieces)->iov_len) {
        done -= (*pieces)->iov_len;
        (*pieces)++;
        (*count)--;
    }
    if (*count > 0) {
        (*pieces)->iov_base = (char *)(*pieces)->iov_base + done;
        (*pieces)->iov_len -= done;
    }
}

static int real_write(int fd, struct iovec *pieces, int count, uint64_t at)
{
    while (count > 0) {
        ssize_t n = pwritev(fd, pieces, count < IOV_MAX ? count : IOV_MAX, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? outcome(-1) : ERR_IO;
        at += (uint64_t)n;
        skip(&pieces, &count, (size_t)n);
    }
    return 0;
}

static int real_sync(int fd)
{
    return outcome(fdatasync(fd));
}

static int real_punch(int fd, uint64_t at, uint64_t bytes)
{
    return outcome(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)bytes));
}

static int real_remove(const char *path)
{
    return outcome(unlink(path));
}

const struct segment_io segment_io_real = {
    SEGMENT_BYTES, real_open,  real_close,  real_reserve,           real_read, real_write,
    real_sync,     real_punch, real_remove, durable_sync_folder_of, real_room};

static const struct segment_io *in_use = &segment_io_real;

const struct segment_io *segment_io(void)
{
    return in_use;
}

void segment_io_use(const struct segment_io *io)
{
    in_use = io;
}
