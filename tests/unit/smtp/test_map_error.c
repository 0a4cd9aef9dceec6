#include "smtp/map_error.h"

#include "unit/unit.h"

static void as_documented(void **state)
{
    static const struct {
        int err;
        uint16_t code, subject, detail;
    } table[] = {
        {ERR_FULL, 452, 3, 1},        {ERR_SYNC, 451, 3, 0},     {ERR_IO, 451, 3, 0},
        {ERR_UNAVAILABLE, 451, 3, 0}, {ERR_DEGRADED, 451, 3, 0}, {ERR_UNKNOWN, 451, 3, 0},
        {ERR_TIMEOUT, 451, 3, 0},     {ERR_BUSY, 451, 3, 0},     {ERR_CORRUPT, 451, 3, 0},
        {ERR_FENCED, 421, 3, 2},      {ERR_CLOSED, 421, 3, 2},   {ERR_VERSION, 421, 3, 2},
        {ERR_CANCELLED, 421, 3, 2},   {ERR_LIMIT, 552, 3, 4},    {ERR_NOT_FOUND, 550, 1, 1},
        {ERR_DENIED, 451, 3, 0},      {ERR_INVALID, 550, 6, 0},  {ERR_SYNTAX, 550, 6, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct smtp_reply r = smtp_reply_for_error(table[i].err);
        assert_int_equal(r.code, table[i].code);
        assert_int_equal(r.enhanced.subject, table[i].subject);
        assert_int_equal(r.enhanced.detail, table[i].detail);
    }
}

static void never_a_yes(void **state)
{
    (void)state;
    for (int err = -100; err < 0; err++) {
        struct smtp_reply r = smtp_reply_for_error(err);
        assert_true(smtp_reply_class(&r) == 4 || smtp_reply_class(&r) == 5);
        assert_int_equal(r.enhanced.class, smtp_reply_class(&r));
        assert_true(r.text.len > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_documented),
        cmocka_unit_test(never_a_yes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
