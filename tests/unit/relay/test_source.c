/* Sources of mail over a real queue (memory engine). */
#include <stdio.h>
#include <string.h>

#include "relay/source.h"
#include "right_rig.h"
#include "unit/store/rig.h"
#include "unit/unit.h"

/* A queue, and the source of its mail for d.test. */
struct watch {
    struct rig *rig;
    int ready;
    struct queue *queue;
    struct right_rig right;
    struct claims *claims;
    struct source *source;
};

static void on_ready(void *arg)
{
    ((struct watch *)arg)->ready++;
}

static struct queue *begin(struct watch *w, struct rig *r)
{
    int err;
    int64_t epoch;
    *w = (struct watch){.rig = r, .claims = claims_new()};
    w->queue = own(r, r->store, "q", "node", 0, &err, &epoch);
    right_rig_begin(&w->right, r->loop, store_network(r->store), "node", w->queue, NULL, 0);
    while (!right_is_held(w->right.right))
        rig_turn(r);
    return w->queue;
}

static struct source *watch_source(struct watch *w)
{
    return w->source = source_new(w->rig->loop, w->queue, w->right.right, w->claims, STR("d.test"), STR_EMPTY,
                                  on_ready, w);
}

static void end(struct watch *w)
{
    source_free(w->source);
    right_rig_end(&w->right);
    claims_free(w->claims);
    queue_close(w->queue);
}

static struct transaction *take(struct rig *r, struct source *s, enum source_lane lane)
{
    struct transaction *t = NULL;
    for (int turn = 0; !t && turn < 50; turn++) {
        t = source_take(s, lane);
        if (!t)
            rig_turn(r);
    }
    return t;
}

static void finish(struct rig *r, struct queue *q, struct transaction *t, enum queue_outcome outcome)
{
    for (size_t i = 0; i < t->recipient_count; i++)
        assert_int_equal(settle(r, q, t->recipients[i].delivery_id, outcome, 0), 0);
    source_done(t, (struct wall_time){0});
}

static void test_recipients_of_a_message_come_together_oldest_first(void **state)
{
    struct rig *r = *state;
    struct watch w;
    struct queue *q = begin(&w, r);
    accept_body(r, q, 1, "x", 1, "s@x.test", (const char *const[]){"a@d.test", "b@d.test", NULL}, NULL);
    accept_one(r, q, 2, "c@d.test");
    struct source *s = watch_source(&w);
    struct transaction *first = take(r, s, SOURCE_NORMAL);
    assert_non_null(first);
    assert_int_equal(first->recipient_count, 2);
    assert_string_equal(first->recipients[0].address, "a@d.test");
    assert_string_equal(first->reverse_path, "s@x.test");
    struct transaction *second = take(r, s, SOURCE_NORMAL);
    assert_string_equal(second->recipients[0].address, "c@d.test");
    assert_true(w.ready > 0);
    finish(r, q, first, QUEUE_OUTCOME_DELIVERED);
    finish(r, q, second, QUEUE_OUTCOME_DELIVERED);
    end(&w);
}

/* Deferred, and not due for long. */
static void put_off(struct rig *r, struct queue *q, struct transaction *t)
{
    int64_t later = loop_wall(r->loop).ms + 86400000;
    assert_int_equal(settle(r, q, t->recipients[0].delivery_id, QUEUE_OUTCOME_DEFERRED, later), 0);
    source_done(t, (struct wall_time){later});
}

static void test_a_woken_source_gives_what_was_put_off_once(void **state)
{
    struct rig *r = *state;
    struct watch w;
    struct queue *q = begin(&w, r);
    accept_one(r, q, 1, "a@d.test");
    accept_one(r, q, 2, "b@d.test");
    struct source *s = watch_source(&w);
    for (int i = 0; i < 2; i++)
        put_off(r, q, take(r, s, SOURCE_NORMAL));
    assert_null(take(r, s, SOURCE_NORMAL));
    source_wake(s);
    for (int i = 0; i < 2; i++) {
        struct transaction *t = take(r, s, SOURCE_NORMAL);
        assert_non_null(t);
        put_off(r, q, t);
        source_again(s); /* something is due again: that begins no second round */
    }
    assert_null(take(r, s, SOURCE_NORMAL));
    end(&w);
}

