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
    struct config config;
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
    *w = (struct world){
        .relay = {.connections_max = 100000, .client_connections_max = 2, .delivery_sessions_max = 100}};
    w->config = (struct config){.relays = &w->relay, .relay_count = 1, .server_count = 3};
    w->sim = sim_world_new(1);
    w->loop = sim_loop_new(w->sim, "relay1", "relay");
    door_init(&w->door, w->loop, &w->config, &w->relay, descriptors_max, make_room);
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

/* By another server's word: of whoever it names, and of nobody when it does not know. */
static void a_client_that_is_spoken_for_is_counted_as_any(void **state)
{
    struct world w;
    struct admission_slot slots[4] = {{.admission = NULL}};
    struct addr peer = ip("192.0.2.1"), loopback = ip("127.0.0.1");
    (void)state;
    begin(&w, 0);
    for (int i = 0; i < 4; i++)
        admission_enter(&w.door.entrance.admission, &slots[i], &peer, true);
    assert_true(door_exchange(&w.door, &slots[0], &loopback));
    assert_true(door_exchange(&w.door, &slots[1], &loopback));
    assert_false(door_exchange(&w.door, &slots[2], &loopback));
    assert_true(door_exchange(&w.door, &slots[0], NULL));
    assert_true(door_exchange(&w.door, &slots[3], &loopback));
    for (int i = 0; i < 4; i++)
        admission_leave(&slots[i]);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_are_left_for_all_that_the_relay_opens),
        cmocka_unit_test(a_client_that_is_spoken_for_is_counted_as_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
