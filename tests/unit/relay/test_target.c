/* Targets on the simulated loop, with scripted peers. */
#include <stdio.h>

#include "relay/blame.h"
#include "relay/refusal.h"
#include "target_rig.h"

static void accept_many(struct target_rig *r, int count)
{
    char name[24];
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        rig_accept(r, name);
    }
}

static void test_what_waits_is_delivered_oldest_first_by_kept_sessions(void **state)
{
    struct target_rig *r = *state;
    accept_many(r, 50);
    RIG_UNTIL(r, r->peers[0].taken_count == 50);
    assert_int_equal(peer_place_of(&r->peers[0], "n0"), 0);
    assert_true(r->peers[0].greetings <= 4);
    rig_pass(r, 10000);
    assert_int_equal(r->peers[0].taken_count, 50);
}

/* They began under other terms, of TLS among others. */
static void test_open_sessions_end_after_a_reload(void **state)
{
    struct target_rig *r = *state;
    rig_accept(r, "first");
    RIG_UNTIL(r, r->peers[0].taken_count == 1);
    int before = r->peers[0].greetings;
    rig_accept(r, "kept");
    RIG_UNTIL(r, r->peers[0].taken_count == 2);
    assert_int_equal(r->peers[0].greetings, before);
    r->peers[0].delay_ms = 1000;
    rig_accept(r, "amid");
    RIG_UNTIL(r, r->peers[0].in_data == 1);
    target_reload(r->targets[0]);
    rig_accept(r, "after");
    RIG_UNTIL(r, r->peers[0].taken_count == 4);
    assert_true(r->peers[0].greetings > before);
    before = r->peers[0].greetings;
    target_reload(r->targets[0]); /* now one is idle */
    rig_accept(r, "last");
    RIG_UNTIL(r, r->peers[0].taken_count == 5);
    assert_true(r->peers[0].greetings > before);
}

/* While the last ones are being sent nothing is there to hand out. */
static void test_no_session_is_begun_for_nothing(void **state)
{
    struct target_rig *r = *state;
    accept_many(r, 50); /* all sessions are allowed now */
    RIG_UNTIL(r, r->peers[0].taken_count == 50);
    rig_pass(r, 5000); /* and have ended */
    int before = r->peers[0].greetings;
    r->peers[0].delay_ms = 30000;
    rig_accept(r, "slow");
    RIG_UNTIL(r, peer_place_of(&r->peers[0], "slow") >= 0);
    assert_int_equal(r->peers[0].greetings, before + 1);
}

static bool stays_at_one(struct target_rig *r)
{
    if (r->peers[0].in_data != 1)
        return false;
    rig_pass(r, 100);
    return r->peers[0].in_data == 1;
}

/* The sessions that are too many wait, and go on when it is well again. */
static void test_a_server_that_gets_slow_has_fewer_messages_at_once(void **state)
{
    struct target_rig *r = *state;
    r->peers[0].delay_ms = 10;
    accept_many(r, 300);
    RIG_UNTIL(r, r->peers[0].in_data == 4);
    r->peers[0].delay_ms = 3000;
    RIG_UNTIL(r, stays_at_one(r));
    assert_true(r->peers[0].taken_count < 250);
    r->peers[0].delay_ms = 10;
    RIG_UNTIL(r, r->peers[0].in_data == 4);
    RIG_UNTIL(r, r->peers[0].taken_count == 300);
}

/* Its limit for one client says nothing of its health, and is heeded. */
static void test_a_server_that_turns_one_more_away_goes_on_with_the_others(void **state)
{
    struct target_rig *r = *state;
    r->peers[0].delay_ms = 10;
    r->peers[0].sessions_max = 2;
    accept_many(r, 100);
    RIG_UNTIL(r, r->peers[0].turned_away > 0);
    int taken = r->peers[0].taken_count;
    rig_pass(r, 500); /* far less than a back-off */
    assert_true(r->peers[0].taken_count > taken + 20);
    RIG_UNTIL(r, r->peers[0].taken_count == 100);
    assert_in_range(r->peers[0].turned_away, 1, 4); /* those that were on their way */
    assert_int_equal(r->peers[0].greetings, 2);
}

