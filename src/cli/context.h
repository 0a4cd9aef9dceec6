/* What most subcommands need: the common options, the configuration, a loop,
 * the store, and a way to wait for the answer of an asynchronous operation. */
#ifndef HOLDFAST_CLI_CONTEXT_H
#define HOLDFAST_CLI_CONTEXT_H

#include <stdbool.h>

#include <jansson.h>

#include "cli/args.h"
#include "cli/queue_names.h"
#include "config/config.h"
#include "loop/loop.h"
#include "store/store.h"
#include "store/view.h"

struct context {
    const char *command;     /* for messages */
    const char *config_path; /* -c */
    const char *state_dir;   /* --state-dir */
    struct config *config;
    struct loop *loop;
    struct store *store;
    int store_err;          /* of the store that could not be opened */
    bool store_may_be_away; /* store_options.may_be_away */
    bool is_role;           /* a role's main: it has become the configured user, if any, by itself */
    bool waiting;
    bool viewing;     /* context_view waits for its first view */
    bool interrupted; /* context_order was ended by a signal: give no other */
};

/* -c and --state-dir, to be put at the head of a command's table of options. */
#define CONTEXT_OPTIONS(cx)                                                                                  \
    {"c", &(cx)->config_path, NULL},                                                                         \
    {                                                                                                        \
        "state-dir", &(cx)->state_dir, NULL                                                                  \
    }

void context_init(struct context *cx, const char *command);
/* Loads the configuration; on failure prints the findings and returns an exit
 * status, else 0. */
int context_load_config(struct context *cx) MUST_USE;
/* What the configuration says of the store; views of it. */
struct store_options context_store_options(const struct config *c, bool read_only);
/* Makes the loop and opens the store (read_only: looks, makes nothing), as the
 * user whose the state folder is (cli/owner.h). The same return. */
int context_open_store(struct context *cx, bool read_only) MUST_USE;
void context_fini(struct context *cx);

/* Runs the loop until context_done is called (from a callback). */
void context_wait(struct context *cx);
void context_done(struct context *cx);

/* Reads the network. The viewer goes on to follow it, and is to be freed; what it
 * shows changes with each later wait. */
struct viewer *context_view(struct context *cx);
/* All queues that there are or may be. For queue_names_fini. */
void context_queue_names(struct context *cx, struct queue_names *ret_names);

/* Opens a relay's queue for reading. NULL: it was never made, or it cannot be
 * read: then that is said on stderr, and *worst is the exit status of that unless
 * it was a worse one already. For queue_close. */
struct queue *context_open_queue(struct context *cx, const char *name, int *worst);

/* Writes an order and waits until it was carried out, at most timeout_ms; gives
 * it again while it cannot be carried out yet, and tells why on stderr. Prints
 * the result, as text or JSON; returns the exit status (75: nobody took it in
 * time, and it was withdrawn; or it was not carried out to its end in that time). Says
 * at once when it waits for a director that does not lead. SIGINT and SIGTERM
 * end the wait and withdraw what nobody took, and it says which; exit status 1. */
int context_order(struct context *cx, const struct record_order *order, int64_t timeout_ms, bool json);
/* The same, with nothing on stdout unless ret_answer is NULL: the caller prints what became of it, and
 * decref's it. An object: "state" is "done", "failed", "later" (it could not be carried out in that time),
 * "withdrawn", "taken" (it is being carried out, and its event says how it ended), "unknown" or "refused" (by
 * the store); with the members of the result, or a text "result". */
int context_order_json(struct context *cx, const struct record_order *order, int64_t timeout_ms,
                       json_t **ret_answer);

/* The text of an answer with "changed" and "in_flight". */
void context_print_changed(const json_t *answer);

/* One JSON value and a newline on stdout. */
void context_print_json(const json_t *value);

/* "login@host" of who ran this command, for the record: who it was at first. */
const char *context_who(void);

#endif
