/* An operator's order is carried out once, also when the relay dies before its answer is written. */
#include <stdlib.h>
#include <string.h>

#include "relay/orders.h"
#include "store/records.h"
#include "unit/store/rig.h"
#include "unit/unit.h"

struct owned {
    struct queue *queue;
};

/* Instead of the role's. */
struct queue *owned_queue(const struct owned *o, struct str name)
{
    return str_eq(name, str_from(queue_name(o->queue))) ? o->queue : NULL;
}

struct ground {
    struct rig *rig;
    struct owned owned;
    struct config config; /* of no domain */
    struct view view;
    struct orders *orders;
    struct queue_filter changed; /* by the last order */
};

static size_t on_changed(void *arg, struct queue *q, const struct queue_filter *filter)
{
    struct ground *g = arg;
    assert_ptr_equal(q, g->owned.queue);
    g->changed = *filter;
    return 0;
}

static void ground_open(struct ground *g, void **state)
{
    *g = (struct ground){.rig = *state};
    g->owned.queue = own(g->rig, g->rig->store, "relay-east", "east1", 0, NULL, NULL);
    g->orders = orders_new(g->rig->store, &g->config, &g->owned, on_changed, g);
    for (uint64_t i = 1; i <= 5; i++)
        assert_ok(accept_one(g->rig, g->owned.queue, i, "alice@example.test"));
}

/* The record as an operator's command writes it. */
static void give(struct ground *g, const char *key, const char *verb, const char *args)
{
    const struct record_order order = {.target = STR("relay/relay-east"),
                                       .verb = str_from(verb),
                                       .subject = STR("relay-east"),
                                       .args = str_from(args),
                                       .who = STR("operator@here"),
                                       .why = STR("a test"),
                                       .state = STR("new")};
    char *value = record_order_encode(&order);
    assert_ok(record_put(g->rig, g->rig->network, "order", key, value, NETWORK_ANY_VERSION, NULL));
    free(value);
}

/* What is answered, once it is; in the rig's arena. */
static struct record_order answer_to(struct ground *g, const char *key)
{
    struct record_order order = {.state = STR_EMPTY};
    do {
        orders_on_view(g->orders, &g->view);
        struct answer a = records(g->rig, g->rig->network, "order", key);
        assert_int_equal(a.count, 1);
        const struct network_record *record = a.items;
        assert_ok(record_order_decode(&g->rig->arena, record->value, &order));
    } while (str_eq(order.state, STR("new")));
    return order;
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

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup_sqlite, rig_teardown)
    const struct CMUnitTest tests[] = {
        CASE(an_order_whose_answer_was_lost_acts_once),
        CASE(an_order_selects_as_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
