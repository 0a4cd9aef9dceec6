/* The mailbox as a role: one instance of a builtin messaging server, started by
 * the director's order with an epoch of its own. */
#ifndef HOLDFAST_MAILBOX_ROLE_H
#define HOLDFAST_MAILBOX_ROLE_H

#include "base/err.h"
#include "config/config.h"
#include "loop/loop.h"
#include "store/store.h"

struct mailbox_role;

#define MAILBOX_SERVICES                                                                                     \
    8 /* SMTP, LMTP, submission, IMAP and POP3; these three also under TLS from the start */

struct mailbox_role_options {
    const struct config *config; /* must outlive the role, as must the store */
    const struct config_node *node;
    const struct config_server *server;
    int64_t epoch;
    struct addr address; /* of the instance; port 0 */
    struct store *store;
    /* From mailbox_role_bind; the role takes them. NULL: it binds itself, when
     * all else is ready. */
    const int *listen_fds;
    int64_t descriptors_max; /* of this process (net/descriptors.h); 0: not known */
};

struct mailbox_role_ops {
    /* Epoch and lease are ours, the users are known, all listeners are open: once. While the lease is not
     * renewed after that, those for mail refuse and readers stay (mailbox/tenure.h), and nothing is told. */
    void (*ready)(void *arg);
    /* It cannot start, or another is the server: the caller frees it and ends the process. why is one line.
     */
    void (*failed)(void *arg, int err, const char *why);
};

/* Binds what the server offers at this address (port not looked at), before
 * privileges are dropped: ERR_BUSY, ERR_DENIED, ERR_UNAVAILABLE with eb, nothing
 * stays open. Connections are refused until the role is ready. */
int mailbox_role_bind(const struct config_server *server, const struct addr *address,
                      int ret_fds[MAILBOX_SERVICES], struct err_buf *eb) MUST_USE;

/* ERR_* with eb when the store's mail part cannot be opened; the descriptors are
 * taken also then. */
int mailbox_role_start(struct loop *l, const struct mailbox_role_options *options,
                       const struct mailbox_role_ops *ops, void *arg, struct mailbox_role **ret_role,
                       struct err_buf *eb) MUST_USE;
/* Ends sessions politely; on_stopped fires when none is left, or after grace_ms. */
void mailbox_role_stop(struct mailbox_role *r, int64_t grace_ms, void (*on_stopped)(void *arg), void *arg);
/* The configuration changed in place (config_exchange), or files that it names did: reads the certificates.
 */
void mailbox_role_reload(struct mailbox_role *r);
void mailbox_role_free(struct mailbox_role *r); /* cuts what is left; readers are told */
/* It takes mail now: its lease is held, and its epoch was the server's since. */
bool mailbox_role_serves(const struct mailbox_role *r);

#endif
