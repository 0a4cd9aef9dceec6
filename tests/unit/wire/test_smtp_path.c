#include "wire/smtp_path.h"

#include <stdio.h>

#include "unit/unit.h"

static int parse(const char *text, enum smtp_path_kind kind, bool utf8, struct smtp_path *path)
{
    struct str rest = str_from(text);
    return smtp_path_parse(&rest, kind, utf8, path);
}

static void plain(void **state)
{
    struct str rest = STR("<alice@example.test> SIZE=1");
    struct smtp_path p;
    (void)state;
    assert_ok(smtp_path_parse(&rest, SMTP_PATH_REVERSE, false, &p));
    assert_str(p.mailbox, "alice@example.test");
    assert_str(p.local_part, "alice");
    assert_str(p.domain, "example.test");
    assert_str(rest, " SIZE=1");
}

static void no_controls_in_any_part(void **state)
{
    static const char *const bad[] = {"<a\xc2\x80@b.test>",
                                      "<a\xc2\x9b"
                                      "2J@b.test>",
                                      "<a\xc2\x9f@b.test>",
                                      "<\"a\xc2\x85\"@b.test>",
                                      "<a@b\xc2\x9d.test>",
                                      "<a\xe2\x80\xa8@b.test>",
                                      "<a\xe2\x80\xa9@b.test>"};
    struct smtp_path p;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_err(parse(bad[i], SMTP_PATH_FORWARD, true, &p), ERR_SYNTAX);
        assert_err(parse(bad[i], SMTP_PATH_REVERSE, true, &p), ERR_SYNTAX);
    }
    assert_ok(parse("<a\xc2\xa0\xe2\x80\xa7@b.test>", SMTP_PATH_FORWARD, true, &p)); /* beside them */
}

static void null_and_postmaster(void **state)
{
    struct smtp_path p;
    (void)state;
    assert_ok(parse("<>", SMTP_PATH_REVERSE, false, &p));
    assert_str(p.mailbox, "");
    assert_err(parse("<>", SMTP_PATH_FORWARD, false, &p), ERR_SYNTAX);
    assert_ok(parse("<PostMaster>", SMTP_PATH_FORWARD, false, &p));
    assert_str(p.mailbox, "PostMaster");
    assert_str(p.domain, "");
    assert_err(parse("<postmaster>", SMTP_PATH_REVERSE, false, &p), ERR_SYNTAX);
    assert_err(parse("<alice>", SMTP_PATH_FORWARD, false, &p), ERR_SYNTAX);
}

static void source_routes_are_dropped(void **state)
{
    struct smtp_path p;
    (void)state;
    assert_ok(parse("<@one.test,@two.test:alice@example.test>", SMTP_PATH_FORWARD, false, &p));
    assert_str(p.mailbox, "alice@example.test");
    assert_err(parse("<@one.test>", SMTP_PATH_FORWARD, false, &p), ERR_SYNTAX);
    assert_err(parse("<@one..test:a@b>", SMTP_PATH_FORWARD, false, &p), ERR_SYNTAX);
    assert_err(parse("<one.test:a@b>", SMTP_PATH_FORWARD, false, &p), ERR_SYNTAX);
}

static void quoted_local_parts(void **state)
{
    struct smtp_path p;
    char local[SMTP_LOCAL_PART_MAX];
    (void)state;
    assert_ok(parse("<\"a > \\\" b\"@example.test>", SMTP_PATH_FORWARD, false, &p));
    assert_str(p.local_part, "\"a > \\\" b\"");
    assert_str(p.domain, "example.test");
    assert_str(((struct str){local, smtp_local_part_unquote(p.local_part, local)}), "a > \" b");
    assert_str(((struct str){local, smtp_local_part_unquote(STR("plain"), local)}), "plain");
    assert_err(parse("<\"a@example.test>", SMTP_PATH_FORWARD, false, &p), ERR_SYNTAX);
    assert_err(parse("<\"a\tb\"@example.test>", SMTP_PATH_FORWARD, false, &p), ERR_SYNTAX);
    assert_err(parse("<\"a\"b@example.test>", SMTP_PATH_FORWARD, false, &p), ERR_SYNTAX);
}

