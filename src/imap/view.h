/* The selected mailbox as one session sees it: the map from sequence numbers to
 * messages, which other sessions' changes may move only where RFC 3501 7.4.1
 * allows it. Pure data; imap/sync.h brings it up to date. */
#ifndef HOLDFAST_IMAP_VIEW_H
#define HOLDFAST_IMAP_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "base/str.h"
#include "base/time.h"
#include "store/mail.h"

struct imap_message {
    uint32_t uid;
    uint32_t flags;      /* of enum mail_flag */
    struct str keywords; /* owned by the view */
    struct wall_time internal_date;
    uint64_t size_bytes;
    int64_t body_id;
    bool gone;   /* expunged, the client has not been told yet */
    bool report; /* its flags are to be told at the next sync */
};

struct imap_view {
    int64_t mailbox_id; /* 0: nothing is selected */
    char *name;         /* owned */
    bool read_only;
    uint32_t uid_validity, uid_next;
    uint64_t modseq;                    /* of the snapshot */
    uint32_t recent_hint;               /* how many were when it was selected */
    uint32_t recent_from, recent_until; /* UIDs that are \\Recent: from, and below until */
    struct imap_message *messages;      /* sequence number n is messages[n - 1] */
    size_t count, capacity, gone_count, told_count;
    struct map keywords;      /* every keywords text met -> its copy */
    struct map keyword_names; /* every single keyword */
    bool keywords_grew;       /* a keyword that FLAGS has not named yet */
};

void imap_view_init(struct imap_view *v);
void imap_view_fini(struct imap_view *v); /* back to nothing selected */

/* Takes a snapshot of changes: new messages are appended, changed flags are
 * marked to be told, expunged messages are marked gone. */
void imap_view_apply(struct imap_view *v, const struct mail_messages *changes);
/* Drops the gone messages; calls on_drop with each one's sequence number,
 * highest first, so that each number is right at its time. */
void imap_view_drop_gone(struct imap_view *v, void (*on_drop)(void *arg, size_t sequence), void *arg);

struct imap_message *imap_view_find(const struct imap_view *v, uint32_t uid); /* or NULL */
bool imap_view_is_recent(const struct imap_view *v, const struct imap_message *m);
size_t imap_view_recent_count(const struct imap_view *v);
uint32_t imap_view_last_uid(const struct imap_view *v); /* 0: empty */
/* Takes the flags as a STORE of our own leaves them, so that the next snapshot
 * finds them as they are. */
void imap_view_expect(struct imap_view *v, struct imap_message *m, enum mail_flags_mode mode, uint32_t flags,
                      struct str keywords);

#endif
