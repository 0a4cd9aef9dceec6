/* Inside the SQL engines: the segment files of a queue's journal, beside its
 * database (queue-NAME.db-segment-N). A segment is written once from its
 * beginning to its end, with its blocks written before, so that a sync has no
 * metadata to bring to the disk; the number is the file's, the salt is of the
 * life that the file is in. */
#ifndef HOLDFAST_STORE_SQLITE_SEGMENT_H
#define HOLDFAST_STORE_SQLITE_SEGMENT_H

#include <sys/stat.h>

#include "store/sqlite/record.h"
#include "store/sqlite/segment_io.h"

struct segment {
    int fd; /* -1 when not open */
    struct segment_header header;
};

char *segment_path(const char *path, uint32_t number); /* path: the database's. For free(). */

/* A new file full of zeroes, durable. ERR_EXISTS, ERR_FULL, ... (then it is not there) */
int segment_make(const char *path, uint32_t number, uint64_t bytes) MUST_USE;
/* Begins a life of a file that nothing refers to. Its header is durable with the first sync. */
int segment_begin(const char *path, const struct segment_header *h, struct segment *ret_segment) MUST_USE;
/* Of any life. ERR_NOT_FOUND, ERR_CORRUPT, ... */
int segment_open(const char *path, uint32_t number, struct segment *ret_segment) MUST_USE;
void segment_close(struct segment *s);

/* Reads len bytes. ERR_CORRUPT: the file ends before. */
int segment_read(const struct segment *s, uint64_t at, void *data, size_t len) MUST_USE;
/* Reads from a file that is not open; for bodies, on any thread. */
int segment_read_once(const char *path, uint32_t number, uint64_t at, void *data, size_t len) MUST_USE;

/* Calls `each` for every segment file that there is. */
void segment_each(const char *path, void (*each)(void *arg, uint32_t number, const struct stat *st),
                  void *arg);

#endif