static void address_literals(void **state)
{
    struct smtp_path p;
    (void)state;
    assert_ok(parse("<a@[127.0.0.1]>", SMTP_PATH_FORWARD, false, &p));
    assert_str(p.domain, "[127.0.0.1]");
    assert_ok(parse("<a@[IPv6:::1]>", SMTP_PATH_FORWARD, false, &p));
    assert_err(parse("<a@[127.0.0.256]>", SMTP_PATH_FORWARD, false, &p), ERR_SYNTAX);
    assert_err(parse("<a@[::1]>", SMTP_PATH_FORWARD, false, &p), ERR_SYNTAX);
    assert_err(parse("<a@[]>", SMTP_PATH_FORWARD, false, &p), ERR_SYNTAX);
    assert_err(parse("<a@[127.0.0.1>", SMTP_PATH_FORWARD, false, &p), ERR_SYNTAX);
}

static void syntax_errors(void **state)
{
    static const char *const bad[] = {
        "",         "<",       "a@b",    "<a@b",     "<a@>",      "<@b>",          "<a@b>x",
        "<a..b@c>", "<.a@c>",  "<a.@c>", "<a@-b>",   "<a@b->",    "<a@b..c>",      "<a@b.>",
        "<a b@c>",  "<a@b c>", "<a@@b>", "<a(x)@b>", "<a@b\x01>", "<a@b>\tSIZE=1", "< a@b>",
    };
    struct smtp_path p;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (parse(bad[i], SMTP_PATH_FORWARD, false, &p) != ERR_SYNTAX)
            fail_msg("%s was taken", bad[i]);
}

static void utf8_only_where_allowed(void **state)
{
    struct smtp_path p;
    (void)state;
    assert_err(parse("<j\xc3\xb6rg@example.test>", SMTP_PATH_FORWARD, false, &p), ERR_UNSUPPORTED);
    assert_ok(parse("<j\xc3\xb6rg@ex\xc3\xa4mple.test>", SMTP_PATH_FORWARD, true, &p));
    assert_str(p.local_part, "j\xc3\xb6rg");
    assert_ok(parse("<\"\xe2\x82\xac uro\"@example.test>", SMTP_PATH_FORWARD, true, &p));
    assert_ok(parse("<\xf0\x9f\x93\xae@example.test>", SMTP_PATH_FORWARD, true, &p));
    assert_err(parse("<\xc0\xaf@example.test>", SMTP_PATH_FORWARD, true, &p), ERR_SYNTAX);
    assert_err(parse("<\xed\xa0\x80@example.test>", SMTP_PATH_FORWARD, true, &p), ERR_SYNTAX);
    assert_err(parse("<\xc3@example.test>", SMTP_PATH_FORWARD, true, &p), ERR_SYNTAX);
}

static void lengths(void **state)
{
    char text[2048], label[SMTP_PATH_MAX];
    struct smtp_path p;
    (void)state;
    memset(label, 'a', sizeof(label));
    snprintf(text, sizeof(text), "<%.*s@b>", SMTP_LOCAL_PART_MAX, label);
    assert_ok(parse(text, SMTP_PATH_FORWARD, false, &p));
    snprintf(text, sizeof(text), "<%.*s@b>", SMTP_LOCAL_PART_MAX + 1, label);
    assert_err(parse(text, SMTP_PATH_FORWARD, false, &p), ERR_LIMIT);
    snprintf(text, sizeof(text), "<%.*s@b>", SMTP_PATH_MAX, label);
    assert_err(parse(text, SMTP_PATH_FORWARD, false, &p), ERR_LIMIT);
    snprintf(text, sizeof(text), "<a@%.63s.%.63s>", label, label);
    assert_ok(parse(text, SMTP_PATH_FORWARD, false, &p));
    snprintf(text, sizeof(text), "<a@%.64s>", label);
    assert_err(parse(text, SMTP_PATH_FORWARD, false, &p), ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(no_controls_in_any_part),
        cmocka_unit_test(null_and_postmaster),
        cmocka_unit_test(source_routes_are_dropped),
        cmocka_unit_test(quoted_local_parts),
        cmocka_unit_test(address_literals),
        cmocka_unit_test(syntax_errors),
        cmocka_unit_test(utf8_only_where_allowed),
        cmocka_unit_test(lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
