/* What is owed to senders becomes reports, each once; and what waits too long becomes owed. */
#include <string.h>

#include "base/mem.h"
#include "relay/delays.h"
#include "relay/expired.h"
#include "relay/report_text.h"
#include "relay/reports.h"
#include "relay/source.h"
#include "right_rig.h"
#include "unit/store/rig.h"
#include "unit/unit.h"

struct bench {
    struct rig *rig;
    struct config_relay relay;
    struct config_domain domain;
    struct config config;
    struct record_work work;
    struct claims *claims;
    struct right_rig right;
    char last_domain[64], last_home[16];
    int made, owed;
    struct delays *delays; /* that are kicked */
    int draws;             /* by the store */
};

#define DRAWS_UNTIL_OWED 4 /* two for the reading, two for the writing, the last as it is written */

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

static struct queue *open_queue(struct rig *r, int64_t epoch)
{
    return own(r, r->store, "q", "node", epoch, NULL, NULL);
}

/* Its queue, for what sends nothing. */
static struct queue *bench_init_still(struct bench *b, struct rig *r)
{
    struct queue *q = open_queue(r, 0);
    *b = (struct bench){.rig = r,
                        .relay = {.hostname = "relay.example.test",
                                  .bounce = BOUNCE_ALWAYS,
                                  .expire_ms = 1000000,
                                  .delay_notice_ms = 1000},
                        .domain = {.name = "d.test"}};
    b->claims = claims_new();
    b->config = (struct config){.domains = &b->domain, .domain_count = 1};
    return q;
}

/* With the right to send from it. */
static struct queue *bench_init(struct bench *b, struct rig *r)
{
    struct queue *q = bench_init_still(b, r);
    right_rig_begin(&b->right, r->loop, r->network, "node", q, NULL, 0);
    RIG_UNTIL(r, right_is_held(b->right.right));
    return q;
}

static void bench_fini(struct bench *b)
{
    right_rig_end(&b->right);
    claims_free(b->claims);
}

static void end(struct bench *b, struct reports *reports)
{
    reports_free(reports);
    bench_fini(b);
}

static struct reports *begin(struct bench *b, struct queue *q)
{
    struct reports_options options = {.config = &b->config,
                                      .relay = &b->relay,
                                      .claims = b->claims,
                                      .right = b->right.right,
                                      .work = &b->work,
                                      .on_made = on_made,
                                      .arg = b};
    return reports_new(b->rig->loop, q, &options);
}

static struct queue *open_again(struct bench *b, struct queue *q, int64_t epoch)
{
    right_free(b->right.right);
    queue_close(q);
    q = open_queue(b->rig, epoch);
    b->right.right = right_new(b->right.rights, q, true, viewer_view(b->right.viewer));
    return q;
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

static void on_accepted(void *arg, int err, int64_t message_id)
{
    (void)message_id;
    on_plain(arg, err);
}

/* With SMTPUTF8. */
static void accept_international(struct rig *r, struct queue *q, uint64_t id, const char *sender,
                                 const char *to)
{
    struct answer a = {.rig = r};
    struct queue_message_in in = {.custody_id = id_of(id),
                                  .reverse_path = str_from(sender),
                                  .eight_bit = true,
                                  .smtputf8 = true,
                                  .received_at = {1000}};
    struct queue_recipient_in recipient = {.address = str_from(to), .domain = STR("d.test")};
    struct body_writer *w = queue_body_begin(q);
    body_append(w, "Subject: x\r\n\r\nx\r\n", 17);
    queue_accept(q, w, &in, &recipient, 1, on_accepted, &a);
    rig_wait(r, &a.done);
    assert_ok(a.err);
}

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
    struct queue *q = bench_init(&b, r);
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
    end(&b, reports);
}

static void a_foreign_sender_is_told_outside(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct queue *q = bench_init(&b, r);
    bounced(r, q, 1, "alice@elsewhere.test", "x\r\n", one);
    struct reports *reports = begin(&b, q); /* what an earlier process left */
    RIG_UNTIL(r, b.made == 1);
    struct answer rows = made(r, q);
    assert_str(((const struct queue_delivery *)rows.items)->home, QUEUE_HOME_OUTSIDE);
    assert_string_equal(b.last_home, QUEUE_HOME_OUTSIDE);
    end(&b, reports);
}