static void test_no_session_is_begun_for_what_is_out_to_the_old_server(void **state)
{
    struct target_rig *r = *state;
    r->peers[0].delay_ms = 30000;
    rig_accept(r, "slow");
    RIG_UNTIL(r, r->peers[0].in_data == 1);
    rig_route(r, 1);
    RIG_UNTIL(r, peer_place_of(&r->peers[0], "slow") >= 0);
    assert_int_equal(r->peers[1].greetings, 0);
}

static void test_what_the_old_server_gives_back_goes_to_the_new_one_at_once(void **state)
{
    struct target_rig *r = *state;
    r->peers[0].delay_ms = -1;
    rig_accept(r, "moved");
    RIG_UNTIL(r, r->peers[0].in_data == 1);
    rig_route(r, 1);
    rig_pass(r, 60000);
    assert_int_equal(r->peers[1].taken_count, 0); /* never to two at once */
    target_set_instance(r->targets[0], &(struct target_instance){.epoch = 2});
    RIG_UNTIL(r, peer_place_of(&r->peers[1], "moved") >= 0);
}

static const char *defer_all(struct peer *p, const char *name)
{
    (void)p, (void)name;
    return "450 4.2.0 try later";
}

/* Its checks fail from now on; what it has taken up is not answered. */
static void stop_serving(struct target_rig *r, size_t i)
{
    struct peer *p = &r->peers[i];
    struct target_observation o;
    loop_listener_free(p->listener);
    p->listener = NULL;
    do {
        rig_pass(r, 1000);
        target_observe(r->targets[i], &o);
    } while (o.word->state != HEALTH_INOPERABLE);
}

static void test_what_a_dead_server_holds_goes_to_the_new_one(void **state)
{
    struct target_rig *r = *state;
    r->peers[0].delay_ms = -1;
    rig_accept(r, "moved");
    RIG_UNTIL(r, r->peers[0].in_data == 1);
    stop_serving(r, 0);
    assert_int_equal(r->peers[0].in_data, 1); /* there is no other place for it */
    rig_route(r, 1);
    rig_pass(r, 1000);
    assert_int_equal(peer_place_of(&r->peers[1], "moved"), 0);
    assert_int_equal(r->peers[0].in_data, 0);
}

static void test_what_the_old_server_holds_when_it_dies_goes_to_the_new_one(void **state)
{
    struct target_rig *r = *state;
    r->peers[0].delay_ms = -1;
    rig_accept(r, "moved");
    RIG_UNTIL(r, r->peers[0].in_data == 1);
    rig_route(r, 1);
    rig_pass(r, 5000);
    assert_int_equal(r->peers[0].in_data, 1);
    stop_serving(r, 0);
    rig_pass(r, 1000);
    assert_int_equal(peer_place_of(&r->peers[1], "moved"), 0);
    assert_int_equal(r->peers[0].in_data, 0);
}

static void test_another_instance_gets_what_the_old_one_had_not_answered(void **state)
{
    struct target_rig *r = *state;
    r->peers[0].delay_ms = 5000;
    rig_accept(r, "again");
    RIG_UNTIL(r, r->peers[0].in_data == 1);
    rig_place(r, 0, 1, 2);
    RIG_UNTIL(r, peer_place_of(&r->peers[1], "again") >= 0);
    rig_pass(r, 20000);
    assert_int_equal(r->peers[0].taken_count, 0); /* its session was cut */
    assert_int_equal(r->peers[1].taken_count, 1);
}

static size_t waiting(const struct target_rig *r)
{
    return source_ready(r->source, SOURCE_NORMAL);
}

