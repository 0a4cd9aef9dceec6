/* What waits too long is given up at its time. Messages of the rig were received at so many seconds of 1970
 * as their id. */
#include <string.h>

#include "relay/expired.h"
#include "relay/expiry.h"
#include "unit/store/rig.h"
#include "unit/unit.h"

#define RELAY(age_ms)                                                                                        \
    &(const struct config_relay)                                                                             \
    {                                                                                                        \
        .expire_ms = (age_ms)                                                                                \
    }
#define AGE_OF_1970_MS(r) (loop_wall((r)->loop).ms)

struct watch {
    int expired;
    bool may_not;
    int asked;
};

static bool may(void *arg)
{
    struct watch *w = arg;
    w->asked++;
    return !w->may_not;
}

static void on_expired(void *arg, size_t count)
{
    ((struct watch *)arg)->expired += (int)count;
}

static const struct expiry_ops ops = {may, on_expired};

static struct queue *open_queue(struct rig *r)
{
    return own(r, r->store, "q", "node", 0, NULL, NULL);
}

static size_t in_state(struct rig *r, struct queue *q, enum queue_state state)
{
    struct queue_filter filter = {.states = 1U << state, .limit = 1000};
    return list_rows(r, q, &filter).count;
}

static void test_old_ones_go_into_quarantine_with_a_notice(void **state)
{
    struct rig *r = *state;
    struct watch w = {0};
    struct queue *q = open_queue(r);
    for (uint64_t id = 1; id <= 250; id++) /* more than two batches */
        assert_ok(accept_one(r, q, id, "a@d.test"));
    assert_ok(accept_one(r, q, 251, "b@other.test"));
    struct expiry *e = expiry_new(r->loop, q, STR("d.test"), STR_EMPTY, RELAY(1000), &ops, &w);
    RIG_UNTIL(r, in_state(r, q, QUEUE_QUARANTINED) == 250);
    assert_int_equal(in_state(r, q, QUEUE_WAITING), 1); /* of another domain */
    assert_true(w.expired > 0);
    struct answer told = notices(r, q, 1);
    assert_non_null(strstr(((const struct queue_notice *)told.items)->reply.ptr, "expired"));
    expiry_free(e);
}

/* Another relay may be about to deliver it. */
static void test_without_the_right_nothing_is_given_up(void **state)
{
    struct rig *r = *state;
    struct watch w = {.may_not = true};
    struct queue *q = open_queue(r);
    assert_ok(accept_one(r, q, 1, "a@d.test"));
    struct expiry *e = expiry_new(r->loop, q, STR("d.test"), STR_EMPTY, RELAY(1000), &ops, &w);
    RIG_UNTIL(r, w.asked == 1);
    expiry_kick(e);
    RIG_UNTIL(r, w.asked == 2);
    assert_int_equal(in_state(r, q, QUEUE_QUARANTINED), 0);
    w.may_not = false;
    expiry_kick(e);
    RIG_UNTIL(r, w.expired == 1);
    expiry_free(e);
}

/* What the server said last is not lost. */
static void test_what_was_said_last_is_kept(void **state)
{
    struct rig *r = *state;
    struct watch w = {0};
    struct queue *q = open_queue(r);
    struct str last;
    assert_ok(accept_one(r, q, 1, "a@d.test"));
    assert_ok(accept_one(r, q, 2, "b@d.test"));
    assert_ok(settle(r, q, 1, QUEUE_OUTCOME_DEFERRED, INT64_MAX)); /* "250 2.0.0 taken" */
    struct expiry *e = expiry_new(r->loop, q, STR("d.test"), STR_EMPTY, RELAY(1000), &ops, &w);
    RIG_UNTIL(r, w.expired == 2);
    struct answer told = notices(r, q, 9);
    const struct queue_notice *notice = told.items;
    assert_int_equal(told.count, 2);
    assert_true(expired_parse(notice[0].reply, &last));
    assert_str(last, "250 2.0.0 taken");
    assert_true(expired_parse(notice[1].reply, &last));
    assert_str(last, "");
    assert_false(expired_parse(STR("250 2.0.0 taken"), &last));
    expiry_free(e);
}

/* Also by which host, wherever the message was moved since; and of one that expires again, what was said
 * before. */
static void test_what_was_said_last_is_kept_twice(void **state)
{
    struct rig *r = *state;
    struct watch w = {0};
    struct queue *q = open_queue(r);
    struct queue_filter all = {.limit = 9};
    struct str last;
    assert_ok(accept_one(r, q, 1, "a@d.test"));
    assert_ok(settle(r, q, 1, QUEUE_OUTCOME_DEFERRED, INT64_MAX)); /* "250 2.0.0 taken", by mail1.d.test */
    assert_ok(act(r, q, &all, QUEUE_ACT_MOVE, "mail2", NULL));
    for (int times = 1; times <= 2; times++) {
        struct expiry *e = expiry_new(r->loop, q, STR_EMPTY, STR("mail2"), RELAY(-1000), &ops, &w);
        RIG_UNTIL(r, w.expired == times);
        expiry_free(e);
        struct answer rows = list_rows(r, q, &all);
        const struct queue_delivery *d = rows.items;
        assert_true(expired_parse(d->last_reply, &last));
        assert_str(last, "250 2.0.0 taken");
        assert_str(d->last_host, "mail1.d.test");
        assert_ok(act(r, q, &all, QUEUE_ACT_RELEASE, "", NULL));
    }
}

