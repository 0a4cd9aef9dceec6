#include "rig.h"

#include <stdio.h>

static struct queue *new_queue(struct rig *r)
{
    return own(r, r->store, "relay-east", "east1", 0, NULL, NULL);
}

static const struct queue_delivery *row(const struct answer *a, size_t i)
{
    assert_true(i < a->count);
    return &((const struct queue_delivery *)a->items)[i];
}

static int64_t first_id(struct rig *r, struct queue *q)
{
    struct queue_filter all = {.limit = 1};
    struct answer a = list_rows(r, q, &all);
    return row(&a, 0)->id;
}

/* ---- owning ---- */

static void each_owner_has_the_next_epoch(void **state)
{
    struct rig *r = *state;
    int64_t epoch;
    int err;
    struct queue *q = own(r, r->store, "relay-east", "east1", 0, NULL, &epoch);
    assert_int_equal(epoch, 1);
    assert_int_equal(queue_epoch(q), 1);
    assert_string_equal(queue_name(q), "relay-east");
    assert_ok(queue_health(q));
    assert_null(own(r, r->store, "relay-east", "west1", 0, &err, &epoch));
    assert_err(err, ERR_CONFLICT);
    assert_int_equal(epoch, 1);
    struct queue *next = own(r, r->store, "relay-east", "west1", 1, NULL, &epoch);
    assert_int_equal(epoch, 2);
    queue_close(next);
    queue_close(q);
}

static void the_second_owner_fences_the_first(void **state)
{
    struct rig *r = *state;
    struct store *west = rig_open(r);
    struct queue *q = new_queue(r);
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    struct queue *adopted = own(r, west, "relay-east", "west1", 1, NULL, NULL);
    assert_err(accept_one(r, q, 2, "bob@example.test"), ERR_FENCED);
    assert_err(queue_health(q), ERR_FENCED);
    assert_null(queue_body_begin(q));
    assert_err(settle(r, q, 1, QUEUE_OUTCOME_DELIVERED, 0), ERR_FENCED);
    assert_int_equal(due(r, adopted, "example.test", "", 0, 10).count, 1);
    assert_ok(accept_one(r, adopted, 2, "bob@example.test"));
    rig_close(r, west);
}

static void a_reader_looks_and_writes_nothing(void **state)
{
    struct rig *r = *state;
    struct err_buf eb;
    struct queue *reader, *q;
    assert_err(store_queue_read(r->store, STR("relay-east"), &reader, &eb), ERR_NOT_FOUND);
    q = new_queue(r);
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    assert_ok(store_queue_read(r->store, STR("relay-east"), &reader, &eb));
    assert_int_equal(due(r, reader, "example.test", "", 0, 10).count, 1);
    assert_err(settle(r, reader, 1, QUEUE_OUTCOME_DELIVERED, 0), ERR_DENIED);
    assert_null(queue_body_begin(reader));
    queue_close(reader);
}

static void on_own_never(void *arg, int err, struct queue *q, int64_t epoch)
{
    (void)arg, (void)err, (void)q, (void)epoch;
    fail_msg("a forgotten owning answered");
}

static void a_forgotten_owning_closes_the_queue(void **state)
{
    struct rig *r = *state;
    int64_t epoch;
    int err;
    store_op_forget(store_queue_own(r->store, STR("relay-east"), STR("east1"), 0, on_own_never, NULL));
    own(r, r->store, "relay-west", "west1", 0, NULL, NULL);
    struct queue *q = own(r, r->store, "relay-east", "east1", 0, &err, &epoch);
    if (err == ERR_CONFLICT) /* whether it took place is open */
        q = own(r, r->store, "relay-east", "east1", epoch, NULL, NULL);
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
}

/* ---- accepting and due ---- */

static void what_was_accepted_is_due(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    const char *to[] = {"Alice@example.test", "bob@example.test", NULL};
    int64_t message_id;
    assert_ok(accept_body(r, q, 1, "hello", 5, "sender@example.net", to, &message_id));
    struct answer a = due(r, q, "example.test", "", 0, 10);
    assert_int_equal(a.count, 2);
    assert_false(a.more);
    const struct queue_delivery *d = row(&a, 0);
    assert_int_equal(d->message_id, message_id);
    assert_str(d->reverse_path, "sender@example.net");
    assert_str(d->helo, "client.example.test");
    assert_str(d->client, "127.0.0.9");
    assert_str(d->recipient, "Alice@example.test");
    assert_str(d->domain, "example.test");
    assert_str(d->home, "");
    assert_str(d->last_reply, "");
    assert_int_equal(d->state, QUEUE_WAITING);
    assert_int_equal(d->size_bytes, 5);
    assert_int_equal(d->received_at.ms, 1000);
    struct custody_id id = id_of(1);
    assert_true(custody_id_eq(&d->custody_id, &id));
    assert_int_equal(row(&a, 1)->id, d->id + 1);
}

static void a_custody_id_is_accepted_once(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    assert_err(accept_one(r, q, 1, "alice@example.test"), ERR_EXISTS);
    assert_ok(settle(r, q, first_id(r, q), QUEUE_OUTCOME_DELIVERED, 0));
    assert_err(accept_one(r, q, 1, "alice@example.test"), ERR_EXISTS);
}

