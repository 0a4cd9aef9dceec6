/* Starts the roles that the configuration gives to a node, each as a process of
 * its own (this program again: `holdfast ROLE --node N -c FILE --state-dir DIR`),
 * restarts one that died (run/restart.h), and ends them in order; all end when
 * one cannot be started at all as it is configured. A mailbox is
 * never started here: that takes the director's order. systemd can do the same.
 *
 * The supervisor is its node's power switch: however it dies, all that runs on
 * the node ends at once (run/lifeline.h), instances that the director had
 * created included. One loop, one thread. Nothing here survives a crash. */
#ifndef HOLDFAST_RUN_SUPERVISOR_H
#define HOLDFAST_RUN_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/check.h"
#include "base/err.h"
#include "config/config.h"
#include "loop/loop.h"

#define SUPERVISOR_PID_ENV "HOLDFAST_SUPERVISOR_PID" /* for the record of the node: run/origin.h */

/* The exit status of a child that cannot start as it is configured, whenever it
 * is tried (EX_CONFIG of sysexits.h): a port in use, a file with a mistake. From
 * a child's first start it ends all; later on it is started again as after any
 * other death, since it could start before. */
#define SUPERVISOR_EXIT_CONFIG 78

/* What is started: argv without the part that names the program. */
struct supervisor_child {
    const char *name; /* for the log: "relay", "node east1" */
    const char *const
        *argv; /* NULL-terminated, argv[0] an absolute path; all of it must outlive the supervisor */
};

struct supervisor_options {
    const struct supervisor_child *children; /* started in this order, ended in reverse */
    size_t count;
    bool restart;        /* a child that died is started again */
    int64_t end_wait_ms; /* for each of them between SIGTERM and SIGKILL */
    bool end_together;   /* all at once instead of one after the other */
};

struct supervisor_ops {
    /* A child ended though nobody asked for it: exit status (or -1) and signal (or 0). May be NULL. */
    void (*died)(void *arg, size_t child, int exit_status, int signal);
    /* All have ended, after supervisor_end, or because none is restarted. */
    void (*ended)(void *arg);
};

struct supervisor;

/* Fails only when no lifeline can be had. options and ops are copied. */
int supervisor_start(struct loop *l, const struct supervisor_options *options,
                     const struct supervisor_ops *ops, void *arg, struct supervisor **ret_supervisor,
                     struct err_buf *eb) MUST_USE;
/* Begins to end the children; called again: kills those that are left. */
void supervisor_end(struct supervisor *s);
/* A child's first start ended with SUPERVISOR_EXIT_CONFIG. */
bool supervisor_gave_up(const struct supervisor *s);
/* The status to exit with for who cannot start as it is configured:
 * SUPERVISOR_EXIT_CONFIG when our parent is a supervisor, else 1. */
int supervisor_refusal(void);
/* To all children that run: SIGHUP. */
void supervisor_signal(struct supervisor *s, int signum);
pid_t supervisor_child_pid(const struct supervisor *s, size_t child); /* 0: does not run */
/* Kills what is left. */
void supervisor_free(struct supervisor *s);

/* `holdfast run --node N`: supervises until SIGTERM or SIGINT; passes SIGHUP
 * on. Runs the loop. The exit status for main. */
int run_node(struct loop *l, const struct config *c, const struct config_node *node);

/* `holdfast run`: a supervisor for each node of the file, all on this machine,
 * as children that end with this process. A node that ended is not started again
 * (a killed supervisor is a node that lost its power): it says how to. Prints
 * to stdout where to send, read, look and what to kill. Runs the loop until
 * SIGTERM or SIGINT, or until no node is left. The exit status for main. */
int run_network(struct loop *l, const struct config *c);

#endif
