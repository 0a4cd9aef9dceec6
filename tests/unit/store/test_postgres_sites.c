/* Beyond one PostgreSQL: copies in another site that are not there, and a database that is another one than
 * it was. (Copies that are there: tests/system/test_durability.py.) */
#include "cluster.h"
#include "rig_postgres.h"

static struct queue *new_queue(struct rig *r, struct store *s)
{
    return own(r, s, "relay-east", "east1", 0, NULL, NULL);
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

/* Of very many mailboxes; who did so before was killed amid that. */
static void what_one_has_begun_to_jump_another_ends(void **state)
{
    struct rig *r = *state;
    begin_mail(r, r->store, "mail1", 1, NULL);
    rig_administer(
        r,
        "INSERT INTO mail.mailbox(id, user_id, name, uid_validity, uid_next, modseq, recent_from, messages, "
        "unseen, "
        "subscribed, selectable) SELECT 10 * i, 99, 'm' || i, 1, 7, 1, 1, 0, 0, 0, 1 FROM generate_series(1, "
        "12000) AS i");
    rig_administer(r, "UPDATE mail.history SET jump_from = 5000, jump_end = 120000");
    begin_mail(r, rig_open(r), "mail1", 2, NULL);
    assert_int_equal(rig_administer_number(r, "SELECT count(*) FROM mail.mailbox WHERE uid_next = 1000007"),
                     11500);
    assert_int_equal(rig_administer_number(r, "SELECT count(*) FROM mail.mailbox WHERE uid_next = 7"), 500);
    rig_administer(r, "UPDATE mail.history SET timeline = timeline + 1");
    begin_mail(r, rig_open(r), "mail1", 3, NULL);
    assert_int_equal(rig_administer_number(r, "SELECT count(*) FROM mail.mailbox WHERE uid_next = 2000007"),
                     11500);
    assert_int_equal(rig_administer_number(r, "SELECT count(*) FROM mail.mailbox WHERE uid_next = 1000007"),
                     500);
}

#define QUEUE "\"queue_relay-east\"."

/* The end of the log was lost: with a message, and that numbers of bodies were reserved. */
static void numbers_that_were_reserved_are_reserved_anew(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r, r->store);
    assert_ok(accept_one(r, q, 1, "lost@example.test"));
    rig_administer(r, "DELETE FROM " QUEUE "live");
    rig_administer(r, "DELETE FROM " QUEUE "message");
    rig_administer(r, "DELETE FROM " QUEUE "body");
    rig_administer(r, "DELETE FROM " QUEUE "chunk");
    rig_administer(r, "UPDATE " QUEUE "owner SET bodies = 0");
    rig_administer(
        r, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
           "application_name = 'holdfast'");
    while (accept_one(r, q, 2, "after@example.test") != 0)
        RIG_UNTIL(r, queue_health(q) == 0);
    assert_true(rig_administer_number(r, "SELECT max(id) FROM " QUEUE "body") <=
                rig_administer_number(r, "SELECT bodies FROM " QUEUE "owner"));
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
    rig_open(r);
    assert_true(lease_left_ms(r) > LEASE_MS - 10000);
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
    struct store_copies_told told;
    assert_ok(accept_one(r, before, 1, "held@example.test"));
    struct store *s = open_replicated(r, false);
    struct queue *q = own(r, s, "relay-east", "east1", 1, NULL, NULL);
    assert_err(queue_health(q), ERR_DEGRADED);
    assert_null(queue_body_begin(q));
    queue_copies(q, &told);
    assert_int_equal(told.state, STORE_COPIES_MISSING);
    assert_string_equal(told.why, "no standby in another site is connected");
    assert_ok(settle(r, q, 1, QUEUE_OUTCOME_DELIVERED, 0)); /* what is held goes on */
    struct str west = STR("west");
    store_set_lost_sites(s, &west, 1);
    RIG_UNTIL(r, queue_health(q) == 0);
    queue_copies(q, &told);
    assert_int_equal(told.state, STORE_COPIES_LOCAL);
    assert_ok(accept_one(r, q, 2, "alone@example.test"));
    store_set_lost_sites(s, NULL, 0);
    RIG_UNTIL(r, queue_health(q) == ERR_DEGRADED);
}

static void what_has_no_copy_is_taken_where_that_is_wanted(void **state)
{
    struct rig *r = *state;
    struct store_copies_told told;
    struct queue *q = new_queue(r, open_replicated(r, true));
    assert_ok(queue_health(q));
    queue_copies(q, &told);
    assert_int_equal(told.state, STORE_COPIES_MISSING);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(after_another_history_uids_jump, rig_setup_postgres, rig_teardown),
        cmocka_unit_test_setup_teardown(what_one_has_begun_to_jump_another_ends, rig_setup_postgres,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(where_uids_end_the_mailbox_becomes_another, rig_setup_postgres,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(numbers_that_were_reserved_are_reserved_anew, rig_setup_postgres,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(a_lease_moves_with_a_clock_that_leaps, rig_setup_postgres,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(a_lease_that_ran_out_stays_so, rig_setup_postgres, rig_teardown),
        cmocka_unit_test_setup_teardown(after_another_history_leases_go_by_its_clock, rig_setup_postgres,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(what_would_have_no_copy_is_not_taken, rig_setup_postgres,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(what_has_no_copy_is_taken_where_that_is_wanted, rig_setup_postgres,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(held_mail_is_delivered_without_a_copy, rig_setup_postgres,
                                        rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
