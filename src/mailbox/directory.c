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

/* The key of its record; ptr NULL: it cannot be one. */
static struct str key_of(struct str local_part, struct str domain, char text[ADDRESS_MAX])
{
    int len = snprintf(text, ADDRESS_MAX, "%.*s@%.*s", STR_ARG(local_part), STR_ARG(domain));
    if (len < 0 || len >= ADDRESS_MAX)
        return (struct str){NULL, 0};
    ascii_lower_inplace(text, (size_t)len);
    return (struct str){text, (size_t)len};
}

static const struct user *find(const struct directory *d, struct str local_part, struct str domain)
{
    char text[ADDRESS_MAX];
    struct str key = key_of(local_part, domain, text);
    return key.ptr ? map_find(&d->users, key) : NULL;
}

static size_t detail_at(struct str local_part)
{
    return str_find(local_part, '+', 1);
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
    size_t plus = detail_at(local_part);
    if (!u && plus != SIZE_MAX)
        u = find(d, str_sub(local_part, 0, plus), domain);
    return u ? str_from(u->address) : (struct str){NULL, 0};
}

/* ---- in the store ---- */

struct directory_look {
    struct directory *directory;
    char *local_part, *domain; /* the local part loses its detail when nobody has it */
    struct store_op *op;
    void (*on_end)(void *arg, int err, struct str user);
    void *arg;
};

static void look_read(struct directory_look *l, struct str key);

static void look_end(struct directory_look *l, int err)
{
    struct str user = {NULL, 0};
    if (!err)
        user = directory_find(l->directory, str_from(l->local_part), str_from(l->domain));
    l->on_end(l->arg, err, user);
    directory_look_cancel(l);
}

static void on_look(void *arg, int err, const struct network_record *records, size_t count)
{
    struct directory_look *l = arg;
    size_t plus = detail_at(str_from(l->local_part));
    char text[ADDRESS_MAX];
    l->op = NULL;
    if (!err && count == 1 && !map_find(&l->directory->users, records[0].key))
        add_user(l->directory, &records[0]);
    if (err || count == 1 || plus == SIZE_MAX) {
        look_end(l, err);
        return;
    }
    l->local_part[plus] = '\0';
    look_read(l, key_of(str_from(l->local_part), str_from(l->domain), text));
}

static void look_read(struct directory_look *l, struct str key)
{
    l->op = network_read(l->directory->network, STR("user"), key, on_look, l);
}

struct directory_look *directory_look(struct directory *d, struct str local_part, struct str domain,
                                      void (*on_end)(void *arg, int err, struct str user), void *arg)
{
    char text[ADDRESS_MAX];
    struct str key = key_of(local_part, domain, text);
    if (!key.ptr)
        return NULL;
    struct directory_look *l = mem_zalloc(sizeof(*l));
    *l = (struct directory_look){.directory = d,
                                 .local_part = str_dup(local_part),
                                 .domain = str_dup(domain),
                                 .on_end = on_end,
                                 .arg = arg};
    look_read(l, key);
    return l;
}

void directory_look_cancel(struct directory_look *l)
{
    if (!l)
        return;
    if (l->op)
        store_op_forget(l->op);
    free(l->local_part);
    free(l->domain);
    free(l);
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
