/* A node's roles as a supervisor sees them. For run_node and run_network. */
#ifndef HOLDFAST_RUN_NODE_H
#define HOLDFAST_RUN_NODE_H

#include "base/check.h"
#include "base/err.h"
#include "config/config.h"

/* Whether no role of the node runs already (run/claim.h); takes nothing. The
 * state folder is there. ERR_BUSY: one does; eb says which, and what to do. */
int node_check_free(const struct config *c, const struct config_node *node, struct err_buf *eb) MUST_USE;

#endif