static void due_goes_page_by_page(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    for (uint64_t i = 1; i <= 5; i++)
        assert_ok(accept_one(r, q, i, i == 3 ? "x@other.test" : "alice@example.test"));
    struct answer a = due(r, q, "example.test", "", 0, 3);
    assert_int_equal(a.count, 3);
    assert_true(a.more);
    assert_int_equal(row(&a, 2)->received_at.ms, 4000);
    a = due(r, q, "example.test", "", row(&a, 2)->id, 3);
    assert_int_equal(a.count, 1);
    assert_false(a.more);
    assert_int_equal(due(r, q, "absent.test", "", 0, 3).count, 0);
}

static void on_next(void *arg, int err, struct wall_time next_at)
{
    ((struct answer *)arg)->number = next_at.ms;
    on_plain(arg, err);
}

static int next_at(struct rig *r, struct queue *q, int64_t now_ms, int64_t *ret_ms)
{
    ASK(r, a);
    struct queue_due_filter f = {.domain = STR("example.test"), .home = STR_EMPTY, .now = {now_ms}};
    queue_next_at(q, &f, on_next, &a);
    rig_wait(r, &a.done);
    *ret_ms = a.number;
    return a.err;
}

static void a_deferred_one_is_due_later(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    int64_t ms;
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    assert_err(next_at(r, q, 1000, &ms), ERR_NOT_FOUND);
    assert_ok(settle(r, q, first_id(r, q), QUEUE_OUTCOME_DEFERRED, 2000000));
    assert_int_equal(due(r, q, "example.test", "", 0, 3).count, 0);
    assert_ok(next_at(r, q, 1000, &ms));
    assert_int_equal(ms, 2000000);
    assert_err(next_at(r, q, 2000000, &ms), ERR_NOT_FOUND);
    struct queue_filter all = {.limit = 10};
    struct answer a = list_rows(r, q, &all);
    assert_int_equal(row(&a, 0)->attempts, 1);
    assert_str(row(&a, 0)->last_reply, "250 2.0.0 taken");
    assert_str(row(&a, 0)->last_host, "mail1.d.test");
    struct queue_result ours = {.delivery_id = first_id(r, q),
                                .outcome = QUEUE_OUTCOME_DEFERRED,
                                .next_at = {900000},
                                .reply = STR("452 4.5.3 It takes no more at once"),
                                .server = STR("mail1"),
                                .instance = STR_EMPTY};
    assert_ok(settle_result(r, q, &ours)); /* that nobody has said */
    a = list_rows(r, q, &all);
    assert_str(row(&a, 0)->last_host, "");
    assert_int_equal(due(r, q, "example.test", "", 0, 3).count, 1);
}

static void lossy_ones_are_apart(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    ASK(r, a);
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    assert_ok(accept_one(r, q, 2, "bob@example.test"));
    assert_ok(settle(r, q, first_id(r, q), QUEUE_OUTCOME_LOST, 500));
    a = due(r, q, "example.test", "", 0, 3);
    assert_int_equal(a.count, 1);
    assert_str(row(&a, 0)->recipient, "bob@example.test");
    struct queue_filter all = {.limit = 10};
    a = list_rows(r, q, &all);
    assert_int_equal(row(&a, 0)->losses, 1);
    assert_int_equal(row(&a, 0)->attempts, 0);
    uint64_t changed;
    struct queue_filter one = {.delivery_id = row(&a, 0)->id};
    assert_ok(act(r, q, &one, QUEUE_ACT_HOLD, "", &changed));
    assert_ok(act(r, q, &one, QUEUE_ACT_RELEASE, "", &changed));
    assert_int_equal(due(r, q, "example.test", "", 0, 3).count, 2);
}

/* ---- settling ---- */

static void an_end_is_for_good_and_frees_the_body(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    const char *to[] = {"alice@example.test", "bob@example.test", NULL};
    int64_t message_id;
    assert_ok(accept_body(r, q, 1, "hello", 5, "", to, &message_id));
    int64_t id = first_id(r, q);
    assert_ok(settle(r, q, id, QUEUE_OUTCOME_DELIVERED, 0));
    assert_str(read_body(r, queue_body_open(q, message_id)).text, "hello");
    assert_ok(settle(r, q, id + 1, QUEUE_OUTCOME_REMOVED, 0));
    assert_err(read_body(r, queue_body_open(q, message_id)).err, ERR_NOT_FOUND);
    assert_ok(settle(r, q, id, QUEUE_OUTCOME_DEFERRED, 0));
    assert_int_equal(due(r, q, "example.test", "", 0, 3).count, 0);
    struct queue_filter ended = {.states = 1 << QUEUE_DELIVERED | 1 << QUEUE_REMOVED, .limit = 10};
    struct answer a = list_rows(r, q, &ended);
    assert_int_equal(a.count, 2);
    assert_int_equal(row(&a, 0)->state, QUEUE_DELIVERED);
    assert_int_equal(row(&a, 1)->state, QUEUE_REMOVED);
}

