/* What senders ask to be told, and are owed. */
#include "rig.h"

#include "store/queue_kept.h"
#include "store/queue_report.h"

static struct queue *new_queue(struct rig *r)
{
    return own(r, r->store, "relay-east", "east1", 0, NULL, NULL);
}

static void on_accept(void *arg, int err, int64_t message_id)
{
    ((struct answer *)arg)->number = message_id;
    on_plain(arg, err);
}

/* A message for alice, who is asked about, and bob; its number. */
static int64_t accept_asking(struct rig *r, struct queue *q, uint64_t id, const char *sender)
{
    ASK(r, a);
    struct queue_message_in in = {.custody_id = id_of(id),
                                  .reverse_path = str_from(sender),
                                  .helo = STR("client"),
                                  .client = STR("127.0.0.9"),
                                  .authenticated = true,
                                  .dsn = {DSN_RET_HDRS, STR("QQ+201")},
                                  .received_at = {(int64_t)id * 1000}};
    const struct queue_recipient_in to[] = {
        {.address = STR("alice@example.test"),
         .domain = STR("example.test"),
         .dsn = {DSN_NOTIFY_SUCCESS | DSN_NOTIFY_DELAY, STR("rfc822;Alice@example.test")}},
        {.address = STR("bob@example.test"), .domain = STR("example.test")}};
    struct body_writer *w = queue_body_begin(q);
    assert_non_null(w);
    body_append(w, "hello", 5);
    queue_accept(q, w, &in, to, 2, on_accept, &a);
    rig_wait(r, &a.done);
    assert_ok(a.err);
    return a.number;
}

static const struct queue_delivery *row(const struct answer *a, size_t i)
{
    assert_true(i < a->count);
    return &((const struct queue_delivery *)a->items)[i];
}

static struct queue_delivery find(struct rig *r, struct queue *q, int64_t id)
{
    struct queue_filter one = {.delivery_id = id, .states = UINT32_MAX, .limit = 1};
    struct answer a = list_rows(r, q, &one);
    return *row(&a, 0);
}

static void settle_as(struct rig *r, struct queue *q, int64_t id, enum queue_outcome outcome,
                      enum queue_owes owes)
{
    ASK(r, a);
    struct queue_result result = {.delivery_id = id,
                                  .outcome = outcome,
                                  .owes = owes,
                                  .reply = STR("550 5.1.1 No such user"),
                                  .host = STR("mx.example.test"),
                                  .server = STR("mail1"),
                                  .instance = STR("east1"),
                                  .at = {5000}};
    queue_settle(q, &result, 1, on_plain, &a);
    rig_wait(r, &a.done);
    assert_ok(a.err);
}

static void on_owed(void *arg, int err, const struct queue_owed *owed, size_t count)
{
    struct answer *a = arg;
    struct queue_owed *copies = arena_alloc(&a->rig->arena, (count + 1) * sizeof(*copies));
    for (size_t i = 0; i < count; i++) {
        copies[i] = owed[i];
        copies[i].reply = rig_str(a->rig, owed[i].reply);
        copies[i].server = rig_str(a->rig, owed[i].server);
        copies[i].host = rig_str(a->rig, owed[i].host);
        copies[i].delivery.recipient = rig_str(a->rig, owed[i].delivery.recipient);
        copies[i].delivery.envelope.envid = rig_str(a->rig, owed[i].delivery.envelope.envid);
        copies[i].delivery.request.orcpt = rig_str(a->rig, owed[i].delivery.request.orcpt);
    }
    a->items = copies;
    a->count = count;
    on_plain(a, err);
}

static struct answer owed_after(struct rig *r, struct queue *q, int64_t message_id, enum queue_owes kind)
{
    ASK(r, a);
    queue_owed(q, message_id, kind, on_owed, &a);
    rig_wait(r, &a.done);
    assert_ok(a.err);
    return a;
}

static struct answer owed(struct rig *r, struct queue *q)
{
    return owed_after(r, q, 0, QUEUE_OWES_NOTHING);
}

