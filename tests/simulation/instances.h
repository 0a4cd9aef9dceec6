/* Instances of messaging servers: mailbox roles, each a process on a node, as
 * provisioners start and end them (provision.c); some are only said to be some
 * (impostor.h). */
#ifndef HOLDFAST_TESTS_SIMULATION_INSTANCES_H
#define HOLDFAST_TESTS_SIMULATION_INSTANCES_H

#include "simulation/world.h"

#define INSTANCE_WAITERS 4

/* One start of a server somewhere. Kept until the world ends. */
struct instance {
    struct list node; /* in the world's */
    struct node *on;
    const struct config_server *server;
    struct process process;
    struct mailbox_role *role;
    struct impostor *impostor; /* in its place; or NULL */
    int64_t epoch, pid;
    char address[64];
    char identity[64];          /* for the ledger */
    char lease[64], holder[64]; /* of its identity; as it calls itself there */
    bool ready;
    bool stopping;                                 /* it was told to end */
    bool ending;                                   /* it wants to exit */
    struct sim_spawn *creations[INSTANCE_WAITERS]; /* to be answered when it is ready, or dead */
    struct sim_spawn *destruction;                 /* to be answered when it is dead */
};

struct instance *instance_start(struct node *n, const struct config_server *server, int64_t epoch,
                                const char *address, int64_t after_ms);
/* It ends its sessions politely first; nothing when it has not begun. */
void instance_stop(struct instance *i);
void instance_kill(struct instance *i); /* nothing when it does not run */
/* Kills all, and forgets them. */
void instances_free(struct world *w);

/* The one of the server that runs on the node; the provisioner sees to it that there is one at most. */
struct instance *instance_of(struct node *n, const struct config_server *server);
/* The one that has the domain's mail, when it is ready; or NULL. */
struct instance *world_instance(struct world *w);

/* provision.c: the callers who wait for it are answered. */
void provision_on_ready(struct instance *i);
void provision_on_end(struct instance *i);

#endif
