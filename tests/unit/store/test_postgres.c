/* The contract suite on the PostgreSQL engine, and what is this engine's alone: commits whose end is lost,
 * connections that break, what the database refuses. */
#include "rig_postgres.h"

#include "cluster.h"

#include <stdio.h>

#include "unit/wait.h"

#define QUEUE "\"queue_relay-east\"."
/* The store's sessions. */
#define OURS "pg_stat_activity WHERE datname = current_database() AND application_name = 'holdfast'"

static struct queue *new_queue(struct rig *r, struct store *s)
{
    return own(r, s, "relay-east", "east1", 0, NULL, NULL);
}

static long count_of(struct rig *r, const char *from)
{
    char sql[256];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", from);
    return rig_administer_number(r, sql);
}

/* ---- a commit whose end is lost ---- */

static void an_accept_that_has_committed_is_answered_so(void **state)
{
    struct rig *r = *state;
    struct pg_proxy *proxy;
    struct queue *q = new_queue(r, rig_open_through_proxy(r, &proxy));
    assert_ok(accept_one(r, q, 1, "before@example.test"));
    pg_proxy_arm(proxy, PG_PROXY_LOSE_ANSWER, "lost@example.test");
    assert_ok(accept_one(r, q, 2, "lost@example.test"));
    assert_true(pg_proxy_fired(proxy));
    assert_int_equal(count_of(r, QUEUE "live WHERE recipient = 'lost@example.test'"), 1);
    assert_int_equal(count_of(r, QUEUE "message"), 2);
    assert_err(accept_one(r, q, 2, "lost@example.test"), ERR_EXISTS);
    assert_ok(accept_one(r, q, 3, "after@example.test"));
    assert_int_equal(due(r, q, "example.test", "", 0, 9).count, 3);
}

static void an_accept_that_has_not_committed_never_is_there(void **state)
{
    struct rig *r = *state;
    struct pg_proxy *proxy;
    struct queue *q = new_queue(r, rig_open_through_proxy(r, &proxy));
    assert_ok(accept_one(r, q, 1, "before@example.test"));
    assert_int_equal(due(r, q, "example.test", "", 0, 9).count, 1);
    long sessions = count_of(r, OURS);
    pg_proxy_arm(proxy, PG_PROXY_LOSE_COMMIT, "lost@example.test");
    assert_err(accept_one(r, q, 2, "lost@example.test"), ERR_UNAVAILABLE);
    assert_true(pg_proxy_fired(proxy));
    assert_int_equal(count_of(r, QUEUE "message"), 1);
    RIG_UNTIL(r, queue_health(q) == 0);
    assert_ok(accept_one(r, q, 3, "after@example.test"));
    assert_int_equal(count_of(r, QUEUE "live WHERE recipient = 'lost@example.test'"), 0);
    assert_int_equal(due(r, q, "example.test", "", 0, 9).count, 2);
    WAIT_UNTIL(count_of(r, OURS) == sessions);
}

static void a_delivery_whose_commit_is_lost(struct rig *r, enum pg_proxy_fault fault, int expect)
{
    struct pg_proxy *proxy;
    static const char *const alice[] = {"alice", NULL}, *const lost[] = {"alice", "lost-user", NULL};
    struct mail *m = begin_mail(r, rig_open_through_proxy(r, &proxy), "mail1", 1, NULL);
    assert_ok(deliver(r, m, 1, "one", alice));
    pg_proxy_arm(proxy, fault, "lost-user");
    assert_err(deliver(r, m, 2, "two", lost), expect);
    assert_true(pg_proxy_fired(proxy));
    uint32_t there = expect == 0 ? 2 : 1;
    assert_int_equal(mailbox(r, m, "alice", "INBOX", NULL).messages, there);
    RIG_UNTIL(r, mail_health(m) == 0);
    assert_ok(deliver(r, m, 3, "three", alice));
    assert_int_equal(mailbox(r, m, "alice", "INBOX", NULL).messages, there + 1);
    assert_ok(deliver(r, m, 2, "two", lost)); /* again, as it is known: a relay does so */
    assert_int_equal(mailbox(r, m, "alice", "INBOX", NULL).messages, 3);
    assert_int_equal(mailbox(r, m, "lost-user", "INBOX", NULL).messages, 1);
}