static const struct queue_owed *debt(const struct answer *a, size_t i)
{
    assert_true(i < a->count);
    return &((const struct queue_owed *)a->items)[i];
}

/* A report with this custody id about one or two deliveries. */
static int report(struct rig *r, struct queue *q, uint64_t custody, enum queue_owes kind, int64_t first,
                  int64_t second)
{
    ASK(r, a);
    struct queue_message_in in = {.custody_id = id_of(custody), .received_at = {9000}};
    struct queue_recipient_in to = {.address = STR("sender@example.net"),
                                    .domain = STR("example.net"),
                                    .home = STR(QUEUE_HOME_OUTSIDE),
                                    .dsn = {.notify = DSN_NOTIFY_NEVER}};
    int64_t ids[] = {first, second};
    struct queue_report what = {.message = &in,
                                .recipient = &to,
                                .body = STR("a report"),
                                .kind = kind,
                                .delivery_ids = ids,
                                .count = second ? 2 : 1};
    queue_report(q, &what, on_plain, &a);
    rig_wait(r, &a.done);
    return a.err;
}

static void owe_delay(struct rig *r, struct queue *q, int64_t first, int64_t second)
{
    ASK(r, a);
    int64_t ids[] = {first, second};
    queue_owe_delay(q, ids, 2, on_plain, &a);
    rig_wait(r, &a.done);
    assert_ok(a.err);
}

static int body_err(struct rig *r, struct queue *q, int64_t message_id)
{
    return read_body(r, queue_body_open(q, message_id)).err;
}

/* ---- what is asked ---- */

static void what_is_asked_is_kept(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    accept_asking(r, q, 1, "sender@example.net");
    for (int look = 0; look < 2; look++) {
        struct answer a = due(r, q, "example.test", "", 0, 10);
        assert_int_equal(row(&a, 0)->request.notify, DSN_NOTIFY_SUCCESS | DSN_NOTIFY_DELAY);
        assert_str(row(&a, 0)->request.orcpt, "rfc822;Alice@example.test");
        assert_int_equal(row(&a, 0)->envelope.ret, DSN_RET_HDRS);
        assert_str(row(&a, 0)->envelope.envid, "QQ+201");
        assert_true(row(&a, 0)->authenticated);
        assert_int_equal(row(&a, 1)->request.notify, 0);
        assert_str(row(&a, 1)->request.orcpt, "");
        q = own(r, r->store, "relay-east", "west1", look + 1, NULL, NULL); /* adopted */
    }
    assert_ok(accept_one(r, q, 2, "carol@example.test"));
    struct answer a = due(r, q, "example.test", "", 2, 10);
    assert_int_equal(row(&a, 0)->envelope.ret, DSN_RET_UNSAID);
    assert_str(row(&a, 0)->envelope.envid, "");
    assert_false(row(&a, 0)->authenticated);
}

/* ---- failures ---- */

