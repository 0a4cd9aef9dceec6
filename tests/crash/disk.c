#include "crash/disk.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/mem.h"
#include "store/sqlite/segment_io.h"

#define SECTOR_BYTES 512
#define FDS_MAX      1024

struct change {
    struct list node;
    int64_t at; /* of a write; the new size of a truncation */
    size_t len;
    char *data; /* NULL: a truncation */
};

/* A file of the disk, by name; open or not. */
struct disk_file {
    struct list node;
    char *name;
    char *image; /* what is surely on the disk */
    size_t image_len, image_capacity;
    bool exists;  /* its name is on the disk */
    bool doomed;  /* ... until its removal is there, too */
    bool segment; /* its name comes with a sync of the folder only */
    struct list changes;
};

/* SQLite's handle; the underlying one follows it in memory. */
struct handle {
    sqlite3_file base;
    struct disk_file *file; /* NULL: temporary */
    bool is_log;
    sqlite3_file *real;
};

static struct {
    pthread_mutex_t mutex;
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    sqlite3_io_methods methods;
    struct list files;
    struct disk_file *by_fd[FDS_MAX]; /* segments that are open */
    struct disk_plan plan;
    uint64_t random, syncs, checkpointing, writes, injected;
} disk = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static uint64_t draw(uint64_t n)
{
    disk.random ^= disk.random << 13;
    disk.random ^= disk.random >> 7;
    disk.random ^= disk.random << 17;
    return disk.random % n;
}

/* ---- what is on the disk ---- */

static struct disk_file *file_find(const char *name)
{
    LIST_FOREACH (it, &disk.files) {
        struct disk_file *f = LIST_ENTRY(it, struct disk_file, node);
        if (strcmp(f->name, name) == 0)
            return f;
    }
    return NULL;
}

static void image_resize(struct disk_file *f, size_t len)
{
    if (len > f->image_capacity) {
        f->image_capacity = 2 * len;
        f->image = mem_realloc(f->image, f->image_capacity);
    }
    if (len > f->image_len)
        memset(f->image + f->image_len, 0, len - f->image_len);
    f->image_len = len;
}

static void image_apply(struct disk_file *f, const struct change *c, size_t from, size_t len)
{
    if (!c->data) {
        image_resize(f, (size_t)c->at);
        return;
    }
    if ((size_t)c->at + from + len > f->image_len)
        image_resize(f, (size_t)c->at + from + len);
    memcpy(f->image + c->at + from, c->data + from, len);
}

static void change_free(struct change *c)
{
    list_remove(&c->node);
    free(c->data);
    free(c);
}

static void changes_sync(struct disk_file *f)
{
    LIST_FOREACH (it, &f->changes) {
        struct change *c = LIST_ENTRY(it, struct change, node);
        image_apply(f, c, 0, c->len);
        change_free(c);
    }
    f->exists |= !f->segment;
}

/* A write that was torn: any of its sectors may have arrived. */
static void change_tear(struct disk_file *f, const struct change *c)
{
    for (size_t at = 0; at < c->len; at += SECTOR_BYTES)
        if (draw(2) == 0)
            image_apply(f, c, at, c->len - at < SECTOR_BYTES ? c->len - at : SECTOR_BYTES);
}

/* What becomes of the changes that no sync has confirmed. */
static void changes_gamble(struct disk_file *f)
{
    uint64_t mood = draw(4); /* all kept, all dropped, or each by itself */
    LIST_FOREACH (it, &f->changes) {
        struct change *c = LIST_ENTRY(it, struct change, node);
        uint64_t fate = mood < 2 ? mood : draw(3);
        if (fate == 0)
            image_apply(f, c, 0, c->len);
        else if (fate == 2 && c->data)
            change_tear(f, c);
        change_free(c);
    }
    f->exists = f->doomed ? f->exists && draw(2) == 0 : f->exists || draw(2) == 0;
}