/* Traffic that does not end: as much is accepted as is taken. */
static void flow_until_taken(struct target_rig *r, const char *name)
{
    int sent = 0, limit = 1500;
    char other[24];
    while (peer_place_of(&r->peers[0], name) < 0 && sent < limit) {
        if (waiting(r) < 20) {
            snprintf(other, sizeof(other), "n%d", sent++);
            rig_accept(r, other);
        }
        rig_pass(r, 10);
    }
    assert_true(sent < limit);
    assert_true(waiting(r) > 0);
}

static void test_lossy_mail_is_delivered_alone_while_traffic_is_steady(void **state)
{
    struct target_rig *r = *state;
    struct peer *p = &r->peers[0];
    p->cut = "victim";
    p->delay_ms = 50;
    char name[24];
    for (int i = 0; i < 5; i++) { /* one crash of a server makes several at once */
        snprintf(name, sizeof(name), "victim%d", i);
        rig_accept(r, name);
    }
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof(name), "victim%d", i);
        flow_until_taken(r, name);
    }
    assert_int_equal(p->most_with_cut, 1);
}

/* Neither its deliveries nor its probes say anything about the server then. */
static void test_a_relay_without_descriptors_blames_no_server(void **state)
{
    struct target_rig *r = *state;
    struct target_observation seen;
    rig_accept(r, "before");
    RIG_UNTIL(r, peer_place_of(&r->peers[0], "before") >= 0);
    rig_pass(r, 20000); /* its session has ended, probes were good */
    target_observe(r->targets[0], &seen);
    enum health_state before = seen.word->state;
    sim_loop_starve(r->loop, true);
    rig_accept(r, "later");
    rig_pass(r, 60000);
    target_observe(r->targets[0], &seen);
    assert_int_equal(seen.word->state, before);
    assert_int_equal(seen.failed, 0);
    assert_false(seen.invoke);
    assert_int_equal(seen.down_for_ms, 0);
    sim_loop_starve(r->loop, false);
    RIG_UNTIL(r, peer_place_of(&r->peers[0], "later") >= 0);
}

/* RFC 3207, 4954, 7504: a word about us, whatever the mail. One session each "retry" finds out, and no
 * message keeps the others from being tried. */
static void test_mail_that_the_server_takes_not_from_us_waits(void **state)
{
    struct target_rig *r = *state;
    struct target_observation seen;
    r->peers[0].mail = "530 5.7.0 Must issue a STARTTLS command first";
    accept_many(r, 50);
    rig_pass(r, 20000);
    assert_in_range(r->peers[0].greetings, 10, 25);
    target_observe(r->targets[0], &seen);
    assert_int_equal(seen.failed, 0); /* another server would not mend it */
    r->peers[0].mail = NULL;
    RIG_UNTIL(r, r->peers[0].taken_count == 50);
}

/* What it puts off waits longer each time, so that days of it are few attempts; once it takes one, all are
 * tried. */
static void test_what_a_working_server_puts_off_is_tried_less_and_less(void **state)
{
    struct target_rig *r = *state;
    struct peer *p = &r->peers[0];
    p->rcpt = defer_all;
    accept_many(r, 10);
    rig_pass(r, 5 * 900000);
    int before = p->rcpts;
    rig_pass(r, 10 * 900000);
    assert_in_range(p->rcpts - before, 10 * 9, 10 * 15);
    p->rcpt = NULL;
    rig_accept(r, "new");
    RIG_UNTIL(r, p->taken_count > 0);
    rig_pass(r, 1000);
    assert_int_equal(p->taken_count, 11);
}

/* The same for what it takes not from us: see relay/refusal.h. */
static void test_mail_refused_for_our_terms_is_tried_less_and_less(void **state)
{
    struct target_rig *r = *state;
    r->peers[0].mail = "530 5.7.0 Authentication required";
    accept_many(r, 5);
    rig_pass(r, 5 * 900000);
    int64_t before = r->work.deferred;
    rig_pass(r, 10 * 900000);
    assert_in_range(r->work.deferred - before, 5 * 9, 5 * 15);
}

