#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "config/findings.h"
#include "config/postgres_url.h"
#include "config/rules.h"

#define PLACE_MAX 272 /* "HOST:PORT" */

static bool is_there(const struct config_site *site, const char *name)
{
    for (size_t i = 0; i < site->databases.count; i++)
        if (strcmp(site->databases.items[i], name) == 0)
            return true;
    return false;
}

/* A name in two sites would let a copy in the same one count. */
static void check_names(struct build *b, const struct config_site *site, const struct tree_section *s)
{
    const struct config *c = b->config;
    for (const struct config_site *other = c->sites; other < site; other++)
        for (size_t i = 0; i < site->databases.count; i++)
            if (is_there(other, site->databases.items[i]))
                findings_add(
                    b->findings, tree_line(s, "databases"),
                    "%s: the database \"%s\" is in site \"%s\", too; each of its names is in one site",
                    s->label, site->databases.items[i], other->name);
}

/* ---- where the databases of url are ---- */

static bool is_named(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->site_count; i++)
        if (is_there(&c->sites[i], name))
            return true;
    return false;
}

/* Which name of a host an address belongs to is known only to who connects. */
static bool may_be_named_by_address(const struct config *c, const char *host)
{
    struct addr a;
    if (addr_parse_ip(str_from(host), 0, &a) == 0)
        return false;
    for (size_t i = 0; i < c->site_count; i++)
        for (size_t k = 0; k < c->sites[i].databases.count; k++)
            if (addr_parse_ip(str_from(c->sites[i].databases.items[k]), 0, &a) == 0)
                return true;
    return false;
}

static void check_server(void *arg, const char *host, const char *port)
{
    struct build *b = arg;
    const struct config *c = b->config;
    char place[PLACE_MAX], shown[CLIP_TEXT_MAX];
    snprintf(place, sizeof(place), "%s:%s", host, port);
    if (!is_named(c, host) && !is_named(c, place) && !may_be_named_by_address(c, host))
        findings_add(
            b->findings, tree_line(tree_first(b->root, "store"), "url"),
            "store: url leads to \"%s\", which is in no site: with durability \"replicated\" no mail "
            "counts as copied while the database there is the writable one; name it by databases of "
            "its site",
            findings_clip(host, shown));
}

static void check_servers(struct build *b)
{
    const struct postgres_url_visitor v = {.on_server = check_server, .arg = b};
    postgres_url_visit(b->config->store_url, &v);
}

/* ---- all of it ---- */

static size_t check_sites(struct build *b)
{
    const struct config *c = b->config;
    size_t with_databases = 0;
    TREE_FOREACH(s, b->root, "site")
    {
        const struct config_site *site = s->object;
        with_databases += site->databases.count > 0;
        check_names(b, site, s);
        if (c->store_engine != STORE_POSTGRESQL && site->databases.count > 0)
            findings_add(b->findings, tree_line(s, "databases"),
                         "%s: databases are of a store with a url of postgresql: only; remove them",
                         s->label);
    }
    return with_databases;
}

static void check_durability(struct build *b, const struct tree_section *store, size_t sites)
{
    const struct config *c = b->config;
    if (!config_is_replicated(c))
        return;
    if (c->store_engine != STORE_POSTGRESQL)
        findings_add(
            b->findings, tree_line(store, "durability"),
            "store: durability \"replicated\" wants a url of postgresql:, with databases in two sites; "
            "or write durability = \"local\"");
    else if (sites > CONFIG_DATABASE_SITES_MAX)
        findings_add(b->findings, tree_line(store, "durability"),
                     "store: databases are in %zu sites; name them in %d at most", sites,
                     CONFIG_DATABASE_SITES_MAX);
    else if (sites < 2)
        findings_add(
            b->findings, tree_line(store, c->durability == DURABILITY_BY_ENGINE ? "url" : "durability"),
            "store: durability is \"replicated\", as with postgresql: unless written otherwise, which "
            "wants to know where the databases are: name them by databases in two sites; or write "
            "durability = \"local\"");
    else
        check_servers(b);
}

void rules_check_store(struct build *b)
{
    const struct config *c = b->config;
    const struct tree_section *store = tree_first(b->root, "store");
    struct err_buf eb;
    size_t sites = check_sites(b);
    if (!store)
        return;
    if (c->store_engine == STORE_POSTGRESQL && postgres_url_check(c->store_url, &eb) < 0)
        findings_add(b->findings, tree_line(store, "url"), "store: url %s", eb.text);
    if (c->store_engine != STORE_POSTGRESQL && c->store_url[0] && c->store_password_file[0])
        findings_add(b->findings, tree_line(store, "password_file"),
                     "store: password_file is for a url of postgresql: only; remove it");
    check_durability(b, store, sites);
}
