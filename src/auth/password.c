#include "auth/password.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "auth/crypt_hash.h"

/* OWASP's least for Argon2id: 19 MiB, two passes, one lane. */
#define ARGON2_PASSES       2
#define ARGON2_MEMORY_BYTES (19 * 1024 * 1024)
/* What a verifier of other origin may ask for: 64 MiB, 10 passes, half a second. */
#define ARGON2_MEMORY_MAX_KIB 65536
#define ARGON2_PASSES_MAX     10

/* Verifiers of nobody, at the default costs: what an unknown user is checked against. */
#define NOBODY_ARGON2                                                                                        \
    "$argon2id$v=19$m=19456,t=2,p=1$ENpRfX0bkL0bZuP7g90FKg$NNbNmRhW61P1Tonb+aFE73qUaLyOF2qYB0os9m9/jHs"
#define NOBODY_CRYPT                                                                                         \
    "$6$abcdefgh$D7W7qyozKBT.t6FD3DVYHvADbIO0eSyI4.p20LaEUjro8PqTGYYo/EQcuNjhFbzo9Yg5ir1KIEqFY/yJpgFph0"

static const struct scheme {
    const char *name;
    const char *method; /* of crypt(3), "" for any; NULL: Argon2id */
} schemes[] = {
    {"{ARGON2ID}", NULL},  {"{SHA512-CRYPT}", "$6$"}, {"{SHA256-CRYPT}", "$5$"},
    {"{BLF-CRYPT}", "$2"}, {"{MD5-CRYPT}", "$1$"},    {"{CRYPT}", ""},
};

/* The scheme, and the hash behind it; NULL when there is none. */
static const struct scheme *scheme_of(struct str verifier, struct str *ret_hash)
{
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        struct str name = str_from(schemes[i].name);
        if (!str_istarts(verifier, name))
            continue;
        *ret_hash = str_sub(verifier, name.len, SIZE_MAX);
        return &schemes[i];
    }
    return NULL;
}

/* Takes "PREFIXnumber" and the separator off *rest. */
static bool take_number(struct str *rest, const char *prefix, char separator, uint64_t max)
{
    struct str field, name = str_from(prefix);
    uint64_t value;
    return str_split(rest, separator, &field) && str_starts(field, name) &&
           str_to_u64(str_sub(field, name.len, SIZE_MAX), max, &value) == 0 && value > 0;
}

static int argon2_check(struct str hash, struct err_buf *eb)
{
    struct str lead = STR("$argon2id$v=19$"), rest = str_sub(hash, lead.len, SIZE_MAX);
    if (!str_starts(hash, lead) || hash.len >= crypto_pwhash_STRBYTES || memchr(hash.ptr, '\0', hash.len))
        return err_set(eb, ERR_SYNTAX, "it must be $argon2id$v=19$...");
    if (!take_number(&rest, "m=", ',', ARGON2_MEMORY_MAX_KIB) ||
        !take_number(&rest, "t=", ',', ARGON2_PASSES_MAX) || !take_number(&rest, "p=", '$', 1))
        return err_set(eb, ERR_UNSUPPORTED, "Argon2id is taken with up to m=%d, t=%d, p=1",
                       ARGON2_MEMORY_MAX_KIB, ARGON2_PASSES_MAX);
    struct str salt = STR_EMPTY;
    if (!str_split(&rest, '$', &salt) || salt.len < 11 || !rest.ptr || rest.len != 43)
        return err_set(eb, ERR_SYNTAX, "the Argon2id hash is not whole");
    return 0;
}

int password_verifier_check(struct str verifier, struct err_buf *eb)
{
    struct str hash;
    const struct scheme *scheme = scheme_of(verifier, &hash);
    if (verifier.len >= PASSWORD_VERIFIER_MAX)
        return err_set(eb, ERR_SYNTAX, "it is longer than %d bytes", PASSWORD_VERIFIER_MAX - 1);
    if (!scheme)
        return err_set(eb, ERR_UNSUPPORTED,
                       "it must start with {ARGON2ID}, {SHA512-CRYPT}, {SHA256-CRYPT}, {BLF-CRYPT}, "
                       "{MD5-CRYPT} or {CRYPT}");
    return scheme->method ? crypt_hash_check(hash, scheme->method, eb) : argon2_check(hash, eb);
}

bool password_is_possible(struct str password)
{
    return password.len > 0 && password.len <= PASSWORD_MAX_BYTES &&
           !memchr(password.ptr, '\0', password.len);
}

static bool argon2_matches(struct str hash, const char *password)
{
    char text[crypto_pwhash_STRBYTES] = "";
    memcpy(text, hash.ptr, hash.len);
    return crypto_pwhash_str_verify(text, password, strlen(password)) == 0;
}

/* Fails as slowly whatever was wrong: what did not run, runs for nobody. */
static bool matches(const struct scheme *scheme, struct str hash, const char *password)
{
    bool by_crypt = scheme && scheme->method, by_argon2 = scheme && !scheme->method;
    bool same =
        (by_crypt && crypt_hash_matches(hash, password)) || (by_argon2 && argon2_matches(hash, password));
    if (!same && !by_argon2)
        argon2_matches(STR(NOBODY_ARGON2), password);
    if (!same && !by_crypt)
        crypt_hash_matches(STR(NOBODY_CRYPT), password);
    return same;
}

int password_verify(struct str verifier, struct str password)
{
    char text[PASSWORD_MAX_BYTES + 1] = "";
    struct str hash = STR_EMPTY;
    const struct scheme *scheme =
        password_verifier_check(verifier, NULL) == 0 ? scheme_of(verifier, &hash) : NULL;
    if (password_is_possible(password))
        memcpy(text, password.ptr, password.len);
    else
        scheme = NULL;
    CHECK(sodium_init() >= 0);
    bool same = matches(scheme, hash, text);
    sodium_memzero(text, sizeof(text));
    return same ? 0 : ERR_DENIED;
}

int password_hash(struct str password, char out[PASSWORD_VERIFIER_MAX])
{
    char hash[crypto_pwhash_STRBYTES];
    if (!password_is_possible(password))
        return ERR_INVALID;
    CHECK(sodium_init() >= 0);
    if (crypto_pwhash_str(hash, password.ptr, password.len, ARGON2_PASSES, ARGON2_MEMORY_BYTES) != 0)
        return ERR_LIMIT;
    snprintf(out, PASSWORD_VERIFIER_MAX, "{ARGON2ID}%s", hash);
    return 0;
}

bool password_needs_rehash(struct str verifier)
{
    char text[crypto_pwhash_STRBYTES] = "";
    struct str hash;
    const struct scheme *scheme = scheme_of(verifier, &hash);
    if (!scheme || scheme->method || argon2_check(hash, NULL) < 0)
        return true;
    memcpy(text, hash.ptr, hash.len);
    return crypto_pwhash_str_needs_rehash(text, ARGON2_PASSES, ARGON2_MEMORY_BYTES) != 0;
}
