/* Why mail waits: not the message's own last reply, but what keeps its server from being tried at all, from
 * the health that the relays record. One text a server, made before the queues are read: nothing is asked of
 * messages. For the queue commands. */
#ifndef HOLDFAST_CLI_WAITING_H
#define HOLDFAST_CLI_WAITING_H

#include "config/config.h"
#include "store/queue.h"
#include "store/view.h"

struct waiting {
    const struct config *config;
    char **reasons; /* of each server of the configuration; NULL: it serves */
    size_t *homes;  /* of each domain: the index of the server that has its mail now */
    char text[384]; /* of what has no server: a name of at most 255 bytes, and what to do */
};

/* Copies what it needs of v; config must outlive it. */
void waiting_init(struct waiting *w, const struct config *config, const struct view *v);
void waiting_fini(struct waiting *w);

/* "mail1 is inoperable: connect: connection refused", or that the configuration has no such domain or server;
 * "" when the server serves, or the delivery does not wait. Until the next call. */
const char *waiting_reason(struct waiting *w, const struct queue_delivery *d);

#endif
