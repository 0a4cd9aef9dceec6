/* What clients and imports bring: SASL exchanges, verifiers, users files. The first byte chooses. */
#include <stdint.h>
#include <string.h>

#include "auth/sasl.h"
#include "auth/users_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text's lines are the client's responses. */
static void fuzz_sasl(struct str text, const char *mechanism)
{
    struct sasl s;
    struct str response = STR_EMPTY, challenge = STR_EMPTY;
    int err = sasl_start(&s, str_from(mechanism), NULL, &challenge);
    CHECK(err == 0);
    while (err == 0 && !sasl_finished(&s) && str_split(&text, '\n', &response))
        err = sasl_respond(&s, response, &challenge);
    CHECK(err == 0 || err == ERR_SYNTAX || err == ERR_DENIED);
    CHECK(err == 0 || !sasl_finished(&s));
    if (sasl_finished(&s)) {
        CHECK(sasl_user(&s).len > 0 && sasl_user(&s).len <= SASL_USER_MAX_BYTES);
        CHECK(password_is_possible(sasl_password(&s)));
    }
    sasl_fini(&s);
}

static void fuzz_verifier(struct str text)
{
    struct err_buf eb = {""};
    int err = password_verifier_check(text, &eb);
    CHECK((err == 0) == (eb.text[0] == '\0'));
    CHECK(err == 0 || password_needs_rehash(text));
}

static void fuzz_users_file(struct str text)
{
    struct users_file f;
    struct err_buf eb = {""};
    if (users_file_parse(text, "users", &f, &eb) < 0) {
        CHECK(memcmp(eb.text, "users:", 6) == 0);
        return;
    }
    for (size_t i = 0; i < f.count; i++) {
        CHECK(str_find(f.entries[i].address, '@', 0) != SIZE_MAX);
        CHECK(password_verifier_check(f.entries[i].verifier, NULL) == 0);
    }
    users_file_free(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct str text = {(const char *)data + 1, size - 1};
    switch (data[0] % 4) {
    case 0:
        fuzz_sasl(text, "PLAIN");
        break;
    case 1:
        fuzz_sasl(text, "LOGIN");
        break;
    case 2:
        fuzz_verifier(text);
        break;
    default:
        fuzz_users_file(text);
        break;
    }
    return 0;
}