static void a_delivery_that_has_committed_is_answered_so(void **state)
{
    a_delivery_whose_commit_is_lost(*state, PG_PROXY_LOSE_ANSWER, 0);
}

static void a_delivery_that_has_not_committed_never_is_there(void **state)
{
    a_delivery_whose_commit_is_lost(*state, PG_PROXY_LOSE_COMMIT, ERR_UNAVAILABLE);
}

static void a_record_that_has_committed_is_answered_so(void **state)
{
    struct rig *r = *state;
    struct pg_proxy *proxy;
    struct network *n = store_network(rig_open_through_proxy(r, &proxy));
    pg_proxy_arm(proxy, PG_PROXY_LOSE_ANSWER, "lost-key");
    assert_ok(record_put(r, n, "kind", "lost-key", "{}", 0, NULL));
    assert_true(pg_proxy_fired(proxy));
    assert_int_equal(count_of(r, "network.record WHERE key = 'lost-key' AND version = 1"), 1);
    assert_ok(record_put(r, n, "kind", "lost-key", "{}", 1, NULL));
}

static void a_record_that_has_not_committed_never_is_there(void **state)
{
    struct rig *r = *state;
    struct pg_proxy *proxy;
    int err;
    struct network *n = store_network(rig_open_through_proxy(r, &proxy));
    pg_proxy_arm(proxy, PG_PROXY_LOSE_COMMIT, "lost-key");
    assert_err(record_put(r, n, "kind", "lost-key", "{}", 0, NULL), ERR_UNAVAILABLE);
    assert_true(pg_proxy_fired(proxy));
    assert_int_equal(records(r, n, "kind", NULL).count, 0);
    while ((err = record_put(r, n, "kind", "next-key", "{}", 0, NULL)) == ERR_UNAVAILABLE)
        rig_turn(r);
    assert_ok(err);
    assert_int_equal(records(r, n, "kind", NULL).count, 1);
}

/* ---- a connection that breaks ---- */

static void what_was_killed_recovers(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r, r->store);
    assert_ok(accept_one(r, q, 1, "before@example.test"));
    assert_int_equal(due(r, q, "example.test", "", 0, 9).count, 1);
    assert_int_equal(records(r, r->network, "kind", NULL).count, 0);
    assert_true(rig_administer_number(r, "SELECT count(pg_terminate_backend(pid, 20000)) FROM " OURS) >= 4);
    assert_int_equal(due(r, q, "example.test", "", 0, 9).count, 1);
    assert_ok(records(r, r->network, "kind", NULL).err);
    int err = accept_one(r, q, 2, "killed@example.test");
    assert_int_equal(count_of(r, QUEUE "message"), err == 0 ? 2 : 1);
    RIG_UNTIL(r, queue_health(q) == 0);
    assert_ok(accept_one(r, q, 3, "after@example.test"));
    assert_int_equal(due(r, q, "example.test", "", 0, 9).count, err == 0 ? 3 : 2);
}

/* ---- several at a time ---- */

static void on_accept(void *arg, int err, int64_t message_id)
{
    (void)message_id;
    on_plain(arg, err);
}

static void on_own(void *arg, int err, struct queue *q, int64_t epoch)
{
    ((struct answer *)arg)->number = epoch;
    ((struct answer *)arg)->queue = q;
    on_plain(arg, err);
}

static void start_accept(struct queue *q, uint64_t id, struct str address, struct answer *a)
{
    struct queue_message_in in = {.custody_id = id_of(id), .helo = address, .received_at = {1000}};
    struct queue_recipient_in to = {address, STR("example.test"), STR_EMPTY};
    struct body_writer *w = queue_body_begin(q);
    body_append(w, "x", 1);
    queue_accept(q, w, &in, &to, 1, on_accept, a);
}

static void wait_for_waiters(struct rig *r, long count)
{
    WAIT_UNTIL(count_of(r, "pg_locks WHERE NOT granted") == count);
}

