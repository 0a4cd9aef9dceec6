/* How long what became of a message is known. */
#include "rig.h"

#include "store/queue_kept.h"
#include "store/queue_past.h"
#include "store/queue_report.h"

static struct queue *new_queue(struct rig *r)
{
    return own(r, r->store, "relay-east", "east1", 0, NULL, NULL);
}

/* Received at so many seconds of 1970 as its id, and ended one second later; its delivery's number. */
static int64_t ended(struct rig *r, struct queue *q, uint64_t id)
{
    struct custody_id custody = id_of(id);
    struct queue_filter one = {.custody_id = &custody, .limit = 1};
    ASK(r, a);
    assert_ok(accept_one(r, q, id, "alice@example.test"));
    struct answer rows = list_rows(r, q, &one);
    int64_t delivery = ((const struct queue_delivery *)rows.items)->id;
    struct queue_result result = {.delivery_id = delivery,
                                  .outcome = QUEUE_OUTCOME_DELIVERED,
                                  .reply = STR("250 ok"),
                                  .server = STR("mail1"),
                                  .instance = STR("east1"),
                                  .at = {(int64_t)id * 1000 + 1000}};
    queue_settle(q, &result, 1, on_plain, &a);
    rig_wait(r, &a.done);
    assert_ok(a.err);
    return delivery;
}

struct forget_answer {
    struct answer plain;
    struct queue_forgotten done;
};

static void on_forget(void *arg, int err, const struct queue_forgotten *done)
{
    struct forget_answer *a = arg;
    a->done = *done;
    on_plain(&a->plain, err);
}

static int try_to_forget(struct rig *r, struct queue *q, int64_t before_ms, int64_t after,
                         struct queue_forgotten *ret_done)
{
    struct forget_answer a = {.plain.rig = r};
    queue_forget(q, (struct wall_time){before_ms}, after, on_forget, &a);
    rig_wait(r, &a.plain.done);
    *ret_done = a.done;
    return a.plain.err;
}

static struct queue_forgotten forget(struct rig *r, struct queue *q, int64_t before_ms, int64_t after)
{
    struct queue_forgotten done;
    assert_ok(try_to_forget(r, q, before_ms, after, &done));
    return done;
}

static void on_trace(void *arg, int err, const struct queue_life *life)
{
    struct answer *a = arg;
    a->count = err == 0 ? life->attempt_count : 0;
    a->more_count = err == 0 ? life->act_count : 0;
    on_plain(a, err);
}

static struct answer trace(struct rig *r, struct queue *q, uint64_t id)
{
    ASK(r, a);
    struct custody_id custody = id_of(id);
    queue_trace(q, &custody, on_trace, &a);
    rig_wait(r, &a.done);
    return a;
}

static void a_record_has_its_time(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    ended(r, q, 10);
    ended(r, q, 20);
    ended(r, q, 30);
    assert_int_equal(forget(r, q, 11000, 0).removed, 0); /* it ended just then */
    assert_err(accept_one(r, q, 10, "alice@example.test"), ERR_EXISTS);
    struct queue_forgotten done = forget(r, q, 11001, 0);
    assert_int_equal(done.removed, 1);
    assert_false(done.more);
    assert_err(trace(r, q, 10).err, ERR_NOT_FOUND);
    assert_int_equal(trace(r, q, 20).count, 1);
    assert_err(accept_one(r, q, 20, "alice@example.test"), ERR_EXISTS);
    assert_ok(accept_one(r, q, 10, "alice@example.test")); /* nobody knows it any more */
    assert_int_equal(trace(r, q, 10).count, 0);
    struct queue_filter all = {.states = UINT32_MAX, .limit = 9};
    assert_int_equal(list_rows(r, q, &all).count, 3);
}

/* Also when all that there was is forgotten. */
static void numbers_grow_all_the_same(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    ended(r, q, 10);
    int64_t last = ended(r, q, 20);
    assert_int_equal(forget(r, q, INT64_MAX, 0).removed, 1);
    assert_ok(trace(r, q, 20).err); /* the newest one */
    queue_close(q);
    q = own(r, r->store, "relay-east", "east1", 1, NULL, NULL);
    assert_true(ended(r, q, 30) > last);
    assert_int_equal(forget(r, q, INT64_MAX, 0).removed, 1);
}

