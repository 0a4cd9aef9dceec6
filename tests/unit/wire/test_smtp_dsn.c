#include "wire/smtp_dsn.h"

#include "base/err.h"

#include "unit/unit.h"

static void ret(void **state)
{
    enum dsn_ret ret = DSN_RET_UNSAID;
    (void)state;
    assert_err(smtp_dsn_ret_parse(STR("BODY"), &ret), ERR_SYNTAX);
    assert_err(smtp_dsn_ret_parse(STR_EMPTY, &ret), ERR_SYNTAX);
    assert_int_equal(ret, DSN_RET_UNSAID);
    assert_ok(smtp_dsn_ret_parse(STR("full"), &ret));
    assert_int_equal(ret, DSN_RET_FULL);
    assert_ok(smtp_dsn_ret_parse(STR("HDRS"), &ret));
    assert_int_equal(ret, DSN_RET_HDRS);
}

static void notify(void **state)
{
    static const char *const bad[] = {"",         "NEVER,SUCCESS",  "SUCCESS,SUCCESS", "SUCCESS,",
                                      ",FAILURE", "SUCCESS, DELAY", "ALWAYS",          "DELAY,NEVER"};
    unsigned bits = 77;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_err(smtp_dsn_notify_parse(str_from(bad[i]), &bits), ERR_SYNTAX);
    assert_int_equal(bits, 77);
    assert_ok(smtp_dsn_notify_parse(STR("never"), &bits));
    assert_int_equal(bits, DSN_NOTIFY_NEVER);
    assert_ok(smtp_dsn_notify_parse(STR("Delay,SUCCESS,failure"), &bits));
    assert_int_equal(bits, DSN_NOTIFY_SUCCESS | DSN_NOTIFY_FAILURE | DSN_NOTIFY_DELAY);
}

static void fill(char *text, size_t len)
{
    memset(text, 'x', len);
    text[len] = '\0';
}

static void envid(void **state)
{
    char text[SMTP_DSN_ENVID_MAX + 2];
    (void)state;
    assert_ok(smtp_dsn_envid_check(STR("QQ314159+20a")));
    assert_err(smtp_dsn_envid_check(STR_EMPTY), ERR_SYNTAX);
    assert_err(smtp_dsn_envid_check(STR("a+0D+0AX-Evil:+201")), ERR_SYNTAX);
    assert_err(smtp_dsn_envid_check(STR("+C3+A4")), ERR_SYNTAX);
    fill(text, SMTP_DSN_ENVID_MAX);
    assert_ok(smtp_dsn_envid_check(str_from(text)));
    fill(text, SMTP_DSN_ENVID_MAX + 1);
    assert_err(smtp_dsn_envid_check(str_from(text)), ERR_SYNTAX);
}

static void orcpt(void **state)
{
    static const char *const bad[] = {"",
                                      "alice@example.test",
                                      "rfc822;",
                                      ";alice@example.test",
                                      "rfc 822;a",
                                      "rfc822;a=b",
                                      "rfc822;+0A",
                                      "rfc822;a b",
                                      "rfc822;j\xc3\xbcrgen@b.test",
                                      "utf-8;j\xc3@b.test",
                                      "utf-8;\\x{d800}@b.test",
                                      "utf-8;\\x{0a}@b.test",
                                      "utf-8;\\x{2028}@b.test",
                                      "utf-8;\\x{2029}@b.test",
                                      "utf-8;\\x{1234567}@b.test",
                                      "utf-8;\\y@b.test",
                                      "utf-8;\xc2\x85@b.test",
                                      "utf-8;+C3+BC@b.test"};
    char text[SMTP_DSN_ORCPT_MAX + 2];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_err(smtp_dsn_orcpt_check(str_from(bad[i]), true), ERR_SYNTAX);
    assert_ok(smtp_dsn_orcpt_check(STR("rfc822;alice+2Bx@example.test"), false));
    assert_ok(smtp_dsn_orcpt_check(STR("utf-8;\\x{e4}@example.test"), false));
    fill(text, SMTP_DSN_ORCPT_MAX + 1);
    memcpy(text, "rfc822;", 7);
    assert_err(smtp_dsn_orcpt_check(str_from(text), false), ERR_SYNTAX);
    text[SMTP_DSN_ORCPT_MAX] = '\0';
    assert_ok(smtp_dsn_orcpt_check(str_from(text), false));
}

/* RFC 6533 section 3. */
static void orcpt_in_utf8(void **state)
{
    static const char address[] = "UTF-8;j\xc3\xbcrgen\\x{2B}x@b.test";
    char text[SMTP_DSN_ORCPT_MAX + 1];
    struct buf out;
    (void)state;
    buf_init(&out, 3 * SMTP_DSN_ORCPT_MAX);
    assert_err(smtp_dsn_orcpt_check(str_from(address), false), ERR_SYNTAX);
    assert_ok(smtp_dsn_orcpt_check(str_from(address), true));
    assert_ok(smtp_dsn_orcpt_to_ascii(&out, str_from(address)));
    assert_str(buf_str(&out), "UTF-8;j\\x{FC}rgen\\x{2B}x@b.test");
    buf_clear(&out);
    assert_ok(smtp_dsn_orcpt_to_ascii(&out, STR("rfc822;a+2Bb@b.test")));
    assert_str(buf_str(&out), "rfc822;a+2Bb@b.test");
    buf_clear(&out);
    for (size_t i = 0; i < SMTP_DSN_ORCPT_MAX; i += 2)
        memcpy(text + i, "\xc3\xbc", 2);
    memcpy(text, "utf-8;", 6);
    text[SMTP_DSN_ORCPT_MAX] = '\0';
    assert_ok(smtp_dsn_orcpt_check(str_from(text), true));
    assert_err(smtp_dsn_orcpt_to_ascii(&out, str_from(text)), ERR_LIMIT);
    buf_fini(&out);
}

static void they_are_written_as_they_are_read(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, 1000);
    smtp_dsn_format_envelope(&out, &(struct dsn_envelope){DSN_RET_UNSAID, STR_EMPTY});
    smtp_dsn_format_request(&out, &(struct dsn_request){0, STR_EMPTY});
    assert_str(buf_str(&out), "");
    smtp_dsn_format_envelope(&out, &(struct dsn_envelope){DSN_RET_HDRS, STR("q+201")});
    assert_str(buf_str(&out), " RET=HDRS ENVID=q+201");
    buf_clear(&out);
    smtp_dsn_format_request(
        &out, &(struct dsn_request){DSN_NOTIFY_FAILURE | DSN_NOTIFY_DELAY, STR("rfc822;a@example.test")});
    assert_str(buf_str(&out), " NOTIFY=FAILURE,DELAY ORCPT=rfc822;a@example.test");
    buf_clear(&out);
    smtp_dsn_format_envelope(&out, &(struct dsn_envelope){DSN_RET_FULL, STR("a b")});
    smtp_dsn_format_request(&out, &(struct dsn_request){DSN_NOTIFY_NEVER, STR("rfc822;a\r\nDATA")});
    assert_str(buf_str(&out), " RET=FULL NOTIFY=NEVER");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ret),           cmocka_unit_test(notify),
        cmocka_unit_test(envid),         cmocka_unit_test(orcpt),
        cmocka_unit_test(orcpt_in_utf8), cmocka_unit_test(they_are_written_as_they_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
