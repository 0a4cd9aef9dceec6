/* Hosts, the links between them, and whose an address is. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "loop/sim_impl.h"

#define BOOT_MAX_NS                                                                                          \
    (100LL * 24 * 3600 * 1000 * NS_PER_MS) /* hosts have been up for at most a hundred days                  \
                                            */
#define LAST_PORT  60999                   /* as Linux's range of ephemeral ports */
#define FIRST_PORT 32768

struct cut {
    struct list node;
    struct sim_host *from, *to;
};

struct address {
    struct list node;
    struct addr ip; /* port 0 */
    struct sim_host *owner;
};

/* ---- hosts ---- */

struct sim_host *sim_host_find(struct sim_world *w, const char *name)
{
    unsigned number = 1;
    LIST_FOREACH (it, &w->hosts) {
        struct sim_host *h = LIST_ENTRY(it, struct sim_host, node);
        if (strcmp(h->name, name) == 0)
            return h;
        number++;
    }
    struct sim_host *h = mem_zalloc(sizeof(*h));
    h->name = mem_strdup(name);
    h->number = number;
    h->boot_ns = (int64_t)sim_random_below(w, BOOT_MAX_NS);
    list_append(&w->hosts, &h->node);
    return h;
}

static void free_nodes(struct list *head, void (*free_node)(struct list *node))
{
    while (!list_empty(head)) {
        struct list *node = head->next;
        list_remove(node);
        free_node(node);
    }
}

static void host_free(struct list *node)
{
    struct sim_host *h = LIST_ENTRY(node, struct sim_host, node);
    free(h->name);
    free(h);
}

static void cut_free(struct list *node)
{
    free(LIST_ENTRY(node, struct cut, node));
}

static void address_free(struct list *node)
{
    free(LIST_ENTRY(node, struct address, node));
}

static void conn_free(struct list *node)
{
    sim_conn_drop(LIST_ENTRY(node, struct sim_conn, node));
}

void sim_net_fini(struct sim_world *w)
{
    free_nodes(&w->conns, conn_free);
    free_nodes(&w->cuts, cut_free);
    free_nodes(&w->addresses, address_free);
    free_nodes(&w->hosts, host_free);
}

/* ---- links ---- */

void sim_net_latency(struct sim_world *w, int64_t min_us, int64_t max_us)
{
    CHECK(min_us >= 0 && max_us >= min_us);
    w->latency_min_ns = min_us * 1000;
    w->latency_max_ns = max_us * 1000;
}

int64_t sim_net_delay_ns(struct sim_world *w)
{
    uint64_t spread = (uint64_t)(w->latency_max_ns - w->latency_min_ns) + 1;
    return w->latency_min_ns + (int64_t)sim_random_below(w, spread);
}

static struct cut *cut_find(const struct sim_world *w, const struct sim_host *from, const struct sim_host *to)
{
    LIST_FOREACH (it, &w->cuts) {
        struct cut *c = LIST_ENTRY(it, struct cut, node);
        if (c->from == from && c->to == to)
            return c;
    }
    return NULL;
}

bool sim_net_is_cut(const struct sim_world *w, const struct sim_host *from, const struct sim_host *to)
{
    return from != to && (from->isolated || to->isolated || cut_find(w, from, to));
}

static void links_healed(struct sim_world *w)
{
    LIST_FOREACH (it, &w->conns)
        sim_conn_healed(LIST_ENTRY(it, struct sim_conn, node));
}

void sim_net_cut(struct sim_world *w, const char *host_from, const char *host_to, bool cut)
{
    struct sim_host *from = sim_host_find(w, host_from), *to = sim_host_find(w, host_to);
    struct cut *c = cut_find(w, from, to);
    if (cut && !c) {
        c = mem_alloc(sizeof(*c));
        *c = (struct cut){.from = from, .to = to};
        list_append(&w->cuts, &c->node);
    } else if (!cut && c) {
        list_remove(&c->node);
        free(c);
        links_healed(w);
    }
}

void sim_net_isolate(struct sim_world *w, const char *host, bool isolated)
{
    sim_host_find(w, host)->isolated = isolated;
    if (!isolated)
        links_healed(w);
}

static bool is_established(const struct sim_conn *c)
{
    return c->ends[0].stream && c->ends[1].stream;
}

static bool is_resettable(const struct sim_conn *c)
{
    return is_established(c) && c->ends[0].host != c->ends[1].host;
}

bool sim_net_reset_one(struct sim_world *w)
{
    uint64_t count = 0;
    LIST_FOREACH (it, &w->conns)
        count += is_resettable(LIST_ENTRY(it, struct sim_conn, node));
    if (count == 0)
        return false;
    uint64_t chosen = sim_random_below(w, count);
    LIST_FOREACH (it, &w->conns) {
        struct sim_conn *c = LIST_ENTRY(it, struct sim_conn, node);
        if (is_resettable(c) && chosen-- == 0) {
            sim_conn_reset(c);
            break;
        }
    }
    return true;
}

bool sim_net_reset_accepted(struct loop *l)
{
    bool any = false;
    LIST_FOREACH (it, &sim_of(l)->world->conns) {
        struct sim_conn *c = LIST_ENTRY(it, struct sim_conn, node);
        if (!is_established(c) || c->ends[1].loop != sim_of(l))
            continue;
        sim_conn_reset(c);
        any = true;
    }
    return any;
}

/* ---- addresses ---- */

static struct address *address_find(const struct sim_world *w, const struct addr *at)
{
    LIST_FOREACH (it, &w->addresses) {
        struct address *a = LIST_ENTRY(it, struct address, node);
        if (addr_ip_eq(&a->ip, at))
            return a;
    }
    return NULL;
}

void sim_address_claim(struct sim_world *w, const struct addr *at, struct sim_host *h)
{
    struct address *a = address_find(w, at);
    if (!a) {
        a = mem_alloc(sizeof(*a));
        a->ip = *at;
        addr_set_port(&a->ip, 0);
        list_append(&w->addresses, &a->node);
    }
    a->owner = h;
}

struct sim_host *sim_address_owner(const struct sim_world *w, const struct addr *at)
{
    struct address *a = address_find(w, at);
    return a ? a->owner : NULL;
}

/* The first address that the host listened on, or one of its own. */
void sim_address_choose(struct sim_world *w, struct sim_host *h, sa_family_t family, struct addr *ret_addr)
{
    LIST_FOREACH (it, &w->addresses) {
        struct address *a = LIST_ENTRY(it, struct address, node);
        if (a->owner == h && a->ip.u.sa.sa_family == family) {
            *ret_addr = a->ip;
            return;
        }
    }
    char text[ADDR_TEXT_MAX];
    const char *format = family == AF_INET6 ? "fd00::%x:%x" : "10.0.%u.%u";
    snprintf(text, sizeof(text), format, h->number / 256, h->number % 256);
    CHECK(addr_parse_ip(str_from(text), 0, ret_addr) == 0);
}

uint16_t sim_port_choose(struct sim_world *w)
{
    uint16_t port = w->next_port;
    w->next_port = port == LAST_PORT ? FIRST_PORT : (uint16_t)(port + 1);
    return port;
}
