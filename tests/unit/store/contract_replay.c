/* What the safety net keeps is sent again. */
#include <stdio.h>

#include "keeping.h"

struct replay_answer {
    struct answer plain;
    struct queue_replayed done;
};

static void on_replay(void *arg, int err, const struct queue_replayed *done)
{
    struct replay_answer *a = arg;
    a->done = *done;
    on_plain(&a->plain, err);
}

static struct queue_replayed replay_as(struct rig *r, struct queue *q, const char *key,
                                       const struct queue_replay *which)
{
    struct replay_answer a = {.plain.rig = r};
    struct queue_replay keyed = *which;
    keyed.who = STR("operator@host");
    keyed.why = STR("a lost disk");
    keyed.key = str_from(key);
    queue_replay(q, &keyed, on_replay, &a);
    rig_wait(r, &a.plain.done);
    assert_ok(a.plain.err);
    return a.done;
}

/* One of its own. */
static struct queue_replayed replay(struct rig *r, struct queue *q, const struct queue_replay *which)
{
    static int number;
    char key[32];
    snprintf(key, sizeof(key), "replay %d", ++number);
    return replay_as(r, q, key, which);
}

static void what_is_replayed_waits_again(void **state)
{
    struct rig *r = *state;
    struct queue *q = keeping_queue(r);
    int64_t message_id = delivered(r, q, 1, "mail1", 1000);
    struct queue_replay which = {.server = STR("mail1"), .since = {1000}, .until = {1001}, .limit = 10};
    struct queue_replayed done = replay(r, q, &which);
    assert_int_equal(done.messages, 1);
    assert_int_equal(done.deliveries, 1);
    assert_false(done.more);
    struct answer a = due(r, q, "example.test", "", 0, 10);
    assert_int_equal(a.count, 1);
    struct queue_delivery again = *(const struct queue_delivery *)a.items;
    assert_int_equal(again.state, QUEUE_WAITING);
    assert_int_equal(again.attempts, 1);
    assert_true(again.waits_since.ms > again.received_at.ms); /* its age is counted anew */
    assert_int_equal(prune(r, q, 9000, 0).count, 1);
    assert_true(has_body(r, q, message_id));
    a = summary(r, q);
    assert_int_equal(((const struct queue_count *)a.items)->waiting, 1);
    settle_at(r, q, again.id, QUEUE_OUTCOME_DELIVERED, "mail1", 3000);
    assert_int_equal(kept(r, q, 0).messages, 1);
    assert_int_equal(replay(r, q, &which).deliveries, 0); /* it has ended later than `until` */
}

static void only_what_that_server_got_in_that_time(void **state)
{
    struct rig *r = *state;
    struct queue *q = keeping_queue(r);
    const char *both[] = {"alice@example.test", "bob@example.test", NULL};
    struct queue_replay which = {.server = STR("mail1"), .since = {1000}, .until = {2000}, .limit = 10};
    delivered(r, q, 1, "mail1", 999);
    delivered(r, q, 2, "mail1", 2000);
    delivered(r, q, 3, "mail2", 1500);
    assert_int_equal(replay(r, q, &which).deliveries, 0);
    assert_ok(accept_body(r, q, 4, "hello", 5, "a@b.test", both, NULL));
    int64_t bobs = newest(r, q).id;
    settle_at(r, q, bobs - 1, QUEUE_OUTCOME_DELIVERED, "mail2", 1500);
    settle_at(r, q, bobs, QUEUE_OUTCOME_DELIVERED, "mail1", 1600);
    struct queue_replayed done = replay(r, q, &which);
    assert_int_equal(done.messages, 3); /* numbers 2 and 3 were looked at, too */
    assert_int_equal(done.deliveries, 1);
    assert_int_equal(newest(r, q).id, bobs);
    assert_int_equal(due(r, q, "example.test", "", 0, 10).count, 1);
}

