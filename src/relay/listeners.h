/* The sockets that a relay takes mail on. For the role. */
#ifndef HOLDFAST_RELAY_LISTENERS_H
#define HOLDFAST_RELAY_LISTENERS_H

#include "config/config.h"
#include "loop/loop.h"

struct listeners {
    struct loop_listener **items;
    size_t count;
};

/* fds: bound before, one for each address of at, and taken; NULL: bound here. on_accept as loop_listen's. An
 * error (loop_listen's) leaves those that are open to listeners_close. */
int listeners_open(struct listeners *ls, struct loop *l, const struct config_listen *at, const int *fds,
                   void (*on_accept)(void *arg, struct loop_stream *s, const struct addr *peer), void *arg,
                   struct err_buf *eb) MUST_USE;
/* Also when none is open. */
void listeners_close(struct listeners *ls);

#endif
