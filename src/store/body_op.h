/* Inside src/store: bodies on their way in and out, as engines see them. */
#ifndef HOLDFAST_STORE_BODY_OP_H
#define HOLDFAST_STORE_BODY_OP_H

#include "store/body.h"
#include "store/engine.h"

/* All chunks of a body but the last have this size: with checksum and row header
 * it fills eight of SQLite's pages of 8 KiB to the last byte (8,157 bytes in the
 * table's leaf, 7 x 8,188 in overflow pages); one byte more would take a ninth. */
#define BODY_CHUNK_BYTES 65463
#define BODY_CHUNKS_MAX  65536 /* 4 GiB; a chunk's key has 16 bits for its number */

/* A body on its way in: shared by its writer and the operations on it. */
struct body_core {
    int refs;            /* the loop thread's */
    int64_t id;          /* the executor's: 0 before the first chunk is in the store */
    int err;             /* the executor's: why a chunk of it is missing */
    uint32_t generation; /* the executor's, that id is of: a later connection may be to where it never was */
    void *pieces;        /* the executor's, for free(): where its chunks are, when it keeps that here */
    uint32_t piece_count;
};

struct op_body_chunk {
    struct store_op op;
    struct body_core *core;
    uint32_t seq;
    char *data; /* owned */
    size_t len;
    bool began;                 /* the executor's: this operation made core->id */
    struct body_writer *writer; /* the loop thread's; NULL when it is gone */
};

/* Removes what is there of a body that will not be used. */
struct op_body_drop {
    struct store_op op;
    struct body_core *core;
};

/* The rest of a body, in the operation that uses it. */
struct body_tail {
    struct body_core *core;
    uint32_t seq;
    char *data; /* owned; the last chunk, or none when len is 0 and seq is not */
    size_t len;
    uint64_t size_bytes; /* of the whole */
    bool held;           /* the store has custody of it already */
};

struct op_body_read {
    struct store_op op;
    int64_t message_id; /* of a queue, or 0 */
    int64_t body_id;    /* when message_id is 0 */
    uint64_t offset;
    struct body_reader *reader; /* the loop thread's; NULL when it is closed */
    size_t len_max;             /* front's */
    char *ret_data;             /* owned; the whole chunk that holds offset, its checksum verified */
    size_t ret_len;             /* 0: offset is at or past the end */
    uint64_t ret_offset;        /* of the chunk */
    uint64_t ret_size_bytes;    /* of the body */
};

/* For the front of queue and mail. */
struct body_writer *body_writer_new(struct port *p);
/* held: the store has custody of the message already (struct body_tail). */
void body_writer_hold(struct body_writer *w, bool held);
/* Takes the writer apart: its rest goes to the tail, and w is freed. Returns 0,
 * or the error that its operation must have. */
int body_writer_consume(struct body_writer *w, struct port *p, struct body_tail *tail);
void body_tail_release(struct body_tail *tail);
struct body_reader *body_reader_new(struct port *p, int64_t message_id, int64_t body_id);

/* For port_close: they stay with their users, but belong to no port. */
void body_writer_detach(struct list *node);
void body_reader_detach(struct list *node);

/* For engines: an operation with a body failed or was rolled back. */
void body_chunk_failed(struct op_body_chunk *chunk, int err);
void body_chunk_rolled_back(struct op_body_chunk *chunk);

#endif
