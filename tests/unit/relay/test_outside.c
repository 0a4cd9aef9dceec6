/* Mail that leaves the network, on the simulated loop: the DNS is made up, the servers outside are scripted.
 */
#include <stdio.h>

#include "base/mem.h"
#include "relay/outside.h"
#include "target_rig.h"

#define NAMES_MAX 8

/* What the DNS says about a name; status holds for its MX when it has none. */
struct name {
    const char *name;
    enum resolver_status status;
    struct resolver_mx mx[3];
    const char *ip;
};

struct fake_question {
    struct resolver_question base;
    struct fake *fake;
    enum resolver_type type;
    char name[RESOLVER_NAME_MAX];
    void (*on_answer)(void *arg, const struct resolver_answer *answer);
    void *arg;
    struct loop_timer *timer;
};

struct fake {
    struct resolver base;
    struct loop *loop;
    const struct name *names; /* end without a name */
    int mx_asked;
};

struct world {
    struct target_rig *rig;
    struct fake dns;
    struct config config;
    struct config_relay relay;
    struct record_work work;
    struct outside *outside;
    struct outside_mail *mail;
    size_t given_up;
    int64_t accepted;
    /* of the last look: */
    bool looked;
    enum queue_state state;
    char reply[512], host[256];
    uint32_t attempts;
};

/* ---- the DNS ---- */

static void fake_cancel(struct resolver_question *base)
{
    struct fake_question *q = CONTAINER_OF(base, struct fake_question, base);
    loop_timer_free(q->timer);
    free(q);
}

static const struct name *find_name(const struct fake *f, const char *name)
{
    for (const struct name *n = f->names; n->name; n++)
        if (strcmp(n->name, name) == 0)
            return n;
    return NULL;
}

static void on_time(void *arg)
{
    struct fake_question *q = arg;
    const struct name *n = find_name(q->fake, q->name);
    struct resolver_answer answer = {.status = n ? n->status : RESOLVER_NO_NAME, .detail = "made up"};
    struct addr ip;
    if (n && q->type == RESOLVER_MX && n->mx[0].preference) {
        answer.status = RESOLVER_FOUND;
        answer.mx = n->mx;
        while (answer.mx_count < 3 && n->mx[answer.mx_count].preference)
            answer.mx_count++;
    }
    if (n && q->type == RESOLVER_A && n->ip) {
        assert_ok(addr_parse_ip(str_from(n->ip), 0, &ip));
        answer.status = RESOLVER_FOUND;
        answer.addrs = &ip;
        answer.addr_count = 1;
    }
    q->on_answer(q->arg, &answer);
    fake_cancel(&q->base);
}

static struct resolver_question *fake_ask(struct resolver *r, enum resolver_type type, const char *name,
                                          void (*on_answer)(void *arg, const struct resolver_answer *answer),
                                          void *arg)
{
    struct fake *f = CONTAINER_OF(r, struct fake, base);
    struct fake_question *q = mem_zalloc(sizeof(*q));
    *q =
        (struct fake_question){.base = {r->ops}, .fake = f, .type = type, .on_answer = on_answer, .arg = arg};
    snprintf(q->name, sizeof(q->name), "%s", name);
    f->mx_asked += type == RESOLVER_MX;
    q->timer = loop_timer_new(f->loop, on_time, q);
    loop_timer_start(q->timer, 1);
    return &q->base;
}

static const struct resolver_ops fake_ops = {.ask = fake_ask, .cancel = fake_cancel};

