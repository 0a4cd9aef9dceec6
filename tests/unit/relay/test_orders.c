/* An operator's order is taken before it changes anything, and is carried out once, whatever dies when. */
#include <stdlib.h>
#include <string.h>

#include "relay/orders.h"
#include "store/records.h"
#include "unit/store/rig.h"
#include "unit/unit.h"

struct owned {
    struct queue *queue;
    struct ground *ground;
};

struct ground {
    struct rig *rig;
    struct owned owned;
    int asked;                                     /* how often for our queue */
    void (*on_asked)(struct ground *g, int asked); /* or NULL */
    struct config config;                          /* of no domain */
    struct view view;
    struct orders *orders;
    struct queue_filter changed;      /* by the last order */
    void (*on_act)(struct ground *g); /* or NULL */
    struct loop_timer *timer;
    int withdrawn;   /* what the store said to a withdrawal */
    bool answered;   /* it has said so */
    bool told_of_it; /* orders are, of an order that the test gives meanwhile, once it is there */
};

/* Instead of the role's. Asked first when an order is found, then when it is taken. */
struct queue *owned_queue(const struct owned *o, struct str name)
{
    struct ground *g = o->ground;
    if (!o->queue || !str_eq(name, str_from(queue_name(o->queue))))
        return NULL;
    g->asked++;
    if (g->on_asked)
        g->on_asked(g, g->asked);
    return o->queue;
}

static size_t on_changed(void *arg, struct queue *q, const struct queue_filter *filter)
{
    struct ground *g = arg;
    assert_ptr_equal(q, g->owned.queue);
    g->changed = *filter;
    if (g->on_act)
        g->on_act(g);
    return 0;
}

static void ground_open(struct ground *g, void **state)
{
    *g = (struct ground){.rig = *state, .owned.ground = g};
    g->owned.queue = own(g->rig, g->rig->store, "relay-east", "east1", 0, NULL, NULL);
    g->orders = orders_new(g->rig->store, &g->config, &g->owned, on_changed, g);
    for (uint64_t i = 1; i <= 5; i++)
        assert_ok(accept_one(g->rig, g->owned.queue, i, "alice@example.test"));
}

static char *order_text(const char *verb, const char *args, const char *state)
{
    const struct record_order order = {.target = STR("relay/relay-east"),
                                       .verb = str_from(verb),
                                       .subject = STR("relay-east"),
                                       .args = str_from(args),
                                       .who = STR("operator@here"),
                                       .why = STR("a test"),
                                       .state = str_from(state)};
    return record_order_encode(&order);
}

static void put(struct ground *g, const char *key, const char *verb, const char *args, const char *state)
{
    char *value = order_text(verb, args, state);
    assert_ok(record_put(g->rig, g->rig->network, "order", key, value, NETWORK_ANY_VERSION, NULL));
    free(value);
}

/* The record as an operator's command writes it. */
static void give(struct ground *g, const char *key, const char *verb, const char *args)
{
    put(g, key, verb, args, "new");
}

/* In the rig's arena. */
static struct record_order order_now(struct ground *g, const char *key)
{
    struct record_order order = {.state = STR_EMPTY};
    struct answer a = records(g->rig, g->rig->network, "order", key);
    assert_int_equal(a.count, 1);
    const struct network_record *record = a.items;
    assert_ok(record_order_decode(&g->rig->arena, record->value, &order));
    return order;
}

/* What is answered, once it is. */
static struct record_order answer_to(struct ground *g, const char *key)
{
    for (;;) {
        orders_on_view(g->orders, &g->view);
        struct record_order order = order_now(g, key);
        if (!record_order_is_open(&order))
            return order;
        rig_turn(g->rig);
    }
}

static void on_events(void *arg, int err, const struct network_event *events, size_t count)
{
    struct answer *a = arg;
    (void)events;
    a->count = count;
    on_plain(a, err);
}

static size_t events(struct ground *g)
{
    ASK(g->rig, a);
    network_events(g->rig->network, 0, 100, on_events, &a);
    rig_wait(g->rig, &a.done);
    return a.count;
}

static void on_withdrawn(void *arg, int err, size_t failed)
{
    struct ground *g = arg;
    (void)failed;
    g->withdrawn = err;
    g->answered = true;
}

