/* What is owed to senders becomes reports, each once; and what waits too long becomes owed. */
#include <string.h>

#include "base/mem.h"
#include "relay/delays.h"
#include "relay/report_text.h"
#include "relay/reports.h"
#include "unit/store/rig.h"
#include "unit/unit.h"

struct bench {
    struct rig *rig;
    struct config_relay relay;
    struct config_domain domain;
    struct config_server server;
    struct config config;
    struct record_work work;
    char last_domain[64], last_home[16];
    int made, owed;
};

static void on_made(void *arg, struct queue *q, struct str domain, struct str home)
{
    struct bench *b = arg;
    (void)q;
    b->made++;
    snprintf(b->last_domain, sizeof(b->last_domain), "%.*s", STR_ARG(domain));
    snprintf(b->last_home, sizeof(b->last_home), "%.*s", STR_ARG(home));
}

static void on_owed(void *arg)
{
    ((struct bench *)arg)->owed++;
}

static void bench_init(struct bench *b, struct rig *r)
{
    *b = (struct bench){.rig = r,
                        .relay = {.hostname = "relay.example.test",
                                  .bounce = BOUNCE_ALWAYS,
                                  .expire_ms = 1000000,
                                  .delay_notice_ms = 1000},
                        .domain = {.name = "d.test"},
                        .server = {.name = "mail1", .hostname = "mail1.d.test"}};
    b->config =
        (struct config){.domains = &b->domain, .domain_count = 1, .servers = &b->server, .server_count = 1};
}

static struct reports *begin(struct bench *b, struct queue *q)
{
    struct reports_options options = {
        .config = &b->config, .relay = &b->relay, .work = &b->work, .on_made = on_made, .arg = b};
    return reports_new(b->rig->loop, q, &options);
}

static struct queue *open_queue(struct rig *r, int64_t epoch)
{
    return own(r, r->store, "q", "node", epoch, NULL, NULL);
}

/* From this sender, for as many recipients as are named; its deliveries bounce. */
static void bounced(struct rig *r, struct queue *q, uint64_t id, const char *sender, const char *body,
                    const char *const *to)
{
    struct queue_filter waiting = {.states = 1U << QUEUE_WAITING, .limit = 10};
    struct custody_id custody = id_of(id);
    assert_ok(accept_body(r, q, id, body, strlen(body), sender, to, NULL));
    waiting.custody_id = &custody;
    struct answer a = list_rows(r, q, &waiting);
    const struct queue_delivery *rows = a.items;
    for (size_t i = 0; i < a.count; i++)
        assert_ok(settle(r, q, rows[i].id, QUEUE_OUTCOME_BOUNCED, 0));
}

static const char *const one[] = {"bob@d.test", NULL};

/* The reports that wait: their rows. */
static struct answer made(struct rig *r, struct queue *q)
{
    struct queue_filter reports = {.sender = STR_EMPTY, .states = UINT32_MAX, .limit = 100};
    return list_rows(r, q, &reports);
}

static char *text_of(struct rig *r, struct queue *q, const struct answer *rows, size_t i)
{
    const struct queue_delivery *d = rows->items;
    assert_true(i < rows->count);
    struct answer a = read_body(r, queue_body_open(q, d[i].message_id));
    assert_ok(a.err);
    return str_dup(a.text);
}

static void what_is_owed_is_told(void **state)
{
    static const char *const two[] = {"bob@d.test", "carol@d.test", NULL};
    struct rig *r = *state;
    struct bench b;
    struct queue *q = open_queue(r, 0);
    bench_init(&b, r);
    struct reports *reports = begin(&b, q);
    bounced(r, q, 1, "Alice@D.Test", "Subject: x\r\n\r\nsecret\r\n", two);
    reports_kick(reports);
    RIG_UNTIL(r, b.made == 1);
    struct answer rows = made(r, q);
    assert_int_equal(rows.count, 1); /* of both recipients */
    const struct queue_delivery *d = rows.items;
    assert_str(d->recipient, "Alice@D.Test");
    assert_str(d->domain, "d.test");
    assert_str(d->home, "");
    assert_string_equal(b.last_domain, "d.test");
    char *text = text_of(r, q, &rows, 0);
    assert_non_null(strstr(text, "Final-Recipient: rfc822;bob@d.test\r\n"));
    assert_non_null(strstr(text, "Final-Recipient: rfc822;carol@d.test\r\n"));
    assert_non_null(strstr(text, "Remote-MTA: dns;mail1.d.test\r\n"));
    assert_non_null(strstr(text, "Subject: x\r\n"));
    assert_null(strstr(text, "secret"));
    free(text);
    reports_kick(reports);
    rig_turn(r);
    assert_int_equal(made(r, q).count, 1);
    assert_int_equal(b.work.reports, 1);
    reports_free(reports);
}

static void a_foreign_sender_is_told_outside(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct queue *q = open_queue(r, 0);
    bench_init(&b, r);
    bounced(r, q, 1, "alice@elsewhere.test", "x\r\n", one);
    struct reports *reports = begin(&b, q); /* what an earlier process left */
    RIG_UNTIL(r, b.made == 1);
    struct answer rows = made(r, q);
    assert_str(((const struct queue_delivery *)rows.items)->home, QUEUE_HOME_OUTSIDE);
    assert_string_equal(b.last_home, QUEUE_HOME_OUTSIDE);
    reports_free(reports);
}

