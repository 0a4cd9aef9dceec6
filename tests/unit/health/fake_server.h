/* A server that says what it is told to, on a loop of the test: for probes. */
#ifndef HOLDFAST_TESTS_HEALTH_FAKE_SERVER_H
#define HOLDFAST_TESTS_HEALTH_FAKE_SERVER_H

#include "base/addr.h"
#include "base/buf.h"
#include "base/list.h"
#include "loop/loop.h"

struct fake_server {
    struct loop *loop;
    struct loop_listener *listener;
    struct list sessions;
    struct addr at;
    const char *greeting; /* sent on accept; NULL: silence */
    const char *answer;   /* sent for each line that comes; NULL: it closes instead */
    char heard[256];      /* what came first */
    size_t heard_len;
};

/* Listens on a free port of 127.0.0.1. */
void fake_server_start(struct fake_server *f, struct loop *l, const char *greeting, const char *answer);
/* Closes all; the port refuses from then on. */
void fake_server_stop(struct fake_server *f);

#endif
