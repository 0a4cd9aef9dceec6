#include "mailbox/role.h"

#include "rig.h"
#include "store/mail.h"
#include "store/store.h"

#define ALICE "alice@example.test"
#define BOB   "bob@example.test"

static void a_custody_id_is_shown_once_to_each_recipient(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct rig_instance *i = rig_start_ready(r, "a", 1);
    rig_send(r, ALICE, '1', "250 ");
    rig_send(r, ALICE, '1', "250 ");
    assert_int_equal(rig_count(r, ALICE), 1);
    rig_send(r, BOB, '1', "250 ");
    assert_int_equal(rig_count(r, BOB), 1);
    rig_send(r, ALICE, '2', "250 ");
    assert_int_equal(rig_count(r, ALICE), 2);
    rig_send(r, ALICE, 0, "250 "); /* without one each is a message of its own */
    rig_send(r, ALICE, 0, "250 ");
    assert_int_equal(rig_count(r, ALICE), 4);
    rig_instance_free(i);
    i = rig_start_ready(r, "b", 2);
    rig_send(r, ALICE, '1', "250 "); /* another instance knows them, too */
    assert_int_equal(rig_count(r, ALICE), 4);
    rig_instance_free(i);
    rig_free(r);
}

static void also_after_the_reader_expunged_it(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct rig_instance *i = rig_start_ready(r, "a", 1);
    rig_send(r, ALICE, '1', "250 ");
    struct rig_client *c = rig_connect(r, RIG_IMAP);
    rig_say(c, "1 LOGIN " ALICE " " RIG_PASSWORD
               "\r\n2 SELECT INBOX\r\n3 STORE 1 FLAGS (\\Deleted)\r\n4 EXPUNGE\r\n");
    rig_expect(c, "4 OK");
    rig_client_free(c);
    rig_send(r, ALICE, '1', "250 ");
    assert_int_equal(rig_count(r, ALICE), 0);
    rig_instance_free(i);
    rig_free(r);
}

/* A byte now and then is no login. */
static void a_drip_before_the_login_ends(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct rig_instance *i = rig_start_ready(r, "a", 1);
    struct rig_client *c = rig_connect(r, RIG_IMAP);
    int said = 0;
    while (!c->ended && said++ < 100) {
        rig_say(c, "1 NOOP\r\n");
        sim_run_until(r->world, mono_add_ms(sim_now(r->world), 10000));
    }
    assert_true(c->ended);
    rig_client_free(c);
    c = rig_connect(r, RIG_IMAP);
    rig_say(c, "1 LOGIN " ALICE " " RIG_PASSWORD "\r\n");
    rig_expect(c, "1 OK");
    sim_run_until(r->world, mono_add_ms(sim_now(r->world), 1000000));
    rig_say(c, "2 NOOP\r\n");
    rig_expect(c, "2 OK");
    rig_client_free(c);
    rig_instance_free(i);
    rig_free(r);
}

static void whom_it_takes_mail_for(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct rig_instance *i = rig_start_ready(r, "a", 1);
    struct rig_client *c = rig_connect(r, RIG_SMTP);
    rig_say(c, "HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<nobody@example.test>\r\n");
    rig_expect(c, "550 5.1.1");
    rig_say(c, "RCPT TO:<x@elsewhere.test>\r\n");
    rig_expect(c, "550 5.7.1");
    rig_say(c, "RCPT TO:<postmaster@example.test>\r\n");
    rig_expect(c, "250 2.1.5");
    rig_client_free(c);
    rig_send(r, "Postmaster@named.test", 0, "250 ");
    assert_int_equal(rig_count(r, ALICE), 1);
    rig_instance_free(i);
    rig_free(r);
}

static void on_fenced(void *arg, int err)
{
    assert_ok(err);
    *(bool *)arg = true;
}

static bool is_set(void *arg)
{
    return *(bool *)arg;
}

static void fence(struct rig *r, int64_t epoch)
{
    struct mail *mail;
    struct err_buf eb;
    bool done = false;
    assert_ok(store_mail(r->store, &mail, &eb));
    mail_fence(mail, STR("mail1"), epoch, on_fenced, &done);
    rig_until(r, is_set, &done);
}

