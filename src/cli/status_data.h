/* What `holdfast status` and `holdfast server` show: web/status.h, gathered by
 * waiting for the store. */
#ifndef HOLDFAST_CLI_STATUS_DATA_H
#define HOLDFAST_CLI_STATUS_DATA_H

#include "cli/context.h"

/* Reads the network's records and the queues' counts. To be json_decref'ed. */
json_t *status_gather(struct context *cx);

#endif
