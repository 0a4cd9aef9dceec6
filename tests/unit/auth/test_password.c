#include "auth/password.h"

#include <stdio.h>

#include "unit/unit.h"

/* How often the dear functions really ran: linked with --wrap. */
static int argon2_runs, crypt_runs;

int __real_crypto_pwhash_str_verify(const char *hash, const char *password, unsigned long long len);
int __wrap_crypto_pwhash_str_verify(const char *hash, const char *password, unsigned long long len);
char *__real_crypt_rn(const char *password, const char *setting, void *data, int size);
char *__wrap_crypt_rn(const char *password, const char *setting, void *data, int size);

int __wrap_crypto_pwhash_str_verify(const char *hash, const char *password, unsigned long long len)
{
    argon2_runs++;
    return __real_crypto_pwhash_str_verify(hash, password, len);
}

char *__wrap_crypt_rn(const char *password, const char *setting, void *data, int size)
{
    crypt_runs++;
    return __real_crypt_rn(password, setting, data, size);
}

/* All of "holdfast". */
#define ARGON2_SMALL                                                                                         \
    "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$Tx5WXmDlN+f6w7X9cIvjPw$eYfwQR/"                                    \
    "JVNc5OQed1MNNaSsTxCez3IIPTf9HlX3pmaM"
#define ARGON2_OURS                                                                                          \
    "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$wAxh4h+CmhDcpVVrQXgVjg$J034vqX+2NA2QEvE/"                      \
    "wG0WJgwJnS2JVn2yNfzDiVNsoA"
#define SHA512_HASH                                                                                          \
    "$6$abcdefgh$M6Vb/5rr9UQQxawpxNxgQG5X7vYQQ/fb7YlszrnQjOCvDQTJTFYxuz3ypgosxlEqtNTzlbZHeGK5dcH2mkCav1"
#define SHA512 "{SHA512-CRYPT}" SHA512_HASH

static const char *const verifiers[] = {
    ARGON2_SMALL,
    ARGON2_OURS,
    SHA512,
    "{crypt}" SHA512_HASH,
    "{SHA256-CRYPT}$5$abcdefgh$Q9j/r.lqT.9/ZNiA0Ko1gm0.XszbCd21tHf/DSaHjkB",
    "{MD5-CRYPT}$1$abcdefgh$77QZW4ho81b0IrZPsw8Rr.",
    "{BLF-CRYPT}$2b$04$abcdefghijklmnopqrstuuAoHd9GInR44qEyG8bFDOCaTnFK4QHzu",
    "{CRYPT}$2y$04$abcdefghijklmnopqrstuuAoHd9GInR44qEyG8bFDOCaTnFK4QHzu",
    "{CRYPT}$y$j75$abcdefgh$GVDYBRwiBQvI/ghUys5E./jJKWoODiw68I6KDBArZD.",
    "{SHA512-CRYPT}$6$rounds=1000$abcdefgh$bkUCojPIq."
    "iIEtOyGwAUdvrCnbWeEbZbks1Ak6DQQ2IZ7Zti6mevICZxo0ppUqvxTYQ6CNcMILgLfDMy/"
    "pb8r0",
};

static void every_scheme_verifies(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(verifiers); i++) {
        struct str verifier = str_from(verifiers[i]);
        assert_ok(password_verifier_check(verifier, NULL));
        assert_ok(password_verify(verifier, STR("holdfast")));
        assert_err(password_verify(verifier, STR("Holdfast")), ERR_DENIED);
        assert_err(password_verify(verifier, STR("holdfas")), ERR_DENIED);
        assert_err(password_verify(verifier, STR("")), ERR_DENIED);
        assert_err(password_verify(verifier, STR("holdfast\0")), ERR_DENIED);
    }
}

static void a_changed_hash_does_not_verify(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(verifiers); i++) {
        char text[PASSWORD_VERIFIER_MAX];
        size_t len = (size_t)snprintf(text, sizeof(text), "%s", verifiers[i]);
        text[len - 5] = text[len - 5] == 'a' ? 'b' : 'a';
        assert_err(password_verify(str_from(text), STR("holdfast")), ERR_DENIED);
    }
}

static void a_new_verifier_verifies_and_is_salted(void **state)
{
    (void)state;
    char one[PASSWORD_VERIFIER_MAX], two[PASSWORD_VERIFIER_MAX];
    assert_ok(password_hash(STR("correct horse"), one));
    assert_ok(password_hash(STR("correct horse"), two));
    assert_string_not_equal(one, two);
    assert_true(str_starts(str_from(one), STR("{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$")));
    assert_ok(password_verifier_check(str_from(one), NULL));
    assert_ok(password_verify(str_from(one), STR("correct horse")));
    assert_err(password_verify(str_from(one), STR("wrong horse")), ERR_DENIED);
}