/* One recipient's server got it and lost it; the other's is down, or refused it, or got it much later. */
static void whatever_became_of_the_others(void **state)
{
    struct rig *r = *state;
    struct queue *q = keeping_queue(r);
    const char *both[] = {"alice@example.test", "bob@example.test", NULL};
    struct queue_replay which = {.server = STR("mail1"), .since = {1000}, .until = {2000}, .limit = 10};
    assert_ok(accept_body(r, q, 1, "hello", 5, "a@b.test", both, NULL));
    int64_t bobs = newest(r, q).id;
    settle_at(r, q, bobs, QUEUE_OUTCOME_DELIVERED, "mail1", 1500);
    assert_int_equal(replay(r, q, &which).deliveries, 1);
    settle_at(r, q, bobs, QUEUE_OUTCOME_DELIVERED, "mail1", 1600);
    settle_at(r, q, bobs - 1, QUEUE_OUTCOME_QUARANTINED, "mail2", 1700);
    assert_int_equal(replay(r, q, &which).deliveries, 1);
    settle_at(r, q, bobs, QUEUE_OUTCOME_DELIVERED, "mail1", 1800);
    settle_at(r, q, bobs - 1, QUEUE_OUTCOME_DELIVERED, "mail2", 9000);
    assert_int_equal(replay(r, q, &which).deliveries, 1);
    which = (struct queue_replay){.server = STR("mail1"), .since = {8000}, .until = {10000}, .limit = 10};
    settle_at(r, q, bobs, QUEUE_OUTCOME_DELIVERED, "mail1", 1900);
    assert_int_equal(replay(r, q, &which).deliveries, 0);
}

static void a_replay_goes_in_slices(void **state)
{
    struct rig *r = *state;
    struct queue *q = keeping_queue(r);
    struct queue_replay which = {.server = STR("mail1"), .until = {5000}, .limit = 2};
    for (uint64_t i = 1; i <= 5; i++)
        delivered(r, q, i, "mail1", 1000);
    for (uint64_t slice = 1, all = 0; slice <= 3; slice++) {
        struct queue_replayed done = replay_as(r, q, "one", &which);
        assert_int_equal(done.messages, slice < 3 ? 2 : 1);
        assert_int_equal(done.deliveries, done.messages);
        all += done.messages;
        assert_int_equal(done.all_messages, all);
        assert_int_equal(done.all_deliveries, all);
        assert_int_equal(done.more, slice < 3);
    }
    assert_int_equal(replay(r, q, &which).deliveries, 0); /* all wait already */
    assert_int_equal(due(r, q, "example.test", "", 0, 10).count, 5);
}

static void deliver_all_due(struct rig *r, struct queue *q, int64_t at_ms)
{
    struct answer a = due(r, q, "example.test", "", 0, 10);
    for (size_t i = 0; i < a.count; i++)
        settle_at(r, q, ((const struct queue_delivery *)a.items)[i].id, QUEUE_OUTCOME_DELIVERED, "mail1",
                  at_ms);
}

/* Whoever delivers again has a clock that is behind: it is in the replay's time once more. */
static void a_replay_sends_nothing_twice(void **state)
{
    struct rig *r = *state;
    struct queue *q = keeping_queue(r);
    struct queue_replay which = {.server = STR("mail1"), .until = {5000}, .limit = 2};
    for (uint64_t i = 1; i <= 3; i++)
        delivered(r, q, i, "mail1", 1000);
    assert_int_equal(replay_as(r, q, "one", &which).deliveries, 2);
    deliver_all_due(r, q, 1001);
    struct queue *next = own(r, rig_open(r), "relay-east", "west1", 1, NULL, NULL); /* where it was stopped */
    queue_keep(next, true);
    struct queue_replayed done = replay_as(r, next, "one", &which);
    assert_int_equal(done.deliveries, 1);
    assert_int_equal(done.all_deliveries, 3);
    assert_false(done.more);
    deliver_all_due(r, next, 1001);
    done = replay_as(r, next, "one", &which);
    assert_int_equal(done.messages, 0);
    assert_int_equal(done.all_deliveries, 3);
    assert_false(done.more);
    assert_int_equal(replay_as(r, next, "another", &which).deliveries, 2);
}

static void a_slice_is_bounded_in_deliveries(void **state)
{
    struct rig *r = *state;
    struct queue *q = keeping_queue(r);
    const char *three[] = {"alice@example.test", "bob@example.test", "carol@example.test", NULL};
    struct queue_replay which = {.server = STR("mail1"), .until = {5000}, .limit = 4};
    for (uint64_t id = 1; id <= 4; id++) {
        assert_ok(accept_body(r, q, id, "hello", 5, "a@b.test", three, NULL));
        for (int64_t i = newest(r, q).id, n = 0; n < 3; n++)
            settle_at(r, q, i - n, QUEUE_OUTCOME_DELIVERED, "mail1", 1000);
    }
    struct queue_replayed done = replay_as(r, q, "one", &which);
    assert_int_equal(done.deliveries, 6);
    assert_true(done.more);
    done = replay_as(r, q, "one", &which);
    assert_int_equal(done.deliveries, 6);
    assert_false(done.more);
}

