/* Every kind of violation is found in a history that has it, and nothing else is. */
#include "simulation/ledger_rig.h"

#include <stdio.h>

/* ---- what is good ---- */

static void test_a_clean_history_is_clean(void **state)
{
    struct history *h = *state;
    history_accept(h);
    ledger_read(h->ledger, ALICE, 7, 1, h->tag, 0);
    ledger_read_all(h->ledger, ALICE, 7, 2);
    ledger_flagged(h->ledger, h->tag, ALICE, FLAG);
    ledger_read(h->ledger, ALICE, 7, 1, h->tag, FLAG | OTHER);
    ledger_read_all(h->ledger, ALICE, 7, 2);
    history_show_with(h, ALICE, TRACE, h->message, FLAG);
    ledger_expunged(h->ledger, h->tag, BOB);
    ledger_custody(h->ledger, h->tag, ALICE, LEDGER_DELIVERED);
    ledger_custody(h->ledger, h->tag, BOB, LEDGER_DELIVERED);
    ledger_began(h->ledger, STR("server"), 1);
    ledger_wrote(h->ledger, STR("server"), 1);
    ledger_fenced(h->ledger, STR("server"), 2);
    ledger_fenced(h->ledger, STR("server"), 2);
    ledger_began(h->ledger, STR("server"), 3);
    ledger_wrote(h->ledger, STR("server"), 3);
    ledger_leased(h->ledger, STR("lease"), STR("a"), 100);
    ledger_serves(h->ledger, STR("lease"), STR("a"), 100);
    ledger_lives(h->ledger, STR("server"), 3);
    ledger_off(h->ledger, STR("server"), 1);
    ledger_able(h->ledger, STR("server"), 3);
    ledger_routed(h->ledger, STR("a.test"), STR("first"), 1);
    ledger_moved(h->ledger, STR("a.test"), STR("first"));
    ledger_routed(h->ledger, STR("a.test"), STR("first"), 2);
    ledger_moved(h->ledger, STR("a.test"), STR("first"));
    ledger_given(h->ledger, STR("server"), 3);
    history_assert_judged(h, "");
}

static void test_what_waits_is_not_lost(void **state)
{
    struct history *h = *state;
    history_accept(h);
    ledger_custody(h->ledger, h->tag, ALICE, LEDGER_QUEUED);
    ledger_custody(h->ledger, h->tag, BOB, LEDGER_QUARANTINED);
    history_assert_judged(h, "");
}

static void test_what_was_not_answered_may_be_there_or_not(void **state)
{
    struct history *h = *state;
    history_show(h, ALICE);
    history_assert_judged(h, "");
}

static void test_a_removal_that_was_not_answered_may_have_happened(void **state)
{
    struct history *h = *state;
    history_accept(h);
    history_show(h, ALICE);
    ledger_expunge_open(h->ledger, h->tag, ALICE);
    ledger_expunge_open(h->ledger, h->tag, BOB);
    history_assert_judged(h, "");
}

static void test_uids_begin_anew_with_another_validity(void **state)
{
    struct history *h = *state;
    ledger_read(h->ledger, ALICE, 7, 5, h->tag, 0);
    ledger_read_all(h->ledger, ALICE, 7, 6);
    ledger_read(h->ledger, ALICE, 8, 1, h->tag, 0);
    ledger_read_all(h->ledger, ALICE, 8, 2);
    history_assert_judged(h, "");
}

/* ---- lost ---- */

static void test_accepted_and_nowhere_is_lost(void **state)
{
    struct history *h = *state;
    history_accept(h);
    history_show(h, ALICE);
    history_assert_judged(h, "lost:");
}

static void test_recorded_as_delivered_and_not_shown_is_lost(void **state)
{
    struct history *h = *state;
    history_accept(h);
    history_show(h, ALICE);
    ledger_custody(h->ledger, h->tag, BOB, LEDGER_DELIVERED);
    history_assert_judged(h, "lost:");
}

static void test_what_nobody_removed_is_lost(void **state)
{
    struct history *h = *state;
    history_accept(h);
    history_show(h, BOB);
    ledger_custody(h->ledger, h->tag, ALICE, LEDGER_REMOVED);
    history_assert_judged(h, "lost:");
}

static void test_quarantine_without_its_event_is_lost(void **state)
{
    struct history *h = *state;
    history_accept(h);
    history_show(h, ALICE);
    ledger_custody(h->ledger, h->tag, BOB, LEDGER_QUARANTINED_SILENTLY);
    history_assert_judged(h, "lost:");
}

/* ---- doubled ---- */