static void image_leave(const struct disk_file *f)
{
    const char *slash = strrchr(f->name, '/');
    char *name = mem_asprintf("%s/%s", disk.plan.image_dir, slash ? slash + 1 : f->name);
    if (f->exists) {
        FILE *out = fopen(name, "w"); /* an empty image is NULL, which fwrite does not take */
        if (!out || (f->image_len > 0 && fwrite(f->image, f->image_len, 1, out) != 1) || fclose(out) != 0)
            abort();
    } else {
        unlink(name);
    }
    free(name);
}

static void lose_power_locked(void)
{
    LIST_FOREACH (it, &disk.files) {
        struct disk_file *f = LIST_ENTRY(it, struct disk_file, node);
        changes_gamble(f);
        image_leave(f);
    }
    _exit(DISK_POWER_LOST);
}

void disk_lose_power(void)
{
    pthread_mutex_lock(&disk.mutex);
    lose_power_locked();
    abort();
}

/* ---- files ---- */

static struct handle *handle_of(sqlite3_file *file)
{
    return (struct handle *)file;
}

static int on_close(sqlite3_file *file)
{
    sqlite3_file *real = handle_of(file)->real;
    return real->pMethods->xClose(real);
}

static int on_read(sqlite3_file *file, void *data, int len, sqlite3_int64 at)
{
    sqlite3_file *real = handle_of(file)->real;
    return real->pMethods->xRead(real, data, len, at);
}

static void note_change(struct disk_file *f, const void *data, size_t len, int64_t at)
{
    struct change *c = mem_zalloc(sizeof(*c));
    c->at = at;
    c->len = len;
    c->data = data ? mem_alloc(len) : NULL;
    if (data)
        memcpy(c->data, data, len);
    list_append(&f->changes, &c->node);
}

static bool would_grow(sqlite3_file *real, int64_t end)
{
    sqlite3_int64 size = 0;
    return real->pMethods->xFileSize(real, &size) != SQLITE_OK || end > size;
}

static int on_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
    struct handle *h = handle_of(file);
    int rc = SQLITE_OK;
    pthread_mutex_lock(&disk.mutex);
    if (h->file && ++disk.writes == disk.plan.crash_at_write)
        lose_power_locked();
    if (disk.plan.full && would_grow(h->real, at + len)) {
        disk.injected++;
        rc = SQLITE_FULL;
    } else {
        rc = h->real->pMethods->xWrite(h->real, data, len, at);
        if (rc == SQLITE_OK && h->file)
            note_change(h->file, data, (size_t)len, at);
    }
    pthread_mutex_unlock(&disk.mutex);
    return rc;
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct handle *h = handle_of(file);
    pthread_mutex_lock(&disk.mutex);
    int rc = h->real->pMethods->xTruncate(h->real, size);
    if (rc == SQLITE_OK && h->file)
        note_change(h->file, NULL, 0, size);
    pthread_mutex_unlock(&disk.mutex);
    return rc;
}

static int sync_locked(struct disk_file *f, bool is_log)
{
    const struct disk_plan *plan = &disk.plan;
    if (!plan->log_only || is_log)
        disk.syncs++;
    uint64_t fails = plan->fail_sync_count ? plan->fail_sync_count : 1;
    if (plan->fail_sync_at && disk.syncs >= plan->fail_sync_at && disk.syncs < plan->fail_sync_at + fails &&
        (!plan->log_only || is_log)) {
        disk.injected++;
        changes_gamble(f);
        return SQLITE_IOERR_FSYNC;
    }
    if (plan->fail_checkpoint && !is_log && disk.injected == 0) {
        disk.injected++;
        changes_gamble(f);
        return SQLITE_IOERR_FSYNC;
    }
    if (!is_log || disk.checkpointing > 0)
        disk.checkpointing++;
    bool crash = disk.syncs == plan->crash_at_sync ||
                 (plan->crash_at_checkpoint > 0 && disk.checkpointing == plan->crash_at_checkpoint);
    if (crash && draw(2) == 0)
        lose_power_locked();
    if (!f->segment || !(plan->never_sync || plan->never_sync_journal))
        changes_sync(f);
    if (crash)
        lose_power_locked();
    return SQLITE_OK;
}

