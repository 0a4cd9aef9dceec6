#include "net/quota.h"

#include "unit/unit.h"

static enum net_refusal take(struct net_quota *q, const char *client)
{
    struct addr a;
    assert_ok(addr_parse(str_from(client), &a));
    return net_quota_take(q, &a);
}

static void give_back(struct net_quota *q, const char *client)
{
    struct addr a;
    assert_ok(addr_parse(str_from(client), &a));
    net_quota_give_back(q, &a);
}

static void limits_total_and_client(void **state)
{
    (void)state;
    struct net_quota q;
    net_quota_init(&q, 3, 2);
    assert_int_equal(take(&q, "192.0.2.1:1"), NET_ADMITTED);
    assert_int_equal(take(&q, "192.0.2.1:2"), NET_ADMITTED);
    assert_int_equal(take(&q, "192.0.2.1:3"), NET_REFUSED_CLIENT);
    assert_int_equal(take(&q, "192.0.2.2:1"), NET_ADMITTED);
    assert_int_equal(take(&q, "192.0.2.3:1"), NET_REFUSED_TOTAL);
    give_back(&q, "192.0.2.1:9");
    assert_int_equal(take(&q, "192.0.2.1:3"), NET_ADMITTED);
    net_quota_fini(&q);
}

static void nothing_is_kept_of_clients_that_left(void **state)
{
    (void)state;
    struct net_quota q;
    net_quota_init(&q, 0, 1);
    assert_int_equal(take(&q, "192.0.2.1:1"), NET_ADMITTED);
    give_back(&q, "192.0.2.1:1");
    assert_int_equal(q.clients.len, 0);
    assert_int_equal(q.total, 0);
    net_quota_fini(&q);
}

static void ipv6_clients_are_their_network(void **state)
{
    (void)state;
    struct net_quota q;
    net_quota_init(&q, 0, 1);
    assert_int_equal(take(&q, "[2001:db8:0:1::1]:1"), NET_ADMITTED);
    assert_int_equal(take(&q, "[2001:db8:0:1:ffff::1]:1"), NET_REFUSED_CLIENT);
    assert_int_equal(take(&q, "[2001:db8:0:2::1]:1"), NET_ADMITTED);
    net_quota_fini(&q);
}

static void zero_is_no_limit(void **state)
{
    (void)state;
    struct net_quota q;
    net_quota_init(&q, 0, 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(take(&q, "192.0.2.1:1"), NET_ADMITTED);
    net_quota_fini(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_total_and_client),
        cmocka_unit_test(nothing_is_kept_of_clients_that_left),
        cmocka_unit_test(ipv6_clients_are_their_network),
        cmocka_unit_test(zero_is_no_limit),
    };
    return cmocka_run_group_tests_name("net quota", tests, NULL, NULL);
}
