/* The network contract: what all nodes share, tiny and hot. Records with
 * versions (compare-and-set), leases judged by the store's clock, events. The
 * typed records (nodes, servers, routes, users, orders, ...) are in
 * store/records.h. See store/op.h for the rules of callbacks and errors.
 *
 * Names, kinds and keys are UTF-8 without NUL, or the answer is ERR_INVALID: what would be two keys to one
 * engine must not be one to another. */
#ifndef HOLDFAST_STORE_NETWORK_H
#define HOLDFAST_STORE_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/time.h"
#include "store/op.h"

struct network;

/* ---- leases ---- */

/* Takes the lease when it is free, has run out, or is held by holder with
 * token (renewal; 0 to take anew). The token grows with every change of holder
 * and with every new taking, also when holder takes again what had run out: who
 * renews must compare the token. The caller counts ttl_ms on its own mono clock
 * from the moment of the call, and stops before it has run out. ERR_BUSY:
 * another holds it, or our token is stale; current tells who holds it. */
struct network_lease {
    struct str name, holder;
    int64_t token;
    int64_t remaining_ms; /* by the store's clock; <= 0: run out */
};
struct store_op *network_lease_take(struct network *n, struct str name, struct str holder, int64_t token,
                                    int64_t ttl_ms,
                                    void (*on_take)(void *arg, int err, const struct network_lease *current),
                                    void *arg);
/* ERR_FENCED when we do not hold it with that token. */
struct store_op *network_lease_release(struct network *n, struct str name, struct str holder, int64_t token,
                                       void (*on_release)(void *arg, int err), void *arg);

/* ---- records ---- */

struct network_record {
    struct str kind, key, value; /* value: one JSON object */
    int64_t version;             /* 1 at creation, +1 with each write */
    int64_t age_ms;              /* since that write, by the store's clock; a very large
                                  * number when the machine was started anew since */
};

/* All of a kind, or of a kind with a key (ptr not NULL), in order of key. */
struct store_op *network_read(struct network *n, struct str kind, struct str key,
                              void (*on_read)(void *arg, int err, const struct network_record *records,
                                              size_t count),
                              void *arg);

/* What is there at one moment: of each of some kinds all records, kind after kind, in order of key; all
 * leases, in order of name. */
struct network_sight {
    const struct network_record *records;
    size_t record_count;
    const struct network_lease *leases;
    size_t lease_count;
};
#define NETWORK_LOOK_KINDS_MAX 10
struct store_op *network_look(struct network *n, const struct str *kinds, size_t kind_count,
                              void (*on_look)(void *arg, int err, const struct network_sight *seen),
                              void *arg);

#define NETWORK_ANY_VERSION (-1) /* put whatever is there */
#define NETWORK_ABSENT      0    /* only when the record does not exist */

struct network_change {
    enum { NETWORK_PUT, NETWORK_DELETE, NETWORK_EVENT } type;
    struct str kind, key, value; /* event: kind is what happened, key the subject, value detail JSON */
    int64_t expect_version;      /* NETWORK_ANY_VERSION, NETWORK_ABSENT, or the version read */
};

/* All or nothing. A record (kind and key) may occur once in changes, else
 * ERR_INVALID. guard (NULL: none) is a lease that must be held with this
 * name, holder and token at the commit, else ERR_FENCED. ERR_CONFLICT: a
 * version did not match; failed is the index of that change. */
struct store_op *network_write(struct network *n, const struct network_change *changes, size_t count,
                               const struct network_lease *guard,
                               void (*on_write)(void *arg, int err, size_t failed), void *arg);

/* ---- events ---- */

struct network_event {
    int64_t id;
    struct wall_time at;
    struct str kind, subject, detail; /* detail: one JSON object */
};

/* With ids above after_id, oldest first; after_id -1: the newest `limit`. */
struct store_op *network_events(struct network *n, int64_t after_id, size_t limit,
                                void (*on_events)(void *arg, int err, const struct network_event *events,
                                                  size_t count),
                                void *arg);

/* Removes of the `limit` oldest events (at most 1,000) those that are beyond the newest `keep`, or happened
 * before `before`. guard as in network_write. removed == limit: there may be more. */
struct store_op *network_events_prune(struct network *n, int64_t keep, struct wall_time before, size_t limit,
                                      const struct network_lease *guard,
                                      void (*on_prune)(void *arg, int err, size_t removed), void *arg);

/* ---- recipients: what servers said when they were asked ---- */

struct network_recipient {
    struct str address; /* whole, lower case */
    bool known;
    struct wall_time at; /* of the server's answer */
};

/* How much is remembered of a domain. What is known and what is unknown are bounded apart: however many
 * addresses somebody makes up, none that is known good makes room for them. */
struct network_recipient_bounds {
    int64_t known_max, unknown_max;
    struct wall_time known_since, unknown_since; /* older answers are removed */
};

/* found is NULL when nothing is remembered; its age is not looked at. domain in lower case. */
struct store_op *network_recipient_find(struct network *n, struct str domain, struct str address,
                                        void (*on_found)(void *arg, int err,
                                                         const struct network_recipient *found),
                                        void *arg);

/* Remembers answers about addresses of one domain (count may be 0), but of an address that is no text; of two
 * answers about an address the later one (at) stays. Then what is too old, and the oldest of what is too
 * many, goes: so much at each call that no transaction grows long. Watches need not fire. */
struct store_op *network_recipients_put(struct network *n, struct str domain,
                                        const struct network_recipient *answers, size_t count,
                                        const struct network_recipient_bounds *bounds,
                                        void (*on_put)(void *arg, int err), void *arg);

/* ---- watching ---- */

/* on_change fires soon (within about 50 ms) after records or leases were
 * changed by any process; several changes may be one call. */
struct network_watch;
struct network_watch *network_watch_new(struct network *n, void (*on_change)(void *arg), void *arg);
void network_watch_free(struct network_watch *w);

#endif