static int on_sync(sqlite3_file *file, int flags)
{
    struct handle *h = handle_of(file);
    (void)flags; /* the files below need no sync of theirs: no power is lost in earnest */
    pthread_mutex_lock(&disk.mutex);
    int rc = h->file ? sync_locked(h->file, h->is_log) : SQLITE_OK;
    pthread_mutex_unlock(&disk.mutex);
    return rc;
}

static int on_size(sqlite3_file *file, sqlite3_int64 *size)
{
    sqlite3_file *real = handle_of(file)->real;
    return real->pMethods->xFileSize(real, size);
}

static int on_lock(sqlite3_file *file, int level)
{
    sqlite3_file *real = handle_of(file)->real;
    return real->pMethods->xLock(real, level);
}

static int on_unlock(sqlite3_file *file, int level)
{
    sqlite3_file *real = handle_of(file)->real;
    return real->pMethods->xUnlock(real, level);
}

static int on_check_lock(sqlite3_file *file, int *held)
{
    sqlite3_file *real = handle_of(file)->real;
    return real->pMethods->xCheckReservedLock(real, held);
}

static bool never_syncs(void)
{
    pthread_mutex_lock(&disk.mutex);
    bool never = disk.plan.never_sync;
    pthread_mutex_unlock(&disk.mutex);
    return never;
}

static int on_control(sqlite3_file *file, int op, void *arg)
{
    sqlite3_file *real = handle_of(file)->real;
    char **pragma = arg;
    if (op == SQLITE_FCNTL_PRAGMA && never_syncs() && sqlite3_stricmp(pragma[1], "synchronous") == 0 &&
        (!pragma[2] || sqlite3_stricmp(pragma[2], "OFF") != 0))
        return SQLITE_OK; /* as if it were done */
    if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE)
        return SQLITE_NOTFOUND; /* would write past us */
    return real->pMethods->xFileControl(real, op, arg);
}

static int on_sector_size(sqlite3_file *file)
{
    sqlite3_file *real = handle_of(file)->real;
    return real->pMethods->xSectorSize(real);
}

static int on_characteristics(sqlite3_file *file)
{
    sqlite3_file *real = handle_of(file)->real;
    return real->pMethods->xDeviceCharacteristics(real);
}

static int on_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **ret)
{
    sqlite3_file *real = handle_of(file)->real;
    return real->pMethods->xShmMap(real, region, size, extend, ret);
}

static int on_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    sqlite3_file *real = handle_of(file)->real;
    return real->pMethods->xShmLock(real, offset, n, flags);
}

static void on_shm_barrier(sqlite3_file *file)
{
    sqlite3_file *real = handle_of(file)->real;
    real->pMethods->xShmBarrier(real);
}

static int on_shm_unmap(sqlite3_file *file, int del)
{
    sqlite3_file *real = handle_of(file)->real;
    return real->pMethods->xShmUnmap(real, del);
}

/* ---- the VFS ---- */

/* What was there before us is on the disk. */
static void image_load(struct disk_file *f, sqlite3_file *real)
{
    sqlite3_int64 size = 0;
    if (real->pMethods->xFileSize(real, &size) != SQLITE_OK || size == 0)
        return;
    image_resize(f, (size_t)size);
    for (sqlite3_int64 at = 0; at < size; at += 65536)
        real->pMethods->xRead(real, f->image + at, (int)(size - at < 65536 ? size - at : 65536), at);
    f->exists = true;
}

static struct disk_file *file_of(const char *name, sqlite3_file *real)
{
    struct disk_file *f = file_find(name);
    if (f)
        return f;
    f = mem_zalloc(sizeof(*f));
    f->name = mem_strdup(name);
    list_init(&f->changes);
    image_load(f, real);
    list_append(&disk.files, &f->node);
    return f;
}

static int on_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *out_flags)
{
    struct handle *h = handle_of(file);
    (void)vfs;
    memset(h, 0, sizeof(*h));
    h->real = (sqlite3_file *)(h + 1);
    int rc = disk.real->xOpen(disk.real, name, h->real, flags, out_flags);
    if (rc != SQLITE_OK)
        return rc;
    pthread_mutex_lock(&disk.mutex);
    h->file = name ? file_of(name, h->real) : NULL;
    h->is_log = flags & SQLITE_OPEN_WAL;
    pthread_mutex_unlock(&disk.mutex);
    h->base.pMethods = &disk.methods;
    return SQLITE_OK;
}

