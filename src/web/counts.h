/* What waits in the relays' queues, those of relays that the configuration has no
 * more included (the network's records name them): read from the store through handles for
 * reading, one queue after the other, asynchronously. For the status of the
 * page, the API and the CLI.
 *
 * One loop, one thread. Nothing survives a crash. */
#ifndef HOLDFAST_WEB_COUNTS_H
#define HOLDFAST_WEB_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "loop/loop.h"
#include "store/store.h"

/* Deliveries that wait, are held or are in quarantine, of one domain and own home ("" is the route). */
struct counts_place {
    char *domain, *home;
    uint64_t waiting, held, quarantined;
    struct wall_time oldest; /* received_at of the oldest that waits or is held; 0 when none */
};

struct counts_queue {
    char *name;   /* its relay's */
    bool removed; /* the configuration has no such relay any more */
    struct counts_place *places;
    size_t count;
    bool counted;  /* false: the last reading failed, places are those of an earlier one */
    char *problem; /* why it could not be read; "" or NULL: it could */
};

/* By the index of the relay in the configuration; then those of removed relays. */
struct counts {
    struct counts_queue *queues;
    size_t queue_count; /* it grows when a reading finds queues of removed relays */
};

struct counter;

/* config and s must outlive the counter. */
struct counter *counter_new(struct store *s, const struct config *config);
/* Reads all queues anew; on_read fires once all were tried. A call while a
 * reading is under way is not counted: its callback is that reading's. A queue
 * that was never made counts as empty. */
void counter_read(struct counter *c, void (*on_read)(void *arg), void *arg);
/* As of the last reading; before the first, nothing is counted. */
const struct counts *counter_counts(const struct counter *c);
/* Closes its handles; before store_close. NULL is allowed. */
void counter_free(struct counter *c);

#endif