/* Its accept is under way when the next owner takes the queue. */
static void an_owner_is_fenced_in_the_midst_of_an_accept(void **state)
{
    struct rig *r = *state;
    struct store *west = rig_open(r);
    struct queue *q = new_queue(r, r->store);
    ASK(r, owned);
    ASK(r, accepted);
    assert_ok(accept_one(r, q, 1, "before@example.test"));
    rig_administer(r, "BEGIN");
    rig_administer(r, "SELECT 1 FROM " QUEUE "owner FOR UPDATE");
    store_queue_own(west, STR("relay-east"), STR("west1"), 1, on_own, &owned);
    wait_for_waiters(r, 1);
    start_accept(q, 2, STR("stale@example.test"), &accepted);
    wait_for_waiters(r, 2);
    rig_administer(r, "COMMIT");
    rig_wait(r, &owned.done);
    rig_wait(r, &accepted.done);
    assert_ok(owned.err);
    assert_int_equal(owned.number, 2);
    assert_err(accepted.err, ERR_FENCED);
    assert_int_equal(count_of(r, QUEUE "message"), 1);
}

static void a_text_that_is_none_is_kept_as_near_as_can_be(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r, r->store);
    struct answer answers[] = {{.rig = r}, {.rig = r}, {.rig = r}};
    static const struct str addresses[] = {STR("a@example.test"), STR("b\xff\0\xc3 \xc3\xa9@example.test"),
                                           STR("c@example.test")};
    for (size_t i = 0; i < ARRAY_LEN(answers); i++)
        start_accept(q, i + 1, addresses[i], &answers[i]);
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        rig_wait(r, &answers[i].done);
        assert_ok(answers[i].err);
    }
    struct answer a = due(r, q, "example.test", "", 0, 9);
    const struct queue_delivery *rows = a.items;
    assert_int_equal(a.count, 3);
    assert_str(rows[0].recipient, "a@example.test");
    assert_str(rows[1].recipient, "b??? \xc3\xa9@example.test");
    assert_str(rows[1].helo, "b??? \xc3\xa9@example.test");
    assert_str(rows[2].recipient, "c@example.test");
}

/* ---- a database that is another one ---- */

static void after_another_history_uids_jump(void **state)
{
    struct rig *r = *state;
    static const char *const alice[] = {"alice", NULL};
    struct mail *m = begin_mail(r, r->store, "mail1", 1, NULL);
    assert_ok(deliver(r, m, 1, "one", alice));
    struct mail_mailbox before = mailbox(r, m, "alice", "INBOX", NULL);
    m = begin_mail(r, rig_open(r), "mail1", 2, NULL);
    assert_int_equal(mailbox(r, m, "alice", "INBOX", NULL).uid_next, before.uid_next);
    rig_administer(r, "UPDATE mail.history SET timeline = timeline + 1");
    m = begin_mail(r, rig_open(r), "mail1", 3, NULL);
    struct mail_mailbox after = mailbox(r, m, "alice", "INBOX", NULL);
    assert_int_equal(after.uid_next, before.uid_next + 1000000);
    assert_int_equal(after.uid_validity, before.uid_validity);
    assert_true(after.highest_modseq > before.highest_modseq + 1000000);
    rig_administer(r, "UPDATE mail.history SET system_id = system_id + 1");
    m = begin_mail(r, rig_open(r), "mail1", 4, NULL);
    assert_int_equal(mailbox(r, m, "alice", "INBOX", NULL).uid_next, before.uid_next + 2000000);
    m = begin_mail(r, rig_open(r), "mail1", 5, NULL);
    assert_int_equal(mailbox(r, m, "alice", "INBOX", NULL).uid_next, before.uid_next + 2000000);
}

static void where_uids_end_the_mailbox_becomes_another(void **state)
{
    struct rig *r = *state;
    static const char *const alice[] = {"alice", NULL};
    struct mail *m = begin_mail(r, r->store, "mail1", 1, NULL);
    assert_ok(deliver(r, m, 1, "one", alice));
    struct mail_mailbox before = mailbox(r, m, "alice", "INBOX", NULL);
    rig_administer(r, "UPDATE mail.mailbox SET uid_next = 4200000001");
    rig_administer(r, "UPDATE mail.history SET timeline = timeline + 1");
    m = begin_mail(r, rig_open(r), "mail1", 2, NULL);
    struct mail_mailbox after = mailbox(r, m, "alice", "INBOX", NULL);
    assert_int_equal(after.uid_next, 4200000001);
    assert_int_equal(after.uid_validity, before.uid_validity + 1);
}

#define LEASE_MS 60000
#define HOUR_MS  "3600000"

