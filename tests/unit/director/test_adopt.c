#include "director/adopt.h"

#include "store/records.h"
#include "unit/unit.h"

static struct config_site sites[] = {{"east"}, {"west"}};
static struct config_node nodes[] = {
    {.name = "west1", .site = &sites[1], .roles = ROLE_RELAY},
    {.name = "east1", .site = &sites[0], .roles = ROLE_RELAY},
    {.name = "east2", .site = &sites[0], .roles = ROLE_RELAY},
};
static struct config_relay relays[] = {{.name = "relay-east", .node = &nodes[1]}};
static struct config_server servers[] = {{.name = "mail1"}, {.name = "mail2"}};
static struct config_domain domains[] = {{.name = "a.test", .server = &servers[0]},
                                         {.name = "b.test", .server = &servers[1]}};
static const struct config config = {
    .nodes = nodes,
    .node_count = 3,
    .relays = relays,
    .relay_count = 1,
    .servers = servers,
    .server_count = 2,
    .domains = domains,
    .domain_count = 2,
    .lease_ms = 2500,
};

static const char *const relay_leases[] = {"relay/relay-west", "relay/relay-east", "relay/relay-east2"};
static const char *const node_leases[] = {"node/west1", "node/east1", "node/east2"};
enum { WEST1, EAST1, EAST2 };
#define LIVES 1000 /* ms that a lease still runs */

struct world {
    struct view view;
    struct view_lease leases[6]; /* of the nodes' relays, then of their directors */
    struct view_queue queue;
    struct view_route routes[2];
    struct view_server server;
    struct arena arena;
    struct batch batch;
    bool unsettled;
};

static void init(struct world *w)
{
    *w = (struct world){.view = {.leases = w->leases,
                                 .lease_count = 6,
                                 .queues = &w->queue,
                                 .routes = w->routes,
                                 .servers = &w->server}};
    for (size_t i = 0; i < 3; i++) {
        w->leases[i] = (struct view_lease){str_from(relay_leases[i]), str_from(nodes[i].name), 1, LIVES};
        w->leases[3 + i] = (struct view_lease){str_from(node_leases[i]), str_from(nodes[i].name), 1, LIVES};
    }
    arena_init(&w->arena, 1 << 20);
    batch_init(&w->batch, &w->arena);
}

static void fini(struct world *w)
{
    batch_fini(&w->batch);
    arena_fini(&w->arena);
}

static void owned_by(struct world *w, const char *node)
{
    w->view.queue_count = 1;
    w->queue = (struct view_queue){
        .name = STR("relay-east"), .record = {.owner = str_from(node), .generation = 4}, .version = 9};
}

/* The owner that is written, "" when nothing is. */
static struct str decided(struct world *w)
{
    struct record_queue record;
    w->batch.count = 0;
    adopt_queues(&w->view, &config, !w->unsettled, &w->batch);
    if (w->batch.count == 0)
        return STR_EMPTY;
    assert_int_equal(w->batch.count, 2); /* and an event */
    assert_str(w->batch.changes[0].kind, "queue");
    assert_str(w->batch.changes[0].key, "relay-east");
    assert_ok(record_queue_decode(&w->arena, w->batch.changes[0].value, &record));
    assert_int_equal(w->batch.changes[0].expect_version, w->view.queue_count ? 9 : NETWORK_ABSENT);
    assert_int_equal(record.generation, w->view.queue_count ? 5 : 1);
    return record.owner;
}

static void a_new_queue_is_its_relays(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    assert_str(decided(&w), "east1");
    fini(&w);
}

static void relay_lives(struct world *w, int node, bool lives)
{
    w->leases[node].remaining_ms = lives ? LIVES : 0;
}

static void director_lives(struct world *w, int node, bool lives)
{
    w->leases[3 + node].remaining_ms = lives ? LIVES : 0;
}

static void a_dead_relays_queue_goes_to_its_site_first(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    owned_by(&w, "east1");
    assert_str(decided(&w), "");
    relay_lives(&w, EAST1, false); /* its node's director lives on */
    assert_str(decided(&w), "east2");
    w.unsettled = true; /* it may only be late */
    assert_str(decided(&w), "");
    w.unsettled = false;
    relay_lives(&w, EAST2, false);
    assert_str(decided(&w), "west1");
    relay_lives(&w, WEST1, false);
    assert_str(decided(&w), "");
    fini(&w);
}

static void a_directors_death_takes_no_queue(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    owned_by(&w, "east1");
    director_lives(&w, EAST1, false);
    assert_str(decided(&w), "");
    owned_by(&w, "west1"); /* nor does it keep it from coming home */
    assert_str(decided(&w), "east1");
    relay_lives(&w, EAST1, false);
    director_lives(&w, WEST1, false);
    assert_str(decided(&w), "");
    fini(&w);
}

static void it_returns_when_the_relay_runs_again(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    owned_by(&w, "west1");
    relay_lives(&w, EAST1, false);
    assert_str(decided(&w), ""); /* the node lives, the relay does not run yet */
    relay_lives(&w, EAST1, true);
    assert_str(decided(&w), "east1");
    relay_lives(&w, EAST1, false);
    relay_lives(&w, WEST1, false); /* the heir dies, too */
    assert_str(decided(&w), "east2");
    w.unsettled = true;
    assert_str(decided(&w), "");
    fini(&w);
}

/* The record tells the new owner whom it must not send beside; while that one lives and has not let go, no
 * third one is put in its place. */
