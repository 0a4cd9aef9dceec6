#include "relay/listeners.h"

#include "base/mem.h"

int listeners_open(struct listeners *ls, struct loop *l, const struct config_listen *at, const int *fds,
                   void (*on_accept)(void *arg, struct loop_stream *s, const struct addr *peer), void *arg,
                   struct err_buf *eb)
{
    ls->items = mem_calloc(at->count, sizeof(*ls->items));
    for (size_t i = 0; i < at->count; i++) {
        int rc = fds ? loop_listen_fd(l, fds[i], on_accept, arg, &ls->items[i], eb)
                     : loop_listen(l, &at->addrs[i], on_accept, arg, &ls->items[i], eb);
        if (rc < 0)
            return rc;
        ls->count++;
    }
    return 0;
}

void listeners_close(struct listeners *ls)
{
    for (size_t i = 0; i < ls->count; i++)
        loop_listener_free(ls->items[i]);
    free(ls->items);
    *ls = (struct listeners){NULL, 0};
}
