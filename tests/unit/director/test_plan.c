#include "director/plan.h"

#include "base/mem.h"
#include "director/orders.h"
#include "unit/unit.h"

static struct config_site sites[] = {{"east"}, {"west"}};
static struct config_node nodes[] = {
    {.name = "east1", .site = &sites[0], .roles = ROLE_RELAY | ROLE_DIRECTOR | ROLE_MAILBOX},
    {.name = "east2", .site = &sites[0], .roles = ROLE_RELAY | ROLE_DIRECTOR | ROLE_MAILBOX},
    {.name = "west1", .site = &sites[1], .roles = ROLE_RELAY | ROLE_DIRECTOR | ROLE_MAILBOX},
};

static const char *const leases[] = {"node/east1",  "node/east2",  "node/west1",
                                     "relay/east1", "relay/east2", "relay/west1"};

/* mail1: standby mail2, again in the east at the same address, then in the west. */
struct world {
    struct config config;
    struct addr address;
    struct config_create create[2];
    struct config_server server, standby;
    struct config_server *standbys[1];
    struct view view;
    struct view_node nodes[3];
    struct view_lease leases[6]; /* of each node's director, then of each relay */
    struct view_server standby_record;
    struct view_observation observations[6];
    struct view_order orders[4];
    struct record_server record;
    struct plan_context x;
};

