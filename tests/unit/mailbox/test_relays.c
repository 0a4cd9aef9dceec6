#include "mailbox/relays.h"

#include "unit/unit.h"

static const char configuration[] =
    "site \"s\" { }\n"
    "site \"far\" { }\n"
    "node \"f\" { site = \"far\" roles = {\"relay\"} }\n"
    "node \"a\" { site = \"s\" roles = {\"relay\"} }\n"
    "node \"b\" { site = \"s\" roles = {\"relay\"} }\n"
    "relay \"far\" { node = \"f\" hostname = \"f.test\" address = {\"127.1.0.2\"} listen = "
    "{\"127.1.0.2:2525\"} }\n"
    "relay \"near\" { node = \"a\" hostname = \"a.test\" address = {\"127.1.0.3\"} listen = "
    "{\"127.1.0.3:2525\"} }\n"
    "relay \"own\" { node = \"b\" hostname = \"b.test\" address = {\"127.1.0.4\"} listen = "
    "{\"127.1.0.4:2525\"} }\n";

struct ground {
    struct config *config;
    struct relays relays;
};

static int set_up(void **state)
{
    static struct ground g;
    struct config_findings findings;
    assert_ok(config_parse(str_from(configuration), "/test.conf", "/state", &g.config, &findings));
    config_findings_free(&findings);
    relays_init(&g.relays, g.config, config_node_find(g.config, "b"));
    *state = &g;
    return 0;
}

static int tear_down(void **state)
{
    struct ground *g = *state;
    relays_fini(&g->relays);
    config_free(g->config);
    return 0;
}

static void assert_order(const struct ground *g, struct mono_time now, const char *expected)
{
    size_t order[3];
    char names[64] = "";
    relays_order(&g->relays, now, order);
    for (size_t i = 0; i < g->relays.count; i++) {
        strcat(names, g->relays.items[order[i]].relay->name);
        strcat(names, " ");
    }
    assert_string_equal(names, expected);
}

static const struct mono_time start = {1000000};

static void the_nearest_is_first(void **state)
{
    struct ground *g = *state;
    assert_int_equal(g->relays.count, 3);
    assert_order(g, start, "own near far ");
}

static void one_that_failed_is_last_for_a_while(void **state)
{
    struct ground *g = *state;
    relays_failed(&g->relays, 0, start);
    assert_order(g, start, "near far own ");
    assert_order(g, mono_add_ms(start, 3600000), "own near far ");
}

static void also_until_it_worked(void **state)
{
    struct ground *g = *state;
    relays_failed(&g->relays, 0, start);
    relays_failed(&g->relays, 1, start);
    relays_failed(&g->relays, 2, start);
    assert_order(g, start, "own near far ");
    relays_worked(&g->relays, 2);
    assert_order(g, start, "far own near ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_nearest_is_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_failed_is_last_for_a_while, set_up, tear_down),
        cmocka_unit_test_setup_teardown(also_until_it_worked, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
