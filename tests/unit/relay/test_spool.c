/* What is in a relay's spool comes into the shared queue, each message once and as it was, whatever fails
 * when. */
#include "relay/spool.h"

#include <stdio.h>

#include "unit/store/rig.h"
#include "unit/unit.h"

#define RELAY "relay-a"
#define MANY  150 /* more than a page of rows, and than are handed over at once */

/* The shared store is the rig's; the spool is a device of its own. */
struct bench {
    struct rig *r;
    struct store_memory *disk;
    struct store *store; /* the relay's process has it open */
    struct config_node node;
    struct config_relay relay;
    struct record_work work;
    struct queue *shared;
    struct spool *spool;
    struct queue *open; /* as it said */
    size_t handed, stopped;
    uint64_t drawn;
};

static struct mono_time device_clock(void *arg)
{
    return loop_now(arg);
}

static void open_store(struct bench *b)
{
    struct store_options options = {.engine = STORE_ENGINE_MEMORY, .memory = b->disk};
    assert_ok(store_open(b->r->loop, &options, &b->store, NULL));
}

static int setup(void **state)
{
    static struct bench b;
    assert_ok(rig_setup_memory(state));
    b = (struct bench){.r = *state, .node = {.name = "node-a"}, .relay = {.name = RELAY}};
    b.relay.node = &b.node;
    b.disk = store_memory_new(device_clock, b.r->loop);
    open_store(&b);
    b.shared = own(b.r, b.r->store, RELAY, "node-a", 0, NULL, NULL);
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    void *rig = b->r;
    spool_free(b->spool);
    store_close(b->store);
    store_memory_free(b->disk);
    return rig_teardown(&rig);
}

/* ---- the relay's process ---- */

static void on_opened(void *arg, struct queue *q)
{
    ((struct bench *)arg)->open = q;
}

static void on_handed(void *arg, struct str domain, struct str home, bool stopped)
{
    struct bench *b = arg;
    assert_true(str_eq(domain, STR("d.test")) || str_eq(domain, STR("e.test")));
    assert_true(home.len == 0 || str_eq(home, STR("mail2")));
    b->handed++;
    b->stopped += stopped;
}

static const struct spool_ops ops = {.opened = on_opened, .handed = on_handed};

static void start(struct bench *b)
{
    struct spool_options options = {
        .store = b->store, .network = b->r->network, .relay = &b->relay, .work = &b->work};
    b->work = (struct record_work){0};
    b->spool = spool_new(b->r->loop, &options, &ops, b);
}

/* As a SIGKILL: what was not committed is lost. */
static void kill_it(struct bench *b)
{
    spool_free(b->spool);
    b->spool = NULL;
    assert_null(b->open);
    store_close(b->store);
    open_store(b);
}

static void hand_over(struct bench *b)
{
    start(b);
    spool_set_queue(b->spool, b->shared);
}

/* ---- mail ---- */

static void on_accept(void *arg, int err, int64_t message_id)
{
    (void)message_id;
    on_plain(arg, err);
}

static int put(struct bench *b, struct queue *q, const struct queue_message_in *message, size_t size_bytes,
               const struct queue_recipient_in *to, size_t count)
{
    ASK(b->r, a);
    struct body_writer *w = queue_body_begin(q);
    if (!w)
        return queue_health(q);
    queue_accept(q, write_pattern(b->r, w, size_bytes), message, to, count, on_accept, &a);
    rig_wait(b->r, &a.done);
    return a.err;
}

static struct queue_message_in message_of(uint64_t id)
{
    return (struct queue_message_in){.custody_id = id_of(id),
                                     .id_is_drawn = true,
                                     .reverse_path = STR("s@s.test"),
                                     .helo = STR("client.test"),
                                     .client = STR("192.0.2.9"),
                                     .header_id = STR("<m@s.test>"),
                                     .received_at = {(int64_t)id * 1000},
                                     .stopped = STR_EMPTY};
}

