/* What a server cannot take is refused before it is taken. */
#include "relay/fit.h"

#include "unit/unit.h"

static const struct smtp_offers nothing_known = {.known = false};
static const struct smtp_offers old = {.known = true};
static const struct smtp_offers modern = {
    .known = true, .smtputf8 = true, .size = true, .size_max_bytes = 1000};

static void test_smtputf8(void **state)
{
    (void)state;
    assert_int_equal(fit_server(&modern, true, 0).code, 0);
    assert_int_equal(fit_server(&old, true, 0).code, 553);
    assert_int_equal(fit_server(&old, true, 0).enhanced.detail, 7);
    assert_int_equal(fit_server(&nothing_known, true, 0).code, 450);
    assert_int_equal(fit_server(&nothing_known, false, 0).code, 0);
    assert_int_equal(fit_server(&old, false, 0).code, 0);
}

static void test_size(void **state)
{
    (void)state;
    assert_int_equal(fit_server(&modern, false, 1000).code, 0);
    assert_int_equal(fit_server(&modern, false, 1001).code, 552);
    assert_int_equal(fit_server(&old, false, 1 << 30).code, 0);
    assert_int_equal(fit_server(&nothing_known, false, 1 << 30).code, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smtputf8),
        cmocka_unit_test(test_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
