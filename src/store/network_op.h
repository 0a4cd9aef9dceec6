/* Inside src/store: the network contract's operations as engines see them. */
#ifndef HOLDFAST_STORE_NETWORK_OP_H
#define HOLDFAST_STORE_NETWORK_OP_H

#include "store/engine.h"
#include "store/network.h"

struct op_lease_take {
    struct store_op op;
    struct str name, holder;
    int64_t token, ttl_ms;
    struct network_lease ret_current; /* who holds it now, with 0 and ERR_BUSY */
};

struct op_lease_release {
    struct store_op op;
    struct str name, holder;
    int64_t token;
};

struct op_record_read {
    struct store_op op;
    struct str kind, key; /* key.ptr NULL: all */
    struct network_record *ret_records;
    size_t ret_count;
};

struct op_look {
    struct store_op op;
    struct str kinds[NETWORK_LOOK_KINDS_MAX]; /* the first kind_count */
    size_t kind_count;
    struct network_record *ret_records; /* in order of kind and key */
    size_t ret_record_count;
    struct network_lease *ret_leases; /* in order of name */
    size_t ret_lease_count;
};

struct op_record_write {
    struct store_op op;
    struct network_change *changes; /* a record occurs once */
    size_t count;
    struct network_lease *guard; /* or NULL */
    struct wall_time at;
    size_t ret_failed;
};

struct op_event_list {
    struct store_op op;
    int64_t after_id;
    size_t limit;
    struct network_event *ret_events;
    size_t ret_count;
};

struct op_event_prune {
    struct store_op op;
    int64_t keep;
    struct wall_time before;
    size_t limit;
    struct network_lease *guard; /* or NULL */
    size_t ret_removed;
};

struct op_recipient_find {
    struct store_op op;
    struct str domain, address;
    struct network_recipient *ret_found; /* or NULL */
};

struct op_recipients_put {
    struct store_op op;
    struct str domain;
    struct network_recipient *answers;
    size_t count;
    struct network_recipient_bounds bounds;
};

/* Rows that a put removes at most for their age, and for their number: about 20 ms. */
#define RECIPIENTS_REMOVED_MAX 2000

/* The age of a record that was written before the device's clock began. */
#define NETWORK_AGE_ANCIENT_MS (INT64_MAX / 2)

#endif
