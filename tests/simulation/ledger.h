/* The ledger: what senders, readers and operators were told, set against what is
 * found in the end. Pure, so that every rig that kills things can keep one; it
 * knows nothing of how the mail went.
 *
 * Each attempt of a sender gets a tag, which its message carries in the header
 * field Ledger-Tag: a message that is sent again is another attempt. What must
 * never happen is recorded as it is told, or found by ledger_check:
 *
 *   lost       accepted by 250, and neither shown, removed by its reader, queued, bounced, nor in quarantine
 *              with an event; a report that was accepted for a sender, and came nowhere
 *   doubled    one attempt shown to one recipient oftener than it may be, or after it was expunged; a
 *              quarantine told twice
 *   changed    shown with other bytes, or without our trace lines before them
 *   refused    told that it was not taken, and shown or queued all the same
 *   strange    shown to somebody it was not for, or of no attempt
 *   unflagged  a flag that the server had confirmed is gone
 *   uids       a UID that names another message than before, or one that came below the UIDNEXT of before
 *   epochs     an identity begun twice with one epoch or with an older one; a write under an older one
 *   leases     somebody serves whose lease has run out
 *   holders    an instance lives that was said to be off
 *   senders    a relay gives a final dot to mail that another may be sending, or without its lease
 *   unverified an instance is given its identity's mail that was never able to serve
 *   routes     a domain's mail has moved, and its route was not written
 *   reports    a sender is told what he did not ask for, what is not so, or twice, or too little
 *
 * A server that is not ours may show a message twice: for each final dot that a relay gave, and of which no
 * answer is recorded, once more; but none after its delivery was recorded.
 *
 * Times are in milliseconds of the store's clock. Texts are copied. */
#ifndef HOLDFAST_TESTS_SIMULATION_LEDGER_H
#define HOLDFAST_TESTS_SIMULATION_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct ledger;

struct ledger *ledger_new(void);
void ledger_free(struct ledger *l); /* NULL is allowed */

/* ---- senders ---- */

enum ledger_answer {
    LEDGER_OPEN,     /* nothing was said: it may have been taken */
    LEDGER_ACCEPTED, /* 250 after the end of the message */
    LEDGER_REFUSED,  /* 4yz or 5yz, or it was never sent to its end */
};

/* A new attempt; its tag, from 1 on. */
int64_t ledger_attempt(struct ledger *l, const struct str *recipients, size_t count);
/* The message, as the sender sends it. Each attempt has one. */
void ledger_content(struct ledger *l, int64_t tag, struct str message);
void ledger_answer(struct ledger *l, int64_t tag, struct str recipient, enum ledger_answer answer);

/* ---- readers, and servers that are not ours ---- */

/* In the end, or when a server that is not ours has taken it: all that the recipient's mailboxes hold. flags:
 * bits of the rig's own. */
void ledger_shown(struct ledger *l, struct str recipient, struct str message, uint32_t flags);
/* The tag in a message (or in its header), 0 when there is none. */
int64_t ledger_tag_of(struct str message);
/* While it goes on: a reader was told of a message. */
void ledger_read(struct ledger *l, struct str recipient, uint32_t uid_validity, uint32_t uid, int64_t tag,
                 uint32_t flags);
/* It was told of all that had a UID below uid_next. */
void ledger_read_all(struct ledger *l, struct str recipient, uint32_t uid_validity, uint32_t uid_next);
/* The server confirmed: these flags are set; it was removed. */
void ledger_flagged(struct ledger *l, int64_t tag, struct str recipient, uint32_t flags);
void ledger_expunged(struct ledger *l, int64_t tag, struct str recipient);
/* It may have been removed: the server's answer did not come. */
void ledger_expunge_open(struct ledger *l, int64_t tag, struct str recipient);

/* ---- the queues, in the end ---- */

enum ledger_custody {
    LEDGER_QUEUED,               /* waits, or is held */
    LEDGER_DELIVERED,            /* recorded as delivered */
    LEDGER_BOUNCED,              /* its sender was told */
    LEDGER_QUARANTINED,          /* and an event says so */
    LEDGER_STOPPED,              /* the same, for the connections that it lost: no sender is told */
    LEDGER_QUARANTINED_SILENTLY, /* no event */
    LEDGER_QUARANTINED_LOUDLY,   /* more than one event */
    LEDGER_REMOVED               /* by nobody that the rig knows of */
};

