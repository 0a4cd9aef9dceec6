/* The safety net: what was delivered is kept for a time, and goes. Sending it again: contract_replay.c. */
#include "keeping.h"

/* ---- keeping ---- */

static void what_was_delivered_is_kept(void **state)
{
    struct rig *r = *state;
    struct queue *q = keeping_queue(r);
    int64_t message_id = delivered(r, q, 1, "mail1", 1000);
    assert_true(has_body(r, q, message_id));
    struct queue_kept all = kept(r, q, 0);
    assert_int_equal(all.messages, 1);
    assert_int_equal(all.bytes, 5);
    assert_int_equal(kept(r, q, 1001).messages, 0);
    queue_keep(q, false);
    assert_false(has_body(r, q, delivered(r, q, 2, "mail1", 1000)));
    assert_int_equal(kept(r, q, 0).messages, 1);
}

static void what_nobody_got_is_not_kept(void **state)
{
    struct rig *r = *state;
    struct queue *q = keeping_queue(r);
    const char *to[] = {"alice@example.test", NULL},
               *both[] = {"alice@example.test", "bob@example.test", NULL};
    struct queue_filter all = {.limit = 0};
    int64_t removed, half;
    assert_ok(accept_body(r, q, 1, "hello", 5, "", to, &removed));
    assert_ok(act(r, q, &all, QUEUE_ACT_REMOVE, "", NULL));
    assert_false(has_body(r, q, removed));
    assert_ok(accept_body(r, q, 2, "hello", 5, "", both, &half));
    settle_at(r, q, newest(r, q).id, QUEUE_OUTCOME_DELIVERED, "mail1", 1000);
    assert_int_equal(kept(r, q, 0).messages, 1); /* though alice's still waits */
    assert_ok(act(r, q, &all, QUEUE_ACT_REMOVE, "", NULL));
    assert_true(has_body(r, q, half));
    assert_int_equal(kept(r, q, 0).messages, 1);
}

static void what_waits_outlives_the_net(void **state)
{
    struct rig *r = *state;
    struct queue *q = keeping_queue(r);
    const char *both[] = {"alice@example.test", "bob@example.test", NULL};
    int64_t half;
    assert_ok(accept_body(r, q, 1, "hello", 5, "", both, &half));
    int64_t bobs = newest(r, q).id;
    settle_at(r, q, bobs, QUEUE_OUTCOME_DELIVERED, "mail1", 1000);
    assert_int_equal(prune(r, q, 2000, 0).count, 1);
    assert_true(has_body(r, q, half)); /* for alice */
    settle_at(r, q, bobs - 1, QUEUE_OUTCOME_REMOVED, "mail1", 3000);
    assert_false(has_body(r, q, half));
}

static void what_is_kept_outlives_its_owner(void **state)
{
    struct rig *r = *state;
    struct queue *q = keeping_queue(r);
    int64_t message_id = delivered(r, q, 1, "mail1", 1000);
    struct queue *next = own(r, rig_open(r), "relay-east", "west1", 1, NULL, NULL);
    assert_true(has_body(r, next, message_id));
    assert_int_equal(kept(r, next, 0).messages, 1);
    assert_err(prune(r, q, 5000, 0).err, ERR_FENCED);
    assert_true(has_body(r, next, message_id));
}

/* ---- several at a time ---- */

/* Deliveries [first, first + count) end as delivered, in one call. */
static void start_settling(struct queue *q, int64_t first, size_t count, int64_t at_ms, struct answer *a)
{
    struct queue_result results[4];
    CHECK(count <= ARRAY_LEN(results));
    for (size_t i = 0; i < count; i++)
        results[i] = (struct queue_result){.delivery_id = first + (int64_t)i,
                                           .outcome = QUEUE_OUTCOME_DELIVERED,
                                           .reply = STR("250 2.0.0 taken"),
                                           .server = STR("mail1"),
                                           .instance = STR("east1"),
                                           .at = {at_ms}};
    queue_settle(q, results, count, on_plain, a);
}

static void settle_together(struct rig *r, struct queue *q, int64_t first, size_t count, int64_t at_ms)
{
    ASK(r, a);
    start_settling(q, first, count, at_ms, &a);
    rig_wait(r, &a.done);
    assert_ok(a.err);
}

static int64_t waiting_in_all(struct rig *r, struct queue *q)
{
    struct answer a = summary(r, q);
    int64_t sum = 0;
    for (size_t i = 0; i < a.count; i++)
        sum += (int64_t)((const struct queue_count *)a.items)[i].waiting;
    return sum;
}

static void a_message_whose_recipients_end_together_is_kept_once(void **state)
{
    struct rig *r = *state;
    struct queue *q = keeping_queue(r);
    const char *to[] = {"a@example.test", "b@example.test", "c@example.test", NULL};
    int64_t message_id;
    assert_ok(accept_body(r, q, 1, "hello", 5, "", to, &message_id));
    settle_together(r, q, newest(r, q).id - 2, 3, 1000);
    assert_int_equal(kept(r, q, 0).messages, 1);
    assert_int_equal(kept(r, q, 0).bytes, 5);
    assert_int_equal(waiting_in_all(r, q), 0);
    struct answer a = prune(r, q, 2000, 0);
    assert_int_equal(a.count, 1);
    assert_int_equal(a.number, 0);
    assert_int_equal(a.second, 0);
    assert_false(has_body(r, q, message_id));
}