/* peers are at 10.0.0.1 and 10.0.0.2; nobody is at 10.0.0.9 */
static const struct name names[] = {
    {"far.example", RESOLVER_NO_DATA, {{10, "mx1.far.example"}, {20, "mx2.far.example"}}, NULL},
    {"mx1.far.example", RESOLVER_NO_DATA, {{0}}, "10.0.0.1"},
    {"mx2.far.example", RESOLVER_NO_DATA, {{0}}, "10.0.0.2"},
    {"half.example", RESOLVER_NO_DATA, {{10, "gone.example"}, {20, "mx2.far.example"}}, NULL},
    {"dead.example", RESOLVER_NO_DATA, {{10, "gone.example"}}, NULL},
    {"gone.example", RESOLVER_NO_DATA, {{0}}, "10.0.0.9"},
    {"ours.example", RESOLVER_NO_DATA, {{10, "relay.example.test"}, {20, "mx1.far.example"}}, NULL},
    {"here.example", RESOLVER_NO_DATA, {{0}}, "127.0.0.7"},
    {"relay.example", RESOLVER_NO_DATA, {{0}}, "10.0.0.5"}, /* by addresses only: see have_addresses */
    {"server.example", RESOLVER_NO_DATA, {{0}}, "10.0.0.6"},
    {"created.example", RESOLVER_NO_DATA, {{0}}, "10.0.0.7"},
    {"as-good.example",
     RESOLVER_NO_DATA,
     {{10, "mx1.far.example"}, {10, "relay.example"}, {20, "mx2.far.example"}},
     NULL},
    {"better.example",
     RESOLVER_NO_DATA,
     {{5, "gone.example"}, {10, "server.example"}, {20, "mx2.far.example"}},
     NULL},
    {"best.example", RESOLVER_NO_DATA, {{5, "mx1.far.example"}, {10, "created.example"}}, NULL},
    {"dark.example", RESOLVER_FAILED, {{0}}, NULL},
    {NULL},
};

/* ---- the relay ---- */

static void on_given_up(void *arg, size_t expired)
{
    struct world *w = arg;
    (void)expired;
    w->given_up++;
}

static void begin(struct world *w)
{
    struct outside_options options = {.config = &w->config,
                                      .relay = &w->relay,
                                      .resolver = &w->dns.base,
                                      .client = &w->rig->client,
                                      .work = &w->work};
    w->outside = outside_new(w->rig->loop, &options);
    w->mail = outside_add(w->outside, w->rig->queue, w->rig->right.right, w->rig->claims, on_given_up, w);
}

