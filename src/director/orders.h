/* Orders between the director and the nodes' agents: records of kind "order"
 * with target "node/NAME", written in the transaction that moves a failover, so
 * that who leads next sees the same. Keys are made of server, epoch, verb and
 * the server record's version (or of a site's, its verb and its record's): a step finds its order again, and
 * no other step ever has the same. An order to destroy stays until it was done: it also tells that an
 * instance is not known to be off. */
#ifndef HOLDFAST_DIRECTOR_ORDERS_H
#define HOLDFAST_DIRECTOR_ORDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/check.h"
#include "director/batch.h"
#include "store/view.h"

#define ORDER_CREATE     "create"
#define ORDER_DESTROY    "destroy"
#define ORDER_FENCE      "fence"
#define ORDER_FENCE_SITE "fence-site" /* subject: the site (director/site_fence.h) */

#define ORDER_TARGET_DIRECTOR "director"

/* args of an order to a node */
struct order_args {
    struct str server;
    struct str program;             /* provisioner or fence agent: a name or an absolute path */
    struct str node, site, address; /* of the instance */
    int64_t epoch, pid, pid_start;
    int64_t pid_ns; /* fence: of the instance's node; 0: not known */
    int64_t timeout_ms;
    int64_t tries;  /* fence-site: how often it failed before */
    bool known_off; /* destroy: only to clean up, a fence agent had succeeded */
};

/* result of an order to a node */
struct order_result {
    int64_t exit_status;    /* of the program; -1: killed, timed out, or did not start */
    int64_t pid, pid_start; /* create */
    bool off;               /* status: it does not run */
    struct str text;        /* for the human */
};

/* Texts in the arena; ptr NULL when it is full. version: of the record that is
 * written together with the order. */
struct str order_key(struct arena *a, struct str server, int64_t epoch, const char *verb, int64_t version);
struct str order_target(struct arena *a, struct str node);
struct str order_args_encode(struct arena *a, const struct order_args *args);
int order_args_decode(struct arena *a, struct str json,
                      struct order_args *ret_args) MUST_USE; /* ERR_SYNTAX */
struct str order_result_encode(struct arena *a, const struct order_result *result);
/* Anything that is no such object becomes the text of a failure. */
void order_result_decode(struct arena *a, struct str json, struct order_result *ret_result);

/* NAME of the target "node/NAME"; "" when it is another. */
struct str order_node(const struct record_order *o);
bool order_is(const struct record_order *o, const char *state);

/* Puts the order in this state, with this result. When an operator's was carried out, or failed for
 * good, that is an event, "order", with the whole record: who gave it, why, and what became of it. */
void order_put_state(const struct view_order *o, const char *state, struct str result, struct batch *b);

/* An earlier instance of server at this address is not known to be off. */
bool order_address_is_doubtful(const struct view *v, struct str server, struct str address);

#endif
