/* The parsed structure of a message, kept in the session for the next FETCH of
 * the same one: clients fetch part after part. */
#ifndef HOLDFAST_IMAP_STRUCTURE_H
#define HOLDFAST_IMAP_STRUCTURE_H

#include "imap/source.h"

enum imap_structure_need { IMAP_STRUCTURE_NONE, IMAP_STRUCTURE_HEADER, IMAP_STRUCTURE_WHOLE };

struct imap_structure_run {
    struct mime_parser parser;
    bool active;
    uint64_t offset;
    int64_t body_id;
};

/* A step: READY when s->structure is that of the message that source has open,
 * as far as needed; WAIT and FAILED as the source. */
enum imap_source_state imap_structure_step(struct imap_session *s, struct imap_structure_run *run,
                                           struct imap_source *source, int64_t body_id,
                                           enum imap_structure_need need);
/* Drops what is half done. */
void imap_structure_stop(struct imap_session *s, struct imap_structure_run *run);

#endif