/* Killed at every turn of the loop, and adopted. */
static void each_is_told_once_whoever_dies_when(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct queue *q = open_queue(r, 0);
    bench_init(&b, r);
    for (uint64_t id = 1; id <= 20; id++)
        bounced(r, q, id, "alice@d.test", "x\r\n", one);
    int64_t epoch = 1;
    for (int turns = 0; made(r, q).count < 20; turns = (turns + 1) % 7) {
        struct reports *reports = begin(&b, q);
        for (int i = 0; i <= turns; i++)
            rig_turn(r);
        reports_free(reports);
        queue_close(q);
        q = open_queue(r, epoch++);
    }
    struct reports *reports = begin(&b, q);
    for (int i = 0; i < 20; i++)
        rig_turn(r);
    assert_int_equal(made(r, q).count, 20);
    struct queue_filter ended = {.states = 1U << QUEUE_BOUNCED, .limit = 100};
    assert_int_equal(list_rows(r, q, &ended).count, 20);
    reports_free(reports);
}

static void a_long_header_is_cut(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct queue *q = open_queue(r, 0);
    struct buf long_one;
    bench_init(&b, r);
    buf_init(&long_one, 1 << 20);
    for (int i = 0; i < 10000; i++)
        buf_append_fmt(&long_one, "X-Field: %d\r\n", i);
    bounced(r, q, 1, "alice@d.test", buf_data(&long_one), one);
    struct reports *reports = begin(&b, q);
    RIG_UNTIL(r, b.made == 1);
    struct answer rows = made(r, q);
    char *text = text_of(r, q, &rows, 0);
    assert_non_null(strstr(text, "X-Field: 100\r\n"));
    assert_true(strlen(text) < REPORT_HEADER_MAX + 4096);
    free(text);
    buf_fini(&long_one);
    reports_free(reports);
}

/* ---- delays: messages of the rig are from 1970 ---- */

static void a_delay_is_owed_once(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct queue *q = open_queue(r, 0);
    bench_init(&b, r);
    for (uint64_t id = 1; id <= 150; id++) /* more than a page */
        assert_ok(accept_body(r, q, id, "x\r\n", 3, id == 77 ? "" : "alice@d.test", one, NULL));
    struct delays *delays = delays_new(r->loop, q, &b.relay, on_owed, &b);
    struct reports *reports = begin(&b, q);
    RIG_UNTIL(r, b.owed == 2);
    reports_kick(reports);
    RIG_UNTIL(r, b.made == 149); /* one has nobody to tell */
    delays_kick(delays);
    for (int i = 0; i < 20; i++)
        rig_turn(r);
    assert_int_equal(b.owed, 2);
    struct answer rows = made(r, q);
    char *text = text_of(r, q, &rows, rows.count - 1);
    assert_non_null(strstr(text, "Action: delayed\r\nStatus: 4.4.1\r\n"));
    free(text);
    struct queue_filter ours = {.delivery_id = 1, .limit = 1};
    assert_int_equal(list_rows(r, q, &ours).count, 1); /* it waits as before */
    reports_free(reports);
    delays_free(delays);
}

static void a_young_one_is_no_delay(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct queue *q = open_queue(r, 0);
    bench_init(&b, r);
    b.relay.delay_notice_ms = 3600000;
    uint64_t now_s = (uint64_t)(loop_wall(r->loop).ms / 1000);
    assert_ok(accept_body(r, q, now_s - 7200, "x\r\n", 3, "alice@d.test", one, NULL));
    assert_ok(accept_body(r, q, now_s - 60, "x\r\n", 3, "alice@d.test", one, NULL));
    struct delays *delays = delays_new(r->loop, q, &b.relay, on_owed, &b);
    RIG_UNTIL(r, b.owed == 1);
    for (int i = 0; i < 10; i++)
        rig_turn(r);
    struct queue_filter all = {.states = UINT32_MAX, .limit = 9};
    struct answer a = list_rows(r, q, &all);
    const struct queue_delivery *rows = a.items;
    assert_int_equal(a.count, 2);
    assert_true(rows[0].delay_told);
    assert_false(rows[1].delay_told);
    delays_free(delays);
}

/* The first one is passed over, then the relay's keys change while the queue writes what is owed for the
 * second. */
static void a_kick_amid_a_look_is_not_lost(void **state)
{
    const struct store_memory_faults slow = {.latency_min_us = 300000, .latency_max_us = 300000};
    struct rig *r = *state;
    struct bench b;
    struct queue *q = open_queue(r, 0);
    struct queue_recipient_in to = {
        .address = STR("bob@d.test"), .domain = STR("d.test"), .home = STR_EMPTY, .dsn.orcpt = STR_EMPTY};
    bench_init(&b, r);
    b.relay.bounce = BOUNCE_NEVER;
    assert_ok(accept_to(r, q, 1, STR("x\r\n"), "alice@d.test", &to, 1, NULL));
    to.dsn.notify = DSN_NOTIFY_DELAY;
    assert_ok(accept_to(r, q, 2, STR("x\r\n"), "alice@d.test", &to, 1, NULL));
    store_memory_set_faults(r->memory, &slow, NULL, NULL);
    struct delays *delays = delays_new(r->loop, q, &b.relay, on_owed, &b);
    for (int i = 0; i < 10; i++)
        rig_turn(r);
    b.relay.bounce = BOUNCE_ALWAYS;
    delays_kick(delays);
    RIG_UNTIL(r, b.owed == 2);
    delays_free(delays);
}

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup_memory, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(what_is_owed_is_told),
        RIG_TEST(a_foreign_sender_is_told_outside),
        RIG_TEST(each_is_told_once_whoever_dies_when),
        RIG_TEST(a_long_header_is_cut),
        RIG_TEST(a_delay_is_owed_once),
        RIG_TEST(a_young_one_is_no_delay),
        RIG_TEST(a_kick_amid_a_look_is_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
