/* `holdfast store status`: the engine's health, part by part; of a database also what its server says of
 * itself (store/database_status.h), when no server takes writes too. */
#ifndef HOLDFAST_CLI_STORE_STATUS_H
#define HOLDFAST_CLI_STORE_STATUS_H

#include "cli/context.h"

/* An exit status: 75: the store, or a part of it, cannot be reached now. */
int store_status_command(struct context *cx, bool json);

#endif