/* As an operator's command does that was interrupted. */
static void withdraw(struct ground *g)
{
    const struct network_change change = {
        .type = NETWORK_DELETE, .kind = STR("order"), .key = STR("order-1"), .expect_version = 1};
    network_write(g->rig->network, &change, 1, NULL, on_withdrawn, g);
}

static size_t held(struct ground *g)
{
    struct queue_filter filter = {.states = 1 << QUEUE_HELD, .limit = 100};
    return list_rows(g->rig, g->owned.queue, &filter).count;
}

static void an_order_whose_answer_was_lost_acts_once(void **state)
{
    struct ground g;
    ground_open(&g, state);
    for (int i = 0; i < 3;
         i++) { /* the second and third are the same order, not answered as the store says */
        give(&g, "order-1", "queue-hold", "{\"limit\":2}");
        struct record_order order = answer_to(&g, "order-1");
        assert_str(order.state, "done");
        assert_str(order.result, "{\"changed\":2,\"in_flight\":0}");
        assert_int_equal(held(&g), 2);
    }
    give(&g, "order-2", "queue-hold", "{\"limit\":2}");
    answer_to(&g, "order-2");
    assert_int_equal(held(&g), 4);
    orders_free(g.orders);
}

static void an_order_selects_as_it_says(void **state)
{
    struct ground g;
    ground_open(&g, state);
    give(&g, "order-1", "queue-hold",
         "{\"domain\":\"example.test\",\"from_ms\":2000,\"before_ms\":5000,\"states\":1,\"sender\":\"SENDER@"
         "example.net\"}");
    assert_str(answer_to(&g, "order-1").result, "{\"changed\":3,\"in_flight\":0}");
    give(&g, "order-2", "queue-release", "{\"reply\":\"no such\"}");
    assert_str(answer_to(&g, "order-2").result, "{\"changed\":0,\"in_flight\":0}");
    give(&g, "order-3", "queue-release", "{\"message_id\":\"<x@y.test>\"}");
    assert_str(answer_to(&g, "order-3").result, "{\"changed\":0,\"in_flight\":0}");
    give(&g, "order-4", "queue-burn", "{}");
    assert_str(answer_to(&g, "order-4").state, "failed");
    assert_int_equal(held(&g), 3);
    orders_free(g.orders);
}

static void withdraw_when_found(struct ground *g, int asked)
{
    if (asked == 1)
        withdraw(g);
}

static void what_is_withdrawn_first_changes_nothing(void **state)
{
    struct ground g;
    ground_open(&g, state);
    give(&g, "order-1", "queue-hold", "{}");
    g.on_asked = withdraw_when_found;
    orders_on_view(g.orders, &g.view);
    RIG_UNTIL(g.rig, g.answered);
    assert_ok(g.withdrawn);
    give(&g, "order-2", "queue-retry", "{\"limit\":1}"); /* carried out after it */
    answer_to(&g, "order-2");
    assert_int_equal(held(&g), 0);
    assert_int_equal(records(g.rig, g.rig->network, "order", "order-1").count, 0);
    assert_int_equal(events(&g), 1);
    orders_free(g.orders);
}

static void what_has_begun_is_withdrawn_no_more(void **state)
{
    struct ground g;
    ground_open(&g, state);
    give(&g, "order-1", "queue-hold", "{}");
    g.on_act = withdraw; /* it is done, and not answered yet */
    assert_str(answer_to(&g, "order-1").state, "done");
    RIG_UNTIL(g.rig, g.answered);
    assert_int_equal(g.withdrawn, ERR_CONFLICT);
    assert_int_equal(held(&g), 5);
    assert_int_equal(events(&g), 1);
    orders_free(g.orders);
}

/* By a relay that died when it had acted, and before it said so. */
static void what_was_taken_is_carried_on(void **state)
{
    struct ground g;
    struct queue_filter two = {.limit = 2};
    ground_open(&g, state);
    g.rig->order_key = STR("order-1");
    assert_ok(act(g.rig, g.owned.queue, &two, QUEUE_ACT_HOLD, "", NULL));
    put(&g, "order-1", "queue-hold", "{\"limit\":2}", "taken");
    struct record_order order = answer_to(&g, "order-1");
    assert_str(order.state, "done");
    assert_str(order.result, "{\"changed\":2,\"in_flight\":0}");
    assert_int_equal(held(&g), 2);
    assert_int_equal(events(&g), 1);
    orders_free(g.orders);
}

