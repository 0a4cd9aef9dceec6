/* What a server's refusal is a refusal of: of this mail, or of any that we would bring. Pure. For
 * relay/delivery.c: mail that was refused because of us, or because of how the server is set up, waits; it is
 * not given up. A single reply says so by its code (refusal_about); or it cannot be told from the reply
 * ("554 5.7.1 Client host rejected" to each RCPT), but from many in a row (struct refusals). */
#ifndef HOLDFAST_RELAY_REFUSAL_H
#define HOLDFAST_RELAY_REFUSAL_H

#include <stdbool.h>

#include "base/time.h"
#include "smtp/client.h"

enum refusal_about {
    REFUSAL_NONE,   /* it is no refusal, or one of this message or recipient */
    REFUSAL_SERVER, /* it serves nobody now: 421, or at MAIL 4.3.x (RFC 3463 3.4) */
    REFUSAL_TERMS, /* not with us as we are: 530, 538 (RFC 4954, 3207), 521 (RFC 7504); at MAIL also 502, 503,
                      5.3.2, 5.3.5, 5.5.1, 5.7.8 to 5.7.11, 5.7.25 */
};

enum refusal_about refusal_about(const struct smtp_client_result *r);

/* Messages that one server refused for good in a row, with none taken between. From the REFUSALS_DOUBT-th on,
 * a refusal is more likely one of us than of mail: until a message is taken, or REFUSALS_FORGET_MS without
 * one. */
#define REFUSALS_DOUBT     20
#define REFUSALS_FORGET_MS 3600000

struct refusals {
    int in_row;
    bool told; /* that it is doubted */
    struct mono_time last;
};

/* A message was refused, none of its recipients taken. True: it is doubted. */
bool refusals_add(struct refusals *r, struct mono_time now);
/* A message was taken. */
void refusals_end(struct refusals *r);
/* It is doubted, and nobody was told: once. */
bool refusals_tell(struct refusals *r);

#endif
