/* Which copies count, by what a server tells of its standbys. */
#include <string.h>

#include "store/postgres/copies.h"
#include "unit/unit.h"

#define SECOND (1000 * NS_PER_MS)

static const char *const east[] = {"10.1.0.5", "pg-east"}, *const west[] = {"pg-west", "10.2.0.5"};

static struct store_durability two_sites(void)
{
    return (struct store_durability){.replicated = true,
                                     .standby_timeout_ms = 5000,
                                     .sites = {{"east", east, 2}, {"west", west, 2}},
                                     .site_count = 2};
}

enum { LOST_EAST = 1, LOST_WEST = 2 };

static struct copies connected(const struct store_durability *d, const char *host)
{
    const char *const names[] = {NULL, host};
    struct copies c;
    copies_init(&c, d);
    copies_connected(&c, names, ARRAY_LEN(names));
    return c;
}

static void see(struct copies *c, int second, const struct copies_standby *s, size_t count, unsigned lost,
                const struct copies_wait *oldest)
{
    struct copies_look look = {.at = {second * SECOND}, .written = 1000, .standbys = s, .count = count};
    copies_see(c, &look, lost, oldest);
}

static const struct copies_standby well = {"pg-west", "", true, true, 500};

static void a_synchronous_one_in_another_site_counts_up_to_what_it_flushed(void **state)
{
    (void)state;
    struct store_durability d = two_sites();
    struct copies c = connected(&d, "10.1.0.5");
    assert_int_equal(c.state, STORE_COPIES_MISSING);
    see(&c, 1, &well, 1, 0, NULL);
    assert_int_equal(c.state, STORE_COPIES_FLOW);
    assert_string_equal(c.why, "");
    assert_true(copies_allow(&c, 500, true));
    assert_false(copies_allow(&c, 501, true));
    assert_false(copies_allow(&c, 501, false));
    assert_false(copies_allow(&c, 0, true));
}

static void a_standby_is_known_by_its_address_too(void **state)
{
    (void)state;
    struct store_durability d = two_sites();
    struct copies c = connected(&d, "10.1.0.5");
    struct copies_standby s = {"walreceiver", "10.2.0.5", true, true, 500};
    see(&c, 1, &s, 1, 0, NULL);
    assert_int_equal(c.state, STORE_COPIES_FLOW);
}

static void missing(const char *host, const struct copies_standby *s, size_t count, const char *why)
{
    struct store_durability d = two_sites();
    struct copies c = connected(&d, host);
    see(&c, 1, s, count, 0, NULL);
    assert_int_equal(c.state, STORE_COPIES_MISSING);
    if (!strstr(c.why, why))
        fail_msg("\"%s\" does not tell: %s", c.why, why);
    assert_false(copies_allow(&c, 1, true));
    assert_true(copies_allow(&c, 1, false));
}

static void what_does_not_count_is_told(void **state)
{
    (void)state;
    struct copies_standby here = {"pg-east", "", true, true, 500}, slack = {"pg-west", "", false, true, 500},
                          stranger = {"pg-north", "10.3.0.5", true, true, 500},
                          mute = {"", "", false, false, 0};
    missing("10.1.0.5", NULL, 0, "no standby in another site");
    missing("10.1.0.5", &here, 1, "no standby in another site");
    missing("10.1.0.5", &slack, 1, "synchronous_standby_names");
    missing("10.1.0.5", &stranger, 1, "\"pg-north\" (10.3.0.5) is in no site");
    missing("10.1.0.5", &mute, 1, "pg_monitor");
    missing("10.9.0.5", &well, 1, "\"10.9.0.5\" is in no site");
}

