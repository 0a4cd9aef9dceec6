/* Inside the SQL engines: the seam between the journal's segments and the disk,
 * as SQLite's VFS is for its files: tests put a disk that loses power or fails in
 * its place. Used on the thread that has the file's lock, to read on any. All return 0 or an error;
 * ERR_FULL: no room. */
#ifndef HOLDFAST_STORE_SQLITE_SEGMENT_IO_H
#define HOLDFAST_STORE_SQLITE_SEGMENT_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/err.h"

struct segment_io {
    uint64_t segment_bytes; /* of a new one */
    /* create: it must not exist (ERR_EXISTS); else it must (ERR_NOT_FOUND). */
    int (*open)(const char *path, bool create, int *ret_fd);
    void (*close)(int fd);
    int (*reserve)(int fd, uint64_t bytes);                   /* room from the file's beginning */
    int (*read)(int fd, uint64_t at, void *data, size_t len); /* ERR_CORRUPT: the file ends before */
    /* All of it; changes the vector. */
    int (*write)(int fd, struct iovec *pieces, int count, uint64_t at);
    int (*sync)(int fd);
    int (*punch)(int fd, uint64_t at, uint64_t bytes);
    int (*remove)(const char *path);
    int (*sync_folder)(const char *path); /* of the folder that this file is in */
    /* Whether mail that is no segment may take so much of the disk that this file is on: 0, or ERR_FULL. */
    int (*room)(const char *path, uint64_t bytes);
};

/* What is in use: the real one, until a test of this process has put another. */
const struct segment_io *segment_io(void);
void segment_io_use(const struct segment_io *io);
extern const struct segment_io segment_io_real;

#endif