static void the_length_of_a_password_is_bounded(void **state)
{
    (void)state;
    char text[PASSWORD_MAX_BYTES + 1], verifier[PASSWORD_VERIFIER_MAX] = "as it was";
    memset(text, 'x', sizeof(text));
    assert_err(password_hash((struct str){text, sizeof(text)}, verifier), ERR_INVALID);
    assert_err(password_hash(STR(""), verifier), ERR_INVALID);
    assert_err(password_hash(STR("a\0b"), verifier), ERR_INVALID);
    assert_string_equal(verifier, "as it was");
    assert_ok(password_hash((struct str){text, sizeof(text) - 1}, verifier));
    assert_ok(password_verify(str_from(verifier), (struct str){text, sizeof(text) - 1}));
    assert_err(password_verify(str_from(verifier), (struct str){text, sizeof(text) - 2}), ERR_DENIED);
    assert_err(password_verify(str_from(verifier), (struct str){text, sizeof(text)}), ERR_DENIED);
}

static void check_runs(struct str verifier, struct str password, int argon2, int crypt)
{
    argon2_runs = crypt_runs = 0;
    int err = password_verify(verifier, password);
    assert_true(err == 0 || err == ERR_DENIED);
    assert_int_equal(argon2_runs, argon2);
    assert_int_equal(crypt_runs, crypt);
}

/* Each failure runs both, so that none tells by its time what was wrong. */
static void failures_cost_the_same(void **state)
{
    (void)state;
    check_runs(STR(ARGON2_OURS), STR("wrong"), 1, 1);
    check_runs(STR(SHA512), STR("wrong"), 1, 1);
    check_runs(STR_EMPTY, STR("holdfast"), 1, 1);
    check_runs((struct str){NULL, 0}, STR("holdfast"), 1, 1);
    check_runs(STR("{PLAIN}holdfast"), STR("holdfast"), 1, 1);
    check_runs(STR(ARGON2_OURS), STR(""), 1, 1);
    check_runs(STR(SHA512), STR("a\0b"), 1, 1);
    check_runs(STR(ARGON2_OURS), STR("holdfast"), 1, 0);
    check_runs(STR(SHA512), STR("holdfast"), 0, 1);
}

/* Their passwords are known: they must never verify for a user. */
static void nobody_can_log_in(void **state)
{
    (void)state;
    assert_err(password_verify(STR_EMPTY, STR("x")), ERR_DENIED);
    assert_err(password_verify(STR_EMPTY, STR("")), ERR_DENIED);
    assert_err(password_verify(STR("{CRYPT}"), STR("x")), ERR_DENIED);
}