/* By the A-label form of his domain, by which it is known in the configuration and in the DNS. */
static void an_international_sender_is_told_where_he_is(void **state)
{
    static struct config_domain ours = {.name = "xn--bcher-kva.test"};
    static const struct config config = {.domains = &ours, .domain_count = 1};
    struct report_place place;
    (void)state;
    report_place_of(STR("j\xc3\xbcrgen@B\xc3\xbc"
                        "cher.test"),
                    &config, &place);
    assert_string_equal(place.domain, "xn--bcher-kva.test");
    assert_str(place.home, "");
    report_place_of(STR("a@stra\xc3\x9f"
                        "e.test"),
                    &config, &place);
    assert_string_equal(place.domain, "xn--strae-oqa.test");
    assert_str(place.home, QUEUE_HOME_OUTSIDE);
    report_place_of(STR("a@\xe2\x98\x83.Test"), &config, &place); /* no such name */
    assert_str(place.home, QUEUE_HOME_OUTSIDE);
    report_place_of(STR("a@[192.0.2.1]"), &config, &place);
    assert_string_equal(place.domain, "[192.0.2.1]");
}

/* A report is new mail, which makes way; what it tells of waits. */
static void a_full_disk_makes_it_wait(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct queue *q = bench_init(&b, r);
    bounced(r, q, 1, "alice@elsewhere.test", "x\r\n", one);
    store_memory_set_faults(r->memory, &(struct store_memory_faults){.full = true}, NULL, NULL);
    uint64_t refused = queue_full_count(q);
    struct reports *reports = begin(&b, q);
    RIG_UNTIL(r, queue_full_count(q) > refused);
    assert_int_equal(b.made, 0);
    store_memory_set_faults(r->memory, &(struct store_memory_faults){0}, NULL, NULL);
    RIG_UNTIL(r, b.made == 1);
    end(&b, reports);
}

/* The one that was accepted last, and that is bounced so. */
static char *report_of(struct rig *r, struct bench *b, struct queue *q, const char *reply, const char *host)
{
    struct queue_filter waiting = {.states = 1U << QUEUE_WAITING, .limit = 1};
    struct answer a = list_rows(r, q, &waiting);
    struct queue_result result = {.delivery_id = ((const struct queue_delivery *)a.items)->id,
                                  .outcome = QUEUE_OUTCOME_BOUNCED,
                                  .reply = str_from(reply),
                                  .host = str_from(host),
                                  .server = STR("mail1"),
                                  .at = {5000}};
    assert_ok(settle_result(r, q, &result));
    struct reports *reports = begin(b, q);
    RIG_UNTIL(r, b->made == 1);
    struct answer rows = made(r, q);
    char *text = text_of(r, q, &rows, 0);
    end(b, reports);
    return text;
}

static void what_expired_says_what_the_server_said(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct buf reply;
    struct queue *q = bench_init(&b, r);
    buf_init(&reply, EXPIRED_TEXT_MAX);
    expired_format(&reply, STR("452 4.2.2 mailbox full"));
    assert_ok(accept_body(r, q, 1, "x\r\n", 3, "alice@d.test", one, NULL));
    char *text = report_of(r, &b, q, buf_data(&reply), "mx.test");
    assert_non_null(strstr(text, "Status: 4.4.7\r\nRemote-MTA: dns;mx.test\r\n"
                                 "Diagnostic-Code: smtp;452 4.2.2 mailbox full\r\n"));
    assert_null(strstr(text, "Last-Attempt-Date"));
    free(text);
    buf_fini(&reply);
}

static void what_expired_untried_names_no_server(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct buf reply;
    struct queue *q = bench_init(&b, r);
    buf_init(&reply, EXPIRED_TEXT_MAX);
    expired_format(&reply, STR_EMPTY);
    assert_ok(accept_body(r, q, 1, "x\r\n", 3, "alice@d.test", one, NULL));
    char *text = report_of(r, &b, q, buf_data(&reply), "");
    assert_non_null(strstr(text, "Status: 4.4.7\r\n"));
    assert_null(strstr(text, "Remote-MTA"));
    assert_null(strstr(text, "Diagnostic-Code"));
    free(text);
    buf_fini(&reply);
}

/* It may look as one: what a server cannot take is refused by us. */
static void our_own_word_is_no_servers(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct buf reply;
    struct queue *q = bench_init(&b, r);
    buf_init(&reply, EXPIRED_TEXT_MAX);
    expired_format(&reply, STR("452 4.5.3 The server takes no more recipients at once"));
    assert_ok(accept_body(r, q, 1, "x\r\n", 3, "alice@d.test", one, NULL));
    char *text = report_of(r, &b, q, buf_data(&reply), "");
    assert_non_null(strstr(text, "    What is known last: 452 4.5.3 The server takes"));
    assert_non_null(strstr(text, "Status: 4.4.7\r\n"));
    assert_null(strstr(text, "Remote-MTA"));
    assert_null(strstr(text, "Diagnostic-Code"));
    free(text);
    buf_fini(&reply);
}

