/* The run of one FETCH: cmd_fetch.c goes from message to message, fetch_item.c
 * from item to item. Steps return
 * FETCH_AGAIN until something has to be waited for. */
#ifndef HOLDFAST_IMAP_FETCH_H
#define HOLDFAST_IMAP_FETCH_H

#include "imap/structure.h"
#include "wire/imap_fetch.h"
#include "wire/mime_filter.h"

/* Fields that HEADER.FIELDS gives of one message: more than any header that
 * SMTP servers let pass. */
#define FETCH_FIELDS_MAX_BYTES (1u << 20)
/* All of one message's response but for its sections. */
#define FETCH_LINE_MAX_BYTES (8u << 20)

enum fetch_result { FETCH_AGAIN, FETCH_WAIT, FETCH_END };

struct fetch {
    struct imap_command *cmd;
    struct imap_fetch_items items;
    struct imap_set set;
    enum imap_structure_need need;
    bool sets_seen;

    enum fetch_result (*step)(struct fetch *f);
    size_t index; /* of the message in the view */
    size_t item;
    struct buf line; /* the response so far, until its first section's bytes are at hand */
    bool line_sent;  /* then it has to be finished, or the session to be ended */
    struct imap_source source;
    struct imap_structure_run structure;

    uint64_t offset, end; /* of the message, being copied or filtered */
    struct mime_filter filter;
    struct buf filtered;

    uint32_t *seen_uids; /* read now, so that they are \Seen */
    size_t seen_count;
    int err; /* why some message could not be given */
};

const struct imap_message *fetch_message(const struct fetch *f);
enum fetch_result fetch_item_step(struct fetch *f);    /* writes the item at hand */
enum fetch_result fetch_message_done(struct fetch *f); /* all items are written */
enum fetch_result fetch_failed(struct fetch *f);       /* the source failed */

#endif
