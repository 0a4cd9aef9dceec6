/* The SQLite engine on a disk that fails: errors of syncs and no room. */
#include "rig.h"

#include "crash/disk.h"
#include "store/queue_report.h"

static const struct disk_plan no_faults = {.seed = 1};

static int setup(void **state)
{
    disk_set_plan(&no_faults);
    return rig_setup_sqlite(state);
}

static int teardown(void **state)
{
    disk_set_plan(&no_faults);
    return rig_teardown(state);
}

static struct queue *new_queue(struct rig *r)
{
    return own(r, r->store, "q", "east1", 0, NULL, NULL);
}

static void fail_syncs(uint64_t count)
{
    struct disk_plan plan = {.seed = 7, .fail_sync_at = 1, .fail_sync_count = count, .log_only = true};
    disk_set_plan(&plan);
}

static size_t waiting(struct rig *r, struct queue *q)
{
    struct answer a = due(r, q, "example.test", "", 0, 100);
    assert_ok(a.err);
    return a.count;
}

static void a_failed_sync_is_final(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    fail_syncs(1);
    assert_err(accept_one(r, q, 2, "alice@example.test"), ERR_SYNC);
    assert_int_equal(disk_injected(), 1);
    RIG_UNTIL(r, queue_health(q) == 0);
    assert_int_equal(waiting(r, q), 1);
    assert_ok(accept_one(r, q, 2, "alice@example.test"));
    assert_int_equal(waiting(r, q), 2);
}

static void nothing_is_taken_while_it_is_sick(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    fail_syncs(1000000);
    assert_err(accept_one(r, q, 1, "alice@example.test"), ERR_SYNC);
    uint64_t injected = disk_injected();
    RIG_UNTIL(r, disk_injected() > injected); /* it has tried to recover */
    assert_err(queue_health(q), ERR_SYNC);
    assert_null(queue_body_begin(q));
    assert_err(settle(r, q, 1, QUEUE_OUTCOME_DELIVERED, 0), ERR_SYNC);
    disk_set_plan(&no_faults);
    RIG_UNTIL(r, queue_health(q) == 0);
    assert_int_equal(waiting(r, q), 0);
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
}

struct many {
    struct rig *rig;
    int answered, failed;
    bool done;
};

static void on_accept(void *arg, int err, int64_t message_id)
{
    struct many *m = arg;
    (void)message_id;
    m->failed += err == ERR_SYNC;
    m->done = ++m->answered == 20;
    loop_stop(m->rig->loop);
}

static void a_whole_batch_fails_with_its_sync(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    struct many m = {.rig = r};
    struct queue_recipient_in to = {STR("alice@example.test"), STR("example.test"), STR_EMPTY};
    fail_syncs(1);
    for (uint64_t i = 1; i <= 20; i++) {
        struct queue_message_in in = {.custody_id = id_of(i), .reverse_path = STR_EMPTY};
        struct body_writer *w = queue_body_begin(q);
        if (!w) { /* it has failed already */
            m.failed++;
            m.answered++;
            continue;
        }
        body_append(w, "x", 1);
        queue_accept(q, w, &in, &to, 1, on_accept, &m);
    }
    rig_wait(r, &m.done);
    assert_true(m.failed > 0);
    RIG_UNTIL(r, queue_health(q) == 0);
    assert_int_equal(waiting(r, q), 20 - m.failed);
}

static void what_failed_stays_away_from_other_processes(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    fail_syncs(1000000);
    assert_err(accept_one(r, q, 2, "alice@example.test"), ERR_SYNC);
    queue_close(q);
    rig_close(r, r->store);
    disk_set_plan(&no_faults);
    r->store = rig_open(r);
    r->network = store_network(r->store);
    q = own(r, r->store, "q", "east1", 1, NULL, NULL);
    assert_int_equal(waiting(r, q), 1);
}

static void a_body_in_pieces_fails_as_a_whole(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    ASK(r, a);
    struct queue_message_in in = {.custody_id = id_of(1), .reverse_path = STR_EMPTY};
    struct queue_recipient_in to = {STR("alice@example.test"), STR("example.test"), STR_EMPTY};
    struct body_writer *w = write_pattern(r, queue_body_begin(q), 300000);
    fail_syncs(1);
    assert_err(accept_one(r, q, 2, "alice@example.test"), ERR_SYNC);
    RIG_UNTIL(r, queue_health(q) == 0);
    /* What was written before, unsynced, is there still: it was written again. */
    queue_accept(q, w, &in, &to, 1, (void (*)(void *, int, int64_t))(void (*)(void))on_plain, &a);
    rig_wait(r, &a.done);
    struct answer rows = due(r, q, "example.test", "", 0, 9);
    assert_int_equal(rows.count, a.err == 0);
    if (a.err == 0) {
        struct answer body =
            read_body(r, queue_body_open(q, ((struct queue_delivery *)rows.items)->message_id));
        assert_int_equal(body.text.len, 300000);
        assert_true(pattern_holds(body.text));
    }
}

