/* How many sessions the edge lets in, of what this process may have open. */
#include "loop/sim.h"
#include "relay/asker.h"
#include "relay/door.h"
#include "relay/outside.h"
#include "unit/unit.h"

struct world {
    struct sim_world *sim;
    struct loop *loop;
    struct config_relay relay;
    struct config_server servers[3];
    struct config config;
    struct record_work work;
    struct door door;
};

static void make_room(void *arg, struct admission_slot *slot)
{
    (void)arg;
    (void)slot;
    fail_msg("nobody has to go");
}

static void begin(struct world *w, int64_t descriptors_max)
{
    *w = (struct world){.relay = {.connections_max = 100000,
                                  .client_connections_max = 2,
                                  .delivery_sessions_max = 100,
                                  .rate_clients_max = 100}};
    w->config =
        (struct config){.relays = &w->relay, .relay_count = 1, .servers = w->servers, .server_count = 3};
    w->sim = sim_world_new(1);
    w->loop = sim_loop_new(w->sim, "relay1", "relay");
    door_init(&w->door, w->loop, &w->config, &w->relay, descriptors_max, &w->work, make_room);
}

static void end(struct world *w)
{
    door_fini(&w->door);
    sim_loop_free(w->loop);
    sim_world_free(w->sim);
}

/* Deliveries, questions and probes of three servers, a queue's files, and mail for outside. */
static void descriptors_are_left_for_all_that_the_relay_opens(void **state)
{
    struct world w;
    (void)state;
    begin(&w, 4096);
    int64_t others = 3 * (100 + ASKER_SESSIONS_MAX + 1) + ADMISSION_DESCRIPTORS + OUTSIDE_SESSIONS_MAX;
    int64_t every_role = 64, queue = 16, resolver = 32;
    assert_int_equal(w.door.entrance.admission.sessions_max, 4096 - every_role - queue - resolver - others);
    end(&w);
}

static struct addr ip(const char *text)
{
    struct addr a;
    assert_ok(addr_parse_ip(str_from(text), 0, &a));
    return a;
}

static unsigned exchange(struct world *w, struct door_visitor *visitor, const struct addr *client)
{
    char text[LIMITS_TEXT_MAX];
    return door_exchange(&w->door, visitor, client, text).code;
}

/* By another server's word: of whoever it names, and of nobody when it does not know. */
static void a_client_that_is_spoken_for_is_counted_as_any(void **state)
{
    struct world w;
    struct door_visitor visitors[4] = {{.limited = false}};
    struct addr peer = ip("192.0.2.1"), client = ip("198.51.100.1");
    (void)state;
    begin(&w, 0);
    for (int i = 0; i < 4; i++)
        admission_enter(&w.door.entrance.admission, &visitors[i].slot, &peer, true);
    assert_int_equal(exchange(&w, &visitors[0], &client), 0);
    assert_int_equal(exchange(&w, &visitors[1], &client), 0);
    assert_int_equal(exchange(&w, &visitors[2], &client), 421);
    assert_int_equal(exchange(&w, &visitors[0], NULL), 0);
    assert_int_equal(exchange(&w, &visitors[3], &client), 0);
    for (int i = 0; i < 4; i++)
        door_leave(&visitors[i]);
    end(&w);
}

static void this_machine_is_not_counted_whoever_speaks_for_it(void **state)
{
    struct world w;
    struct door_visitor visitors[4] = {{.limited = false}};
    struct addr peer = ip("192.0.2.1"), loopback = ip("127.0.0.1");
    char text[LIMITS_TEXT_MAX];
    (void)state;
    begin(&w, 0);
    w.relay.client_connection_rate = w.relay.client_message_rate = (struct rate){1, 60000};
    door_reload(&w.door);
    for (int i = 0; i < 4; i++) {
        admission_enter(&w.door.entrance.admission, &visitors[i].slot, &peer, true);
        assert_int_equal(exchange(&w, &visitors[i], &loopback), 0);
        assert_int_equal(door_take(&w.door, RATES_MESSAGES, &visitors[i], text).code, 0);
    }
    for (int i = 0; i < 4; i++)
        door_leave(&visitors[i]);
    end(&w);
}

static void block(struct addr_block *b, const char *text)
{
    assert_ok(addr_block_parse(str_from(text), b));
}

/* What is done in a time is his whom a peer speaks for: not the peer's, nor anybody's whom it does not know.
 */
static void what_a_client_does_is_counted_as_his(void **state)
{
    struct world w;
    struct door_visitor v = {.limited = false};
    struct addr peer = ip("192.0.2.1"), client = ip("198.51.100.1"), exempt = ip("203.0.113.9");
    struct addr_block front, friends;
    char text[LIMITS_TEXT_MAX];
    (void)state;
    begin(&w, 0);
    block(&front, "192.0.2.1");
    block(&friends, "203.0.113.0/24");
    w.relay.xclient_from = (struct addr_blocks){&front, 1};
    w.relay.rate_exempt = (struct addr_blocks){&friends, 1};
    w.relay.client_message_rate = (struct rate){2, 60000};
    w.relay.client_connection_rate = (struct rate){1, 60000};
    w.relay.client_error_rate = (struct rate){1, 60000};
    door_reload(&w.door);
    assert_false(limits_hold_for(&w.door.limits, &peer));
    assert_false(limits_hold_for(&w.door.limits, &exempt));
    admission_enter(&w.door.entrance.admission, &v.slot, &peer, true);

    assert_int_equal(exchange(&w, &v, &client), 0);
    assert_int_equal(door_take(&w.door, RATES_MESSAGES, &v, text).code, 0);
    assert_int_equal(exchange(&w, &v, NULL), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(door_take(&w.door, RATES_MESSAGES, &v, text).code, 0);
    assert_int_equal(exchange(&w, &v, &exempt), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(door_take(&w.door, RATES_MESSAGES, &v, text).code, 0);

    assert_int_equal(exchange(&w, &v, &client), 421); /* a second connection of his */
    assert_int_equal(door_take(&w.door, RATES_MESSAGES, &v, text).code, 0);
    struct smtp_reply no = door_take(&w.door, RATES_MESSAGES, &v, text);
    assert_int_equal(no.code, 450);
    assert_str(no.text, "Too many messages from your address, more than 2/1m; come back in 30s");
    assert_int_equal(door_take(&w.door, RATES_ERRORS, &v, text).code, 0);
    no = door_exchange(&w.door, &v, &client, text);
    assert_int_equal(no.code, 421);
    assert_str(no.text, "Too many errors from your address, more than 1/1m; come back in 1m");
    assert_int_equal(w.work.limited_connections, 1);
    assert_int_equal(w.work.limited_messages, 1);
    assert_int_equal(w.work.limited_errors, 1);
    door_leave(&v);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_are_left_for_all_that_the_relay_opens),
        cmocka_unit_test(a_client_that_is_spoken_for_is_counted_as_any),
        cmocka_unit_test(this_machine_is_not_counted_whoever_speaks_for_it),
        cmocka_unit_test(what_a_client_does_is_counted_as_his),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
