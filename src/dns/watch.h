/* What steering depends on, kept up to date: monitors of all servers and relays,
 * and the routes, together as a view. For the DNS role; it opens no port, so
 * that the simulator can run it, too. One loop. After a crash states start at
 * unknown, and no route is known until it is set again. */
#ifndef HOLDFAST_DNS_WATCH_H
#define HOLDFAST_DNS_WATCH_H

#include "config/config.h"
#include "dns/routes.h"
#include "dns/steering.h"
#include "loop/loop.h"

struct dns_watch;

/* config must outlive it. helo: our host's name, for probes; copied. on_change
 * fires from the loop after the view may have changed; once for changes that
 * come together. */
struct dns_watch *dns_watch_new(struct loop *l, const struct config *config, const char *helo,
                                void (*on_change)(void *arg), void *arg);
void dns_watch_free(struct dns_watch *w); /* NULL is allowed */

/* Replaces all routes. A server whose instance (address, epoch, expected text)
 * is another than before is unknown until it was probed. When valid_until passes
 * without new routes, servers count as not leased; addresses stay as they were. */
void dns_watch_set_routes(struct dns_watch *w, const struct dns_routes *routes);

/* The configuration changed in place: see monitor_reload. */
void dns_watch_reload(struct dns_watch *w);

/* As of now; valid until the next call or callback. */
const struct dns_view *dns_watch_view(struct dns_watch *w);
/* The monitor's word of a server, by its index in the config. */
const struct health_word *dns_watch_word(const struct dns_watch *w, size_t server);

#endif