static void a_quarantined_one_waits_for_release(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    uint64_t changed;
    struct queue_filter quarantined = {.states = 1 << QUEUE_QUARANTINED, .limit = 10};
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    assert_ok(settle(r, q, first_id(r, q), QUEUE_OUTCOME_QUARANTINED, 0));
    assert_int_equal(due(r, q, "example.test", "", 0, 3).count, 0);
    assert_int_equal(list_rows(r, q, &quarantined).count, 1);
    assert_ok(act(r, q, &quarantined, QUEUE_ACT_RELEASE, "", &changed));
    assert_int_equal(changed, 1);
    assert_int_equal(due(r, q, "example.test", "", 0, 3).count, 1);
}

struct trace_text {
    struct answer answer;
    char text[512];
};

static void on_trace(void *arg, int err, const struct queue_life *life)
{
    struct trace_text *t = arg;
    const struct queue_rows *rows = &life->rows;
    const struct queue_attempt *attempts = life->attempts;
    size_t len = 0;
    for (size_t i = 0; err == 0 && i < rows->count; i++)
        len += (size_t)snprintf(t->text + len, sizeof(t->text) - len, "%s ",
                                queue_state_name(rows->items[i].state));
    for (size_t i = 0; i < life->attempt_count; i++)
        len += (size_t)snprintf(t->text + len, sizeof(t->text) - len, "%s/%.*s/%.*s/%.*s/%d/%d ",
                                queue_outcome_name(attempts[i].outcome), STR_ARG(attempts[i].recipient),
                                STR_ARG(attempts[i].server), STR_ARG(attempts[i].instance),
                                (int)attempts[i].epoch, (int)attempts[i].generation);
    for (size_t i = 0; i < life->act_count; i++)
        len += (size_t)snprintf(
            t->text + len, sizeof(t->text) - len, "%s+%d/%.*s/%.*s/%.*s ",
            queue_action_name(life->acts[i].action), (int)(life->acts[i].delivery_id - rows->items[0].id),
            STR_ARG(life->acts[i].home), STR_ARG(life->acts[i].who), STR_ARG(life->acts[i].why));
    on_plain(&t->answer, err);
}

static struct trace_text trace(struct rig *r, struct queue *q, uint64_t number)
{
    struct trace_text t = {.answer = {.rig = r}};
    struct custody_id id = id_of(number);
    queue_trace(q, &id, on_trace, &t);
    rig_wait(r, &t.answer.done);
    return t;
}

static void the_oldest_come_first(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    for (uint64_t i = 4; i > 0; i--) /* received at i seconds */
        assert_ok(accept_one(r, q, i, "alice@example.test"));
    assert_ok(accept_one(r, q, 9, "carol@other.test"));
    int64_t id = first_id(r, q);
    assert_ok(settle(r, q, id + 3, QUEUE_OUTCOME_LOST, 9000));     /* of second 1: both lanes are looked at */
    assert_ok(settle(r, q, id + 2, QUEUE_OUTCOME_QUARANTINED, 0)); /* of second 2 */
    struct answer a = oldest(r, q, "example.test", "", 9);
    assert_int_equal(a.count, 3);
    assert_int_equal(row(&a, 0)->id, id + 3);
    assert_int_equal(row(&a, 0)->waits_since.ms, 1000);
    assert_int_equal(row(&a, 1)->id, id + 1);
    assert_int_equal(row(&a, 2)->id, id);
    assert_false(a.more);
    a = oldest(r, q, "example.test", "", 2);
    assert_int_equal(a.count, 2);
    assert_true(a.more);
    struct queue_filter released = {.delivery_id = id + 2}, moved = {.delivery_id = id};
    assert_ok(act(r, q, &released, QUEUE_ACT_RELEASE, "", NULL));
    a = oldest(r, q, "example.test", "", 9);
    assert_int_equal(row(&a, 3)->id, id + 2); /* the youngest now */
    assert_true(row(&a, 3)->waits_since.ms > row(&a, 3)->received_at.ms);
    assert_ok(act(r, q, &moved, QUEUE_ACT_MOVE, "mail2", NULL));
    a = oldest(r, q, "", "mail2", 9);
    assert_int_equal(a.count, 1);
    assert_int_equal(row(&a, 0)->waits_since.ms, 4000);
}

