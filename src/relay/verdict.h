/* What RCPT is answered in a domain with `recipients = "verify"`: pure. Who asks, remembers and waits is
 * relay/verify.h.
 *
 * After Postfix's verify(8) and reject_unverified_recipient, where the case is the same:
 * - An answer is used without a question while it is fresh (`verify_positive_refresh`,
 * `verify_negative_refresh`), and when the server cannot be asked until it has expired
 * (`verify_positive_expire`, `verify_negative_expire`).
 * - Only the server's word about the recipient is remembered. A 4yz (greylisting, a lookup that failed) and a
 * 5yz for another reason (policy against us, "554 5.7.1", an error limit) is the server's trouble: Postfix
 * answers an unverified recipient with 450 even after a 5yz, so that a mistake of the configuration bounces
 * nothing. Here that holds for all that is not about the recipient; what is about it gets 550 5.1.1.
 *
 * Where it differs: Postfix keeps a good address until it expires, whatever a later question says. Here the
 * latest answer holds, since a refused recipient that was taken would end in quarantine, and a server that is
 * wrong for a while is asked again after `verify_negative_refresh`, minutes later. */
#ifndef HOLDFAST_RELAY_VERDICT_H
#define HOLDFAST_RELAY_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "config/config.h"
#include "smtp/reply.h"

/* What is remembered of a recipient. */
struct verdict_memory {
    enum { VERDICT_NEVER, VERDICT_KNOWN, VERDICT_UNKNOWN } seen;
    struct wall_time at; /* of the server's answer; a clock that was set back makes it stale, never fresh */
};

enum verdict_event {
    VERDICT_ASKED,   /* RCPT came, and the server can be asked */
    VERDICT_DOWN,    /* it is not there, or gives no answer in time, and is known to be inoperable */
    VERDICT_NOT_NOW, /* the same of one that serves, as far as is known: a moment's trouble refuses nobody */
    VERDICT_TROUBLE, /* it is there, and its answer is not about the recipient; or we could not ask, or not
                        look up what is remembered */
};

enum verdict {
    VERDICT_TAKE,   /* 250 */
    VERDICT_REFUSE, /* 550 5.1.1 */
    VERDICT_DEFER,  /* 450 4.1.1 */
    VERDICT_ASK,    /* after VERDICT_ASKED only */
};

/*               fresh known, unknown   stale known, unknown   never
 * ASKED         TAKE   REFUSE          ASK    ASK             ASK
 * DOWN          TAKE   REFUSE          TAKE   DEFER           `unknown`
 * NOT_NOW       TAKE   REFUSE          TAKE   DEFER           `unknown`, but DEFER for "reject"
 * TROUBLE       TAKE   DEFER           TAKE   DEFER           DEFER
 * What has expired is as never. */
enum verdict verdict_of(const struct config_domain *domain, enum verdict_event event,
                        const struct verdict_memory *memory, struct wall_time now);

/* A reply to RCPT: the recipient is known (2yz), unknown, or it says nothing about it (VERDICT_NEVER).
 * Unknown: an enhanced code 5.1.x (RFC 3463 3.2: addressing) but for those about the sender; without one 550,
 * 551 and 553, which RFC 5321 4.2.3 gives to mailboxes. */
int verdict_of_reply(const struct smtp_reply *reply);

#endif