static void a_fenced_instance_says_no_250_and_stops(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct rig_instance *i = rig_start_ready(r, "a", 1);
    fence(r, 2);
    rig_send(r, ALICE, '1', "4");
    rig_until_failed(i);
    assert_err(i->err, ERR_FENCED);
    struct rig_client *c = rig_connect(r, RIG_SMTP);
    rig_expect(c, "421 "); /* until its owner frees it, it takes nothing */
    rig_client_free(c);
    rig_instance_free(i);
    i = rig_start_ready(r, "b", 3);
    assert_int_equal(rig_count(r, ALICE), 0);
    rig_instance_free(i);
    rig_free(r);
}

static void a_stale_epoch_does_not_start(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    fence(r, 5);
    struct rig_instance *i = rig_start(r, "a", 4);
    rig_until_failed(i);
    assert_err(i->err, ERR_FENCED);
    assert_false(i->ready);
    rig_instance_free(i);
    rig_free(r);
}

struct taking {
    bool done;
    int err;
};

static void on_take(void *arg, int err, const struct network_lease *current)
{
    struct taking *t = arg;
    (void)current;
    *t = (struct taking){true, err};
}

static int take_lease(struct rig *r)
{
    struct taking t = {.done = false};
    network_lease_take(r->network, STR("server/mail1"), STR("another"), 0, 2500, on_take, &t);
    rig_until(r, is_set, &t.done);
    return t.err;
}

static bool takes_no_mail(void *arg)
{
    return !mailbox_role_serves(((struct rig_instance *)arg)->role);
}

static bool takes_mail(void *arg)
{
    return mailbox_role_serves(((struct rig_instance *)arg)->role);
}

static struct rig_client *log_in(struct rig *r)
{
    struct rig_client *c = rig_connect(r, RIG_IMAP);
    rig_say(c, "1 LOGIN " ALICE " " RIG_PASSWORD "\r\n2 SELECT INBOX\r\n");
    rig_expect(c, "2 OK");
    return c;
}

/* An instance without its store, its lease over: since before the store would let another in. */
static struct rig_instance *start_without_store(struct rig *r)
{
    struct rig_instance *i = rig_start_ready(r, "a", 1);
    sim_run_until(r->world, mono_add_ms(sim_now(r->world), 60000));
    assert_true(mailbox_role_serves(i->role));
    store_memory_cut(i->store, true);
    rig_until(r, takes_no_mail, i);
    assert_err(take_lease(r), ERR_BUSY);
    sim_run_until(r->world, mono_add_ms(sim_now(r->world), 60000));
    return i;
}

static void assert_refused(struct rig *r, int port, bool refused)
{
    struct rig_client *c = rig_connect(r, port);
    assert_int_equal(c->refused, refused);
    rig_client_free(c);
}

static void without_a_lease_it_takes_no_mail_and_keeps_its_readers(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct rig_instance *i = rig_start_ready(r, "a", 1);
    struct rig_client *user = log_in(r), *idle = log_in(r), *sender = rig_connect(r, RIG_SMTP);
    rig_say(idle, "3 IDLE\r\n");
    rig_expect(idle, "+");
    rig_expect(sender, "220");
    store_memory_cut(i->store, true);
    rig_expect(sender, "421 4.3.2");
    rig_expect_end(sender);
    assert_true(takes_no_mail(i));
    for (int port = 0; port < 3; port++)
        assert_refused(r, (int[]){RIG_SMTP, RIG_LMTP, RIG_SUBMISSION}[port], true);
    sim_run_until(r->world, mono_add_ms(sim_now(r->world), 600000));
    rig_say(user, "3 NOOP\r\n4 FETCH 1:* FLAGS\r\n5 SELECT INBOX\r\n6 STATUS INBOX (MESSAGES)\r\n"
                  "7 CREATE x\r\n8 CAPABILITY\r\n");
    static const char *const answers[] = {
        "3 OK", "4 ", "5 NO [UNAVAILABLE]", "6 NO [UNAVAILABLE]", "7 NO [UNAVAILABLE]", "8 OK"};
    for (size_t k = 0; k < ARRAY_LEN(answers); k++)
        rig_expect(user, answers[k]);
    store_memory_cut(i->store, false);
    rig_until(r, takes_mail, i);
    rig_send(r, ALICE, 0, "250 ");
    rig_say(user, "9 SELECT INBOX\r\n");
    rig_expect(user, "* 1 EXISTS");
    rig_expect(user, "9 OK");
    rig_expect(idle, "* 1 EXISTS");
    rig_client_free(user);
    rig_client_free(idle);
    rig_client_free(sender);
    rig_instance_free(i);
    rig_free(r);
}

