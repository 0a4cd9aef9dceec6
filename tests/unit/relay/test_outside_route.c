/* Where mail for outside goes, by answers of the DNS that are made up here. */
#include "relay/outside_route.h"
#include "unit/unit.h"

static bool is_our_name(const void *arg, struct str host)
{
    (void)arg;
    return str_eq(host, STR("relay.example.test"));
}

static bool is_our_ip(const void *arg, const struct addr *ip)
{
    char text[ADDR_TEXT_MAX];
    (void)arg;
    addr_format_ip(ip, text);
    return strcmp(text, "192.0.2.66") == 0;
}

static const struct route_self self = {is_our_name, is_our_ip, NULL};

static struct addr ip(const char *text)
{
    struct addr a;
    assert_ok(addr_parse_ip(str_from(text), 0, &a));
    return a;
}

static void on_mx(struct route *r, const struct resolver_mx *mx, size_t count, uint64_t seed)
{
    struct resolver_answer answer = {.status = RESOLVER_FOUND, .detail = "", .mx = mx, .mx_count = count};
    route_on_mx(r, &self, "far.example", &answer, seed);
}

static void on_status(struct route *r, enum resolver_status status)
{
    struct resolver_answer answer = {.status = status, .detail = "the name servers do not answer"};
    route_on_mx(r, &self, "far.example", &answer, 1);
}

static void on_addr(struct route *r, size_t host, const char *text)
{
    struct addr a = ip(text);
    struct resolver_answer answer = {.status = RESOLVER_FOUND, .detail = "", .addrs = &a, .addr_count = 1};
    route_on_addresses(r, &self, host, strchr(text, ':') ? RESOLVER_AAAA : RESOLVER_A, &answer);
}

static void on_addr_status(struct route *r, size_t host, enum resolver_status status)
{
    struct resolver_answer answer = {.status = status, .detail = "the name servers do not answer"};
    route_on_addresses(r, &self, host, RESOLVER_A, &answer);
}

static void finish(struct route *r)
{
    route_finish(r, "far.example", 25);
}

#define assert_impossible(r, code)                                                                           \
    do {                                                                                                     \
        assert_int_equal((r)->verdict, ROUTE_IMPOSSIBLE);                                                    \
        assert_true(str_starts(str_from((r)->why), STR(code " ")));                                          \
    } while (0)

static void the_preferred_come_first(void **state)
{
    const struct resolver_mx mx[] = {{30, "c.far.example"}, {10, "a.far.example"}, {20, "b.far.example"}};
    struct route r;
    (void)state;
    on_mx(&r, mx, 3, 1);
    assert_int_equal(r.verdict, ROUTE_OPEN);
    assert_int_equal(r.host_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(r.hosts[i].name[0], "abc"[i]);
    on_addr(&r, 2, "192.0.2.3");
    on_addr(&r, 0, "2001:db8::1");
    on_addr(&r, 0, "192.0.2.1");
    on_addr_status(&r, 1, RESOLVER_NO_NAME);
    finish(&r);
    assert_int_equal(r.verdict, ROUTE_READY);
    assert_int_equal(r.place_count, 3);
    assert_string_equal(r.places[0].host, "a.far.example");
    assert_int_equal(addr_port(&r.places[0].addr), 25);
    assert_string_equal(r.places[1].host, "a.far.example");
    assert_string_equal(r.places[2].host, "c.far.example");
}

/* RFC 5321 5.1: equals in any order, so that they share the work. */
static void equals_take_turns(void **state)
{
    const struct resolver_mx mx[] = {{10, "a.far.example"}, {10, "b.far.example"}};
    int first[2] = {0, 0};
    struct route r;
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        on_mx(&r, mx, 2, seed * 0x9e3779b97f4a7c15U);
        first[r.hosts[0].name[0] - 'a']++;
    }
    assert_in_range(first[0], 25, 75);
}

static void without_mx_the_domain_is_the_host(void **state)
{
    struct route r;
    (void)state;
    on_status(&r, RESOLVER_NO_DATA);
    assert_int_equal(r.verdict, ROUTE_OPEN);
    assert_string_equal(r.hosts[0].name, "far.example");
    on_addr(&r, 0, "192.0.2.1");
    finish(&r);
    assert_int_equal(r.verdict, ROUTE_READY);
}

static void what_cannot_be_delivered_says_why(void **state)
{
    const struct resolver_mx null[] = {{0, ""}}, roots[] = {{0, ""}, {5, ""}}, one[] = {{0, "a.far.example"}};
    struct route r;
    (void)state;
    on_mx(&r, null, 1, 1);
    assert_impossible(&r, "5.1.10");
    on_mx(&r, roots, 2, 1);
    assert_impossible(&r, "5.4.4");
    on_mx(&r, NULL, 0, 1); /* only what is no host name */
    assert_impossible(&r, "5.4.4");
    on_status(&r, RESOLVER_NO_NAME);
    assert_impossible(&r, "5.1.2");
    on_mx(&r, one, 1, 1);
    on_addr_status(&r, 0, RESOLVER_NO_NAME);
    on_addr(&r, 0, "0.0.0.0"); /* would be ourselves */
    on_addr(&r, 0, "224.0.0.1");
    finish(&r);
    assert_impossible(&r, "5.4.4");
}