static void a_body_goes_with_the_last_of_those_that_end_together(void **state)
{
    struct rig *r = *state;
    struct queue *q = keeping_queue(r);
    const char *to[] = {"a@example.test", "b@example.test", "c@example.test", NULL};
    int64_t first, second;
    queue_keep(q, false);
    assert_ok(accept_body(r, q, 1, "hello", 5, "", to, &first));
    assert_ok(accept_body(r, q, 2, "hello", 5, "", to, &second));
    settle_together(r, q, newest(r, q).id - 5, 4, 1000); /* one of the second message's, too */
    assert_false(has_body(r, q, first));
    assert_true(has_body(r, q, second));
    assert_int_equal(waiting_in_all(r, q), 2);
    settle_together(r, q, newest(r, q).id - 2, 3, 2000); /* the first of them has ended before */
    assert_false(has_body(r, q, second));
    assert_int_equal(waiting_in_all(r, q), 0);
    assert_int_equal(kept(r, q, 0).let_go.ms, 2000);
}

static void an_end_that_is_told_twice_at_once_counts_once(void **state)
{
    struct rig *r = *state;
    struct queue *q = keeping_queue(r);
    struct answer answers[] = {{.rig = r}, {.rig = r}, {.rig = r}};
    const char *to[] = {"a@example.test", NULL};
    assert_ok(accept_body(r, q, 1, "hello", 5, "", to, NULL));
    int64_t id = newest(r, q).id;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++)
        start_settling(q, id, 1, 1000 + (int64_t)i, &answers[i]);
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        rig_wait(r, &answers[i].done);
        assert_ok(answers[i].err);
    }
    assert_int_equal(waiting_in_all(r, q), 0);
    assert_int_equal(kept(r, q, 0).messages, 1);
    assert_int_equal(kept(r, q, 0).bytes, 5);
}

/* What is looked at sees all that was settled before it, in the same transaction too. */
static void pruning_sees_what_was_settled_just_before(void **state)
{
    struct rig *r = *state;
    struct queue *q = keeping_queue(r);
    struct answer answers[] = {{.rig = r}, {.rig = r}};
    const char *to[] = {"a@example.test", NULL};
    ASK(r, pruned);
    int64_t first, second;
    assert_ok(accept_body(r, q, 1, "hello", 5, "", to, &first));
    assert_ok(accept_body(r, q, 2, "hello", 5, "", to, &second));
    int64_t id = newest(r, q).id;
    start_settling(q, id - 1, 1, 1000, &answers[0]);
    start_settling(q, id, 1, 3000, &answers[1]);
    queue_kept_prune(q, (struct wall_time){0}, 5, on_prune, &pruned); /* there is room for one */
    rig_wait(r, &pruned.done);
    assert_int_equal(pruned.count, 1);
    assert_int_equal(pruned.number, 1);
    assert_int_equal(pruned.second, 5);
    assert_false(has_body(r, q, first));
    assert_true(has_body(r, q, second));
    assert_int_equal(kept(r, q, 0).let_go.ms, 1000);
}

/* ---- pruning ---- */

static void what_is_too_old_goes(void **state)
{
    struct rig *r = *state;
    struct queue *q = keeping_queue(r);
    int64_t old = delivered(r, q, 1, "mail1", 1000), young = delivered(r, q, 2, "mail1", 2000);
    struct answer a = prune(r, q, 1000, UINT64_MAX);
    assert_int_equal(a.count, 0);
    a = prune(r, q, 1001, UINT64_MAX);
    assert_int_equal(a.count, 1);
    assert_int_equal(a.number, 1);
    assert_int_equal(a.second, 5);
    assert_false(has_body(r, q, old));
    assert_true(has_body(r, q, young));
}

static void what_is_too_much_goes_oldest_first(void **state)
{
    struct rig *r = *state;
    struct queue *q = keeping_queue(r);
    int64_t second = delivered(r, q, 1, "mail1", 3000), first = delivered(r, q, 2, "mail1", 1000),
            third = delivered(r, q, 3, "mail1", 4000);
    assert_int_equal(prune(r, q, 0, 15).count, 0);
    assert_int_equal(prune(r, q, 0, 14).count, 1);
    assert_false(has_body(r, q, first));
    assert_int_equal(prune(r, q, 0, 5).count, 1);
    assert_false(has_body(r, q, second));
    assert_true(has_body(r, q, third));
    struct answer a = prune(r, q, 0, 0);
    assert_int_equal(a.count, 1);
    assert_int_equal(a.number, 0);
    assert_int_equal(a.second, 0);
}

static void pruning_goes_in_slices(void **state)
{
    struct rig *r = *state;
    struct queue *q = keeping_queue(r);
    for (uint64_t i = 1; i <= QUEUE_KEPT_PRUNE_MAX + 2; i++)
        delivered(r, q, i, "mail1", 1000);
    assert_int_equal(prune(r, q, 2000, 0).count, QUEUE_KEPT_PRUNE_MAX);
    assert_int_equal(prune(r, q, 2000, 0).count, 2);
    assert_int_equal(prune(r, q, 2000, 0).count, 0);
}

const struct rig_test kept_tests[] = {
    {"what was delivered is kept", what_was_delivered_is_kept},
    {"what nobody got is not kept", what_nobody_got_is_not_kept},
    {"what waits outlives the net", what_waits_outlives_the_net},
    {"what is kept outlives its owner", what_is_kept_outlives_its_owner},
    {"a message whose recipients end together is kept once",
     a_message_whose_recipients_end_together_is_kept_once},
    {"a body goes with the last of those that end together",
     a_body_goes_with_the_last_of_those_that_end_together},
    {"an end that is told twice at once counts once", an_end_that_is_told_twice_at_once_counts_once},
    {"pruning sees what was settled just before", pruning_sees_what_was_settled_just_before},
    {"what is too old goes", what_is_too_old_goes},
    {"what is too much goes, oldest first", what_is_too_much_goes_oldest_first},
    {"pruning goes in slices", pruning_goes_in_slices},
    {NULL, NULL},
};
