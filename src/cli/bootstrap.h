/* What an empty store is given at a network's first start: the users of the
 * configuration's file, and the key by which our own parts know each other. Any
 * role may do it; compare-and-set lets only one. */
#ifndef HOLDFAST_CLI_BOOTSTRAP_H
#define HOLDFAST_CLI_BOOTSTRAP_H

#include "config/config.h"
#include "loop/loop.h"
#include "store/network.h"

struct bootstrap;

/* Looks what is there, and puts what is not; while the store does not answer it tries again, which is logged
 * once; patient: also after any other error of the store. on_done fires once. err: 0, or what failed
 * (printed, as the command's): ERR_INVALID the file of users, else an error of the store. All must outlive
 * it. */
struct bootstrap *bootstrap_new(struct loop *l, struct network *n, const struct config *c,
                                const char *command, bool patient, void (*on_done)(void *arg, int err),
                                void *arg);
/* Also from inside of on_done, or before. NULL is allowed. */
void bootstrap_free(struct bootstrap *b);

#endif
