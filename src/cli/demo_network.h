/* The network that the demo plays with, as processes: this program again, in a
 * fresh state folder. What is not a protocol's matter (pids, a failback) is
 * asked and ordered as an operator does, by its commands; the store is never
 * opened here. One loop, one thread. When this process dies, however, the whole
 * network ends with it. */
#ifndef HOLDFAST_CLI_DEMO_NETWORK_H
#define HOLDFAST_CLI_DEMO_NETWORK_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "config/config.h"
#include "loop/loop.h"

#define DEMO_NAME_MAX 128

struct demo_process {
    struct loop *loop;
    struct loop_process *process; /* NULL before its start */
    bool runs;
    int exit_status; /* -1: ended by a signal, or did not start */
    struct buf output, error_output;
};

struct demo_network {
    struct loop *loop;
    const struct config *config;
    const bool *interrupted; /* waiting for commands is cut short when it is set */
    char *program;
    char folder[PATH_MAX / 2];    /* the demo's own; "" before it was made */
    char state_dir[PATH_MAX];     /* in it; the roles make it, for the user that they become */
    char log_path[PATH_MAX];      /* what the network's processes say */
    struct demo_process whole;    /* `holdfast run` */
    struct demo_process returned; /* `holdfast run --node NAME` */
};

/* What `holdfast status --json` says about a server, and a node and a relay. */
struct demo_status {
    int64_t pid, epoch; /* of the server's instance; 0: none */
    char state[DEMO_NAME_MAX], node[DEMO_NAME_MAX];
    bool node_works;                 /* it lives, and its director can carry out orders there */
    int64_t node_pid;                /* of its supervisor */
    char queue_owner[DEMO_NAME_MAX]; /* the node that owns the relay's queue */
};

/* Every address of the configuration is on this machine, and free; else eb names
 * the first that is not, and what to do. The errors of loop_bind. */
int demo_network_addresses_free(const struct config *c, struct err_buf *eb) MUST_USE;

/* Makes the demo's folder, below `below`. */
int demo_network_init(struct demo_network *n, struct loop *l, const struct config *c, const char *below,
                      const bool *interrupted, struct err_buf *eb) MUST_USE;
/* Starts `holdfast run`; with --node when node is not NULL. */
void demo_network_start(struct demo_network *n, const struct config_node *node);
/* Asks all of it to end, and kills what does not in time; true when none had to be killed. */
bool demo_network_end(struct demo_network *n);
/* Kills what still runs. keep: the folder stays. */
void demo_network_fini(struct demo_network *n, bool keep);

/* ---- commands of this program; words: NULL-terminated; -c and --state-dir are added ---- */

/* Starts one; after limit_ms it is killed. */
void demo_process_start(struct demo_process *p, struct demo_network *n, const char *const *words,
                        int64_t limit_ms);
/* Waits for its end, unless interrupted. */
void demo_process_wait(struct demo_process *p, const struct demo_network *n);
/* Kills it if it still runs. */
void demo_process_fini(struct demo_process *p);

/* By `holdfast status --json`. ERR_UNAVAILABLE when that does not succeed, as
 * before the store is made. */
int demo_network_status(struct demo_network *n, const char *server, const char *node, const char *relay,
                        struct demo_status *ret_status) MUST_USE;

#endif
