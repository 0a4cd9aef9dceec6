#include "unit/unit.h"

#include <jansson.h>

#include "network.h"
#include "web/status.h"

/* A view and counts by hand: mail1 runs in the west with epoch 2, the node
 * east1 is dead, west1 leads. */
struct fixture {
    struct config *config;
    struct view_server servers[1];
    struct view_route routes[1];
    struct view_queue queues[1];
    struct view_node nodes[2];
    struct view_site sites[1];
    struct view_observation observations[2];
    struct view_lease leases[4];
    struct view view;
    struct view_work works[1];
    struct counts_place places[4];
    struct counts_queue counted[3];
    struct counts counts;
    json_t *status;
};

#define NOW_MS  1800000000000LL
#define NOTHING ((struct record_instance){.node = STR_EMPTY, .site = STR_EMPTY, .address = STR_EMPTY})

static void make_view(struct fixture *f)
{
    f->servers[0] = (struct view_server){
        .name = STR("mail1"),
        .record = {.state = STR("running"),
                   .instance = {STR("west1"), STR("west"), STR("127.0.0.20"), 2, 4711, 0},
                   .candidate = NOTHING,
                   .generation = 5,
                   .reason = STR("inoperable")},
    };
    f->routes[0] = (struct view_route){.domain = STR("example.test"), .record = {STR("mail1"), 2}};
    f->queues[0] = (struct view_queue){.name = STR("relay-east"), .record = {STR("west1"), 1}};
    f->nodes[0] = (struct view_node){.name = STR("east1"), .record = {.supervisor_pid = 11}};
    f->nodes[1] = (struct view_node){.name = STR("west1"), .record = {.supervisor_pid = 12}};
    f->sites[0] = (struct view_site){.name = STR("east"), .record = {.lost = true}};
    f->observations[0] = (struct view_observation){
        STR("east1"), STR("mail1"), {.state = STR("inoperable"), .detail = STR("refused")}, 10};
    f->observations[1] = (struct view_observation){
        STR("west1"),
        STR("mail1"),
        {.state = STR("operational"), .history = INT64_MIN + 0xf, .history_len = 64, .detail = STR("ok")},
        90};
    f->leases[0] = (struct view_lease){STR("director"), STR("west1"), 3, 1500};
    f->leases[1] = (struct view_lease){STR("node/west1"), STR("west1"), 1, 1500};
    f->leases[2] = (struct view_lease){STR("relay/relay-west"), STR("west1"), 1, 1500};
    f->leases[3] = (struct view_lease){STR("relay/relay-east"), STR("east1"), 1, 0}; /* it ran out */
    f->works[0] = (struct view_work){
        .relay = STR("relay-east"),
        .record = {.since_ms = NOW_MS, .accepted = 7, .spooled = 5, .spool_waiting = 3, .lost = 2}};
    f->view = (struct view){.servers = f->servers,
                            .server_count = 1,
                            .routes = f->routes,
                            .route_count = 1,
                            .queues = f->queues,
                            .queue_count = 1,
                            .nodes = f->nodes,
                            .node_count = 2,
                            .sites = f->sites,
                            .site_count = 1,
                            .observations = f->observations,
                            .observation_count = 2,
                            .works = f->works,
                            .work_count = 1,
                            .leases = f->leases,
                            .lease_count = 4,
                            .peer_secret_hex = STR_EMPTY};
}

static int setup(void **state)
{
    static char example[] = "example.test", elsewhere[] = "elsewhere.test", old[] = "old", none[] = "",
                gone[] = "relay-gone", lost[] = "lost";
    struct fixture *f = *state = calloc(1, sizeof(*f));
    f->config = network_config();
    make_view(f);
    f->places[0] = (struct counts_place){example, none, 3, 1, 0, {NOW_MS - 5000}};
    f->places[1] = (struct counts_place){example, old, 10, 0, 2, {NOW_MS - 9000}};
    f->places[2] = (struct counts_place){elsewhere, none, 100, 0, 0, {0}};
    f->places[3] = (struct counts_place){elsewhere, lost, 4, 1, 7, {0}};
    f->counted[0] = (struct counts_queue){.places = f->places, .count = 2, .counted = true};
    f->counted[1] = (struct counts_queue){.places = f->places + 2, .count = 1, .counted = true};
    f->counted[2] = (struct counts_queue){
        .name = gone, .removed = true, .places = f->places + 3, .count = 1, .counted = true};
    f->counts = (struct counts){f->counted, 3};
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    json_decref(f->status);
    config_free(f->config);
    free(f);
    return 0;
}

static json_t *build(struct fixture *f)
{
    struct status_input in = {.config = f->config,
                              .view = &f->view,
                              .counts = &f->counts,
                              .store_json = "{\"engine\": \"memory\"}",
                              .now = {NOW_MS}};
    json_decref(f->status);
    f->status = status_build(&in);
    return f->status;
}

