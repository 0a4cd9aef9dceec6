#include "store/sqlite/wal.h"

#include "store/sqlite/db.h"

/* When the log has grown by so much it is copied into the file: 8 MiB; the cost
 * of a page that changes often is shared by the more commits, the longer we wait. */
#define CHECKPOINT_FRAMES 1024
/* Readers kept the log from starting anew for so long that we wait for them. */
#define RESTART_FRAMES (16 * CHECKPOINT_FRAMES)

static int on_commit(void *arg, sqlite3 *handle, const char *name, int frames)
{
    struct wal *w = arg;
    (void)handle, (void)name;
    if (frames < w->frames)
        w->checkpoint_at = CHECKPOINT_FRAMES; /* it has started anew */
    w->frames = frames;
    return SQLITE_OK;
}

void wal_init(struct wal *w, sqlite3 *handle)
{
    *w = (struct wal){.checkpoint_at = CHECKPOINT_FRAMES};
    sqlite3_wal_hook(handle, on_commit, w);
}

void wal_hurry(struct wal *w)
{
    w->checkpoint_at = 0;
}

int wal_checkpoint(struct wal *w, sqlite3 *handle)
{
    if (w->frames < w->checkpoint_at)
        return SQLITE_OK;
    int mode = w->frames < RESTART_FRAMES ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_RESTART;
    int rc = sqlite3_wal_checkpoint_v2(handle, "main", mode, NULL, NULL);
    w->checkpoint_at = w->frames + CHECKPOINT_FRAMES;
    return sqlite_is_io(rc) ? rc : SQLITE_OK;
}
