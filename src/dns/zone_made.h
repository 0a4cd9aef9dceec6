/* What the configuration gives to its zones: steered names, name servers,
 * addresses, and SOA and NS where the file has none. For the DNS role and
 * check-config. */
#ifndef HOLDFAST_DNS_ZONE_MADE_H
#define HOLDFAST_DNS_ZONE_MADE_H

#include "config/config.h"
#include "dns/zone.h"

/* Before the file is read: marks the steered names and adds the addresses of
 * relays and name servers. ERR_INVALID with eb: a host name or domain of the
 * configuration is no domain name. */
int zone_made_begin(struct zone *z, const struct config *c, struct err_buf *eb) MUST_USE;
/* After it: SOA and NS, where the file has none. serial is for the SOA. ERR_INVALID: there is no name server
 * for them. */
int zone_made_end(struct zone *z, const struct config *c, uint32_t serial, struct err_buf *eb) MUST_USE;

#endif
