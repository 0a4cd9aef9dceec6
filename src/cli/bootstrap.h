/* What an empty store is given at a network's first start: the users of the
 * configuration's file, and the key by which our own parts know each other. Any
 * role may do it; compare-and-set lets only one. */
#ifndef HOLDFAST_CLI_BOOTSTRAP_H
#define HOLDFAST_CLI_BOOTSTRAP_H

#include "cli/context.h"

/* Waits for it. 0, or what failed (printed): ERR_INVALID the file of users, else an error of the store. */
int bootstrap(struct context *cx) MUST_USE;

#endif