static void test_shown_twice(void **state)
{
    struct history *h = *state;
    history_show(h, ALICE);
    history_show(h, ALICE);
    history_assert_judged(h, "doubled:");
}

static void test_shown_after_it_was_expunged(void **state)
{
    struct history *h = *state;
    ledger_expunged(h->ledger, h->tag, ALICE);
    history_show(h, ALICE);
    history_assert_judged(h, "doubled:");
}

static void test_read_after_it_was_expunged(void **state)
{
    struct history *h = *state;
    ledger_expunged(h->ledger, h->tag, ALICE);
    ledger_read(h->ledger, ALICE, 7, 2, h->tag, 0);
    history_assert_judged(h, "doubled:");
}

static void test_expunged_twice(void **state)
{
    struct history *h = *state;
    ledger_expunged(h->ledger, h->tag, ALICE);
    ledger_expunged(h->ledger, h->tag, ALICE);
    history_assert_judged(h, "doubled:");
}

static void test_read_under_two_uids(void **state)
{
    struct history *h = *state;
    ledger_read(h->ledger, ALICE, 7, 1, h->tag, 0);
    ledger_read(h->ledger, ALICE, 7, 2, h->tag, 0);
    history_assert_judged(h, "doubled:");
}

static void test_in_two_queues(void **state)
{
    struct history *h = *state;
    ledger_custody(h->ledger, h->tag, ALICE, LEDGER_DELIVERED);
    ledger_custody(h->ledger, h->tag, ALICE, LEDGER_QUEUED);
    history_assert_judged(h, "doubled:");
}

static void test_a_quarantine_told_twice(void **state)
{
    struct history *h = *state;
    ledger_custody(h->ledger, h->tag, ALICE, LEDGER_QUARANTINED_LOUDLY);
    history_assert_judged(h, "doubled:");
}

/* ---- changed ---- */

static void test_other_bytes(void **state)
{
    struct history *h = *state;
    char *at = strstr(h->message, "body");
    *at = 'B';
    history_show(h, ALICE);
    history_assert_judged(h, "changed:");
}

static void test_bytes_that_were_cut_off(void **state)
{
    struct history *h = *state;
    h->message[strlen(h->message) - 3] = '\0';
    history_show(h, ALICE);
    history_assert_judged(h, "changed:");
}

static void test_no_trace_lines(void **state)
{
    struct history *h = *state;
    history_show_with(h, ALICE, "", h->message, 0);
    history_assert_judged(h, "changed:");
}

static void test_other_lines_among_the_trace(void **state)
{
    struct history *h = *state;
    history_show_with(h, ALICE, TRACE "X-Added: y\r\n", h->message, 0);
    history_assert_judged(h, "changed:");
}

/* ---- refused, strange ---- */

static void test_refused_and_shown(void **state)
{
    struct history *h = *state;
    ledger_answer(h->ledger, h->tag, ALICE, LEDGER_REFUSED);
    history_show(h, ALICE);
    history_assert_judged(h, "refused:");
}

static void test_refused_and_queued(void **state)
{
    struct history *h = *state;
    ledger_answer(h->ledger, h->tag, ALICE, LEDGER_REFUSED);
    ledger_custody(h->ledger, h->tag, ALICE, LEDGER_QUEUED);
    history_assert_judged(h, "refused:");
}

static void test_shown_to_somebody_else(void **state)
{
    struct history *h = *state;
    history_show(h, STR("carol@example.test"));
    history_assert_judged(h, "strange:");
}

static void test_shown_and_never_sent(void **state)
{
    struct history *h = *state;
    history_show_with(h, ALICE, TRACE, "Ledger-Tag: 99\r\n\r\n", 0);
    history_assert_judged(h, "strange:");
}

static void test_a_tag_in_the_body_is_none(void **state)
{
    struct history *h = *state;
    history_show_with(h, ALICE, TRACE, "\r\nLedger-Tag: 1\r\n", 0);
    history_assert_judged(h, "strange:");
}

static void test_read_by_somebody_else(void **state)
{
    struct history *h = *state;
    ledger_read(h->ledger, STR("carol@example.test"), 7, 1, h->tag, 0);
    history_assert_judged(h, "strange:");
}

static void test_expunged_by_somebody_else(void **state)
{
    struct history *h = *state;
    ledger_expunged(h->ledger, h->tag, STR("carol@example.test"));
    history_assert_judged(h, "strange:");
}

static void test_queued_and_never_sent(void **state)
{
    struct history *h = *state;
    ledger_custody(h->ledger, 99, ALICE, LEDGER_QUEUED);
    history_assert_judged(h, "strange:");
}

