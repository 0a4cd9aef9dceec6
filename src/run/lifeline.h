/* The lifeline: a pipe whose write end only a node's supervisor holds. Whatever
 * runs on the node inherits the read end, through any number of parents
 * (supervisor, director, provisioner, mailbox), and ends at once when it reads
 * the end: a node's death ends all that runs on it. Not a signal, so that it
 * works whoever the parent is and however the supervisor died.
 *
 * Every role's main calls lifeline_hold; who starts something that must die with
 * the node passes lifeline_fd in loop_process_spec's inherit_fds (the
 * environment, which names the descriptor, goes along by itself). */
#ifndef HOLDFAST_RUN_LIFELINE_H
#define HOLDFAST_RUN_LIFELINE_H

#include "base/check.h"
#include "base/err.h"
#include "loop/loop.h"

#define LIFELINE_ENV         "HOLDFAST_LIFELINE_FD"
#define LIFELINE_EXIT_STATUS 1 /* nobody is left to look at it */

/* ---- the supervisor's side ---- */

struct lifeline {
    int read_fd;                         /* to be inherited; closed on exec otherwise */
    int write_fd;                        /* ours alone */
    char env[sizeof(LIFELINE_ENV) + 16]; /* NAME=value for env_extra of the children */
};

/* ERR_LIMIT when no descriptors are left. */
int lifeline_open(struct lifeline *ret_lifeline, struct err_buf *eb) MUST_USE;
/* Ends all that hold it. */
void lifeline_close(struct lifeline *l);

/* ---- the role's side ---- */

/* The descriptor that the environment names, or -1 when there is none (systemd
 * supervises, a test). */
int lifeline_fd(void);

struct lifeline_hold;
/* From now on this process ends at once (_exit) when the supervisor is gone.
 * Real loop only. NULL when the environment names no lifeline. */
struct lifeline_hold *lifeline_hold(struct loop *l);
void lifeline_release(struct lifeline_hold *h); /* NULL is allowed */

#endif
