/* The door of who takes connections: asks net/admission.h, sends away who is not
 * let in, and says so in the log. It sends nobody away slowly: a refused
 * connection is closed at once, so that it keeps no descriptor. */
#ifndef HOLDFAST_NET_ENTRANCE_H
#define HOLDFAST_NET_ENTRANCE_H

#include "loop/loop.h"
#include "net/admission.h"
#include "net/log_limit.h"

struct entrance {
    struct admission admission;
    /* End the session in slot now, with a farewell that does not wait: it has left
     * (admission_leave) when this returns. */
    void (*make_room)(void *arg, struct admission_slot *slot);
    void *arg;
};

/* What a protocol says instead of a greeting: whole lines. */
struct entrance_words {
    const char *protocol;
    const char *full, *client_full;
};

/* Has the stream's peer a session now? True: the caller has one enter
 * (admission_enter) at once. False: the stream was taken, answered and closed.
 * own: of the network itself. log: NULL, nothing is logged. */
bool entrance_admit(struct entrance *e, struct loop_stream *stream, const struct addr *peer, bool own,
                    const struct entrance_words *words, struct log_limit *log);

/* Sends somebody away whom another limit keeps out: the stream is taken, answered with line, and closed. log:
 * as above. */
void entrance_refuse(struct loop_stream *stream, const struct addr *peer, const char *protocol,
                     const char *line, const char *why, struct log_limit *log);

#endif
