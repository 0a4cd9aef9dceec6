#include "store/sqlite/copy_segments.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/sqlite/segment.h"

struct copy {
    const char *from_path, *to_path, *name;
    bool (*on_progress)(void *arg, const struct store_copy_progress *progress);
    void *arg;
    struct err_buf *eb;
    int err;
};

int copy_segments_pin(const char *path, struct lock *ret_lock, struct err_buf *eb)
{
    struct lock lock;
    uint64_t salt, at;
    int err = lock_open(&lock, path, eb);
    if (err != 0)
        return err;
    if (lock_pin(&lock) != 0 || lock_take(&lock) != 0) {
        lock_close(&lock);
        return err_set(eb, ERR_IO, "%s-lock: cannot be locked", path);
    }
    if (lock_cut(&lock, &salt, &at))
        err = err_set(eb, ERR_BUSY, "%s is recovering from a failed sync: try again", path);
    lock_release(&lock);
    if (err != 0)
        lock_close(&lock);
    else
        *ret_lock = lock;
    return err;
}

static int failed(struct copy *c, const char *file)
{
    return err_set(c->eb, err_from_errno(errno), "%s: %s", file, strerror(errno));
}

static int copy_stretch(struct copy *c, int from, int to, off_t at, off_t end)
{
    while (at < end) {
        loff_t from_at = at, to_at = at;
        ssize_t n = copy_file_range(from, &from_at, to, &to_at, (size_t)(end - at), 0);
        if (n <= 0)
            return n < 0 ? failed(c, c->to_path)
                         : err_set(c->eb, ERR_IO, "%s: has become shorter", c->from_path);
        at += n;
        if (!c->on_progress(c->arg, &(struct store_copy_progress){c->name, "copied", at, end}))
            return err_set(c->eb, ERR_CANCELLED, "stopped; the copy of %s was removed", c->name);
    }
    return 0;
}

/* Holes stay holes. */
static int copy_data(struct copy *c, int from, int to)
{
    off_t size = lseek(from, 0, SEEK_END), at = lseek(from, 0, SEEK_DATA);
    int err = 0;
    while (err == 0 && at >= 0) {
        off_t end = lseek(from, at, SEEK_HOLE);
        err = copy_stretch(c, from, to, at, end);
        at = lseek(from, end, SEEK_DATA);
    }
    if (err == 0 && (ftruncate(to, size) != 0 || fsync(to) != 0))
        err = err_set(c->eb, ERR_SYNC, "%s: cannot be made durable: %s", c->to_path, strerror(errno));
    return err;
}

static int copy_to(struct copy *c, int from, const char *to_name)
{
    int to = open(to_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0)
        return failed(c, to_name);
    int err = copy_data(c, from, to);
    close(to);
    return err;
}

static void copy_one(void *arg, uint32_t number, const struct stat *st)
{
    struct copy *c = arg;
    (void)st;
    if (c->err != 0)
        return;
    char *from_name = segment_path(c->from_path, number), *to_name = segment_path(c->to_path, number);
    int from = open(from_name, O_RDONLY | O_CLOEXEC);
    if (from >= 0) {
        c->err = copy_to(c, from, to_name);
        close(from);
    } else if (errno != ENOENT) { /* a spare one may go meanwhile */
        c->err = failed(c, from_name);
    }
    free(from_name);
    free(to_name);
}

static void remove_one(void *arg, uint32_t number, const struct stat *st)
{
    char *name = segment_path(arg, number);
    (void)st;
    unlink(name);
    free(name);
}

int copy_segments(const char *from_path, const char *to_path, const char *name,
                  bool (*on_progress)(void *arg, const struct store_copy_progress *progress), void *arg,
                  struct err_buf *eb)
{
    struct copy c = {from_path, to_path, name, on_progress, arg, eb, 0};
    segment_each(from_path, copy_one, &c);
    return c.err;
}

void copy_segments_remove(const char *to_path)
{
    segment_each(to_path, remove_one, (void *)(uintptr_t)to_path);
}
