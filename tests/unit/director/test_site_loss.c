/* When a site is gone. */
#include "base/log.h"
#include "site_world.h"

static void a_site_is_gone_when_nothing_of_it_lives_and_its_copies_are_missing(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    assert_false(is_gone(&w));
    lose_west(&w);
    assert_true(is_gone(&w));
    assert_int_equal(word_of(&w, EAST), SITE_AS_RECORDED);
    w.sites[WEST].fence = "";
    assert_false(is_gone(&w));
    fini(&w);
}

static void what_lives_there_is_in_the_way(void **state)
{
    (void)state;
    static const char *const leases[][2] = {
        {"node/west1", "west1"}, {"relay/relay-west", "west1"}, {"server/mail1", "west1:4"}};
    for (size_t i = 0; i < ARRAY_LEN(leases); i++) {
        struct world w;
        init(&w);
        lose_west(&w);
        add_lease(&w, leases[i][0], leases[i][1]);
        assert_false(is_gone(&w));
        w.leases[w.view.lease_count - 1].remaining_ms =
            1 - LEASE_MS; /* over just now: it may be started again */
        assert_false(is_gone(&w));
        w.leases[w.view.lease_count - 1].remaining_ms = -LEASE_MS;
        assert_true(is_gone(&w));
        fini(&w);
    }
}

static void a_site_that_never_lived_is_not_gone(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    lose_west(&w);
    for (size_t i = 0; i < w.view.lease_count; i++)
        if (str_eq(w.leases[i].holder, STR("west1")))
            w.leases[i].holder = STR("away");
    assert_false(is_gone(&w));
    fini(&w);
}

static void its_loss_must_be_what_mail_waits_for(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    lose_west(&w);
    work(&w, 0)->degraded = false;
    assert_false(is_gone(&w));
    work(&w, 0)->degraded = true;
    work(&w, 0)->databases = STR("east west"); /* connected, and only not synchronous */
    assert_false(is_gone(&w));
    work(&w, 0)->databases = STR("west"); /* the primary is there */
    assert_false(is_gone(&w));
    work(&w, 0)->databases = STR_EMPTY; /* not known */
    assert_false(is_gone(&w));
    work(&w, 0)->databases = STR("east");
    work(&w, 0)->durability = STR_EMPTY; /* a relay without its queue does not know */
    assert_false(is_gone(&w));
    fini(&w);
}

static void relays_that_live_say_the_same(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    lose_west(&w); /* what its relay said last is of before */
    assert_true(is_gone(&w));
    w.leases[4].holder = STR("north1"); /* another node's, which lives */
    w.leases[4].remaining_ms = 1000;
    assert_false(is_gone(&w));
    *work(&w, 1) = *work(&w, 0);
    assert_true(is_gone(&w));
    fini(&w);
}

static void a_third_site_that_could_take_copies_is_in_the_way(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    lose_west(&w);
    w.sites[NORTH].databases = (struct config_texts)DATABASES;
    assert_false(is_gone(&w));
    end_leases(&w, "north1", AFTER_MS);
    assert_false(is_gone(&w)); /* nobody can make sure that it is off */
    w.sites[NORTH].fence = "/agent";
    assert_true(is_gone(&w));
    assert_int_equal(word_of(&w, NORTH), SITE_GONE);
    w.sites[NORTH].fence = "";
    w.site = (struct view_site){.name = STR("north"), .record.lost = true};
    w.view.site_count = 1;
    assert_true(is_gone(&w));
    fini(&w);
}

static void without_knowing_where_the_primary_is_no_site_is_gone(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    lose_west(&w);
    end_leases(&w, "east", AFTER_MS); /* only the north lives, which has no database */
    w.sites[EAST].fence = "/agent";
    *work(&w, 1) = *work(&w, 0);
    w.leases[4].holder = STR("north1");
    w.leases[4].remaining_ms = 1000;
    struct site_context x = {&w.config, &w.view, &w.sites[NORTH]};
    assert_int_equal(site_judge(&x, &w.sites[WEST]), SITE_GONE);
    assert_int_equal(site_judge(&x, &w.sites[EAST]), SITE_AS_RECORDED);
    work(&w, 1)->databases = STR_EMPTY;
    assert_int_equal(site_judge(&x, &w.sites[WEST]), SITE_AS_RECORDED);
    assert_int_equal(site_judge(&x, &w.sites[EAST]), SITE_AS_RECORDED);
    fini(&w);
}

static void ones_own_site_is_not_gone(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    lose_west(&w);
    struct site_context x = {&w.config, &w.view, &w.sites[WEST]};
    assert_int_equal(site_judge(&x, &w.sites[WEST]), SITE_AS_RECORDED);
    fini(&w);
}

static void what_operators_decide_is_left_to_them(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    lose_west(&w);
    w.server.failover.mode = FAILOVER_MANUAL;
    assert_false(is_gone(&w)); /* all of it */
    struct config_server two[] = {w.server, w.server};
    two[0].failover.mode = FAILOVER_AUTOMATIC;
    w.config.servers = two;
    w.config.server_count = 2;
    assert_true(is_gone(&w)); /* a manual one elsewhere */
    two[1].site = &w.sites[WEST];
    assert_false(is_gone(&w));
    two[1].site = &w.sites[EAST];
    w.record.record.instance.site = STR("west"); /* moved there */
    assert_false(is_gone(&w));
    fini(&w);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_site_is_gone_when_nothing_of_it_lives_and_its_copies_are_missing),
        cmocka_unit_test(what_lives_there_is_in_the_way),
        cmocka_unit_test(a_site_that_never_lived_is_not_gone),
        cmocka_unit_test(its_loss_must_be_what_mail_waits_for),
        cmocka_unit_test(relays_that_live_say_the_same),
        cmocka_unit_test(a_third_site_that_could_take_copies_is_in_the_way),
        cmocka_unit_test(without_knowing_where_the_primary_is_no_site_is_gone),
        cmocka_unit_test(ones_own_site_is_not_gone),
        cmocka_unit_test(what_operators_decide_is_left_to_them),
    };
    return cmocka_run_group_tests_name("director site loss", tests, NULL, NULL);
}
