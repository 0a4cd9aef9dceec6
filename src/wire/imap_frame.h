/* Framing of what an IMAP client sends: lines and the literals inside them
 * (RFC 3501 2.2.1 and 4.3, LITERAL+ of RFC 7888). Pure: no I/O, no clock. The
 * IMAP session uses it. A command is gathered with its literals in place
 * (`{3}CRLF` and 3 bytes, as sent), so that the parser sees one text; a literal
 * that must not be gathered (a message) is streamed instead. */
#ifndef HOLDFAST_WIRE_IMAP_FRAME_H
#define HOLDFAST_WIRE_IMAP_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* Of one command with its gathered literals: room for a UID set of thousands of
 * ranges, as clients send them. */
#define IMAP_COMMAND_MAX_BYTES 65536
/* Where a line was too long only its end is kept, to see a literal announced. */
#define IMAP_FRAME_TAIL_BYTES 32

enum imap_frame_event {
    IMAP_FRAME_MORE,     /* all input is used up */
    IMAP_FRAME_COMMAND,  /* `command` is whole, without its last line end */
    IMAP_FRAME_LITERAL,  /* `literal_bytes` are announced: answer by gather, stream or refuse */
    IMAP_FRAME_DATA,     /* a piece of a streamed literal */
    IMAP_FRAME_DATA_END, /* the streamed literal is complete, its line goes on */
    IMAP_FRAME_TOO_LONG, /* the command was over its bound; all of it was skipped */
};

struct imap_frame {
    struct buf command;
    enum {
        IMAP_FRAME_IN_LINE,
        IMAP_FRAME_ASKED,
        IMAP_FRAME_GATHERING,
        IMAP_FRAME_STREAMING,
        IMAP_FRAME_SKIPPING
    } state;
    uint64_t literal_bytes; /* announced, then what is left of it */
    bool literal_sync;      /* the client waits for `+` */
    bool raw;               /* lines only: a SASL answer or DONE holds no literals */
    bool too_long;
    char tail[IMAP_FRAME_TAIL_BYTES];
    size_t tail_len;
};

void imap_frame_init(struct imap_frame *f);
void imap_frame_fini(struct imap_frame *f);
void imap_frame_reset(struct imap_frame *f); /* for the next command; raw is off */

/* Takes from the front of *input up to the next event. ret_data is set for
 * IMAP_FRAME_DATA and lives as long as the input. */
enum imap_frame_event imap_frame_feed(struct imap_frame *f, struct str *input, struct str *ret_data);

/* The answers to IMAP_FRAME_LITERAL. */
void imap_frame_gather(struct imap_frame *f); /* over the bound it is skipped and ends as TOO_LONG */
void imap_frame_stream(struct imap_frame *f); /* what was gathered is dropped: copy it before */
/* Drops this literal and the rest of the command: a client that waits for `+`
 * sends neither, another one sends both. True: the command is over now; false:
 * IMAP_FRAME_TOO_LONG comes at its end. */
bool imap_frame_refuse(struct imap_frame *f);

#endif
