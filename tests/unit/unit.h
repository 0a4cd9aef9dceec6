/* What every unit test includes: cmocka with the headers that it wants first,
 * and assertions for our own types. For tests only. */
#ifndef HOLDFAST_TESTS_UNIT_H
#define HOLDFAST_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

/* The bytes of a view are those of a text. */
#define assert_str(actual, expected)                                                                         \
    do {                                                                                                     \
        struct str actual_ = (actual), expected_ = str_from(expected);                                       \
        if (!str_eq(actual_, expected_))                                                                     \
            fail_msg("\"%.*s\" is not \"%.*s\"", STR_ARG(actual_), STR_ARG(expected_));                      \
    } while (0)

/* Returns 0, or a negative ERR_* as named. */
#define assert_ok(call)        assert_int_equal((call), 0)
#define assert_err(call, code) assert_int_equal((call), (code))

#endif
