/* What the director does while it holds the lease "director": moves each server's
 * failover (decide, then one guarded transaction, then the next view), verifies
 * candidates, fences by epoch, keeps routes and queues in order, carries out
 * operators' orders, and removes old ones; has a site that is gone fenced, and records that.
 *
 * Nothing is kept here but clocks, counters and what is under way: who leads next
 * finds the rest in the records. */
#ifndef HOLDFAST_DIRECTOR_LEADER_H
#define HOLDFAST_DIRECTOR_LEADER_H

#include "config/config.h"
#include "loop/loop.h"
#include "store/lease.h"
#include "store/mail.h"
#include "store/view.h"

struct leader;

struct leader_options {
    const struct config *config;
    struct network *network;
    struct mail *mail;
    struct lease *lease;            /* "director" */
    const struct config_site *site; /* where we are; outlives the leader */
    void (*refresh)(void *arg);     /* asks for a view that begins now */
    void *arg;
};

struct leader *leader_new(struct loop *l, const struct leader_options *options);
void leader_free(struct leader *d); /* NULL is allowed */
/* Acts, when the lease is held and the view is newer than our last write. */
void leader_on_view(struct leader *d, const struct view *v);
/* The lease is lost: stops what is under way, forgets clocks. */
void leader_stop(struct leader *d);

#endif
