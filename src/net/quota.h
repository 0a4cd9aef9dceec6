/* Counts connections, in all and by client, against limits. An IPv6 client is
 * its /64: one customer has that many addresses for nothing. Pure. */
#ifndef HOLDFAST_NET_QUOTA_H
#define HOLDFAST_NET_QUOTA_H

#include "base/addr.h"
#include "base/map.h"

enum net_refusal {
    NET_ADMITTED,
    NET_REFUSED_TOTAL,  /* there are too many connections */
    NET_REFUSED_CLIENT, /* this client has too many */
};

struct net_quota {
    size_t total_max, client_max; /* 0: no limit */
    size_t total;
    struct map clients; /* address to count */
};

void net_quota_init(struct net_quota *q, size_t total_max, size_t client_max);
void net_quota_fini(struct net_quota *q);

/* Counts one more when it is admitted. */
enum net_refusal net_quota_take(struct net_quota *q, const struct addr *client);
void net_quota_give_back(struct net_quota *q, const struct addr *client);

#endif
