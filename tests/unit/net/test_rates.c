/* What clients may do in a time, each and all together, and how many of them are remembered. */
#include "net/rates.h"

#include <stdio.h>

#include "unit/unit.h"

static const struct mono_time start = {3600LL * 1000 * NS_PER_MS};

static struct addr at(const char *ip)
{
    struct addr a;
    assert_ok(addr_parse_ip(str_from(ip), 1234, &a));
    return a;
}

/* One of many /64s. */
static struct addr nth(unsigned n)
{
    char ip[64];
    snprintf(ip, sizeof(ip), "2001:db8:%x:%x::1", n >> 16, n & 0xffff);
    return at(ip);
}

static enum rates_word take(struct rates *r, enum rates_kind kind, const char *ip, struct mono_time now)
{
    struct addr client = at(ip);
    return rates_take(r, kind, &client, now).word;
}

static enum rates_word ask(const struct rates *r, enum rates_kind kind, const char *ip, struct mono_time now)
{
    struct addr client = at(ip);
    return rates_ask(r, kind, &client, now).word;
}

static void each_client_has_a_rate_of_its_own(void **state)
{
    static const struct {
        const char *first, *second;
        enum rates_word word;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", RATES_CLIENT_OVER},
        {"192.0.2.1", "192.0.2.2", RATES_GRANTED},
        {"192.0.2.1", "::ffff:192.0.2.1", RATES_CLIENT_OVER},
        {"2001:db8::1", "2001:db8::ffff:1", RATES_CLIENT_OVER}, /* of one /64 */
        {"2001:db8::1", "2001:db8:0:1::1", RATES_GRANTED},
    };
    struct rates_limits limits = {.of_client = {[RATES_MESSAGES] = {1, 60000}}, .clients_max = 10};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rates r;
        rates_init(&r, &limits);
        assert_int_equal(ask(&r, RATES_MESSAGES, cases[i].second, start), RATES_GRANTED);
        assert_int_equal(take(&r, RATES_MESSAGES, cases[i].first, start), RATES_GRANTED);
        assert_int_equal(ask(&r, RATES_MESSAGES, cases[i].second, start), cases[i].word);
        assert_int_equal(take(&r, RATES_MESSAGES, cases[i].second, start), cases[i].word);
        assert_int_equal(take(&r, RATES_RECIPIENTS, cases[i].first, start), RATES_GRANTED);
        assert_int_equal(take(&r, RATES_MESSAGES, cases[i].first, mono_add_ms(start, 60000)), RATES_GRANTED);
        rates_fini(&r);
    }
}

static void all_together_have_one_that_refusals_do_not_use_up(void **state)
{
    struct rates_limits limits = {.of_client = {[RATES_CONNECTIONS] = {1, 60000}},
                                  .of_all = {[RATES_CONNECTIONS] = {2, 10000}},
                                  .clients_max = 10};
    struct rates r;
    struct addr third = at("192.0.2.3");
    (void)state;
    rates_init(&r, &limits);
    assert_int_equal(take(&r, RATES_CONNECTIONS, "192.0.2.1", start), RATES_GRANTED);
    for (int i = 0; i < 5; i++)
        assert_int_equal(take(&r, RATES_CONNECTIONS, "192.0.2.1", start), RATES_CLIENT_OVER);
    assert_int_equal(take(&r, RATES_CONNECTIONS, "192.0.2.2", start), RATES_GRANTED);
    struct rates_answer answer = rates_take(&r, RATES_CONNECTIONS, &third, start);
    assert_int_equal(answer.word, RATES_ALL_OVER);
    assert_int_equal(answer.rate.count, 2);
    assert_int_equal(answer.wait_ms, 5000);
    /* His own was not used up by that. */
    assert_int_equal(take(&r, RATES_CONNECTIONS, "192.0.2.3", mono_add_ms(start, 5000)), RATES_GRANTED);
    rates_fini(&r);
}

