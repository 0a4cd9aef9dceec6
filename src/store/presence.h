/* That a part of ours runs on a node: it holds a lease of its own, by which all
 * others know that it is alive (store/view.h), and keeps a record of its node as
 * this process knows it (its own: two parts may be in two containers). For the two parts whose life matters
 * to others: the director, "node/NAME", which carries out orders on its node, and the relay, "relay/NAME",
 * which owns queues and observes servers. They are processes that die alone, so that neither lease says
 * anything of the other.
 *
 * One loop, one thread. After a crash the lease runs out by the store's clock;
 * the record stays. */
#ifndef HOLDFAST_STORE_PRESENCE_H
#define HOLDFAST_STORE_PRESENCE_H

#include <stdint.h>

#include "loop/loop.h"
#include "store/lease.h"
#include "store/network.h"

#define PRESENCE_NODE  "node/"  /* the lease of a director, by its node's name */
#define PRESENCE_RELAY "relay/" /* the lease of a relay, by its own name */

struct presence;

/* All of it is copied. */
struct presence_options {
    const char *kind; /* PRESENCE_NODE, PRESENCE_RELAY */
    const char *name;
    const char *node, *site; /* where it runs; the node is the lease's holder */
    int64_t lease_ms;
    const char *boot_id;    /* of the machine; NULL or "" when not known */
    int64_t pid_ns;         /* of this process; 0 when not known */
    int64_t supervisor_pid; /* 0 when another supervises */
    struct lease_ops ops;   /* are told of the lease, too; each may be NULL */
    void *arg;
};

/* Takes the lease as soon as it is free, and holds it while the store renews it. */
struct presence *presence_new(struct loop *l, struct network *n, const struct presence_options *options);
/* Gives the lease back, if the store still answers. NULL is allowed. */
void presence_free(struct presence *p);

/* To guard what the part writes. */
struct lease *presence_lease(const struct presence *p);

#endif