/* What is left of the only lease, after another transaction of the network's. */
static long lease_left_ms(struct rig *r)
{
    assert_ok(record_put(r, r->network, "site", "east", "{}", NETWORK_ANY_VERSION, NULL));
    return rig_administer_number(r, "SELECT l.expires_ms - d.at_ms FROM network.lease l, network.device d");
}

static void assert_runs(struct rig *r)
{
    long left_ms = lease_left_ms(r);
    assert_true(left_ms > 0);
    assert_true(left_ms <= LEASE_MS);
}

/* The server's clock is set: what it wrote before is as it was by the old one. */
static void a_lease_moves_with_a_clock_that_leaps(void **state)
{
    struct rig *r = *state;
    struct network_lease east, west;
    assert_ok(lease_take(r->network, r, "director", "east", 0, LEASE_MS, &east));
    assert_runs(r);
    rig_administer(r, "UPDATE network.device SET at_ms = at_ms + " HOUR_MS);
    rig_administer(r, "UPDATE network.lease SET expires_ms = expires_ms + " HOUR_MS);
    assert_runs(r); /* it was set back */
    rig_administer(r, "UPDATE network.device SET at_ms = at_ms - " HOUR_MS);
    rig_administer(r, "UPDATE network.lease SET expires_ms = expires_ms - " HOUR_MS);
    assert_runs(r); /* it was set forth */
    assert_err(lease_take(r->network, r, "director", "west", 0, LEASE_MS, &west), ERR_BUSY);
}

static void a_lease_that_ran_out_stays_so(void **state)
{
    struct rig *r = *state;
    struct network_lease east, west;
    assert_ok(lease_take(r->network, r, "director", "east", 0, 0, &east));
    rig_administer(r, "UPDATE network.device SET at_ms = at_ms - " HOUR_MS);
    rig_administer(r, "UPDATE network.lease SET expires_ms = expires_ms - 1 - " HOUR_MS);
    assert_ok(lease_take(r->network, r, "director", "west", 0, LEASE_MS, &west));
}

static void after_another_history_leases_go_by_its_clock(void **state)
{
    struct rig *r = *state;
    struct network_lease east;
    assert_ok(lease_take(r->network, r, "director", "east", 0, LEASE_MS, &east));
    rig_administer(
        r, "UPDATE network.device SET at_ms = at_ms - 20000"); /* a leap too short to be seen as one */
    rig_administer(r, "UPDATE network.lease SET expires_ms = expires_ms - 20000");
    rig_administer(r, "UPDATE network.history SET timeline = timeline + 1");
    long before_ms =
        rig_administer_number(r, "SELECT l.expires_ms - d.at_ms FROM network.lease l, network.device d");
    rig_open(r);
    assert_true(lease_left_ms(r) > before_ms - 10000);
}

/* ---- copies in another site ---- */

static const char *there[1], *const elsewhere[] = {"pg-west"};

/* The database is in the east; there is none in the west. */
static struct store *open_replicated(struct rig *r, bool accept_degraded)
{
    there[0] = cluster_folder();
    r->durability = (struct store_durability){.replicated = true,
                                              .accept_degraded = accept_degraded,
                                              .standby_timeout_ms = 1000,
                                              .sites = {{"east", there, 1}, {"west", elsewhere, 1}},
                                              .site_count = 2};
    return rig_open(r);
}

static void what_would_have_no_copy_is_not_taken(void **state)
{
    struct rig *r = *state;
    struct queue *before = new_queue(r, r->store);
    char why[STORE_WHY_MAX];
    assert_ok(accept_one(r, before, 1, "held@example.test"));
    struct store *s = open_replicated(r, false);
    struct queue *q = own(r, s, "relay-east", "east1", 1, NULL, NULL);
    assert_err(queue_health(q), ERR_DEGRADED);
    assert_null(queue_body_begin(q));
    assert_int_equal(queue_copies(q, why), STORE_COPIES_MISSING);
    assert_string_equal(why, "no standby in another site is connected");
    assert_ok(settle(r, q, 1, QUEUE_OUTCOME_DELIVERED, 0)); /* what is held goes on */
    struct str west = STR("west");
    store_set_lost_sites(s, &west, 1);
    RIG_UNTIL(r, queue_health(q) == 0);
    assert_int_equal(queue_copies(q, why), STORE_COPIES_LOCAL);
    assert_ok(accept_one(r, q, 2, "alone@example.test"));
    store_set_lost_sites(s, NULL, 0);
    RIG_UNTIL(r, queue_health(q) == ERR_DEGRADED);
}

