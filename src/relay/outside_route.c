#include "relay/outside_route.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void decide(struct route *r, enum route_verdict verdict, const char *fmt, ...) PRINTF_LIKE(3, 4);

static void decide(struct route *r, enum route_verdict verdict, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    r->verdict = verdict;
    vsnprintf(r->why, sizeof(r->why), fmt, args);
    va_end(args);
}

static void decide_loop(struct route *r, const char *domain)
{
    decide(r, ROUTE_IMPOSSIBLE,
           "5.4.6 Mail for %s loops back to ourselves: it leads to no host but ours, or "
           "to none that is preferred to ours",
           domain);
}

/* ---- MX records ---- */

struct ranked {
    const struct resolver_mx *mx;
    uint64_t key; /* preference, then random */
};

static int rank_cmp(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

/* xorshift64: nobody is hurt when the order among equals is guessed. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static size_t rank(const struct resolver_answer *a, uint64_t seed, struct ranked ranked[RESOLVER_RECORDS_MAX])
{
    size_t count = a->mx_count < RESOLVER_RECORDS_MAX ? a->mx_count : RESOLVER_RECORDS_MAX;
    seed |= 1; /* never all zero bits, which it would keep */
    for (size_t i = 0; i < count; i++)
        ranked[i] =
            (struct ranked){&a->mx[i], (uint64_t)a->mx[i].preference << 48 | next_random(&seed) >> 16};
    qsort(ranked, count, sizeof(*ranked), rank_cmp);
    return count;
}

static void add_host(struct route *r, const char *name, uint16_t preference)
{
    struct route_host *h = &r->hosts[r->host_count++];
    *h = (struct route_host){.preference = preference};
    snprintf(h->name, sizeof(h->name), "%s", name);
}

/* Those that are preferred to the first of ours, the best of them. */
static void add_ranked(struct route *r, const struct route_self *self, const struct ranked *ranked,
                       size_t count)
{
    int ours = UINT16_MAX + 1;
    for (size_t i = 0; i < count && ours > UINT16_MAX; i++)
        if (self->is_our_name(self->arg, str_from(ranked[i].mx->host)))
            ours = ranked[i].mx->preference;
    r->loops = ours <= UINT16_MAX;
    for (size_t i = 0; i < count && ranked[i].mx->preference < ours && r->host_count < ROUTE_HOSTS_MAX; i++)
        if (ranked[i].mx->host[0]) /* RFC 7505 3: a root among others names nobody */
            add_host(r, ranked[i].mx->host, ranked[i].mx->preference);
}

static void take_mx(struct route *r, const struct route_self *self, const char *domain,
                    const struct resolver_answer *answer, uint64_t seed)
{
    struct ranked ranked[RESOLVER_RECORDS_MAX];
    size_t count = rank(answer, seed, ranked);
    if (count == 1 && !ranked[0].mx->host[0]) {
        decide(r, ROUTE_IMPOSSIBLE, "5.1.10 %s takes no mail (null MX, RFC 7505)", domain);
        return;
    }
    add_ranked(r, self, ranked, count);
    if (r->host_count == 0 && r->loops)
        decide_loop(r, domain);
    else if (r->host_count == 0)
        decide(r, ROUTE_IMPOSSIBLE, "5.4.4 The MX records of %s name no host", domain);
}

void route_on_mx(struct route *r, const struct route_self *self, const char *domain,
                 const struct resolver_answer *answer, uint64_t seed)
{
    *r = (struct route){.verdict = ROUTE_OPEN};
    switch (answer->status) {
    case RESOLVER_FOUND:
        take_mx(r, self, domain, answer, seed);
        break;
    case RESOLVER_NO_DATA: /* the implicit MX */
        if (self->is_our_name(self->arg, str_from(domain)))
            decide_loop(r, domain);
        else
            add_host(r, domain, 0);
        break;
    case RESOLVER_NO_NAME:
        decide(r, ROUTE_IMPOSSIBLE, "5.1.2 There is no domain %s", domain);
        break;
    case RESOLVER_FAILED:
        decide(r, ROUTE_LATER, "4.4.3 MX of %s: %s", domain, answer->detail);
        break;
    }
}

void route_on_host_name(struct route *r, const char *host)
{
    *r = (struct route){.verdict = ROUTE_OPEN};
    add_host(r, host, 0);
}

/* ---- addresses ---- */

