/* The mailbox as a role: one instance of a builtin messaging server, started by
 * the director's order with an epoch of its own. */
#ifndef HOLDFAST_MAILBOX_ROLE_H
#define HOLDFAST_MAILBOX_ROLE_H

#include "base/err.h"
#include "config/config.h"
#include "loop/loop.h"
#include "store/store.h"

struct mailbox_role;

struct mailbox_role_options {
    const struct config *config; /* must outlive the role, as must the store */
    const struct config_node *node;
    const struct config_server *server;
    int64_t epoch;
    struct addr address; /* of the instance; port 0 */
    struct store *store;
};

struct mailbox_role_ops {
    /* Epoch and lease are ours, the users are known, all listeners are open. */
    void (*ready)(void *arg);
    /* It cannot start or must stop (fenced, lease lost): the caller frees it and
     * ends the process. why is one line. */
    void (*failed)(void *arg, int err, const char *why);
};

/* Binds the listeners at once: ERR_BUSY, ERR_DENIED, ERR_UNAVAILABLE with eb. They
 * take connections only when ready. */
int mailbox_role_start(struct loop *l, const struct mailbox_role_options *options,
                       const struct mailbox_role_ops *ops, void *arg, struct mailbox_role **ret_role,
                       struct err_buf *eb) MUST_USE;
/* Ends sessions politely; on_stopped fires when none is left, or after grace_ms. */
void mailbox_role_stop(struct mailbox_role *r, int64_t grace_ms, void (*on_stopped)(void *arg), void *arg);
void mailbox_role_free(struct mailbox_role *r); /* cuts what is left */

#endif
