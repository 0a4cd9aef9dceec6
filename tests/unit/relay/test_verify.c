/* Recipients asked of a scripted server, on the simulated loop. */
#include "relay/verify.h"

#include <stdio.h>

#include "base/mem.h"
#include "relay/asker.h"
#include "target_rig.h"

struct world {
    struct target_rig *rig;
    struct config config;
    struct config_domain domain;
    struct clients *clients;
    struct verify *verify;
};

struct asker_of_one {
    struct verify_waiter waiter;
    int verdict; /* -1: none yet */
};

static struct target *target_of(void *arg, const struct config_domain *domain)
{
    (void)domain;
    return ((struct world *)arg)->rig->targets[0];
}

static void start(struct world *w)
{
    struct verify_options options = {.config = &w->config,
                                     .network = store_network(w->rig->store),
                                     .clients = w->clients,
                                     .target_of = target_of,
                                     .arg = w};
    w->verify = verify_new(w->rig->loop, &options);
}

/* Who begins with 'a' is there. */
static const char *honest(struct peer *p, const char *name)
{
    (void)p;
    return name[0] == 'a' ? "250 2.1.5 ok" : "550 5.1.1 no such user";
}

static const char *closing(struct peer *p, const char *name)
{
    (void)p, (void)name;
    return "421 4.7.0 too many errors";
}

static const char *silent(struct peer *p, const char *name)
{
    (void)p, (void)name;
    return NULL;
}

