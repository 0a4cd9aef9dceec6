/* What `holdfast run` tells the person at the terminal: where to send, where to
 * read, where to look, and what to kill to see it survive. Pure text. */
#ifndef HOLDFAST_RUN_GUIDE_H
#define HOLDFAST_RUN_GUIDE_H

#include <sys/types.h>

#include "base/buf.h"
#include "config/config.h"

/* program is how to call us again. pids: of the supervisors, in the order of
 * c->nodes. */
void guide_network(struct buf *out, const struct config *c, const char *program, const pid_t *pids);
/* How to start a node again whose supervisor ended. */
void guide_node_again(struct buf *out, const struct config *c, const char *program,
                      const struct config_node *node);

#endif
