/* Keeps some fields of a raw header, byte for byte (IMAP's HEADER.FIELDS). Pure. */
#ifndef HOLDFAST_WIRE_MIME_FILTER_H
#define HOLDFAST_WIRE_MIME_FILTER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

#define MIME_FILTER_NAME_MAX_BYTES 256 /* a longer field name is never asked for */

struct mime_filter {
    bool (*wants)(void *arg, struct str name);
    void *arg;
    struct buf *out; /* what is kept; over its cap the rest is left out */
    struct buf name; /* of the field that begins, until its colon */
    enum { MIME_FILTER_START, MIME_FILTER_NAME, MIME_FILTER_KEEP, MIME_FILTER_DROP } state;
    bool keeping; /* the field at hand; its folded lines go with it */
};

void mime_filter_init(struct mime_filter *f, struct buf *out, bool (*wants)(void *arg, struct str name),
                      void *arg);
void mime_filter_fini(struct mime_filter *f);
void mime_filter_feed(struct mime_filter *f, struct str data);
/* Ends it with the empty line that every HEADER.FIELDS has. */
void mime_filter_finish(struct mime_filter *f);

#endif
