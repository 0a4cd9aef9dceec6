#include "dns/role.h"

#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "dns/server.h"
#include "dns/watch.h"

#define LOG_TEXT_MAX 1024 /* of the exchangers of one domain */

struct dns_role {
    const struct config *config;
    const struct config_dns *dns;
    struct loop *loop;
    struct dns_zones *zones;
    struct dns_server *server;
    struct dns_watch *watch;
    struct dns_view answered; /* what is answered from now */
};

/* Made SOA records carry the seconds since 1970: they grow with each loading. */
static uint32_t serial_now(struct loop *l)
{
    return (uint32_t)(loop_wall(l).ms / 1000);
}

static int open_server(struct dns_role *r, struct err_buf *eb)
{
    struct err_buf why = {""};
    int err = dns_server_open(&r->dns->listen, r->dns->udp_threads, &r->server, &why);
    return err < 0 ? err_set(eb, err, "dns %s cannot listen: %s", r->dns->name, why.text) : 0;
}

int dns_role_open(struct loop *l, const struct config *config, const struct config_dns *dns,
                  struct dns_role **ret_role, struct err_buf *eb)
{
    struct dns_role *r = mem_zalloc(sizeof(*r));
    r->loop = l;
    r->config = config;
    r->dns = dns;
    dns_view_init(&r->answered, config);
    int err = dns_zones_load(config, serial_now(l), &r->zones, eb);
    if (err == 0)
        err = open_server(r, eb);
    if (err < 0) {
        dns_role_free(r);
        return err;
    }
    *ret_role = r;
    return 0;
}

/* "mail1.example.test relay-east.example.test", most preferred first. */
static void name_exchangers(const struct dns_role *r, const struct dns_view *v, size_t domain,
                            struct buf *out)
{
    struct dns_exchangers e;
    const struct config_domain *d = &r->config->domains[domain];
    dns_steer_domain(r->config, v, domain, &e);
    for (size_t i = 0; i < e.count; i++) {
        bool host = e.hosts[i] == DNS_HOST_SERVER;
        const char *name =
            host ? r->config->servers[v->domain_servers[domain]].hostname : d->relays[e.hosts[i]]->hostname;
        (void)buf_append_fmt(out, "%s%s", i ? " " : "", name);
    }
}

static void log_domain(const struct dns_role *r, const struct dns_view *now, size_t domain)
{
    struct buf before_text, now_text;
    size_t server = now->domain_servers[domain];
    buf_init(&before_text, LOG_TEXT_MAX);
    buf_init(&now_text, LOG_TEXT_MAX);
    name_exchangers(r, &r->answered, domain, &before_text);
    name_exchangers(r, now, domain, &now_text);
    if (!str_eq(buf_str(&before_text), buf_str(&now_text)))
        log_event(LOG_INFO, "mail exchangers changed", LOG_TEXT("domain", r->config->domains[domain].name),
                  LOG_STR("answer", buf_str(&now_text)), LOG_TEXT("server", r->config->servers[server].name),
                  LOG_TEXT("state", health_state_name(now->servers[server].state)),
                  LOG_TEXT("route", now->servers[server].leased ? "leased" : "not leased"),
                  LOG_TEXT("detail", dns_watch_word(r->watch, server)->detail));
    buf_fini(&before_text);
    buf_fini(&now_text);
}

static bool same_addresses(const struct dns_view_server *a, const struct dns_view_server *b)
{
    if (a->address_count != b->address_count)
        return false;
    for (size_t i = 0; i < a->address_count; i++)
        if (!addr_ip_eq(&a->addresses[i], &b->addresses[i]))
            return false;
    return true;
}

static void log_server(const struct dns_role *r, const struct dns_view *now, size_t server)
{
    const struct dns_view_server *v = &now->servers[server];
    char text[ADDR_TEXT_MAX] = "";
    if (same_addresses(v, &r->answered.servers[server]))
        return;
    if (v->address_count > 0)
        addr_format_ip(&v->addresses[0], text);
    log_event(LOG_INFO, "server's address changed", LOG_TEXT("server", r->config->servers[server].name),
              LOG_TEXT("address", text), LOG_I64("addresses", (int64_t)v->address_count));
}

static void log_changes(const struct dns_role *r, const struct dns_view *now)
{
    for (size_t i = 0; i < r->config->domain_count; i++)
        log_domain(r, now, i);
    for (size_t i = 0; i < r->config->server_count; i++)
        log_server(r, now, i);
}

static void publish(struct dns_role *r, const struct dns_view *view)
{
    dns_view_fini(&r->answered);
    dns_view_copy(&r->answered, view, r->config);
    dns_server_publish(r->server, dns_snapshot_new(r->zones, &r->answered));
}

static void on_change(void *arg)
{
    struct dns_role *r = arg;
    const struct dns_view *view = dns_watch_view(r->watch);
    if (dns_view_eq(view, &r->answered, r->config))
        return;
    log_changes(r, view);
    publish(r, view);
}

int dns_role_start(struct dns_role *r, struct err_buf *eb)
{
    CHECK(r->watch == NULL);
    r->watch = dns_watch_new(r->loop, r->config, r->dns->hostname, on_change, r);
    return dns_server_start(r->server, r->loop, dns_snapshot_new(r->zones, &r->answered), eb);
}

void dns_role_set_routes(struct dns_role *r, const struct dns_routes *routes)
{
    dns_watch_set_routes(r->watch, routes);
}

int dns_role_reload(struct dns_role *r, struct err_buf *eb)
{
    struct dns_zones *zones;
    int err = dns_zones_load(r->config, serial_now(r->loop), &zones, eb);
    if (err < 0)
        return err;
    dns_zones_free(r->zones);
    r->zones = zones;
    dns_watch_reload(r->watch);
    publish(r, dns_watch_view(r->watch));
    return 0;
}

void dns_role_local(const struct dns_role *r, size_t index, struct addr *ret_addr)
{
    dns_server_local(r->server, index, ret_addr);
}

void dns_role_free(struct dns_role *r)
{
    if (r == NULL)
        return;
    dns_watch_free(r->watch);
    dns_server_free(r->server);
    dns_zones_free(r->zones);
    dns_view_fini(&r->answered);
    free(r);
}