static void test_what_is_given_back_last_makes_way_for_the_others(void **state)
{
    struct rig *r = *state;
    struct watch w;
    struct queue *q = begin(&w, r);
    accept_one(r, q, 1, "a@d.test");
    accept_one(r, q, 2, "b@d.test");
    struct source *s = watch_source(&w);
    struct transaction *first = take(r, s, SOURCE_NORMAL);
    source_give_back_last(first);
    struct transaction *second = take(r, s, SOURCE_NORMAL);
    assert_string_equal(second->recipients[0].address, "b@d.test");
    finish(r, q, second, QUEUE_OUTCOME_DELIVERED);
    first = take(r, s, SOURCE_NORMAL);
    assert_string_equal(first->recipients[0].address, "a@d.test");
    finish(r, q, first, QUEUE_OUTCOME_DELIVERED);
    end(&w);
}

static void test_what_is_out_is_not_given_out_again(void **state)
{
    struct rig *r = *state;
    struct watch w;
    struct queue *q = begin(&w, r);
    accept_one(r, q, 1, "a@d.test");
    struct source *s = watch_source(&w);
    struct transaction *t = take(r, s, SOURCE_NORMAL);
    source_reset(s); /* reads everything again */
    assert_null(take(r, s, SOURCE_NORMAL));
    source_give_back(t);
    struct transaction *again = take(r, s, SOURCE_NORMAL);
    assert_non_null(again);
    finish(r, q, again, QUEUE_OUTCOME_DELIVERED);
    assert_null(take(r, s, SOURCE_NORMAL));
    assert_int_equal(source_ready(s, SOURCE_NORMAL), 0);
    end(&w);
}

/* What is out to the old home when it is moved is the new home's only after that has ended. */
static void test_what_is_moved_while_out_is_handed_out_once(void **state)
{
    struct rig *r = *state;
    struct watch w;
    struct queue *q = begin(&w, r);
    accept_one(r, q, 1, "a@d.test");
    struct source *s = watch_source(&w);
    struct source *moved =
        source_new(r->loop, q, w.right.right, w.claims, STR_EMPTY, STR("mail2"), on_ready, &w);
    struct transaction *t = take(r, s, SOURCE_NORMAL);
    struct queue_filter all = {.recipient = STR("a@d.test")}, others = {.recipient = STR("b@d.test")};
    uint64_t changed;
    assert_int_equal(act(r, q, &all, QUEUE_ACT_MOVE, "mail2", &changed), 0);
    source_reset(s);
    source_reset(moved);
    assert_int_equal(source_in_flight(s, &all), 1);
    assert_int_equal(source_in_flight(s, &others), 0);
    assert_null(take(r, moved, SOURCE_NORMAL));
    source_give_back(t); /* the old home had not taken it */
    assert_null(take(r, s, SOURCE_NORMAL));
    t = take(r, moved, SOURCE_NORMAL);
    assert_non_null(t);
    finish(r, q, t, QUEUE_OUTCOME_DELIVERED);
    source_free(moved);
    end(&w);
}

static void test_what_is_out_is_counted_by_all_that_selects_it(void **state)
{
    struct rig *r = *state;
    struct watch w;
    struct queue *q = begin(&w, r);
    r->header_id = STR("<one@x.test>");
    accept_one(r, q, 1, "a@d.test");
    r->header_id = STR_EMPTY;
    assert_ok(settle(r, q, 1, QUEUE_OUTCOME_DEFERRED, 1)); /* with a reply */
    struct source *s = watch_source(&w);
    struct transaction *t = take(r, s, SOURCE_NORMAL);
    const char *reply = t->recipients[0].last_reply;
    assert_true(strlen(reply) > 1);
    struct queue_filter its[] = {{.header_id = STR("<one@x.test>")}, {.reply = str_from(reply + 1)}};
    struct queue_filter others[] = {{.header_id = STR("<two@x.test>")}, {.reply = STR("no such reply")}};
    for (size_t i = 0; i < ARRAY_LEN(its); i++) {
        assert_int_equal(source_in_flight(s, &its[i]), 1);
        assert_int_equal(source_in_flight(s, &others[i]), 0);
    }
    finish(r, q, t, QUEUE_OUTCOME_DELIVERED);
    end(&w);
}

