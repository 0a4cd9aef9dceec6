/* A stream that a proxy has made for its client: to its owner it is the client's, with what the proxy said of
 * both ends as its addresses. Only proxies.c makes it. It adds nothing to the stream under it but the bytes
 * that were read behind the proxy's header, which come first. Threads: the loop's. */
#ifndef HOLDFAST_NET_PROXY_STREAM_H
#define HOLDFAST_NET_PROXY_STREAM_H

#include "loop/loop.h"

/* Takes the stream under it, on which nothing is read now. ahead: the client's first bytes, copied. */
struct loop_stream *proxy_stream_new(struct loop *l, struct loop_stream *under, const struct addr *client,
                                     const struct addr *local, struct str ahead) MUST_USE;

#endif
