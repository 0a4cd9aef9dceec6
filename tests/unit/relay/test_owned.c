/* Which queue is ours, and what the edge is told of one that is not open. */
#include "relay/owned.h"
#include "unit/store/rig.h"
#include "unit/unit.h"

static struct config_node node = {.name = "east1"};
static struct config_relay relays[] = {{.name = "relay-east", .node = &node}};
static const struct config config = {.relays = relays, .relay_count = 1};

struct ground {
    struct rig *rig;
    struct owned *owned;
    int refusal;
    struct queue *queue;
};

static void on_gained(void *arg, struct queue *q, bool own)
{
    assert_true(own);
    ((struct ground *)arg)->queue = q;
}

static void on_losing(void *arg, struct queue *q, bool own)
{
    struct ground *g = arg;
    assert_true(own);
    assert_ptr_equal(g->queue, q);
    g->queue = NULL;
}

static void on_refused(void *arg, int err)
{
    ((struct ground *)arg)->refusal = err;
}

static const struct owned_ops ops = {.gained = on_gained, .losing = on_losing, .refused = on_refused};

static void ground_open(struct ground *g, void **state, bool away)
{
    *g = (struct ground){.rig = *state};
    store_memory_cut(g->rig->store, away);
    g->owned = owned_new(g->rig->loop, g->rig->store, &config, &relays[0], &ops, g);
}

/* A view in which that node has the queue. */
static void see_owner(struct ground *g, const char *owner)
{
    struct view_queue queue = {.name = STR("relay-east"), .record = {.owner = str_from(owner)}};
    const struct view v = {.queues = &queue, .queue_count = 1};
    owned_on_view(g->owned, &v);
}

static void until_told(struct ground *g, int err)
{
    RIG_UNTIL(g->rig, g->refusal == err);
}

/* Longer than between two of its own looks. */
static void rig_pass(struct ground *g)
{
    for (int i = 0; i < 100; i++)
        rig_turn(g->rig);
}

static void a_store_that_is_away_at_the_start_is_told(void **state)
{
    struct ground g;
    const struct view empty = {0};
    ground_open(&g, state, true);
    until_told(&g, ERR_UNAVAILABLE);
    store_memory_cut(g.rig->store, false);
    rig_pass(&g);
    assert_int_equal(g.refusal, ERR_UNAVAILABLE); /* whose the queue is is not known yet */
    assert_null(g.queue);
    store_memory_cut(g.rig->store, true);
    owned_on_view(g.owned, &empty); /* of before that */
    assert_int_equal(g.refusal, ERR_UNAVAILABLE);
    store_memory_cut(g.rig->store, false);
    RIG_UNTIL(g.rig, g.queue);
    assert_ok(g.refusal);
    owned_free(g.owned);
    assert_null(g.queue);
}

/* Who has it takes the mail. */
static void of_a_queue_that_is_anothers_nothing_is_told(void **state)
{
    struct ground g;
    ground_open(&g, state, true);
    until_told(&g, ERR_UNAVAILABLE);
    see_owner(&g, "west1");
    assert_ok(g.refusal);
    see_owner(&g, "east1");
    until_told(&g, ERR_UNAVAILABLE);
    see_owner(&g, "west1");
    assert_ok(g.refusal);
    store_memory_cut(g.rig->store, false);
    see_owner(&g, "east1");
    RIG_UNTIL(g.rig, g.queue);
    see_owner(&g, "west1");
    assert_null(g.queue);
    owned_free(g.owned);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup_memory, rig_teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_store_that_is_away_at_the_start_is_told),
        CASE(of_a_queue_that_is_anothers_nothing_is_told),
    };
    return cmocka_run_group_tests_name("relay, owned queues", tests, NULL, NULL);
}
