/* Where a messaging server is now, for its target. */
#ifndef HOLDFAST_RELAY_PLACE_H
#define HOLDFAST_RELAY_PLACE_H

#include "config/config.h"
#include "health/monitor.h"
#include "relay/target.h"
#include "store/view.h"

/* As the network's record says; an external one that has none is where the configuration says. Pure. */
struct target_instance place_of(const struct config_server *server, const struct view *v);
/* Has the monitor look there, at that instance and no other. */
void place_watch(const struct config_server *server, const struct target_instance *instance,
                 struct monitor *m);

#endif
