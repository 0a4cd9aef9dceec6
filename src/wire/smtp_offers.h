/* What a server said after EHLO of the mail that it can take: what matters before the mail is there. Pure;
 * for sessions, probes, and who must know it when no session is open. */
#ifndef HOLDFAST_WIRE_SMTP_OFFERS_H
#define HOLDFAST_WIRE_SMTP_OFFERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct smtp_offers {
    bool known; /* by who keeps it: it was asked at all */
    bool tls;   /* said under TLS; else whoever is on the way may have said it */
    bool eight_bit_mime, smtputf8, size;
    uint64_t size_max_bytes; /* 0: no limit was said */
    /* LIMITS (RFC 9422): recipients of a message, messages of a session; 0: not said */
    uint64_t recipients_max, messages_max;
    uint64_t domains_max; /* of the recipients of a message */
};

/* Takes one line of the answer to EHLO, without its code. What is not understood is passed over. */
void smtp_offers_take(struct smtp_offers *o, struct str line);

/* What is known, by what a probe saw: the newer, but never what was said in plain text instead of what was
 * said under TLS. */
void smtp_offers_seen(struct smtp_offers *known, const struct smtp_offers *seen);

#endif
