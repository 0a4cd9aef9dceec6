/* Making what a path names durable, beyond the descriptor that wrote it: a folder whose entries changed, a
 * file that somebody else wrote. A failed sync is final for what it was to cover: nobody may try again. */
#ifndef HOLDFAST_BASE_DURABLE_H
#define HOLDFAST_BASE_DURABLE_H

#include "base/err.h"

/* A file or a folder. ERR_SYNC, or ERR_FULL when there was no room: what was written may not be there after a
 * loss of power. Others: it could not be opened. errno tells why. */
int durable_sync(const char *path) MUST_USE;
/* The folder that path is in. */
int durable_sync_folder_of(const char *path) MUST_USE;

#endif