/* One that an operator has released after it had expired: it has not failed again yet. */
static void a_delay_tells_the_answer_of_before(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct buf reply;
    struct queue *q = bench_init(&b, r);
    buf_init(&reply, EXPIRED_TEXT_MAX);
    expired_format(&reply, STR("452 4.2.2 mailbox full"));
    assert_ok(accept_body(r, q, 1, "x\r\n", 3, "alice@d.test", one, NULL));
    struct queue_result result = {.delivery_id = 1,
                                  .outcome = QUEUE_OUTCOME_DEFERRED,
                                  .next_at = {INT64_MAX},
                                  .reply = buf_str(&reply),
                                  .host = STR("mx.test"),
                                  .server = STR("mail1"),
                                  .instance = STR_EMPTY};
    assert_ok(settle_result(r, q, &result));
    struct delays *delays = delays_new(r->loop, q, &b.relay, on_owed, &b);
    RIG_UNTIL(r, b.owed == 1);
    struct reports *reports = begin(&b, q);
    RIG_UNTIL(r, b.made == 1);
    struct answer rows = made(r, q);
    char *text = text_of(r, q, &rows, 0);
    assert_non_null(strstr(text, "    452 4.2.2 mailbox full\r\n"));
    assert_non_null(strstr(text, "Action: delayed\r\nStatus: 4.2.2\r\nRemote-MTA: dns;mx.test\r\n"
                                 "Diagnostic-Code: smtp;452 4.2.2 mailbox full\r\n"));
    free(text);
    buf_fini(&reply);
    delays_free(delays);
    end(&b, reports);
}

/* What outside_route says, without a reply's code. */
static void what_the_dns_forbids_has_its_own_status(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct queue *q = bench_init(&b, r);
    assert_ok(accept_body(r, q, 1, "x\r\n", 3, "alice@d.test", one, NULL));
    char *text = report_of(r, &b, q, "5.1.10 d.test takes no mail (null MX, RFC 7505)", "");
    assert_non_null(strstr(text, "Action: failed\r\nStatus: 5.1.10\r\n"));
    assert_null(strstr(text, "Diagnostic-Code"));
    free(text);
}

/* Her server may take none, whatever she was able to send by another. */
static void a_sender_in_ascii_is_told_without_smtputf8(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct queue *q = bench_init(&b, r);
    accept_international(r, q, 1, "alice@elsewhere.test", "j\xc3\xbcrgen@d.test");
    char *text = report_of(r, &b, q, "550 5.1.1 nobody here", "mx.test");
    const struct queue_delivery *d = made(r, q).items;
    assert_false(d->smtputf8);
    assert_true(d->eight_bit);
    assert_non_null(strstr(text, "Final-Recipient: utf-8;j\\x{FC}rgen@d.test\r\n"));
    free(text);
}

static void another_sender_is_told_with_it(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct queue *q = bench_init(&b, r);
    accept_international(r, q, 1, "\xc3\xa4@elsewhere.test", "j\xc3\xbcrgen@d.test");
    char *text = report_of(r, &b, q, "550 5.1.1 nobody here", "mx.test");
    assert_true(((const struct queue_delivery *)made(r, q).items)->smtputf8);
    assert_non_null(strstr(text, "Final-Recipient: utf-8;j\xc3\xbcrgen@d.test\r\n"));
    free(text);
}

/* Killed at every turn of the loop, and adopted. */
static void each_is_told_once_whoever_dies_when(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct queue *q = bench_init(&b, r);
    for (uint64_t id = 1; id <= 20; id++)
        bounced(r, q, id, "alice@d.test", "x\r\n", one);
    int64_t epoch = 1;
    for (int turns = 0; made(r, q).count < 20; turns = (turns + 1) % 7) {
        struct reports *reports = begin(&b, q);
        for (int i = 0; i <= turns; i++)
            rig_turn(r);
        reports_free(reports);
        q = open_again(&b, q, epoch++);
    }
    struct reports *reports = begin(&b, q);
    for (int i = 0; i < 20; i++)
        rig_turn(r);
    assert_int_equal(made(r, q).count, 20);
    struct queue_filter ended = {.states = 1U << QUEUE_BOUNCED, .limit = 100};
    assert_int_equal(list_rows(r, q, &ended).count, 20);
    end(&b, reports);
}

