/* What the ledger says of servers that are not ours, and of reports to senders. */
#include "simulation/ledger_rig.h"

#define ID STR("report1")

/* What alice's copy is; bob's goes well. */
static struct ledger_piece alices(const struct history *h)
{
    ledger_answer(h->ledger, h->tag, ALICE, LEDGER_ACCEPTED);
    return (struct ledger_piece){h->tag, ALICE, STR_EMPTY};
}

static void ask(const struct history *h, unsigned kinds)
{
    ledger_asked(h->ledger, h->tag, ALICE, kinds);
}

/* One that her server takes, and the queue knows of it. */
static void deliver(struct history *h, const struct ledger_piece *piece)
{
    ledger_dot(h->ledger, piece);
    history_show(h, piece->recipient);
    ledger_outcome(h->ledger, piece, LEDGER_TAKEN);
    ledger_custody(h->ledger, h->tag, piece->recipient, LEDGER_DELIVERED);
}

static void report(const struct history *h, struct str id, enum ledger_report kind)
{
    ledger_reported(h->ledger, id, h->tag, ALICE, kind);
    ledger_report_shown(h->ledger, id, h->tag, ALICE, kind);
    ledger_report_custody(h->ledger, id, LEDGER_DELIVERED);
}

static void bounce(const struct history *h)
{
    ledger_custody(h->ledger, h->tag, ALICE, LEDGER_BOUNCED);
}

/* ---- doubles at a server that is not ours ---- */

static void test_a_double_after_an_answer_that_did_not_come(void **state)
{
    struct history *h = *state;
    struct ledger_piece piece = alices(h);
    ledger_dot(h->ledger, &piece);
    history_show(h, ALICE);
    ledger_outcome(h->ledger, &piece, LEDGER_UNANSWERED);
    deliver(h, &piece);
    history_assert_judged(h, "");
}

static void test_a_double_after_an_answer_that_was_not_recorded(void **state)
{
    struct history *h = *state;
    struct ledger_piece piece = alices(h);
    ledger_dot(h->ledger, &piece);
    history_show(h, ALICE);
    deliver(h, &piece);
    history_assert_judged(h, "");
}

static void test_a_double_after_an_answer(void **state)
{
    struct history *h = *state;
    struct ledger_piece piece = alices(h);
    ledger_dot(h->ledger, &piece);
    history_show(h, ALICE);
    ledger_outcome(h->ledger, &piece, LEDGER_TURNED_OFF);
    deliver(h, &piece);
    history_assert_judged(h, "doubled:");
}

static void test_more_copies_than_unknown_answers(void **state)
{
    struct history *h = *state;
    struct ledger_piece piece = alices(h);
    ledger_dot(h->ledger, &piece);
    history_show(h, ALICE);
    history_show(h, ALICE);
    ledger_outcome(h->ledger, &piece, LEDGER_UNANSWERED);
    deliver(h, &piece);
    history_assert_judged(h, "doubled:");
}

static void test_a_dot_after_the_record(void **state)
{
    struct history *h = *state;
    struct ledger_piece piece = alices(h);
    deliver(h, &piece);
    ledger_dot(h->ledger, &piece);
    history_assert_judged(h, "doubled:");
}

static void test_a_record_of_what_never_came_to_a_dot(void **state)
{
    struct history *h = *state;
    struct ledger_piece piece = alices(h);
    ledger_outcome(h->ledger, &piece, LEDGER_TURNED_OFF);
    deliver(h, &piece);
    history_assert_judged(h, "");
}

static void test_a_dot_of_what_was_never_sent(void **state)
{
    struct history *h = *state;
    struct ledger_piece piece = {h->tag + 1, ALICE, STR_EMPTY};
    ledger_dot(h->ledger, &piece);
    history_assert_judged(h, "strange:");
}

/* ---- reports ---- */

static void test_told_as_it_was_asked_for(void **state)
{
    struct history *h = *state;
    struct ledger_piece piece = alices(h);
    ask(h, 1U << LEDGER_SUCCEEDED | 1U << LEDGER_DELAYED);
    report(h, STR("earlier"), LEDGER_DELAYED);
    deliver(h, &piece);
    report(h, ID, LEDGER_SUCCEEDED);
    history_assert_judged(h, "");
}

static void test_a_bounce(void **state)
{
    struct history *h = *state;
    (void)alices(h);
    ask(h, 1U << LEDGER_FAILED);
    report(h, ID, LEDGER_FAILED);
    bounce(h);
    history_assert_judged(h, "");
}

