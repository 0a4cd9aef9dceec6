#include "net/quota.h"

#include "base/check.h"

static struct str client_key(const struct addr *client)
{
    const size_t prefix_bytes = 8; /* /64, RFC 4291 section 2.5.1 */
    if (client->u.sa.sa_family == AF_INET6)
        return (struct str){(const char *)&client->u.in6.sin6_addr, prefix_bytes};
    return (struct str){(const char *)&client->u.in.sin_addr, sizeof(client->u.in.sin_addr)};
}

/* The map's values are counts in the clothes of pointers. */
static size_t client_count(const struct net_quota *q, struct str key)
{
    return (size_t)(uintptr_t)map_find(&q->clients, key);
}

static void client_set(struct net_quota *q, struct str key, size_t count)
{
    if (count > 0)
        map_set(&q->clients, key, (void *)(uintptr_t)count);
    else
        map_remove(&q->clients, key);
}

void net_quota_init(struct net_quota *q, size_t total_max, size_t client_max)
{
    *q = (struct net_quota){.total_max = total_max, .client_max = client_max};
    map_init(&q->clients);
}

void net_quota_fini(struct net_quota *q)
{
    map_fini(&q->clients);
}

enum net_refusal net_quota_take(struct net_quota *q, const struct addr *client)
{
    struct str key = client_key(client);
    size_t count = client_count(q, key);
    if (q->total_max > 0 && q->total >= q->total_max)
        return NET_REFUSED_TOTAL;
    if (q->client_max > 0 && count >= q->client_max)
        return NET_REFUSED_CLIENT;
    q->total++;
    client_set(q, key, count + 1);
    return NET_ADMITTED;
}

void net_quota_give_back(struct net_quota *q, const struct addr *client)
{
    struct str key = client_key(client);
    size_t count = client_count(q, key);
    CHECK(q->total > 0 && count > 0);
    q->total--;
    client_set(q, key, count - 1);
}
