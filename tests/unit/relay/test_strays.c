/* Mail that the configuration has no server for is told of, and has its end. Messages of the rig were
 * received at so many seconds of 1970 as their id. */
#include <string.h>

#include "relay/strays.h"
#include "unit/store/rig.h"
#include "unit/unit.h"

static const char config_text[] =
    "site \"s\" { }\n"
    "node \"n\" { site = \"s\" roles = {\"relay\"} }\n"
    "relay \"q\" { node = \"n\" hostname = \"r.test\" address = {\"127.0.0.2\"} listen = "
    "{\"127.0.0.2:2525\"} }\n"
    "domain \"here.test\" { server = \"mail1\" relays = {\"q\"} recipients = \"any\" }\n"
    "server \"mail1\" { kind = \"external\" site = \"s\" hostname = \"mail1.here.test\" address = "
    "{\"127.0.0.3\"} "
    "}\n";

struct ground {
    struct rig *rig;
    struct queue *queue;
    struct config *config;
    struct config_relay relay;
    struct strays *strays;
    int expired;
};

static void on_expired(void *arg, size_t count)
{
    ((struct ground *)arg)->expired += (int)count;
}

static bool may(void *arg)
{
    (void)arg;
    return true;
}

static const struct expiry_ops ops = {may, on_expired};

static void ground_open(struct ground *g, void **state, int64_t expire_ms)
{
    struct config_findings findings;
    *g = (struct ground){.rig = *state, .relay = {.expire_ms = expire_ms}};
    int err = config_parse(str_from(config_text), "/x/c", "/x/s", &g->config, &findings);
    config_findings_print(&findings, stderr);
    config_findings_free(&findings);
    assert_ok(err);
    g->queue = own(g->rig, g->rig->store, "q", "n", 0, NULL, NULL);
}

static void begin(struct ground *g)
{
    g->strays = strays_new(g->rig->loop, g->queue, g->rig->network, g->config, &g->relay, &ops, g);
}

static void ground_close(struct ground *g)
{
    strays_free(g->strays);
    config_free(g->config);
}

static size_t in_state(struct ground *g, enum queue_state state)
{
    struct queue_filter filter = {.states = 1U << state, .limit = 1000};
    return list_rows(g->rig, g->queue, &filter).count;
}

struct seen {
    struct loop *loop;
    bool done;
    char subjects[256]; /* each followed by a space */
};

static void on_events(void *arg, int err, const struct network_event *events, size_t count)
{
    struct seen *seen = arg;
    assert_ok(err);
    for (size_t i = 0; i < count; i++) {
        assert_str(events[i].kind, "unroutable");
        assert_non_null(strstr(events[i].detail.ptr, "\"queue\":\"q\""));
        strncat(seen->subjects, events[i].subject.ptr, events[i].subject.len);
        strcat(seen->subjects, " ");
    }
    seen->done = true;
    loop_stop(seen->loop);
}

static struct seen events(struct ground *g)
{
    struct seen seen = {.loop = g->rig->loop};
    network_events(g->rig->network, 0, 1000, on_events, &seen);
    rig_wait(g->rig, &seen.done);
    return seen;
}

static const int64_t never_ms = INT64_C(1) << 53;

static void a_removed_domains_mail_is_told_of_once_and_expires(void **state)
{
    struct ground g;
    ground_open(&g, state, 1000);
    assert_ok(accept_one(g.rig, g.queue, 1, "a@gone.test"));
    assert_ok(accept_one(g.rig, g.queue, 2, "b@gone.test"));
    assert_ok(accept_one(g.rig, g.queue, 3, "c@HERE.test"));
    begin(&g);
    RIG_UNTIL(g.rig, g.expired == 2 && strcmp(events(&g).subjects, "gone.test ") == 0);
    assert_int_equal(in_state(&g, QUEUE_QUARANTINED), 2);
    assert_int_equal(in_state(&g, QUEUE_WAITING), 1); /* another's to expire */
    ground_close(&g);
}

static void what_is_held_is_told_of_too_but_once(void **state)
{
    struct ground g;
    struct queue_filter all = {0};
    ground_open(&g, state, never_ms);
    assert_ok(accept_one(g.rig, g.queue, 1, "a@gone.test"));
    assert_ok(act(g.rig, g.queue, &all, QUEUE_ACT_HOLD, "", NULL));
    begin(&g);
    RIG_UNTIL(g.rig, strcmp(events(&g).subjects, "gone.test ") == 0);
    strays_kick(g.strays);
    rig_turn(g.rig);
    rig_turn(g.rig);
    assert_string_equal(events(&g).subjects, "gone.test ");
    ground_close(&g);
}

static void the_home_of_a_removed_server_too(void **state)
{
    struct ground g;
    struct queue_filter all = {0};
    ground_open(&g, state, never_ms);
    assert_ok(accept_one(g.rig, g.queue, 1, "a@here.test"));
    assert_ok(act(g.rig, g.queue, &all, QUEUE_ACT_MOVE, "mail0", NULL));
    begin(&g);
    RIG_UNTIL(g.rig, strcmp(events(&g).subjects, "mail0 ") == 0);
    g.relay.expire_ms = 1000; /* reloaded */
    strays_kick(g.strays);
    RIG_UNTIL(g.rig, g.expired == 1);
    ground_close(&g);
}

/* An operator moves it to a server that there is: it is no stray any more. */
static void what_was_moved_is_left_alone(void **state)
{
    struct ground g;
    struct queue_filter all = {0};
    ground_open(&g, state, never_ms);
    assert_ok(accept_one(g.rig, g.queue, 1, "a@gone.test"));
    begin(&g);
    RIG_UNTIL(g.rig, strcmp(events(&g).subjects, "gone.test ") == 0);
    assert_ok(act(g.rig, g.queue, &all, QUEUE_ACT_MOVE, "mail1", NULL));
    assert_ok(accept_one(g.rig, g.queue, 2, "b@old.test"));
    g.relay.expire_ms = 1000;
    strays_kick(g.strays);
    RIG_UNTIL(g.rig, g.expired == 1);
    assert_int_equal(in_state(&g, QUEUE_WAITING), 1);
    assert_string_equal(events(&g).subjects, "gone.test old.test ");
    ground_close(&g);
}

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup_memory, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_removed_domains_mail_is_told_of_once_and_expires),
        RIG_TEST(what_is_held_is_told_of_too_but_once),
        RIG_TEST(the_home_of_a_removed_server_too),
        RIG_TEST(what_was_moved_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