static void refused_verifiers(void **state)
{
    (void)state;
    static const struct {
        const char *verifier;
        int err;
        const char *text;
    } cases[] = {
        {"", ERR_UNSUPPORTED,
         "it must start with {ARGON2ID}, {SHA512-CRYPT}, {SHA256-CRYPT}, {BLF-CRYPT}, {MD5-CRYPT} or "
         "{CRYPT}"},
        {"{PLAIN}holdfast", ERR_UNSUPPORTED,
         "it must start with {ARGON2ID}, {SHA512-CRYPT}, {SHA256-CRYPT}, {BLF-CRYPT}, {MD5-CRYPT} or "
         "{CRYPT}"},
        {"{SHA512-CRYPT}$5$abcdefgh$Q9j/r.lqT.9/ZNiA0Ko1gm0.XszbCd21tHf/DSaHjkB", ERR_UNSUPPORTED,
         "a crypt hash of another method; there are $6$, $5$, $2a$, $2b$, $2y$, $y$, $1$"},
        {"{CRYPT}abJnggxhB/yWI", ERR_UNSUPPORTED,
         "a crypt hash of another method; there are $6$, $5$, $2a$, $2b$, $2y$, $y$, $1$"},
        {"{CRYPT}$6$abcdefgh$M6Vb", ERR_SYNTAX, "the crypt hash is not whole"},
        {"{CRYPT}$6$abcdefgh", ERR_SYNTAX, "the crypt hash is not whole"},
        {"{CRYPT}$1$abc:efgh$77QZW4ho81b0IrZPsw8Rr.", ERR_SYNTAX,
         "a crypt hash has letters, digits and ./$= only"},
        {"{CRYPT}$6$rounds=1000001$abcdefgh$M6Vb/5rr9UQQxawpxNxgQG5X7vYQQ/"
         "fb7YlszrnQjOCvDQTJTFYxuz3ypgosxlEqtNTzlbZHeGK5dcH2mkCav1",
         ERR_UNSUPPORTED, "the crypt hash would take longer than a second to check"},
        {"{BLF-CRYPT}$2b$14$abcdefghijklmnopqrstuuAoHd9GInR44qEyG8bFDOCaTnFK4QHzu", ERR_UNSUPPORTED,
         "the crypt hash would take longer than a second to check"},
        {"{CRYPT}$y$jCT$abcdefgh$GVDYBRwiBQvI/ghUys5E./jJKWoODiw68I6KDBArZD.", ERR_UNSUPPORTED,
         "the crypt hash would take longer than a second to check"},
        {"{CRYPT}$y$j9Tz$abcdefgh$GVDYBRwiBQvI/ghUys5E./jJKWoODiw68I6KDBArZD.", ERR_UNSUPPORTED,
         "the crypt hash would take longer than a second to check"},
        {"{ARGON2ID}$argon2i$v=19$m=8,t=1,p=1$Tx5WXmDlN+f6w7X9cIvjPw$eYfwQR/"
         "JVNc5OQed1MNNaSsTxCez3IIPTf9HlX3pmaM",
         ERR_SYNTAX, "it must be $argon2id$v=19$..."},
        {"{ARGON2ID}$argon2id$v=19$m=65537,t=1,p=1$Tx5WXmDlN+f6w7X9cIvjPw$eYfwQR/"
         "JVNc5OQed1MNNaSsTxCez3IIPTf9HlX3pmaM",
         ERR_UNSUPPORTED, "Argon2id is taken with up to m=65536, t=10, p=1"},
        {"{ARGON2ID}$argon2id$v=19$m=8,t=11,p=1$Tx5WXmDlN+f6w7X9cIvjPw$eYfwQR/"
         "JVNc5OQed1MNNaSsTxCez3IIPTf9HlX3pmaM",
         ERR_UNSUPPORTED, "Argon2id is taken with up to m=65536, t=10, p=1"},
        {"{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$Tx5WXmDlN+f6w7X9cIvjPw", ERR_SYNTAX,
         "the Argon2id hash is not whole"},
        {"{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$Tx5WXmDlN+f6w7X9cIvjPw$eYfw", ERR_SYNTAX,
         "the Argon2id hash is not whole"},
        {"{ARGON2ID}$argon2id$v=19$m=8", ERR_UNSUPPORTED, "Argon2id is taken with up to m=65536, t=10, p=1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err_buf eb = {""};
        assert_err(password_verifier_check(str_from(cases[i].verifier), &eb), cases[i].err);
        assert_string_equal(eb.text, cases[i].text);
        assert_err(password_verify(str_from(cases[i].verifier), STR("holdfast")), ERR_DENIED);
    }
}

static void an_overlong_verifier_is_refused(void **state)
{
    (void)state;
    char text[PASSWORD_VERIFIER_MAX + 1] = "{CRYPT}$6$";
    struct err_buf eb;
    memset(text + 10, 'a', sizeof(text) - 10);
    assert_err(password_verifier_check((struct str){text, sizeof(text)}, &eb), ERR_SYNTAX);
    assert_string_equal(eb.text, "it is longer than 255 bytes");

    /* below that, but more than libsodium takes: a long salt */
    char argon2[PASSWORD_VERIFIER_MAX];
    snprintf(argon2, sizeof(argon2), "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$%060d$%043d", 0, 0);
    assert_err(password_verifier_check(str_from(argon2), &eb), ERR_SYNTAX);
    assert_err(password_verify(str_from(argon2), STR("holdfast")), ERR_DENIED);
}

static void what_needs_a_rehash(void **state)
{
    (void)state;
    char made[PASSWORD_VERIFIER_MAX];
    assert_ok(password_hash(STR("x"), made));
    assert_false(password_needs_rehash(str_from(made)));
    for (size_t i = 0; i < ARRAY_LEN(verifiers); i++)
        assert_int_equal(password_needs_rehash(str_from(verifiers[i])),
                         strcmp(verifiers[i], ARGON2_OURS) != 0);
    assert_true(password_needs_rehash(STR_EMPTY));
    assert_true(password_needs_rehash(STR("{ARGON2ID}rubbish")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scheme_verifies),
        cmocka_unit_test(a_changed_hash_does_not_verify),
        cmocka_unit_test(a_new_verifier_verifies_and_is_salted),
        cmocka_unit_test(the_length_of_a_password_is_bounded),
        cmocka_unit_test(failures_cost_the_same),
        cmocka_unit_test(nobody_can_log_in),
        cmocka_unit_test(refused_verifiers),
        cmocka_unit_test(an_overlong_verifier_is_refused),
        cmocka_unit_test(what_needs_a_rehash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