static int setup(void **state)
{
    struct world *w = mem_zalloc(sizeof(*w));
    assert_ok(target_rig_setup((void **)&w->rig));
    w->relay = w->rig->relay;
    w->relay.smarthost = "";
    w->relay.outside_port = 25;
    w->config = (struct config){.relays = &w->relay, .relay_count = 1, .log_messages = LOG_MESSAGES_NONE};
    w->dns = (struct fake){.base = {&fake_ops}, .loop = w->rig->loop, .names = names};
    RIG_UNTIL(w->rig, right_is_held(w->rig->right.right));
    begin(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    if (w->mail)
        outside_remove(w->mail);
    outside_free(w->outside);
    void *rig = w->rig;
    target_rig_teardown(&rig);
    free(w);
    return 0;
}

static void on_accepted(void *arg, int err, int64_t message_id)
{
    struct world *w = arg;
    assert_ok(err);
    w->accepted = message_id;
    outside_kick(w->mail);
}

static void accept_from(struct world *w, struct str reverse_path, const struct queue_recipient_in *to,
                        size_t count)
{
    static const char body[] = "Subject: notice\r\n\r\nhello\r\n";
    struct target_rig *r = w->rig;
    struct queue_message_in in = {.reverse_path = reverse_path,
                                  .helo = STR("relay.example.test"),
                                  .client = STR("10.9.9.9"),
                                  .received_at = loop_wall(r->loop)};
    r->accepted++;
    memcpy(in.custody_id.bytes, &r->accepted, sizeof(r->accepted));
    struct body_writer *writer = queue_body_begin(r->queue);
    body_append(writer, body, sizeof(body) - 1);
    queue_accept(r->queue, writer, &in, to, count, on_accepted, w);
}

static void accept_to(struct world *w, const struct queue_recipient_in *to, size_t count)
{
    accept_from(w, STR_EMPTY, to, count);
}

static void accept_for(struct world *w, const char *name, const char *domain)
{
    char address[80];
    snprintf(address, sizeof(address), "%s@%s", name, domain);
    struct queue_recipient_in to = {str_from(address), str_from(domain), STR(QUEUE_HOME_OUTSIDE)};
    accept_to(w, &to, 1);
}

static void on_look(void *arg, int err, const struct queue_rows *rows)
{
    struct world *w = arg;
    assert_ok(err);
    w->looked = true;
    w->state = QUEUE_REMOVED; /* not accepted yet */
    if (rows->count == 0)
        return;
    w->state = rows->items[0].state;
    w->attempts = rows->items[0].attempts;
    snprintf(w->reply, sizeof(w->reply), "%.*s", STR_ARG(rows->items[0].last_reply));
    snprintf(w->host, sizeof(w->host), "%.*s", STR_ARG(rows->items[0].last_host));
}

static enum queue_state look(struct world *w, const char *address)
{
    struct queue_filter filter = {.recipient = str_from(address), .states = UINT32_MAX, .limit = 2};
    w->looked = false;
    queue_list(w->rig->queue, &filter, on_look, w);
    RIG_UNTIL(w->rig, w->looked);
    return w->state;
}

static int taken(const struct world *w)
{
    return w->rig->peers[0].taken_count + w->rig->peers[1].taken_count;
}

static const char *lose_the_right(struct peer *p, const char *name)
{
    (void)name;
    right_rig_lost(&p->rig->right);
    return "250 ok";
}

/* ---- the tests ---- */

static void it_goes_to_the_preferred_mx(void **state)
{
    struct world *w = *state;
    accept_for(w, "a", "far.example");
    RIG_UNTIL(w->rig, w->rig->peers[0].taken_count == 1);
    RIG_UNTIL(w->rig, look(w, "a@far.example") == QUEUE_DELIVERED);
    assert_int_equal(w->rig->peers[1].greetings, 0);
    assert_int_equal(w->work.delivered, 1);
}

static void a_dead_mx_is_followed_by_the_next(void **state)
{
    struct world *w = *state;
    accept_for(w, "a", "half.example");
    RIG_UNTIL(w->rig, w->rig->peers[1].taken_count == 1);
    RIG_UNTIL(w->rig, look(w, "a@half.example") == QUEUE_DELIVERED);
}

static void one_session_carries_many(void **state)
{
    struct world *w = *state;
    char name[16];
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        accept_for(w, name, "far.example");
    }
    RIG_UNTIL(w->rig, taken(w) == 50);
    assert_in_range(w->rig->peers[0].greetings, 1, 4);
    assert_int_equal(w->rig->peers[1].greetings, 0);
}

/* It works, and has as many as it wants: no other is asked, and it is not left alone. */
static void a_session_too_many_only_lessens_them(void **state)
{
    struct world *w = *state;
    char name[16];
    w->rig->peers[0].sessions_max = 2;
    w->rig->peers[0].delay_ms = 50;
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        accept_for(w, name, "far.example");
    }
    RIG_UNTIL(w->rig, taken(w) == 50);
    assert_in_range(w->rig->peers[0].turned_away, 1, 2); /* those that were on their way */
    assert_int_equal(w->rig->peers[0].greetings, 2);
    assert_int_equal(w->rig->peers[1].greetings, 0);
    RIG_UNTIL(w->rig, look(w, "n49@far.example") == QUEUE_DELIVERED);
    assert_int_equal(w->attempts, 1);
}

/* One message: each domain's servers get their own recipients only. */
static void recipients_are_told_apart_by_domain(void **state)
{
    struct world *w = *state;
    const struct queue_recipient_in to[] = {
        {STR("a@far.example"), STR("far.example"), STR(QUEUE_HOME_OUTSIDE)},
        {STR("b@far.example"), STR("far.example"), STR(QUEUE_HOME_OUTSIDE)},
        {STR("c@half.example"), STR("half.example"), STR(QUEUE_HOME_OUTSIDE)},
        {STR("d@far.example"), STR("far.example"), STR(QUEUE_HOME_OUTSIDE)},
    };
    accept_to(w, to, ARRAY_LEN(to));
    RIG_UNTIL(w->rig, look(w, "c@half.example") == QUEUE_DELIVERED &&
                          look(w, "a@far.example") == QUEUE_DELIVERED &&
                          look(w, "d@far.example") == QUEUE_DELIVERED);
    assert_int_equal(w->rig->peers[0].rcpts, 3);
    assert_int_equal(w->rig->peers[1].rcpts, 1);
    assert_int_equal(w->rig->peers[0].taken_count, 2);
}