static void a_long_header_is_cut(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct buf long_one;
    struct queue *q = bench_init(&b, r);
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
    end(&b, reports);
}

/* ---- what is in flight ---- */

struct flight {
    struct source *source;
    struct transaction *transaction;
};

static void on_ready(void *arg)
{
    (void)arg;
}

/* The mail for d.test that waits is being sent. */
static void take_off(struct flight *f, struct bench *b, struct queue *q)
{
    f->source =
        source_new(b->rig->loop, q, b->right.right, b->claims, STR("d.test"), STR_EMPTY, on_ready, NULL);
    RIG_UNTIL(b->rig, (f->transaction = source_take(f->source, SOURCE_NORMAL)) != NULL);
}

static void land(struct flight *f, struct queue *q, struct rig *r, enum queue_outcome outcome)
{
    for (size_t i = 0; i < f->transaction->recipient_count; i++)
        assert_ok(settle(r, q, f->transaction->recipients[i].delivery_id, outcome, 0));
    source_done(f->transaction, (struct wall_time){0});
}

static void come_home(struct flight *f)
{
    source_free(f->source);
}

static struct queue_delivery delivery(struct rig *r, struct queue *q, int64_t id)
{
    struct queue_filter which = {.delivery_id = id, .states = UINT32_MAX, .limit = 1};
    struct answer a = list_rows(r, q, &which);
    assert_int_equal(a.count, 1);
    return *(const struct queue_delivery *)a.items;
}

static void what_is_delivered_though_it_expired_is_no_failure(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct flight f;
    struct queue *q = bench_init(&b, r);
    assert_ok(accept_body(r, q, 1, "x\r\n", 3, "alice@d.test", one, NULL));
    take_off(&f, &b, q);
    assert_ok(settle(r, q, 1, QUEUE_OUTCOME_BOUNCED, 0)); /* it has expired */
    bounced(r, q, 2, "alice@elsewhere.test", "x\r\n", one);
    struct reports *reports = begin(&b, q);
    RIG_UNTIL(r, b.made == 1); /* of the second one: the first holds up nobody */
    assert_int_equal(delivery(r, q, 1).state, QUEUE_QUARANTINED);
    land(&f, q, r, QUEUE_OUTCOME_DELIVERED);
    bounced(r, q, 3, "alice@elsewhere.test", "x\r\n", one);
    reports_kick(reports);
    RIG_UNTIL(r, b.made == 2);
    assert_int_equal(made(r, q).count, 2);
    assert_int_equal(delivery(r, q, 1).state, QUEUE_DELIVERED);
    come_home(&f);
    end(&b, reports);
}

static void what_is_not_delivered_after_all_is_told(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct flight f;
    struct queue *q = bench_init(&b, r);
    assert_ok(accept_body(r, q, 1, "x\r\n", 3, "alice@elsewhere.test", one, NULL));
    take_off(&f, &b, q);
    assert_ok(settle(r, q, 1, QUEUE_OUTCOME_BOUNCED, 0));
    struct reports *reports = begin(&b, q);
    for (int i = 0; i < 10; i++)
        rig_turn(r);
    assert_int_equal(b.made, 0);
    land(&f, q, r, QUEUE_OUTCOME_DEFERRED);
    RIG_UNTIL(r, b.made == 1); /* nobody kicks */
    assert_int_equal(delivery(r, q, 1).state, QUEUE_BOUNCED);
    come_home(&f);
    end(&b, reports);
}

/* Of a queue that was another node's. */
static void give_from(struct rig *r, const char *former)
{
    struct record_queue record = {STR("node"), 1, str_from(former)};
    char *json = record_queue_encode(&record);
    assert_ok(record_put(r, r->network, "queue", "q", json, NETWORK_ANY_VERSION, NULL));
    free(json);
}

/* Who had the queue before has not let go of it: he may be amid sending what has expired. */
static void no_failure_is_told_before_the_former_owner_has_let_go(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct network_lease former;
    struct queue *q = bench_init(&b, r);
    bounced(r, q, 1, "alice@elsewhere.test", "x\r\n", one);
    assert_ok(lease_take(r->network, r, "relay/other", "other", 0, 3600000, &former));
    give_from(r, "other");
    q = open_again(&b, q, 1);
    RIG_UNTIL(r, !right_is_held(b.right.right));
    struct reports *reports = begin(&b, q);
    for (int i = 0; i < 20; i++) {
        reports_kick(reports);
        rig_turn(r);
    }
    assert_int_equal(made(r, q).count, 0);
    give_from(r, "");
    RIG_UNTIL(r, b.made == 1); /* nobody kicks */
    end(&b, reports);
}