static void expired_once(const char *last, char *into)
{
    struct buf text;
    buf_init(&text, EXPIRED_TEXT_MAX);
    expired_format(&text, str_from(last));
    memcpy(into, buf_data(&text), text.len + 1);
    buf_fini(&text);
}

/* As queues of before have it. */
static void test_a_nested_text_is_understood(void **state)
{
    char once[EXPIRED_TEXT_MAX + 1], nested[3 * EXPIRED_TEXT_MAX], never[EXPIRED_TEXT_MAX + 1];
    struct str last;
    (void)state;
    expired_once("450 busy", once);
    expired_once("", never);
    snprintf(nested, sizeof(nested), "%s; the last answer: %s", never, once);
    assert_true(expired_parse(str_from(nested), &last));
    assert_str(last, "450 busy");
    snprintf(nested, sizeof(nested), "%s; the last answer: %s", never, never);
    assert_true(expired_parse(str_from(nested), &last));
    assert_str(last, "");
}

/* The rig's messages have a sender; the report ends it (test_reports.c). */
static void test_where_it_bounces_the_sender_is_owed_a_report(void **state)
{
    static const struct config_relay relay = {.expire_ms = 1000, .bounce = BOUNCE_ALWAYS};
    struct rig *r = *state;
    struct watch w = {0};
    struct queue *q = open_queue(r);
    const char *to[] = {"a@d.test", NULL};
    assert_ok(accept_one(r, q, 1, "a@d.test"));
    assert_ok(accept_body(r, q, 2, "x\r\n", 3, "", to, NULL));
    struct expiry *e = expiry_new(r->loop, q, STR("d.test"), STR_EMPTY, &relay, &ops, &w);
    RIG_UNTIL(r, w.expired == 2);
    struct answer told = notices(r, q, 9);
    assert_int_equal(told.count, 1); /* of that without a sender */
    struct custody_id without = id_of(2);
    assert_true(custody_id_eq(&((const struct queue_notice *)told.items)->custody_id, &without));
    expiry_free(e);
}

static void test_it_comes_at_its_time_and_to_the_old_one_only(void **state)
{
    struct rig *r = *state;
    struct watch w = {0};
    struct queue *q = open_queue(r);
    int64_t now_s = AGE_OF_1970_MS(r) / 1000;
    assert_ok(accept_one(r, q, (uint64_t)now_s - 90, "young@d.test"));
    assert_ok(accept_one(r, q, (uint64_t)now_s - 98, "old@d.test"));
    struct expiry *e = expiry_new(r->loop, q, STR("d.test"), STR_EMPTY, RELAY(100000), &ops, &w);
    rig_turn(r);
    bool none = in_state(r, q, QUEUE_QUARANTINED) == 0;
    assert_true(none || AGE_OF_1970_MS(r) >= (now_s + 2) * 1000);
    RIG_UNTIL(r, w.expired == 1);
    struct answer told = notices(r, q, 9);
    assert_int_equal(told.count, 1);
    assert_str(((const struct queue_notice *)told.items)->recipient, "old@d.test");
    expiry_free(e);
}

static void test_a_released_one_has_its_time_again(void **state)
{
    struct rig *r = *state;
    struct watch w = {0};
    struct queue *q = open_queue(r);
    struct queue_filter all = {0};
    assert_ok(accept_one(r, q, 1, "a@d.test"));
    struct expiry *e = expiry_new(r->loop, q, STR("d.test"), STR_EMPTY, RELAY(1000000), &ops, &w);
    RIG_UNTIL(r, w.expired == 1);
    assert_ok(act(r, q, &all, QUEUE_ACT_RELEASE, "", NULL));
    expiry_kick(e);
    for (int turn = 0; turn < 10; turn++)
        rig_turn(r);
    assert_int_equal(in_state(r, q, QUEUE_WAITING), 1);
    assert_ok(act(r, q, &all, QUEUE_ACT_HOLD, "", NULL));
    expiry_free(e);
}

static void test_what_is_held_does_not_expire(void **state)
{
    struct rig *r = *state;
    struct watch w = {0};
    struct queue *q = open_queue(r);
    struct queue_filter first = {.delivery_id = 1};
    assert_ok(accept_one(r, q, 1, "a@d.test"));
    assert_ok(act(r, q, &first, QUEUE_ACT_HOLD, "", NULL));
    assert_ok(accept_one(r, q, 2, "b@d.test"));
    struct expiry *e = expiry_new(r->loop, q, STR("d.test"), STR_EMPTY, RELAY(1000), &ops, &w);
    RIG_UNTIL(r, w.expired == 1);
    assert_int_equal(in_state(r, q, QUEUE_HELD), 1);
    expiry_free(e);
}

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup_memory, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_old_ones_go_into_quarantine_with_a_notice),
        RIG_TEST(test_without_the_right_nothing_is_given_up),
        RIG_TEST(test_what_was_said_last_is_kept),
        RIG_TEST(test_what_was_said_last_is_kept_twice),
        cmocka_unit_test(test_a_nested_text_is_understood),
        RIG_TEST(test_where_it_bounces_the_sender_is_owed_a_report),
        RIG_TEST(test_it_comes_at_its_time_and_to_the_old_one_only),
        RIG_TEST(test_a_released_one_has_its_time_again),
        RIG_TEST(test_what_is_held_does_not_expire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