static int setup(void **state)
{
    struct world *w = mem_zalloc(sizeof(*w));
    assert_ok(addr_parse_ip(STR("127.1.0.10"), 0, &w->address));
    w->create[0] = (struct config_create){.site = &sites[0],
                                          .address_same = true,
                                          .provisioner = "process",
                                          .fence = "process",
                                          .timeout_ms = 5000};
    w->create[1] = (struct config_create){
        .site = &sites[1], .provisioner = "process", .fence = "epoch", .timeout_ms = 6000};
    assert_ok(addr_parse_ip(STR("127.2.0.10"), 0, &w->create[1].address));
    w->standby = (struct config_server){.name = "mail2", .kind = SERVER_EXTERNAL, .site = &sites[1]};
    w->standbys[0] = &w->standby;
    w->server = (struct config_server){
        .name = "mail1",
        .kind = SERVER_BUILTIN,
        .site = &sites[0],
        .address = {&w->address, 1},
        .failover = {.standby = w->standbys, .standby_count = 1, .create = w->create, .create_count = 2}};
    w->config = (struct config){.nodes = nodes, .node_count = 3, .lease_ms = 2500};
    for (size_t i = 0; i < 3; i++)
        w->nodes[i] = (struct view_node){.name = str_from(nodes[i].name),
                                         .record = {.boot_id = str_from(nodes[i].name)}};
    for (size_t i = 0; i < 6; i++)
        w->leases[i] = (struct view_lease){str_from(leases[i]), str_from(nodes[i % 3].name), 1, 1000};
    w->view = (struct view){.nodes = w->nodes,
                            .node_count = 3,
                            .leases = w->leases,
                            .lease_count = 6,
                            .servers = &w->standby_record,
                            .observations = w->observations,
                            .orders = w->orders};
    w->record = (struct record_server){
        .state = STR("deciding"),
        .epoch = 5,
        .plan_index = PLAN_NOTHING,
        .instance = {
            .node = STR("east1"), .site = STR("east"), .address = STR("127.1.0.10"), .epoch = 5, .pid = 7}};
    w->x = (struct plan_context){&w->config, &w->view, &w->server, &w->record};
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static void all_observe(struct world *w, const char *server, const char *word)
{
    for (size_t i = 0; i < 3; i++)
        w->observations[w->view.observation_count++] = (struct view_observation){
            .node = str_from(nodes[i].name),
            .server = str_from(server),
            .record = {.state = str_from(word), .epoch = strcmp(server, "mail1") == 0 ? 5 : 0}};
}

static void standby_runs(struct world *w)
{
    w->view.server_count = 1;
    w->standby_record = (struct view_server){
        .name = STR("mail2"),
        .record = {.state = STR("running"), .instance = {.site = STR("west"), .address = STR("127.3.0.10")}}};
    all_observe(w, "mail2", "operational");
}

static int64_t next(struct world *w, struct plan_choice *c)
{
    struct err_buf eb;
    return plan_next(&w->x, c, &eb) == 0 ? c->index : 99;
}

static void a_standby_that_runs_comes_first(void **state)
{
    struct world *w = *state;
    struct plan_choice c;
    standby_runs(w);
    assert_int_equal(next(w, &c), 0);
    assert_int_equal(c.kind, PLAN_STANDBY);
    assert_str(c.standby, "mail2");
    assert_string_equal(c.address, "127.3.0.10");
    w->observations[0].record.state = w->observations[1].record.state = STR("inoperable");
    assert_int_equal(next(w, &c), 1);
    assert_int_equal(c.kind, PLAN_CREATE);
}

static void entries_in_their_order(void **state)
{
    struct world *w = *state;
    struct plan_choice c;
    struct err_buf eb;
    assert_int_equal(next(w, &c), 1);
    assert_str(c.node, "east1");
    assert_string_equal(c.address, "127.1.0.10");
    w->record.plan_index = 1;
    assert_int_equal(next(w, &c), 2);
    assert_str(c.node, "west1");
    assert_string_equal(c.address, "127.2.0.10");
    w->record.plan_index = 2;
    assert_err(plan_next(&w->x, &c, &eb), ERR_NOT_FOUND);
}

static void node_dies(struct world *w, int node)
{
    w->leases[node].remaining_ms = w->leases[3 + node].remaining_ms = 0;
}

/* Its relay lives on, but who would carry the order out? */
static void without_a_live_director_a_node_creates_and_ends_nothing(void **state)
{
    struct world *w = *state;
    struct plan_choice c;
    struct str node;
    w->leases[0].remaining_ms = w->leases[1].remaining_ms = 0;
    assert_int_equal(next(w, &c), 2);
    assert_str(c.node, "west1");
    w->record.plan_index = 1;
    assert_int_equal(plan_fence(&w->x, FENCE_DESTROY, &node), FENCE_NONE);
    w->leases[0].remaining_ms = 1;
    assert_int_equal(plan_fence(&w->x, FENCE_DESTROY, &node), FENCE_AGENT);
    assert_str(node, "east1");
    w->record.wanted = STR(WANTED_START);
    w->record.plan_index = PLAN_NOTHING;
    w->record.instance = (struct record_instance){0};
    assert_int_equal(next(w, &c), PLAN_HOME);
    w->leases[0].remaining_ms = 0;
    assert_int_equal(next(w, &c), 99);
}

static void without_a_live_node_or_provisioner_passed_over(void **state)
{
    struct world *w = *state;
    struct plan_choice c;
    struct err_buf eb;
    node_dies(w, 0);
    node_dies(w, 1);
    assert_int_equal(next(w, &c), 2);
    w->create[1].provisioner = "";
    assert_err(plan_next(&w->x, &c, &eb), ERR_NOT_FOUND);
    assert_non_null(strstr(eb.text, "standby mail2: not operational"));
    assert_non_null(strstr(eb.text, "east: no live node"));
    assert_non_null(strstr(eb.text, "west: no provisioner"));
}

/* The node of the instance is dead, so nobody can say that it is off. */
static void the_same_address_needs_a_fence_that_can_run(void **state)
{
    struct world *w = *state;
    struct plan_choice c;
    node_dies(w, 0);
    assert_int_equal(next(w, &c), 2);
    w->create[0].fence = "/usr/sbin/fence_ipmilan"; /* works from afar */
    assert_int_equal(next(w, &c), 1);
    assert_str(c.node, "east2");
    w->create[0].fence = "epoch";
    assert_int_equal(next(w, &c), 2);
    w->create[0].fence = "process";
    w->nodes[1].record.boot_id = STR("east1"); /* the same machine */
    assert_int_equal(next(w, &c), 1);
}

/* The entry of the remote site names no agent, and its instance dies there while
 * home is lost: the node that it ran on can say that it is off. */
static void the_last_site_takes_its_own_address_again(void **state)
{
    struct world *w = *state;
    struct plan_choice c;
    struct str node;
    node_dies(w, 0);
    node_dies(w, 1);
    w->record.instance.node = STR("west1");
    w->record.instance.site = STR("west");
    w->record.instance.address = STR("127.2.0.10");
    assert_int_equal(next(w, &c), 2);
    assert_str(c.node, "west1");
    assert_string_equal(c.address, "127.2.0.10");
    w->record.plan_index = 2;
    assert_int_equal(plan_fence(&w->x, FENCE_DESTROY, &node), FENCE_DESTROY);
    assert_str(node, "west1");
    assert_int_equal(plan_fence(&w->x, FENCE_AGENT, &node), FENCE_NONE); /* an epoch alone would not do */
}

static void a_doubtful_address_is_not_given_away(void **state)
{
    struct world *w = *state;
    struct plan_choice c;
    struct arena arena;
    arena_init(&arena, 65536);
    struct order_args args = {.server = STR("mail1"), .address = STR("127.2.0.10"), .epoch = 3};
    w->orders[0] = (struct view_order){.key = STR("k"),
                                       .record = {.target = STR("node/west1"),
                                                  .verb = STR(ORDER_DESTROY),
                                                  .subject = STR("mail1"),
                                                  .state = STR("new"),
                                                  .args = order_args_encode(&arena, &args)}};
    w->view.order_count = 1;
    w->record.plan_index = 1;
    assert_int_equal(next(w, &c), 99);
    w->orders[0].record.state = STR("failed");
    assert_int_equal(next(w, &c), 99);
    w->orders[0].record.state = STR("done");
    assert_int_equal(next(w, &c), 2);
    w->orders[0].record.state = STR("new");
    args.known_off = true;
    w->orders[0].record.args = order_args_encode(&arena, &args);
    assert_int_equal(next(w, &c), 2);
    arena_fini(&arena);
}

static void switchover_leaves_the_site(void **state)
{
    struct world *w = *state;
    struct plan_choice c;
    w->record.wanted = STR(WANTED_SWITCHOVER);
    assert_int_equal(next(w, &c), 2);
}

static void a_first_start_and_a_failback_are_at_home(void **state)
{
    struct world *w = *state;
    struct plan_choice c;
    w->record.wanted = STR(WANTED_START);
    w->record.instance = (struct record_instance){0};
    assert_int_equal(next(w, &c), PLAN_HOME);
    assert_str(c.node, "east1");
    node_dies(w, 0);
    node_dies(w, 1);
    assert_int_equal(next(w, &c), 99);
    w->record.wanted = STR(WANTED_FAILBACK); /* its holder is off already: anywhere */
    assert_int_equal(next(w, &c), 2);
    w->record.instance =
        (struct record_instance){.node = STR("west1"), .site = STR("west"), .address = STR("127.2.0.10")};
    assert_int_equal(next(w, &c), 99);
}

static void mail_returns_from_a_standby_to_what_works(void **state)
{
    struct world *w = *state;
    struct plan_choice c;
    standby_runs(w);
    w->record.served_by = STR("mail2");
    w->record.wanted = STR(WANTED_FAILBACK);
    assert_false(plan_is_home(&w->server, &w->record));
    assert_int_equal(next(w, &c), PLAN_HOME);
    assert_int_equal(c.kind, PLAN_CREATE); /* nobody says that the old instance works */
    all_observe(w, "mail1", "operational");
    assert_int_equal(next(w, &c), PLAN_HOME);
    assert_int_equal(c.kind, PLAN_RETURN);
    w->record.candidate = w->record.instance;
    w->record.plan_index = PLAN_HOME;
    assert_int_equal(plan_candidate_kind(&w->server, &w->record), PLAN_RETURN);
    w->record.candidate.epoch++;
    assert_int_equal(plan_candidate_kind(&w->server, &w->record), PLAN_CREATE);
    w->record.plan_index = 0;
    assert_int_equal(plan_candidate_kind(&w->server, &w->record), PLAN_STANDBY);
}

static void methods_of_fencing(void **state)
{
    struct world *w = *state;
    struct str node;
    w->record.plan_index = 1; /* the same address */
    assert_int_equal(plan_fence(&w->x, FENCE_DESTROY, &node), FENCE_AGENT);
    assert_str(node, "east1");
    assert_int_equal(plan_fence(&w->x, FENCE_EPOCH, &node), FENCE_NONE);
    w->create[0].fence = "epoch"; /* names no agent: its provisioner must say that it is off */
    assert_int_equal(plan_fence(&w->x, FENCE_DESTROY, &node), FENCE_DESTROY);
    assert_str(node, "east1");
    assert_int_equal(plan_fence(&w->x, FENCE_AGENT, &node), FENCE_NONE);
    w->record.plan_index = 2; /* another address: the store refuses the old one */
    assert_int_equal(plan_fence(&w->x, FENCE_DESTROY, &node), FENCE_EPOCH);
    assert_str(node, "");
    w->record.wanted = STR(WANTED_SWITCHOVER); /* a planned move is gentle first */
    assert_int_equal(plan_fence(&w->x, FENCE_DESTROY, &node), FENCE_DESTROY);
    assert_str(node, "east1");
    w->leases[0].remaining_ms = 0; /* its director's: nobody there would do it */
    assert_int_equal(plan_fence(&w->x, FENCE_DESTROY, &node), FENCE_EPOCH);
    w->record.wanted = STR(WANTED_FENCE);
    assert_int_equal(plan_fence(&w->x, FENCE_AGENT, &node), FENCE_EPOCH);
    w->server.kind = SERVER_EXTERNAL; /* no epoch guards it */
    assert_int_equal(plan_fence(&w->x, FENCE_AGENT, &node), FENCE_NONE);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_standby_that_runs_comes_first),
        T(entries_in_their_order),
        T(without_a_live_director_a_node_creates_and_ends_nothing),
        T(without_a_live_node_or_provisioner_passed_over),
        T(the_same_address_needs_a_fence_that_can_run),
        T(the_last_site_takes_its_own_address_again),
        T(a_doubtful_address_is_not_given_away),
        T(switchover_leaves_the_site),
        T(a_first_start_and_a_failback_are_at_home),
        T(mail_returns_from_a_standby_to_what_works),
        T(methods_of_fencing),
    };
    return cmocka_run_group_tests_name("director plan", tests, NULL, NULL);
}
