/* What an empty store is given at a network's first start: the users of the
 * configuration's file, and the key by which our own parts know each other. Any
 * role may do it; compare-and-set lets only one. */
#ifndef HOLDFAST_CLI_BOOTSTRAP_H
#define HOLDFAST_CLI_BOOTSTRAP_H

#include "cli/context.h"

/* Waits for it. The exit status of a failure (printed), or 0. */
int bootstrap(struct context *cx);

#endif
