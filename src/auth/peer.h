/* Proof between our own parts that both know the network's key, so that what
 * only our parts may say (the custody id of a message) is believed from them
 * and told to them alone. Pure; no random, no I/O: nonces are given.
 *
 * Client and server each prove themselves over all that struct peer_talk holds,
 * by HMAC-SHA-512-256 (libsodium's crypto_auth) under different labels: neither
 * proof can be played back as the other, in another session, to another of our
 * parts, or in another TLS channel. So who is asked for a proof cannot hand it
 * on to somebody else (docs/decisions/0026). It proves who speaks, not that nobody
 * listens or stands between them: TLS is for that, and only where it must be had. */
#ifndef HOLDFAST_AUTH_PEER_H
#define HOLDFAST_AUTH_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

#define PEER_KEY_BYTES   32
#define PEER_NONCE_BYTES 16
#define PEER_KEY_TEXT    65 /* hex, with NUL */
#define PEER_NONCE_TEXT  33 /* hex, with NUL */
#define PEER_PROOF_TEXT  65 /* hex, with NUL */
#define PEER_NODE_MAX    64 /* bytes of a node's name */

struct peer_key {
    uint8_t bytes[PEER_KEY_BYTES];
};

struct peer_nonce {
    uint8_t bytes[PEER_NONCE_BYTES];
};

enum peer_side { PEER_CLIENT, PEER_SERVER };

/* The part that is spoken to, as the configuration names it. */
enum peer_part { PEER_MAILBOX, PEER_RELAY };

struct peer_id {
    enum peer_part part;
    const char *name;
};

/* One conversation, as each side knows it by itself; only the nonces and the node are told. */
struct peer_talk {
    struct peer_nonce server_nonce, client_nonce;
    struct str node; /* the client's: 1 to PEER_NODE_MAX bytes */
    struct peer_id server;
    struct str address; /* where the server is, by the network's record or the configuration: an IP address */
    struct str channel; /* TLS's own (net/tls_stream.h); "": plain text */
};

void peer_key_format(const struct peer_key *k, char out[PEER_KEY_TEXT]);
int peer_key_parse(struct str text, struct peer_key *ret_key) MUST_USE; /* ERR_SYNTAX */
void peer_nonce_format(const struct peer_nonce *n, char out[PEER_NONCE_TEXT]);
int peer_nonce_parse(struct str text, struct peer_nonce *ret_nonce) MUST_USE; /* ERR_SYNTAX */

void peer_proof_make(enum peer_side side, const struct peer_key *key, const struct peer_talk *talk,
                     char out[PEER_PROOF_TEXT]);
/* True when proof is what `side` makes; compared in constant time. A node of a length that none has: false.
 */
bool peer_proof_check(enum peer_side side, const struct peer_key *key, const struct peer_talk *talk,
                      struct str proof) MUST_USE;

#endif
