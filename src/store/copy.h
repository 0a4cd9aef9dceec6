/* A consistent copy of a store's folder to another one, while the network runs
 * or not: what is committed when each file's turn comes. For `holdfast store
 * copy`: a backup, or a move to another disk (stop the network first, so that
 * nothing is accepted behind it). Blocking: for a command of its own. */
#ifndef HOLDFAST_STORE_COPY_H
#define HOLDFAST_STORE_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct store_copy_progress {
    const char *file;  /* its name in the folder */
    const char *doing; /* "copied" or "verified": what is counted */
    int64_t done_bytes, total_bytes;
};

struct store_copied {
    size_t files;    /* databases */
    uint64_t pieces; /* of bodies, that were read from the copies */
};

/* Copies each database of from_dir (network.db, mail.db, queue-*.db with its
 * segments) into to_dir, which is made when missing and must hold none of them: ERR_EXISTS. Each copy
 * is synced and verified before the next begins: SQLite's integrity check, and
 * every body read from the copy and compared with its checksums. A
 * copy that failed or was stopped is removed, all files of it; of one that was killed a mark stays, so that
 * no node runs on it, and the next copy into the folder begins anew. on_progress is called now and then;
 * false stops with ERR_CANCELLED. ERR_BUSY: a queue is just recovering from a failed sync. ERR_NOT_FOUND:
 * from_dir holds no store. ERR_CORRUPT: it is damaged. Others with eb. */
int store_copy(const char *from_dir, const char *to_dir,
               bool (*on_progress)(void *arg, const struct store_copy_progress *progress), void *arg,
               struct store_copied *ret_copied, struct err_buf *eb) MUST_USE;

#endif
