/* Runs a provisioner or a fence agent once. For the node's agent.
 *
 * A provisioner gets `create`, `destroy` or `status` as its argument and one JSON
 * object on stdin, and answers with one on stdout; exit status 0 is done, 75 try
 * again later, others failed. A fence agent gets key=value lines on stdin
 * (ClusterLabs' fence-agents API): action=off and the instance as plug, its pid
 * with start time, or its address where there is no pid, or a whole site by its name; 0 is off. Both are
 * limited in time and output, and what they say on stderr is logged. */
#ifndef HOLDFAST_DIRECTOR_PROGRAM_H
#define HOLDFAST_DIRECTOR_PROGRAM_H

#include "config/config.h"
#include "director/orders.h"
#include "loop/loop.h"

#define PROGRAM_STATUS "status"

struct program;

struct program_options {
    const struct config *config;
    const char *self; /* this program's file: ready-made ones are found beside it */
    int lifeline_fd;  /* passed on, so that an instance ends with its node; -1: none */
};

/* verb: ORDER_CREATE, ORDER_DESTROY, PROGRAM_STATUS (provisioner) or ORDER_FENCE, ORDER_FENCE_SITE (fence
 * agent). on_end fires once, later, unless freed before (the process then goes on). result is valid during
 * the call; exit_status 0 means success: for create and status, the answer was understood, too. */
struct program *program_run(struct loop *l, const struct program_options *options, const char *verb,
                            const struct order_args *args,
                            void (*on_end)(void *arg, const struct order_result *result), void *arg);
/* Also in or after on_end. NULL is allowed. */
void program_free(struct program *p);

/* The file of a name in `kind` ("provision", "fence"), or the absolute path
 * that it is; heap. It need not exist: then starting it fails. ERR_INVALID for
 * a name with a slash that is no absolute path. */
int program_find(const char *self, const char *kind, struct str name, char **ret_path) MUST_USE;

#endif