/* ---- what cannot be read ---- */

static void a_message_that_cannot_be_read_holds_up_nobody(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct queue *q = bench_init(&b, r);
    bounced(r, q, 1, "alice@elsewhere.test", "Subject: one\r\n\r\n", one);
    bounced(r, q, 2, "alice@elsewhere.test", "Subject: two\r\n\r\n", one);
    store_memory_set_faults(r->memory, &(struct store_memory_faults){.unreadable_message = 1}, NULL, NULL);
    struct reports *reports = begin(&b, q);
    RIG_UNTIL(r, b.made == 1);
    assert_int_equal(delivery(r, q, 1).state, QUEUE_QUARANTINED);
    assert_int_equal(delivery(r, q, 2).state, QUEUE_BOUNCED);
    store_memory_set_faults(r->memory, &(struct store_memory_faults){0}, NULL, NULL);
    RIG_UNTIL(r, b.made == 2); /* by its own back-off */
    struct answer rows = made(r, q);
    char *text = text_of(r, q, &rows, 1);
    assert_non_null(strstr(text, "Subject: one\r\n"));
    free(text);
    end(&b, reports);
}

/* ---- delays: messages of the rig are from 1970 ---- */

static void a_delay_is_owed_once(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct queue *q = bench_init(&b, r);
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
    delays_free(delays);
    end(&b, reports);
}

static void a_young_one_is_no_delay(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct queue *q = bench_init_still(&b, r);
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
    claims_free(b.claims);
}

/* The relay's keys change when the queue has written what was owed at first, and has not said so yet. */
static uint64_t kick_amid(void *arg, uint64_t n)
{
    struct bench *b = arg;
    (void)n;
    if (++b->draws == DRAWS_UNTIL_OWED) {
        b->relay.bounce = BOUNCE_ALWAYS;
        delays_kick(b->delays);
    }
    return 0;
}

static void a_kick_amid_a_look_is_not_lost(void **state)
{
    struct rig *r = *state;
    struct bench b;
    struct queue_recipient_in to = {
        .address = STR("bob@d.test"), .domain = STR("d.test"), .home = STR_EMPTY, .dsn.orcpt = STR_EMPTY};
    struct queue *q = bench_init_still(&b, r);
    b.relay.bounce = BOUNCE_NEVER;
    b.relay.delay_notice_ms = 3600000; /* so long it would pause without the kick */
    assert_ok(accept_to(r, q, 1, STR("x\r\n"), "alice@d.test", &to, 1, NULL)); /* is passed over */
    to.dsn.notify = DSN_NOTIFY_DELAY;
    assert_ok(accept_to(r, q, 2, STR("x\r\n"), "alice@d.test", &to, 1, NULL));
    store_memory_set_faults(r->memory, &(struct store_memory_faults){0}, kick_amid, &b);
    b.delays = delays_new(r->loop, q, &b.relay, on_owed, &b);
    RIG_UNTIL(r, b.owed == 2);
    store_memory_set_faults(r->memory, &(struct store_memory_faults){0}, NULL, NULL);
    delays_free(b.delays);
    claims_free(b.claims);
}

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup_memory, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(what_is_owed_is_told),
        RIG_TEST(a_foreign_sender_is_told_outside),
        RIG_TEST(what_expired_says_what_the_server_said),
        RIG_TEST(what_expired_untried_names_no_server),
        RIG_TEST(our_own_word_is_no_servers),
        RIG_TEST(a_delay_tells_the_answer_of_before),
        RIG_TEST(what_the_dns_forbids_has_its_own_status),
        RIG_TEST(a_sender_in_ascii_is_told_without_smtputf8),
        RIG_TEST(another_sender_is_told_with_it),
        cmocka_unit_test(an_international_sender_is_told_where_he_is),
        RIG_TEST(a_full_disk_makes_it_wait),
        RIG_TEST(each_is_told_once_whoever_dies_when),
        RIG_TEST(a_long_header_is_cut),
        RIG_TEST(what_is_delivered_though_it_expired_is_no_failure),
        RIG_TEST(what_is_not_delivered_after_all_is_told),
        RIG_TEST(no_failure_is_told_before_the_former_owner_has_let_go),
        RIG_TEST(a_message_that_cannot_be_read_holds_up_nobody),
        RIG_TEST(a_delay_is_owed_once),
        RIG_TEST(a_young_one_is_no_delay),
        RIG_TEST(a_kick_amid_a_look_is_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
