#include "store/sqlite/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* What the file holds; all zero: nothing to heal. */
struct wound {
    char boot_id[LOCK_BOOT_ID_BYTES];
    uint32_t set;
    int64_t cut_at;
};

int lock_read_boot_id(char out[LOCK_BOOT_ID_BYTES])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ERR_IO;
    ssize_t got = read(fd, out, LOCK_BOOT_ID_BYTES);
    close(fd);
    return got == LOCK_BOOT_ID_BYTES ? 0 : ERR_IO;
}

int lock_open(struct lock *l, const char *path, struct err_buf *eb)
{
    char name[4096];
    const struct wound none = {.set = 0};
    l->fd = -1;
    if (lock_read_boot_id(l->boot_id) != 0)
        return err_set(eb, ERR_IO, "the boot id of this machine cannot be read");
    snprintf(name, sizeof(name), "%s-lock", path);
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(eb, err_from_errno(errno), "%s: %s", name, strerror(errno));
    /* Its one block is there from the start, so that setting it needs no room. */
    if (lseek(fd, 0, SEEK_END) == 0 && pwrite(fd, &none, sizeof(none), 0) != sizeof(none)) {
        int err = err_set(eb, err_from_errno(errno), "%s: %s", name, strerror(errno));
        close(fd);
        return err;
    }
    l->fd = fd;
    return 0;
}

void lock_close(struct lock *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

int lock_take(struct lock *l)
{
    int rc;
    do
        rc = flock(l->fd, LOCK_EX);
    while (rc != 0 && errno == EINTR);
    return rc == 0 ? 0 : ERR_IO;
}

void lock_release(struct lock *l)
{
    flock(l->fd, LOCK_UN);
}

int lock_set_wound(struct lock *l, int64_t cut_at)
{
    struct wound w = {.set = 1, .cut_at = cut_at};
    memcpy(w.boot_id, l->boot_id, sizeof(w.boot_id));
    return pwrite(l->fd, &w, sizeof(w), 0) == sizeof(w) ? 0 : ERR_IO;
}

bool lock_wound(struct lock *l, int64_t *ret_cut_at)
{
    struct wound w;
    if (pread(l->fd, &w, sizeof(w), 0) != sizeof(w) || !w.set ||
        memcmp(w.boot_id, l->boot_id, sizeof(w.boot_id)) != 0)
        return false;
    *ret_cut_at = w.cut_at;
    return true;
}

void lock_clear_wound(struct lock *l)
{
    const struct wound none = {.set = 0};
    /* A failure leaves it set: then the log is only healed once more. */
    if (pwrite(l->fd, &none, sizeof(none), 0) != sizeof(none))
        return;
}
