#include "base/err.h"

#include <errno.h>

#include "unit/unit.h"

static void set_formats_and_returns(void **state)
{
    (void)state;
    struct err_buf eb;
    assert_err(err_set(&eb, ERR_BUSY, "port %d is in use", 25), ERR_BUSY);
    assert_string_equal(eb.text, "port 25 is in use");
    assert_err(err_set(NULL, ERR_IO, "nobody listens"), ERR_IO);
}

static void long_detail_is_cut(void **state)
{
    (void)state;
    struct err_buf eb;
    assert_err(err_set(&eb, ERR_LIMIT, "%2000d", 1), ERR_LIMIT);
    assert_int_equal(strlen(eb.text), sizeof(eb.text) - 1);
}

static void every_code_has_a_name_of_its_own(void **state)
{
    (void)state;
    assert_string_equal(err_name(0), "ok");
    for (int code = ERR_INVALID; code >= ERR_CANCELLED; code--) {
        assert_non_null(err_name(code));
        assert_string_not_equal(err_name(code), "error");
        for (int other = 0; other > code; other--)
            assert_string_not_equal(err_name(code), err_name(other));
    }
}

static void unknown_codes_are_errors(void **state)
{
    (void)state;
    assert_string_equal(err_name(1), "error");
    assert_string_equal(err_name(ERR_CANCELLED - 1), "error");
    assert_string_equal(err_name(-100000), "error");
}

static void errno_values(void **state)
{
    (void)state;
    assert_int_equal(err_from_errno(0), 0);
    assert_err(err_from_errno(ENOENT), ERR_NOT_FOUND);
    assert_err(err_from_errno(ENOSPC), ERR_FULL);
    assert_err(err_from_errno(EDQUOT), ERR_FULL);
    assert_err(err_from_errno(EACCES), ERR_DENIED);
    assert_err(err_from_errno(EADDRINUSE), ERR_BUSY);
    assert_err(err_from_errno(ECONNREFUSED), ERR_REFUSED);
    assert_err(err_from_errno(ECONNRESET), ERR_CLOSED);
    assert_err(err_from_errno(ETIMEDOUT), ERR_TIMEOUT);
    assert_err(err_from_errno(EIO), ERR_IO);
    assert_err(err_from_errno(99999), ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_formats_and_returns),
        cmocka_unit_test(long_detail_is_cut),
        cmocka_unit_test(every_code_has_a_name_of_its_own),
        cmocka_unit_test(unknown_codes_are_errors),
        cmocka_unit_test(errno_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
