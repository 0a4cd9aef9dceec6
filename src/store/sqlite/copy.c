/* The copy of a folder, by SQLite's backup interface: each file is read in one
 * read transaction, so that its copy is of one moment; a queue's segments follow. */
#include "store/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/durable.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/sqlite/copy_mark.h"
#include "store/sqlite/copy_segments.h"
#include "store/sqlite/copy_verify.h"
#include "store/sqlite/db.h"

#define STEP_PAGES 256 /* 2 MiB between two reports of progress */

struct copy {
    const char *name;
    char *from_path, *to_path;
    sqlite3 *from, *to;
    bool (*on_progress)(void *arg, const struct store_copy_progress *progress);
    void *arg;
    uint64_t pieces;
    struct err_buf *eb;
};

static bool is_database(const char *name)
{
    struct str s = str_from(name);
    return str_ends(s, STR(".db")) &&
           (str_eq(s, STR("network.db")) || str_eq(s, STR("mail.db")) || str_starts(s, STR("queue-")));
}

static int failed(struct copy *c, sqlite3 *db, const char *what)
{
    return err_set(c->eb, ERR_IO, "%s: %s: %s", c->from_path, what, sqlite3_errmsg(db));
}

static int open_both(struct copy *c)
{
    if (sqlite3_open_v2(c->from_path, &c->from, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        return failed(c, c->from, "cannot be read");
    sqlite_make_private(c->to_path);
    if (sqlite3_open_v2(c->to_path, &c->to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK)
        return failed(c, c->to, "the copy cannot be made");
    return 0;
}

static bool report(const struct copy *c, sqlite3_backup *backup)
{
    int64_t page_bytes = 8192; /* the engine's page size */
    int64_t total = sqlite3_backup_pagecount(backup), left = sqlite3_backup_remaining(backup);
    return c->on_progress(c->arg, &(struct store_copy_progress){
                                      c->name, "copied", (total - left) * page_bytes, total * page_bytes});
}

static int copy_pages(struct copy *c)
{
    sqlite3_backup *backup = sqlite3_backup_init(c->to, "main", c->from, "main");
    if (!backup)
        return failed(c, c->to, "cannot be copied");
    int rc, err = 0;
    do {
        rc = sqlite3_backup_step(backup, STEP_PAGES);
        if (!report(c, backup))
            err = err_set(c->eb, ERR_CANCELLED, "stopped; the copy of %s was removed", c->name);
    } while (err == 0 && rc == SQLITE_OK);
    sqlite3_backup_finish(backup);
    return err == 0 && rc != SQLITE_DONE ? failed(c, c->to, "copying failed") : err;
}

static int check_copy(struct copy *c)
{
    sqlite3_stmt *stmt = NULL;
    bool good = sqlite3_prepare_v2(c->to, "PRAGMA integrity_check(1)", -1, &stmt, NULL) == SQLITE_OK &&
                sqlite3_step(stmt) == SQLITE_ROW &&
                strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") == 0;
    sqlite3_finalize(stmt);
    return good ? 0
                : err_set(c->eb, ERR_CORRUPT, "%s: the copy does not pass the integrity check", c->to_path);
}

static int sync_path(const char *path, struct err_buf *eb)
{
    int err = durable_sync(path);
    return err == 0 ? 0 : err_set(eb, err, "%s: cannot be made durable: %s", path, strerror(errno));
}

static int copy_database(struct copy *c)
{
    int err = open_both(c);
    if (err == 0)
        err = copy_pages(c);
    if (err == 0)
        err = check_copy(c);
    sqlite3_close(c->from);
    sqlite3_close(c->to);
    if (err == 0)
        err = sync_path(c->to_path, c->eb);
    if (err != 0)
        unlink(c->to_path);
    return err;
}

static int verify(struct copy *c)
{
    return copy_verify(c->to_path, c->name, c->on_progress, c->arg, &c->pieces, c->eb);
}

static int copy_plain(struct copy *c)
{
    int err = copy_database(c);
    if (err != 0)
        return err;
    err = verify(c);
    if (err != 0)
        unlink(c->to_path);
    return err;
}

static int copy_queue(struct copy *c)
{
    struct lock lock;
    int err = copy_segments_pin(c->from_path, &lock, c->eb);
    if (err != 0)
        return err;
    err = copy_database(c);
    bool ours = err == 0;
    if (err == 0)
        err = copy_segments(c->from_path, c->to_path, c->name, c->on_progress, c->arg, c->eb);
    lock_close(&lock);
    if (err == 0)
        err = verify(c);
    if (err != 0 && ours) {
        copy_segments_remove(c->to_path);
        unlink(c->to_path);
    }
    return err;
}

static int copy_file(struct copy *c)
{
    return str_starts(str_from(c->name), STR("queue-")) ? copy_queue(c) : copy_plain(c);
}

struct copied {
    char **paths;
    size_t count;
};

/* Half a copy is none: a further try begins with nothing. */
static void remove_all(struct copied *d)
{
    for (size_t i = 0; i < d->count; i++) {
        copy_segments_remove(d->paths[i]);
        unlink(d->paths[i]);
    }
}

static void copied_fini(struct copied *d)
{
    for (size_t i = 0; i < d->count; i++)
        free(d->paths[i]);
    free(d->paths);
}

static int copy_folder(DIR *dir, struct copy *c, const char *from_dir, const char *to_dir,
                       struct copied *done)
{
    const struct dirent *entry;
    int err = 0;
    while (err == 0 && (entry = readdir(dir))) {
        if (!is_database(entry->d_name))
            continue;
        c->name = entry->d_name;
        c->from = c->to = NULL;
        c->from_path = mem_asprintf("%s/%s", from_dir, entry->d_name);
        c->to_path = mem_asprintf("%s/%s", to_dir, entry->d_name);
        err = copy_file(c);
        free(c->from_path);
        done->paths = mem_grow(done->paths, done->count, sizeof(*done->paths));
        if (err == 0)
            done->paths[done->count++] = c->to_path;
        else
            free(c->to_path);
    }
    return err;
}

static int remove_databases(const char *folder, struct err_buf *eb)
{
    const struct dirent *entry;
    DIR *dir = opendir(folder);
    if (!dir)
        return err_set(eb, err_from_errno(errno), "%s: %s", folder, strerror(errno));
    while ((entry = readdir(dir))) {
        if (!is_database(entry->d_name))
            continue;
        char *path = mem_asprintf("%s/%s", folder, entry->d_name);
        copy_segments_remove(path);
        unlink(path);
        free(path);
    }
    closedir(dir);
    return 0;
}

static int refuse_full(const char *folder, struct err_buf *eb)
{
    const struct dirent *entry;
    DIR *dir = opendir(folder);
    int err = dir ? 0 : err_set(eb, err_from_errno(errno), "%s: %s", folder, strerror(errno));
    while (err == 0 && (entry = readdir(dir)))
        if (is_database(entry->d_name))
            err = err_set(eb, ERR_EXISTS, "%s/%s is there already: copy into an empty folder", folder,
                          entry->d_name);
    if (dir)
        closedir(dir);
    return err;
}

/* What a copy that was killed has left is removed. */
static int prepare_folder(const char *folder, struct err_buf *eb)
{
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return err_set(eb, err_from_errno(errno), "%s cannot be made: %s", folder, strerror(errno));
    int err = copy_mark_is_there(folder) ? remove_databases(folder, eb) : refuse_full(folder, eb);
    return err == 0 ? copy_mark_make(folder, eb) : err;
}

int store_copy(const char *from_dir, const char *to_dir,
               bool (*on_progress)(void *arg, const struct store_copy_progress *progress), void *arg,
               struct store_copied *ret_copied, struct err_buf *eb)
{
    struct copy c = {.on_progress = on_progress, .arg = arg, .eb = eb};
    struct copied done = {NULL, 0};
    DIR *dir = opendir(from_dir);
    if (!dir)
        return err_set(eb, err_from_errno(errno), "%s: %s", from_dir, strerror(errno));
    int err = copy_mark_refuse(from_dir, eb);
    if (err == 0)
        err = prepare_folder(to_dir, eb);
    bool ours = err == 0;
    if (err == 0)
        err = copy_folder(dir, &c, from_dir, to_dir, &done);
    closedir(dir);
    if (err == 0 && done.count == 0)
        err = err_set(eb, ERR_NOT_FOUND, "%s holds no store", from_dir);
    if (err == 0)
        err = sync_path(to_dir, eb);
    if (err == 0 && (err = durable_sync_folder_of(to_dir)) != 0)
        err = err_set(eb, err, "the folder of %s cannot be made durable: %s", to_dir, strerror(errno));
    if (err != 0)
        remove_all(&done);
    if (ours) {
        int mark_err = copy_mark_remove(to_dir, err == 0 ? eb : NULL);
        err = err == 0 ? mark_err : err;
    }
    if (err == 0)
        *ret_copied = (struct store_copied){done.count, c.pieces};
    copied_fini(&done);
    return err;
}
