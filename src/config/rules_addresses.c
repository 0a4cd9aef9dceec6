#include <stdio.h>
#include <string.h>

#include "config/findings.h"
#include "config/rules.h"

/* Who binds, or is reached at, an address and port. */
struct holder {
    const struct tree_section *section; /* of the root: its identity */
    const char *host;                   /* machine; "" is this one */
    const char *key;                    /* what gives the port */
    int line;
    struct addr addr;
    struct holder *next;
};

struct holders {
    struct build *b;
    struct map exact;     /* address and port -> holder */
    struct map wildcards; /* family and port -> holder */
    struct map names;     /* host name -> tree_section */
    struct map ips;       /* of servers -> tree_section */
    struct holder *all, **tail;
};

static bool is_wildcard(const struct addr *a)
{
    if (a->u.sa.sa_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&a->u.in6.sin6_addr);
    return a->u.in.sin_addr.s_addr == htonl(INADDR_ANY);
}

static bool is_server(const struct holder *h)
{
    return strcmp(h->section->kind, "server") == 0;
}

static void report(struct holders *hs, const struct holder *h, const struct holder *other)
{
    char text[ADDR_TEXT_MAX], other_text[ADDR_TEXT_MAX];
    addr_format(&h->addr, text);
    addr_format(&other->addr, other_text);
    findings_add(hs->b->findings, h->line,
                 "%s: %s %s is held by %s already (%s, line %d); give one of them another", h->section->label,
                 h->key, text, other->section->label, other_text, other->line);
}

/* Loopback and wildcard addresses are of one machine, others of the network. */
static struct str exact_key(struct holders *hs, const struct holder *h)
{
    char text[ADDR_TEXT_MAX];
    addr_format(&h->addr, text);
    bool local = addr_is_loopback(&h->addr) || is_wildcard(&h->addr);
    size_t size = strlen(h->host) + sizeof(text) + 2;
    char *key = tree_alloc(hs->b->arena, size);
    snprintf(key, size, "%s %s", local ? h->host : "", text);
    return str_from(key);
}

static struct holder *find_wildcard(struct holders *hs, const struct holder *h, sa_family_t family,
                                    struct holder *register_as)
{
    size_t size = strlen(h->host) + 16;
    char *key = tree_alloc(hs->b->arena, size);
    snprintf(key, size, "%c%u %s", family == AF_INET6 ? '6' : '4', (unsigned)addr_port(&h->addr), h->host);
    struct holder *found = map_find(&hs->wildcards, str_from(key));
    if (!found && register_as)
        map_set(&hs->wildcards, str_from(key), register_as);
    return found;
}

static void hold(struct holders *hs, const struct holder *holder)
{
    struct holder *h = tree_alloc(hs->b->arena, sizeof(*h));
    *h = *holder;
    *hs->tail = h;
    hs->tail = &h->next;
    struct str key = exact_key(hs, h);
    const struct holder *other = map_find(&hs->exact, key);
    if (!other)
        map_set(&hs->exact, key, h);
    else if (other->section != h->section && !(is_server(h) && is_server(other)))
        report(hs, h, other);
    if (is_wildcard(&h->addr))
        find_wildcard(hs, h, h->addr.u.sa.sa_family, h);
}

/* 0.0.0.0 takes a port of every IPv4 address, [::] that of every address. */
static void check_wildcards(struct holders *hs)
{
    for (const struct holder *h = hs->all; h; h = h->next) {
        const struct config_server *server = is_server(h) ? h->section->object : NULL;
        if (is_wildcard(&h->addr) || (server && server->kind == SERVER_EXTERNAL))
            continue;
        const struct holder *wild = find_wildcard(hs, h, AF_INET6, NULL);
        if (!wild && h->addr.u.sa.sa_family == AF_INET)
            wild = find_wildcard(hs, h, AF_INET, NULL);
        if (wild && wild->section != h->section)
            report(hs, h, wild);
    }
}

static void hold_listens(struct holders *hs, const struct tree_section *s, const struct config_node *node,
                         const struct config_listen *listen)
{
    struct holder h = {
        .section = s, .host = node ? node->host : "", .key = "listen", .line = tree_line(s, "listen")};
    for (size_t i = 0; i < listen->count; i++) {
        h.addr = listen->addrs[i];
        hold(hs, &h);
    }
}

