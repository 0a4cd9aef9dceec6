/* Where servers run and which server has a domain's mail, as the caller of the
 * DNS role reads it from the store's records. All strings and arrays are
 * copied by those who take these structs. */
#ifndef HOLDFAST_DNS_ROUTES_H
#define HOLDFAST_DNS_ROUTES_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/time.h"
#include "dns/steering.h"
#include "health/words.h"

/* One server's identity. A builtin server without a route runs nowhere yet; an
 * external one runs where the configuration says. */
struct dns_route {
    const char *server; /* its name in the configuration; others are passed over */
    enum health_state
        state;             /* HEALTH_OPERATIONAL: an instance holds the identity, its probes judge it;
                              HEALTH_FENCED, HEALTH_CREATING, HEALTH_RETIRED: none does, or it shall get no mail */
    const char *served_by; /* the standby server that stands in for it; NULL or "": itself */
    struct addr addresses[DNS_ADDRESSES_MAX]; /* of the instance; ports are not looked at */
    size_t address_count;                     /* 0: as configured */
    int64_t epoch;                            /* of the instance */
    const char *expect; /* text that tells this instance of a builtin server from others; NULL or "": none */
};

/* Which server is a domain's home; a domain without an entry has the configured one. */
struct dns_domain_route {
    const char *domain, *server;
};

struct dns_routes {
    const struct dns_route *servers;
    size_t server_count;
    const struct dns_domain_route *domains;
    size_t domain_count;
    struct mono_time valid_until; /* by this process's loop: when the lease of what was read runs out */
};

#endif