static int setup(void **state)
{
    struct world *w = mem_zalloc(sizeof(*w));
    void *rig;
    target_rig_setup(&rig);
    w->rig = rig;
    w->domain = (struct config_domain){.name = "d.test",
                                       .server = &w->rig->servers[0],
                                       .recipients = RECIPIENTS_VERIFY,
                                       .verify_timeout_ms = 2000,
                                       .verify_positive_refresh_ms = 60000,
                                       .verify_positive_expire_ms = 1000000,
                                       .verify_negative_refresh_ms = 5000,
                                       .verify_negative_expire_ms = 100000,
                                       .verify_positive_max = 100,
                                       .verify_negative_max = 100};
    w->config = (struct config){
        .servers = w->rig->servers, .server_count = 2, .domains = &w->domain, .domain_count = 1};
    w->rig->peers[0].rcpt = honest;
    w->clients = clients_new(w->rig->loop, &w->config, &w->rig->relay);
    start(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    void *rig = w->rig;
    verify_free(w->verify);
    clients_free(w->clients);
    target_rig_teardown(&rig);
    free(w);
    return 0;
}

static void on_verdict(struct verify_waiter *waiter, enum verdict verdict)
{
    struct asker_of_one *one = CONTAINER_OF(waiter, struct asker_of_one, waiter);
    assert_int_equal(one->verdict, -1);
    assert_int_not_equal(verdict, VERDICT_ASK);
    one->verdict = (int)verdict;
}

static void ask(struct world *w, struct asker_of_one *one, const char *address)
{
    *one = (struct asker_of_one){.waiter = {.on_verdict = on_verdict}, .verdict = -1};
    enum verdict now = verify_recipient(w->verify, &w->domain, str_from(address), &one->waiter);
    if (now != VERDICT_ASK)
        one->verdict = (int)now;
}

static enum verdict asked(struct world *w, const char *address)
{
    struct asker_of_one one;
    ask(w, &one, address);
    RIG_UNTIL(w->rig, one.verdict >= 0);
    return (enum verdict)one.verdict;
}

/* A server that is nowhere. */
static void take_down(struct world *w)
{
    target_set_instance(w->rig->targets[0], &(struct target_instance){.epoch = 9});
}

static void questions_at_the_same_time_are_one(void **state)
{
    struct world *w = *state;
    struct asker_of_one ones[5], other;
    for (size_t i = 0; i < ARRAY_LEN(ones); i++)
        ask(w, &ones[i], i % 2 ? "alice@d.test" : "ALICE@D.test");
    ask(w, &other, "bob@d.test");
    RIG_UNTIL(w->rig, ones[4].verdict >= 0 && other.verdict >= 0);
    for (size_t i = 0; i < ARRAY_LEN(ones); i++)
        assert_int_equal(ones[i].verdict, VERDICT_TAKE);
    assert_int_equal(other.verdict, VERDICT_REFUSE);
    assert_int_equal(w->rig->peers[0].rcpts, 2);
}

static void who_went_away_is_not_told(void **state)
{
    struct world *w = *state;
    struct asker_of_one gone, stays;
    ask(w, &gone, "alice@d.test");
    ask(w, &stays, "alice@d.test");
    verify_forget(&gone.waiter);
    verify_forget(&gone.waiter);
    RIG_UNTIL(w->rig, stays.verdict >= 0);
    assert_int_equal(gone.verdict, -1);
}

static void an_answer_holds_until_it_is_stale(void **state)
{
    struct world *w = *state;
    assert_int_equal(asked(w, "alice@d.test"), VERDICT_TAKE);
    assert_int_equal(asked(w, "bob@d.test"), VERDICT_REFUSE);
    assert_int_equal(asked(w, "alice@d.test"), VERDICT_TAKE);
    assert_int_equal(asked(w, "bob@d.test"), VERDICT_REFUSE);
    assert_int_equal(w->rig->peers[0].rcpts, 2);
    rig_pass(w->rig, 6000);
    assert_int_equal(asked(w, "alice@d.test"), VERDICT_TAKE);
    assert_int_equal(w->rig->peers[0].rcpts, 2);
    assert_int_equal(asked(w, "bob@d.test"), VERDICT_REFUSE);
    assert_int_equal(w->rig->peers[0].rcpts, 3);
}

static void a_server_that_is_down_is_remembered_by_the_next_start(void **state)
{
    struct world *w = *state;
    assert_int_equal(asked(w, "alice@d.test"), VERDICT_TAKE);
    assert_int_equal(asked(w, "bob@d.test"), VERDICT_REFUSE);
    verify_flush(w->verify);
    RIG_UNTIL(w->rig, !verify_busy(w->verify));
    verify_free(w->verify);
    start(w);
    take_down(w);
    assert_int_equal(asked(w, "bob@d.test"), VERDICT_REFUSE);
    rig_pass(w->rig, 80000); /* stale */
    assert_int_equal(asked(w, "alice@d.test"), VERDICT_TAKE);
    assert_int_equal(asked(w, "bob@d.test"), VERDICT_DEFER);
    assert_int_equal(asked(w, "carol@d.test"), VERDICT_DEFER);
    w->domain.unknown = UNKNOWN_REJECT;
    assert_int_equal(asked(w, "dave@d.test"), VERDICT_REFUSE);
    rig_pass(w->rig, 40000); /* bob's has expired */
    w->domain.unknown = UNKNOWN_ACCEPT;
    assert_int_equal(asked(w, "bob@d.test"), VERDICT_TAKE);
    assert_int_equal(w->rig->peers[0].rcpts, 2);
}

static void what_another_relay_heard_is_not_asked(void **state)
{
    struct world *w = *state;
    struct verify *other = w->verify;
    assert_int_equal(asked(w, "alice@d.test"), VERDICT_TAKE);
    start(w);
    RIG_UNTIL(w->rig, !verify_busy(other));
    assert_int_equal(asked(w, "alice@d.test"), VERDICT_TAKE);
    assert_int_equal(w->rig->peers[0].rcpts, 1);
    verify_free(other);
}

static void a_silent_server_refuses_nobody_while_it_counts_as_operational(void **state)
{
    struct world *w = *state;
    struct asker_of_one late;
    w->rig->peers[0].rcpt = silent;
    w->domain.unknown = UNKNOWN_REJECT;
    assert_int_equal(asked(w, "alice@d.test"), VERDICT_DEFER);
    ask(w, &late, "alice@d.test"); /* while that question is still open */
    assert_int_equal(late.verdict, VERDICT_DEFER);
    w->domain.unknown = UNKNOWN_ACCEPT;
    ask(w, &late, "alice@d.test");
    assert_int_equal(late.verdict, VERDICT_TAKE);
    assert_int_equal(w->rig->peers[0].rcpts, 1);
    w->rig->peers[0].rcpt = honest;
    rig_pass(w->rig, 40000); /* it was given up */
    assert_int_equal(asked(w, "alice@d.test"), VERDICT_TAKE);
}

static const char *cut_once(struct peer *p, const char *name)
{
    return p->rcpts == 2 ? "" : honest(p, name);
}

static void a_kept_session_that_was_lost_says_nothing(void **state)
{
    struct world *w = *state;
    w->rig->peers[0].rcpt = cut_once;
    assert_int_equal(asked(w, "alice@d.test"), VERDICT_TAKE);
    assert_int_equal(asked(w, "bob@d.test"), VERDICT_REFUSE);
    assert_int_equal(w->rig->peers[0].rcpts, 3);
    assert_int_equal(w->rig->peers[0].greetings, 2);
}

static const char *cut_always(struct peer *p, const char *name)
{
    (void)p, (void)name;
    return "";
}

static void a_server_that_cuts_each_session_is_asked_no_more_than_twice(void **state)
{
    struct world *w = *state;
    w->rig->peers[0].rcpt = cut_always;
    assert_int_equal(asked(w, "alice@d.test"), VERDICT_DEFER);
    assert_true(w->rig->peers[0].rcpts <= 2);
}

static void a_session_ends_before_the_server_loses_patience(void **state)
{
    struct world *w = *state;
    char name[32];
    for (int i = 0; i < 3 * ASKER_REFUSALS_MAX; i++) {
        snprintf(name, sizeof(name), "made-up-%d@d.test", i);
        assert_int_equal(asked(w, name), VERDICT_REFUSE);
    }
    assert_true(w->rig->peers[0].greetings >= 3);
}

static const char *troubled(struct peer *p, const char *name)
{
    (void)p, (void)name;
    return "554 5.7.1 no mail from your network";
}

static void trouble_is_not_remembered(void **state)
{
    struct world *w = *state;
    w->domain.unknown = UNKNOWN_REJECT;
    assert_int_equal(asked(w, "anna@d.test"), VERDICT_TAKE);
    rig_pass(w->rig, 70000);
    w->rig->peers[0].rcpt = troubled;
    assert_int_equal(asked(w, "anna@d.test"), VERDICT_TAKE); /* stale, and yet good */
    assert_int_equal(asked(w, "alice@d.test"), VERDICT_DEFER);
    w->rig->peers[0].rcpt = honest;
    assert_int_equal(asked(w, "alice@d.test"), VERDICT_TAKE);
}

static void a_store_that_fails_is_as_one_that_knows_nothing(void **state)
{
    struct world *w = *state;
    struct verify *before = w->verify;
    assert_int_equal(asked(w, "alice@d.test"), VERDICT_TAKE);
    RIG_UNTIL(w->rig, !verify_busy(w->verify));
    start(w);
    store_memory_cut(w->rig->store, true);
    assert_int_equal(asked(w, "alice@d.test"), VERDICT_TAKE); /* the server said it again */
    assert_int_equal(w->rig->peers[0].rcpts, 2);
    verify_flush(w->verify);
    RIG_UNTIL(w->rig, !verify_busy(w->verify)); /* given up, with a warning */
    take_down(w);
    w->domain.unknown = UNKNOWN_REJECT; /* of who was never seen: nobody knows who that is */
    assert_int_equal(asked(w, "alice@d.test"), VERDICT_TAKE);
    assert_int_equal(asked(w, "bob@d.test"), VERDICT_DEFER);
    store_memory_cut(w->rig->store, false);
    verify_free(before);
}

static void one_that_greets_by_421_is_as_one_that_is_down_but_refuses_nobody(void **state)
{
    struct world *w = *state;
    w->rig->peers[0].greeting = "421 4.3.2 too many connections\r\n";
    assert_int_equal(asked(w, "alice@d.test"), VERDICT_DEFER);
    w->domain.unknown = UNKNOWN_REJECT;
    assert_int_equal(asked(w, "alice@d.test"), VERDICT_DEFER);
    w->domain.unknown = UNKNOWN_ACCEPT;
    assert_int_equal(asked(w, "alice@d.test"), VERDICT_TAKE);
    w->rig->peers[0].greeting = NULL;
    w->rig->peers[0].rcpt = closing; /* of this one: it is there */
    assert_int_equal(asked(w, "bob@d.test"), VERDICT_DEFER);
}

static void a_server_that_serves_nobody_is_there(void **state)
{
    struct world *w = *state;
    w->domain.unknown = UNKNOWN_REJECT;
    w->rig->peers[0].greeting = "554 5.7.1 not you\r\n";
    assert_int_equal(asked(w, "alice@d.test"), VERDICT_DEFER);
    w->rig->peers[0].greeting = NULL;
    assert_int_equal(asked(w, "alice@d.test"), VERDICT_TAKE);
}

static void too_many_questions_are_put_off(void **state)
{
    struct world *w = *state;
    enum { COUNT = ASKER_WAITING_MAX + 50 };
    struct asker_of_one *ones = mem_calloc(COUNT, sizeof(*ones));
    int deferred = 0;
    char name[32];
    w->rig->peers[0].rcpt = silent;
    w->domain.unknown = UNKNOWN_ACCEPT; /* so that what is put off can be told from what was too late */
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof(name), "many-%d@d.test", i);
        ask(w, &ones[i], name);
    }
    RIG_UNTIL(w->rig, ones[0].verdict >= 0);
    for (int i = 0; i < COUNT; i++)
        deferred += ones[i].verdict == VERDICT_DEFER;
    assert_in_range(deferred, 50 - ASKER_SESSIONS_MAX, 50);
    RIG_UNTIL(w->rig, ones[ASKER_WAITING_MAX - 1].verdict >= 0);
    assert_int_equal(w->rig->peers[0].greetings, ASKER_SESSIONS_MAX);
    for (int i = 0; i < COUNT; i++)
        assert_true(ones[i].verdict >= 0);
    free(ones);
}

