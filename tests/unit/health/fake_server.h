/* A server that says what it is told to, on a loop of the test: for probes. */
#ifndef HOLDFAST_TESTS_HEALTH_FAKE_SERVER_H
#define HOLDFAST_TESTS_HEALTH_FAKE_SERVER_H

#include "base/addr.h"
#include "base/buf.h"
#include "loop/loop.h"

struct fake_server {
    struct loop *loop;
    struct loop_listener *listener;
    struct loop_stream *streams[64];
    size_t stream_count;
    struct addr at;
    const char *greeting; /* sent on accept; NULL: silence */
    const char *answer;   /* sent for each line that comes; NULL: it closes instead */
    struct buf heard;
};

/* Listens on a free port of 127.0.0.1. */
void fake_server_start(struct fake_server *f, struct loop *l, const char *greeting, const char *answer);
/* Closes all; the port refuses from then on. */
void fake_server_stop(struct fake_server *f);

#endif
