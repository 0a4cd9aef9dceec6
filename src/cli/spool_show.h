/* What relays' spools hold on this machine, for when the store itself cannot be asked. For `holdfast status`.
 */
#ifndef HOLDFAST_CLI_SPOOL_SHOW_H
#define HOLDFAST_CLI_SPOOL_SHOW_H

#include "cli/context.h"

/* A line on stdout for each that holds anything, or cannot be read; as text. */
void spool_show(struct context *cx);

#endif
