/* Proof between our own parts that both know the network's key, so that what
 * only our parts may say (the custody id of a message) is believed from them
 * and told to them alone. Pure; no random, no I/O: nonces are given.
 *
 * Client and server each prove themselves over both nonces and the client's
 * node name, by HMAC-SHA-512-256 (libsodium's crypto_auth) under different
 * labels, so that neither proof can be played back as the other, nor in another
 * session. It proves who speaks, not that nobody listens: TLS is for that. */
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

void peer_key_format(const struct peer_key *k, char out[PEER_KEY_TEXT]);
int peer_key_parse(struct str text, struct peer_key *ret_key) MUST_USE; /* ERR_SYNTAX */
void peer_nonce_format(const struct peer_nonce *n, char out[PEER_NONCE_TEXT]);
int peer_nonce_parse(struct str text, struct peer_nonce *ret_nonce) MUST_USE; /* ERR_SYNTAX */

/* The proof of `side`. node: 1 to PEER_NODE_MAX bytes. */
void peer_proof_make(enum peer_side side, const struct peer_key *key, const struct peer_nonce *server_nonce,
                     const struct peer_nonce *client_nonce, struct str node, char out[PEER_PROOF_TEXT]);
/* True when proof is what `side` makes; compared in constant time. */
bool peer_proof_check(enum peer_side side, const struct peer_key *key, const struct peer_nonce *server_nonce,
                      const struct peer_nonce *client_nonce, struct str node, struct str proof) MUST_USE;

#endif