static void test_what_is_held_while_out_is_not_tried_again(void **state)
{
    struct rig *r = *state;
    struct watch w;
    struct queue *q = begin(&w, r);
    accept_one(r, q, 1, "a@d.test");
    struct source *s = watch_source(&w);
    struct transaction *t = take(r, s, SOURCE_NORMAL);
    struct queue_filter all = {0};
    uint64_t changed;
    assert_int_equal(act(r, q, &all, QUEUE_ACT_HOLD, "", &changed), 0);
    source_reset(s);
    source_give_back(t);
    assert_null(take(r, s, SOURCE_NORMAL));
    end(&w);
}

/* A reading that began before an outcome was recorded may end after that. */
static void test_a_reading_from_before_a_settlement_hands_out_nothing(void **state)
{
    struct rig *r = *state;
    struct watch w;
    struct queue *q = begin(&w, r);
    accept_one(r, q, 1, "a@d.test");
    struct source *s = watch_source(&w);
    struct transaction *t = take(r, s, SOURCE_NORMAL);
    claims_reading_begin(w.claims);
    finish(r, q, t, QUEUE_OUTCOME_DELIVERED);
    assert_false(claims_take(w.claims, 1, s, 0)); /* the row, as it was */
    claims_reading_end(w.claims);
    assert_true(claims_take(w.claims, 1, s, 0));
    claims_release(w.claims, 1, false);
    end(&w);
}

static void test_a_loss_moves_to_the_lossy_lane(void **state)
{
    struct rig *r = *state;
    struct watch w;
    struct queue *q = begin(&w, r);
    accept_one(r, q, 1, "a@d.test");
    struct source *s = watch_source(&w);
    struct transaction *t = take(r, s, SOURCE_NORMAL);
    assert_int_equal(settle(r, q, t->recipients[0].delivery_id, QUEUE_OUTCOME_LOST, 1), 0);
    source_done(t, (struct wall_time){1});
    t = take(r, s, SOURCE_LOSSY);
    assert_non_null(t);
    assert_int_equal(t->recipients[0].losses, 1);
    assert_null(take(r, s, SOURCE_NORMAL));
    finish(r, q, t, QUEUE_OUTCOME_DELIVERED);
    end(&w);
}

static void test_new_mail_is_seen_after_a_kick(void **state)
{
    struct rig *r = *state;
    struct watch w;
    struct queue *q = begin(&w, r);
    struct source *s = watch_source(&w);
    assert_null(take(r, s, SOURCE_NORMAL));
    accept_one(r, q, 1, "a@d.test");
    source_kick(s);
    struct transaction *t = take(r, s, SOURCE_NORMAL);
    assert_non_null(t);
    finish(r, q, t, QUEUE_OUTCOME_DELIVERED);
    end(&w);
}

static void test_a_deferred_one_comes_back_when_it_is_due(void **state)
{
    struct rig *r = *state;
    struct watch w;
    struct queue *q = begin(&w, r);
    accept_one(r, q, 1, "a@d.test");
    struct source *s = watch_source(&w);
    struct transaction *t = take(r, s, SOURCE_NORMAL);
    struct wall_time soon = {loop_wall(r->loop).ms + 30};
    assert_int_equal(settle(r, q, t->recipients[0].delivery_id, QUEUE_OUTCOME_DEFERRED, soon.ms), 0);
    source_done(t, soon);
    RIG_UNTIL(r, (t = source_take(s, SOURCE_NORMAL)) != NULL);
    assert_int_equal(t->recipients[0].attempts, 1);
    finish(r, q, t, QUEUE_OUTCOME_DELIVERED);
    end(&w);
}

