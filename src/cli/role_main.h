/* What the roles' commands share: the node, the log, the lifeline, signals,
 * sockets bound before privileges are dropped, the store. */
#ifndef HOLDFAST_CLI_ROLE_MAIN_H
#define HOLDFAST_CLI_ROLE_MAIN_H

#include "cli/bootstrap.h"
#include "cli/context.h"
#include "run/claim.h"
#include "run/lifeline.h"

struct role_main {
    struct context cx;
    const char *node_name; /* --node */
    struct config_node *node;
    struct lifeline_hold *lifeline;
    struct claim claim;
    int64_t descriptors_max;     /* that this process may have open; 0: not known */
    bool keep_bind;              /* role_main_become keeps what binding ports below 1024 takes */
    struct bootstrap *bootstrap; /* under way */
    int bootstrap_status;        /* that it ended with */
    bool opening;                /* role_main_open waits for it */
    struct loop_signal *signals[3];
    void (*on_stop)(void *arg); /* SIGTERM, SIGINT */
    /* SIGHUP: the configuration changed in place; on an error (eb) it is changed back. NULL: the role keeps
     * nothing of what can be reloaded. To be set before role_main_run. */
    int (*on_reload)(void *arg, struct err_buf *eb);
    void *arg;
    struct config **replaced; /* of former reloads: texts of theirs are used */
    size_t replaced_count;
    int exit_status;
};

/* Parses (extra: further options, may be NULL), loads the configuration, finds
 * the node, which must have `role` (0: any), and makes the loop. 0 or an exit status. */
int role_main_init(struct role_main *rm, const char *command, unsigned role, int argc, char **argv,
                   const struct args_option *extra) MUST_USE;
/* Makes the state folder, and claims the role `command` of the node in it: a
 * second start is refused here. Before anything else is touched. needs_folder
 * false: a role that can do without goes on when the folder cannot be used. 0 or
 * an exit status. */
int role_main_claim(struct role_main *rm, bool needs_folder) MUST_USE;
/* These two return 0 or an exit status; that of supervisor_refusal when no other
 * try could be better.
 * Makes the state folder, and drops privileges. After the sockets are bound. */
int role_main_become(struct role_main *rm) MUST_USE;
/* The same, and opens and bootstraps the store. Of a role that goes on without the store
 * (cx.store_may_be_away) the latter is done beside, and ends nothing. After the sockets are bound. */
int role_main_open(struct role_main *rm) MUST_USE;
/* Runs until role_main_end; on_stop is asked to arrange that. */
int role_main_run(struct role_main *rm, void (*on_stop)(void *arg), void *arg);
/* Ends role_main_run. */
void role_main_end(struct role_main *rm, int exit_status);
void role_main_fini(struct role_main *rm);

#endif
