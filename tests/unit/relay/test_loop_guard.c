#include <stdlib.h>
#include <string.h>

#include "relay/loop_guard.h"
#include "unit/unit.h"

static const char own[] = "relay-east.example.test";

static void feed(struct loop_guard *g, const char *text, size_t step)
{
    size_t len = strlen(text);
    for (size_t at = 0; at < len; at += step)
        loop_guard_feed(g, text + at, len - at < step ? len - at : step);
}

static struct loop_guard guard_of(const char *text, size_t step)
{
    struct loop_guard g;
    loop_guard_init(&g, str_from(own));
    feed(&g, text, step);
    return g;
}

static void test_guard_counts_hops_in_any_pieces(void **state)
{
    (void)state;
    const char *text = "Received: from a by relay-east.example.test with SMTP\r\n"
                       "received: from b\r\n\tby relay-east.example.test (Holdfast)\r\n"
                       "X-Received: by relay-east.example.test\r\n"
                       "Subject: by relay-east.example.test\r\n"
                       "Received: by relay-east.example.testing\r\n"
                       "\r\nReceived: by relay-east.example.test\r\n";
    for (size_t step = 1; step < 40; step++) {
        struct loop_guard g = guard_of(text, step);
        assert_int_equal(g.hops, 3);
        assert_int_equal(g.own_hops, 2);
        assert_false(loop_guard_tripped(&g));
    }
}

static void test_the_own_name_is_found_across_blanks(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t own_hops;
    } cases[] = {
        {"Received: from a by\r\n\trelay-east.example.test with SMTP\r\n\r\n", 1},
        {"Received: from a\r\n by \r\n  RELAY-east.example.test; now\r\n\r\n", 1},
        {"Received: from a by\trelay-east.example.test\twith SMTP\r\n\r\n", 1},
        {"Received:by  relay-east.example.test(Holdfast)\r\n\r\n", 1},
        {"Received: by relay-east.example.test\r\n\tby relay-east.example.test\r\n\r\n", 1},
        {"Received: from a by\r\n\tb relay-east.example.test\r\n\r\n", 0},
        {"Received: from a by\r\nSubject: relay-east.example.test\r\n\r\n", 0},
        {"Received: from relay-east.example.test standby relay-east.example.test\r\n\r\n", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (size_t step = 1; step < 30; step++)
            assert_int_equal(guard_of(cases[i].text, step).own_hops, cases[i].own_hops);
}

static void test_the_message_id_is_kept(void **state)
{
    (void)state;
    static const struct {
        const char *text, *kept;
    } cases[] = {
        {"Message-ID: <a@b.test>\r\n\r\n", "<a@b.test>"},
        {"message-id:<a@b.test> (sent twice)\r\nMessage-ID: <other@b.test>\r\n\r\n", "<a@b.test>"},
        {"Message-ID:\r\n\t<a@b.test>\r\nX: y\r\n\r\n", "<a@b.test>"},
        {"Message-ID: \r\nX: <a@b.test>\r\n <c@d.test>\r\n\r\n", ""},
        {"Message-ID: no brackets\r\n\r\n", "no brackets"},
        {"X-Message-ID: <a@b.test>\r\n\r\nMessage-ID: <a@b.test>\r\n", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (size_t step = 1; step < 30; step++)
            assert_string_equal(guard_of(cases[i].text, step).message_id, cases[i].kept);
}

static void test_a_long_message_id_is_cut(void **state)
{
    (void)state;
    char text[2000] = "Message-ID: <", *end = text + strlen(text);
    memset(end, 'x', 1000);
    strcpy(end + 1000, "@b.test>\r\n\r\n");
    struct loop_guard g = guard_of(text, 7);
    assert_int_equal(strlen(g.message_id), sizeof(g.message_id) - 1);
    assert_int_equal(strncmp(g.message_id, "<xxx", 4), 0);
}

static void test_guard_trips_on_own_name(void **state)
{
    (void)state;
    struct loop_guard g;
    loop_guard_init(&g, str_from(own));
    for (int i = 0; i < OWN_HOPS_MAX; i++) {
        assert_false(loop_guard_tripped(&g));
        feed(&g, "Received: by relay-east.example.test; now\r\n", 7);
    }
    assert_true(loop_guard_tripped(&g));
}

static void test_guard_trips_on_hops(void **state)
{
    (void)state;
    struct loop_guard g;
    loop_guard_init(&g, str_from(own));
    for (int i = 0; i < HOPS_MAX; i++) {
        assert_false(loop_guard_tripped(&g));
        feed(&g, "Received: by elsewhere.test; now\r\n", 100);
    }
    assert_true(loop_guard_tripped(&g));
}

static void test_guard_bears_endless_lines(void **state)
{
    (void)state;
    struct loop_guard g;
    loop_guard_init(&g, str_from(own));
    for (int i = 0; i < 100000; i++)
        loop_guard_feed(&g, "Received: ", 10);
    loop_guard_feed(&g, "\r\n", 2);
    assert_int_equal(g.hops, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guard_counts_hops_in_any_pieces),
        cmocka_unit_test(test_the_own_name_is_found_across_blanks),
        cmocka_unit_test(test_the_message_id_is_kept),
        cmocka_unit_test(test_a_long_message_id_is_cut),
        cmocka_unit_test(test_guard_trips_on_own_name),
        cmocka_unit_test(test_guard_trips_on_hops),
        cmocka_unit_test(test_guard_bears_endless_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
