/* Verifies a candidate before any traffic goes there: the store knows it by its
 * epoch (builtin), and it answers for its server on each protocol that it offers.
 * Tries again until all hold or the time is up. For the leader.
 *
 * Identity: of all instances only the one with the candidate's epoch can have
 * begun with it in the store, and it alone can have bound its address; its SMTP
 * and LMTP answers must name the server's host. */
#ifndef HOLDFAST_DIRECTOR_VERIFY_H
#define HOLDFAST_DIRECTOR_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/str.h"
#include "config/config.h"
#include "loop/loop.h"
#include "store/mail.h"

struct verify;

struct verify_spec {
    const struct config_server *server; /* must outlive it */
    struct addr address;                /* port is not looked at */
    int64_t epoch;                      /* 0: not ours, the store is not asked */
    struct str node;                    /* of ours: with the epoch it is the identity that its greetings tell;
                                           needed during the call only */
    int64_t timeout_ms;
};

/* mail: for the epoch; may be NULL when epoch is 0. on_end fires once, later; the
 * verification is gone after it. detail: the last failure, valid during the call. */
struct verify *verify_start(struct loop *l, struct mail *mail, const struct verify_spec *spec,
                            void (*on_end)(void *arg, bool ok, struct str detail), void *arg);
void verify_cancel(struct verify *v); /* no callback; NULL is allowed */

#endif