/* ---- unflagged, uids ---- */

static void test_a_flag_is_gone_in_the_end(void **state)
{
    struct history *h = *state;
    ledger_flagged(h->ledger, h->tag, ALICE, FLAG);
    history_show_with(h, ALICE, TRACE, h->message, OTHER);
    history_assert_judged(h, "unflagged:");
}

static void test_a_flag_is_gone_meanwhile(void **state)
{
    struct history *h = *state;
    ledger_flagged(h->ledger, h->tag, ALICE, FLAG);
    ledger_read(h->ledger, ALICE, 7, 1, h->tag, OTHER);
    history_assert_judged(h, "unflagged:");
}

static void test_a_uid_names_another_message(void **state)
{
    struct history *h = *state;
    struct str recipients[] = {ALICE};
    int64_t second = ledger_attempt(h->ledger, recipients, 1);
    ledger_read(h->ledger, ALICE, 7, 1, h->tag, 0);
    ledger_read(h->ledger, ALICE, 7, 1, second, 0);
    history_assert_judged(h, "uids:");
}

static void test_a_uid_below_what_was_next(void **state)
{
    struct history *h = *state;
    ledger_read_all(h->ledger, ALICE, 7, 5);
    ledger_read(h->ledger, ALICE, 7, 4, h->tag, 0);
    history_assert_judged(h, "uids:");
}

static void test_uidnext_goes_back(void **state)
{
    struct history *h = *state;
    ledger_read_all(h->ledger, ALICE, 7, 5);
    ledger_read_all(h->ledger, ALICE, 7, 4);
    history_assert_judged(h, "uids:");
}

/* ---- epochs, leases ---- */

static void test_an_epoch_begun_twice(void **state)
{
    struct history *h = *state;
    ledger_began(h->ledger, STR("server"), 2);
    ledger_began(h->ledger, STR("server"), 2);
    history_assert_judged(h, "epochs:");
}

static void test_an_epoch_below_the_fence(void **state)
{
    struct history *h = *state;
    ledger_fenced(h->ledger, STR("server"), 3);
    ledger_began(h->ledger, STR("server"), 3);
    history_assert_judged(h, "epochs:");
}

static void test_a_write_under_an_old_epoch(void **state)
{
    struct history *h = *state;
    ledger_began(h->ledger, STR("server"), 1);
    ledger_began(h->ledger, STR("server"), 2);
    ledger_wrote(h->ledger, STR("server"), 1);
    history_assert_judged(h, "epochs:");
}

static void test_a_write_behind_the_fence(void **state)
{
    struct history *h = *state;
    ledger_began(h->ledger, STR("server"), 1);
    ledger_fenced(h->ledger, STR("server"), 2);
    ledger_wrote(h->ledger, STR("server"), 1);
    history_assert_judged(h, "epochs:");
}

static void test_who_serves_after_his_lease(void **state)
{
    struct history *h = *state;
    ledger_leased(h->ledger, STR("lease"), STR("a"), 100);
    ledger_leased(h->ledger, STR("lease"), STR("b"), 1000);
    ledger_serves(h->ledger, STR("lease"), STR("a"), 101);
    ledger_serves(h->ledger, STR("lease"), STR("a"), 102); /* told once */
    history_assert_judged(h, "leases:");
}

static void test_who_was_said_to_be_off_and_lives(void **state)
{
    struct history *h = *state;
    ledger_off(h->ledger, STR("server"), 1);
    ledger_lives(h->ledger, STR("server"), 2);
    ledger_lives(h->ledger, STR("other"), 1);
    ledger_lives(h->ledger, STR("server"), 1);
    ledger_lives(h->ledger, STR("server"), 1); /* told once */
    history_assert_judged(h, "holders:");
}

static void sends(struct history *h, const char *node, int64_t now_ms)
{
    bool east = strcmp(node, "east") == 0;
    ledger_sends(h->ledger, STR("queue"), str_from(node), east ? STR("relay/a") : STR("relay/b"), east,
                 now_ms);
}