static void a_bounce_ends_with_its_report(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    int64_t message_id = accept_asking(r, q, 1, "sender@example.net");
    assert_int_equal(owed(r, q).count, 0);
    settle_as(r, q, 1, QUEUE_OUTCOME_BOUNCED, QUEUE_OWES_NOTHING);
    settle_as(r, q, 2, QUEUE_OUTCOME_BOUNCED, QUEUE_OWES_FAILED);
    assert_int_equal(find(r, q, 1).state, QUEUE_QUARANTINED);
    assert_int_equal(notices(r, q, 9).count, 0); /* the operator need not see to it */
    struct answer a = owed(r, q);
    assert_int_equal(a.count, 2);
    assert_int_equal(debt(&a, 0)->kind, QUEUE_OWES_FAILED);
    assert_str(debt(&a, 0)->reply, "550 5.1.1 No such user");
    assert_str(debt(&a, 0)->server, "mail1");
    assert_str(debt(&a, 0)->host, "mx.example.test");
    assert_int_equal(debt(&a, 0)->at.ms, 5000);
    assert_str(debt(&a, 0)->delivery.recipient, "alice@example.test");
    assert_str(debt(&a, 0)->delivery.request.orcpt, "rfc822;Alice@example.test");
    assert_str(debt(&a, 0)->delivery.envelope.envid, "QQ+201");
    assert_str(debt(&a, 1)->delivery.recipient, "bob@example.test");
    assert_ok(report(r, q, 100, QUEUE_OWES_FAILED, 1, 2));
    assert_int_equal(owed(r, q).count, 0);
    assert_int_equal(find(r, q, 1).state, QUEUE_BOUNCED);
    assert_int_equal(find(r, q, 2).state, QUEUE_BOUNCED);
    assert_err(body_err(r, q, message_id), ERR_NOT_FOUND);
    struct answer made = due(r, q, "", QUEUE_HOME_OUTSIDE, 0, 9);
    assert_int_equal(made.count, 1);
    assert_str(row(&made, 0)->recipient, "sender@example.net");
    assert_str(row(&made, 0)->reverse_path, "");
    assert_int_equal(row(&made, 0)->request.notify, DSN_NOTIFY_NEVER);
    assert_str(read_body(r, queue_body_open(q, row(&made, 0)->message_id)).text, "a report");
    settle_as(r, q, row(&made, 0)->id, QUEUE_OUTCOME_DELIVERED, QUEUE_OWES_NOTHING);
    assert_err(body_err(r, q, row(&made, 0)->message_id), ERR_NOT_FOUND);
    assert_ok(accept_one(r, q, 3, "alice@example.test")); /* numbers go on */
    made = due(r, q, "example.test", "", 0, 9);
    assert_int_equal(row(&made, 0)->id, 4);
}

static void a_report_is_made_once(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    accept_asking(r, q, 1, "sender@example.net");
    settle_as(r, q, 1, QUEUE_OUTCOME_BOUNCED, QUEUE_OWES_NOTHING);
    assert_err(report(r, q, 100, QUEUE_OWES_FAILED, 1, 2), ERR_CONFLICT); /* of bob nothing is owed */
    assert_err(report(r, q, 100, QUEUE_OWES_DELIVERED, 1, 0), ERR_CONFLICT);
    assert_err(report(r, q, 1, QUEUE_OWES_FAILED, 1, 0), ERR_EXISTS);
    assert_int_equal(due(r, q, "", QUEUE_HOME_OUTSIDE, 0, 9).count, 0);
    assert_int_equal(owed(r, q).count, 1);
    q = own(r, r->store, "relay-east", "west1", 1, NULL, NULL); /* it was killed here */
    assert_int_equal(owed(r, q).count, 1);
    assert_ok(report(r, q, 100, QUEUE_OWES_FAILED, 1, 0));
    assert_err(report(r, q, 101, QUEUE_OWES_FAILED, 1, 0), ERR_CONFLICT); /* or here */
    assert_int_equal(due(r, q, "", QUEUE_HOME_OUTSIDE, 0, 9).count, 1);
}

static void a_fenced_owner_reports_nothing(void **state)
{
    struct rig *r = *state;
    struct store *west = rig_open(r);
    struct queue *q = new_queue(r);
    accept_asking(r, q, 1, "sender@example.net");
    settle_as(r, q, 1, QUEUE_OUTCOME_BOUNCED, QUEUE_OWES_NOTHING);
    struct queue *adopted = own(r, west, "relay-east", "west1", 1, NULL, NULL);
    assert_err(report(r, q, 100, QUEUE_OWES_FAILED, 1, 0), ERR_FENCED);
    assert_ok(report(r, adopted, 100, QUEUE_OWES_FAILED, 1, 0));
    rig_close(r, west);
}

