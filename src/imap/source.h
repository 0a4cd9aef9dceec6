/* One message's bytes, read in pieces: the last piece is kept, so that a small
 * message is read once. FETCH and SEARCH are written as steps that ask for
 * bytes, return when they have to be waited for, and are run again. */
#ifndef HOLDFAST_IMAP_SOURCE_H
#define HOLDFAST_IMAP_SOURCE_H

#include "base/buf.h"
#include "imap/command.h"

#define IMAP_SOURCE_PIECE_BYTES 32768

enum imap_source_state {
    IMAP_SOURCE_READY,  /* the data are there; empty: the end of the message */
    IMAP_SOURCE_WAIT,   /* on_ready will be called */
    IMAP_SOURCE_FAILED, /* `err` says why */
};

struct imap_source {
    struct mail *mail;
    void (*on_ready)(void *arg);
    void *arg;
    struct body_reader *reader; /* NULL: no message is open */
    struct store_op *op;
    uint64_t piece_offset;
    struct buf piece;
    bool has_piece;
    int err;
};

void imap_source_init(struct imap_source *src, struct mail *mail, void (*on_ready)(void *arg), void *arg);
void imap_source_open(struct imap_source *src, int64_t body_id);
void imap_source_close(struct imap_source *src);
void imap_source_fini(struct imap_source *src);
/* Bytes from offset on, as many as are at hand, valid until the next call. */
enum imap_source_state imap_source_get(struct imap_source *src, uint64_t offset, struct str *ret_data);
/* What a run over several messages has to tell after this one failed, and err before it: that a message was
 * expunged meanwhile (ERR_NOT_FOUND) hides no other error. */
int imap_source_worse(const struct imap_source *src, int err);

#endif