static json_t *named(const json_t *all, const char *list, const char *name)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(all, list), i, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "name")), name) == 0)
            return item;
    }
    fail_msg("%s has no %s", list, name);
    return NULL;
}

#define assert_text(object, member, text)                                                                    \
    assert_str(str_from(json_string_value(json_object_get(object, member))), text)
#define assert_number(object, member, number)                                                                \
    assert_int_equal(json_integer_value(json_object_get(object, member)), number)
#define assert_bool(object, member, value)                                                                   \
    assert_ptr_equal(json_object_get(object, member), json_boolean(value))

/* Of a domain, or with a home, that the configuration has no more. */
static void what_has_no_server_is_told(void **state)
{
    json_t *all = build(*state);
    assert_number(named(all, "relays", "relay-east"), "unroutable", 0);
    assert_number(named(all, "relays", "relay-west"), "unroutable", 100);
}

static void queues_of_removed_relays_are_told(void **state)
{
    json_t *all = build(*state), *gone = named(all, "removed_relays", "relay-gone");
    assert_int_equal(json_array_size(json_object_get(all, "removed_relays")), 1);
    assert_int_equal(json_array_size(json_object_get(all, "relays")), 2);
    assert_number(gone, "queued", 5);
    assert_number(gone, "quarantined", 7);
    assert_number(gone, "unroutable", 5);
    assert_text(gone, "queue_owner", "");
    assert_bool(gone, "counted", true);
}

static void test_server_of_its_instance(void **state)
{
    json_t *s = named(build(*state), "servers", "mail1");
    assert_text(s, "kind", "builtin");
    assert_text(s, "site", "west");
    assert_text(s, "node", "west1");
    assert_text(s, "address", "127.0.0.20");
    assert_number(s, "epoch", 2);
    assert_number(s, "pid", 4711);
    assert_text(s, "reason", "inoperable");
}

static void test_state_is_the_newest_live_observers_word(void **state)
{
    struct fixture *f = *state;
    assert_text(named(build(f), "servers", "mail1"), "state", "operational");
    assert_text(named(build(f), "servers", "mail1"), "detail", "ok");
    f->leases[3].remaining_ms = 1500;
    assert_text(named(build(f), "servers", "mail1"), "state", "inoperable");
    f->view.observation_count = 0;
    assert_text(named(build(f), "servers", "mail1"), "state", "unknown");
}

static void test_state_of_a_move_comes_before_what_is_observed(void **state)
{
    struct fixture *f = *state;
    f->servers[0].record.state = STR("fencing");
    assert_text(named(build(f), "servers", "mail1"), "state", "fencing");
}

static void test_each_observer_with_its_outcomes(void **state)
{
    json_t *observers = json_object_get(named(build(*state), "servers", "mail1"), "observers");
    assert_int_equal(json_array_size(observers), 2);
    json_t *east = json_array_get(observers, 0), *west = json_array_get(observers, 1);
    assert_bool(east, "heard", false);
    assert_text(east, "node", "east1");
    assert_bool(west, "heard", true);
    assert_text(west, "history", "800000000000000f");
    assert_number(west, "history_len", 64);
    assert_number(west, "age_ms", 90);
}

static void test_queued_by_route_and_by_own_home(void **state)
{
    struct fixture *f = *state;
    json_t *all = build(f), *mail1 = named(all, "servers", "mail1"), *old = named(all, "servers", "old");
    assert_number(mail1, "queued", 4);
    assert_number(mail1, "held", 1);
    assert_number(mail1, "oldest_age_ms", 5000);
    assert_number(old, "queued", 10);
    assert_number(old, "quarantined", 2);
    assert_number(named(all, "relays", "relay-east"), "queued", 14);
    assert_number(named(all, "relays", "relay-east"), "oldest_age_ms", 9000);
    assert_number(named(all, "relays", "relay-west"), "queued", 100);
    f->routes[0].record.server = STR("old");
    assert_number(named(build(f), "servers", "old"), "queued", 14);
}

static void test_what_could_not_be_counted_is_said(void **state)
{
    struct fixture *f = *state;
    assert_bool(named(build(f), "servers", "mail1"), "counted", true);
    f->counted[1].counted = false;
    assert_bool(named(build(f), "servers", "mail1"), "counted", false);
    assert_bool(named(build(f), "relays", "relay-east"), "counted", true);
    assert_bool(named(build(f), "relays", "relay-west"), "counted", false);
}

static void test_external_server_without_record(void **state)
{
    json_t *s = named(build(*state), "servers", "old");
    assert_text(s, "kind", "external");
    assert_text(s, "address", "127.0.0.11");
    assert_text(s, "site", "west");
    assert_text(s, "state", "unknown");
    assert_number(s, "pid", 0);
}

