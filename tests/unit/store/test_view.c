/* Who lives, as the view tells it, of parts that say so (store/presence.h). */
#include "store/view.h"

#include "loop/sim.h"
#include "store/memory.h"
#include "store/presence.h"
#include "store/store.h"
#include "unit/unit.h"

#define LEASE_MS 2500

struct part {
    struct loop *loop;
    struct store *store;
    struct presence *presence;
};

struct world {
    struct sim_world *sim;
    struct store_memory *device;
    struct part director, relay, watcher;
    struct viewer *viewer;
};

static struct mono_time device_clock(void *arg)
{
    return sim_now(arg);
}

static void run_ms(struct world *w, int64_t ms)
{
    sim_run_until(w->sim, mono_add_ms(sim_now(w->sim), ms));
}

static void open_part(struct world *w, struct part *p, const char *name)
{
    struct store_options options = {.engine = STORE_ENGINE_MEMORY, .memory = w->device};
    p->loop = sim_loop_new(w->sim, name, name);
    assert_ok(store_open(p->loop, &options, &p->store, NULL));
}

static void start(struct world *w, struct part *p, const char *kind, const char *name, int64_t pid)
{
    open_part(w, p, name);
    p->presence = presence_new(p->loop, store_network(p->store),
                               &(struct presence_options){.kind = kind,
                                                          .name = name,
                                                          .node = "east1",
                                                          .site = "east",
                                                          .lease_ms = LEASE_MS,
                                                          .boot_id = "boot",
                                                          .supervisor_pid = pid});
}

static void end(struct world *w, struct part *p, bool kill)
{
    if (kill)
        sim_loop_kill(p->loop);
    presence_free(p->presence);
    if (!kill)
        run_ms(w, 50); /* the store takes it */
    store_close(p->store);
    sim_loop_free(p->loop);
    *p = (struct part){0};
}

static void on_view(void *arg, const struct view *v)
{
    (void)arg;
    (void)v;
}

static int set_up(void **state)
{
    struct world *w = *state = calloc(1, sizeof(*w));
    w->sim = sim_world_new(1);
    w->device = store_memory_new(device_clock, w->sim);
    open_part(w, &w->watcher, "watcher");
    w->viewer = viewer_new(w->watcher.loop, store_network(w->watcher.store), on_view, NULL);
    start(w, &w->director, PRESENCE_NODE, "east1", 4711);
    start(w, &w->relay, PRESENCE_RELAY, "relay-east", 4711);
    run_ms(w, 1000);
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    if (w->director.loop)
        end(w, &w->director, true);
    if (w->relay.loop)
        end(w, &w->relay, true);
    viewer_free(w->viewer);
    end(w, &w->watcher, true);
    store_memory_free(w->device);
    sim_world_free(w->sim);
    free(w);
    return 0;
}

static void expect(const struct world *w, bool agent, bool relay)
{
    const struct view *v = viewer_view(w->viewer);
    assert_int_equal(view_agent_is_alive(v, STR("east1")), agent);
    assert_int_equal(view_relay_is_alive(v, STR("relay-east")), relay);
    assert_int_equal(view_node_relays(v, STR("east1")), relay);
    assert_int_equal(view_node_is_alive(v, STR("east1")), agent || relay);
    assert_false(view_node_is_alive(v, STR("east")));
    assert_false(view_agent_is_alive(v, STR("relay-east")));
    assert_false(view_relay_is_alive(v, STR("east1")));
}

static void each_part_dies_alone(void **state)
{
    struct world *w = *state;
    expect(w, true, true);
    end(w, &w->director, true);
    run_ms(w, 2 * LEASE_MS);
    expect(w, false, true);
    start(w, &w->director, PRESENCE_NODE, "east1", 4711);
    run_ms(w, 1000);
    end(w, &w->relay, true);
    run_ms(w, 2 * LEASE_MS);
    expect(w, true, false);
    end(w, &w->director, true);
    run_ms(w, 2 * LEASE_MS);
    expect(w, false, false);
}

static void an_orderly_end_is_known_at_once(void **state)
{
    struct world *w = *state;
    end(w, &w->relay, false);
    run_ms(w, 200);
    expect(w, true, false);
}

static void a_paused_part_is_dead_until_it_goes_on(void **state)
{
    struct world *w = *state;
    sim_loop_freeze(w->relay.loop, true);
    run_ms(w, 2 * LEASE_MS);
    expect(w, true, false);
    sim_loop_freeze(w->relay.loop, false);
    run_ms(w, LEASE_MS);
    expect(w, true, true);
}

static void an_observation_is_heard_while_its_relay_lives(void **state)
{
    struct world *w = *state;
    struct view_observation o = {.node = STR("east1"), .server = STR("mail1")};
    end(w, &w->director, true);
    run_ms(w, 2 * LEASE_MS);
    assert_true(view_observation_is_heard(viewer_view(w->viewer), &o));
    end(w, &w->relay, true);
    run_ms(w, 2 * LEASE_MS);
    assert_false(view_observation_is_heard(viewer_view(w->viewer), &o));
}

static void a_relay_that_was_there_a_moment_ago_is_remembered(void **state)
{
    struct world *w = *state;
    end(w, &w->relay, false);
    run_ms(w, LEASE_MS / 2);
    assert_false(view_node_relays(viewer_view(w->viewer), STR("east1")));
    assert_true(view_node_relayed(viewer_view(w->viewer), STR("east1"), LEASE_MS));
    run_ms(w, LEASE_MS);
    assert_false(view_node_relayed(viewer_view(w->viewer), STR("east1"), LEASE_MS));
}

static int64_t told_supervisor(const struct world *w)
{
    const struct view_node *n = view_node_told(viewer_view(w->viewer), STR("east1"));
    return n ? n->record.supervisor_pid : 0;
}

/* The relay is in another container: what it knows of the node is not what orders to the director need. */
static void the_record_that_orders_need_is_the_directors(void **state)
{
    struct world *w = *state;
    end(w, &w->relay, true);
    start(w, &w->relay, PRESENCE_RELAY, "relay-east", 815);
    run_ms(w, 2 * LEASE_MS);
    const struct view_node *n = view_node_find(viewer_view(w->viewer), STR("east1"));
    assert_int_equal(n->record.supervisor_pid, 4711);
    assert_str(n->record.site, "east");
    assert_str(n->record.boot_id, "boot");
    assert_int_equal(told_supervisor(w), 4711);
}

static void the_node_is_told_of_by_whoever_lives(void **state)
{
    struct world *w = *state;
    end(w, &w->director, true);
    end(w, &w->relay, true);
    run_ms(w, 2 * LEASE_MS);
    assert_int_equal(told_supervisor(w), 0);
    start(w, &w->relay, PRESENCE_RELAY, "relay-east", 815);
    run_ms(w, LEASE_MS);
    assert_int_equal(told_supervisor(w), 815);
    start(w, &w->director, PRESENCE_NODE, "east1", 4712);
    run_ms(w, LEASE_MS);
    assert_int_equal(told_supervisor(w), 4712);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(each_part_dies_alone),
        T(an_orderly_end_is_known_at_once),
        T(a_paused_part_is_dead_until_it_goes_on),
        T(an_observation_is_heard_while_its_relay_lives),
        T(a_relay_that_was_there_a_moment_ago_is_remembered),
        T(the_record_that_orders_need_is_the_directors),
        T(the_node_is_told_of_by_whoever_lives),
    };
    return cmocka_run_group_tests_name("store view", tests, NULL, NULL);
}
