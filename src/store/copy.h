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
    const char *file; /* its name in the folder */
    int64_t done_bytes, total_bytes;
};

/* Copies each database of from_dir (network.db, mail.db, queue-*.db with its
 * segments) into to_dir, which is made when missing and must hold none of them: ERR_EXISTS. Each copy
 * is checked (SQLite's integrity check) and synced before the next begins. A
 * copy that failed or was stopped is removed. on_progress is called now and
 * then; false stops with ERR_CANCELLED. ret_files: how many databases were copied.
 * ERR_BUSY: a queue is just recovering from a failed sync.
 * ERR_NOT_FOUND: from_dir holds no store. Others with eb. */
int store_copy(const char *from_dir, const char *to_dir,
               bool (*on_progress)(void *arg, const struct store_copy_progress *progress), void *arg,
               size_t *ret_files, struct err_buf *eb) MUST_USE;

#endif