static void an_operator_may_see_to_it_first(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    struct queue_filter alice = {.delivery_id = 1}, bob = {.delivery_id = 2};
    int64_t message_id = accept_asking(r, q, 1, "sender@example.net");
    settle_as(r, q, 1, QUEUE_OUTCOME_BOUNCED, QUEUE_OWES_NOTHING);
    settle_as(r, q, 2, QUEUE_OUTCOME_BOUNCED, QUEUE_OWES_NOTHING);
    assert_ok(act(r, q, &alice, QUEUE_ACT_RELEASE, "", NULL));
    assert_ok(act(r, q, &bob, QUEUE_ACT_REMOVE, "", NULL));
    assert_int_equal(owed(r, q).count, 0);
    assert_err(report(r, q, 100, QUEUE_OWES_FAILED, 1, 0), ERR_CONFLICT);
    assert_int_equal(find(r, q, 1).state, QUEUE_WAITING);
    assert_ok(body_err(r, q, message_id));
    assert_ok(act(r, q, &alice, QUEUE_ACT_HOLD, "", NULL));
    settle_as(r, q, 1, QUEUE_OUTCOME_BOUNCED, QUEUE_OWES_NOTHING); /* it was being sent: he has it now */
    assert_int_equal(owed(r, q).count, 0);
    assert_int_equal(find(r, q, 1).state, QUEUE_QUARANTINED);
    assert_int_equal(notices(r, q, 9).count, 1);
}

/* It expired amid its transmission, and the server's 250 came later. */
static void what_was_delivered_has_not_failed(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    int64_t message_id = accept_asking(r, q, 1, "sender@example.net");
    settle_as(r, q, 1, QUEUE_OUTCOME_BOUNCED, QUEUE_OWES_NOTHING);
    settle_as(r, q, 2, QUEUE_OUTCOME_BOUNCED, QUEUE_OWES_NOTHING);
    settle_as(r, q, 1, QUEUE_OUTCOME_DELIVERED, QUEUE_OWES_DELIVERED);
    assert_err(report(r, q, 100, QUEUE_OWES_FAILED, 1, 2), ERR_CONFLICT);
    struct answer a = owed(r, q);
    assert_int_equal(a.count, 1);
    assert_int_equal(debt(&a, 0)->delivery.id, 2);
    assert_ok(report(r, q, 100, QUEUE_OWES_FAILED, 2, 0));
    assert_int_equal(find(r, q, 1).state, QUEUE_DELIVERED);
    assert_int_equal(find(r, q, 2).state, QUEUE_BOUNCED);
    assert_ok(body_err(r, q, message_id)); /* for alice's report */
    a = owed(r, q);
    assert_int_equal(debt(&a, 0)->kind, QUEUE_OWES_DELIVERED);
    assert_ok(report(r, q, 101, QUEUE_OWES_DELIVERED, 1, 0));
    assert_err(body_err(r, q, message_id), ERR_NOT_FOUND);
    assert_int_equal(find(r, q, 1).state, QUEUE_DELIVERED);
}

static void the_last_delivery_takes_its_debt_and_body_along(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    int64_t message_id = accept_asking(r, q, 1, "sender@example.net");
    settle_as(r, q, 1, QUEUE_OUTCOME_BOUNCED, QUEUE_OWES_NOTHING);
    settle_as(r, q, 2, QUEUE_OUTCOME_DELIVERED, QUEUE_OWES_NOTHING);
    settle_as(r, q, 1, QUEUE_OUTCOME_DELIVERED, QUEUE_OWES_NOTHING);
    assert_int_equal(owed(r, q).count, 0);
    assert_err(body_err(r, q, message_id), ERR_NOT_FOUND);
}

/* The report was accepted first: what the server answers later is an attempt, for trace. */
static void what_has_bounced_stays_bounced(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    accept_asking(r, q, 1, "sender@example.net");
    settle_as(r, q, 1, QUEUE_OUTCOME_BOUNCED, QUEUE_OWES_NOTHING);
    assert_ok(report(r, q, 100, QUEUE_OWES_FAILED, 1, 0));
    settle_as(r, q, 1, QUEUE_OUTCOME_DELIVERED, QUEUE_OWES_DELIVERED);
    assert_int_equal(find(r, q, 1).state, QUEUE_BOUNCED);
    assert_int_equal(owed(r, q).count, 0);
}