void ledger_custody(struct ledger *l, int64_t tag, struct str recipient, enum ledger_custody custody);

/* ---- what relays hand to servers that are not ours ---- */

/* For one recipient of an attempt the message, or a report. */
struct ledger_piece {
    int64_t tag; /* not of a report */
    struct str recipient;
    struct str report; /* its id; "": it is the message */
};

enum ledger_outcome {
    LEDGER_TAKEN,      /* 250 */
    LEDGER_TURNED_OFF, /* 4yz, 5yz */
    LEDGER_UNANSWERED,
};

/* A relay gives the final dot. */
void ledger_dot(struct ledger *l, const struct ledger_piece *piece);
/* What came of it is durable; without a dot before it: so much is recorded. */
void ledger_outcome(struct ledger *l, const struct ledger_piece *piece, enum ledger_outcome outcome);

/* ---- reports to senders ---- */

enum ledger_report { LEDGER_FAILED, LEDGER_DELAYED, LEDGER_SUCCEEDED, LEDGER_REPORTS };

/* Which are to be made of this recipient where there is reason to: bits 1 << enum ledger_report. */
void ledger_asked(struct ledger *l, int64_t tag, struct str recipient, unsigned kinds);
/* A report about the attempt was accepted for its sender; once for each recipient that it tells of. */
void ledger_reported(struct ledger *l, struct str id, int64_t tag, struct str recipient,
                     enum ledger_report kind);
/* Its sender's server has taken one that says so; once for each. */
void ledger_report_shown(struct ledger *l, struct str id, int64_t tag, struct str recipient,
                         enum ledger_report kind);
/* In the end. */
void ledger_report_custody(struct ledger *l, struct str id, enum ledger_custody custody);

/* ---- holders of identities ---- */

void ledger_began(struct ledger *l, struct str identity, int64_t epoch);
/* No lower epoch may write any more; it may be told again. */
void ledger_fenced(struct ledger *l, struct str identity, int64_t epoch);
void ledger_wrote(struct ledger *l, struct str identity, int64_t epoch);
void ledger_leased(struct ledger *l, struct str lease, struct str holder, int64_t until_ms);
void ledger_serves(struct ledger *l, struct str lease, struct str holder, int64_t now_ms);
/* The instance of that epoch: it is ready, with all that it is to offer; it is given the mail of its
 * identity. */
void ledger_able(struct ledger *l, struct str identity, int64_t epoch);
void ledger_given(struct ledger *l, struct str identity, int64_t epoch);
/* Whoever ended it said that it is off; it lives, able or not. */
void ledger_off(struct ledger *l, struct str identity, int64_t epoch);
void ledger_lives(struct ledger *l, struct str identity, int64_t epoch);
/* The record of a queue was written: whose it is, and who had it before and may still be sending from it. A
 * node's relay took its lease anew: it is no such former owner any more. A node's relay, which holds that
 * lease, gives a final dot to mail of a queue; home: the queue is its own where no record says otherwise. */
void ledger_queue(struct ledger *l, struct str queue, struct str owner, struct str from);
void ledger_relay_anew(struct ledger *l, struct str node);
void ledger_sends(struct ledger *l, struct str queue, struct str node, struct str lease, bool home,
                  int64_t now_ms);
/* The domain's route was written; its mail moved to a server, or to another instance of it: told after the
 * route. */
void ledger_routed(struct ledger *l, struct str domain, struct str server, int64_t generation);
void ledger_moved(struct ledger *l, struct str domain, struct str server);

/* ---- the end ---- */

struct ledger_counts {
    size_t attempts, accepted, refused, open, shown, expunged, quarantined, bounced, violations;
    size_t doubles; /* at servers that are not ours, as they may be */
    size_t reports[LEDGER_REPORTS];
};

/* Judges; one line for each violation goes to `out`, which may be NULL. Once. */
void ledger_check(struct ledger *l, struct buf *out, struct ledger_counts *ret_counts);
/* Recorded so far. */
size_t ledger_violations(const struct ledger *l);

#endif