static void what_has_nowhere_to_go_is_quarantined(void **state)
{
    struct world *w = *state;
    accept_for(w, "a", "none.example");
    RIG_UNTIL(w->rig, look(w, "a@none.example") == QUEUE_QUARANTINED);
    assert_non_null(strstr(w->reply, "5.1.2"));
    accept_for(w, "b", "ours.example");
    RIG_UNTIL(w->rig, look(w, "b@ours.example") == QUEUE_QUARANTINED);
    assert_non_null(strstr(w->reply, "5.4.6"));
    accept_for(w, "c", "here.example"); /* this machine, whoever listens */
    RIG_UNTIL(w->rig, look(w, "c@here.example") == QUEUE_QUARANTINED);
    assert_non_null(strstr(w->reply, "5.4.6"));
    RIG_UNTIL(w->rig, w->given_up == 3);
    assert_int_equal(taken(w), 0);
}

/* The relay is at 10.0.0.5, its server at 10.0.0.6, or at 10.0.0.7 when it was created there. */
static void have_addresses(struct world *w)
{
    static struct addr relay_at, server_at;
    static struct config_create created;
    static struct config_server server = {.name = "mail1", .hostname = "mail1.example.test"};
    assert_ok(addr_parse(STR("10.0.0.5:25"), &relay_at));
    assert_ok(addr_parse(STR("10.0.0.6:25"), &server_at));
    assert_ok(addr_parse(STR("10.0.0.7:25"), &created.address));
    server.address = (struct config_listen){&server_at, 1};
    server.failover.create = &created;
    server.failover.create_count = 1;
    w->relay.address = (struct config_listen){&relay_at, 1};
    w->config.servers = &server;
    w->config.server_count = 1;
}

/* Strangers' names, whose records lead here: away from loopback as well, whoever listens. */
static void it_never_goes_to_an_address_of_ours(void **state)
{
    static const char *const domains[] = {"relay.example", "server.example", "created.example",
                                          "[10.0.0.5]",    "[10.0.0.6]",     "as-good.example"};
    struct world *w = *state;
    char address[64];
    have_addresses(w);
    for (size_t i = 0; i < ARRAY_LEN(domains); i++) {
        accept_for(w, "a", domains[i]);
        snprintf(address, sizeof(address), "a@%s", domains[i]);
        RIG_UNTIL(w->rig, look(w, address) == QUEUE_QUARANTINED);
        assert_non_null(strstr(w->reply, "5.4.6"));
    }
    assert_int_equal(w->rig->peers[0].greetings + w->rig->peers[1].greetings, 0);
}

static void nor_past_it_to_a_host_that_is_not_preferred_to_ours(void **state)
{
    struct world *w = *state;
    have_addresses(w);
    accept_for(w, "a", "better.example"); /* the one that is preferred does not answer */
    RIG_UNTIL(w->rig, look(w, "a@better.example") == QUEUE_WAITING && w->attempts > 1);
    assert_int_equal(w->rig->peers[1].greetings, 0);
    accept_for(w, "b", "best.example");
    RIG_UNTIL(w->rig, look(w, "b@best.example") == QUEUE_DELIVERED);
    assert_int_equal(w->rig->peers[0].taken_count, 1);
}

static const char *refuse(struct peer *p, const char *name)
{
    (void)p;
    return strcmp(name, "no") == 0 ? "550 5.1.1 nobody" : "250 ok";
}

