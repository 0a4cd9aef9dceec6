/* Runs the contract of the loop's streams (../loop/contract.h) against a further kind of stream, over a
 * simulated network and over a real one. For the kind's test program. */
#ifndef HOLDFAST_TESTS_NET_STREAM_KIND_H
#define HOLDFAST_TESTS_NET_STREAM_KIND_H

#include "loop/contract.h"

struct stream_kind {
    const char *name;
    void *(*begin)(struct loop *l); /* what the kind needs of its own, before a test; */
    void (*end)(void *kit);         /* and after it */
    /* As struct contract has it; the kit is its wrap_arg. */
    void (*wrap)(struct contract *c, struct loop_stream **client, struct loop_stream **server);
    int (*setup)(void **state), (*teardown)(void **state); /* around all tests; may be NULL */
};

/* What main returns. */
int stream_kind_run(const struct stream_kind *kind);

#endif
