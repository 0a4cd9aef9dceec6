/* TLS over a stream of the loop, as a stream of the loop: what is read and written through it is the plain
 * text, and back-pressure, drains and lingering close are as loop/loop.h says. For protocol sessions, which
 * go on as before once the stream was exchanged. tls_server.h and tls_client.h make them.
 *
 * What differs from a plain stream: before on_ready has said 0 nothing is read, and what is written is
 * dropped. The peer's end is ERR_CLOSED when it was said inside of TLS, else ERR_IO: something may be
 * missing. The owner limits the time of the handshake. TLS 1.2 at least; nothing is negotiated twice.
 *
 * Memory is bounded: one read of the loop and one record that were not given on, and what the peer makes us
 * answer. The numbers of a handshake (a signature, a millisecond at most with usual keys) are done on the
 * loop. Threads: the loop's. Nothing here survives a crash. */
#ifndef HOLDFAST_NET_TLS_STREAM_H
#define HOLDFAST_NET_TLS_STREAM_H

#include "loop/loop.h"

/* The handshake's end, fired once from the loop: err 0; or ERR_REFUSED (the peers do not agree, or the peer
 * is not who it must be), or what ended the stream under it. detail says why, for a human, during the call.
 * After an error the stream is good for loop_stream_close and loop_stream_free only. */
typedef void tls_ready_fn(void *arg, int err, const char *detail);

struct tls_info {
    const char *version, *cipher; /* "TLSv1.3", "TLS_AES_256_GCM_SHA384"; they live as long as the program */
    int bits;                     /* of the cipher's secret */
};

/* Only of a stream that was made by tls_server_stream or tls_client_stream, after on_ready said 0. */
void tls_stream_info(const struct loop_stream *s, struct tls_info *ret_info);

#define TLS_CHANNEL_BYTES 32 /* RFC 9266 */

/* What both ends of this channel know, and those of no other can (RFC 9266): who stands between two channels
 * has two. When it was made as above. ERR_UNSUPPORTED: the peer's TLS 1.2 cannot say it (no extended master
 * secret, RFC 7627). */
int tls_stream_channel(const struct loop_stream *s, uint8_t out[TLS_CHANNEL_BYTES]) MUST_USE;

#endif
