/* Inside the SQL engines: a file in a folder that says that a copy into it is not whole. It is durable before
 * the first file of the copy is there, and goes after the last one is; nobody runs on a folder that has it.
 */
#ifndef HOLDFAST_STORE_SQLITE_COPY_MARK_H
#define HOLDFAST_STORE_SQLITE_COPY_MARK_H

#include <stdbool.h>

#include "base/err.h"

bool copy_mark_is_there(const char *folder);
/* ERR_BUSY, and what to do, when it is there. */
int copy_mark_refuse(const char *folder, struct err_buf *eb) MUST_USE;
int copy_mark_make(const char *folder, struct err_buf *eb) MUST_USE; /* it may be there */
int copy_mark_remove(const char *folder, struct err_buf *eb) MUST_USE;

#endif
