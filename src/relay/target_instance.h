/* Where a messaging server is, by the network's records and the configuration. For the role and its
 * targets. */
#ifndef HOLDFAST_RELAY_TARGET_INSTANCE_H
#define HOLDFAST_RELAY_TARGET_INSTANCE_H

#include "health/monitor.h"
#include "relay/target.h"
#include "store/view.h"

struct target_instance target_instance_of(const struct config_server *server, const struct view *v);
/* Tells each target where its server is; there is one for each server of the configuration. */
void target_instances_set(const struct config *c, struct target *const *targets, const struct view *v);
/* Has the monitor look there, at that instance and no other. */
void target_instance_watch(const struct config_server *server, const struct target_instance *instance,
                           struct monitor *m);

#endif