static struct queue_recipient_in recipient_of(const char *address)
{
    return (struct queue_recipient_in){
        .address = str_from(address), .domain = STR("d.test"), .home = STR_EMPTY, .dsn = {0, STR_EMPTY}};
}

/* By another process, before. */
static void fill(struct bench *b, uint64_t first, uint64_t count, size_t recipients)
{
    struct queue_recipient_in *to = calloc(recipients, sizeof(*to));
    int64_t epoch = 0;
    struct queue *q = own(b->r, b->store, RELAY, "node-a", 0, &(int){0}, &epoch);
    if (!q)
        q = own(b->r, b->store, RELAY, "node-a", epoch, NULL, NULL);
    for (size_t i = 0; i < recipients; i++)
        to[i] = recipient_of("a@d.test");
    for (uint64_t id = first; id < first + count; id++) {
        struct queue_message_in message = message_of(id);
        assert_ok(put(b, q, &message, 600, to, recipients));
    }
    queue_close(q);
    free(to);
}

static struct answer rows_of(struct bench *b, struct queue *q)
{
    struct queue_filter live = {.limit = 1000};
    return list_rows(b->r, q, &live);
}

static bool is_empty(struct bench *b)
{
    return b->open && b->work.spool_waiting == 0 && rows_of(b, b->open).count == 0;
}

/* Each of the messages 1 to count, once. */
static void assert_each_once(struct bench *b, uint64_t count, size_t recipients)
{
    struct answer rows = rows_of(b, b->shared);
    const struct queue_delivery *all = rows.items;
    assert_int_equal(rows.count, count * recipients);
    for (uint64_t id = 1; id <= count; id++) {
        struct custody_id wanted = id_of(id);
        size_t found = 0;
        for (size_t i = 0; i < rows.count; i++)
            found += memcmp(&all[i].custody_id, &wanted, sizeof(wanted)) == 0;
        assert_int_equal(found, recipients);
    }
}

/* ---- events ---- */

struct seen {
    struct loop *loop;
    bool done;
    const char *kind;
    size_t count;
    char last[256];
};

static void on_events(void *arg, int err, const struct network_event *events, size_t count)
{
    struct seen *seen = arg;
    assert_ok(err);
    for (size_t i = 0; i < count; i++) {
        if (!str_eq(events[i].kind, str_from(seen->kind)))
            continue;
        seen->count++;
        snprintf(seen->last, sizeof(seen->last), "%.*s", STR_ARG(events[i].detail));
    }
    seen->done = true;
    loop_stop(seen->loop);
}

static struct seen events(struct bench *b, const char *kind)
{
    struct seen seen = {.loop = b->r->loop, .kind = kind};
    network_events(b->r->network, 0, 1000, on_events, &seen);
    rig_wait(b->r, &seen.done);
    return seen;
}

/* ---- tests ---- */

static uint64_t draw(void *arg, uint64_t n)
{
    struct bench *b = arg;
    b->drawn = b->drawn * 6364136223846793005u + 1442695040888963407u;
    return (b->drawn >> 33) % n;
}