static void without_a_lease_nobody_logs_in(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct rig_instance *i = start_without_store(r);
    struct rig_client *imap = rig_connect(r, RIG_IMAP), *pop3 = rig_connect(r, RIG_POP3);
    rig_say(imap, "1 LOGIN " ALICE " " RIG_PASSWORD "\r\n2 LOGIN " ALICE " x\r\n3 NOOP\r\n");
    rig_expect(imap, "1 NO [UNAVAILABLE]");
    rig_expect(imap, "2 NO [UNAVAILABLE]");
    rig_expect(imap, "3 OK");
    rig_say(pop3, "USER " ALICE "\r\nPASS " RIG_PASSWORD "\r\nNOOP\r\nQUIT\r\n");
    rig_expect(pop3, "-ERR [SYS/TEMP]");
    rig_expect(pop3, "+OK");
    store_memory_cut(i->store, false);
    rig_until(r, takes_mail, i);
    rig_say(imap, "4 LOGIN " ALICE " " RIG_PASSWORD "\r\n5 LOGOUT\r\n");
    rig_expect(imap, "4 OK");
    rig_expect(imap, "5 OK");
    rig_client_free(imap);
    rig_client_free(pop3);
    rig_instance_free(i);
    rig_free(r);
}

/* Its final dot comes when the lease is over: 421, also where the store would take it. */
static void a_message_under_way_is_not_taken_without_the_lease(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct rig_instance *i = rig_start_ready(r, "a", 1);
    struct rig_client *c = rig_connect(r, RIG_SMTP);
    rig_say(c, "HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<" ALICE ">\r\nDATA\r\n");
    rig_expect(c, "354");
    sim_loop_freeze(i->loop, true);
    sim_run_until(r->world, mono_add_ms(sim_now(r->world), 60000));
    rig_say(c, "Subject: x\r\n\r\n.\r\n");
    sim_run_until(r->world, mono_add_ms(sim_now(r->world), 1000));
    sim_loop_freeze(i->loop, false);
    rig_expect(c, "4");
    rig_client_free(c);
    rig_until(r, takes_mail, i); /* nobody else was the server meanwhile */
    assert_int_equal(rig_count(r, ALICE), 0);
    rig_send(r, ALICE, 0, "250 ");
    rig_instance_free(i);
    rig_free(r);
}

/* The lease is free when the store is back, the epoch another's. */
static void one_that_was_fenced_without_its_store_ends(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct rig_instance *i = rig_start_ready(r, "a", 1);
    struct rig_client *user = log_in(r);
    store_memory_cut(i->store, true);
    rig_until(r, takes_no_mail, i);
    fence(r, 2);
    sim_run_until(r->world, mono_add_ms(sim_now(r->world), 60000));
    assert_ok(i->err);
    store_memory_cut(i->store, false);
    rig_until_failed(i);
    assert_err(i->err, ERR_FENCED);
    assert_refused(r, RIG_SMTP, true);
    rig_instance_free(i);
    rig_expect(user, "* BYE");
    rig_expect_end(user);
    rig_client_free(user);
    rig_free(r);
}

static void the_next_instance_waits_for_the_lease_of_the_last(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct rig_instance *last = rig_start_ready(r, "a", 1);
    struct rig_instance *next = rig_start(r, "b", 2);
    sim_loop_freeze(last->loop, true);
    sim_run_until(r->world, mono_add_ms(sim_now(r->world), 1000));
    assert_false(next->ready);
    rig_until(r, is_set, &next->ready);
    sim_loop_freeze(last->loop, false);
    rig_until_failed(last); /* it wakes up to find that it is over */
    assert_err(last->err, ERR_FENCED);
    rig_instance_free(last);
    rig_instance_free(next);
    rig_free(r);
}

static void on_stopped(void *arg)
{
    ((struct rig_instance *)arg)->stopped = true;
}

static void sessions_are_ended_politely(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct rig_instance *i = rig_start_ready(r, "a", 1);
    static const int ports[] = {RIG_SMTP, RIG_LMTP, RIG_SUBMISSION, RIG_IMAP, RIG_POP3};
    static const char *const first[] = {"220", "220", "220", "* OK", "+OK"};
    static const char *const last[] = {"421", "421", "421", "* BYE", "-ERR"};
    struct rig_client *clients[ARRAY_LEN(ports)];
    for (size_t k = 0; k < ARRAY_LEN(ports); k++) {
        clients[k] = rig_connect(r, ports[k]);
        rig_expect(clients[k], first[k]);
    }
    mailbox_role_stop(i->role, 2000, on_stopped, i);
    for (size_t k = 0; k < ARRAY_LEN(ports); k++) {
        rig_expect(clients[k], last[k]);
        rig_expect_end(clients[k]);
        rig_client_free(clients[k]);
    }
    rig_until(r, is_set, &i->stopped);
    struct rig_client *late = rig_connect(r, RIG_IMAP);
    assert_true(late->refused);
    rig_client_free(late);
    rig_instance_free(i);
    rig_free(r);
}

