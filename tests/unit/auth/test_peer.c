#include "auth/peer.h"

#include "base/err.h"
#include "unit/unit.h"

static const struct peer_key key = {"0123456789abcdef0123456789abcde"};
static const struct peer_nonce server = {"server nonce 16"}, client = {"client nonce 16"};

static struct peer_talk talk(void)
{
    return (struct peer_talk){
        .server_nonce = server,
        .client_nonce = client,
        .node = STR("east1"),
        .server = {PEER_MAILBOX, "mail1"},
        .address = STR("127.1.0.10"),
        .channel = STR("of 32 bytes"),
    };
}

static void proof_holds(void **state)
{
    struct peer_talk t = talk();
    char proof[PEER_PROOF_TEXT];
    (void)state;
    peer_proof_make(PEER_CLIENT, &key, &t, proof);
    assert_int_equal(strlen(proof), PEER_PROOF_TEXT - 1);
    assert_true(peer_proof_check(PEER_CLIENT, &key, &t, str_from(proof)));
}

static void proof_is_of_all_it_says(void **state)
{
    struct peer_key other_key = key;
    struct peer_talk t = talk(), others[10];
    char proof[PEER_PROOF_TEXT];
    (void)state;
    other_key.bytes[31] ^= 1;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        others[i] = t;
    others[0].server_nonce.bytes[0] ^= 1;
    others[1].client_nonce.bytes[15] ^= 1;
    others[2].server_nonce = client, others[2].client_nonce = server;
    others[3].node = STR("east2");
    others[4].node = STR("");
    others[5].server.part = PEER_RELAY;
    others[6].server.name = "mail2";
    others[7].address = STR("127.2.0.10");
    others[8].channel = STR("");
    others[9].server.name = "mail", others[9].address = STR("1127.1.0.10"); /* where one part ends counts */
    peer_proof_make(PEER_CLIENT, &key, &t, proof);
    struct str p = str_from(proof);
    assert_false(peer_proof_check(PEER_SERVER, &key, &t, p));
    assert_false(peer_proof_check(PEER_CLIENT, &other_key, &t, p));
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_false(peer_proof_check(PEER_CLIENT, &key, &others[i], p));
    assert_false(peer_proof_check(PEER_CLIENT, &key, &t, str_sub(p, 0, p.len - 1)));
    proof[5] = proof[5] == 'a' ? 'b' : 'a';
    assert_false(peer_proof_check(PEER_CLIENT, &key, &t, p));
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
