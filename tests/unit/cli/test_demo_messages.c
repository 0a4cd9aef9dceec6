/* What the demo sends, and what its reader makes of what it gets. */
#include "cli/demo_link.h"
#include "cli/demo_message.h"
#include "cli/demo_reader.h"
#include "unit/unit.h"

#define RUN "run-0a1b2c3d"

static void make(struct buf *out, uint32_t number)
{
    buf_init(out, 4096);
    demo_message_format(out, RUN, number, "alice@example.test", (struct wall_time){0});
}

static void test_a_message_is_known_again(void **state)
{
    (void)state;
    struct buf text;
    struct ledger_seen seen;
    make(&text, 4711);
    assert_null(strstr(buf_data(&text), "\n."));
    demo_message_read(RUN, buf_str(&text), &seen);
    assert_int_equal(seen.number, 4711);
    assert_true(seen.whole);
    buf_fini(&text);
}

static void test_what_is_cut_is_not_whole(void **state)
{
    (void)state;
    struct buf text;
    struct ledger_seen seen;
    make(&text, 5);
    demo_message_read(RUN, str_sub(buf_str(&text), 0, text.len - 1), &seen);
    assert_int_equal(seen.number, 5);
    assert_false(seen.whole);
    buf_fini(&text);
}

static void test_another_runs_message_is_foreign(void **state)
{
    (void)state;
    struct buf text;
    struct ledger_seen seen;
    make(&text, 5);
    demo_message_read("run-0a1b2c3", buf_str(&text), &seen);
    assert_int_equal(seen.number, LEDGER_FOREIGN);
    demo_message_read(RUN, STR("\r\nX-Holdfast-Demo: " RUN " 99999999999\r\n"), &seen);
    assert_int_equal(seen.number, LEDGER_FOREIGN);
    demo_message_read(RUN, STR_EMPTY, &seen);
    assert_int_equal(seen.number, LEDGER_FOREIGN);
    buf_fini(&text);
}

static void test_flags_both_ways(void **state)
{
    (void)state;
    char text[96];
    unsigned flags = demo_message_flags(STR("\\Recent \\seen \\Flagged $Junk"));
    assert_int_equal(flags, LEDGER_SEEN | LEDGER_FLAGGED);
    demo_message_flags_format(flags, text, sizeof(text));
    assert_string_equal(text, "\\Seen \\Flagged");
    assert_int_equal(demo_message_flags(STR_EMPTY), 0);
}

static void test_a_fetch_response(void **state)
{
    (void)state;
    struct buf response, message;
    struct ledger_seen seen;
    make(&message, 12);
    buf_init(&response, 8192);
    buf_append_fmt(&response, "* 3 FETCH (UID 77 FLAGS (\\Seen) BODY[] {%zu}\r\n%s)", message.len,
                   buf_data(&message));
    assert_true(demo_imap_fetched(buf_str(&response), RUN, &seen));
    assert_int_equal(seen.number, 12);
    assert_int_equal(seen.uid, 77);
    assert_int_equal(seen.flags, LEDGER_SEEN);
    assert_true(seen.flags_known && seen.whole);
    buf_fini(&response);
    buf_fini(&message);
}

static void test_other_responses_are_no_fetch(void **state)
{
    (void)state;
    struct ledger_seen seen;
    assert_false(demo_imap_fetched(STR("* 3 EXISTS"), RUN, &seen));
    assert_false(demo_imap_fetched(STR("* OK still FETCH ("), RUN, &seen));
    assert_false(demo_imap_fetched(STR(""), RUN, &seen));
}

static void test_the_epoch_of_a_greeting(void **state)
{
    (void)state;
    assert_int_equal(demo_link_epoch(STR("* OK mail1 Holdfast IMAP instance=12@west1")), 12);
    assert_int_equal(demo_link_epoch(STR("220 mail1 ESMTP")), 0);
    assert_int_equal(demo_link_epoch(STR("220 mail1 instance=")), 0);
    assert_int_equal(demo_link_epoch(STR("220 mail1 instance=-1@x")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_message_is_known_again),
        cmocka_unit_test(test_what_is_cut_is_not_whole),
        cmocka_unit_test(test_another_runs_message_is_foreign),
        cmocka_unit_test(test_flags_both_ways),
        cmocka_unit_test(test_a_fetch_response),
        cmocka_unit_test(test_other_responses_are_no_fetch),
        cmocka_unit_test(test_the_epoch_of_a_greeting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
