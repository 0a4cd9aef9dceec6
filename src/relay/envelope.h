/* Sender and recipients of one transaction at the edge. A recipient that is named again, which
 * RFC 5321 leaves open, is one delivery all the same: what counts is the exact
 * local part and the domain in any case; where the directory of users decides,
 * which knows no case, the whole address in any case.
 *
 * Memory: each transaction may have ENVELOPE_GRANTED recipients; more of them
 * only while all envelopes together take less than ENVELOPES_MAX_BYTES, so that
 * thousands of sessions with a thousand long recipients each do not add up. Pure. */
#ifndef HOLDFAST_RELAY_ENVELOPE_H
#define HOLDFAST_RELAY_ENVELOPE_H

#include "base/dsn.h"
#include "base/map.h"
#include "config/config.h"
#include "smtp/server.h"
#include "store/queue.h"

#define ENVELOPE_GRANTED    100        /* RFC 5321 4.5.3.1.8 */
#define ENVELOPES_MAX_BYTES (16 << 20) /* eighty messages at once, each for a thousand usual addresses */

/* What the envelopes of a relay share; all zero at first. */
struct envelope_room {
    size_t used_bytes;
};

struct envelope_rcpt {
    char *address; /* as it was named */
    const struct config_domain *domain;
    unsigned notify; /* of enum dsn_notify, and what goes with it; NULL: not said */
    char *orcpt;
};

struct envelope {
    char *reverse_path; /* NULL before envelope_begin, as is envid */
    bool smtputf8, authenticated;
    enum dsn_ret ret;
    char *envid;
    uint64_t said_bytes;         /* SIZE=, 0: not said */
    struct envelope_rcpt *rcpts; /* in the order they were named */
    size_t count;
    struct map keys;
    struct envelope_room *room;
    size_t bytes; /* of the room */
};

void envelope_init(struct envelope *e, struct envelope_room *room); /* room must outlive it */
void envelope_fini(struct envelope *e);
/* Begins anew: with nothing, or with what MAIL said, copied. */
void envelope_clear(struct envelope *e);
void envelope_begin(struct envelope *e, const struct smtp_mail *mail);
/* With texts of its own: taken by envelope_add, or freed by envelope_rcpt_fini. */
struct envelope_rcpt envelope_rcpt_of(const struct smtp_rcpt *rcpt, const struct config_domain *domain);
void envelope_rcpt_fini(struct envelope_rcpt *rcpt);
/* Takes rcpt's texts. 0, also when it is among them already: what the first one asked to be told holds.
 * ERR_LIMIT: there is no room for more recipients now. */
int envelope_add(struct envelope *e, struct envelope_rcpt rcpt) MUST_USE;
/* Calls fn once for each domain among them. */
void envelope_each_domain(const struct envelope *e, void (*fn)(void *arg, const struct config_domain *domain),
                          void *arg);

/* What the queue takes of the sender; views of the envelope's texts. */
struct queue_message_in envelope_message(const struct envelope *e);
/* As the queue takes them: an array for free(), whose texts are the envelope's. */
struct queue_recipient_in *envelope_recipients(const struct envelope *e);

#endif
