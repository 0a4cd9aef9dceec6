#include "auth/sasl.h"

#include "unit/unit.h"

/* Gives the one response; checks user and password when all is well. */
static int plain(struct str message, const char *user, const char *password)
{
    struct sasl s;
    struct str challenge;
    int err = sasl_start(&s, STR("PLAIN"), &message, &challenge);
    if (err == 0) {
        assert_true(sasl_finished(&s));
        assert_str(sasl_user(&s), user);
        assert_str(sasl_password(&s), password);
    } else {
        assert_false(sasl_finished(&s));
        assert_int_equal(sasl_password(&s).len, 0);
    }
    sasl_fini(&s);
    return err;
}

static void plain_messages(void **state)
{
    (void)state;
    assert_ok(plain(STR("\0tim\0tanstaaftanstaaf"), "tim", "tanstaaftanstaaf")); /* RFC 4616 4 */
    assert_ok(plain(STR("\0Alice@Example.TEST\0Holdfast"), "alice@example.test", "Holdfast"));
    assert_ok(plain(STR("alice@example.test\0Alice@example.test\0x"), "alice@example.test", "x"));
    assert_ok(plain(STR("\0\xc3\xa4\0\xc3\x84 p w"), "\xc3\xa4", "\xc3\x84 p w"));
}

static void acting_as_somebody_else_is_denied(void **state)
{
    (void)state;
    assert_err(plain(STR("Ursel\0Kurt\0xipj3plmq"), NULL, NULL), ERR_DENIED); /* RFC 4616 4 */
}

static void bad_plain_messages(void **state)
{
    (void)state;
    assert_err(plain(STR(""), NULL, NULL), ERR_SYNTAX);
    assert_err(plain((struct str){NULL, 0}, NULL, NULL), ERR_SYNTAX);
    assert_err(plain(STR("tim"), NULL, NULL), ERR_SYNTAX);
    assert_err(plain(STR("\0tim"), NULL, NULL), ERR_SYNTAX);
    assert_err(plain(STR("\0tim\0"), NULL, NULL), ERR_SYNTAX);
    assert_err(plain(STR("\0\0secret"), NULL, NULL), ERR_SYNTAX);
    assert_err(plain(STR("\0tim\0sec\0ret"), NULL, NULL), ERR_SYNTAX);
    assert_err(plain(STR("\0\0\0"), NULL, NULL), ERR_SYNTAX);
}

static int plain_of_lengths(size_t user_len, size_t password_len)
{
    char message[1000] = "", user[300] = "", password[300] = "";
    memset(user, 'u', user_len);
    memset(password, 'p', password_len);
    memcpy(message + 1, user, user_len);
    memcpy(message + 2 + user_len, password, password_len);
    return plain((struct str){message, 2 + user_len + password_len}, user, password);
}

static void fields_are_bounded(void **state)
{
    (void)state;
    assert_ok(plain_of_lengths(SASL_USER_MAX_BYTES, PASSWORD_MAX_BYTES));
    assert_err(plain_of_lengths(SASL_USER_MAX_BYTES + 1, 1), ERR_SYNTAX);
    assert_err(plain_of_lengths(1, PASSWORD_MAX_BYTES + 1), ERR_SYNTAX);
}

static void plain_without_an_initial_response(void **state)
{
    (void)state;
    struct sasl s;
    struct str challenge = STR("?");
    assert_ok(sasl_start(&s, STR("plain"), NULL, &challenge));
    assert_false(sasl_finished(&s));
    assert_str(challenge, "");
    assert_ok(sasl_respond(&s, STR("\0a\0b"), &challenge));
    assert_true(sasl_finished(&s));
    assert_str(sasl_user(&s), "a");
    sasl_fini(&s);
    assert_int_equal(sasl_password(&s).len, 0);
    for (size_t i = 0; i < sizeof(s.password_text); i++)
        assert_int_equal(s.password_text[i], 0);
}

static void login(void **state)
{
    (void)state;
    struct sasl s;
    struct str challenge, user = STR("Bob@example.test");
    assert_ok(sasl_start(&s, STR("LOGIN"), NULL, &challenge));
    assert_str(challenge, "Username:");
    assert_ok(sasl_respond(&s, user, &challenge));
    assert_str(challenge, "Password:");
    assert_false(sasl_finished(&s));
    assert_ok(sasl_respond(&s, STR("pass word"), &challenge));
    assert_true(sasl_finished(&s));
    assert_str(sasl_user(&s), "bob@example.test");
    assert_str(sasl_password(&s), "pass word");
    sasl_fini(&s);

    assert_ok(sasl_start(&s, STR("LOGIN"), &user, &challenge));
    assert_str(challenge, "Password:");
    assert_err(sasl_respond(&s, STR(""), &challenge), ERR_SYNTAX);
    assert_false(sasl_finished(&s));
    sasl_fini(&s);

    assert_ok(sasl_start(&s, STR("LOGIN"), NULL, &challenge));
    assert_err(sasl_respond(&s, STR("a\0b"), &challenge), ERR_SYNTAX);
    assert_err(sasl_respond(&s, STR("x"), &challenge), ERR_SYNTAX); /* it is over */
    assert_false(sasl_finished(&s));
}

static void other_mechanisms(void **state)
{
    (void)state;
    struct sasl s;
    struct str challenge = STR("?");
    assert_err(sasl_start(&s, STR("CRAM-MD5"), NULL, &challenge), ERR_UNSUPPORTED);
    assert_err(sasl_start(&s, STR(""), NULL, &challenge), ERR_UNSUPPORTED);
    assert_err(sasl_start(&s, STR("PLAINER"), NULL, &challenge), ERR_UNSUPPORTED);
    assert_str(challenge, "?");
    assert_false(sasl_finished(&s));
    sasl_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_messages),
        cmocka_unit_test(acting_as_somebody_else_is_denied),
        cmocka_unit_test(bad_plain_messages),
        cmocka_unit_test(fields_are_bounded),
        cmocka_unit_test(plain_without_an_initial_response),
        cmocka_unit_test(login),
        cmocka_unit_test(other_mechanisms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
