/* The director role of one node. In every director process, leader or not, runs
 * the node's agent: it holds the lease "node/NAME" (store/presence.h), and carries
 * out the orders that are addressed to the node (create and destroy instances,
 * fence). The process that holds the lease "director" also
 * leads: it starts builtin servers for the first time, fails over, moves queues
 * of dead relays, and carries out what operators order.
 *
 * Used by the program's director command and by the simulator. One loop, one
 * thread; the store is the caller's. After a crash another director, or this one
 * again, continues from the records at whatever step they tell. */
#ifndef HOLDFAST_DIRECTOR_ROLE_H
#define HOLDFAST_DIRECTOR_ROLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/err.h"
#include "config/config.h"
#include "loop/loop.h"
#include "store/store.h"

struct director;

struct director_options {
    const struct config *config;    /* must outlive the director */
    const struct config_node *node; /* of config */
    struct store *store;            /* must outlive the director */
    const char *program;            /* this program's file, for provisioners; copied */
    const char *boot_id;            /* of the machine, copied; "" when not known */
    int64_t pid_ns;                 /* of this process; 0 when not known */
    int64_t supervisor_pid;         /* 0 when another supervises */
    int lifeline_fd;                /* to be passed to provisioners; -1: none */
};

/* ERR_* with eb when the store's mail part cannot be opened. */
int director_start(struct loop *l, const struct director_options *options, struct director **ret_director,
                   struct err_buf *eb) MUST_USE;
/* Gives the leases back (when the store answers before the process ends) and
 * stops; orders under way are carried on by whoever leads next. */
void director_stop(struct director *d);

/* Leads now, by this process's own clock. */
bool director_leads(const struct director *d);

#endif
