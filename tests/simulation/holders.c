#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "simulation/ledger_impl.h"

#define KEY_MAX_BYTES 512

struct lease {
    int64_t until_ms;
};

/* One instance of an identity. */
struct holder {
    bool able, off, told;
};

struct route {
    char *names; /* the server; NULL: none was written yet */
    int64_t generation, moved_generation;
};

/* Of a queue; NULL: no record says it. */
struct owner {
    char *node, *from;
    bool told;
};

void ledger_holders_init(struct ledger *l)
{
    map_init(&l->epochs);
    map_init(&l->leases);
    map_init(&l->holders);
    map_init(&l->routes);
    map_init(&l->queues);
}

static void free_values(struct map *m)
{
    for (struct map_entry *e = m->first; e; e = e->next)
        free(e->value);
    map_fini(m);
}

void ledger_holders_fini(struct ledger *l)
{
    for (struct map_entry *e = l->routes.first; e; e = e->next)
        free(((struct route *)e->value)->names);
    for (struct map_entry *e = l->queues.first; e; e = e->next) {
        free(((struct owner *)e->value)->node);
        free(((struct owner *)e->value)->from);
    }
    free_values(&l->epochs);
    free_values(&l->leases);
    free_values(&l->holders);
    free_values(&l->routes);
    free_values(&l->queues);
}

/* What the map has at the key, all zero when it is new. */
static void *value_of(struct map *m, size_t size, struct str key)
{
    void *value = map_find(m, key);
    if (!value) {
        value = mem_zalloc(size);
        map_set(m, key, value);
    }
    return value;
}

/* ---- epochs ---- */

static int64_t *epoch_of(struct ledger *l, struct str identity)
{
    return value_of(&l->epochs, sizeof(int64_t), identity);
}

void ledger_began(struct ledger *l, struct str identity, int64_t epoch)
{
    int64_t *highest = epoch_of(l, identity);
    if (epoch <= *highest)
        ledger_violation(l, "epochs: %.*s begins with epoch %lld after %lld", STR_ARG(identity),
                         (long long)epoch, (long long)*highest);
    else
        *highest = epoch;
}

void ledger_fenced(struct ledger *l, struct str identity, int64_t epoch)
{
    int64_t *highest = epoch_of(l, identity);
    if (epoch > *highest)
        *highest = epoch;
}

void ledger_wrote(struct ledger *l, struct str identity, int64_t epoch)
{
    int64_t highest = *epoch_of(l, identity);
    if (epoch != highest)
        ledger_violation(l, "epochs: %.*s writes under epoch %lld, the highest is %lld", STR_ARG(identity),
                         (long long)epoch, (long long)highest);
}

/* ---- leases ---- */

static struct lease *lease_of(struct ledger *l, struct str name, struct str holder)
{
    char key[KEY_MAX_BYTES];
    snprintf(key, sizeof(key), "%.*s\n%.*s", STR_ARG(name), STR_ARG(holder));
    return value_of(&l->leases, sizeof(struct lease), str_from(key));
}

void ledger_leased(struct ledger *l, struct str name, struct str holder, int64_t until_ms)
{
    lease_of(l, name, holder)->until_ms = until_ms;
}

void ledger_serves(struct ledger *l, struct str name, struct str holder, int64_t now_ms)
{
    struct lease *lease = lease_of(l, name, holder);
    int64_t until_ms = lease->until_ms;
    if (now_ms <= until_ms)
        return;
    lease->until_ms = INT64_MAX; /* once is enough */
    ledger_violation(l, "leases: %.*s serves as %.*s, %lld ms after its lease ran out", STR_ARG(holder),
                     STR_ARG(name), (long long)(now_ms - until_ms));
}

/* ---- instances ---- */

static struct holder *holder_of(struct ledger *l, struct str identity, int64_t epoch)
{
    char key[KEY_MAX_BYTES];
    snprintf(key, sizeof(key), "%.*s\n%lld", STR_ARG(identity), (long long)epoch);
    return value_of(&l->holders, sizeof(struct holder), str_from(key));
}