/* The loop guard's: accepted, and in quarantine by the same transaction. */
static void what_is_stopped_is_accepted_into_quarantine(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    r->stopped = STR("5.4.6 mail loop");
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    r->stopped = STR_EMPTY;
    assert_ok(accept_one(r, q, 2, "alice@example.test"));
    queue_close(q);
    q = own(r, r->store, "relay-east", "west1", 1, NULL, NULL);
    struct answer a = list_rows(r, q, &(struct queue_filter){.limit = 9});
    assert_int_equal(a.count, 2);
    assert_int_equal(row(&a, 0)->state, QUEUE_QUARANTINED);
    assert_str(row(&a, 0)->last_reply, "5.4.6 mail loop");
    assert_int_equal(row(&a, 0)->attempts, 0);
    assert_int_equal(row(&a, 1)->state, QUEUE_WAITING);
    assert_int_equal(due(r, q, "example.test", "", 0, 9).count, 1);
    a = notices(r, q, 9);
    const struct queue_notice *n = a.items;
    struct custody_id one = id_of(1);
    assert_int_equal(a.count, 1);
    assert_true(custody_id_eq(&n->custody_id, &one));
    assert_str(n->server, "");
    assert_str(n->reply, "5.4.6 mail loop");
    a = summary(r, q);
    const struct queue_count *count = a.items;
    assert_int_equal(a.count, 1);
    assert_int_equal(count->waiting, 1);
    assert_int_equal(count->quarantined, 1);
    struct queue_filter all = {.states = 1u << QUEUE_QUARANTINED};
    assert_ok(act(r, q, &all, QUEUE_ACT_RELEASE, "", NULL));
    assert_int_equal(due(r, q, "example.test", "", 0, 9).count, 2);
}

static void a_quarantine_is_noticed_until_it_was_told(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    for (uint64_t i = 1; i <= 3; i++)
        assert_ok(accept_one(r, q, i, "alice@example.test"));
    int64_t id = first_id(r, q);
    struct queue_filter third = {.delivery_id = id + 2};
    assert_ok(settle(r, q, id, QUEUE_OUTCOME_QUARANTINED, 0));
    assert_ok(settle(r, q, id, QUEUE_OUTCOME_QUARANTINED, 0)); /* it was already */
    assert_ok(settle(r, q, id + 1, QUEUE_OUTCOME_DEFERRED, 9000));
    assert_ok(act(r, q, &third, QUEUE_ACT_QUARANTINE, "", NULL)); /* the operator knows */
    queue_close(q);
    q = own(r, r->store, "relay-east", "west1", 1, NULL, NULL);
    assert_ok(settle(r, q, id + 1, QUEUE_OUTCOME_QUARANTINED, 0));
    struct answer a = notices(r, q, 9);
    const struct queue_notice *first = a.items;
    struct custody_id one = id_of(1);
    assert_int_equal(a.count, 2);
    assert_true(custody_id_eq(&first->custody_id, &one));
    assert_str(first->recipient, "alice@example.test");
    assert_str(first->server, "mail1");
    assert_str(first->reply, "250 2.0.0 taken");
    assert_int_equal(first->at.ms, 5000);
    assert_int_equal(notices(r, q, 1).count, 1);
    assert_ok(notices_drop(r, q, first->id));
    a = notices(r, q, 9);
    assert_int_equal(a.count, 1);
    int64_t last = ((const struct queue_notice *)a.items)->id;
    assert_true(last > first->id);
    assert_ok(notices_drop(r, q, last));
    assert_int_equal(notices(r, q, 9).count, 0);
    struct queue_filter one_of_them = {.delivery_id = id};
    assert_ok(act(r, q, &one_of_them, QUEUE_ACT_RELEASE, "", NULL));
    assert_ok(settle(r, q, id, QUEUE_OUTCOME_QUARANTINED, 0));
    a = notices(r, q, 9);
    assert_int_equal(a.count, 1);
    assert_true(((const struct queue_notice *)a.items)->id > last);
}

static void a_trace_tells_each_attempt(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    assert_ok(accept_one(r, q, 9, "x@example.test"));
    assert_ok(accept_one(r, q, 1, "a@example.test"));
    int64_t id = first_id(r, q) + 1;
    assert_ok(settle(r, q, id, QUEUE_OUTCOME_LOST, 0));
    assert_ok(settle(r, q, id, QUEUE_OUTCOME_DEFERRED, 0));
    assert_ok(settle(r, q, id, QUEUE_OUTCOME_DELIVERED, 0));
    struct trace_text t = trace(r, q, 1);
    assert_ok(t.answer.err);
    assert_string_equal(t.text, "delivered lost/a@example.test/mail1/east1 127.1.0.10/7/3 "
                                "deferred/a@example.test/mail1/east1 127.1.0.10/7/3 "
                                "delivered/a@example.test/mail1/east1 127.1.0.10/7/3 ");
    assert_err(trace(r, q, 2).answer.err, ERR_NOT_FOUND);
}

struct attempts_seen {
    struct answer answer;
    size_t count;
    int64_t first, second, last; /* when */
};

static void on_attempts(void *arg, int err, const struct queue_life *life)
{
    struct attempts_seen *s = arg;
    s->count = life->attempt_count;
    s->first = life->attempts[0].at.ms;
    s->second = life->attempts[1].at.ms;
    s->last = life->attempts[s->count - 1].at.ms;
    on_plain(&s->answer, err);
}