static void many_clients_grow_nothing_and_free_nobody(void **state)
{
    struct rates_limits limits = {.of_client = {[RATES_ERRORS] = {2, 3600000}}, .clients_max = 100};
    struct rates r;
    (void)state;
    rates_init(&r, &limits);
    take(&r, RATES_ERRORS, "192.0.2.1", start);
    take(&r, RATES_ERRORS, "192.0.2.1", start);
    take(&r, RATES_ERRORS, "192.0.2.2", start);
    for (unsigned i = 0; i < 100000; i++) {
        struct addr client = nth(i);
        assert_int_equal(rates_take(&r, RATES_ERRORS, &client, start).word, RATES_GRANTED);
        assert_true(r.clients.len <= 100);
    }
    assert_int_equal(ask(&r, RATES_ERRORS, "192.0.2.1", start), RATES_CLIENT_OVER);
    /* Who was below his limit is forgotten: the longest ago first. */
    take(&r, RATES_ERRORS, "192.0.2.2", start);
    assert_int_equal(ask(&r, RATES_ERRORS, "192.0.2.2", start), RATES_GRANTED);
    rates_fini(&r);
}

/* Whoever fills the memory with clients that are over a limit turns that against nobody. */
static void a_new_client_is_let_in_while_all_are_over(void **state)
{
    struct rates_limits limits = {.of_client = {[RATES_ERRORS] = {1, 60000}},
                                  .of_all = {[RATES_ERRORS] = {100, 60000}},
                                  .clients_max = 10};
    struct rates r;
    (void)state;
    rates_init(&r, &limits);
    for (unsigned i = 0; i < 10; i++) {
        struct addr client = nth(i);
        assert_int_equal(rates_take(&r, RATES_ERRORS, &client, start).word, RATES_GRANTED);
    }
    for (unsigned i = 0; i < 90; i++)
        assert_int_equal(take(&r, RATES_ERRORS, "192.0.2.1", start), RATES_GRANTED);
    assert_int_equal(r.clients.len, 10);
    assert_int_equal(take(&r, RATES_ERRORS, "192.0.2.1", start), RATES_ALL_OVER);
    /* Once they are below it again, their places are his. */
    struct mono_time later = mono_add_ms(start, 60000);
    assert_int_equal(take(&r, RATES_ERRORS, "192.0.2.1", later), RATES_GRANTED);
    assert_int_equal(take(&r, RATES_ERRORS, "192.0.2.1", later), RATES_CLIENT_OVER);
    assert_int_equal(r.clients.len, 10);
    rates_fini(&r);
}

static void other_limits_hold_at_once(void **state)
{
    struct rates_limits limits = {.of_client = {[RATES_MESSAGES] = {1, 60000}}, .clients_max = 10};
    struct rates r;
    (void)state;
    rates_init(&r, &limits);
    for (unsigned i = 0; i < 10; i++) {
        struct addr client = nth(i);
        assert_int_equal(rates_take(&r, RATES_MESSAGES, &client, start).word, RATES_GRANTED);
    }
    limits = (struct rates_limits){.of_client = {[RATES_MESSAGES] = {2, 60000}}, .clients_max = 2};
    rates_configure(&r, &limits);
    assert_int_equal(r.clients.len, 2);
    limits.of_client[RATES_MESSAGES].count = 0;
    rates_configure(&r, &limits);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(take(&r, RATES_MESSAGES, "192.0.2.1", start), RATES_GRANTED);
    assert_int_equal(r.clients.len, 2); /* nobody is remembered for what has no limit */
    rates_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_client_has_a_rate_of_its_own),
        cmocka_unit_test(all_together_have_one_that_refusals_do_not_use_up),
        cmocka_unit_test(many_clients_grow_nothing_and_free_nobody),
        cmocka_unit_test(a_new_client_is_let_in_while_all_are_over),
        cmocka_unit_test(other_limits_hold_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
