#include <string.h>

#include "config/findings.h"
#include "config/rules.h"

static bool is_for_instances(const char *fence)
{
    return strcmp(fence, CONFIG_FENCE_EPOCH) == 0 || strcmp(fence, CONFIG_FENCE_PROCESS) == 0;
}

static bool other_site_decides(const struct config *c, const struct config_site *site)
{
    for (size_t i = 0; i < c->node_count; i++)
        if (c->nodes[i].site != site && (c->nodes[i].roles & ROLE_DIRECTOR))
            return true;
    return false;
}

static void check_fence(struct build *b, const struct tree_section *s)
{
    const struct config *c = b->config;
    const struct config_site *site = s->object;
    int line = tree_line(s, "fence");
    if (is_for_instances(site->fence))
        findings_add(
            b->findings, line,
            "%s: fence = \"%s\" is for an instance of a server, and turns no site off; name an agent "
            "that does, such as one of its power distribution, or remove it",
            s->label, site->fence);
    if (!config_is_replicated(c) || site->databases.count == 0)
        findings_add(b->findings, line,
                     "%s: fence is for a site whose copies new mail waits for: with durability "
                     "\"replicated\", and databases there; name them, or remove it",
                     s->label);
    if (!rules_node_of_site(c, site, ROLE_RELAY | ROLE_DIRECTOR))
        findings_add(b->findings, line,
                     "%s: fence needs a node there with the role \"relay\" or \"director\", by which it is "
                     "known that the site lives; add one, or remove it",
                     s->label);
    if (!other_site_decides(c, site))
        findings_add(b->findings, line,
                     "%s: fence needs a node of another site with the role \"director\", which calls the "
                     "agent; add one, or remove it",
                     s->label);
}

void rules_check_sites(struct build *b)
{
    TREE_FOREACH(s, b->root, "site")
    {
        const struct config_site *site = s->object;
        if (!s->unsound && site->fence[0])
            check_fence(b, s);
    }
}