static void a_walk_goes_past_what_it_knows(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    int64_t first = accept_asking(r, q, 1, "sender@example.net"),
            second = accept_asking(r, q, 2, "sender@example.net");
    settle_as(r, q, 1, QUEUE_OUTCOME_DELIVERED, QUEUE_OWES_RELAYED);
    settle_as(r, q, 2, QUEUE_OUTCOME_BOUNCED, QUEUE_OWES_NOTHING);
    settle_as(r, q, 3, QUEUE_OUTCOME_DELIVERED, QUEUE_OWES_DELIVERED);
    struct answer a = owed(r, q);
    assert_int_equal(debt(&a, 0)->delivery.id, 2);
    a = owed_after(r, q, first, QUEUE_OWES_FAILED);
    assert_int_equal(a.count, 1);
    assert_int_equal(debt(&a, 0)->delivery.id, 1);
    a = owed_after(r, q, first, QUEUE_OWES_RELAYED);
    assert_int_equal(a.count, 1);
    assert_int_equal(debt(&a, 0)->delivery.id, 3);
    assert_int_equal(owed_after(r, q, second, QUEUE_OWES_DELIVERED).count, 0);
}

/* ---- success ---- */

static void a_message_keeps_its_body_while_a_report_is_owed(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    int64_t message_id = accept_asking(r, q, 1, "sender@example.net");
    settle_as(r, q, 1, QUEUE_OUTCOME_DELIVERED, QUEUE_OWES_DELIVERED);
    settle_as(r, q, 2, QUEUE_OUTCOME_DELIVERED, QUEUE_OWES_RELAYED);
    assert_int_equal(find(r, q, 1).state, QUEUE_DELIVERED);
    assert_ok(body_err(r, q, message_id));
    struct answer a = owed(r, q);
    assert_int_equal(a.count, 1); /* of one kind */
    assert_int_equal(debt(&a, 0)->kind, QUEUE_OWES_DELIVERED);
    assert_ok(report(r, q, 100, QUEUE_OWES_DELIVERED, 1, 0));
    assert_ok(body_err(r, q, message_id));
    a = owed(r, q);
    assert_int_equal(debt(&a, 0)->kind, QUEUE_OWES_RELAYED);
    assert_ok(report(r, q, 101, QUEUE_OWES_RELAYED, 2, 0));
    assert_err(body_err(r, q, message_id), ERR_NOT_FOUND);
    assert_int_equal(find(r, q, 1).state, QUEUE_DELIVERED);
}

static void one_that_ended_owes_nothing_more(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    accept_asking(r, q, 1, "sender@example.net");
    settle_as(r, q, 1, QUEUE_OUTCOME_DELIVERED, QUEUE_OWES_NOTHING);
    settle_as(r, q, 1, QUEUE_OUTCOME_BOUNCED, QUEUE_OWES_NOTHING);
    settle_as(r, q, 1, QUEUE_OUTCOME_DELIVERED, QUEUE_OWES_DELIVERED);
    assert_int_equal(owed(r, q).count, 0);
}

static void on_replay(void *arg, int err, const struct queue_replayed *done)
{
    ((struct answer *)arg)->number = (int64_t)done->deliveries;
    on_plain(arg, err);
}

/* The sender was told once what became of it. */
static void what_is_sent_again_is_told_to_nobody(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    ASK(r, a);
    queue_keep(q, true);
    accept_asking(r, q, 1, "sender@example.net");
    settle_as(r, q, 1, QUEUE_OUTCOME_DELIVERED, QUEUE_OWES_DELIVERED);
    settle_as(r, q, 2, QUEUE_OUTCOME_DELIVERED, QUEUE_OWES_NOTHING);
    assert_ok(report(r, q, 100, QUEUE_OWES_DELIVERED, 1, 0));
    struct queue_replay which = {
        .server = STR("mail1"), .until = {INT64_MAX}, .limit = 10, .key = STR("one")};
    queue_replay(q, &which, on_replay, &a);
    rig_wait(r, &a.done);
    assert_int_equal(a.number, 2);
    assert_int_equal(find(r, q, 1).request.notify, DSN_NOTIFY_NEVER);
    assert_str(find(r, q, 1).request.orcpt, "rfc822;Alice@example.test");
    assert_int_equal(find(r, q, 2).request.notify, DSN_NOTIFY_NEVER);
}