/* All that is right, up to the last one, which runs until 200. */
static void hand_over(struct history *h)
{
    ledger_leased(h->ledger, STR("relay/a"), STR("east"), 100);
    ledger_leased(h->ledger, STR("relay/b"), STR("west"), 200);
    sends(h, "east", 10);
    ledger_queue(h->ledger, STR("queue"), STR("west"), STR("east"));
    sends(h, "east", 20); /* it has not heard of it */
    sends(h, "west", 101);
    ledger_leased(h->ledger, STR("relay/a"), STR("east"), 200);
    ledger_relay_anew(h->ledger, STR("east"));
    sends(h, "west", 110);
    ledger_queue(h->ledger, STR("queue"), STR("east"), STR("west"));
    sends(h, "west", 120);
    ledger_queue(h->ledger, STR("queue"), STR("east"), STR(""));
    sends(h, "east", 130);
    assert_int_equal(ledger_violations(h->ledger), 0);
}

static void test_who_sends_without_his_lease(void **state)
{
    struct history *h = *state;
    hand_over(h);
    sends(h, "east", 200);
    sends(h, "east", 201); /* told once */
    history_assert_judged(h, "senders:");
}

static void test_who_sends_what_is_anothers(void **state)
{
    struct history *h = *state;
    hand_over(h);
    sends(h, "west", 140);
    history_assert_judged(h, "senders:");
}

static void test_who_sends_beside_the_former_owner(void **state)
{
    struct history *h = *state;
    hand_over(h);
    ledger_queue(h->ledger, STR("queue"), STR("west"), STR("east"));
    sends(h, "west", 150);
    history_assert_judged(h, "senders:");
}

static void test_mail_for_who_never_could_serve(void **state)
{
    struct history *h = *state;
    ledger_able(h->ledger, STR("server"), 1);
    ledger_given(h->ledger, STR("server"), 2);
    history_assert_judged(h, "unverified:");
}

static void test_a_move_without_a_route(void **state)
{
    struct history *h = *state;
    ledger_moved(h->ledger, STR("a.test"), STR("first"));
    history_assert_judged(h, "routes:");
}

static void test_a_move_that_leaves_the_route_as_it_was(void **state)
{
    struct history *h = *state;
    ledger_routed(h->ledger, STR("a.test"), STR("first"), 1);
    ledger_moved(h->ledger, STR("a.test"), STR("first"));
    ledger_moved(h->ledger, STR("a.test"), STR("first"));
    history_assert_judged(h, "routes:");
}

static void test_a_move_and_a_route_to_another(void **state)
{
    struct history *h = *state;
    ledger_routed(h->ledger, STR("a.test"), STR("first"), 1);
    ledger_moved(h->ledger, STR("a.test"), STR("other"));
    history_assert_judged(h, "routes:");
}

#define CASE(name) cmocka_unit_test_setup_teardown(test_##name, history_begin, history_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_clean_history_is_clean),
        CASE(what_waits_is_not_lost),
        CASE(what_was_not_answered_may_be_there_or_not),
        CASE(a_removal_that_was_not_answered_may_have_happened),
        CASE(uids_begin_anew_with_another_validity),
        CASE(accepted_and_nowhere_is_lost),
        CASE(recorded_as_delivered_and_not_shown_is_lost),
        CASE(what_nobody_removed_is_lost),
        CASE(quarantine_without_its_event_is_lost),
        CASE(shown_twice),
        CASE(shown_after_it_was_expunged),
        CASE(read_after_it_was_expunged),
        CASE(expunged_twice),
        CASE(read_under_two_uids),
        CASE(in_two_queues),
        CASE(a_quarantine_told_twice),
        CASE(other_bytes),
        CASE(bytes_that_were_cut_off),
        CASE(no_trace_lines),
        CASE(other_lines_among_the_trace),
        CASE(refused_and_shown),
        CASE(refused_and_queued),
        CASE(shown_to_somebody_else),
        CASE(shown_and_never_sent),
        CASE(a_tag_in_the_body_is_none),
        CASE(read_by_somebody_else),
        CASE(expunged_by_somebody_else),
        CASE(queued_and_never_sent),
        CASE(a_flag_is_gone_in_the_end),
        CASE(a_flag_is_gone_meanwhile),
        CASE(a_uid_names_another_message),
        CASE(a_uid_below_what_was_next),
        CASE(uidnext_goes_back),
        CASE(an_epoch_begun_twice),
        CASE(an_epoch_below_the_fence),
        CASE(a_write_under_an_old_epoch),
        CASE(a_write_behind_the_fence),
        CASE(who_serves_after_his_lease),
        CASE(who_was_said_to_be_off_and_lives),
        CASE(who_sends_without_his_lease),
        CASE(who_sends_what_is_anothers),
        CASE(who_sends_beside_the_former_owner),
        CASE(mail_for_who_never_could_serve),
        CASE(a_move_without_a_route),
        CASE(a_move_that_leaves_the_route_as_it_was),
        CASE(a_move_and_a_route_to_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