static int accept_large(struct rig *r, struct queue *q, uint64_t id)
{
    static char body[60000];
    const char *to[] = {"alice@example.test", NULL};
    return accept_body(r, q, id, body, sizeof(body), "", to, NULL);
}

static void a_failed_checkpoint_loses_nothing(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    const struct disk_plan plan = {.seed = 3, .fail_checkpoint = true};
    uint64_t id = 0, accepted = 0;
    disk_set_plan(&plan);
    while (disk_injected() == 0) {
        accepted += accept_one(r, q, ++id, "alice@example.test") == 0;
        summary(r, q); /* its rows are written */
        assert_true(id < 3000);
    }
    disk_set_plan(&no_faults);
    RIG_UNTIL(r, queue_health(q) == 0);
    assert_int_equal(((struct queue_count *)summary(r, q).items)->waiting, accepted);
    assert_ok(accept_one(r, q, ++id, "alice@example.test"));
}

/* Accepts until there is no room; how many. */
static uint64_t fill(struct rig *r, struct queue *q)
{
    const struct disk_plan full = {.seed = 1, .full = true};
    uint64_t id = 0;
    int err;
    disk_set_plan(&full);
    do
        err = accept_large(r, q, ++id);
    while (err == 0);
    assert_err(err, ERR_FULL);
    assert_true(disk_injected() > 0);
    return id - 1;
}

static void a_full_disk_is_told_and_may_pass(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    uint64_t accepted = fill(r, q);
    assert_true(accepted > 10); /* the room was there */
    assert_err(queue_health(q), ERR_FULL);
    assert_null(queue_body_begin(q));
    assert_err(accept_large(r, q, accepted + 1), ERR_FULL);
    disk_set_plan(&no_faults);
    RIG_UNTIL(r, queue_health(q) == 0);
    assert_int_equal(waiting(r, q), accepted);
    assert_ok(accept_large(r, q, accepted + 1));
    assert_int_equal(waiting(r, q), accepted + 1);
}

static void a_full_disk_refuses_a_streamed_body(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    struct body_writer *w = queue_body_begin(q);
    uint64_t accepted = fill(r, q);
    write_pattern(r, w, 400000);
    RIG_UNTIL(r, body_writer_error(w) != 0);
    assert_err(body_writer_error(w), ERR_FULL);
    body_abort(w);
    disk_set_plan(&no_faults);
    RIG_UNTIL(r, queue_health(q) == 0);
    assert_ok(accept_one(r, q, accepted + 1, "alice@example.test"));
}

static const struct disk_plan no_room = {.seed = 1, .no_segments = true};

/* What waits can be delivered, which makes room. */
static void settles_but_takes_nothing(struct rig *r, struct queue *q, int64_t delivery)
{
    size_t before = waiting(r, q);
    assert_err(accept_one(r, q, 99, "alice@example.test"), ERR_FULL);
    assert_true(disk_injected() > 0);
    assert_ok(settle(r, q, delivery, QUEUE_OUTCOME_DELIVERED, 0));
    assert_int_equal(waiting(r, q), before - 1);
}

static void serves_again(struct rig *r, struct queue *q)
{
    size_t before = waiting(r, q);
    disk_set_plan(&no_faults);
    RIG_UNTIL(r, queue_health(q) == 0);
    assert_ok(accept_one(r, q, 99, "alice@example.test"));
    assert_int_equal(waiting(r, q), before + 1);
}

static void own_again(struct rig *r, struct queue **q, int64_t epoch)
{
    queue_close(*q);
    rig_close(r, r->store);
    r->store = rig_open(r);
    r->network = store_network(r->store);
    *q = own(r, r->store, "q", "east1", epoch, NULL, NULL);
}

static void an_owner_without_room_for_a_journal_settles(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    assert_ok(accept_one(r, q, 2, "alice@example.test"));
    disk_set_plan(&no_room);
    own_again(r, &q, 1);
    settles_but_takes_nothing(r, q, 1);
    serves_again(r, q);
    own_again(r, &q, 2);
    assert_int_equal(waiting(r, q), 2);
    assert_int_equal(read_body(r, queue_body_open(q, 2)).err, 0);
}

/* The segment that the last message has left is used again. */
static void an_owner_without_room_uses_what_is_free(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    disk_set_plan(&no_room);
    own_again(r, &q, 1);
    settles_but_takes_nothing(r, q, 1);
    RIG_UNTIL(r, queue_health(q) == 0);
    assert_ok(accept_one(r, q, 2, "alice@example.test"));
    own_again(r, &q, 2);
    assert_int_equal(waiting(r, q), 1);
}