/* Mail that an operator sent there: "bounce" says whether its sender is told. */
static void a_sender_is_told_where_bounce_says_so(void **state)
{
    struct world *w = *state;
    const struct queue_recipient_in to[] = {
        {STR("no@far.example"), STR("far.example"), STR(QUEUE_HOME_OUTSIDE)},
        {STR("b@none.example"), STR("none.example"), STR(QUEUE_HOME_OUTSIDE)},
    };
    w->relay.bounce = BOUNCE_ALWAYS;
    w->rig->peers[0].rcpt = refuse;
    accept_from(w, STR("sender@x.example"), to, ARRAY_LEN(to));
    RIG_UNTIL(w->rig, w->given_up == 2);
    assert_int_equal(w->work.bounced, 2);
    accept_to(w, &to[0], 1); /* a notice: never */
    RIG_UNTIL(w->rig, w->given_up == 3);
    assert_int_equal(w->work.bounced, 2);
    assert_int_equal(w->work.quarantined, 1);
}

static void what_is_refused_is_quarantined(void **state)
{
    struct world *w = *state;
    w->rig->peers[0].rcpt = refuse;
    accept_for(w, "no", "far.example");
    accept_for(w, "yes", "far.example");
    RIG_UNTIL(w->rig, look(w, "no@far.example") == QUEUE_QUARANTINED);
    assert_string_equal(w->host, "mx1.far.example"); /* who has said it */
    RIG_UNTIL(w->rig, look(w, "yes@far.example") == QUEUE_DELIVERED);
}

static void what_is_not_known_is_tried_later(void **state)
{
    struct world *w = *state;
    static const struct name known[] = {{"dark.example", RESOLVER_NO_DATA, {{0}}, "10.0.0.1"}, {NULL}};
    accept_for(w, "a", "dark.example");
    RIG_UNTIL(w->rig, look(w, "a@dark.example") == QUEUE_WAITING && w->attempts == 2);
    assert_non_null(strstr(w->reply, "4.4.3"));
    assert_string_equal(w->host, ""); /* nobody was asked */
    w->dns.names = known;
    RIG_UNTIL(w->rig, look(w, "a@dark.example") == QUEUE_DELIVERED);
}

/* The one that came first asked, and waited for all. */
static void a_dead_destination_is_remembered_and_holds_up_nobody(void **state)
{
    struct world *w = *state;
    char name[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        accept_for(w, name, "dead.example");
    }
    RIG_UNTIL(w->rig, w->dns.mx_asked > 0);
    accept_for(w, "a", "far.example");
    RIG_UNTIL(w->rig, w->rig->peers[0].taken_count == 1);
    RIG_UNTIL(w->rig, look(w, "n999@dead.example") == QUEUE_WAITING && w->attempts > 0);
    assert_non_null(strstr(w->reply, "gone.example"));
    assert_true(w->dns.mx_asked < 20);
}

static void a_destination_that_hangs_makes_way(void **state)
{
    struct world *w = *state;
    char name[16];
    w->rig->peers[1].delay_ms = -1; /* takes mail, and never answers */
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        accept_for(w, name, "half.example");
    }
    RIG_UNTIL(w->rig, w->rig->peers[1].in_data > 0);
    accept_for(w, "a", "far.example");
    RIG_UNTIL(w->rig, w->rig->peers[0].taken_count == 1);
    assert_int_equal(w->rig->peers[1].taken_count, 0);
}

static void an_operator_sees_what_is_being_sent(void **state)
{
    struct world *w = *state;
    struct queue_filter all = {.limit = 0};
    w->rig->peers[0].delay_ms = 20000;
    accept_for(w, "a", "far.example");
    RIG_UNTIL(w->rig, w->rig->peers[0].in_data == 1);
    accept_for(w, "b", "far.example");
    rig_pass(w->rig, 100);
    assert_int_equal(outside_changed(w->mail, &all), 1); /* b waits for the session, and is let go */
    RIG_UNTIL(w->rig, taken(w) == 2);
    assert_int_equal(peer_place_of(&w->rig->peers[0], "a"), 0);
}

