/* Inside the SQL engines: the records of a queue's journal as bytes. A pure
 * codec: no I/O, no clock. The format is docs/formats.md's; numbers are little-endian.
 *
 * A record belongs to its segment by the segment's salt, a random number that
 * no sender knows: so neither what an earlier life of the file left behind, nor
 * the text of a message, can pass for a record. Everything decoded here is
 * checked as if it came from an enemy. */
#ifndef HOLDFAST_STORE_SQLITE_RECORD_H
#define HOLDFAST_STORE_SQLITE_RECORD_H

#include "base/buf.h"
#include "base/err.h"
#include "store/queue.h"

#define SEGMENT_HEADER_BYTES 64
#define RECORD_HEADER_BYTES  48

struct segment_header {
    uint64_t salt;
    uint64_t sequence; /* of its first record */
    uint64_t size_bytes;
    int64_t epoch; /* of the owner that began it */
    uint32_t number;
};

void segment_header_encode(const struct segment_header *h, char out[SEGMENT_HEADER_BYTES]);
/* Of any version up to ours. ERR_CORRUPT; ERR_VERSION: a newer program made it. */
int segment_header_decode(struct str bytes, struct segment_header *ret_header) MUST_USE;

enum record_kind {
    RECORD_CHUNK = 1,  /* a piece of a body that is on its way in */
    RECORD_ACCEPT = 2, /* a message; what is left of its body, or all of it, is the record's */
    RECORD_NEXT = 3,   /* the segment ends here and goes on in another */
};

/* Header, then meta_bytes, then body_bytes. */
struct record_header {
    uint64_t salt, sequence;
    int64_t epoch;
    enum record_kind kind;
    uint32_t meta_bytes, body_bytes, body_crc;
};

static inline uint64_t record_bytes(const struct record_header *h)
{
    return (uint64_t)RECORD_HEADER_BYTES + h->meta_bytes + h->body_bytes;
}

/* Its checksum covers meta, and by body_crc the body. */
void record_header_encode(const struct record_header *h, struct str meta, char out[RECORD_HEADER_BYTES]);
/* bytes: the header alone. ERR_CORRUPT when it is none. */
int record_header_decode(struct str bytes, struct record_header *ret_header) MUST_USE;
/* Whether header and meta are as they were written. */
bool record_holds(struct str header, struct str meta);

/* Where a piece of a body lies: the body_bytes of a record. */
struct record_piece {
    uint32_t segment;
    uint32_t lead; /* bytes of the record before the body's */
    uint64_t at;   /* the record's */
    uint32_t bytes, crc;
};

/* The body of the record that lies there. */
static inline struct record_piece record_own_piece(const struct record_header *h, uint32_t segment,
                                                   uint64_t at)
{
    return (struct record_piece){.segment = segment,
                                 .lead = RECORD_HEADER_BYTES + h->meta_bytes,
                                 .at = at,
                                 .bytes = h->body_bytes,
                                 .crc = h->body_crc};
}

/* The meta of an accept. The record's own body is the piece after `pieces`,
 * when it has bytes or is the only one. */
struct record_accept {
    int64_t message_id, first_delivery;
    uint64_t size_bytes; /* of the whole body */
    struct queue_message_in message;
    uint32_t piece_count, recipient_count;
    uint32_t flags;                /* which parts there are; set by decoding */
    struct str pieces, recipients; /* encoded: record_next_piece, record_next_recipient */
};

void record_accept_encode(struct buf *out, const struct record_accept *a, const struct record_piece *pieces,
                          const struct queue_recipient_in *recipients);
/* The texts are views into meta; also what older programs wrote, which knew no homes and nothing that is
 * asked. ERR_CORRUPT. */
int record_accept_decode(struct str meta, struct record_accept *ret_accept) MUST_USE;
/* Takes the first one off (off a->recipients); only so often as the counts say. */
struct record_piece record_next_piece(struct str *pieces);
struct queue_recipient_in record_next_recipient(struct record_accept *a);

struct record_next {
    uint32_t segment;
    uint64_t salt;
};

#define RECORD_NEXT_BYTES (RECORD_HEADER_BYTES + 12)
void record_next_encode(struct buf *out, const struct record_next *next);
int record_next_decode(struct str meta, struct record_next *ret_next) MUST_USE;

#endif
