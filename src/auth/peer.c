#include "auth/peer.h"

#include <sodium.h>
#include <string.h>

#include "base/err.h"

_Static_assert(PEER_KEY_BYTES == crypto_auth_KEYBYTES, "the key is libsodium's");
_Static_assert(PEER_PROOF_TEXT == 2 * crypto_auth_BYTES + 1, "the proof is libsodium's, in hex");

#define LABEL_BYTES 16

static const char labels[][LABEL_BYTES + 1] = {
    [PEER_CLIENT] = "holdfast client ",
    [PEER_SERVER] = "holdfast server ",
};

/* Hex text of exactly len bytes. */
static int parse_hex(struct str text, uint8_t *bytes, size_t len)
{
    size_t got;
    const char *end;
    if (text.len != 2 * len || sodium_hex2bin(bytes, len, text.ptr, text.len, NULL, &got, &end) != 0 ||
        got != len || end != text.ptr + text.len)
        return ERR_SYNTAX;
    return 0;
}

void peer_key_format(const struct peer_key *k, char out[PEER_KEY_TEXT])
{
    sodium_bin2hex(out, PEER_KEY_TEXT, k->bytes, PEER_KEY_BYTES);
}

int peer_key_parse(struct str text, struct peer_key *ret_key)
{
    struct peer_key key;
    if (parse_hex(text, key.bytes, sizeof(key.bytes)) < 0)
        return ERR_SYNTAX;
    *ret_key = key;
    return 0;
}

void peer_nonce_format(const struct peer_nonce *n, char out[PEER_NONCE_TEXT])
{
    sodium_bin2hex(out, PEER_NONCE_TEXT, n->bytes, PEER_NONCE_BYTES);
}

int peer_nonce_parse(struct str text, struct peer_nonce *ret_nonce)
{
    struct peer_nonce nonce;
    if (parse_hex(text, nonce.bytes, sizeof(nonce.bytes)) < 0)
        return ERR_SYNTAX;
    *ret_nonce = nonce;
    return 0;
}

void peer_proof_make(enum peer_side side, const struct peer_key *key, const struct peer_nonce *server_nonce,
                     const struct peer_nonce *client_nonce, struct str node, char out[PEER_PROOF_TEXT])
{
    /* All parts but the last are of fixed length, so that no two inputs are written alike. */
    uint8_t message[LABEL_BYTES + 2 * PEER_NONCE_BYTES + PEER_NODE_MAX];
    uint8_t mac[crypto_auth_BYTES];
    uint8_t *p = message;
    CHECK(node.len > 0 && node.len <= PEER_NODE_MAX);
    p = mempcpy(p, labels[side], LABEL_BYTES);
    p = mempcpy(p, server_nonce->bytes, PEER_NONCE_BYTES);
    p = mempcpy(p, client_nonce->bytes, PEER_NONCE_BYTES);
    p = mempcpy(p, node.ptr, node.len);
    crypto_auth(mac, message, (size_t)(p - message), key->bytes);
    sodium_bin2hex(out, PEER_PROOF_TEXT, mac, sizeof(mac));
}

bool peer_proof_check(enum peer_side side, const struct peer_key *key, const struct peer_nonce *server_nonce,
                      const struct peer_nonce *client_nonce, struct str node, struct str proof)
{
    char expected[PEER_PROOF_TEXT];
    if (proof.len != PEER_PROOF_TEXT - 1 || node.len == 0 || node.len > PEER_NODE_MAX)
        return false;
    peer_proof_make(side, key, server_nonce, client_nonce, node, expected);
    return sodium_memcmp(expected, proof.ptr, PEER_PROOF_TEXT - 1) == 0;
}