static void a_queue_that_is_lost_takes_its_mail_along(void **state)
{
    struct world *w = *state;
    w->rig->peers[0].delay_ms = 20000;
    accept_for(w, "a", "far.example");
    accept_for(w, "b", "dead.example");
    RIG_UNTIL(w->rig, w->rig->peers[0].in_data == 1);
    outside_remove(w->mail);
    w->mail = NULL;
    RIG_UNTIL(w->rig, w->rig->peers[0].in_data == 0);
    assert_int_equal(look(w, "a@far.example"), QUEUE_WAITING);
}

static void a_smarthost_gets_all_of_it(void **state)
{
    struct world *w = *state;
    outside_remove(w->mail);
    outside_free(w->outside);
    w->relay.smarthost = "mx2.far.example:25";
    begin(w);
    accept_for(w, "a", "none.example");
    accept_for(w, "b", "far.example");
    RIG_UNTIL(w->rig, w->rig->peers[1].taken_count == 2);
    assert_int_equal(w->rig->peers[1].greetings, 1);
    assert_int_equal(w->dns.mx_asked, 0);
}

static void what_waited_too_long_is_given_up(void **state)
{
    struct world *w = *state;
    w->relay.expire_ms = 20000;
    accept_for(w, "a", "dead.example");
    RIG_UNTIL(w->rig, look(w, "a@dead.example") == QUEUE_QUARANTINED);
    assert_non_null(strstr(w->reply, "expired"));
    assert_true(w->given_up > 0);
}

/* The page is read, and then the lease runs out for a while. */
static void it_goes_on_when_the_right_is_there_again(void **state)
{
    struct world *w = *state;
    struct right_rig *right = &w->rig->right;
    right_rig_lost(right);
    accept_for(w, "a", "far.example");
    rig_pass(w->rig, 5000);
    assert_int_equal(taken(w), 0);
    right_rig_held(right);
    RIG_UNTIL(w->rig, right_is_held(right->right));
    outside_kick(w->mail); /* as the role does */
    RIG_UNTIL(w->rig, taken(w) == 1);
}

/* What a session has in its hands is not sent again and again to strangers. */
static void without_the_right_nobody_is_bothered(void **state)
{
    struct world *w = *state;
    struct right_rig *right = &w->rig->right;
    w->rig->peers[0].rcpt = lose_the_right;
    accept_for(w, "a", "far.example");
    RIG_UNTIL(w->rig, w->rig->peers[0].rcpts == 1);
    rig_pass(w->rig, 60000);
    assert_int_equal(taken(w), 0);
    assert_int_equal(w->rig->peers[0].greetings, 1);
    w->rig->peers[0].rcpt = NULL;
    right_rig_held(right);
    RIG_UNTIL(w->rig, right_is_held(right->right));
    outside_kick(w->mail);
    RIG_UNTIL(w->rig, taken(w) == 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_goes_to_the_preferred_mx),
        TEST(a_dead_mx_is_followed_by_the_next),
        TEST(one_session_carries_many),
        TEST(a_session_too_many_only_lessens_them),
        TEST(recipients_are_told_apart_by_domain),
        TEST(what_has_nowhere_to_go_is_quarantined),
        TEST(it_never_goes_to_an_address_of_ours),
        TEST(nor_past_it_to_a_host_that_is_not_preferred_to_ours),
        TEST(a_sender_is_told_where_bounce_says_so),
        TEST(what_is_refused_is_quarantined),
        TEST(what_is_not_known_is_tried_later),
        TEST(a_dead_destination_is_remembered_and_holds_up_nobody),
        TEST(a_destination_that_hangs_makes_way),
        TEST(an_operator_sees_what_is_being_sent),
        TEST(a_queue_that_is_lost_takes_its_mail_along),
        TEST(a_smarthost_gets_all_of_it),
        TEST(what_waited_too_long_is_given_up),
        TEST(it_goes_on_when_the_right_is_there_again),
        TEST(without_the_right_nobody_is_bothered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