static void test_a_bounce_without_a_report(void **state)
{
    struct history *h = *state;
    (void)alices(h);
    ask(h, 1U << LEDGER_FAILED);
    bounce(h);
    history_assert_judged(h, "reports:");
}

static void test_a_failure_that_is_in_quarantine_untold(void **state)
{
    struct history *h = *state;
    (void)alices(h);
    ask(h, 1U << LEDGER_FAILED);
    ledger_custody(h->ledger, h->tag, ALICE, LEDGER_QUARANTINED);
    history_assert_judged(h, "reports:");
}

static void test_what_lost_its_connections_is_told_to_nobody(void **state)
{
    struct history *h = *state;
    (void)alices(h);
    ask(h, 1U << LEDGER_FAILED);
    ledger_custody(h->ledger, h->tag, ALICE, LEDGER_STOPPED);
    history_assert_judged(h, "");
}

static void test_bounced_and_delivered(void **state)
{
    struct history *h = *state;
    struct ledger_piece piece = alices(h);
    ask(h, 1U << LEDGER_FAILED);
    ledger_dot(h->ledger, &piece);
    report(h, ID, LEDGER_FAILED);
    bounce(h);
    ledger_outcome(h->ledger, &piece, LEDGER_TAKEN);
    history_assert_judged(h, "reports:");
}

static void test_a_failure_of_what_waits(void **state)
{
    struct history *h = *state;
    (void)alices(h);
    ask(h, 1U << LEDGER_FAILED);
    report(h, ID, LEDGER_FAILED);
    ledger_custody(h->ledger, h->tag, ALICE, LEDGER_QUEUED);
    history_assert_judged(h, "reports:");
}

static void test_a_success_of_what_waits(void **state)
{
    struct history *h = *state;
    (void)alices(h);
    ask(h, 1U << LEDGER_SUCCEEDED);
    report(h, ID, LEDGER_SUCCEEDED);
    ledger_custody(h->ledger, h->tag, ALICE, LEDGER_QUEUED);
    history_assert_judged(h, "reports:");
}

static void test_a_success_that_is_not_told(void **state)
{
    struct history *h = *state;
    struct ledger_piece piece = alices(h);
    ask(h, 1U << LEDGER_SUCCEEDED);
    deliver(h, &piece);
    history_assert_judged(h, "reports:");
}

static void test_told_and_not_asked_for(void **state)
{
    struct history *h = *state;
    (void)alices(h);
    report(h, ID, LEDGER_FAILED);
    bounce(h);
    history_assert_judged(h, "reports:");
}

static void test_told_twice(void **state)
{
    struct history *h = *state;
    (void)alices(h);
    ask(h, 1U << LEDGER_FAILED);
    report(h, ID, LEDGER_FAILED);
    report(h, STR("report2"), LEDGER_FAILED);
    bounce(h);
    history_assert_judged(h, "reports:");
}

/* ---- what becomes of a report ---- */

static void begin_bounce(const struct history *h)
{
    (void)alices(h);
    ask(h, 1U << LEDGER_FAILED);
    ledger_reported(h->ledger, ID, h->tag, ALICE, LEDGER_FAILED);
    bounce(h);
}

static void test_a_report_recorded_as_delivered_that_did_not_come(void **state)
{
    struct history *h = *state;
    begin_bounce(h);
    ledger_report_custody(h->ledger, ID, LEDGER_DELIVERED);
    history_assert_judged(h, "lost:");
}

static void test_a_report_that_no_queue_knows(void **state)
{
    struct history *h = *state;
    begin_bounce(h);
    history_assert_judged(h, "lost:");
}

static void test_a_report_that_was_removed(void **state)
{
    struct history *h = *state;
    begin_bounce(h);
    ledger_report_custody(h->ledger, ID, LEDGER_REMOVED);
    history_assert_judged(h, "lost:");
}

static void test_a_report_in_quarantine_without_its_event(void **state)
{
    struct history *h = *state;
    begin_bounce(h);
    ledger_report_custody(h->ledger, ID, LEDGER_QUARANTINED_SILENTLY);
    history_assert_judged(h, "lost:");
}

static void test_a_report_that_nobody_could_take(void **state)
{
    struct history *h = *state;
    begin_bounce(h);
    ledger_report_custody(h->ledger, ID, LEDGER_QUARANTINED);
    history_assert_judged(h, "");
}

