/* All zones of a configuration, loaded and ready to answer from. For the DNS
 * role, and for check-config, which loads them to see that it can. Immutable
 * once loaded, any thread may read; references are counted by the loop's. */
#ifndef HOLDFAST_DNS_ZONES_H
#define HOLDFAST_DNS_ZONES_H

#include "config/config.h"
#include "dns/zone.h"

struct dns_zones {
    const struct config *config; /* must outlive the zones */
    struct map by_apex;          /* wire name -> struct zone */
    size_t labels_max;           /* of the longest apex */
    unsigned references;         /* counted on one thread */
};

/* serial is that of made SOA records (seconds since 1970 do). ERR_INVALID and
 * the errors of zone_load_file, with `file:line: text` in eb. */
int dns_zones_load(const struct config *c, uint32_t serial, struct dns_zones **ret_zones,
                   struct err_buf *eb) MUST_USE;
/* Whether this zone of the configuration could be loaded; errors as above. findings: is told of all that is
 * wrong in its file. */
int dns_zones_check(const struct config *c, const struct config_zone *section, struct zone_findings *findings,
                    struct err_buf *eb) MUST_USE;
struct dns_zones *dns_zones_ref(struct dns_zones *zs);
void dns_zones_free(struct dns_zones *zs); /* gives one reference back; NULL is allowed */

/* The zone with the longest apex that holds name; NULL outside of all. */
const struct zone *dns_zones_find(const struct dns_zones *zs, const struct dns_name *name);

#endif