/* What is put off for days leaves a bounded trace. */
static void of_many_attempts_the_first_and_the_last_are_kept(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    struct attempts_seen seen = {.answer = {.rig = r}};
    struct custody_id id = id_of(1);
    assert_ok(accept_one(r, q, 1, "a@example.test"));
    assert_ok(accept_one(r, q, 2, "b@example.test"));
    int64_t delivery = first_id(r, q);
    assert_ok(settle(r, q, delivery + 1, QUEUE_OUTCOME_DEFERRED, 0));
    for (int i = 1; i <= 3 * QUEUE_ATTEMPTS_KEPT; i++) {
        const struct queue_result result = {.delivery_id = delivery,
                                            .outcome = QUEUE_OUTCOME_DEFERRED,
                                            .reply = STR("450 later"),
                                            .server = STR("mail1"),
                                            .instance = STR_EMPTY,
                                            .at = {i}};
        assert_ok(settle_result(r, q, &result));
    }
    queue_trace(q, &id, on_attempts, &seen);
    rig_wait(r, &seen.answer.done);
    assert_int_equal(seen.count, QUEUE_ATTEMPTS_KEPT);
    assert_int_equal(seen.first, 1);
    assert_int_equal(seen.second, 2 * QUEUE_ATTEMPTS_KEPT + 2);
    assert_int_equal(seen.last, 3 * QUEUE_ATTEMPTS_KEPT);
    assert_int_equal(first_id(r, q), delivery);
}

/* ---- operating ---- */

static void a_held_one_is_not_due(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    uint64_t changed;
    struct queue_filter all = {.limit = 0}, held = {.states = 1 << QUEUE_HELD, .limit = 9};
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    assert_ok(act(r, q, &all, QUEUE_ACT_HOLD, "", &changed));
    assert_int_equal(changed, 1);
    assert_ok(act(r, q, &all, QUEUE_ACT_HOLD, "", &changed));
    assert_int_equal(changed, 0);
    assert_int_equal(due(r, q, "example.test", "", 0, 3).count, 0);
    assert_int_equal(list_rows(r, q, &held).count, 1);
    assert_ok(act(r, q, &all, QUEUE_ACT_RELEASE, "", &changed));
    assert_int_equal(due(r, q, "example.test", "", 0, 3).count, 1);
}

static void retry_makes_it_due_at_once(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    struct queue_filter all = {.limit = 0};
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    assert_ok(settle(r, q, first_id(r, q), QUEUE_OUTCOME_DEFERRED, 2000000));
    assert_int_equal(due(r, q, "example.test", "", 0, 3).count, 0);
    assert_ok(act(r, q, &all, QUEUE_ACT_RETRY, "", NULL));
    assert_int_equal(due(r, q, "example.test", "", 0, 3).count, 1);
}

static void a_moved_one_is_due_at_its_own_home(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    struct queue_filter bob = {.recipient = STR("bob@example.test")},
                        own_home = {.home = STR("mail2"), .limit = 9};
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    assert_ok(accept_one(r, q, 2, "bob@example.test"));
    assert_ok(accept_one(r, q, 3, "bob@other.test"));
    struct queue_filter bob_other = {.recipient = STR("bob@other.test")};
    assert_ok(act(r, q, &bob, QUEUE_ACT_MOVE, "mail2", NULL));
    assert_ok(act(r, q, &bob_other, QUEUE_ACT_MOVE, "mail2", NULL));
    assert_int_equal(due(r, q, "example.test", "", 0, 9).count, 1);
    struct answer a = due(r, q, "", "mail2", 0, 9);
    assert_int_equal(a.count, 2);
    assert_true(row(&a, 0)->id < row(&a, 1)->id);
    assert_str(row(&a, 0)->home, "mail2");
    a = due(r, q, "", "mail2", 0, 1);
    assert_int_equal(a.count, 1);
    assert_true(a.more);
    assert_int_equal(list_rows(r, q, &own_home).count, 2);
    assert_ok(act(r, q, &own_home, QUEUE_ACT_MOVE, "", NULL));
    assert_int_equal(due(r, q, "example.test", "", 0, 9).count, 2);
}

/* Also when the place changes from recipient to recipient, and back. */
static void what_was_accepted_for_a_home_is_due_there(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    const struct queue_recipient_in to[] = {
        {STR("alice@example.test"), STR("example.test"), STR_EMPTY},
        {STR("carol@far.test"), STR("far.test"), STR(QUEUE_HOME_OUTSIDE)},
        {STR("bob@example.test"), STR("example.test"), STR(QUEUE_HOME_OUTSIDE)},
        {STR("dan@example.test"), STR("example.test"), STR("mail2")},
        {STR("eve@example.test"), STR("example.test"), STR_EMPTY},
    };
    assert_ok(accept_to(r, q, 1, STR("hello"), "", to, ARRAY_LEN(to), NULL));
    struct answer own = due(r, q, "example.test", "", 0, 9);
    assert_int_equal(own.count, 2);
    assert_str(row(&own, 1)->recipient, "eve@example.test");
    struct answer outside = due(r, q, "", QUEUE_HOME_OUTSIDE, 0, 9);
    assert_int_equal(outside.count, 2);
    assert_str(row(&outside, 0)->recipient, "carol@far.test");
    assert_str(row(&outside, 0)->home, QUEUE_HOME_OUTSIDE);
    assert_str(row(&outside, 1)->domain, "example.test");
    struct answer a = due(r, q, "", "mail2", 0, 9);
    assert_int_equal(a.count, 1);
    a = summary(r, q);
    assert_int_equal(a.count, 3); /* outside is one place */
}