static void test_a_message_arrives_as_it_was(void **state)
{
    struct bench *b = *state;
    struct queue_recipient_in to[] = {recipient_of("a@d.test"), recipient_of("b@e.test")};
    struct queue_message_in message = message_of(1);
    int64_t epoch;
    to[1].domain = STR("e.test");
    to[1].home = STR("mail2");
    to[1].dsn = (struct dsn_request){DSN_NOTIFY_FAILURE, STR("rfc822;b@e.test")};
    message.eight_bit = message.smtputf8 = message.authenticated = true;
    message.dsn = (struct dsn_envelope){DSN_RET_HDRS, STR("envelope-1")};
    struct queue *q = own(b->r, b->store, RELAY, "node-a", 0, NULL, &epoch);
    assert_ok(put(b, q, &message, 300000, to, 2));
    queue_close(q);
    hand_over(b);
    RIG_UNTIL(b->r, is_empty(b));
    struct answer rows = rows_of(b, b->shared);
    const struct queue_delivery *d = rows.items;
    assert_int_equal(rows.count, 2);
    assert_memory_equal(&d[1].custody_id, &message.custody_id, sizeof(message.custody_id));
    assert_str(d[1].recipient, "b@e.test");
    assert_str(d[1].home, "mail2");
    assert_str(d[0].home, "");
    assert_int_equal(d[1].request.notify, DSN_NOTIFY_FAILURE);
    assert_str(d[1].request.orcpt, "rfc822;b@e.test");
    assert_str(d[1].envelope.envid, "envelope-1");
    assert_int_equal(d[1].envelope.ret, DSN_RET_HDRS);
    assert_str(d[1].reverse_path, "s@s.test");
    assert_str(d[1].helo, "client.test");
    assert_str(d[1].client, "192.0.2.9");
    assert_str(d[1].header_id, "<m@s.test>");
    assert_int_equal(d[1].received_at.ms, 1000);
    assert_int_equal(d[1].waits_since.ms, 1000);
    assert_true(d[1].eight_bit && d[1].smtputf8 && d[1].authenticated);
    struct answer body = read_body(b->r, queue_body_open(b->shared, d[1].message_id));
    assert_int_equal(body.text.len, 300000);
    assert_true(pattern_holds(body.text));
    assert_int_equal(b->handed, 2);
}

static void test_what_was_stopped_stays_so(void **state)
{
    struct bench *b = *state;
    struct queue_recipient_in to = recipient_of("a@d.test");
    struct queue_message_in message = message_of(1);
    message.stopped = STR("5.4.6 mail loop");
    struct queue *q = own(b->r, b->store, RELAY, "node-a", 0, NULL, NULL);
    assert_ok(put(b, q, &message, 10, &to, 1));
    queue_close(q);
    hand_over(b);
    RIG_UNTIL(b->r, is_empty(b));
    struct answer rows = rows_of(b, b->shared);
    const struct queue_delivery *d = rows.items;
    assert_int_equal(d[0].state, QUEUE_QUARANTINED);
    assert_str(d[0].last_reply, "5.4.6 mail loop");
    assert_int_equal(b->stopped, 1);
    assert_int_equal(notices(b->r, b->shared, 10).count, 1);
    RIG_UNTIL(b->r, notices(b->r, b->open, 10).count == 0);
}

static void test_many_come_and_it_is_told(void **state)
{
    struct bench *b = *state;
    fill(b, 1, MANY, 1);
    fill(b, MANY + 1, 1, 2 * MANY); /* its recipients are in several pages */
    hand_over(b);
    RIG_UNTIL(b->r, is_empty(b));
    assert_int_equal(b->handed, 3 * MANY);
    assert_int_equal(rows_of(b, b->shared).count, 3 * MANY);
    RIG_UNTIL(b->r, events(b, "spool-handed-over").count > 0);
    assert_int_equal(events(b, "spooled").count, 1);
    assert_string_equal(events(b, "spooled").last,
                        "{\"since\":\"1970-01-01T00:00:01.000Z\",\"waiting\":450}");
    assert_string_equal(events(b, "spool-handed-over").last,
                        "{\"messages\":151,\"recipients\":450,\"left\":0}");
    struct queue_filter ended = {.states = 1U << QUEUE_REMOVED, .limit = 1000};
    RIG_UNTIL(b->r, list_rows(b->r, b->open, &ended).count == 2 * MANY); /* of the newest message */
}

static void test_mail_that_comes_meanwhile_is_handed_over_too(void **state)
{
    struct bench *b = *state;
    struct queue_recipient_in to = recipient_of("a@d.test");
    hand_over(b);
    RIG_UNTIL(b->r, b->open);
    for (uint64_t id = 1; id <= 20; id++) {
        struct queue_message_in message = message_of(id);
        assert_ok(put(b, b->open, &message, 10, &to, 1));
        spool_took(b->spool, 1);
    }
    RIG_UNTIL(b->r, is_empty(b));
    assert_int_equal(b->work.spooled, 20);
    assert_each_once(b, 20, 1);
}

