#include "store/sqlite/heal.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* The formats of the log and of its shared index are fixed by
 * https://sqlite.org/walformat.html. */
#define WAL_HEADER_BYTES       32
#define WAL_FRAME_HEADER_BYTES 24
#define INDEX_REGION_BYTES     32768
#define INDEX_PAGE_SIZE_AT     14 /* 16 bits; 1 means 65,536 */
#define INDEX_MX_FRAME_AT      16 /* 32 bits: frames that are committed */

#define COPY_BYTES 65536

/* How far the log is committed, by the index that all processes share. */
static int committed_bytes(sqlite3 *handle, int64_t *ret_bytes)
{
    sqlite3_file *file = NULL;
    void volatile *region = NULL;
    uint16_t page_size;
    uint32_t frames;
    if (sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
        !file->pMethods)
        return ERR_IO;
    if (file->pMethods->xShmMap(file, 0, INDEX_REGION_BYTES, 0, &region) != SQLITE_OK || !region)
        return ERR_IO;
    const char *index = (const char *)(uintptr_t)region; /* nobody writes it while we have the lock */
    memcpy(&page_size, index + INDEX_PAGE_SIZE_AT, sizeof(page_size));
    memcpy(&frames, index + INDEX_MX_FRAME_AT, sizeof(frames));
    int64_t frame_bytes = WAL_FRAME_HEADER_BYTES + (page_size == 1 ? 65536 : page_size);
    *ret_bytes = frames == 0 ? 0 : WAL_HEADER_BYTES + (int64_t)frames * frame_bytes;
    return 0;
}

int heal_note_wound(sqlite3 *handle, struct lock *l)
{
    int64_t bytes;
    int err = committed_bytes(handle, &bytes);
    return err != 0 ? err : lock_set_wound(l, bytes);
}

static int write_again(sqlite3_file *wal, int64_t size)
{
    char *piece = mem_alloc(COPY_BYTES);
    int rc = SQLITE_OK;
    for (int64_t at = 0; rc == SQLITE_OK && at < size; at += COPY_BYTES) {
        int n = (int)(size - at < COPY_BYTES ? size - at : COPY_BYTES);
        rc = wal->pMethods->xRead(wal, piece, n, at);
        if (rc == SQLITE_OK)
            rc = wal->pMethods->xWrite(wal, piece, n, at);
    }
    free(piece);
    return rc;
}

static int heal_log(sqlite3_file *wal, int64_t cut_at)
{
    sqlite3_int64 size;
    int rc = wal->pMethods->xFileSize(wal, &size);
    if (rc == SQLITE_OK && size > cut_at)
        rc = wal->pMethods->xTruncate(wal, size = cut_at);
    if (rc == SQLITE_OK)
        rc = write_again(wal, size);
    if (rc == SQLITE_OK)
        rc = wal->pMethods->xSync(wal, SQLITE_SYNC_FULL);
    return rc;
}

static int open_and_heal(const char *path, int64_t cut_at)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    char *log_path = mem_asprintf("%s-wal", path);
    sqlite3_filename name = sqlite3_create_filename(path, "", log_path, 0, NULL); /* as xOpen wants names */
    const char *log_name = sqlite3_filename_wal(name);
    int exists = 0, rc = vfs->xAccess(vfs, log_name, SQLITE_ACCESS_EXISTS, &exists);
    if (rc == SQLITE_OK && exists) {
        sqlite3_file *wal = mem_zalloc((size_t)vfs->szOsFile);
        rc = vfs->xOpen(vfs, log_name, wal, SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL, NULL);
        if (rc == SQLITE_OK)
            rc = heal_log(wal, cut_at);
        if (wal->pMethods)
            wal->pMethods->xClose(wal);
        free(wal);
    }
    sqlite3_free_filename(name);
    free(log_path);
    return rc;
}

int heal_if_due(const char *path, struct lock *l, struct err_buf *eb)
{
    int64_t cut_at;
    if (!lock_wound(l, &cut_at))
        return 0;
    int rc = open_and_heal(path, cut_at);
    if (rc != SQLITE_OK)
        return err_set(eb, ERR_SYNC, "%s-wal cannot be made good again: %s", path, sqlite3_errstr(rc));
    lock_clear_wound(l);
    return 0;
}
