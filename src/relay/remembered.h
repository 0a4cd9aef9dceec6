/* What servers said about recipients, as this process has it at hand: a bounded cache before the durable
 * snapshot (relay/snapshot.h). Known and unknown ones have room of their own, so that made-up addresses push
 * out nothing that is known good; the oldest answers go first. No I/O. */
#ifndef HOLDFAST_RELAY_REMEMBERED_H
#define HOLDFAST_RELAY_REMEMBERED_H

#include "base/map.h"
#include "relay/verdict.h"

#define REMEMBERED_KNOWN_MAX   20000 /* about 4 MB; beyond it the store is asked, which costs some 50 us */
#define REMEMBERED_UNKNOWN_MAX 2000

struct remembered {
    struct map known, unknown; /* address, lower case -> struct wall_time *; in the order of the answers */
};

void remembered_init(struct remembered *r);
void remembered_fini(struct remembered *r);
/* Replaces what is there about the address. known: else unknown. */
void remembered_put(struct remembered *r, struct str address, bool known, struct wall_time at);
struct verdict_memory remembered_find(const struct remembered *r, struct str address);

#endif
