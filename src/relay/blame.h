/* Whose fault it is that a server ends a session by 421 amid a message: its own, since it serves nobody now,
 * or the message's, which evokes that each time (a filter that gives up on it, a worker that dies of it).
 * Pure. For relay/target_sessions.c.
 *
 * The message goes behind the others. Where the server takes one of them and then says 421 to this one again,
 * it is the message's fault: its own back-off is due, and nothing else waits. Where it says so to others as
 * well, it is the server's. Of one that is alone nothing is known; after BLAME_TIMES in a row it is put off.
 * A server that is down by another word is to blame for that, too.
 */
#ifndef HOLDFAST_RELAY_BLAME_H
#define HOLDFAST_RELAY_BLAME_H

#include <stdbool.h>
#include <stdint.h>

#define BLAME_TIMES 5

/* Of a server. All zero at first. */
struct blame {
    uint64_t taken; /* messages */
    uint64_t seen;  /* of these, at the last 421 ... */
    uint64_t count; /* ... of so many */
};

/* Of a message, while it is at hand. All zero at first. */
struct blame_mark {
    uint32_t alone;        /* so many 421 in a row, with no other message tried in between */
    uint64_t taken, count; /* the server's at the last one */
};

enum blame_word {
    BLAME_SERVER,
    BLAME_OPEN,   /* the server took others until now: the next message will show */
    BLAME_NOBODY, /* it is the same message again, and no other was tried since */
    BLAME_MESSAGE,
};

/* The server took a message. */
void blame_taken(struct blame *b);
/* The server, which is down or not by what else is known of it, said 421 to the message. */
enum blame_word blame_judge(struct blame *b, struct blame_mark *m, bool down);
/* It is alone, and was tried often enough. */
bool blame_enough(const struct blame_mark *m);

#endif