/* What one retry's time hides is found when that has come, in either lane. */
static void test_of_several_retries_each_comes_back(void **state)
{
    struct rig *r = *state;
    struct watch w;
    struct queue *q = begin(&w, r);
    accept_one(r, q, 1, "a@d.test");
    accept_one(r, q, 2, "b@d.test");
    struct source *s = watch_source(&w);
    static const enum queue_outcome outcomes[] = {QUEUE_OUTCOME_DEFERRED, QUEUE_OUTCOME_LOST};
    struct transaction *t;
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
        struct wall_time soon = {loop_wall(r->loop).ms + 30 * (int64_t)(i + 1)};
        t = take(r, s, SOURCE_NORMAL);
        assert_int_equal(settle(r, q, t->recipients[0].delivery_id, outcomes[i], soon.ms), 0);
        source_done(t, soon);
    }
    static const enum source_lane lanes[] = {SOURCE_NORMAL, SOURCE_LOSSY};
    for (size_t i = 0; i < ARRAY_LEN(lanes); i++) {
        RIG_UNTIL(r, (t = source_take(s, lanes[i])) != NULL);
        finish(r, q, t, QUEUE_OUTCOME_DELIVERED);
    }
    end(&w);
}

static void test_times_of_an_earlier_owner_are_not_believed(void **state)
{
    struct rig *r = *state;
    struct watch w;
    struct queue *q = begin(&w, r);
    int64_t far_ms = loop_wall(r->loop).ms + 3600000;
    accept_one(r, q, 1, "a@d.test");
    accept_one(r, q, 2, "b@d.test");
    assert_int_equal(settle(r, q, 1, QUEUE_OUTCOME_DEFERRED, far_ms), 0);
    assert_int_equal(settle(r, q, 2, QUEUE_OUTCOME_LOST, far_ms), 0);
    struct source *s = watch_source(&w);
    struct transaction *a = take(r, s, SOURCE_NORMAL), *b = take(r, s, SOURCE_LOSSY);
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(settle(r, q, 1, QUEUE_OUTCOME_DEFERRED, far_ms), 0);
    source_done(a, (struct wall_time){far_ms});
    assert_null(take(r, s, SOURCE_NORMAL)); /* that was our clock */
    finish(r, q, b, QUEUE_OUTCOME_DELIVERED);
    end(&w);
}

static void test_more_than_a_page(void **state)
{
    struct rig *r = *state;
    struct watch w;
    struct queue *q = begin(&w, r);
    char address[32];
    for (unsigned i = 0; i < 600; i++) {
        snprintf(address, sizeof(address), "u%u@d.test", i);
        accept_one(r, q, i + 1, address);
    }
    struct source *s = watch_source(&w);
    for (unsigned i = 0; i < 600; i++) {
        struct transaction *t = take(r, s, SOURCE_NORMAL);
        snprintf(address, sizeof(address), "u%u@d.test", i);
        assert_non_null(t);
        assert_string_equal(t->recipients[0].address, address);
        finish(r, q, t, QUEUE_OUTCOME_DELIVERED);
    }
    assert_null(take(r, s, SOURCE_NORMAL));
    end(&w);
}

static struct transaction *take_amid_intake(struct watch *w, unsigned *number)
{
    accept_one(w->rig, w->queue, ++*number, "new@d.test");
    struct transaction *t = source_take(w->source, SOURCE_NORMAL);
    source_kick(w->source); /* amid the reading of the next page */
    return t;
}

static bool comes_back(struct watch *w, unsigned *number)
{
    struct transaction *t = take_amid_intake(w, number);
    bool it = t && strcmp(t->recipients[0].address, "a@d.test") == 0;
    if (t)
        finish(w->rig, w->queue, t, QUEUE_OUTCOME_DELIVERED);
    return it;
}

