/* Inside the SQL engines: the part of a store's copy that is a queue's journal.
 * Segments are copied behind their database, and none is given back meanwhile:
 * what the copied database names is there, and of what came in later the copy's
 * next owner takes what is whole. */
#ifndef HOLDFAST_STORE_SQLITE_COPY_SEGMENTS_H
#define HOLDFAST_STORE_SQLITE_COPY_SEGMENTS_H

#include "store/copy.h"
#include "store/sqlite/lock.h"

/* Of a database at this path; released by lock_close. ERR_BUSY: it is recovering
 * from a failed sync. */
int copy_segments_pin(const char *path, struct lock *ret_lock, struct err_buf *eb) MUST_USE;
/* name: what progress is reported for. What a failure leaves, copy_segments_remove removes. */
int copy_segments(const char *from_path, const char *to_path, const char *name,
                  bool (*on_progress)(void *arg, const struct store_copy_progress *progress), void *arg,
                  struct err_buf *eb) MUST_USE;
void copy_segments_remove(const char *to_path);

#endif
