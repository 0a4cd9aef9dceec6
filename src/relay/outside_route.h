/* Where mail for a domain outside goes, by what the DNS says (RFC 5321 5.1, RFC 7505): pure, random passed
 * in. First the MX records (route_on_mx), or none where a host is given (route_on_host_name); then the
 * addresses of each host that it then lists (route_on_addresses); then route_finish says the places, in the
 * order in which they are tried.
 *
 * Never back to ourselves: a host is ours by its name or by any address of it; then it, and those that are
 * not preferred to it, are left out. All is bounded, whatever the DNS holds. Plain values. */
#ifndef HOLDFAST_RELAY_OUTSIDE_ROUTE_H
#define HOLDFAST_RELAY_OUTSIDE_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/str.h"
#include "resolver/resolver.h"

#define ROUTE_HOSTS_MAX      10 /* the most preferred; who has more has enough of them */
#define ROUTE_HOST_ADDRS_MAX 4  /* of one host, of each family */
#define ROUTE_PLACES_MAX     20 /* RFC 5321 5.1: two at least; each may cost a connection's patience */
#define ROUTE_WHY_MAX        360

enum route_verdict {
    ROUTE_OPEN,      /* the addresses of its hosts are to be asked for */
    ROUTE_READY,     /* there are places */
    ROUTE_LATER,     /* the DNS cannot say now */
    ROUTE_IMPOSSIBLE /* mail for it cannot be delivered: `why` begins with the enhanced status code */
};

/* Who we are. */
struct route_self {
    bool (*is_our_name)(const void *arg, struct str host); /* in lower case */
    bool (*is_our_ip)(const void *arg, const struct addr *ip);
    const void *arg;
};

struct route_host {
    char name[RESOLVER_NAME_MAX];
    uint16_t preference;
    bool ours;
    bool unknown; /* an answer about it failed */
    struct addr v4[ROUTE_HOST_ADDRS_MAX], v6[ROUTE_HOST_ADDRS_MAX];
    size_t v4_count, v6_count;
};

struct route_place {
    struct addr addr; /* with its port */
    char host[RESOLVER_NAME_MAX];
};

struct route {
    enum route_verdict verdict;
    char why[ROUTE_WHY_MAX]; /* of ROUTE_LATER and ROUTE_IMPOSSIBLE */
    bool loops;              /* one of the hosts that were left out is ours */
    struct route_host hosts[ROUTE_HOSTS_MAX];
    size_t host_count;
    struct route_place places[ROUTE_PLACES_MAX];
    size_t place_count;
};

/* 0: then it is decided, without the DNS: the domain is an address literal ("[192.0.2.1]", RFC 5321 4.1.3).
 */
int route_of_literal(struct route *r, const struct route_self *self, struct str domain,
                     uint16_t port) MUST_USE;

/* The domain's MX records. seed: random, for those of equal preference. */
void route_on_mx(struct route *r, const struct route_self *self, const char *domain,
                 const struct resolver_answer *answer, uint64_t seed);
/* Instead: this host, whatever the DNS says about MX. */
void route_on_host_name(struct route *r, const char *host);
/* type: RESOLVER_A or RESOLVER_AAAA; host: into hosts. */
void route_on_addresses(struct route *r, const struct route_self *self, size_t host, enum resolver_type type,
                        const struct resolver_answer *answer);
/* All answers are in. */
void route_finish(struct route *r, const char *domain, uint16_t port);

#endif