void ledger_able(struct ledger *l, struct str identity, int64_t epoch)
{
    holder_of(l, identity, epoch)->able = true;
}

void ledger_given(struct ledger *l, struct str identity, int64_t epoch)
{
    if (!holder_of(l, identity, epoch)->able)
        ledger_violation(
            l, "unverified: %.*s gets its mail at its instance of epoch %lld, which never could serve",
            STR_ARG(identity), (long long)epoch);
}

void ledger_off(struct ledger *l, struct str identity, int64_t epoch)
{
    holder_of(l, identity, epoch)->off = true;
}

void ledger_lives(struct ledger *l, struct str identity, int64_t epoch)
{
    struct holder *h = holder_of(l, identity, epoch);
    if (!h->off || h->told)
        return;
    h->told = true; /* once is enough */
    ledger_violation(l, "holders: the instance of %.*s of epoch %lld lives, and was said to be off",
                     STR_ARG(identity), (long long)epoch);
}

/* ---- queues ---- */

static struct owner *owner_of(struct ledger *l, struct str queue)
{
    return value_of(&l->queues, sizeof(struct owner), queue);
}

void ledger_queue(struct ledger *l, struct str queue, struct str owner, struct str from)
{
    struct owner *o = owner_of(l, queue);
    free(o->node);
    free(o->from);
    o->node = str_dup(owner);
    o->from = from.len > 0 ? str_dup(from) : NULL;
}

void ledger_relay_anew(struct ledger *l, struct str node)
{
    for (struct map_entry *e = l->queues.first; e; e = e->next) {
        struct owner *o = e->value;
        if (!o->from || !str_eq(str_from(o->from), node))
            continue;
        free(o->from);
        o->from = NULL;
    }
}

/* Some lease of the node runs. */
static bool holds_any(const struct ledger *l, struct str node, int64_t now_ms)
{
    for (const struct map_entry *e = l->leases.first; e; e = e->next) {
        struct str rest = e->key, name;
        str_split(&rest, '\n', &name);
        if (str_starts(name, STR("relay/")) && str_eq(rest, node) &&
            now_ms < ((const struct lease *)e->value)->until_ms)
            return true;
    }
    return false;
}

static const char *why_not(struct ledger *l, const struct owner *o, struct str node, struct str lease,
                           bool home, int64_t now_ms)
{
    if (now_ms >= lease_of(l, lease, node)->until_ms)
        return "without its lease";
    if (!o->node)
        return home ? NULL : "which is another's";
    if (!str_eq(str_from(o->node), node)) /* the owner waits for it, when it is the former one */
        return o->from && str_eq(str_from(o->from), node) ? NULL : "which is another's";
    return o->from && holds_any(l, str_from(o->from), now_ms) ? "which the former owner has not let go of"
                                                              : NULL;
}

void ledger_sends(struct ledger *l, struct str queue, struct str node, struct str lease, bool home,
                  int64_t now_ms)
{
    struct owner *o = owner_of(l, queue);
    const char *why = why_not(l, o, node, lease, home, now_ms);
    if (!why || o->told)
        return;
    o->told = true; /* once is enough */
    ledger_violation(l, "senders: %.*s gives a final dot to mail of %.*s, %s", STR_ARG(node), STR_ARG(queue),
                     why);
}

/* ---- routes ---- */

static struct route *route_of(struct ledger *l, struct str domain)
{
    return value_of(&l->routes, sizeof(struct route), domain);
}

void ledger_routed(struct ledger *l, struct str domain, struct str server, int64_t generation)
{
    struct route *r = route_of(l, domain);
    free(r->names);
    r->names = str_dup(server);
    r->generation = generation;
}

void ledger_moved(struct ledger *l, struct str domain, struct str server)
{
    struct route *r = route_of(l, domain);
    if (!r->names || !str_eq(str_from(r->names), server) || r->generation <= r->moved_generation)
        ledger_violation(l, "routes: the mail of %.*s moved to %.*s, and its route names %s, generation %lld",
                         STR_ARG(domain), STR_ARG(server), r->names ? r->names : "nobody",
                         (long long)r->generation);
    r->moved_generation = r->generation;
}
