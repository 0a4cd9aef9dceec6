/* Bodies: the bytes of a message, written and read in chunks with a checksum,
 * so that the memory of a session is bounded whatever the message's size.
 * Used through queue.h and mail.h, which begin writers and open readers.
 * A body that was not consumed by an accept, a delivery or an append is
 * removed by the engine, after a crash too. */
#ifndef HOLDFAST_STORE_BODY_H
#define HOLDFAST_STORE_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "store/op.h"

struct body_writer;
struct body_reader;

/* Takes a copy of data. While body_writer_full, the caller should stop reading
 * from its peer until on_room fires. A failure of the store is remembered and
 * is the result of the operation that consumes the writer. */
void body_append(struct body_writer *w, const void *data, size_t len);
bool body_writer_full(const struct body_writer *w);
void body_writer_on_room(struct body_writer *w, void (*on_room)(void *arg), void *arg);
uint64_t body_writer_size_bytes(const struct body_writer *w);
/* 0, or the failure so far: the rest of the message may be skipped. */
int body_writer_error(const struct body_writer *w);
/* Drops the body and frees the writer. (Consuming also frees it.) */
void body_abort(struct body_writer *w);

/* Reads up to len_max bytes from offset: at least one, and at most to the end of
 * the stored chunk (64 KiB less some), so ask again from where it ended; on_read
 * gets data whose checksum holds, len 0 at the end. One read at a time.
 * ERR_CORRUPT, ERR_IO, ERR_NOT_FOUND. */
struct store_op *body_read(struct body_reader *r, uint64_t offset, size_t len_max,
                           void (*on_read)(void *arg, int err, const char *data, size_t len), void *arg);
/* Of the whole body; 0 before the first read was answered. */
uint64_t body_reader_size_bytes(const struct body_reader *r);
void body_close(struct body_reader *r); /* a pending read is forgotten */

#endif
