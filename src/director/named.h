/* Sections of the configuration by the names that records hold. Pure; linear. NULL: there is none of that
 * name any more. */
#ifndef HOLDFAST_DIRECTOR_NAMED_H
#define HOLDFAST_DIRECTOR_NAMED_H

#include "base/str.h"
#include "config/config.h"

const struct config_node *named_node(const struct config *c, struct str name);
const struct config_site *named_site(const struct config *c, struct str name);
const struct config_server *named_server(const struct config *c, struct str name);

#endif
