#include "director/agree.h"

#include "unit/unit.h"

/* Three nodes with relays in three sites, one more without. */
static struct config_site sites[] = {{"a"}, {"b"}, {"c"}};
static struct config_node nodes[] = {
    {.name = "a1", .site = &sites[0], .roles = ROLE_RELAY},
    {.name = "b1", .site = &sites[1], .roles = ROLE_RELAY | ROLE_DIRECTOR},
    {.name = "c1", .site = &sites[2], .roles = ROLE_RELAY},
    {.name = "c2", .site = &sites[2], .roles = ROLE_DNS | ROLE_DIRECTOR},
};
static const struct config config = {.nodes = nodes, .node_count = 4, .lease_ms = 2500};

static const char *const leases[] = {"relay/a", "relay/b", "relay/c", "node/a1",
                                     "node/b1", "node/c1", "node/c2"};

struct world {
    struct view view;
    struct view_lease leases[7]; /* of the relays a, b, c, then of the directors */
    struct view_site site;
    struct view_observation observations[3];
};

static void observes(struct world *w, const char *node, const char *state, int64_t epoch)
{
    w->observations[w->view.observation_count++] = (struct view_observation){
        .node = str_from(node), .server = STR("mail1"), .record = {.state = str_from(state), .epoch = epoch}};
}

static void init(struct world *w)
{
    *w = (struct world){
        .view = {.leases = w->leases, .lease_count = 7, .sites = &w->site, .observations = w->observations}};
    for (size_t i = 0; i < 7; i++)
        w->leases[i] = (struct view_lease){str_from(leases[i]), str_from(nodes[i % 3].name), 1, 1000};
}

static struct agreement count(const struct world *w)
{
    return agree_count(&w->view, &config, STR("mail1"), 5);
}

static void two_of_three_agree(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    observes(&w, "a1", "inoperable", 5);
    struct agreement a = count(&w);
    assert_int_equal(a.live, 3);
    assert_int_equal(a.inoperable, 1);
    assert_false(agree_inoperable(&a));
    observes(&w, "b1", "inoperable", 5);
    observes(&w, "c1", "operational", 5);
    a = count(&w);
    assert_true(agree_inoperable(&a));
    assert_false(agree_operational(&a));
    assert_false(a.invoke);
    w.observations[1].record.invoke = true;
    a = count(&w);
    assert_true(a.invoke);
}

static void of_two_both_must_agree_and_the_last_decides(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    w.leases[2].remaining_ms = -config.lease_ms; /* the relay's; its node's director lives on */
    observes(&w, "a1", "inoperable", 5);
    struct agreement a = count(&w);
    assert_int_equal(a.live, 2);
    assert_false(agree_inoperable(&a));
    w.leases[1].remaining_ms = -config.lease_ms;
    a = count(&w);
    assert_int_equal(a.live, 1);
    assert_true(agree_inoperable(&a));
}

/* It gave its lease back, and will be there again: the other one does not decide alone. */
static void a_relay_that_is_started_again_counts_meanwhile(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    w.leases[2].remaining_ms = -config.lease_ms;
    observes(&w, "a1", "inoperable", 5);
    observes(&w, "b1", "operational", 5);
    w.leases[1].remaining_ms = 0;
    struct agreement a = count(&w);
    assert_int_equal(a.live, 2);
    assert_false(agree_inoperable(&a));
    assert_false(agree_relay_lives(&w.view, &nodes[1])); /* its queue may be adopted all the same */
    w.leases[1].remaining_ms = 1 - config.lease_ms;
    w.observations[1].age_ms = 2 * config.lease_ms + 1; /* what it said has become old: that is unknown */
    a = count(&w);
    assert_int_equal(a.live, 2);
    assert_false(agree_inoperable(&a));
}

static void a_directors_death_leaves_its_relays_vote(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    for (size_t i = 3; i < 7; i++)
        w.leases[i].remaining_ms = 0;
    observes(&w, "a1", "inoperable", 5);
    observes(&w, "b1", "inoperable", 5);
    struct agreement a = count(&w);
    assert_int_equal(a.live, 3);
    assert_true(agree_inoperable(&a));
    assert_true(agree_node_lives(&w.view, &nodes[0]));
    assert_true(agree_relay_lives(&w.view, &nodes[0]));
    assert_false(agree_agent_lives(&w.view, &nodes[0]));
    assert_false(agree_node_lives(&w.view, &nodes[3]));
    w.leases[6].remaining_ms = 1;
    w.leases[6].holder = str_from(nodes[3].name);
    assert_true(agree_node_lives(&w.view, &nodes[3]));
    assert_true(agree_agent_lives(&w.view, &nodes[3]));
    assert_false(agree_relay_lives(&w.view, &nodes[3]));
}

static void nobody_decides_nothing(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    for (size_t i = 0; i < 3; i++)
        w.leases[i].remaining_ms = -config.lease_ms;
    observes(&w, "a1", "inoperable", 5);
    struct agreement a = count(&w);
    assert_int_equal(a.live, 0);
    assert_false(agree_inoperable(&a));
    assert_false(agree_operational(&a));
}

static void a_lost_site_does_not_count(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    w.view.site_count = 1;
    w.site = (struct view_site){.name = STR("c"), .record = {.lost = true}};
    observes(&w, "a1", "inoperable", 5);
    observes(&w, "b1", "inoperable", 5);
    observes(&w, "c1", "operational", 5);
    struct agreement a = count(&w);
    assert_int_equal(a.live, 2);
    assert_int_equal(a.operational, 0);
    assert_true(agree_inoperable(&a));
    w.site.record.lost = false;
    assert_int_equal(count(&w).live, 3);
}

static void silence_other_instances_and_other_words_are_no_agreement(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    observes(&w, "a1", "inoperable", 5);
    observes(&w, "b1", "inoperable", 4); /* of an earlier instance */
    observes(&w, "c1", "recovering", 5);
    struct agreement a = count(&w);
    assert_int_equal(a.live, 3);
    assert_int_equal(a.inoperable, 1);
    w.observations[1].record.epoch = 5;
    assert_int_equal(count(&w).inoperable, 2);
    w.observations[1].age_ms = 2 * config.lease_ms + 1;
    assert_int_equal(count(&w).inoperable, 1);
    w.observations[1].age_ms = 0;
    w.observations[1].record.state = STR("gone fishing");
    assert_int_equal(count(&w).inoperable, 1);
    w.observations[0].server = STR("mail2");
    assert_int_equal(count(&w).inoperable, 0);
}

static void suspect_still_serves(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    observes(&w, "a1", "suspect", 5);
    observes(&w, "b1", "operational", 5);
    struct agreement a = count(&w);
    assert_true(agree_operational(&a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_of_three_agree),
        cmocka_unit_test(of_two_both_must_agree_and_the_last_decides),
        cmocka_unit_test(a_relay_that_is_started_again_counts_meanwhile),
        cmocka_unit_test(a_directors_death_leaves_its_relays_vote),
        cmocka_unit_test(nobody_decides_nothing),
        cmocka_unit_test(a_lost_site_does_not_count),
        cmocka_unit_test(silence_other_instances_and_other_words_are_no_agreement),
        cmocka_unit_test(suspect_still_serves),
    };
    return cmocka_run_group_tests_name("director agree", tests, NULL, NULL);
}