static void on_trace(void *arg, int err, const struct queue_life *life)
{
    struct answer *a = arg;
    for (size_t i = 0; !err && i < life->act_count; i++) {
        const struct queue_acted *act = &life->acts[i];
        assert_int_equal(act->action, QUEUE_ACT_REPLAY);
        assert_str(act->home, "mail1");
        assert_str(act->who, "operator@host");
        assert_str(act->why, "a lost disk");
        assert_true(act->at.ms > 1000);
        a->number = act->delivery_id;
        a->count++;
    }
    on_plain(a, err);
}

/* The delivery that a replay has sent again, or 0, and of how many acts the trace tells. */
static struct answer replays_of(struct rig *r, struct queue *q, uint64_t number)
{
    ASK(r, a);
    struct custody_id id = id_of(number);
    queue_trace(q, &id, on_trace, &a);
    rig_wait(r, &a.done);
    assert_ok(a.err);
    return a;
}

static void trace_tells_who_sent_it_again(void **state)
{
    struct rig *r = *state;
    struct queue *q = keeping_queue(r);
    const char *both[] = {"alice@example.test", "bob@example.test", NULL};
    struct queue_replay which = {.server = STR("mail1"), .until = {5000}, .limit = 1};
    assert_ok(accept_body(r, q, 1, "hello", 5, "a@b.test", both, NULL));
    int64_t bobs = newest(r, q).id;
    settle_at(r, q, bobs - 1, QUEUE_OUTCOME_DELIVERED, "mail2", 1000);
    settle_at(r, q, bobs, QUEUE_OUTCOME_DELIVERED, "mail1", 1000);
    delivered(r, q, 2, "mail1", 1000);
    assert_int_equal(replays_of(r, q, 1).count, 0);
    assert_true(replay_as(r, q, "one", &which).more);
    assert_int_equal(replays_of(r, q, 1).count, 1);
    assert_int_equal(replays_of(r, q, 1).number, bobs);
    assert_int_equal(replays_of(r, q, 2).count, 0); /* it is of the next slice */
    assert_false(replay_as(r, q, "one", &which).more);
    assert_int_equal(replays_of(r, q, 2).count, 1);
    assert_int_equal(replays_of(r, q, 1).count, 1);
}

/* ---- how far back it reaches ---- */

static void the_net_knows_what_it_let_go(void **state)
{
    struct rig *r = *state;
    struct queue *q = keeping_queue(r);
    struct queue_replay which = {.server = STR("mail1"), .until = {9000}, .limit = 10};
    assert_int_equal(kept(r, q, 0).let_go.ms, 0);
    assert_int_equal(kept(r, q, 0).newest.ms, 0);
    for (int64_t i = 1; i <= 4; i++)
        delivered(r, q, (uint64_t)i, "mail1", 1000 * i);
    assert_int_equal(kept(r, q, 4000).let_go.ms, 0);
    assert_int_equal(kept(r, q, 4000).newest.ms, 4000);
    assert_int_equal(prune(r, q, 1001, UINT64_MAX).third, 1000); /* too old */
    assert_int_equal(prune(r, q, 0, 10).third, 2000);            /* too much */
    assert_int_equal(prune(r, q, 0, 10).third, 2000);            /* nothing went */
    assert_int_equal(replay(r, q, &which).let_go.ms, 2000);
    assert_int_equal(kept(r, q, 0).newest.ms, 4000);
    struct queue *next = own(r, rig_open(r), "relay-east", "west1", 1, NULL, NULL);
    assert_int_equal(kept(r, next, 0).let_go.ms, 2000);
}

static void what_was_never_kept_was_let_go(void **state)
{
    struct rig *r = *state;
    struct queue *q = keeping_queue(r);
    delivered(r, q, 1, "mail1", 1000);
    queue_keep(q, false);
    delivered(r, q, 2, "mail1", 3000);
    delivered(r, q, 3, "mail1", 2000);
    settle_at(r, q, 1, QUEUE_OUTCOME_DEFERRED, "mail1", 9000);
    queue_keep(q, true);
    delivered(r, q, 4, "mail1", 4000);
    assert_int_equal(kept(r, q, 0).let_go.ms, 3000);
}

const struct rig_test replay_tests[] = {
    {"what is replayed waits again", what_is_replayed_waits_again},
    {"only what that server got in that time", only_what_that_server_got_in_that_time},
    {"whatever became of the others", whatever_became_of_the_others},
    {"a replay goes in slices", a_replay_goes_in_slices},
    {"a replay sends nothing twice", a_replay_sends_nothing_twice},
    {"a slice is bounded in deliveries", a_slice_is_bounded_in_deliveries},
    {"trace tells who sent it again", trace_tells_who_sent_it_again},
    {"the net knows what it let go", the_net_knows_what_it_let_go},
    {"what was never kept was let go", what_was_never_kept_was_let_go},
    {NULL, NULL},
};
