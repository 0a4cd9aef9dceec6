/* Orders that belong to no failover: sites lost and back, orders about nothing
 * known, orders to destroy that failed and are given again, and the removal of
 * those that ended long ago. Pure; into a batch. For the leader. */
#ifndef HOLDFAST_DIRECTOR_HOUSEKEEPING_H
#define HOLDFAST_DIRECTOR_HOUSEKEEPING_H

#include "config/config.h"
#include "director/batch.h"
#include "store/view.h"

#define ORDER_SITE_LOST "site-lost"
#define ORDER_SITE_BACK "site-back"

void housekeeping_orders(const struct view *v, const struct config *c, int64_t now_wall_ms, struct batch *b);

#endif