static void all_that_may_be_promoted_must_have_it(void **state)
{
    (void)state;
    struct store_durability d = two_sites();
    struct copies c = connected(&d, "10.1.0.5");
    struct copies_standby all[] = {{"pg-west", "", true, true, 300},
                                   {"pg-east", "", true, true, 900},
                                   {"x", "10.2.0.5", true, true, 700}};
    see(&c, 1, all, 3, 0, NULL);
    assert_int_equal(c.flushed, 300);
    all[1].flushed = 200; /* beside the primary */
    see(&c, 2, all, 3, 0, NULL);
    assert_int_equal(c.flushed, 200);
}

static void what_flowed_is_waited_for_a_while(void **state)
{
    (void)state;
    struct store_durability d = two_sites();
    struct copies c = connected(&d, "10.1.0.5");
    see(&c, 1, NULL, 0, 0, NULL);
    assert_true(copies_allow(&c, 1, false)); /* it never was there */
    see(&c, 2, &well, 1, 0, NULL);
    see(&c, 3, NULL, 0, 0, NULL); /* gone at once, as by a reset */
    assert_int_equal(c.state, STORE_COPIES_MISSING);
    assert_false(copies_allow(&c, 1, false));
    see(&c, 7, NULL, 0, 0, NULL);
    assert_false(copies_allow(&c, 1, false));
    see(&c, 8, NULL, 0, 0, NULL);
    assert_true(copies_allow(&c, 1, false));
    assert_false(copies_allow(&c, 1, true));
}

static void a_name_that_leads_elsewhere_is_not_believed(void **state)
{
    (void)state;
    struct store_durability d = two_sites();
    struct copies c = connected(&d, "10.1.0.5");
    struct copies_look look = {
        .at = {SECOND}, .written = 1000, .server = "10.2.0.5", .standbys = &well, .count = 1};
    copies_see(&c, &look, 0, NULL);
    assert_int_equal(c.state, STORE_COPIES_MISSING);
    assert_non_null(strstr(c.why, "in another site"));
    look.server = "10.1.0.5";
    copies_see(&c, &look, 0, NULL);
    assert_int_equal(c.state, STORE_COPIES_FLOW);
}

static void one_that_stands_still_does_not_keep_up(void **state)
{
    (void)state;
    struct store_durability d = two_sites();
    struct copies c = connected(&d, "10.1.0.5");
    struct copies_wait wait = {600, {10 * SECOND}};
    struct copies_standby s = well;
    see(&c, 14, &s, 1, 0, &wait);
    assert_int_equal(c.state, STORE_COPIES_FLOW);
    see(&c, 15, &s, 1, 0, &wait);
    assert_int_equal(c.state, STORE_COPIES_MISSING);
    assert_non_null(strstr(c.why, "does not keep up"));
    s.flushed = 999; /* of 1,000 that were written when it fell behind */
    see(&c, 16, &s, 1, 0, NULL);
    assert_int_equal(c.state, STORE_COPIES_MISSING);
    s.flushed = 1000;
    see(&c, 17, &s, 1, 0, NULL);
    assert_int_equal(c.state, STORE_COPIES_FLOW);
}

static void without_the_other_sites_one_copy_is_enough(void **state)
{
    (void)state;
    struct store_durability d = two_sites();
    struct copies c = connected(&d, "10.1.0.5");
    see(&c, 1, NULL, 0, LOST_WEST, NULL);
    assert_int_equal(c.state, STORE_COPIES_LOCAL);
    assert_string_equal(c.why, "recorded as lost: west");
    assert_true(copies_allow(&c, 0, true));
    see(&c, 2, NULL, 0, LOST_EAST, NULL); /* where we are: it is not */
    assert_int_equal(c.state, STORE_COPIES_MISSING);
    see(&c, 3, &well, 1, 0, NULL);
    assert_int_equal(c.state, STORE_COPIES_FLOW);
}

static void sites_are(const struct copies *c, const char *seen, const char *copying)
{
    struct store_copies_told told;
    copies_tell(c, &told);
    assert_int_equal(told.state, c->state);
    assert_string_equal(told.why, c->why);
    assert_string_equal(told.seen, seen);
    assert_string_equal(told.copying, copying);
}

