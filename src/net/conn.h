/* A connection as protocols see it: a stream with an output buffer and marks
 * for back-pressure, an idle time and a deadline, and counters. It is the place
 * where TLS goes under a protocol without its notice: users never touch the
 * stream. Knows no protocol.
 *
 * Threads: the loop's. No callback fires from inside a call, and none after
 * net_conn_close or net_conn_free; both may be called in a callback. */
#ifndef HOLDFAST_NET_CONN_H
#define HOLDFAST_NET_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "loop/loop.h"

struct net_conn;

struct net_conn_ops {
    /* Input, valid during the call; it must be taken whole. What is written
     * inside is sent in one piece after it. */
    void (*on_input)(void *arg, const char *data, size_t len);
    /* The output that waits has fallen below the low mark, after
     * net_conn_full had been true. NULL is allowed. */
    void (*on_room)(void *arg);
    /* Once. ERR_CLOSED: the peer's orderly end, it may still read replies;
     * ERR_TIMEOUT: idle for too long, or the deadline has passed, and a last
     * word may be written; else the stream broke. The owner then closes. */
    void (*on_end)(void *arg, int err);
};

/* Takes the stream. Reads from the start; ops must live as long as c. */
struct net_conn *net_conn_new(struct loop *l, struct loop_stream *stream, const struct net_conn_ops *ops,
                              void *arg);
/* Another owner takes over, as from a listener. */
void net_conn_set_ops(struct net_conn *c, const struct net_conn_ops *ops, void *arg);

/* Copies data behind what waits. May exceed the high mark; well-behaved
 * writers ask net_conn_full before the next piece. */
void net_conn_write(struct net_conn *c, const void *data, size_t len);
/* The high mark is reached. While it is, no input is read either: a peer that
 * does not take replies cannot ask for more. */
bool net_conn_full(const struct net_conn *c);
size_t net_conn_pending(const struct net_conn *c); /* bytes that wait */
/* low_bytes < high_bytes. At first 64 KiB and 256 KiB. */
void net_conn_set_marks(struct net_conn *c, size_t low_bytes, size_t high_bytes);

/* False: leaves input in the kernel, so that the peer has to wait. */
void net_conn_want_input(struct net_conn *c, bool wanted);

/* From now: the longest time without a byte in either direction. 0: none (as at
 * first). */
void net_conn_set_idle(struct net_conn *c, int64_t idle_ms);
/* From now, whatever the peer does. 0: none (as at first). */
void net_conn_set_deadline(struct net_conn *c, int64_t deadline_ms);

uint64_t net_conn_bytes_in(const struct net_conn *c);
uint64_t net_conn_bytes_out(const struct net_conn *c); /* written by us; the last may still wait */
void net_conn_peer(const struct net_conn *c, struct addr *ret_addr);
void net_conn_local(const struct net_conn *c, struct addr *ret_addr);

/* fn(arg) is called once, from inside close or free. One at a time. */
void net_conn_on_gone(struct net_conn *c, void (*fn)(void *arg), void *arg);

/* Sends what waits, then closes, as loop_stream_close. c is gone at once. */
void net_conn_close(struct net_conn *c, int64_t linger_ms);
/* Cuts. NULL is allowed. */
void net_conn_free(struct net_conn *c);

#endif