static void test_what_was_put_off_comes_back_while_mail_keeps_coming(void **state)
{
    struct rig *r = *state;
    struct watch w;
    unsigned number = 1;
    struct queue *q = begin(&w, r);
    accept_one(r, q, 1, "a@d.test");
    struct source *s = watch_source(&w);
    source_kick(s);
    RIG_UNTIL(r, source_ready(s, SOURCE_NORMAL) == 1);
    struct transaction *t = take_amid_intake(&w, &number);
    struct wall_time soon = {loop_wall(r->loop).ms + 30};
    assert_int_equal(settle(r, q, t->recipients[0].delivery_id, QUEUE_OUTCOME_DEFERRED, soon.ms), 0);
    source_done(t, soon);
    RIG_UNTIL(r, comes_back(&w, &number));
    end(&w);
}

/* And those are not tried again that were put off meanwhile. */
static void test_what_has_expired_is_not_given_out_and_the_others_go_on(void **state)
{
    struct rig *r = *state;
    struct watch w;
    struct queue *q = begin(&w, r);
    struct queue_filter expired = {.recipient = STR("u2@d.test")};
    uint64_t changed;
    char address[32];
    for (unsigned i = 0; i < 600; i++) {
        snprintf(address, sizeof(address), "u%u@d.test", i);
        accept_one(r, q, i + 1, address);
    }
    struct source *s = watch_source(&w);
    for (unsigned i = 0; i < 600; i++) {
        if (i == 2) {
            assert_int_equal(act(r, q, &expired, QUEUE_ACT_HOLD, "", &changed), 0);
            source_read_again(s);
            continue;
        }
        struct transaction *t = take(r, s, SOURCE_NORMAL);
        snprintf(address, sizeof(address), "u%u@d.test", i);
        assert_non_null(t);
        assert_string_equal(t->recipients[0].address, address);
        put_off(r, q, t);
    }
    assert_null(take(r, s, SOURCE_NORMAL));
    end(&w);
}

static void test_what_is_given_back_after_others_expired_is_found(void **state)
{
    struct rig *r = *state;
    struct watch w;
    struct queue *q = begin(&w, r);
    accept_one(r, q, 1, "a@d.test");
    accept_one(r, q, 2, "b@d.test");
    struct source *s = watch_source(&w);
    struct transaction *a = take(r, s, SOURCE_NORMAL);
    source_read_again(s);
    struct transaction *b = take(r, s, SOURCE_NORMAL);
    assert_string_equal(b->recipients[0].address, "b@d.test");
    finish(r, q, b, QUEUE_OUTCOME_DELIVERED);
    assert_null(take(r, s, SOURCE_NORMAL));
    source_give_back(a);
    a = take(r, s, SOURCE_NORMAL);
    assert_non_null(a);
    finish(r, q, a, QUEUE_OUTCOME_DELIVERED);
    end(&w);
}

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup_memory, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_recipients_of_a_message_come_together_oldest_first),
        RIG_TEST(test_a_woken_source_gives_what_was_put_off_once),
        RIG_TEST(test_what_is_given_back_last_makes_way_for_the_others),
        RIG_TEST(test_what_is_out_is_not_given_out_again),
        RIG_TEST(test_what_is_moved_while_out_is_handed_out_once),
        RIG_TEST(test_what_is_out_is_counted_by_all_that_selects_it),
        RIG_TEST(test_what_is_held_while_out_is_not_tried_again),
        RIG_TEST(test_a_reading_from_before_a_settlement_hands_out_nothing),
        RIG_TEST(test_a_loss_moves_to_the_lossy_lane),
        RIG_TEST(test_new_mail_is_seen_after_a_kick),
        RIG_TEST(test_a_deferred_one_comes_back_when_it_is_due),
        RIG_TEST(test_of_several_retries_each_comes_back),
        RIG_TEST(test_times_of_an_earlier_owner_are_not_believed),
        RIG_TEST(test_more_than_a_page),
        RIG_TEST(test_what_was_put_off_comes_back_while_mail_keeps_coming),
        RIG_TEST(test_what_is_given_back_after_others_expired_is_found),
        RIG_TEST(test_what_has_expired_is_not_given_out_and_the_others_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
