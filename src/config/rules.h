/* What the schema cannot say: how the sections of a file have to fit together.
 * Each broken rule is a finding with the line and what to do. One file per
 * subject; a reference that is NULL, or a section that is unsound, was reported
 * before and is passed over. */
#ifndef HOLDFAST_CONFIG_RULES_H
#define HOLDFAST_CONFIG_RULES_H

#include "config/build.h"

void rules_check(struct build *b);

void rules_check_store(struct build *b);     /* what is said to the engine */
void rules_check_sites(struct build *b);     /* how a whole one is fenced */
void rules_check_nodes(struct build *b);     /* machines, roles and their sections */
void rules_check_domains(struct build *b);   /* zones and domains */
void rules_check_servers(struct build *b);   /* ports, checks, failover */
void rules_check_relays(struct build *b);    /* how mail leaves the network; how long it is known */
void rules_check_addresses(struct build *b); /* one holder for each address and name */

/* A node of the site (NULL: of any) that has one of the roles; NULL if none. */
const struct config_node *rules_node_of_site(const struct config *c, const struct config_site *site,
                                             unsigned roles);

#endif