static void test_relays_nodes_and_sites(void **state)
{
    json_t *all = build(*state);
    assert_text(named(all, "relays", "relay-east"), "queue_owner", "west1");
    assert_bool(named(all, "relays", "relay-east"), "alive", false);
    assert_text(named(all, "relays", "relay-west"), "queue_owner", "west1");
    assert_bool(named(all, "relays", "relay-west"), "alive", true);
    json_t *work = json_object_get(named(all, "relays", "relay-east"), "work");
    assert_number(work, "accepted", 7);
    assert_number(work, "spooled", 5);
    assert_number(work, "spool_waiting", 3);
    assert_number(work, "lost", 2);
    assert_true(json_is_null(json_object_get(named(all, "relays", "relay-west"), "work")));
    assert_bool(named(all, "nodes", "east1"), "alive", false);
    assert_number(named(all, "nodes", "east1"), "pid", 0);
    assert_bool(named(all, "nodes", "west1"), "alive", true);
    assert_bool(named(all, "nodes", "west1"), "director", true);
    assert_number(named(all, "nodes", "west1"), "pid", 12);
    assert_text(named(all, "sites", "east"), "state", "lost");
    assert_text(named(all, "sites", "west"), "state", "ok");
}

static void test_directors_and_relays_die_alone(void **state)
{
    struct fixture *f = *state;
    f->leases[0].remaining_ms = f->leases[1].remaining_ms = 0; /* the director of west1 */
    f->leases[3].remaining_ms = 1500;
    json_t *all = build(f);
    assert_bool(named(all, "relays", "relay-west"), "alive", true);
    assert_bool(named(all, "relays", "relay-east"), "alive", true);
    assert_bool(named(all, "nodes", "west1"), "alive", true);
    assert_bool(named(all, "nodes", "west1"), "director", false);
    assert_number(named(all, "nodes", "west1"), "pid", 0); /* its relay has not told it */
    f->nodes[0].name = STR("relay/relay-west");
    assert_number(named(build(f), "nodes", "west1"), "pid", 11);
    f->leases[1].remaining_ms = 1500;
    f->leases[2].remaining_ms = 0; /* its relay instead */
    all = build(f);
    assert_bool(named(all, "relays", "relay-west"), "alive", false);
    assert_bool(named(all, "nodes", "west1"), "alive", true);
    assert_number(named(all, "nodes", "west1"), "pid", 12);
}

static void test_a_node_without_a_director_has_none_to_die(void **state)
{
    struct fixture *f = *state;
    f->config->nodes[1].roles = ROLE_RELAY;
    assert_true(json_is_null(json_object_get(named(build(f), "nodes", "west1"), "director")));
}

static void test_routes_lease_and_store(void **state)
{
    struct fixture *f = *state;
    json_t *all = build(f), *route = json_object_get(json_object_get(all, "routes"), "example.test");
    assert_text(route, "server", "mail1");
    assert_text(route, "instance", "west1");
    assert_number(route, "generation", 7);
    assert_text(json_object_get(all, "lease"), "holder", "west1");
    assert_text(json_object_get(all, "store"), "engine", "memory");
    assert_text(all, "read_at", "2027-01-15T08:00:00.000Z");
    f->leases[0].remaining_ms = 0;
    assert_text(json_object_get(build(f), "lease"), "holder", "");
    assert_bool(json_object_get(f->status, "lease"), "held", false);
}

static void test_an_empty_store(void **state)
{
    struct fixture *f = *state;
    f->view = (struct view){.peer_secret_hex = STR_EMPTY};
    json_t *all = build(f);
    assert_text(named(all, "servers", "mail1"), "state", "unknown");
    assert_text(named(all, "servers", "mail1"), "site", "east");
    assert_text(named(all, "relays", "relay-east"), "queue_owner", "east1");
}

static void test_text_that_is_not_utf8(void **state)
{
    struct fixture *f = *state;
    f->observations[1].record.detail = STR("\xff\xfe");
    assert_text(named(build(f), "servers", "mail1"), "detail", "?");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(what_has_no_server_is_told),
        CASE(queues_of_removed_relays_are_told),
        CASE(test_server_of_its_instance),
        CASE(test_state_is_the_newest_live_observers_word),
        CASE(test_state_of_a_move_comes_before_what_is_observed),
        CASE(test_each_observer_with_its_outcomes),
        CASE(test_queued_by_route_and_by_own_home),
        CASE(test_what_could_not_be_counted_is_said),
        CASE(test_external_server_without_record),
        CASE(test_relays_nodes_and_sites),
        CASE(test_directors_and_relays_die_alone),
        CASE(test_a_node_without_a_director_has_none_to_die),
        CASE(test_routes_lease_and_store),
        CASE(test_an_empty_store),
        CASE(test_text_that_is_not_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
