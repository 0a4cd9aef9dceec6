/* Asks the DNS where mail for a domain outside goes: the questions that outside_route.h wants answered, at
 * most twenty at a time. For outside_destination. Nothing here survives a crash. */
#ifndef HOLDFAST_RELAY_OUTSIDE_LOOKUP_H
#define HOLDFAST_RELAY_OUTSIDE_LOOKUP_H

#include "loop/loop.h"
#include "relay/outside_route.h"
#include "resolver/resolver.h"

struct outside_lookup;

struct outside_lookup_options {
    struct loop *loop;
    struct resolver *resolver; /* NULL: nothing can be asked; literals and addresses are known without it */
    struct route_self self;
    const char *smarthost; /* its name or address: asked for instead of the domain's MX; NULL or "": none */
    uint16_t port;         /* of the places */
};

/* on_route fires once, never from inside the call; the lookup is then gone, and route is valid during the
 * call. What options point to must outlive it; domain is copied. */
struct outside_lookup *outside_lookup_new(const struct outside_lookup_options *options, const char *domain,
                                          void (*on_route)(void *arg, const struct route *route), void *arg);
void outside_lookup_cancel(struct outside_lookup *l); /* NULL is allowed */

#endif
