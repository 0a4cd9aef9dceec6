/* The users' records, as every writer of one has to write them: with their
 * revision, by which relays and servers notice, and an event. Used by the user
 * command and by messaging servers. */
#ifndef HOLDFAST_STORE_USERS_H
#define HOLDFAST_STORE_USERS_H

#include "store/network.h"

/* For the event. */
struct users_act {
    struct str who;
    struct wall_time at;
};

/* One transaction, as network_write. value: of record_user_encode, copied. */
struct store_op *users_put(struct network *n, struct str address, struct str value, int64_t expect_version,
                           struct users_act by, void (*on_write)(void *arg, int err, size_t failed),
                           void *arg);
struct store_op *users_remove(struct network *n, struct str address, struct users_act by,
                              void (*on_write)(void *arg, int err, size_t failed), void *arg);

#endif