static void test_what_was_put_off_goes_at_once_when_the_server_recovers(void **state)
{
    struct target_rig *r = *state;
    struct peer *p = &r->peers[0];
    p->rcpt = defer_all;
    accept_many(r, 10);
    rig_pass(r, 5 * 900000);
    stop_serving(r, 0);
    p->rcpt = NULL;
    peer_serve(p);
    RIG_UNTIL(r, p->taken_count > 0);
    rig_pass(r, 1000);
    assert_int_equal(p->taken_count, 10);
}

/* What an operator changed may be what it was put off for. */
static void test_what_was_put_off_goes_at_once_after_a_reload(void **state)
{
    struct target_rig *r = *state;
    struct peer *p = &r->peers[0];
    p->rcpt = defer_all;
    accept_many(r, 3);
    rig_pass(r, 5 * 900000);
    p->rcpt = NULL;
    target_reload(r->targets[0]);
    rig_pass(r, 1000);
    assert_int_equal(p->taken_count, 3);
}

static const char *closes_on_bad(struct peer *p, const char *name)
{
    (void)p;
    return name[0] == 'b' ? "421 4.3.2 I am closing" : "250 ok";
}

/* Each time: it waits longer and longer, and others go on meanwhile. */
static void test_messages_that_evoke_421_hold_up_no_others(void **state)
{
    struct target_rig *r = *state;
    struct target_observation seen;
    r->peers[0].rcpt = closes_on_bad;
    for (int i = 0; i < 5; i++)
        rig_accept(r, "bad");
    accept_many(r, 200);
    RIG_UNTIL(r, r->peers[0].taken_count >= 10);
    int64_t began = sim_now(r->world).ns;
    RIG_UNTIL(r, r->peers[0].taken_count == 200);
    assert_true(sim_now(r->world).ns - began < 1000 * NS_PER_MS); /* no session waited */
    for (int i = 0; r->work.deferred < 20 && i < 1000; i++) {
        rig_accept(r, "other");
        rig_pass(r, 1000);
    }
    assert_true(r->work.deferred >= 20);
    assert_int_equal(r->work.lost, 0);
    target_observe(r->targets[0], &seen);
    assert_int_equal(seen.word->state, HEALTH_OPERATIONAL);
}

static const char *closes_on_all(struct peer *p, const char *name)
{
    (void)p, (void)name;
    return "421 4.3.2 I am closing";
}

static void test_421_to_all_puts_off_no_message(void **state)
{
    struct target_rig *r = *state;
    r->peers[0].rcpt = closes_on_all;
    accept_many(r, 50);
    rig_pass(r, 20000);
    assert_in_range(r->peers[0].rcpts, 10, 25); /* one message each retry */
    assert_int_equal(r->work.deferred, 0);
    r->peers[0].rcpt = NULL;
    RIG_UNTIL(r, r->peers[0].taken_count > 0);
    rig_pass(r, 1000);
    assert_int_equal(r->peers[0].taken_count, 50);
}

static void test_421_to_the_few_that_wait_puts_off_none(void **state)
{
    struct target_rig *r = *state;
    r->peers[0].rcpt = closes_on_all;
    accept_many(r, 3);
    RIG_UNTIL(r, r->peers[0].rcpts >= 3 * 4 * BLAME_TIMES);
    assert_int_equal(r->work.deferred, 0);
    r->peers[0].rcpt = NULL;
    RIG_UNTIL(r, r->peers[0].taken_count == 3);
}

/* At MAIL, as some do after so many messages. */
static void test_a_server_that_ends_long_sessions_by_421_puts_off_none(void **state)
{
    struct target_rig *r = *state;
    struct target_observation seen;
    r->peers[0].messages_max = 3;
    accept_many(r, 300);
    RIG_UNTIL(r, r->peers[0].taken_count == 300);
    assert_int_equal(r->work.deferred, 0);
    target_observe(r->targets[0], &seen);
    assert_int_equal(seen.word->state, HEALTH_OPERATIONAL);
    assert_int_equal(seen.failed, 0);
}

static const char *closes_on_bad_and_puts_off_others(struct peer *p, const char *name)
{
    (void)p;
    return name[0] == 'b' ? "421 4.3.2 I am closing" : "450 4.2.0 later";
}

