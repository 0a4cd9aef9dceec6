#include <string.h>

#include "config/build.h"
#include "config/config_owner.h"
#include "config/findings.h"
#include "config/value.h"

static const char *const role_words[] = {
    [OWNER_DNS] = "dns",
    [OWNER_RELAY] = "relay",
    [OWNER_DIRECTOR] = "director",
};

static const struct tree_section *titled_ancestor(const struct tree_section *s)
{
    while (s->parent && s->schema->title == TITLE_NONE)
        s = s->parent;
    return s;
}

/* "the role relay of node "east1"": who has to start again for a section. */
static void name_owner(const struct tree_section *s, enum schema_owner owner, struct buf *out)
{
    switch (owner) {
    case OWNER_EVERYONE:
        buf_append_text(out, "every role of every node");
        return;
    case OWNER_SERVER:
        buf_append_fmt(out, "the instance of server \"%s\"", build_name(titled_ancestor(s)->object));
        return;
    case OWNER_DNS:
    case OWNER_RELAY:
    case OWNER_DIRECTOR:
        break;
    }
    const struct schema_key *key = schema_key_find(s->schema, "node");
    buf_append_fmt(out, "the role %s of ", role_words[owner]);
    if (key) {
        const char *object = s->object;
        const struct config_node *node =
            *(const struct config_node *const *)(const void *)(object + key->offset);
        buf_append_fmt(out, "node \"%s\"", node->name);
    } else {
        buf_append_text(out, "every node");
    }
}

static void report(struct config_findings *f, int line, const struct tree_section *s, const char *what,
                   enum schema_reload reload)
{
    struct buf owner;
    buf_init(&owner, 512);
    name_owner(s, reload == RELOAD_RESTART_ALL ? OWNER_EVERYONE : s->schema->owner, &owner);
    findings_add(f, line, "%s%s; restart %s", s->label, what, buf_data(&owner));
    buf_fini(&owner);
}

static bool restarts(enum schema_reload reload)
{
    return reload == RELOAD_RESTART || reload == RELOAD_RESTART_ALL;
}

static void compare_keys(struct config_findings *f, const struct tree_section *before,
                         const struct tree_section *after)
{
    for (const struct schema_key *key = after->schema->keys; key->name; key++) {
        if (!restarts(key->reload) || value_equal(key, before->object, after->object))
            continue;
        char what[128];
        snprintf(what, sizeof(what), ": %s changed", key->name);
        report(f, tree_line(after, key->name), after, what, key->reload);
        if (strcmp(key->name, "node") == 0)
            report(f, tree_line(after, key->name), before, " left its node", key->reload);
    }
}

/* The section of `in` that stands for s: by name, or by its place in the order. */
static const struct tree_section *counterpart(const struct tree_section *s, const struct tree_section *in)
{
    const struct tree_section *other = tree_first(in, s->kind);
    if (s->schema->title != TITLE_NONE) {
        while (other && strcmp(build_name(other->object), build_name(s->object)) != 0)
            other = tree_following(other);
        return other;
    }
    TREE_FOREACH(before, s->parent, s->kind)
    {
        if (before == s || !other)
            break;
        other = tree_following(other);
    }
    return other;
}

static void compare(struct config_findings *f, const struct tree_section *before,
                    const struct tree_section *after)
{
    compare_keys(f, before, after);
    for (const struct tree_section *s = after->sections; s; s = s->next) {
        const struct tree_section *old = counterpart(s, before);
        if (old)
            compare(f, old, s);
        else if (s->schema->reload == RELOAD_RESTART)
            report(f, s->line, s, " is new", s->schema->reload);
    }
    for (const struct tree_section *s = before->sections; s; s = s->next)
        if (!counterpart(s, after) && s->schema->reload == RELOAD_RESTART)
            report(f, 0, s, " is gone", s->schema->reload);
}

static bool exchange(const struct tree_section *a, const struct tree_section *b)
{
    bool any = false;
    for (const struct schema_key *key = a->schema->keys; key->name; key++) {
        if (key->reload != RELOAD_LIVE || value_equal(key, a->object, b->object))
            continue;
        value_exchange(key, a->object, b->object);
        any = true;
    }
    for (const struct tree_section *s = a->sections; s; s = s->next) {
        const struct tree_section *other = counterpart(s, b);
        any = (other && exchange(s, other)) || any;
    }
    return any;
}

bool config_exchange(struct config *a, struct config *b)
{
    const struct config_owner *one = a->owner, *other = b->owner;
    return exchange(one->root, other->root);
}

void config_reload_check(const struct config *old_config, const struct config *new_config,
                         struct config_findings *ret_findings)
{
    const struct config_owner *before = old_config->owner, *after = new_config->owner;
    findings_init(ret_findings, new_config->path);
    compare(ret_findings, before->root, after->root);
    findings_sort(ret_findings);
}
