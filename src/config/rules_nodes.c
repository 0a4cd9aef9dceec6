#include <string.h>

#include "config/findings.h"
#include "config/rules.h"

/* The kinds of sections that a node runs. */
static const struct part {
    const char *kind, *role_word;
    unsigned role;
    size_t node_offset;
    bool obligatory; /* the role needs the section */
} parts[] = {
    {"dns", "dns", ROLE_DNS, offsetof(struct config_dns, node), true},
    {"relay", "relay", ROLE_RELAY, offsetof(struct config_relay, node), true},
    {"web", "director", ROLE_DIRECTOR, offsetof(struct config_web, node), false},
};

static const struct config_node *node_of(const struct part *part, const struct tree_section *s)
{
    return *(const struct config_node *const *)(const void *)((const char *)s->object + part->node_offset);
}

static const char *host_text(const struct config_node *n)
{
    return n->host[0] ? n->host : "this machine";
}

static void check_machines(struct build *b)
{
    const struct config *c = b->config;
    const struct tree_section *store = tree_first(b->root, "store");
    if (c->store_engine != STORE_SQLITE)
        return;
    for (size_t i = 1; i < c->node_count; i++) {
        if (strcmp(c->nodes[i].host, c->nodes[0].host) == 0)
            continue;
        findings_add(
            b->findings, tree_line(store, "url"),
            "store: SQLite serves the nodes of one machine, but node \"%s\" is on %s and node \"%s\" on %s; "
            "give all nodes the same host",
            c->nodes[0].name, host_text(&c->nodes[0]), c->nodes[i].name, host_text(&c->nodes[i]));
        return;
    }
}

/* The section of the part that names the node; another than s when s is given. */
static const struct tree_section *section_of(struct build *b, const struct part *part,
                                             const struct config_node *node,
                                             const struct tree_section *before)
{
    TREE_FOREACH(s, b->root, part->kind)
    {
        if (s == before)
            return NULL;
        if (node_of(part, s) == node)
            return s;
    }
    return NULL;
}

static void check_part(struct build *b, const struct part *part)
{
    bool unresolved = false;
    TREE_FOREACH(s, b->root, part->kind)
    {
        const struct config_node *node = node_of(part, s);
        unresolved = unresolved || !node;
        if (!node)
            continue;
        if (!(node->roles & part->role) && node->roles != 0)
            findings_add(b->findings, tree_line(s, "node"),
                         "%s: node \"%s\" lacks the role \"%s\"; add it to the node's roles", s->label,
                         node->name, part->role_word);
        const struct tree_section *other = section_of(b, part, node, s);
        if (other)
            findings_add(b->findings, tree_line(s, "node"),
                         "%s: node \"%s\" has %s (line %d) already; a node runs one %s", s->label, node->name,
                         other->label, other->line, part->kind);
    }
    if (!part->obligatory || unresolved)
        return;
    TREE_FOREACH(s, b->root, "node")
    {
        const struct config_node *node = s->object;
        if ((node->roles & part->role) && !section_of(b, part, node, NULL))
            findings_add(
                b->findings, tree_line(s, "roles"),
                "%s: it has the role \"%s\", but no %s section names it; add one, or remove the role",
                s->label, part->role_word, part->kind);
    }
}

/* A mailbox starts by a director's order only, and who carries that out is the node's own director process.
 */
static void check_mailboxes(struct build *b)
{
    TREE_FOREACH(s, b->root, "node")
    {
        const struct config_node *node = s->object;
        if ((node->roles & ROLE_MAILBOX) && !(node->roles & ROLE_DIRECTOR))
            findings_add(b->findings, tree_line(s, "roles"),
                         "%s: it has the role \"mailbox\" without \"director\", whose process starts the "
                         "instances on its node; add \"director\" to its roles",
                         s->label);
    }
}

void rules_check_nodes(struct build *b)
{
    if (b->config->node_count == 0)
        findings_add(b->findings, 0, "there is no node section; add one for each machine");
    check_machines(b);
    check_mailboxes(b);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        check_part(b, &parts[i]);
}