static void hold_ip(struct holders *hs, struct tree_section *s, const struct addr *ip, int line)
{
    char text[ADDR_TEXT_MAX];
    addr_format_ip(ip, text);
    const struct tree_section *other = map_find(&hs->ips, str_from(text));
    if (!other)
        map_set(&hs->ips, str_from(text), s);
    else if (other != s)
        findings_add(hs->b->findings, line,
                     "%s: address %s is held by %s (line %d) already; a server's is its own", s->label, text,
                     other->label, other->line);
}

static void hold_server_at(struct holders *hs, struct tree_section *s, const struct addr *ip, int line)
{
    const struct config_server *server = s->object;
    const struct config_node *node = rules_node_of_site(hs->b->config, server->site, ROLE_MAILBOX);
    struct holder h = {.section = s, .host = node ? node->host : "", .line = line, .addr = *ip};
    const struct {
        const char *key;
        int64_t port;
    } ports[] = {{"smtp_port", server->smtp_port},
                 {"lmtp_port", server->lmtp_port},
                 {"submission_port", server->submission_port},
                 {"imap_port", server->imap_port},
                 {"pop3_port", server->pop3_port},
                 {"submissions_port", server->submissions_port},
                 {"imaps_port", server->imaps_port},
                 {"pop3s_port", server->pop3s_port}};
    hold_ip(hs, s, ip, line);
    for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
        if (ports[i].port == 0)
            continue;
        addr_set_port(&h.addr, (uint16_t)ports[i].port);
        h.key = ports[i].key;
        hold(hs, &h);
    }
}

static void hold_server(struct holders *hs, struct tree_section *s)
{
    const struct config_server *server = s->object;
    for (size_t i = 0; i < server->address.count; i++)
        hold_server_at(hs, s, &server->address.addrs[i], tree_line(s, "address"));
    TREE_FOREACH(create_section, tree_first(s, "failover"), "create")
    {
        const struct config_create *create = create_section->object;
        if (create->address.u.sa.sa_family != AF_UNSPEC)
            hold_server_at(hs, s, &create->address, tree_line(create_section, "address"));
    }
}

static void hold_name(struct holders *hs, struct tree_section *s, const char *hostname)
{
    struct str name = str_from(hostname);
    const struct tree_section *other = name.len ? map_find(&hs->names, name) : NULL;
    if (other)
        findings_add(hs->b->findings, tree_line(s, "hostname"),
                     "%s: hostname %s is that of %s (line %d) already; give each its own", s->label, hostname,
                     other->label, other->line);
    else if (name.len)
        map_set(&hs->names, name, s);
}

static void hold_all(struct holders *hs)
{
    TREE_FOREACH(s, hs->b->root, "dns")
    {
        const struct config_dns *dns = s->object;
        hold_listens(hs, s, dns->node, &dns->listen);
        hold_name(hs, s, dns->hostname);
    }
    TREE_FOREACH(s, hs->b->root, "web")
    {
        const struct config_web *web = s->object;
        hold_listens(hs, s, web->node, &web->listen);
    }
    TREE_FOREACH(s, hs->b->root, "relay")
    {
        const struct config_relay *relay = s->object;
        hold_listens(hs, s, relay->node, &relay->listen);
        hold_name(hs, s, relay->hostname);
    }
    TREE_FOREACH(s, hs->b->root, "server")
    {
        const struct config_server *server = s->object;
        hold_server(hs, s);
        hold_name(hs, s, server->hostname);
    }
}

void rules_check_addresses(struct build *b)
{
    struct holders hs = {.b = b};
    struct map *maps[] = {&hs.exact, &hs.wildcards, &hs.names, &hs.ips};
    hs.tail = &hs.all;
    for (size_t i = 0; i < ARRAY_LEN(maps); i++)
        map_init(maps[i]);
    hold_all(&hs);
    check_wildcards(&hs);
    for (size_t i = 0; i < ARRAY_LEN(maps); i++)
        map_fini(maps[i]);
}