static void a_removed_one_has_ended(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    struct queue_filter all = {.limit = 0}, removed = {.states = 1 << QUEUE_REMOVED, .limit = 9};
    uint64_t changed;
    int64_t message_id;
    const char *to[] = {"alice@example.test", NULL};
    assert_ok(accept_body(r, q, 1, "hello", 5, "", to, &message_id));
    int64_t id = first_id(r, q);
    assert_ok(act(r, q, &all, QUEUE_ACT_REMOVE, "", &changed));
    assert_int_equal(changed, 1);
    assert_err(read_body(r, queue_body_open(q, message_id)).err, ERR_NOT_FOUND);
    assert_ok(settle(r, q, id, QUEUE_OUTCOME_DELIVERED, 0));
    struct answer a = list_rows(r, q, &removed);
    assert_int_equal(a.count, 1);
    assert_int_equal(row(&a, 0)->state, QUEUE_REMOVED);
    assert_string_equal(trace(r, q, 1).text,
                        "removed delivered/alice@example.test/mail1/east1 127.1.0.10/7/3 "
                        "remove+0//operator/a test ");
}

static void a_trace_tells_what_operators_did(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    const char *to[] = {"a@example.test", "b@example.test", NULL};
    assert_ok(accept_body(r, q, 1, "x", 1, "", to, NULL));
    assert_ok(accept_one(r, q, 2, "a@example.test"));
    struct queue_filter b = {.recipient = STR("b@example.test")}, all = {.limit = 0};
    assert_ok(act(r, q, &b, QUEUE_ACT_MOVE, "mail2", NULL));
    assert_ok(act(r, q, &b, QUEUE_ACT_MOVE, "mail2", NULL)); /* changes nothing */
    assert_ok(act(r, q, &all, QUEUE_ACT_HOLD, "", NULL));
    assert_string_equal(trace(r, q, 1).text, "held held hold+0//operator/a test "
                                             "move+1/mail2/operator/a test hold+1//operator/a test ");
    assert_string_equal(trace(r, q, 2).text, "held hold+0//operator/a test ");
}

static void an_order_acts_once(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    struct queue_filter two = {.limit = 2};
    uint64_t changed;
    for (uint64_t i = 1; i <= 5; i++)
        assert_ok(accept_one(r, q, i, "alice@example.test"));
    r->order_key = STR("order-1");
    assert_ok(act(r, q, &two, QUEUE_ACT_HOLD, "", &changed));
    assert_int_equal(changed, 2);
    queue_close(q); /* its answer was lost */
    q = own(r, r->store, "relay-east", "west1", 1, NULL, NULL);
    assert_ok(act(r, q, &two, QUEUE_ACT_HOLD, "", &changed));
    assert_int_equal(changed, 2);
    assert_int_equal(due(r, q, "example.test", "", 0, 9).count, 3);
    r->order_key = STR("order-2");
    assert_ok(act(r, q, &two, QUEUE_ACT_HOLD, "", &changed));
    assert_int_equal(due(r, q, "example.test", "", 0, 9).count, 1);
    r->order_key = STR_EMPTY;
}

static void an_act_keeps_to_its_limit(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    uint64_t changed;
    for (uint64_t i = 1; i <= 5; i++)
        assert_ok(accept_one(r, q, i, "alice@example.test"));
    struct queue_filter two = {.after_id = first_id(r, q), .limit = 2};
    assert_ok(act(r, q, &two, QUEUE_ACT_HOLD, "", &changed));
    assert_int_equal(changed, 2);
    struct answer a = due(r, q, "example.test", "", 0, 9);
    assert_int_equal(a.count, 3);
    assert_int_equal(row(&a, 1)->received_at.ms, 4000);
}

/* ---- looking ---- */

static size_t count_of(struct rig *r, struct queue *q, struct queue_filter filter)
{
    filter.limit = 100;
    struct answer a = list_rows(r, q, &filter);
    assert_ok(a.err);
    return a.count;
}

static void a_list_filters(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    struct custody_id id = id_of(2);
    struct str domains[] = {STR("other.test"), STR("third.test")};
    const char *to[] = {"carol@third.test", "dave@other.test", NULL};
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    assert_ok(accept_one(r, q, 2, "bob@other.test"));
    assert_ok(accept_body(r, q, 3, "x", 1, "", to, NULL));
    assert_int_equal(count_of(r, q, (struct queue_filter){.limit = 0}), 4);
    assert_int_equal(count_of(r, q, (struct queue_filter){.sender = STR("sender@example.net")}), 2);
    assert_int_equal(count_of(r, q, (struct queue_filter){.sender = STR_EMPTY}), 2);
    assert_int_equal(count_of(r, q, (struct queue_filter){.recipient = STR("bob@other.test")}), 1);
    assert_int_equal(count_of(r, q, (struct queue_filter){.custody_id = &id}), 1);
    assert_int_equal(count_of(r, q, (struct queue_filter){.domains = domains, .domain_count = 2}), 3);
    assert_int_equal(count_of(r, q, (struct queue_filter){.domains = domains, .domain_count = 1}), 2);
    assert_int_equal(
        count_of(r, q, (struct queue_filter){.domains = domains, .domain_count = 2, .sender = STR_EMPTY}), 2);
    assert_int_equal(count_of(r, q, (struct queue_filter){.home = STR("mail9")}), 0);
    assert_int_equal(count_of(r, q, (struct queue_filter){.delivery_id = first_id(r, q)}), 1);
    assert_int_equal(count_of(r, q, (struct queue_filter){.states = 1 << QUEUE_HELD}), 0);
}

