#include "auth/peer.h"

#include "base/err.h"
#include "unit/unit.h"

static const struct peer_key key = {"0123456789abcdef0123456789abcde"};
static const struct peer_nonce server = {"server nonce 16"}, client = {"client nonce 16"};

static void proof_holds(void **state)
{
    char proof[PEER_PROOF_TEXT];
    (void)state;
    peer_proof_make(PEER_CLIENT, &key, &server, &client, STR("east1"), proof);
    assert_int_equal(strlen(proof), PEER_PROOF_TEXT - 1);
    assert_true(peer_proof_check(PEER_CLIENT, &key, &server, &client, STR("east1"), str_from(proof)));
}

static void proof_is_of_all_it_says(void **state)
{
    struct peer_key other_key = key;
    struct peer_nonce other = server;
    char proof[PEER_PROOF_TEXT];
    (void)state;
    other_key.bytes[31] ^= 1;
    other.bytes[0] ^= 1;
    peer_proof_make(PEER_CLIENT, &key, &server, &client, STR("east1"), proof);
    struct str p = str_from(proof);
    assert_false(peer_proof_check(PEER_SERVER, &key, &server, &client, STR("east1"), p));
    assert_false(peer_proof_check(PEER_CLIENT, &other_key, &server, &client, STR("east1"), p));
    assert_false(peer_proof_check(PEER_CLIENT, &key, &other, &client, STR("east1"), p));
    assert_false(peer_proof_check(PEER_CLIENT, &key, &client, &server, STR("east1"), p));
    assert_false(peer_proof_check(PEER_CLIENT, &key, &server, &client, STR("east2"), p));
    assert_false(
        peer_proof_check(PEER_CLIENT, &key, &server, &client, STR("east1"), str_sub(p, 0, p.len - 1)));
    assert_false(peer_proof_check(PEER_CLIENT, &key, &server, &client, STR(""), p));
    proof[5] = proof[5] == 'a' ? 'b' : 'a';
    assert_false(peer_proof_check(PEER_CLIENT, &key, &server, &client, STR("east1"), p));
}

static void texts(void **state)
{
    struct peer_nonce nonce;
    struct peer_key parsed;
    char text[PEER_KEY_TEXT];
    (void)state;
    peer_nonce_format(&server, text);
    assert_ok(peer_nonce_parse(str_from(text), &nonce));
    assert_memory_equal(&nonce, &server, sizeof(nonce));
    peer_key_format(&key, text);
    assert_ok(peer_key_parse(str_from(text), &parsed));
    assert_memory_equal(&parsed, &key, sizeof(key));
    assert_err(peer_nonce_parse(str_from(text), &nonce), ERR_SYNTAX);
    assert_err(peer_nonce_parse(STR(""), &nonce), ERR_SYNTAX);
    assert_err(peer_nonce_parse(STR("0123456789abcdef0123456789abcdeg"), &nonce), ERR_SYNTAX);
    assert_err(peer_nonce_parse(STR("0123456789abcdef 123456789abcdef"), &nonce), ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proof_holds),
        cmocka_unit_test(proof_is_of_all_it_says),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
