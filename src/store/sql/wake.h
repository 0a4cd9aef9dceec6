/* Inside the SQL engines: how threads wake each other, and the loop: an
 * eventfd, that can be waited for with a time limit. */
#ifndef HOLDFAST_STORE_SQL_WAKE_H
#define HOLDFAST_STORE_SQL_WAKE_H

struct wake {
    int fd;
};

void wake_init(struct wake *w);
void wake_fini(struct wake *w);
void wake_signal(struct wake *w);
/* Until it was signalled, which is taken back, or the time is over (-1: none). */
void wake_wait(struct wake *w, int timeout_ms);

#endif