static void what_is_not_known_now_waits(void **state)
{
    const struct resolver_mx mx[] = {{10, "a.far.example"}, {20, "b.far.example"}};
    struct route r;
    (void)state;
    on_status(&r, RESOLVER_FAILED);
    assert_int_equal(r.verdict, ROUTE_LATER);
    assert_non_null(strstr(r.why, "the name servers do not answer"));
    on_mx(&r, mx, 2, 1);
    on_addr_status(&r, 0, RESOLVER_FAILED);
    on_addr_status(&r, 1, RESOLVER_NO_NAME);
    finish(&r);
    assert_int_equal(r.verdict, ROUTE_LATER);
    on_mx(&r, mx, 2, 1);
    on_addr_status(&r, 0, RESOLVER_FAILED);
    on_addr(&r, 1, "192.0.2.2"); /* the other one is known */
    finish(&r);
    assert_int_equal(r.verdict, ROUTE_READY);
}

/* RFC 5321 5.1: those of our own preference or worse are left out. */
static void never_to_ourselves_by_name(void **state)
{
    const struct resolver_mx backup[] = {
        {20, "relay.example.test"}, {10, "a.far.example"}, {20, "b.far.example"}, {30, "c.far.example"}};
    const struct resolver_mx first[] = {{10, "relay.example.test"}, {20, "a.far.example"}};
    struct route r;
    (void)state;
    on_mx(&r, backup, 4, 1);
    assert_int_equal(r.host_count, 1);
    assert_string_equal(r.hosts[0].name, "a.far.example");
    on_addr_status(&r, 0, RESOLVER_NO_NAME);
    finish(&r);
    assert_impossible(&r, "5.4.6");
    on_mx(&r, first, 2, 1);
    assert_impossible(&r, "5.4.6");
}

static void never_to_ourselves_by_address(void **state)
{
    const struct resolver_mx mx[] = {{10, "a.far.example"}, {20, "b.far.example"}, {30, "c.far.example"}};
    struct route r;
    (void)state;
    on_mx(&r, mx, 3, 1);
    on_addr(&r, 0, "192.0.2.1");
    on_addr(&r, 1, "192.0.2.2");
    on_addr(&r, 1, "192.0.2.66");
    on_addr(&r, 2, "192.0.2.3");
    finish(&r);
    assert_int_equal(r.place_count, 1);
    assert_string_equal(r.places[0].host, "a.far.example");
    on_status(&r, RESOLVER_NO_DATA);
    on_addr(&r, 0, "192.0.2.66");
    finish(&r);
    assert_impossible(&r, "5.4.6");
}

static void an_address_literal_needs_no_dns(void **state)
{
    struct route r;
    (void)state;
    assert_err(route_of_literal(&r, &self, STR("far.example"), 25), ERR_NOT_FOUND);
    assert_ok(route_of_literal(&r, &self, STR("[192.0.2.7]"), 25));
    assert_int_equal(r.verdict, ROUTE_READY);
    assert_int_equal(addr_port(&r.places[0].addr), 25);
    assert_ok(route_of_literal(&r, &self, STR("[IPv6:2001:db8::7]"), 25));
    assert_int_equal(r.verdict, ROUTE_READY);
    assert_ok(route_of_literal(&r, &self, STR("[192.0.2.66]"), 25));
    assert_impossible(&r, "5.4.6");
    assert_ok(route_of_literal(&r, &self, STR("[x]"), 25));
    assert_impossible(&r, "5.1.2");
    assert_ok(route_of_literal(&r, &self, STR("[0.0.0.0]"), 25));
    assert_impossible(&r, "5.1.2");
}

static void all_is_bounded(void **state)
{
    static struct resolver_mx mx[RESOLVER_RECORDS_MAX];
    struct route r;
    (void)state;
    for (size_t i = 0; i < RESOLVER_RECORDS_MAX; i++)
        mx[i] = (struct resolver_mx){(uint16_t)(RESOLVER_RECORDS_MAX - i), "a.far.example"};
    on_mx(&r, mx, RESOLVER_RECORDS_MAX, 1);
    assert_int_equal(r.host_count, ROUTE_HOSTS_MAX);
    assert_int_equal(r.hosts[0].preference, 1);
    for (size_t i = 0; i < r.host_count; i++)
        for (int n = 0; n < 20; n++) {
            on_addr(&r, i, "192.0.2.1");
            on_addr(&r, i, "2001:db8::1");
        }
    finish(&r);
    assert_int_equal(r.place_count, ROUTE_PLACES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_preferred_come_first),
        cmocka_unit_test(equals_take_turns),
        cmocka_unit_test(without_mx_the_domain_is_the_host),
        cmocka_unit_test(what_cannot_be_delivered_says_why),
        cmocka_unit_test(what_is_not_known_now_waits),
        cmocka_unit_test(never_to_ourselves_by_name),
        cmocka_unit_test(never_to_ourselves_by_address),
        cmocka_unit_test(an_address_literal_needs_no_dns),
        cmocka_unit_test(all_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