static void test_421_to_one_recipient_of_two_is_no_failure_of_the_server(void **state)
{
    struct target_rig *r = *state;
    struct target_observation seen;
    r->peers[0].rcpt = closes_on_bad_and_puts_off_others;
    rig_accept_both(r, "good", "bad");
    RIG_UNTIL(r, r->work.deferred == 2);
    target_observe(r->targets[0], &seen);
    assert_int_equal(seen.word->state, HEALTH_OPERATIONAL);
    assert_int_equal(seen.failed, 0);
}

/* Nothing tells then whose fault it is; it must not be tried each second for days. */
static void test_421_to_the_only_message_is_evoked_less_and_less(void **state)
{
    struct target_rig *r = *state;
    r->peers[0].rcpt = closes_on_bad;
    rig_accept(r, "bad");
    rig_pass(r, 5 * 900000);
    int before = r->peers[0].rcpts;
    rig_pass(r, 10 * 900000);
    assert_in_range(r->peers[0].rcpts - before, 9 * 5, 15 * 5);
}

static const char *wants_login_for_bad(struct peer *p, const char *name)
{
    (void)p;
    return name[0] == 'b' ? "530 5.7.0 Authentication required" : "250 ok";
}

/* A server may say so of one recipient alone: the oldest, at that. */
static void test_what_it_takes_not_from_us_keeps_nothing_up(void **state)
{
    struct target_rig *r = *state;
    r->peers[0].rcpt = wants_login_for_bad;
    rig_accept(r, "bad");
    accept_many(r, 20);
    RIG_UNTIL(r, r->peers[0].taken_count == 20);
    r->peers[0].rcpt = NULL;
    RIG_UNTIL(r, r->peers[0].taken_count == 21);
}

static const char *refuse_all(struct peer *p, const char *name)
{
    (void)p, (void)name;
    return "554 5.7.1 Client host rejected: Access denied";
}

static const char *refuse_bad(struct peer *p, const char *name)
{
    (void)p;
    return name[0] == 'b' ? "550 5.1.1 no such user" : "250 ok";
}

static void test_a_server_that_refuses_everything_is_doubted(void **state)
{
    struct target_rig *r = *state;
    r->takes_refusals = true;
    r->peers[0].rcpt = refuse_all;
    accept_many(r, 200);
    RIG_UNTIL(r, r->peers[0].rcpts >= 200);
    rig_pass(r, 1000);
    assert_int_equal(r->refused, REFUSALS_DOUBT - 1);
    r->peers[0].rcpt = NULL;
    RIG_UNTIL(r, r->peers[0].taken_count == 200 - (REFUSALS_DOUBT - 1));
}

static void test_one_message_taken_ends_the_doubt(void **state)
{
    struct target_rig *r = *state;
    r->takes_refusals = true;
    r->peers[0].rcpt = refuse_bad;
    for (int i = 0; i < 100; i++)
        rig_accept(r, i % 10 ? "bad" : "good");
    RIG_UNTIL(r, r->refused == 90);
    assert_int_equal(r->peers[0].taken_count, 10);
}

struct said {
    bool seen;
    char reply[128], host[128];
};

static void on_rows(void *arg, int err, const struct queue_rows *rows)
{
    struct said *s = arg;
    assert_ok(err);
    assert_int_equal(rows->count, 1);
    snprintf(s->reply, sizeof(s->reply), "%.*s", STR_ARG(rows->items[0].last_reply));
    snprintf(s->host, sizeof(s->host), "%.*s", STR_ARG(rows->items[0].last_host));
    s->seen = true;
}

static struct said said_of(struct target_rig *r, const char *address)
{
    struct said s = {0};
    struct queue_filter one = {.recipient = str_from(address), .limit = 2};
    queue_list(r->queue, &one, on_rows, &s);
    RIG_UNTIL(r, s.seen);
    return s;
}

static void on_international(void *arg, int err, int64_t message_id)
{
    struct target_rig *r = arg;
    (void)message_id;
    assert_ok(err);
    source_kick(r->source);
}

