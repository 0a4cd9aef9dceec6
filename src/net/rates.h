/* How much a client may do in a time, and all clients together: connections, messages, recipients, errors
 * (base/rate.h). For who takes connections, beside admission.h, which counts what is open at once: who was
 * sent away for what he did cannot come again and go on. Pure: it counts, the owner answers.
 *
 * A client is what net/client_key.h says. What one client is refused is not counted for all.
 *
 * Memory: as many clients as the limits say. For one more, the one is forgotten who did nothing for longest
 * and is over no limit; while all are over one, a new client is counted among all only. So whoever has many
 * addresses grows nothing, and rids none that is over a limit of what it has done; one below may begin anew.
 * Nothing survives a crash. */
#ifndef HOLDFAST_NET_RATES_H
#define HOLDFAST_NET_RATES_H

#include "base/addr.h"
#include "base/list.h"
#include "base/map.h"
#include "base/rate.h"

enum rates_kind { RATES_CONNECTIONS, RATES_MESSAGES, RATES_RECIPIENTS, RATES_ERRORS };
#define RATES_KINDS 4

struct rates_limits {
    struct rate of_client[RATES_KINDS], of_all[RATES_KINDS];
    int64_t clients_max; /* > 0: told apart at once */
};

struct rates {
    struct rates_limits limits;
    struct rate_bucket all[RATES_KINDS];
    struct map clients; /* -> struct rates_client */
    struct list calm,
        over; /* of them: below all limits when last looked at, and not; the longest ago first */
};

enum rates_word { RATES_GRANTED, RATES_CLIENT_OVER, RATES_ALL_OVER };

struct rates_answer {
    enum rates_word word;
    struct rate rate; /* that is used up, unless it is granted; */
    int64_t wait_ms;  /* until there is one more, > 0 */
};

void rates_init(struct rates *r, const struct rates_limits *limits);
void rates_fini(struct rates *r);
/* Other limits from now on: what was counted stays. */
void rates_configure(struct rates *r, const struct rates_limits *limits);

/* Would one more be granted? */
struct rates_answer rates_ask(const struct rates *r, enum rates_kind kind, const struct addr *client,
                              struct mono_time now);
/* Takes one, when it is granted. */
struct rates_answer rates_take(struct rates *r, enum rates_kind kind, const struct addr *client,
                               struct mono_time now);

#endif
