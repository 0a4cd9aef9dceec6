/* One submitted message on its way to a relay: to the first that takes all its
 * recipients. A relay that cannot be reached, does not answer in time, or says
 * 4yz is left for the next, but only until it has said 354: from then on the
 * body streams through, and a second relay might make a second message of it.
 * For submission; the relay's `250` is what the user's rests on. Threads: the
 * loop's. Nothing survives a crash: what was not answered was not taken. */
#ifndef HOLDFAST_MAILBOX_HANDOVER_H
#define HOLDFAST_MAILBOX_HANDOVER_H

#include "loop/loop.h"
#include "mailbox/relays.h"
#include "smtp/client.h"

/* A living relay is reached, and answers each command, at once: what smtp_client_options.opening_timeout_ms
 * of the relays must be. The user's program waits two minutes for the answer to DATA (RFC 5321 4.5.3.2.4), in
 * which others must have their turn. */
#define HANDOVER_OPENING_MS 3000

struct handover_ops {
    /* Give up to len_max bytes by handover_body, now or later; once for each
     * call. The first says that a relay has taken all recipients. */
    void (*body_wanted)(void *arg, size_t len_max);
    /* Once, last: 2yz when a relay has the message, 5yz when one refused it for
     * good, 451 when none takes it or it is not known. The text is valid until
     * handover_free, which is allowed inside. */
    void (*ended)(void *arg, const struct smtp_reply *answer);
};

struct handover;

/* No callback fires from inside. Everything that is given, what message points
 * to included, must outlive it. */
struct handover *handover_new(struct loop *l, struct relays *relays,
                              const struct smtp_client_message *message, const struct handover_ops *ops,
                              void *arg);
/* The piece that was asked for; len 0: the message is complete. After `ended` it is ignored. */
void handover_body(struct handover *h, const char *data, size_t len);
/* Cuts what is open; no callback fires. Allowed inside callbacks. NULL is allowed. */
void handover_free(struct handover *h);

#endif
