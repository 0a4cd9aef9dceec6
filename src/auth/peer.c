#include "auth/peer.h"

#include <sodium.h>

#include "base/err.h"

_Static_assert(PEER_PROOF_TEXT == 2 * crypto_auth_hmacsha512256_BYTES + 1,
               "the proof is libsodium's, in hex");

/* What they say is another thing than it was: the number goes up with it. */
static const char *const labels[] = {
    [PEER_CLIENT] = "holdfast client 2",
    [PEER_SERVER] = "holdfast server 2",
};

static const char *const parts[] = {[PEER_MAILBOX] = "server", [PEER_RELAY] = "relay"};

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

/* Its length first, so that no two conversations are written alike. */
static void add(crypto_auth_hmacsha512256_state *mac, struct str part)
{
    uint8_t len[] = {(uint8_t)(part.len >> 8), (uint8_t)part.len};
    CHECK(part.len <= UINT16_MAX);
    crypto_auth_hmacsha512256_update(mac, len, sizeof(len));
    crypto_auth_hmacsha512256_update(mac, (const uint8_t *)part.ptr, part.len);
}

static void add_nonce(crypto_auth_hmacsha512256_state *mac, const struct peer_nonce *nonce)
{
    add(mac, (struct str){(const char *)nonce->bytes, sizeof(nonce->bytes)});
}

void peer_proof_make(enum peer_side side, const struct peer_key *key, const struct peer_talk *talk,
                     char out[PEER_PROOF_TEXT])
{
    crypto_auth_hmacsha512256_state mac;
    uint8_t bytes[crypto_auth_hmacsha512256_BYTES];
    CHECK(talk->node.len > 0 && talk->node.len <= PEER_NODE_MAX);
    crypto_auth_hmacsha512256_init(&mac, key->bytes, sizeof(key->bytes));
    add(&mac, str_from(labels[side]));
    add_nonce(&mac, &talk->server_nonce);
    add_nonce(&mac, &talk->client_nonce);
    add(&mac, talk->node);
    add(&mac, str_from(parts[talk->server.part]));
    add(&mac, str_from(talk->server.name));
    add(&mac, talk->address);
    add(&mac, talk->channel);
    crypto_auth_hmacsha512256_final(&mac, bytes);
    sodium_bin2hex(out, PEER_PROOF_TEXT, bytes, sizeof(bytes));
    sodium_memzero(&mac, sizeof(mac));
}

bool peer_proof_check(enum peer_side side, const struct peer_key *key, const struct peer_talk *talk,
                      struct str proof)
{
    char expected[PEER_PROOF_TEXT];
    if (proof.len != PEER_PROOF_TEXT - 1 || talk->node.len == 0 || talk->node.len > PEER_NODE_MAX)
        return false;
    peer_proof_make(side, key, talk, expected);
    return sodium_memcmp(expected, proof.ptr, PEER_PROOF_TEXT - 1) == 0;
}