static void test_what_a_crash_left_in_both_is_there_once(void **state)
{
    struct bench *b = *state;
    struct queue_recipient_in to = recipient_of("a@d.test");
    struct queue_message_in message = message_of(2);
    fill(b, 1, 3, 1);
    assert_ok(put(b, b->shared, &message, 600, &to, 1));
    hand_over(b);
    RIG_UNTIL(b->r, is_empty(b));
    assert_each_once(b, 3, 1);
}

/* Also when it has been delivered from there meanwhile. */
static void test_what_was_delivered_is_not_taken_again(void **state)
{
    struct bench *b = *state;
    struct queue_recipient_in to = recipient_of("a@d.test");
    struct queue_message_in message = message_of(1);
    fill(b, 1, 1, 1);
    assert_ok(put(b, b->shared, &message, 600, &to, 1));
    assert_ok(settle(b->r, b->shared, 1, QUEUE_OUTCOME_DELIVERED, 0));
    hand_over(b);
    RIG_UNTIL(b->r, is_empty(b));
    assert_int_equal(rows_of(b, b->shared).count, 0);
}

/* Killed after 1, 2, 3, ... turns of the loop, each time a little further. */
static void test_a_process_that_dies_at_any_moment_doubles_nothing(void **state)
{
    struct bench *b = *state;
    struct store_memory_faults slow = {.latency_min_us = 4000, .latency_max_us = 12000};
    bool empty = false;
    fill(b, 1, 40, 1);
    store_memory_set_faults(b->r->memory, &slow, draw, b);
    store_memory_set_faults(b->disk, &slow, draw, b);
    for (int turns = 1; !empty; turns++) {
        hand_over(b);
        for (int i = 0; i < turns; i++)
            rig_turn(b->r);
        empty = is_empty(b);
        kill_it(b);
    }
    assert_each_once(b, 40, 1);
}

static void test_commits_that_fail_double_nothing(void **state)
{
    struct bench *b = *state;
    struct store_memory_faults faults = {.sync_fail_ppm = 200000, .unknown_ppm = 200000}, none = {0};
    fill(b, 1, 40, 2);
    store_memory_set_faults(b->r->memory, &faults, draw, b);
    store_memory_set_faults(b->disk, &faults, draw, b);
    hand_over(b);
    for (int i = 0; i < 100; i++)
        rig_turn(b->r);
    store_memory_set_faults(b->r->memory, &none, draw, b);
    store_memory_set_faults(b->disk, &none, draw, b);
    RIG_UNTIL(b->r, is_empty(b));
    assert_each_once(b, 40, 2);
}

static void test_it_waits_for_a_store_that_is_away(void **state)
{
    struct bench *b = *state;
    struct store_memory_faults away = {.unreachable = true}, none = {0};
    fill(b, 1, 5, 1);
    store_memory_set_faults(b->r->memory, &away, draw, b);
    hand_over(b);
    for (int i = 0; i < 50; i++)
        rig_turn(b->r);
    assert_int_equal(b->work.spool_waiting, 5);
    assert_int_equal(b->handed, 0);
    store_memory_set_faults(b->r->memory, &none, draw, b);
    RIG_UNTIL(b->r, is_empty(b));
    assert_each_once(b, 5, 1);
}

/* It is in one place only, wherever it is. */
static void test_a_store_without_copies_takes_it(void **state)
{
    struct bench *b = *state;
    struct store_memory_faults degraded = {.degraded = true};
    fill(b, 1, 5, 1);
    store_memory_set_faults(b->r->memory, &degraded, draw, b);
    hand_over(b);
    RIG_UNTIL(b->r, is_empty(b));
    assert_err(accept_one(b->r, b->shared, 99, "new@d.test"), ERR_DEGRADED);
    assert_each_once(b, 5, 1);
}

