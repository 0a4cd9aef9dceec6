/* Who is let in: how many sessions may be open at once, in all and for each
 * client, and whose makes room when there are too many. A stranger who opens
 * connections and says nothing must not keep out those who have something to say,
 * least of all the probes that the network judges its servers by. For who takes
 * connections; pure: it counts, the owner writes and closes.
 *
 * - A client is what net/client_key.h says: an IPv4 address, or an IPv6 /64.
 * - At the limit the session that is idle longest is to be ended for the new one;
 *   one that is busy (a message comes in, somebody has logged in) never is.
 *   When all are busy the new one is refused.
 * - The network's own peers are not counted for each client, and a few of them
 *   are let in above the limit.
 *
 * Memory: as many clients as sessions. Nothing survives a crash. */
#ifndef HOLDFAST_NET_ADMISSION_H
#define HOLDFAST_NET_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/list.h"
#include "base/map.h"
#include "base/time.h"

#define ADMISSION_OWN_EXTRA 32 /* sessions of own peers above the limit: a network's probes at once */
#define ADMISSION_LINGERING_MAX                                                                              \
    32 /* ended ones that may wait at once for their peers to read the last words */
/* What it holds open beyond the limit at most. */
#define ADMISSION_DESCRIPTORS (ADMISSION_OWN_EXTRA + ADMISSION_LINGERING_MAX)

struct admission {
    int64_t sessions_max, client_max; /* > 0 */
    int64_t session_count;
    struct list idle;   /* slots, the longest idle first */
    struct map clients; /* -> struct admission_client */
    struct mono_time
        lingering[ADMISSION_LINGERING_MAX]; /* when each has ended, the oldest at next_lingering */
    size_t next_lingering;
};

/* One in each session. All zero: not let in (yet), which all functions allow. */
struct admission_slot {
    struct list node;
    struct admission *admission;
    struct admission_client *client; /* NULL: an own peer */
    bool busy;
};

enum admission_word {
    ADMISSION_GRANTED,
    ADMISSION_FULL,        /* too many sessions, and all of them are busy */
    ADMISSION_CLIENT_FULL, /* too many of this client */
};

void admission_init(struct admission *a, int64_t sessions_max, int64_t client_max);
void admission_fini(struct admission *a); /* all have left */
/* Other limits from now on: sessions that are open stay. */
void admission_configure(struct admission *a, int64_t sessions_max, int64_t client_max);

/* May peer come in? Granted with *ret_idle not NULL: end that session first (it
 * must have left when this one enters). own: of the network itself. */
enum admission_word admission_ask(const struct admission *a, const struct addr *peer, bool own,
                                  struct admission_slot **ret_idle) MUST_USE;
/* After it was granted; not busy. */
void admission_enter(struct admission *a, struct admission_slot *slot, const struct addr *peer, bool own);
void admission_leave(struct admission_slot *slot); /* all zero after */

/* busy: it has begun something and is not to be ended for others. */
void admission_set_busy(struct admission_slot *slot, bool busy);
/* Something came from it: of the idle ones it is now the last to be ended. */
void admission_touch(struct admission_slot *slot);

/* How long the session in slot may linger when it is closed now, wanted_ms at
 * most; 0 when too many do. NULL and all zero: wanted_ms. */
int64_t admission_linger_ms(struct admission_slot *slot, struct mono_time now, int64_t wanted_ms);

#endif