static void another_place_is_asked_what_the_old_one_had_not_answered(void **state)
{
    struct world *w = *state;
    struct asker_of_one first, second;
    w->rig->peers[0].rcpt = silent;
    w->rig->peers[1].rcpt = honest;
    ask(w, &first, "alice@d.test");
    RIG_UNTIL(w->rig, w->rig->peers[0].rcpts == 1);
    rig_place(w->rig, 0, 1, 2);
    ask(w, &second, "bob@d.test");
    RIG_UNTIL(w->rig, first.verdict >= 0 && second.verdict >= 0);
    assert_int_equal(first.verdict, VERDICT_TAKE);
    assert_int_equal(second.verdict, VERDICT_REFUSE);
}

#define VERIFY_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        VERIFY_TEST(questions_at_the_same_time_are_one),
        VERIFY_TEST(who_went_away_is_not_told),
        VERIFY_TEST(an_answer_holds_until_it_is_stale),
        VERIFY_TEST(a_server_that_is_down_is_remembered_by_the_next_start),
        VERIFY_TEST(what_another_relay_heard_is_not_asked),
        VERIFY_TEST(a_silent_server_refuses_nobody_while_it_counts_as_operational),
        VERIFY_TEST(a_kept_session_that_was_lost_says_nothing),
        VERIFY_TEST(a_server_that_cuts_each_session_is_asked_no_more_than_twice),
        VERIFY_TEST(a_session_ends_before_the_server_loses_patience),
        VERIFY_TEST(trouble_is_not_remembered),
        VERIFY_TEST(a_store_that_fails_is_as_one_that_knows_nothing),
        VERIFY_TEST(one_that_greets_by_421_is_as_one_that_is_down_but_refuses_nobody),
        VERIFY_TEST(a_server_that_serves_nobody_is_there),
        VERIFY_TEST(too_many_questions_are_put_off),
        VERIFY_TEST(another_place_is_asked_what_the_old_one_had_not_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
