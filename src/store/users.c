#include "store/users.h"

#include <stdlib.h>

#include "store/records.h"

static struct store_op *change(struct network *n, const struct network_change *user, struct str verb,
                               struct users_act by, void (*on_write)(void *arg, int err, size_t failed),
                               void *arg)
{
    const struct record_order act = {.target = STR("users"),
                                     .verb = verb,
                                     .subject = user->key,
                                     .who = by.who,
                                     .state = STR("done"),
                                     .created_at_ms = by.at.ms};
    char *detail = record_order_encode(&act);
    const struct network_change changes[] = {
        *user,
        {.type = NETWORK_PUT,
         .kind = STR("revision"),
         .key = STR("users"),
         .value = STR("{}"),
         .expect_version = NETWORK_ANY_VERSION},
        {.type = NETWORK_EVENT, .kind = STR("user"), .key = user->key, .value = str_from(detail)},
    };
    struct store_op *op = network_write(n, changes, ARRAY_LEN(changes), NULL, on_write, arg);
    free(detail);
    return op;
}

struct store_op *users_put(struct network *n, struct str address, struct str value, int64_t expect_version,
                           struct users_act by, void (*on_write)(void *arg, int err, size_t failed),
                           void *arg)
{
    const struct network_change user = {.type = NETWORK_PUT,
                                        .kind = STR("user"),
                                        .key = address,
                                        .value = value,
                                        .expect_version = expect_version};
    return change(n, &user, STR("put"), by, on_write, arg);
}

struct store_op *users_remove(struct network *n, struct str address, struct users_act by,
                              void (*on_write)(void *arg, int err, size_t failed), void *arg)
{
    const struct network_change user = {
        .type = NETWORK_DELETE, .kind = STR("user"), .key = address, .expect_version = NETWORK_ANY_VERSION};
    return change(n, &user, STR("remove"), by, on_write, arg);
}
