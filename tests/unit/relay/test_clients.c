/* What the relay's sessions tell which server, and whom they believe. */
#include "config/config.h"
#include "loop/sim.h"
#include "relay/clients.h"
#include "unit/unit.h"

static const char configuration[] =
    "site \"s\" { }\n"
    "node \"a\" { site = \"s\" roles = {\"director\", \"mailbox\", \"relay\"} }\n"
    "relay \"r\" { node = \"a\" hostname = \"r.test\" address = {\"127.1.0.2\"} listen = "
    "{\"127.1.0.2:2525\"} }\n"
    "server \"ours\" { kind = \"builtin\" site = \"s\" hostname = \"ours.test\" address = {\"127.1.0.10\"}\n"
    "  smtp_port = 2525 message_size_max = \"60MiB\" }\n"
    "server \"theirs\" { kind = \"external\" site = \"s\" hostname = \"theirs.test\" address = "
    "{\"127.1.0.11\"}\n"
    "  smtp_port = 2525 }\n"
    "domain \"ours.test\" { server = \"ours\" relays = {\"r\"} }\n"
    "domain \"theirs.test\" { server = \"theirs\" relays = {\"r\"} recipients = \"any\" }\n";

static void our_own_are_known_and_nobody_else_is_told(void **state)
{
    static const struct peer_key key = {"0123456789abcdef0123456789abcde"};
    struct sim_world *world = sim_world_new(1);
    struct loop *l = sim_loop_new(world, "a", "relay");
    struct config *config;
    struct config_findings findings;
    (void)state;
    assert_ok(config_parse(str_from(configuration), "/test.conf", "/state", &config, &findings));
    config_findings_free(&findings);
    const struct config_server *ours = config_server_find(config, "ours"),
                               *theirs = config_server_find(config, "theirs");
    struct clients *c = clients_new(l, config, &config->relays[0]);
    clients_set_peer_key(c, &key);
    assert_ptr_equal(clients_options(c, ours)->peer_key, &key);
    assert_int_equal(clients_options(c, ours)->peer.part, PEER_MAILBOX);
    assert_string_equal(clients_options(c, ours)->peer.name, "ours");
    assert_null(clients_options(c, theirs)->peer_key);
    assert_null(clients_outside(c)->peer_key);
    assert_null(clients_options(c, ours)->offers); /* whoever answers in its place cannot change them */
    assert_true(clients_offers(c, ours)->known && clients_offers(c, ours)->smtputf8);
    assert_int_equal(clients_offers(c, ours)->size_max_bytes, ours->message_size_max_bytes);
    assert_ptr_equal(clients_options(c, theirs)->offers, clients_offers(c, theirs));
    assert_false(clients_offers(c, theirs)->known);
    clients_free(c);
    config_free(config);
    sim_loop_free(l);
    sim_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(our_own_are_known_and_nobody_else_is_told)};
    return cmocka_run_group_tests_name("clients", tests, NULL, NULL);
}
