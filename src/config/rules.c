#include "config/rules.h"

#include "config/findings.h"

const struct config_node *rules_node_of_site(const struct config *c, const struct config_site *site,
                                             unsigned roles)
{
    for (size_t i = 0; i < c->node_count; i++)
        if ((!site || c->nodes[i].site == site) && (c->nodes[i].roles & roles))
            return &c->nodes[i];
    return NULL;
}

void rules_check(struct build *b)
{
    rules_check_store(b);
    rules_check_sites(b);
    rules_check_nodes(b);
    rules_check_domains(b);
    rules_check_servers(b);
    rules_check_relays(b);
    rules_check_addresses(b);
}