static void a_list_goes_page_by_page(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    struct str domains[] = {STR("example.test"), STR("other.test")};
    for (uint64_t i = 1; i <= 7; i++)
        assert_ok(accept_one(r, q, i, i % 2 ? "alice@example.test" : "x@other.test"));
    assert_ok(settle(r, q, first_id(r, q) + 1, QUEUE_OUTCOME_DELIVERED, 0));
    for (size_t count = 0; count <= 2; count += 2) {
        struct queue_filter f = {.states = 0x3f, .domains = domains, .domain_count = count, .limit = 3};
        int64_t expect_ms = 1000;
        size_t seen = 0;
        struct answer a;
        do {
            a = list_rows(r, q, &f);
            for (size_t i = 0; i < a.count; i++, expect_ms += 1000)
                assert_int_equal(row(&a, i)->received_at.ms, expect_ms);
            seen += a.count;
            if (a.count > 0)
                f.after_id = row(&a, a.count - 1)->id;
        } while (a.more);
        assert_int_equal(seen, 7);
    }
}

static void a_summary_counts_by_place(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    assert_ok(accept_one(r, q, 2, "bob@example.test"));
    assert_ok(accept_one(r, q, 3, "carol@other.test"));
    int64_t id = first_id(r, q);
    struct queue_filter held = {.delivery_id = id + 1}, moved = {.delivery_id = id + 2};
    assert_ok(act(r, q, &held, QUEUE_ACT_HOLD, "", NULL));
    assert_ok(act(r, q, &moved, QUEUE_ACT_MOVE, "mail2", NULL));
    struct answer a = summary(r, q);
    const struct queue_count *counts = a.items;
    assert_int_equal(a.count, 2);
    assert_str(counts[0].domain, "");
    assert_str(counts[0].home, "mail2");
    assert_int_equal(counts[0].waiting, 1);
    assert_str(counts[1].domain, "example.test");
    assert_int_equal(counts[1].waiting, 1);
    assert_int_equal(counts[1].held, 1);
    assert_int_equal(counts[1].oldest.ms, 1000);
    assert_ok(settle(r, q, id, QUEUE_OUTCOME_DELIVERED, 0));
    assert_ok(settle(r, q, id + 2, QUEUE_OUTCOME_QUARANTINED, 0));
    a = summary(r, q);
    counts = a.items;
    assert_int_equal(counts[0].quarantined, 1);
    assert_int_equal(counts[0].oldest.ms, 0);
    assert_int_equal(counts[1].waiting, 0);
    assert_int_equal(counts[1].oldest.ms, 2000);
    assert_ok(settle(r, q, id + 2, QUEUE_OUTCOME_REMOVED, 0));
    assert_int_equal(summary(r, q).count, 1);
}

/* Whoever sends to strangers makes no place for each. */
static void strangers_share_one_place(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    char domain[32];
    for (uint64_t id = 1; id <= 30; id++) {
        snprintf(domain, sizeof(domain), "d%d.test", 30 - (int)id);
        struct queue_recipient_in to = {
            .address = STR("a@b.test"), .domain = str_from(domain), .home = STR("*")};
        assert_ok(accept_to(r, q, id, STR("x"), "s@x.test", &to, 1, NULL));
    }
    struct answer a = summary(r, q);
    const struct queue_count *count = a.items;
    assert_int_equal(a.count, 1);
    assert_str(count->domain, "");
    assert_str(count->home, "*");
    assert_int_equal(count->waiting, 30);
    assert_int_equal(count->oldest.ms, 1000);
    struct answer page = due(r, q, "", "*", 0, 20);
    const struct queue_delivery *rows = page.items;
    assert_int_equal(page.count, 20);
    assert_true(page.more);
    assert_int_equal(rows[19].id, 20); /* by number, whatever their domains */
    assert_str(rows[19].domain, "d10.test");
    page = oldest(r, q, "", "*", 3);
    assert_int_equal(page.count, 3);
    assert_int_equal(((const struct queue_delivery *)page.items)[2].id, 3);
}