static void test_it_goes_on_with_another_handle_of_the_queue(void **state)
{
    struct bench *b = *state;
    struct store_memory_faults slow = {.latency_min_us = 4000, .latency_max_us = 12000};
    int64_t epoch = queue_epoch(b->shared);
    fill(b, 1, 60, 1);
    store_memory_set_faults(b->r->memory, &slow, draw, b);
    hand_over(b);
    RIG_UNTIL(b->r, b->handed > 0);
    assert_true(b->work.spool_waiting > 0);
    spool_set_queue(b->spool, NULL);
    queue_close(b->shared);
    b->shared = own(b->r, b->r->store, RELAY, "node-a", epoch, NULL, NULL);
    spool_set_queue(b->spool, b->shared);
    RIG_UNTIL(b->r, is_empty(b));
    assert_each_once(b, 60, 1);
}

static void test_a_message_that_cannot_be_read_holds_up_no_other(void **state)
{
    struct bench *b = *state;
    struct store_memory_faults unreadable = {.unreadable_message = 1}, none = {0};
    fill(b, 1, 30, 1);
    store_memory_set_faults(b->disk, &unreadable, draw, b);
    hand_over(b);
    RIG_UNTIL(b->r, events(b, "spool-handed-over").count > 0);
    assert_string_equal(events(b, "spool-handed-over").last,
                        "{\"messages\":29,\"recipients\":29,\"left\":1}");
    assert_int_equal(b->work.spool_waiting, 1);
    assert_int_equal(events(b, "spool-stuck").count, 1);
    assert_string_equal(events(b, "spool-stuck").last, "{\"relay\":\"relay-a\",\"error\":\"io\"}");
    struct queue_recipient_in to = recipient_of("a@d.test");
    struct queue_message_in message = message_of(31);
    assert_ok(put(b, b->open, &message, 10, &to, 1));
    spool_took(b->spool, 1); /* another pass */
    RIG_UNTIL(b->r, events(b, "spool-handed-over").count > 1);
    assert_int_equal(events(b, "spool-stuck").count, 1);
    store_memory_set_faults(b->disk, &none, draw, b);
    kill_it(b);
    hand_over(b);
    RIG_UNTIL(b->r, is_empty(b));
    assert_each_once(b, 31, 1);
}

static void test_a_body_that_was_changed_stays(void **state)
{
    struct bench *b = *state;
    fill(b, 1, 2, 1);
    store_memory_corrupt(b->disk);
    hand_over(b);
    RIG_UNTIL(b->r, events(b, "spool-stuck").count == 2);
    assert_string_equal(events(b, "spool-stuck").last, "{\"relay\":\"relay-a\",\"error\":\"corrupt\"}");
    assert_int_equal(rows_of(b, b->shared).count, 0);
    assert_int_equal(b->work.spool_waiting, 2);
}

#define SPOOL_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(test_a_message_arrives_as_it_was),
        SPOOL_TEST(test_what_was_stopped_stays_so),
        SPOOL_TEST(test_many_come_and_it_is_told),
        SPOOL_TEST(test_mail_that_comes_meanwhile_is_handed_over_too),
        SPOOL_TEST(test_what_a_crash_left_in_both_is_there_once),
        SPOOL_TEST(test_what_was_delivered_is_not_taken_again),
        SPOOL_TEST(test_a_process_that_dies_at_any_moment_doubles_nothing),
        SPOOL_TEST(test_commits_that_fail_double_nothing),
        SPOOL_TEST(test_it_waits_for_a_store_that_is_away),
        SPOOL_TEST(test_a_store_without_copies_takes_it),
        SPOOL_TEST(test_it_goes_on_with_another_handle_of_the_queue),
        SPOOL_TEST(test_a_message_that_cannot_be_read_holds_up_no_other),
        SPOOL_TEST(test_a_body_that_was_changed_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
