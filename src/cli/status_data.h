/* What `holdfast status` and `holdfast server` show, gathered into one JSON
 * object: servers, relays, nodes, sites, routes, lease, store. Works from the
 * store alone, also when no director is there. */
#ifndef HOLDFAST_CLI_STATUS_DATA_H
#define HOLDFAST_CLI_STATUS_DATA_H

#include "cli/context.h"

/* Reads the network's records and the queues' counts. To be json_decref'ed. */
json_t *status_gather(struct context *cx);

#endif
