/* Where the edge puts a message: into the shared queue, or into the relay's own spool while the store cannot
 * be reached. Chosen when the message's body begins, and kept for it. Pure; for the edge. */
#ifndef HOLDFAST_RELAY_SPOOL_CHOICE_H
#define HOLDFAST_RELAY_SPOOL_CHOICE_H

#include <stdbool.h>

struct spool_choice {
    bool spools; /* into the spool */
    int err;     /* 0, or why neither takes it: what the sender is to be told */
};

/* Of what the queues' health says (store/queue.h), and of a shared queue that could not be opened why.
 * has_spool: the configuration wants it, and it is open. Only ERR_UNAVAILABLE leads to the spool: a queue
 * that is fenced is somebody else's now, who takes the mail; and one that is full or has no standby is there,
 * and refuses. */
struct spool_choice spool_choose(int shared, bool has_spool, int spool);

#endif