static void what_has_no_copy_is_taken_where_that_is_wanted(void **state)
{
    struct rig *r = *state;
    char why[STORE_WHY_MAX];
    struct queue *q = new_queue(r, open_replicated(r, true));
    assert_ok(queue_health(q));
    assert_int_equal(queue_copies(q, why), STORE_COPIES_MISSING);
    assert_ok(accept_one(r, q, 1, "degraded@example.test"));
}

static void held_mail_is_delivered_without_a_copy(void **state)
{
    struct rig *r = *state;
    struct mail *m = begin_mail(r, open_replicated(r, false), "mail1", 1, NULL);
    assert_err(mail_health(m), ERR_DEGRADED);
    assert_null(mail_body_begin(m, false));
    struct body_writer *body = mail_body_begin(m, true);
    struct custody_id id = id_of(7);
    struct str alice = STR("alice");
    ASK(r, a);
    body_append(body, "held", 4);
    mail_deliver(m, body, &id, &alice, 1, (struct wall_time){1}, on_plain, &a);
    rig_wait(r, &a.done);
    assert_ok(a.err);
}

/* ---- what cannot be opened ---- */

static int open_with(struct rig *r, const char *password_file, struct err_buf *eb)
{
    struct store_options options = {.engine = r->engine, .path = r->uri, .password_file = password_file};
    struct store *s = NULL;
    int err = store_open(r->loop, &options, &s, eb);
    store_close(s);
    return err;
}

static void what_a_newer_program_made_is_refused(void **state)
{
    struct rig *r = *state;
    struct err_buf eb;
    assert_ok(open_with(r, NULL, &eb));
    rig_administer(r, "UPDATE network.part SET version = 999");
    assert_err(open_with(r, NULL, &eb), ERR_VERSION);
    assert_non_null(strstr(eb.text, "has schema version 999"));
    assert_non_null(strstr(eb.text, "run the newer program"));
    assert_int_equal(rig_administer_number(r, "SELECT version FROM network.part"), 999);
}

static void a_password_file_that_is_missing_is_told(void **state)
{
    struct err_buf eb;
    assert_err(open_with(*state, "/proc/none/password", &eb), ERR_NOT_FOUND);
    assert_non_null(strstr(eb.text, "password_file /proc/none/password cannot be read"));
}

static const struct rig_test postgres_tests[] = {
    {"an accept that has committed is answered so", an_accept_that_has_committed_is_answered_so},
    {"an accept that has not committed never is there", an_accept_that_has_not_committed_never_is_there},
    {"a delivery that has committed is answered so", a_delivery_that_has_committed_is_answered_so},
    {"a delivery that has not committed never is there", a_delivery_that_has_not_committed_never_is_there},
    {"a record that has committed is answered so", a_record_that_has_committed_is_answered_so},
    {"a record that has not committed never is there", a_record_that_has_not_committed_never_is_there},
    {"what was killed recovers", what_was_killed_recovers},
    {"an owner is fenced in the midst of an accept", an_owner_is_fenced_in_the_midst_of_an_accept},
    {"a text that is none is kept as near as can be", a_text_that_is_none_is_kept_as_near_as_can_be},
    {"after another history uids jump", after_another_history_uids_jump},
    {"where uids end the mailbox becomes another", where_uids_end_the_mailbox_becomes_another},
    {"a lease moves with a clock that leaps", a_lease_moves_with_a_clock_that_leaps},
    {"a lease that ran out stays so", a_lease_that_ran_out_stays_so},
    {"after another history leases go by its clock", after_another_history_leases_go_by_its_clock},
    {"what would have no copy is not taken", what_would_have_no_copy_is_not_taken},
    {"what has no copy is taken where that is wanted", what_has_no_copy_is_taken_where_that_is_wanted},
    {"held mail is delivered without a copy", held_mail_is_delivered_without_a_copy},
    {"what a newer program made is refused", what_a_newer_program_made_is_refused},
    {"a password file that is missing is told", a_password_file_that_is_missing_is_told},
    {NULL, NULL},
};

int main(void)
{
    return rig_run("store, PostgreSQL engine", rig_setup_postgres, postgres_tests);
}
