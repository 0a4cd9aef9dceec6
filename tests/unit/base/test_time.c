#include "base/time.h"

#include "unit/unit.h"

static void assert_mail(int64_t ms, const char *expected)
{
    char out[WALL_MAIL_MAX];
    wall_format_mail((struct wall_time){ms}, out);
    assert_string_equal(out, expected);
}

static void assert_iso(int64_t ms, const char *expected)
{
    char out[WALL_TEXT_MAX];
    wall_format_iso((struct wall_time){ms}, out);
    assert_string_equal(out, expected);
}

static void mail_dates(void **state)
{
    (void)state;
    assert_mail(0, "Thu, 01 Jan 1970 00:00:00 +0000");
    assert_mail(1795458054999, "Mon, 23 Nov 2026 18:20:54 +0000");
    assert_mail(951782399000, "Mon, 28 Feb 2000 23:59:59 +0000");
    assert_mail(951782400000, "Tue, 29 Feb 2000 00:00:00 +0000");
    assert_mail(-1, "Wed, 31 Dec 1969 23:59:59 +0000");
    assert_mail(4102444800000, "Fri, 01 Jan 2100 00:00:00 +0000");
}

static void iso_dates(void **state)
{
    (void)state;
    assert_iso(0, "1970-01-01T00:00:00.000Z");
    assert_iso(1795458054123, "2026-11-23T18:20:54.123Z");
    assert_iso(-1, "1969-12-31T23:59:59.999Z");
    assert_iso(-1000, "1969-12-31T23:59:59.000Z");
}

static void absurd_dates_stay_in_bounds(void **state)
{
    (void)state;
    char mail[WALL_MAIL_MAX], iso[WALL_TEXT_MAX];
    wall_format_mail((struct wall_time){INT64_MAX}, mail);
    wall_format_iso((struct wall_time){INT64_MAX}, iso);
    wall_format_mail((struct wall_time){INT64_MIN}, mail);
    wall_format_iso((struct wall_time){INT64_MIN}, iso);
    assert_true(strlen(mail) < WALL_MAIL_MAX && strlen(iso) < WALL_TEXT_MAX);
}

static void assert_duration(int64_t ms, const char *expected)
{
    char out[32];
    duration_format(ms, out, sizeof(out));
    assert_string_equal(out, expected);
}

static void durations(void **state)
{
    (void)state;
    assert_duration(0, "0ms");
    assert_duration(1, "1ms");
    assert_duration(500, "500ms");
    assert_duration(1500, "1500ms");
    assert_duration(15000, "15s");
    assert_duration(300000, "5m");
    assert_duration(14400000, "4h");
    assert_duration(432000000, "5d");
    assert_duration(90000, "90s");
    assert_duration(-2000, "-2s");
}

static void monotonic_arithmetic(void **state)
{
    (void)state;
    struct mono_time a = {5 * NS_PER_MS}, b = mono_add_ms(a, 250);
    assert_int_equal(mono_diff_ms(b, a), 250);
    assert_int_equal(mono_diff_ms(a, b), -250);
    assert_true(mono_before(a, b));
    assert_false(mono_before(b, a));
    assert_false(mono_before(a, a));
    assert_true(mono_before(b, MONO_NEVER));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mail_dates),
        cmocka_unit_test(iso_dates),
        cmocka_unit_test(absurd_dates_stay_in_bounds),
        cmocka_unit_test(durations),
        cmocka_unit_test(monotonic_arithmetic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