/* Of all services together; who has begun something stays. */
static void the_longest_idle_makes_room(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    r->config->servers[0].connections_max = 5;
    struct rig_instance *i = rig_start_ready(r, "a", 1);
    struct rig_client *user = rig_connect(r, RIG_IMAP), *sender = rig_connect(r, RIG_SMTP);
    rig_say(user, "1 LOGIN " ALICE " " RIG_PASSWORD "\r\n");
    rig_expect(user, "1 OK");
    rig_say(sender, "HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<" ALICE ">\r\nDATA\r\n");
    rig_expect(sender, "354");
    struct rig_client *idle[3] = {rig_connect(r, RIG_IMAP), rig_connect(r, RIG_POP3),
                                  rig_connect(r, RIG_SMTP)};
    static const char *const greetings[] = {"* OK", "+OK", "220 "}, *const farewells[] = {
                                                                        "* BYE Too many",
                                                                        "-ERR [SYS/TEMP] Too many",
                                                                        "421 4.7.0 Too many"};
    for (size_t k = 0; k < ARRAY_LEN(idle); k++)
        rig_expect(idle[k], greetings[k]);
    struct rig_client *later[3];
    for (size_t k = 0; k < ARRAY_LEN(idle); k++) {
        later[k] = rig_connect(r, RIG_POP3);
        rig_expect(later[k], "+OK");
        rig_expect(idle[k], farewells[k]);
        rig_expect_end(idle[k]);
        rig_client_free(idle[k]);
    }
    rig_say(user, "2 NOOP\r\n");
    rig_expect(user, "2 OK");
    rig_say(sender, "x\r\n.\r\n"); /* idle from now on */
    rig_expect(sender, "250 2.0.0");
    for (size_t k = 0; k < ARRAY_LEN(later); k++)
        rig_client_free(later[k]);
    rig_client_free(sender);
    rig_client_free(user);
    rig_instance_free(i);
    rig_free(r);
}

/* One that reads nothing is cut when the time is over. */
static void a_message_under_way_is_finished_or_cut(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct rig_instance *i = rig_start_ready(r, "a", 1);
    struct rig_client *c = rig_connect(r, RIG_SMTP), *silent = rig_connect(r, RIG_SMTP);
    static const char half[] = "HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<" ALICE ">\r\nDATA\r\n";
    rig_say(c, half);
    rig_expect(c, "354");
    rig_say(silent, half);
    rig_expect(silent, "354");
    mailbox_role_stop(i->role, 2000, on_stopped, i);
    rig_say(c, "Subject: x\r\n\r\n.\r\n");
    rig_expect(c, "250");
    rig_until(r, is_set, &i->stopped);
    rig_instance_free(i);
    rig_expect_end(silent);
    rig_client_free(c);
    rig_client_free(silent);
    i = rig_start_ready(r, "b", 2);
    assert_int_equal(rig_count(r, ALICE), 1);
    rig_instance_free(i);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_custody_id_is_shown_once_to_each_recipient),
        cmocka_unit_test(also_after_the_reader_expunged_it),
        cmocka_unit_test(a_drip_before_the_login_ends),
        cmocka_unit_test(whom_it_takes_mail_for),
        cmocka_unit_test(a_fenced_instance_says_no_250_and_stops),
        cmocka_unit_test(a_stale_epoch_does_not_start),
        cmocka_unit_test(without_a_lease_it_takes_no_mail_and_keeps_its_readers),
        cmocka_unit_test(without_a_lease_nobody_logs_in),
        cmocka_unit_test(a_message_under_way_is_not_taken_without_the_lease),
        cmocka_unit_test(one_that_was_fenced_without_its_store_ends),
        cmocka_unit_test(the_next_instance_waits_for_the_lease_of_the_last),
        cmocka_unit_test(sessions_are_ended_politely),
        cmocka_unit_test(the_longest_idle_makes_room),
        cmocka_unit_test(a_message_under_way_is_finished_or_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
