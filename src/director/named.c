#include "director/named.h"

const struct config_node *named_node(const struct config *c, struct str name)
{
    for (size_t i = 0; i < c->node_count; i++)
        if (str_eq(name, str_from(c->nodes[i].name)))
            return &c->nodes[i];
    return NULL;
}

const struct config_site *named_site(const struct config *c, struct str name)
{
    for (size_t i = 0; i < c->site_count; i++)
        if (str_eq(name, str_from(c->sites[i].name)))
            return &c->sites[i];
    return NULL;
}

const struct config_server *named_server(const struct config *c, struct str name)
{
    for (size_t i = 0; i < c->server_count; i++)
        if (str_eq(name, str_from(c->servers[i].name)))
            return &c->servers[i];
    return NULL;
}