static void forget_changes(struct disk_file *f)
{
    LIST_FOREACH (it, &f->changes)
        change_free(LIST_ENTRY(it, struct change, node));
}

static int on_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
    (void)vfs;
    pthread_mutex_lock(&disk.mutex);
    struct disk_file *f = file_find(name);
    if (f) {
        forget_changes(f);
        image_resize(f, 0);
        f->exists = f->exists && !sync_dir; /* else its name may come back, empty */
    }
    int rc = disk.real->xDelete(disk.real, name, 0);
    pthread_mutex_unlock(&disk.mutex);
    return rc;
}

/* ---- segments ---- */

static struct disk_file *file_of_fd(int fd)
{
    if (fd >= FDS_MAX || !disk.by_fd[fd])
        abort();
    return disk.by_fd[fd];
}

static void segment_load(struct disk_file *f, int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size == 0)
        return;
    image_resize(f, (size_t)st.st_size);
    if (pread(fd, f->image, f->image_len, 0) != st.st_size)
        abort();
    f->exists = true;
}

static void segment_note_open(const char *path, bool create, int fd)
{
    struct disk_file *f = file_find(path);
    bool known = f != NULL;
    if (!known) {
        f = mem_zalloc(sizeof(*f));
        f->name = mem_strdup(path);
        f->segment = true;
        list_init(&f->changes);
        list_append(&disk.files, &f->node);
    }
    if (fd >= FDS_MAX)
        abort();
    disk.by_fd[fd] = f;
    if (create) {
        forget_changes(f);
        image_resize(f, 0);
        f->doomed = false;
    } else if (!known) {
        segment_load(f, fd);
    }
}

static int segment_open_file(const char *path, bool create, int *ret_fd)
{
    int fd;
    pthread_mutex_lock(&disk.mutex);
    bool full = create && (disk.plan.full || disk.plan.no_segments);
    int err = full ? ERR_FULL : segment_io_real.open(path, create, &fd);
    disk.injected += full;
    if (err == 0)
        segment_note_open(path, create, *ret_fd = fd);
    pthread_mutex_unlock(&disk.mutex);
    return err;
}

static void segment_close_file(int fd)
{
    pthread_mutex_lock(&disk.mutex);
    disk.by_fd[fd] = NULL;
    segment_io_real.close(fd);
    pthread_mutex_unlock(&disk.mutex);
}

static int segment_reserve(int fd, uint64_t bytes)
{
    pthread_mutex_lock(&disk.mutex);
    int err = disk.plan.full ? ERR_FULL : segment_io_real.reserve(fd, bytes);
    disk.injected += disk.plan.full;
    if (err == 0)
        note_change(file_of_fd(fd), NULL, 0, (int64_t)bytes);
    pthread_mutex_unlock(&disk.mutex);
    return err;
}

static int segment_read_file(int fd, uint64_t at, void *data, size_t len)
{
    return segment_io_real.read(fd, at, data, len);
}

static int segment_write(int fd, struct iovec *pieces, int count, uint64_t at)
{
    struct buf all;
    buf_init(&all, SIZE_MAX / 2);
    for (int i = 0; i < count; i++)
        if (buf_append(&all, pieces[i].iov_base, pieces[i].iov_len) != 0)
            abort();
    pthread_mutex_lock(&disk.mutex);
    if (++disk.writes == disk.plan.crash_at_write)
        lose_power_locked();
    note_change(file_of_fd(fd), buf_data(&all), all.len, (int64_t)at);
    int err = segment_io_real.write(fd, pieces, count, at);
    pthread_mutex_unlock(&disk.mutex);
    buf_fini(&all);
    return err;
}

static int segment_sync(int fd)
{
    pthread_mutex_lock(&disk.mutex);
    int rc = sync_locked(file_of_fd(fd), true);
    pthread_mutex_unlock(&disk.mutex);
    return rc == SQLITE_OK ? 0 : ERR_IO;
}

