#include "mailbox/doors.h"

#include <unistd.h>

void doors_init(struct doors *d, struct instance *i, const struct addr *at, const int *fds)
{
    d->instance = i;
    for (size_t k = 0; k < MAILBOX_SERVICES; k++) {
        d->items[k] = (struct door){.place = {i, k}, .at = *at, .fd = fds ? fds[k] : -1};
        addr_set_port(&d->items[k].at, service_port(i->server, k));
    }
}

void doors_fini(struct doors *d)
{
    for (size_t k = 0; k < MAILBOX_SERVICES; k++) {
        struct door *door = &d->items[k];
        loop_listener_free(door->listener);
        door->listener = NULL;
        if (door->fd >= 0)
            close(door->fd);
        door->fd = -1;
    }
}

static void on_accept(void *arg, struct loop_stream *stream, const struct addr *peer)
{
    struct door *door = arg;
    service_open(&door->place, stream, peer);
}

static int open_one(struct loop *l, struct door *door, struct err_buf *eb)
{
    int fd = door->fd;
    door->fd = -1;
    return fd >= 0 ? loop_listen_fd(l, fd, on_accept, door, &door->listener, eb)
                   : loop_listen(l, &door->at, on_accept, door, &door->listener, eb);
}

int doors_open(struct doors *d, struct err_buf *eb)
{
    for (size_t k = 0; k < MAILBOX_SERVICES; k++) {
        struct door *door = &d->items[k];
        int rc = addr_port(&door->at) ? open_one(d->instance->loop, door, eb) : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

int doors_shut_mail(struct doors *d, bool shut, struct err_buf *eb)
{
    for (size_t k = 0; k < MAILBOX_SERVICES; k++) {
        struct door *door = &d->items[k];
        int rc = door->listener && service_takes_mail(k) ? loop_listener_refuse(door->listener, shut) : 0;
        if (rc < 0) {
            char text[ADDR_TEXT_MAX];
            addr_format(&door->at, text);
            return err_set(eb, rc, "cannot listen on %s again: %s", text, err_name(rc));
        }
    }
    return 0;
}