/* No host is there: connecting to 0.0.0.0 would reach ourselves. */
static bool leads_nowhere(const struct addr *a)
{
    if (a->u.sa.sa_family == AF_INET)
        return (ntohl(a->u.in.sin_addr.s_addr) >> 24) == 0 || IN_MULTICAST(ntohl(a->u.in.sin_addr.s_addr)) ||
               a->u.in.sin_addr.s_addr == INADDR_BROADCAST;
    return IN6_IS_ADDR_UNSPECIFIED(&a->u.in6.sin6_addr) || IN6_IS_ADDR_MULTICAST(&a->u.in6.sin6_addr) ||
           IN6_IS_ADDR_V4MAPPED(&a->u.in6.sin6_addr);
}

void route_on_addresses(struct route *r, const struct route_self *self, size_t host, enum resolver_type type,
                        const struct resolver_answer *answer)
{
    struct route_host *h = &r->hosts[host];
    struct addr *to = type == RESOLVER_A ? h->v4 : h->v6;
    size_t *count = type == RESOLVER_A ? &h->v4_count : &h->v6_count;
    if (answer->status == RESOLVER_FAILED) {
        h->unknown = true;
        snprintf(r->why, sizeof(r->why), "4.4.3 Address of %s: %s", h->name, answer->detail);
    }
    for (size_t i = 0; i < answer->addr_count; i++) {
        h->ours |= self->is_our_ip(self->arg, &answer->addrs[i]);
        if (*count < ROUTE_HOST_ADDRS_MAX && !leads_nowhere(&answer->addrs[i]))
            to[(*count)++] = answer->addrs[i];
    }
}

static void add_place(struct route *r, const char *host, const struct addr *addr, uint16_t port)
{
    if (r->place_count == ROUTE_PLACES_MAX)
        return;
    struct route_place *p = &r->places[r->place_count++];
    p->addr = *addr;
    addr_set_port(&p->addr, port);
    snprintf(p->host, sizeof(p->host), "%s", host);
}

/* By turns, so that a family that leads nowhere costs one attempt before the other has its chance. */
static void add_places(struct route *r, const struct route_host *h, uint16_t port)
{
    for (size_t i = 0; i < ROUTE_HOST_ADDRS_MAX; i++) {
        if (i < h->v4_count)
            add_place(r, h->name, &h->v4[i], port);
        if (i < h->v6_count)
            add_place(r, h->name, &h->v6[i], port);
    }
}

void route_finish(struct route *r, const char *domain, uint16_t port)
{
    int ours = UINT16_MAX + 1;
    bool unknown = false;
    for (size_t i = 0; i < r->host_count; i++)
        if (r->hosts[i].ours && r->hosts[i].preference < ours)
            ours = r->hosts[i].preference;
    r->loops |= ours <= UINT16_MAX;
    for (size_t i = 0; i < r->host_count && r->hosts[i].preference < ours; i++) {
        unknown |= r->hosts[i].unknown;
        add_places(r, &r->hosts[i], port);
    }
    if (r->place_count > 0)
        decide(r, ROUTE_READY, "%s", "");
    else if (unknown)
        r->verdict = ROUTE_LATER; /* why is set */
    else if (r->loops)
        decide_loop(r, domain);
    else
        decide(r, ROUTE_IMPOSSIBLE, "5.4.4 No host that would take mail for %s has an address", domain);
}

int route_of_literal(struct route *r, const struct route_self *self, struct str domain, uint16_t port)
{
    struct addr a;
    struct str ip = str_sub(domain, 1, domain.len - 2);
    char text[ADDR_TEXT_MAX];
    if (domain.len < 3 || domain.ptr[0] != '[' || domain.ptr[domain.len - 1] != ']')
        return ERR_NOT_FOUND;
    if (str_istarts(ip, STR("IPv6:")))
        ip = str_sub(ip, 5, SIZE_MAX);
    *r = (struct route){.verdict = ROUTE_IMPOSSIBLE};
    if (addr_parse_ip(ip, port, &a) < 0 || leads_nowhere(&a)) {
        decide(r, ROUTE_IMPOSSIBLE, "5.1.2 %.*s is no address of a host", STR_ARG(str_sub(domain, 0, 100)));
    } else if (self->is_our_ip(self->arg, &a)) {
        addr_format_ip(&a, text);
        decide_loop(r, text);
    } else {
        addr_format_ip(&a, text);
        add_place(r, text, &a, port);
        r->verdict = ROUTE_READY;
    }
    return 0;
}