static void where_databases_are_is_told_of_lost_sites_too(void **state)
{
    (void)state;
    struct store_durability d = two_sites();
    struct copies c = connected(&d, "10.2.0.5");
    struct copies_standby all[] = {{"pg-east", "", false, true, 500},
                                   {"backup", "10.2.0.9", false, true, 500}};
    sites_are(&c, "", "");
    see(&c, 1, NULL, 0, 0, NULL);
    sites_are(&c, "west", "");
    see(&c, 2, all, 1, LOST_EAST, NULL); /* back, not yet in step */
    sites_are(&c, "west east", "");
    all[0].synchronous = true;
    see(&c, 3, all, 1, LOST_EAST, NULL);
    sites_are(&c, "west east", "east");
    assert_int_equal(c.state, STORE_COPIES_LOCAL);
    see(&c, 4, all, 1, 0, NULL);
    sites_are(&c, "west east", "east");
    see(&c, 5, all, 2, 0, NULL); /* one that may be anywhere */
    sites_are(&c, "", "");
    see(&c, 6, all, 1, 0, NULL);
    copies_blind(&c, "no such view");
    sites_are(&c, "", "");
    struct copies_look look = {.at = {7 * SECOND}, .server = "10.1.0.5"}; /* a name that leads elsewhere */
    see(&c, 7, NULL, 0, 0, NULL);
    copies_see(&c, &look, 0, NULL);
    sites_are(&c, "", "");
}

static void degraded_may_be_accepted(void **state)
{
    (void)state;
    struct store_durability d = two_sites();
    d.accept_degraded = true;
    struct copies c = connected(&d, "10.1.0.5");
    see(&c, 1, NULL, 0, 0, NULL);
    assert_int_equal(c.state, STORE_COPIES_MISSING);
    assert_true(copies_allow(&c, 0, true));
    see(&c, 2, &well, 1, 0, NULL);
    assert_false(copies_allow(&c, 501, true));
}

static void another_server_is_looked_at_anew(void **state)
{
    (void)state;
    struct store_durability d = two_sites();
    struct copies c = connected(&d, "10.1.0.5");
    const char *const names[] = {"10.2.0.5:5432", "10.2.0.5"};
    see(&c, 1, &well, 1, 0, NULL);
    copies_connected(&c, names, ARRAY_LEN(names));
    assert_int_equal(c.state, STORE_COPIES_MISSING);
    see(&c, 2, &well, 1, 0, NULL); /* in its own site */
    assert_int_equal(c.state, STORE_COPIES_MISSING);
    struct copies_standby back = {"pg-east", "", true, true, 500};
    see(&c, 3, &back, 1, 0, NULL);
    assert_int_equal(c.state, STORE_COPIES_FLOW);
}

static void locally_none_is_asked_for(void **state)
{
    (void)state;
    struct store_durability d = {.replicated = false};
    struct copies c = connected(&d, "10.1.0.5");
    see(&c, 1, NULL, 0, 0, NULL);
    assert_int_equal(c.state, STORE_COPIES_LOCAL);
    copies_blind(&c, "no such view");
    assert_true(copies_allow(&c, 0, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_synchronous_one_in_another_site_counts_up_to_what_it_flushed),
        cmocka_unit_test(a_standby_is_known_by_its_address_too),
        cmocka_unit_test(what_does_not_count_is_told),
        cmocka_unit_test(all_that_may_be_promoted_must_have_it),
        cmocka_unit_test(what_flowed_is_waited_for_a_while),
        cmocka_unit_test(a_name_that_leads_elsewhere_is_not_believed),
        cmocka_unit_test(one_that_stands_still_does_not_keep_up),
        cmocka_unit_test(without_the_other_sites_one_copy_is_enough),
        cmocka_unit_test(where_databases_are_is_told_of_lost_sites_too),
        cmocka_unit_test(degraded_may_be_accepted),
        cmocka_unit_test(another_server_is_looked_at_anew),
        cmocka_unit_test(locally_none_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