static void what_has_not_ended_stays(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    struct queue_filter one = {.delivery_id = 1};
    const char *both[] = {"alice@example.test", "bob@example.test", NULL};
    assert_ok(accept_body(r, q, 1, "hello", 5, "a@b.test", both, NULL));
    assert_ok(settle(r, q, 2, QUEUE_OUTCOME_DELIVERED, 0));
    assert_ok(accept_one(r, q, 2, "newest@example.test"));
    assert_int_equal(forget(r, q, INT64_MAX, 0).removed, 0);
    assert_ok(act(r, q, &one, QUEUE_ACT_QUARANTINE, "", NULL));
    assert_int_equal(forget(r, q, INT64_MAX, 0).removed, 0);
    assert_ok(settle(r, q, 1, QUEUE_OUTCOME_REMOVED, 0));
    assert_int_equal(trace(r, q, 1).count, 2);
    assert_int_equal(forget(r, q, INT64_MAX, 0).removed, 1);
}

static void what_is_kept_or_owed_stays(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    ASK(r, a);
    struct queue_result result = {.outcome = QUEUE_OUTCOME_DELIVERED, .owes = QUEUE_OWES_RELAYED};
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    result.delivery_id = 1;
    queue_settle(q, &result, 1, on_plain, &a);
    rig_wait(r, &a.done);
    queue_keep(q, true);
    ended(r, q, 2);
    queue_keep(q, false);
    ended(r, q, 3);
    ended(r, q, 4);
    assert_int_equal(forget(r, q, INT64_MAX, 0).removed, 1);
    assert_int_equal(trace(r, q, 1).count, 1);
    assert_int_equal(trace(r, q, 2).count, 1);
    assert_err(trace(r, q, 3).err, ERR_NOT_FOUND);
}

/* An operator's removal is told by `trace` for as long. */
static void what_was_ordered_lately_stays(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    struct queue_filter first = {.delivery_id = 1};
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    assert_ok(act(r, q, &first, QUEUE_ACT_REMOVE, "", NULL)); /* now */
    assert_ok(accept_one(r, q, 2, "alice@example.test"));
    assert_int_equal(forget(r, q, 1000000, 0).removed, 0);
    assert_int_equal(trace(r, q, 1).more_count, 1);
    assert_int_equal(forget(r, q, INT64_MAX, 0).removed, 1);
}

static void forgetting_goes_in_slices(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    int64_t after = 0;
    size_t removed = 0;
    for (uint64_t id = 1; id <= 2 * QUEUE_FORGET_MAX + 3; id++)
        ended(r, q, id);
    struct queue_forgotten done = {.more = true};
    for (int slices = 1; done.more; slices++) {
        done = forget(r, q, INT64_MAX, after);
        after = done.last_message_id;
        removed += done.removed;
        assert_int_equal(done.more, slices < 3);
    }
    assert_int_equal(removed, 2 * QUEUE_FORGET_MAX + 2);
    for (uint64_t id = 1000; id <= 1000 + QUEUE_FORGET_MAX; id++)
        ended(r, q, id);
    assert_false(forget(r, q, 500000, 203).more); /* all of them are younger */
}

static void a_fenced_owner_forgets_nothing(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    struct queue_forgotten done;
    ended(r, q, 1);
    ended(r, q, 2);
    struct queue *next = own(r, rig_open(r), "relay-east", "west1", 1, NULL, NULL);
    assert_err(try_to_forget(r, q, INT64_MAX, 0, &done), ERR_FENCED);
    assert_ok(trace(r, next, 1).err);
}

const struct rig_test past_tests[] = {
    {"a record has its time", a_record_has_its_time},
    {"numbers grow all the same", numbers_grow_all_the_same},
    {"what has not ended stays", what_has_not_ended_stays},
    {"what is kept or owed stays", what_is_kept_or_owed_stays},
    {"what was ordered lately stays", what_was_ordered_lately_stays},
    {"forgetting goes in slices", forgetting_goes_in_slices},
    {"a fenced owner forgets nothing", a_fenced_owner_forgets_nothing},
    {NULL, NULL},
};
