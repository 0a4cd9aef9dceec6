#include "store/sql/wake.h"

#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"

void wake_init(struct wake *w)
{
    w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    CHECK(w->fd >= 0); /* out of descriptors: nothing could be opened either */
}

void wake_fini(struct wake *w)
{
    close(w->fd);
}

void wake_signal(struct wake *w)
{
    const uint64_t one = 1;
    CHECK(write(w->fd, &one, sizeof(one)) == sizeof(one)); /* the counter is read long before it is full */
}

void wake_wait(struct wake *w, int timeout_ms)
{
    struct pollfd p = {.fd = w->fd, .events = POLLIN};
    uint64_t count;
    if (timeout_ms != 0 && poll(&p, 1, timeout_ms) <= 0)
        return;
    if (read(w->fd, &count, sizeof(count)) < 0)
        return; /* nobody has signalled, or another wait took it */
}
