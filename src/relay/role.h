/* The relay as a role: SMTP in at its edge, custody in its queues, delivery to
 * the messaging servers, observations for the directors. While it runs it holds
 * the lease "relay/NAME" (store/presence.h): whoever has it run out loses the
 * queue to another relay, and its vote. One per process in the program; any number
 * in the simulator. */
#ifndef HOLDFAST_RELAY_ROLE_H
#define HOLDFAST_RELAY_ROLE_H

#include "base/err.h"
#include "config/config.h"
#include "loop/loop.h"
#include "store/store.h"

struct relay_role;

struct relay_role_options {
    const struct config *config; /* must outlive the role, as must the store */
    const struct config_relay *relay;
    struct store *store;
    struct store *spool;       /* the relay's own, opened for it alone; must outlive the role. NULL: none */
    struct resolver *resolver; /* of outside names; must outlive the role. NULL: there is none */
    const int *listen_fds;     /* bound sockets, one per relay->listen; NULL: the role binds itself */
    const char *boot_id;       /* of the machine, copied; NULL or "" when not known */
    int64_t pid_ns;            /* of this process; 0 when not known */
    int64_t supervisor_pid;    /* 0 when another supervises */
    int64_t descriptors_max;   /* of this process (net/descriptors.h); 0: not known */
};

/* Starts; takes mail as soon as the network's state was read and the queue is
 * open. ERR_BUSY, ERR_DENIED, ERR_UNAVAILABLE: an address cannot be bound;
 * ERR_*: a recipients' list cannot be read. */
int relay_role_start(struct loop *l, const struct relay_role_options *options, struct relay_role **ret_role,
                     struct err_buf *eb) MUST_USE;
/* The configuration changed in place (config_exchange): takes what it keeps of
 * it, and reads the recipients' lists and the certificates again; ERR_* with file:line when one cannot
 * be: then nothing was taken. No session is dropped. */
int relay_role_reload(struct relay_role *r, struct err_buf *eb) MUST_USE;
/* Takes no new mail, ends sessions as their messages are done; on_stopped fires
 * when none is left, or after grace_ms. */
void relay_role_stop(struct relay_role *r, int64_t grace_ms, void (*on_stopped)(void *arg), void *arg);
/* Cuts what is left, closes the queues and gives the lease back. */
void relay_role_free(struct relay_role *r);

#endif