static void recovery_without_room_for_a_journal_settles(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    const struct disk_plan plan = {
        .seed = 7, .fail_sync_at = 1, .fail_sync_count = 1, .log_only = true, .no_segments = true};
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    assert_ok(accept_one(r, q, 2, "alice@example.test"));
    disk_set_plan(&plan);
    assert_err(accept_one(r, q, 3, "alice@example.test"), ERR_SYNC);
    RIG_UNTIL(r, queue_health(q) == 0);
    settles_but_takes_nothing(r, q, 1);
    serves_again(r, q);
    assert_ok(accept_one(r, q, 3, "alice@example.test")); /* it was not there */
}

static int report_failure(struct rig *r, struct queue *q, int64_t delivery)
{
    ASK(r, a);
    struct queue_message_in in = {.custody_id = id_of(100)};
    struct queue_recipient_in to = {
        .address = STR("a@example.net"), .domain = STR("example.net"), .home = STR("*")};
    struct queue_report what = {.message = &in,
                                .recipient = &to,
                                .body = STR("a report"),
                                .kind = QUEUE_OWES_FAILED,
                                .delivery_ids = &delivery,
                                .count = 1};
    queue_report(q, &what, on_plain, &a);
    rig_wait(r, &a.done);
    return a.err;
}

/* Outcomes go on, into the room that is kept for them; a report is new mail, and waits. */
static void a_report_leaves_the_room_that_is_kept(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    disk_set_plan(&no_room);
    assert_ok(settle(r, q, 1, QUEUE_OUTCOME_BOUNCED, 0));
    assert_err(report_failure(r, q, 1), ERR_FULL);
    assert_int_equal(queue_full_count(q), 1); /* the safety net gives way */
    assert_int_equal(((struct queue_count *)summary(r, q).items)->quarantined, 1);
    disk_set_plan(&no_faults);
    assert_ok(report_failure(r, q, 1));
}

static void a_failed_mail_sync_shows_nothing(void **state)
{
    struct rig *r = *state;
    struct mail *m = begin_mail(r, r->store, "mail1", 1, NULL);
    const char *to[] = {"alice@example.test", NULL};
    assert_ok(deliver(r, m, 1, "x", to));
    fail_syncs(1);
    assert_err(deliver(r, m, 2, "x", to), ERR_SYNC);
    RIG_UNTIL(r, mail_health(m) == 0);
    assert_int_equal(mailbox(r, m, "alice@example.test", "INBOX", NULL).messages, 1);
    assert_ok(deliver(r, m, 2, "x", to));
    assert_int_equal(mailbox(r, m, "alice@example.test", "INBOX", NULL).messages, 2);
}

static void a_failed_network_sync_heals_for_all(void **state)
{
    struct rig *r = *state;
    struct store *other = rig_open(r);
    assert_ok(record_put(r, r->network, "node", "east", "1", NETWORK_ABSENT, NULL));
    fail_syncs(1);
    assert_err(record_put(r, r->network, "node", "west", "1", NETWORK_ABSENT, NULL), ERR_SYNC);
    assert_ok(record_put(r, store_network(other), "node", "north", "1", NETWORK_ABSENT, NULL));
    assert_int_equal(records(r, store_network(other), "node", NULL).count, 2);
    int err = ERR_SYNC;
    RIG_UNTIL(r, (err = record_put(r, r->network, "node", "west", "1", NETWORK_ABSENT, NULL)) != ERR_SYNC);
    assert_ok(err);
    assert_int_equal(records(r, r->network, "node", NULL).count, 3);
}

#define FAULT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAULT_TEST(a_failed_sync_is_final),
        FAULT_TEST(nothing_is_taken_while_it_is_sick),
        FAULT_TEST(a_whole_batch_fails_with_its_sync),
        FAULT_TEST(what_failed_stays_away_from_other_processes),
        FAULT_TEST(a_body_in_pieces_fails_as_a_whole),
        FAULT_TEST(a_failed_checkpoint_loses_nothing),
        FAULT_TEST(a_full_disk_is_told_and_may_pass),
        FAULT_TEST(a_full_disk_refuses_a_streamed_body),
        FAULT_TEST(an_owner_without_room_for_a_journal_settles),
        FAULT_TEST(an_owner_without_room_uses_what_is_free),
        FAULT_TEST(recovery_without_room_for_a_journal_settles),
        FAULT_TEST(a_report_leaves_the_room_that_is_kept),
        FAULT_TEST(a_failed_mail_sync_shows_nothing),
        FAULT_TEST(a_failed_network_sync_heals_for_all),
    };
    disk_install();
    return cmocka_run_group_tests_name("store, SQLite engine on a failing disk", tests, NULL, NULL);
}