static int segment_punch(int fd, uint64_t at, uint64_t bytes)
{
    char *zeroes = mem_zalloc(bytes);
    pthread_mutex_lock(&disk.mutex);
    note_change(file_of_fd(fd), zeroes, bytes, (int64_t)at);
    int err = segment_io_real.punch(fd, at, bytes);
    pthread_mutex_unlock(&disk.mutex);
    free(zeroes);
    return err;
}

static int segment_remove(const char *path)
{
    pthread_mutex_lock(&disk.mutex);
    struct disk_file *f = file_find(path);
    if (f)
        f->doomed = true;
    int err = segment_io_real.remove(path);
    pthread_mutex_unlock(&disk.mutex);
    return err;
}

static int segment_sync_folder(const char *path)
{
    (void)path; /* there is one */
    pthread_mutex_lock(&disk.mutex);
    LIST_FOREACH (it, &disk.files) {
        struct disk_file *f = LIST_ENTRY(it, struct disk_file, node);
        if (f->segment)
            f->exists = !f->doomed;
    }
    pthread_mutex_unlock(&disk.mutex);
    return 0;
}

static int segment_room(const char *path, uint64_t bytes)
{
    pthread_mutex_lock(&disk.mutex);
    bool full = disk.plan.full || disk.plan.no_segments;
    disk.injected += full;
    pthread_mutex_unlock(&disk.mutex);
    return full ? ERR_FULL : segment_io_real.room(path, bytes);
}

static const struct segment_io segments = {.open = segment_open_file,
                                           .close = segment_close_file,
                                           .reserve = segment_reserve,
                                           .read = segment_read_file,
                                           .write = segment_write,
                                           .sync = segment_sync,
                                           .punch = segment_punch,
                                           .remove = segment_remove,
                                           .sync_folder = segment_sync_folder,
                                           .room = segment_room};

static int never_sync(sqlite3 *handle, const char **error, const struct sqlite3_api_routines *api)
{
    (void)error, (void)api;
    return never_syncs() ? sqlite3_exec(handle, "PRAGMA synchronous=OFF", NULL, NULL, NULL) : SQLITE_OK;
}

void disk_install(void)
{
    disk.real = sqlite3_vfs_find(NULL);
    disk.vfs = *disk.real;
    disk.vfs.zName = "disk";
    disk.vfs.szOsFile = (int)sizeof(struct handle) + disk.real->szOsFile;
    disk.vfs.xOpen = on_open;
    disk.vfs.xDelete = on_delete;
    disk.methods = (sqlite3_io_methods){2,
                                        on_close,
                                        on_read,
                                        on_write,
                                        on_truncate,
                                        on_sync,
                                        on_size,
                                        on_lock,
                                        on_unlock,
                                        on_check_lock,
                                        on_control,
                                        on_sector_size,
                                        on_characteristics,
                                        on_shm_map,
                                        on_shm_lock,
                                        on_shm_barrier,
                                        on_shm_unmap,
                                        NULL,
                                        NULL};
    list_init(&disk.files);
    disk.random = 1;
    sqlite3_vfs_register(&disk.vfs, 1);
    segment_io_use(&segments);
    sqlite3_auto_extension((void (*)(void))never_sync);
}

void disk_set_plan(const struct disk_plan *plan)
{
    pthread_mutex_lock(&disk.mutex);
    disk.plan = *plan;
    disk.random = plan->seed * 0x9e3779b97f4a7c15ULL | 1;
    disk.syncs = disk.checkpointing = disk.writes = disk.injected = 0;
    pthread_mutex_unlock(&disk.mutex);
}

uint64_t disk_syncs(void)
{
    pthread_mutex_lock(&disk.mutex);
    uint64_t count = disk.syncs;
    pthread_mutex_unlock(&disk.mutex);
    return count;
}

uint64_t disk_writes(void)
{
    pthread_mutex_lock(&disk.mutex);
    uint64_t count = disk.writes;
    pthread_mutex_unlock(&disk.mutex);
    return count;
}

uint64_t disk_injected(void)
{
    pthread_mutex_lock(&disk.mutex);
    uint64_t count = disk.injected;
    pthread_mutex_unlock(&disk.mutex);
    return count;
}
