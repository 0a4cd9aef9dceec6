#include "mailbox/directory.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/mem.h"
#include "store/records.h"

#define ADDRESS_MAX 512 /* an address has at most 320 octets (RFC 5321 4.5.3.1) */

struct user {
    char *address, *verifier; /* verifier "": disabled */
};

struct directory {
    struct network *network;
    const struct config *config;
    const struct config_server *server;
    struct map users;
    char **postmasters; /* postmaster@domain, of each domain of the configuration */
    int64_t revision;
    bool known;
    struct store_op *op;
};

static void free_users(struct directory *d)
{
    for (struct map_entry *e = d->users.first; e; e = e->next) {
        struct user *u = e->value;
        free(u->address);
        free(u->verifier);
        free(u);
    }
    map_fini(&d->users);
}

bool directory_has_domain(const struct directory *d, const struct config_domain *domain)
{
    const struct config_failover *failover = &domain->server->failover;
    for (size_t i = 0; i < failover->standby_count; i++)
        if (failover->standby[i] == d->server)
            return true;
    return domain->server == d->server;
}

static bool is_of_here(const struct directory *d, struct str address)
{
    size_t at = str_find(address, '@', 0);
    const struct config_domain *domain =
        at == SIZE_MAX ? NULL : config_domain_find(d->config, str_sub(address, at + 1, address.len));
    return domain && directory_has_domain(d, domain);
}

static void add_user(struct directory *d, const struct network_record *record)
{
    struct arena arena;
    struct record_user decoded;
    arena_init(&arena, 1 << 16);
    if (is_of_here(d, record->key) && record_user_decode(&arena, record->value, &decoded) == 0) {
        struct user *u = mem_zalloc(sizeof(*u));
        u->address = str_dup(record->key);
        u->verifier = str_dup(decoded.disabled ? STR_EMPTY : decoded.verifier);
        map_set(&d->users, record->key, u);
    }
    arena_fini(&arena);
}

static void on_users(void *arg, int err, const struct network_record *records, size_t count)
{
    struct directory *d = arg;
    d->op = NULL;
    if (err) {
        d->revision = -1; /* the next view asks again */
        return;
    }
    free_users(d);
    for (size_t i = 0; i < count; i++)
        add_user(d, &records[i]);
    d->known = true;
}

struct directory *directory_new(struct network *n, const struct config *config,
                                const struct config_server *server)
{
    struct directory *d = mem_zalloc(sizeof(*d));
    d->network = n;
    d->config = config;
    d->server = server;
    d->revision = -1;
    map_init(&d->users);
    d->postmasters = mem_calloc(config->domain_count, sizeof(*d->postmasters));
    for (size_t i = 0; i < config->domain_count; i++)
        d->postmasters[i] = mem_asprintf("postmaster@%s", config->domains[i].name);
    return d;
}

void directory_free(struct directory *d)
{
    if (!d)
        return;
    if (d->op)
        store_op_forget(d->op);
    free_users(d);
    for (size_t i = 0; i < d->config->domain_count; i++)
        free(d->postmasters[i]);
    free(d->postmasters);
    free(d);
}

void directory_on_view(struct directory *d, const struct view *v)
{
    if (d->op || d->revision == v->users_revision)
        return;
    d->revision = v->users_revision;
    d->op = network_read(d->network, STR("user"), (struct str){NULL, 0}, on_users, d);
}

bool directory_known(const struct directory *d)
{
    return d->known;
}

static const struct user *find(const struct directory *d, struct str local_part, struct str domain)
{
    char text[ADDRESS_MAX];
    int len = snprintf(text, sizeof(text), "%.*s@%.*s", STR_ARG(local_part), STR_ARG(domain));
    if (len < 0 || (size_t)len >= sizeof(text))
        return NULL;
    ascii_lower_inplace(text, (size_t)len);
    return map_find(&d->users, (struct str){text, (size_t)len});
}

static const struct config_domain *first_domain(const struct directory *d)
{
    for (size_t i = 0; i < d->config->domain_count; i++)
        if (directory_has_domain(d, &d->config->domains[i]))
            return &d->config->domains[i];
    return NULL;
}

static struct str find_postmaster(const struct directory *d, struct str domain)
{
    const struct config_domain *c = domain.len > 0 ? config_domain_find(d->config, domain) : first_domain(d);
    if (!c || !directory_has_domain(d, c))
        return (struct str){NULL, 0};
    struct str local, rest = str_from(c->postmaster);
    str_split(&rest, '@', &local);
    const struct user *named = find(d, local, rest);
    return str_from(named ? named->address : d->postmasters[c - d->config->domains]);
}

struct str directory_find(const struct directory *d, struct str local_part, struct str domain)
{
    if (str_ieq(local_part, STR("postmaster")))
        return find_postmaster(d, domain);
    const struct user *u = find(d, local_part, domain);
    size_t plus = str_find(local_part, '+', 1);
    if (!u && plus != SIZE_MAX)
        u = find(d, str_sub(local_part, 0, plus), domain);
    return u ? str_from(u->address) : (struct str){NULL, 0};
}

struct str directory_verifier(const struct directory *d, struct str login, struct str *ret_user)
{
    size_t at = str_find(login, '@', 0);
    const struct user *u =
        at == SIZE_MAX ? NULL : find(d, str_sub(login, 0, at), str_sub(login, at + 1, login.len));
    if (!u)
        return STR_EMPTY;
    *ret_user = str_from(u->address);
    return str_from(u->verifier);
}
