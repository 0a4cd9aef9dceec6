#include <string.h>

#include "config/config.h"
#include "config/config_owner.h"
#include "config/postgres_url.h"
#include "config/schema.h"

struct walk {
    void (*fn)(void *arg, const struct config_mention *m);
    void *arg;
};

static bool mention_kind(enum schema_type type, enum config_mention_kind *ret_kind)
{
    switch (type) {
    case SCHEMA_PATH:
        *ret_kind = CONFIG_MENTIONS_FILE;
        return true;
    case SCHEMA_COMMAND:
    case SCHEMA_PROGRAM:
        *ret_kind = CONFIG_MENTIONS_PROGRAM;
        return true;
    case SCHEMA_USER:
        *ret_kind = CONFIG_MENTIONS_USER;
        return true;
    default:
        return false;
    }
}

static void visit_keys(const struct walk *w, const struct tree_section *s)
{
    for (const struct schema_key *key = s->schema->keys; key->name; key++) {
        struct config_mention m = {.section = s->kind,
                                   .label = s->label,
                                   .key = key->name,
                                   .line = tree_line(s, key->name),
                                   .object = s->object};
        if (!mention_kind(key->type, &m.kind))
            continue;
        m.text = *(const char *const *)(const void *)((const char *)s->object + key->offset);
        if (m.text[0] != '\0')
            w->fn(w->arg, &m);
    }
}

struct url_walk {
    const struct walk *walk;
    const struct tree_section *store;
};

static void visit_url_file(void *arg, const char *parameter, const char *path)
{
    const struct url_walk *u = arg;
    const struct config_mention m = {.kind = CONFIG_MENTIONS_FILE,
                                     .section = "url",
                                     .label = "store: url",
                                     .key = parameter,
                                     .text = path,
                                     .line = tree_line(u->store, "url"),
                                     .object = u->store->object};
    u->walk->fn(u->walk->arg, &m);
}

static void visit_url(const struct walk *w, const struct config *c, const struct tree_section *root)
{
    struct url_walk u = {w, tree_first(root, "store")};
    const struct postgres_url_visitor v = {.on_file = visit_url_file, .arg = &u};
    if (u.store && c->store_engine == STORE_POSTGRESQL)
        postgres_url_visit(c->store_url, &v);
}

static void visit(const struct walk *w, const struct tree_section *parent)
{
    for (const struct tree_section *s = parent->sections; s; s = s->next) {
        if (!s->object)
            continue; /* a repetition */
        visit_keys(w, s);
        visit(w, s);
    }
}

void config_each_mention(const struct config *c, void (*fn)(void *arg, const struct config_mention *m),
                         void *arg)
{
    const struct config_owner *owner = c->owner;
    struct walk w = {fn, arg};
    visit(&w, owner->root);
    visit_url(&w, c, owner->root);
}
