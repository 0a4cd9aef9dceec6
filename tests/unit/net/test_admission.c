/* Who is let in, and whose session makes room. */
#include "net/admission.h"

#include <string.h>

#include "net/descriptors.h"
#include "unit/unit.h"

static struct addr at(const char *ip)
{
    struct addr a;
    assert_ok(addr_parse_ip(str_from(ip), 1234, &a));
    return a;
}

static enum admission_word ask(struct admission *a, const char *ip, bool own,
                               struct admission_slot **ret_idle)
{
    struct addr peer = at(ip);
    return admission_ask(a, &peer, own, ret_idle);
}

static void enter(struct admission *a, struct admission_slot *slot, const char *ip, bool own)
{
    struct addr peer = at(ip);
    memset(slot, 0, sizeof(*slot));
    admission_enter(a, slot, &peer, own);
}

static void the_longest_idle_makes_room(void **state)
{
    struct admission a;
    struct admission_slot s[3], *idle;
    (void)state;
    admission_init(&a, 3, 10);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ask(&a, "192.0.2.1", false, &idle), ADMISSION_GRANTED);
        assert_null(idle);
        enter(&a, &s[i], "192.0.2.1", false);
    }
    assert_int_equal(ask(&a, "192.0.2.2", false, &idle), ADMISSION_GRANTED);
    assert_ptr_equal(idle, &s[0]);
    admission_touch(&s[0]);
    assert_int_equal(ask(&a, "192.0.2.2", false, &idle), ADMISSION_GRANTED);
    assert_ptr_equal(idle, &s[1]);
    admission_set_busy(&s[1], true);
    admission_touch(&s[1]);
    assert_int_equal(ask(&a, "192.0.2.2", false, &idle), ADMISSION_GRANTED);
    assert_ptr_equal(idle, &s[2]);
    admission_set_busy(&s[0], true);
    admission_set_busy(&s[2], true);
    assert_int_equal(ask(&a, "192.0.2.2", false, &idle), ADMISSION_FULL);
    admission_set_busy(&s[0], false);
    admission_set_busy(&s[2], false);
    admission_set_busy(&s[1], false); /* done: idle from now on */
    admission_leave(&s[2]);
    enter(&a, &s[2], "192.0.2.2", false);
    assert_int_equal(ask(&a, "192.0.2.3", false, &idle), ADMISSION_GRANTED);
    assert_ptr_equal(idle, &s[0]);
    for (size_t i = 0; i < 3; i++)
        admission_leave(&s[i]);
    admission_leave(&s[0]); /* again: nothing */
    admission_fini(&a);
}

static void when_all_are_busy_the_new_one_is_refused(void **state)
{
    struct admission a;
    struct admission_slot s[2 + ADMISSION_OWN_EXTRA], *idle;
    (void)state;
    admission_init(&a, 2, 10);
    for (size_t i = 0; i < ARRAY_LEN(s); i++) {
        assert_int_equal(ask(&a, "192.0.2.1", false, &idle), i < 2 ? ADMISSION_GRANTED : ADMISSION_FULL);
        assert_int_equal(ask(&a, "192.0.2.1", true, &idle), ADMISSION_GRANTED); /* the network's own */
        enter(&a, &s[i], "192.0.2.1", true);
        admission_set_busy(&s[i], true);
    }
    assert_int_equal(ask(&a, "192.0.2.1", true, &idle), ADMISSION_FULL);
    for (size_t i = 0; i < ARRAY_LEN(s); i++)
        admission_leave(&s[i]);
    admission_fini(&a);
}

static void each_client_has_a_limit_of_its_own(void **state)
{
    static const struct {
        const char *first, *second;
        enum admission_word word;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", ADMISSION_CLIENT_FULL},
        {"192.0.2.1", "192.0.2.2", ADMISSION_GRANTED},
        {"192.0.2.1", "::ffff:192.0.2.1", ADMISSION_CLIENT_FULL},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.2", ADMISSION_GRANTED},
        {"2001:db8::1", "2001:db8::ffff:1", ADMISSION_CLIENT_FULL}, /* of one /64 */
        {"2001:db8::1", "2001:db8:0:1::1", ADMISSION_GRANTED},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct admission a;
        struct admission_slot s, *idle;
        admission_init(&a, 10, 1);
        enter(&a, &s, cases[i].first, false);
        assert_int_equal(ask(&a, cases[i].second, false, &idle), cases[i].word);
        assert_int_equal(ask(&a, cases[i].second, true, &idle), ADMISSION_GRANTED);
        admission_leave(&s);
        assert_int_equal(ask(&a, cases[i].second, false, &idle), ADMISSION_GRANTED);
        admission_fini(&a);
    }
}

static void other_limits_hold_at_once(void **state)
{
    struct admission a;
    struct admission_slot s[2], *idle;
    (void)state;
    admission_init(&a, 1, 1);
    enter(&a, &s[0], "192.0.2.1", false);
    admission_configure(&a, 2, 2);
    assert_int_equal(ask(&a, "192.0.2.1", false, &idle), ADMISSION_GRANTED);
    assert_null(idle);
    enter(&a, &s[1], "192.0.2.1", false);
    admission_configure(&a, 1, 2);
    assert_int_equal(ask(&a, "192.0.2.2", false, &idle), ADMISSION_GRANTED);
    assert_ptr_equal(idle, &s[0]);
    admission_leave(&s[0]);
    admission_leave(&s[1]);
    admission_fini(&a);
}

static void few_linger(void **state)
{
    struct admission a;
    struct admission_slot s, none = {0};
    struct mono_time now = {1000};
    (void)state;
    admission_init(&a, 1, 1);
    enter(&a, &s, "192.0.2.1", false);
    for (size_t i = 0; i < ADMISSION_LINGERING_MAX; i++)
        assert_int_equal(admission_linger_ms(&s, now, 5000), 5000);
    assert_int_equal(admission_linger_ms(&s, mono_add_ms(now, 4999), 5000), 0);
    assert_int_equal(admission_linger_ms(&s, mono_add_ms(now, 5000), 5000), 5000);
    assert_int_equal(admission_linger_ms(&none, now, 5000), 5000);
    admission_leave(&s);
    admission_fini(&a);
}

static void descriptors_bound_the_sessions(void **state)
{
    (void)state;
    assert_int_equal(descriptors_sessions(0, 2000, 1, 100), 2000);      /* not known */
    assert_int_equal(descriptors_sessions(524288, 2000, 1, 100), 2000); /* plenty */
    assert_in_range(descriptors_sessions(1024, 2000, 1, 100), 800, 923);
    assert_int_equal(descriptors_sessions(1024, 2000, 2, 100), descriptors_sessions(1024, 2000, 1, 100) / 2);
    assert_int_equal(descriptors_sessions(100, 2000, 1, 1000), 25); /* a quarter at least */
    assert_int_equal(descriptors_sessions(3, 2000, 2, 0), 1);
    assert_true(descriptors_raise() > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_idle_makes_room),
        cmocka_unit_test(when_all_are_busy_the_new_one_is_refused),
        cmocka_unit_test(each_client_has_a_limit_of_its_own),
        cmocka_unit_test(other_limits_hold_at_once),
        cmocka_unit_test(few_linger),
        cmocka_unit_test(descriptors_bound_the_sessions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
