#include "auth/crypt_hash.h"

#include <crypt.h>
#include <sodium.h>
#include <string.h>

#include "base/mem.h"

#define HASH_MAX_BYTES     200
#define SHA_ROUNDS_MAX     1000000 /* 0.7 s; the default is 5,000 */
#define BLOWFISH_COST_MAX  13      /* 0.8 s */
#define YESCRYPT_SPEED_MAX 'B'     /* "$y$jBT$": 64 MiB, 0.2 s; Debian's default is "$y$j9T$" */

static const struct method {
    const char *prefix;
    size_t digest_bytes; /* after the last $ */
} methods[] = {
    {"$6$", 86}, {"$5$", 43}, {"$2a$", 53}, {"$2b$", 53}, {"$2y$", 53}, {"$y$", 43}, {"$1$", 22},
};

static bool is_hash_char(char c)
{
    return ascii_isalnum(c) || (c != '\0' && strchr("./$=", c));
}

static struct str after_last_dollar(struct str hash)
{
    size_t at = hash.len;
    while (at > 0 && hash.ptr[at - 1] != '$')
        at--;
    return str_sub(hash, at, SIZE_MAX);
}

/* Of "rounds=N$SALT$DIGEST" behind the prefix; without it the default holds. */
static bool rounds_are_bearable(struct str rest)
{
    uint64_t rounds;
    struct str field = STR_EMPTY;
    if (!str_starts(rest, STR("rounds=")))
        return true;
    str_split(&rest, '$', &field);
    return str_to_u64(str_sub(field, 7, SIZE_MAX), SHA_ROUNDS_MAX, &rounds) == 0;
}

static bool cost_is_bearable(const struct method *method, struct str rest)
{
    uint64_t cost;
    switch (method->prefix[1]) {
    case '5':
    case '6':
        return rounds_are_bearable(rest);
    case '2':
        return rest.len > 3 && rest.ptr[2] == '$' &&
               str_to_u64(str_sub(rest, 0, 2), BLOWFISH_COST_MAX, &cost) == 0;
    case 'y': /* jNR$SALT$: N and R are base-64 digits, whose order is ./0-9A-Za-z; R is T (32) or 5 (8) */
        return rest.len > 4 && rest.ptr[0] == 'j' && rest.ptr[3] == '$' &&
               (ascii_isdigit(rest.ptr[1]) || (rest.ptr[1] >= 'A' && rest.ptr[1] <= YESCRYPT_SPEED_MAX)) &&
               (rest.ptr[2] == 'T' || rest.ptr[2] == '5');
    default:
        return true;
    }
}

static const struct method *method_of(struct str hash)
{
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (str_starts(hash, str_from(methods[i].prefix)))
            return &methods[i];
    return NULL;
}

int crypt_hash_check(struct str hash, const char *method_wanted, struct err_buf *eb)
{
    const struct method *method = method_of(hash);
    if (!method || !str_starts(hash, str_from(method_wanted)))
        return err_set(eb, ERR_UNSUPPORTED,
                       "a crypt hash of another method; there are $6$, $5$, $2a$, $2b$, $2y$, $y$, $1$");
    for (size_t i = 0; i < hash.len; i++)
        if (!is_hash_char(hash.ptr[i]))
            return err_set(eb, ERR_SYNTAX, "a crypt hash has letters, digits and ./$= only");
    if (hash.len > HASH_MAX_BYTES || after_last_dollar(hash).len != method->digest_bytes)
        return err_set(eb, ERR_SYNTAX, "the crypt hash is not whole");
    if (!cost_is_bearable(method, str_sub(hash, strlen(method->prefix), SIZE_MAX)))
        return err_set(eb, ERR_UNSUPPORTED, "the crypt hash would take longer than a second to check");
    return 0;
}

bool crypt_hash_matches(struct str hash, const char *password)
{
    char setting[HASH_MAX_BYTES + 1] = "";
    struct crypt_data *data = mem_zalloc(sizeof(*data));
    CHECK(hash.len <= HASH_MAX_BYTES);
    memcpy(setting, hash.ptr, hash.len);
    const char *made = crypt_rn(password, setting, data, (int)sizeof(*data));
    bool same = made && strlen(made) == hash.len && sodium_memcmp(made, setting, hash.len) == 0;
    sodium_memzero(data, sizeof(*data));
    free(data);
    return same;
}
