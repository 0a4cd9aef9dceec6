/* The network at a glance as one JSON object: servers, relays, nodes, sites,
 * routes, lease, store. The one implementation behind `holdfast status`, the
 * API and the page; a function of the store's records alone, so that it works
 * from any node, also when no director is there.
 *
 * Members are only ever added: programs of others read them. Pure; any thread. */
#ifndef HOLDFAST_WEB_STATUS_H
#define HOLDFAST_WEB_STATUS_H

#include <jansson.h>

#include "base/time.h"
#include "config/config.h"
#include "store/view.h"
#include "web/counts.h"

struct status_input {
    const struct config *config;
    const struct view *view;
    const struct counts *counts;
    const char *store_json; /* of store_status_json */
    struct wall_time now;   /* when the view was read */
};

/* For json_decref. */
json_t *status_build(const struct status_input *in);

#endif