static void test_a_report_shown_twice(void **state)
{
    struct history *h = *state;
    begin_bounce(h);
    ledger_report_custody(h->ledger, ID, LEDGER_DELIVERED);
    ledger_report_shown(h->ledger, ID, h->tag, ALICE, LEDGER_FAILED);
    ledger_report_shown(h->ledger, ID, h->tag, ALICE, LEDGER_FAILED);
    history_assert_judged(h, "doubled:");
}

static void test_a_report_shown_twice_as_it_may_be(void **state)
{
    struct history *h = *state;
    struct ledger_piece piece = {0, ALICE, ID};
    begin_bounce(h);
    ledger_report_custody(h->ledger, ID, LEDGER_DELIVERED);
    for (int i = 0; i < 2; i++) {
        ledger_dot(h->ledger, &piece);
        ledger_report_shown(h->ledger, ID, h->tag, ALICE, LEDGER_FAILED);
    }
    ledger_outcome(h->ledger, &piece, LEDGER_TAKEN);
    history_assert_judged(h, "");
}

static void test_a_report_that_says_something_else(void **state)
{
    struct history *h = *state;
    begin_bounce(h);
    ledger_report_custody(h->ledger, ID, LEDGER_DELIVERED);
    ledger_report_shown(h->ledger, ID, h->tag, ALICE, LEDGER_FAILED);
    ledger_report_shown(h->ledger, ID, h->tag, BOB, LEDGER_FAILED);
    history_assert_judged(h, "strange:");
}

static void test_a_report_that_leaves_out_one_of_two(void **state)
{
    struct history *h = *state;
    begin_bounce(h);
    ledger_asked(h->ledger, h->tag, BOB, 1U << LEDGER_FAILED);
    ledger_reported(h->ledger, ID, h->tag, BOB, LEDGER_FAILED);
    ledger_custody(h->ledger, h->tag, BOB, LEDGER_BOUNCED);
    ledger_report_custody(h->ledger, ID, LEDGER_DELIVERED);
    ledger_report_shown(h->ledger, ID, h->tag, ALICE, LEDGER_FAILED);
    history_assert_judged(h, "changed:");
}

static void test_a_report_in_two_queues(void **state)
{
    struct history *h = *state;
    begin_bounce(h);
    ledger_report_shown(h->ledger, ID, h->tag, ALICE, LEDGER_FAILED);
    ledger_report_custody(h->ledger, ID, LEDGER_DELIVERED);
    ledger_report_custody(h->ledger, ID, LEDGER_QUEUED);
    history_assert_judged(h, "doubled:");
}

static void test_a_report_that_nobody_made(void **state)
{
    struct history *h = *state;
    ledger_report_custody(h->ledger, ID, LEDGER_QUEUED);
    history_assert_judged(h, "strange:");
}

static void test_a_report_of_what_was_never_sent(void **state)
{
    struct history *h = *state;
    ledger_reported(h->ledger, ID, h->tag + 1, ALICE, LEDGER_FAILED);
    ledger_report_custody(h->ledger, ID, LEDGER_QUEUED);
    history_assert_judged(h, "strange:");
}

#define CASE(name) cmocka_unit_test_setup_teardown(test_##name, history_begin, history_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_double_after_an_answer_that_did_not_come),
        CASE(a_double_after_an_answer_that_was_not_recorded),
        CASE(a_double_after_an_answer),
        CASE(more_copies_than_unknown_answers),
        CASE(a_dot_after_the_record),
        CASE(a_record_of_what_never_came_to_a_dot),
        CASE(a_dot_of_what_was_never_sent),
        CASE(told_as_it_was_asked_for),
        CASE(a_bounce),
        CASE(a_bounce_without_a_report),
        CASE(a_failure_that_is_in_quarantine_untold),
        CASE(what_lost_its_connections_is_told_to_nobody),
        CASE(bounced_and_delivered),
        CASE(a_failure_of_what_waits),
        CASE(a_success_of_what_waits),
        CASE(a_success_that_is_not_told),
        CASE(told_and_not_asked_for),
        CASE(told_twice),
        CASE(a_report_recorded_as_delivered_that_did_not_come),
        CASE(a_report_that_no_queue_knows),
        CASE(a_report_that_was_removed),
        CASE(a_report_in_quarantine_without_its_event),
        CASE(a_report_that_nobody_could_take),
        CASE(a_report_shown_twice),
        CASE(a_report_shown_twice_as_it_may_be),
        CASE(a_report_that_says_something_else),
        CASE(a_report_that_leaves_out_one_of_two),
        CASE(a_report_in_two_queues),
        CASE(a_report_that_nobody_made),
        CASE(a_report_of_what_was_never_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