/* ---- a queue that goes while something is done to it ---- */

static void lose_queue(void *arg)
{
    struct ground *g = arg;
    struct queue *q = g->owned.queue;
    g->owned.queue = NULL;
    orders_drop_queue(g->orders, q);
    queue_close(q);
    g->answered = true;
}

/* The act has been asked for when the timer fires, and the store takes longer. */
static void lose_queue_when_taken(struct ground *g, int asked)
{
    if (asked == 2)
        loop_timer_start(g->timer, 0);
}

static void an_act_on_a_queue_that_goes_is_its_next_owners(void **state)
{
    const struct store_memory_faults slow = {.latency_min_us = 20000, .latency_max_us = 20000};
    struct ground g;
    ground_open(&g, state);
    store_memory_set_faults(g.rig->memory, &slow, NULL, NULL);
    give(&g, "order-1", "queue-hold", "{}");
    g.timer = loop_timer_new(g.rig->loop, lose_queue, &g);
    g.on_asked = lose_queue_when_taken;
    orders_on_view(g.orders, &g.view);
    RIG_UNTIL(g.rig, g.answered);
    assert_str(order_now(&g, "order-1").state, "taken");
    g.owned.queue = own(g.rig, g.rig->store, "relay-east", "west1", 1, NULL, NULL);
    struct record_order order = answer_to(&g, "order-1");
    assert_str(order.state, "done");
    assert_str(order.result, "{\"changed\":5,\"in_flight\":0}");
    assert_int_equal(held(&g), 5);
    assert_int_equal(events(&g), 1);
    loop_timer_free(g.timer);
    orders_free(g.orders);
}

/* ---- one at a time ---- */

static void on_given(void *arg, int err, size_t failed)
{
    struct ground *g = arg;
    (void)failed;
    assert_ok(err);
    if (g->told_of_it)
        orders_on_view(g->orders, &g->view);
    g->answered = true;
}

static void give_another(struct ground *g)
{
    if (g->withdrawn++ > 0)
        return;
    char *value = order_text("queue-release", "{\"limit\":1}", "new");
    const struct network_change change = {.type = NETWORK_PUT,
                                          .kind = STR("order"),
                                          .key = STR("order-2"),
                                          .value = str_from(value),
                                          .expect_version = NETWORK_ABSENT};
    network_write(g->rig->network, &change, 1, NULL, on_given, g);
    free(value);
}

/* Nothing changes in the network after that. */
static void an_order_that_came_meanwhile_is_not_forgotten(void **state)
{
    struct ground g;
    ground_open(&g, state);
    give(&g, "order-1", "queue-hold", "{}");
    g.on_act = give_another;
    g.told_of_it = true;
    orders_on_view(g.orders, &g.view);
    RIG_UNTIL(g.rig, g.answered);
    for (struct record_order order = order_now(&g, "order-2"); record_order_is_open(&order);
         order = order_now(&g, "order-2"))
        rig_turn(g.rig);
    assert_int_equal(held(&g), 4);
    orders_free(g.orders);
}

/* The same where what was being read then says nothing: the memory engine answers in turn. */
static void an_order_that_came_amid_a_reading_of_none_is_not_forgotten(void **state)
{
    struct ground g;
    ground_open(&g, state);
    orders_on_view(g.orders, &g.view);
    give_another(&g);
    orders_on_view(g.orders, &g.view);
    for (int turn = 0; g.asked == 0 && turn < 1000; turn++)
        rig_turn(g.rig);
    assert_int_not_equal(g.asked, 0);
    orders_free(g.orders);
}

int main(void)
{
#define CASE(name)        cmocka_unit_test_setup_teardown(name, rig_setup_sqlite, rig_teardown)
#define MEMORY_CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup_memory, rig_teardown)
    const struct CMUnitTest tests[] = {
        CASE(an_order_whose_answer_was_lost_acts_once),
        CASE(an_order_selects_as_it_says),
        CASE(what_is_withdrawn_first_changes_nothing),
        CASE(what_has_begun_is_withdrawn_no_more),
        CASE(what_was_taken_is_carried_on),
        MEMORY_CASE(an_act_on_a_queue_that_goes_is_its_next_owners),
        CASE(an_order_that_came_meanwhile_is_not_forgotten),
        MEMORY_CASE(an_order_that_came_amid_a_reading_of_none_is_not_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
