/* The status page, API and metrics of one director process, as its node's `web`
 * section says: what the store tells is gathered on the loop, about each second,
 * and shown by threads that never wait for it.
 *
 * The page is an observer: a director that cannot serve it goes on without. An
 * address that cannot be bound is logged, once, and tried again in silence until
 * it can. There is no authentication: what is not loopback is warned of.
 *
 * One loop; threads of its own inside. Nothing survives a crash. */
#ifndef HOLDFAST_WEB_WEB_H
#define HOLDFAST_WEB_WEB_H

#include "config/config.h"
#include "loop/loop.h"
#include "store/store.h"

struct web;

/* Binds, before privileges are dropped. section is of config; both must outlive it. */
struct web *web_open(struct loop *l, const struct config *config, const struct config_web *section);
/* Begins to gather and to serve. Once; s must outlive it. */
void web_start(struct web *w, struct store *s);
/* Where it serves, by the index of the address in the section; false while it does not. */
bool web_local(const struct web *w, size_t index, struct addr *ret_addr);
void web_free(struct web *w); /* NULL is allowed */

#endif