static void the_former_owner_is_told_and_not_forgotten(void **state)
{
    (void)state;
    struct world w;
    struct record_queue record;
    init(&w);
    owned_by(&w, "west1");
    assert_str(decided(&w), "east1"); /* the former one lives */
    assert_ok(record_queue_decode(&w.arena, w.batch.changes[0].value, &record));
    assert_str(record.from, "west1");
    owned_by(&w, "east1");
    w.queue.record.from = STR("west1");
    relay_lives(&w, EAST1, false);
    assert_str(decided(&w), ""); /* east2 would not know of west1 */
    relay_lives(&w, WEST1, false);
    assert_str(decided(&w), "east2");
    relay_lives(&w, WEST1, true);
    w.queue.record.from = STR_EMPTY; /* or it has let go */
    assert_str(decided(&w), "east2");
    relay_lives(&w, EAST2, false);
    w.queue.record.from = STR("west1");
    assert_str(decided(&w), "west1"); /* back to it: it knows what it does itself */
    assert_ok(record_queue_decode(&w.arena, w.batch.changes[0].value, &record));
    assert_str(record.from, "east1");
    w.view.queue_count = 0;
    assert_str(decided(&w), "east1"); /* the first owner is after nobody */
    assert_ok(record_queue_decode(&w.arena, w.batch.changes[0].value, &record));
    assert_str(record.from, "");
    fini(&w);
}

static void a_lost_sites_relay_owns_nothing(void **state)
{
    (void)state;
    struct world w;
    struct view_site site = {.name = STR("east"), .record = {.lost = true}};
    init(&w);
    owned_by(&w, "east1");
    w.view.sites = &site;
    w.view.site_count = 1;
    assert_str(decided(&w), "west1");
    fini(&w);
}

/* The configuration has no relay of that name; relay-east has its own. */
static void a_removed_relays_queue_is_adopted(void **state)
{
    (void)state;
    struct world w;
    struct view_queue queues[2];
    struct record_queue record;
    init(&w);
    queues[0] = (struct view_queue){.name = STR("relay-east"), .record = {.owner = STR("east1")}};
    queues[1] = (struct view_queue){
        .name = STR("relay-gone"), .record = {.owner = STR("gone1"), .generation = 2}, .version = 7};
    w.view.queues = queues;
    w.view.queue_count = 2;
    adopt_queues(&w.view, &config, false, &w.batch);
    assert_int_equal(w.batch.count, 0);
    adopt_queues(&w.view, &config, true, &w.batch);
    assert_int_equal(w.batch.count, 2);
    assert_str(w.batch.changes[0].key, "relay-gone");
    assert_int_equal(w.batch.changes[0].expect_version, 7);
    assert_ok(record_queue_decode(&w.arena, w.batch.changes[0].value, &record));
    assert_str(record.owner, "west1");
    assert_int_equal(record.generation, 3);
    w.batch.count = 0;
    queues[1].record.owner = STR("east2");
    adopt_queues(&w.view, &config, true, &w.batch);
    assert_int_equal(w.batch.count, 0); /* it stays where it is */
    relay_lives(&w, EAST2, false);
    adopt_queues(&w.view, &config, true, &w.batch);
    assert_int_equal(w.batch.count, 2);
    assert_ok(record_queue_decode(&w.arena, w.batch.changes[0].value, &record));
    assert_str(record.owner, "east1"); /* of the same site */
    fini(&w);
}

static void routes_follow_the_configuration_and_standbys(void **state)
{
    (void)state;
    struct world w;
    struct record_route route;
    init(&w);
    adopt_routes(&w.view, &config, &w.batch);
    assert_int_equal(w.batch.count, 2);
    w.view.route_count = 2;
    w.routes[0] = (struct view_route){.domain = STR("a.test"), .record = {STR("mail1"), 3}, .version = 3};
    w.routes[1] = (struct view_route){.domain = STR("b.test"), .record = {STR("mail2"), 1}, .version = 1};
    w.batch.count = 0;
    adopt_routes(&w.view, &config, &w.batch);
    assert_int_equal(w.batch.count, 0);
    w.view.server_count = 1;
    w.server = (struct view_server){.name = STR("mail1"), .record = {.served_by = STR("mail2")}};
    adopt_routes(&w.view, &config, &w.batch);
    assert_int_equal(w.batch.count, 1);
    assert_ok(record_route_decode(&w.arena, w.batch.changes[0].value, &route));
    assert_str(route.server, "mail2");
    assert_int_equal(route.generation, 4);
    w.batch.count = 0;
    adopt_routes_of(&w.view, &config, &servers[0], STR_EMPTY, &w.batch); /* a move: the same server, newer */
    assert_int_equal(w.batch.count, 1);
    assert_ok(record_route_decode(&w.arena, w.batch.changes[0].value, &route));
    assert_str(route.server, "mail1");
    assert_int_equal(route.generation, 4);
    fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_queue_is_its_relays),
        cmocka_unit_test(a_dead_relays_queue_goes_to_its_site_first),
        cmocka_unit_test(a_directors_death_takes_no_queue),
        cmocka_unit_test(it_returns_when_the_relay_runs_again),
        cmocka_unit_test(the_former_owner_is_told_and_not_forgotten),
        cmocka_unit_test(a_lost_sites_relay_owns_nothing),
        cmocka_unit_test(a_removed_relays_queue_is_adopted),
        cmocka_unit_test(routes_follow_the_configuration_and_standbys),
    };
    return cmocka_run_group_tests_name("director adopt", tests, NULL, NULL);
}
