/* Where a messaging server is, by the network's records and the configuration. Pure. For the role. */
#ifndef HOLDFAST_RELAY_TARGET_INSTANCE_H
#define HOLDFAST_RELAY_TARGET_INSTANCE_H

#include "relay/target.h"
#include "store/view.h"

struct target_instance target_instance_of(const struct config_server *server, const struct view *v);

#endif