static void accept_international(struct target_rig *r)
{
    struct queue_message_in in = {.custody_id = {{99}},
                                  .reverse_path = STR("s@x.test"),
                                  .helo = STR("x.test"),
                                  .client = STR("10.9.9.9"),
                                  .smtputf8 = true,
                                  .received_at = loop_wall(r->loop)};
    struct queue_recipient_in to = {.address = STR("\xc3\xb6@d.test"), .domain = STR("d.test")};
    struct body_writer *w = queue_body_begin(r->queue);
    body_append(w, "Subject: x\r\n\r\n", 14);
    queue_accept(r->queue, w, &in, &to, 1, on_international, r);
}

/* By the name of the server; but not what we know by ourselves that it would say. */
static void test_who_has_said_it_is_kept(void **state)
{
    struct target_rig *r = *state;
    r->takes_refusals = true;
    r->peers[0].rcpt = refuse_bad;
    rig_accept(r, "bad");
    RIG_UNTIL(r, r->refused == 1);
    struct said s = said_of(r, "bad@d.test");
    assert_string_equal(s.reply, "550 5.1.1 no such user");
    assert_string_equal(s.host, "mail.example.test");
    accept_international(r);
    RIG_UNTIL(r, r->refused == 2);
    s = said_of(r, "\xc3\xb6@d.test");
    assert_non_null(strstr(s.reply, "5.6.7"));
    assert_string_equal(s.host, "");
}

#define TARGET_TEST(name) cmocka_unit_test_setup_teardown(name, target_rig_setup, target_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TARGET_TEST(test_what_waits_is_delivered_oldest_first_by_kept_sessions),
        TARGET_TEST(test_open_sessions_end_after_a_reload),
        TARGET_TEST(test_no_session_is_begun_for_nothing),
        TARGET_TEST(test_a_server_that_gets_slow_has_fewer_messages_at_once),
        TARGET_TEST(test_a_server_that_turns_one_more_away_goes_on_with_the_others),
        TARGET_TEST(test_no_session_is_begun_for_what_is_out_to_the_old_server),
        TARGET_TEST(test_what_the_old_server_gives_back_goes_to_the_new_one_at_once),
        TARGET_TEST(test_what_a_dead_server_holds_goes_to_the_new_one),
        TARGET_TEST(test_what_the_old_server_holds_when_it_dies_goes_to_the_new_one),
        TARGET_TEST(test_another_instance_gets_what_the_old_one_had_not_answered),
        TARGET_TEST(test_mail_that_the_server_takes_not_from_us_waits),
        TARGET_TEST(test_what_it_takes_not_from_us_keeps_nothing_up),
        TARGET_TEST(test_what_was_put_off_goes_at_once_after_a_reload),
        TARGET_TEST(test_messages_that_evoke_421_hold_up_no_others),
        TARGET_TEST(test_421_to_all_puts_off_no_message),
        TARGET_TEST(test_421_to_the_few_that_wait_puts_off_none),
        TARGET_TEST(test_a_server_that_ends_long_sessions_by_421_puts_off_none),
        TARGET_TEST(test_421_to_one_recipient_of_two_is_no_failure_of_the_server),
        TARGET_TEST(test_421_to_the_only_message_is_evoked_less_and_less),
        TARGET_TEST(test_what_a_working_server_puts_off_is_tried_less_and_less),
        TARGET_TEST(test_mail_refused_for_our_terms_is_tried_less_and_less),
        TARGET_TEST(test_what_was_put_off_goes_at_once_when_the_server_recovers),
        TARGET_TEST(test_a_server_that_refuses_everything_is_doubted),
        TARGET_TEST(test_one_message_taken_ends_the_doubt),
        TARGET_TEST(test_who_has_said_it_is_kept),
        TARGET_TEST(test_a_relay_without_descriptors_blames_no_server),
        TARGET_TEST(test_lossy_mail_is_delivered_alone_while_traffic_is_steady),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
