#include "store/sqlite/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* A range lock on this byte, which is never written, pins the segments. */
#define PIN_AT 4096

int lock_read_boot_id(char out[LOCK_BOOT_ID_BYTES])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ERR_IO;
    ssize_t got = read(fd, out, LOCK_BOOT_ID_BYTES);
    close(fd);
    return got == LOCK_BOOT_ID_BYTES ? 0 : ERR_IO;
}

static int write_note(struct lock *l)
{
    const struct lock_note note = l->note;
    return pwrite(l->fd, &note, sizeof(note), 0) == sizeof(note) ? 0 : ERR_IO;
}

static int lock_file(int fd, int what)
{
    int rc;
    do
        rc = flock(fd, what);
    while (rc != 0 && errno == EINTR);
    return rc;
}

/* Its one block is there from the start, so that setting it needs no room. */
static int fill(int fd)
{
    const struct lock_note none = {.wounded = 0};
    off_t size = lseek(fd, 0, SEEK_END);
    size_t left = size >= 0 && (size_t)size < sizeof(none) ? sizeof(none) - (size_t)size : 0;
    return size >= 0 && pwrite(fd, &none, left, size) == (ssize_t)left ? 0 : -1;
}

/* Under the lock, as somebody else may just have made and used it. */
static int fill_if_short(int fd)
{
    if (lseek(fd, 0, SEEK_END) >= (off_t)sizeof(struct lock_note))
        return 0;
    if (lock_file(fd, LOCK_EX) != 0)
        return -1;
    int rc = fill(fd);
    int saved = errno;
    lock_file(fd, LOCK_UN);
    errno = saved;
    return rc;
}

int lock_open(struct lock *l, const char *path, struct err_buf *eb)
{
    char name[4096];
    l->fd = -1;
    if (lock_read_boot_id(l->boot_id) != 0)
        return err_set(eb, ERR_IO, "the boot id of this machine cannot be read");
    snprintf(name, sizeof(name), "%s-lock", path);
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(eb, err_from_errno(errno), "%s: %s", name, strerror(errno));
    if (fill_if_short(fd) != 0) {
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
    if (lock_file(l->fd, LOCK_EX) != 0)
        return ERR_IO;
    if (pread(l->fd, &l->note, sizeof(l->note), 0) == sizeof(l->note))
        return 0;
    lock_release(l);
    return ERR_IO;
}

void lock_release(struct lock *l)
{
    flock(l->fd, LOCK_UN);
}

/* ---- wound and cut ---- */

static bool is_of_this_boot(const struct lock *l)
{
    return memcmp(l->note.boot_id, l->boot_id, sizeof(l->boot_id)) == 0;
}

/* What is of another boot counts no more. */
static void renew(struct lock *l)
{
    if (is_of_this_boot(l))
        return;
    l->note = (struct lock_note){.owners = l->note.owners};
    memcpy(l->note.boot_id, l->boot_id, sizeof(l->boot_id));
}

int lock_set_wound(struct lock *l, int64_t cut_at)
{
    renew(l);
    l->note.wounded = 1;
    l->note.log_cut_at = cut_at;
    return write_note(l);
}

bool lock_wound(struct lock *l, int64_t *ret_cut_at)
{
    if (!l->note.wounded || !is_of_this_boot(l))
        return false;
    *ret_cut_at = l->note.log_cut_at;
    return true;
}

void lock_clear_wound(struct lock *l)
{
    l->note.wounded = 0;
    /* A failure leaves it set: then the log is only healed once more. */
    if (write_note(l) != 0)
        return;
}

int lock_set_cut(struct lock *l, uint64_t salt, uint64_t at)
{
    renew(l);
    l->note.journal_cut = 1;
    l->note.cut_salt = salt;
    l->note.cut_at = at;
    return write_note(l);
}

bool lock_cut(const struct lock *l, uint64_t *ret_salt, uint64_t *ret_at)
{
    if (!l->note.journal_cut || !is_of_this_boot(l))
        return false;
    *ret_salt = l->note.cut_salt;
    *ret_at = l->note.cut_at;
    return true;
}

void lock_clear_cut(struct lock *l)
{
    if (!l->note.journal_cut)
        return;
    l->note.journal_cut = 0;
    /* A failure leaves it set: it names a life of a segment that nobody reads again. */
    if (write_note(l) != 0)
        return;
}

/* ---- owners ---- */

uint64_t lock_owners(const struct lock *l)
{
    return l->note.owners;
}

int lock_note_owner(struct lock *l)
{
    l->note.owners++;
    return write_note(l);
}

/* ---- the pin ---- */

static int lock_byte(int fd, short type, bool wait)
{
    struct flock range = {.l_type = type, .l_whence = SEEK_SET, .l_start = PIN_AT, .l_len = 1};
    int rc;
    do
        rc = fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &range);
    while (rc != 0 && errno == EINTR);
    return rc;
}

int lock_pin(struct lock *l)
{
    return lock_byte(l->fd, F_RDLCK, true) == 0 ? 0 : ERR_IO;
}

bool lock_space(struct lock *l)
{
    return lock_byte(l->fd, F_WRLCK, false) == 0;
}

void lock_space_done(struct lock *l)
{
    lock_byte(l->fd, F_UNLCK, false);
}
