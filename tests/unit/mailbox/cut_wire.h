/* A wire between clients and a server that is cut once, behind a byte that the test chooses: what came before
 * it arrives, nothing after it does, and both sides see the end. For tests only. */
#ifndef HOLDFAST_TESTS_MAILBOX_CUT_WIRE_H
#define HOLDFAST_TESTS_MAILBOX_CUT_WIRE_H

#include "base/list.h"
#include "loop/loop.h"

enum wire_way { WIRE_TO_SERVER, WIRE_TO_CLIENT };

struct cut_wire {
    struct loop *loop;
    struct loop_listener *listener;
    struct addr server;
    struct list pairs; /* connections that are open */
    enum wire_way way;
    size_t cut_at; /* bytes of one connection; 0: it is not cut */
    unsigned cuts;
};

void cut_wire_open(struct cut_wire *w, struct loop *l, const char *at, const char *server);
void cut_wire_close(struct cut_wire *w);
/* The first connection that has carried so many bytes that way is cut behind them. */
void cut_wire_arm(struct cut_wire *w, enum wire_way way, size_t bytes);

#endif
