#include "store/users.h"

static struct store_op *change(struct network *n, const struct network_change *user, struct str event,
                               void (*on_write)(void *arg, int err, size_t failed), void *arg)
{
    const struct network_change changes[] = {
        *user,
        {.type = NETWORK_PUT,
         .kind = STR("revision"),
         .key = STR("users"),
         .value = STR("{}"),
         .expect_version = NETWORK_ANY_VERSION},
        {.type = NETWORK_EVENT, .kind = event, .key = user->key, .value = STR("{}")},
    };
    return network_write(n, changes, ARRAY_LEN(changes), NULL, on_write, arg);
}

struct store_op *users_put(struct network *n, struct str address, struct str value, int64_t expect_version,
                           void (*on_write)(void *arg, int err, size_t failed), void *arg)
{
    const struct network_change user = {.type = NETWORK_PUT,
                                        .kind = STR("user"),
                                        .key = address,
                                        .value = value,
                                        .expect_version = expect_version};
    return change(n, &user, STR("user-changed"), on_write, arg);
}

struct store_op *users_remove(struct network *n, struct str address,
                              void (*on_write)(void *arg, int err, size_t failed), void *arg)
{
    const struct network_change user = {
        .type = NETWORK_DELETE, .kind = STR("user"), .key = address, .expect_version = NETWORK_ANY_VERSION};
    return change(n, &user, STR("user-removed"), on_write, arg);
}