/* ---- delays ---- */

static void a_delay_is_told_once(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    struct queue_filter bob = {.delivery_id = 2};
    int64_t message_id = accept_asking(r, q, 1, "sender@example.net");
    settle_as(r, q, 1, QUEUE_OUTCOME_DEFERRED, QUEUE_OWES_NOTHING);
    assert_ok(act(r, q, &bob, QUEUE_ACT_HOLD, "", NULL));
    owe_delay(r, q, 1, 2);
    struct answer a = owed(r, q);
    assert_int_equal(a.count, 1); /* what is held waits for the operator */
    assert_int_equal(debt(&a, 0)->kind, QUEUE_OWES_DELAYED);
    assert_str(debt(&a, 0)->reply, "550 5.1.1 No such user");
    assert_str(debt(&a, 0)->host, "mx.example.test");
    assert_true(find(r, q, 1).delay_told);
    assert_int_equal(find(r, q, 1).request.notify, DSN_NOTIFY_SUCCESS | DSN_NOTIFY_DELAY);
    assert_ok(report(r, q, 100, QUEUE_OWES_DELAYED, 1, 0));
    assert_int_equal(find(r, q, 1).state, QUEUE_WAITING);
    assert_ok(act(r, q, &bob, QUEUE_ACT_RELEASE, "", NULL));
    owe_delay(r, q, 1, 2);
    a = owed(r, q);
    assert_int_equal(a.count, 1);
    assert_int_equal(debt(&a, 0)->delivery.id, 2);
    assert_ok(report(r, q, 101, QUEUE_OWES_DELAYED, 2, 0));
    owe_delay(r, q, 1, 2);
    assert_int_equal(owed(r, q).count, 0);
    assert_ok(body_err(r, q, message_id));
}

static void an_end_forgets_a_delay(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    struct queue_filter bob = {.delivery_id = 2};
    int64_t first = accept_asking(r, q, 1, "sender@example.net"),
            second = accept_asking(r, q, 2, "sender@example.net");
    owe_delay(r, q, 1, 2);
    owe_delay(r, q, 3, 4);
    settle_as(r, q, 1, QUEUE_OUTCOME_DELIVERED, QUEUE_OWES_NOTHING);
    assert_ok(act(r, q, &bob, QUEUE_ACT_REMOVE, "", NULL));
    assert_err(body_err(r, q, first), ERR_NOT_FOUND);
    settle_as(r, q, 3, QUEUE_OUTCOME_REMOVED, QUEUE_OWES_NOTHING);
    settle_as(r, q, 4, QUEUE_OUTCOME_BOUNCED, QUEUE_OWES_NOTHING);
    assert_ok(report(r, q, 100, QUEUE_OWES_FAILED, 4, 0));
    assert_int_equal(owed(r, q).count, 0);
    assert_err(body_err(r, q, second), ERR_NOT_FOUND);
}

const struct rig_test report_tests[] = {
    {"what is asked is kept", what_is_asked_is_kept},
    {"a bounce ends with its report", a_bounce_ends_with_its_report},
    {"a report is made once", a_report_is_made_once},
    {"a fenced owner reports nothing", a_fenced_owner_reports_nothing},
    {"an operator may see to it first", an_operator_may_see_to_it_first},
    {"what was delivered has not failed", what_was_delivered_has_not_failed},
    {"the last delivery takes its debt and body along", the_last_delivery_takes_its_debt_and_body_along},
    {"what has bounced stays bounced", what_has_bounced_stays_bounced},
    {"a walk goes past what it knows", a_walk_goes_past_what_it_knows},
    {"an end forgets a delay", an_end_forgets_a_delay},
    {"a message keeps its body while a report is owed", a_message_keeps_its_body_while_a_report_is_owed},
    {"one that ended owes nothing more", one_that_ended_owes_nothing_more},
    {"what is sent again is told to nobody", what_is_sent_again_is_told_to_nobody},
    {"a delay is told once", a_delay_is_told_once},
    {NULL, NULL},
};