/* Moved out of its domain, and back. */
static void a_moved_one_keeps_its_domain(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    struct queue_filter all = {.limit = 0},
                        of_domain = {.domain = STR("example.test"), .states = UINT32_MAX, .limit = 9};
    static const char *const homes[] = {"mail2", "*", ""};
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    for (size_t i = 0; i < ARRAY_LEN(homes); i++) {
        assert_ok(act(r, q, &all, QUEUE_ACT_MOVE, homes[i], NULL));
        struct answer a = list_rows(r, q, &of_domain);
        assert_int_equal(a.count, 1);
        assert_str(((const struct queue_delivery *)a.items)->domain, "example.test");
        assert_str(((const struct queue_delivery *)a.items)->home, homes[i]);
        a = summary(r, q);
        assert_int_equal(a.count, 1);
        assert_int_equal(((const struct queue_count *)a.items)->waiting, 1);
        assert_str(((const struct queue_count *)a.items)->home, homes[i]);
    }
    assert_int_equal(due(r, q, "example.test", "", 0, 9).count, 1);
    assert_ok(act(r, q, &all, QUEUE_ACT_MOVE, "mail2", NULL));
    assert_ok(settle(r, q, first_id(r, q), QUEUE_OUTCOME_DELIVERED, 0));
    struct answer a = list_rows(r, q, &of_domain);
    assert_str(((const struct queue_delivery *)a.items)->domain, "example.test");
    assert_str(((const struct queue_delivery *)a.items)->home, "mail2");
}

static void numbers_grow_across_owners(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    int64_t id = first_id(r, q);
    assert_ok(settle(r, q, id, QUEUE_OUTCOME_DELIVERED, 0));
    queue_close(q);
    q = own(r, r->store, "relay-east", "east1", 1, NULL, NULL);
    assert_ok(accept_one(r, q, 2, "alice@example.test"));
    assert_true(first_id(r, q) > id);
}

static void on_accept_never(void *arg, int err, int64_t id)
{
    (void)arg, (void)err, (void)id;
    fail_msg("a forgotten accept answered");
}

static void closing_a_queue_forgets_what_is_pending(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    struct body_reader *reader = queue_body_open(q, 1);
    struct body_writer *writer = queue_body_begin(q);
    struct queue_recipient_in to = {STR("alice@example.test"), STR("example.test"), STR_EMPTY};
    for (uint64_t i = 1; i <= 20; i++) {
        struct queue_message_in in = {.custody_id = id_of(i), .reverse_path = STR_EMPTY};
        struct body_writer *w = queue_body_begin(q);
        body_append(w, "x", 1);
        queue_accept(q, w, &in, &to, 1, on_accept_never, NULL);
    }
    queue_close(q);
    body_append(writer, "x", 1);
    assert_err(body_writer_error(writer), ERR_CLOSED);
    body_abort(writer);
    body_close(reader);
    q = NULL;
    int err;
    int64_t epoch;
    q = own(r, r->store, "relay-east", "east1", 1, &err, &epoch);
    assert_ok(err);
    assert_ok(accept_one(r, q, 100, "alice@example.test"));
}

const struct rig_test queue_tests[] = {
    {"each owner has the next epoch", each_owner_has_the_next_epoch},
    {"the second owner fences the first", the_second_owner_fences_the_first},
    {"a reader looks and writes nothing", a_reader_looks_and_writes_nothing},
    {"a forgotten owning closes the queue", a_forgotten_owning_closes_the_queue},
    {"what was accepted is due", what_was_accepted_is_due},
    {"a custody id is accepted once", a_custody_id_is_accepted_once},
    {"due goes page by page", due_goes_page_by_page},
    {"a deferred one is due later", a_deferred_one_is_due_later},
    {"lossy ones are apart", lossy_ones_are_apart},
    {"an end is for good and frees the body", an_end_is_for_good_and_frees_the_body},
    {"a quarantined one waits for release", a_quarantined_one_waits_for_release},
    {"the oldest come first", the_oldest_come_first},
    {"what is stopped is accepted into quarantine", what_is_stopped_is_accepted_into_quarantine},
    {"a quarantine is noticed until it was told", a_quarantine_is_noticed_until_it_was_told},
    {"a trace tells each attempt", a_trace_tells_each_attempt},
    {"of many attempts the first and the last are kept", of_many_attempts_the_first_and_the_last_are_kept},
    {"a held one is not due", a_held_one_is_not_due},
    {"retry makes it due at once", retry_makes_it_due_at_once},
    {"a moved one is due at its own home", a_moved_one_is_due_at_its_own_home},
    {"what was accepted for a home is due there", what_was_accepted_for_a_home_is_due_there},
    {"a removed one has ended", a_removed_one_has_ended},
    {"a trace tells what operators did", a_trace_tells_what_operators_did},
    {"an order acts once", an_order_acts_once},
    {"an act keeps to its limit", an_act_keeps_to_its_limit},
    {"a list filters", a_list_filters},
    {"a list goes page by page", a_list_goes_page_by_page},
    {"a summary counts by place", a_summary_counts_by_place},
    {"strangers share one place", strangers_share_one_place},
    {"a moved one keeps its domain", a_moved_one_keeps_its_domain},
    {"numbers grow across owners", numbers_grow_across_owners},
    {"closing a queue forgets what is pending", closing_a_queue_forgets_what_is_pending},
    {NULL, NULL},
};
