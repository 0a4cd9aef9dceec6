/* A relay's spool: a queue of its own on its own disk (the SQLite engine, in a folder of the state folder),
 * which takes mail while the shared store cannot be reached, and is emptied into the relay's queue there as
 * soon as that is ours and takes mail again (spool_handover.h). Nothing is delivered from it: whatever is
 * promised of deliveries, reports and who may send holds by the shared queue alone.
 *
 * Used by the role. One loop; the store's threads are its own. What survives a crash: every message that was
 * accepted into it, until it is durable in the shared queue. */
#ifndef HOLDFAST_RELAY_SPOOL_H
#define HOLDFAST_RELAY_SPOOL_H

#include <stdbool.h>

#include "config/config.h"
#include "loop/loop.h"
#include "store/records.h"
#include "store/store.h"

struct spool;

struct spool_options {       /* all must outlive it */
    struct store *store;     /* the spool's own */
    struct network *network; /* of the shared store: events */
    const struct config_relay *relay;
    struct record_work *work; /* is counted into */
};

struct spool_ops {
    /* q takes mail from now on; NULL: it is closed after this call. */
    void (*opened)(void *arg, struct queue *q);
    /* A recipient's mail is in the shared queue now, to go there; stopped: it is in quarantine. */
    void (*handed)(void *arg, struct str domain, struct str home, bool stopped);
};

/* Opens its queue, tries again while it cannot be, and hands over what is in it. */
struct spool *spool_new(struct loop *l, const struct spool_options *options, const struct spool_ops *ops,
                        void *arg);
/* Calls opened with NULL, if it was. */
void spool_free(struct spool *s); /* may be NULL */
/* The relay's own queue in the shared store; NULL, before it is closed. */
void spool_set_queue(struct spool *s, struct queue *into);
/* A message of so many recipients has become durable in the spool. */
void spool_took(struct spool *s, size_t recipients);

#endif
