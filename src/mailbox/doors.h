/* The listeners of an instance, one for each of its services. Those for mail can be shut while the others
 * stay open: who connects is refused, so that a sender goes on to another at once; the ports stay ours, for
 * they may be below 1024, and the process without the right to bind them anew. For the role. */
#ifndef HOLDFAST_MAILBOX_DOORS_H
#define HOLDFAST_MAILBOX_DOORS_H

#include "mailbox/role.h"
#include "mailbox/services.h"

struct door {
    struct service_place place;
    struct addr at; /* port 0: not offered */
    int fd;         /* bound before; -1: not, or listening */
    struct loop_listener *listener;
};

struct doors {
    struct instance *instance;
    struct door items[MAILBOX_SERVICES];
};

/* at: of the instance, its port is not looked at. fds: as mailbox_role_bind gives them, taken; NULL: none. */
void doors_init(struct doors *d, struct instance *i, const struct addr *at, const int *fds);
void doors_fini(struct doors *d); /* may be called again; not before doors_init */
/* All listen. ERR_* with eb; what listens then is doors_fini's. */
int doors_open(struct doors *d, struct err_buf *eb) MUST_USE;
/* Those for mail refuse, or listen again; after doors_open. ERR_BUSY with eb: another has taken a port
 * meanwhile. */
int doors_shut_mail(struct doors *d, bool shut, struct err_buf *eb) MUST_USE;

#endif
