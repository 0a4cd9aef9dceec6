/* The relays that may take what users submit, and in which order they are tried:
 * our own node's first, then those of our site, then the others, as configured;
 * one that failed a moment ago after all that did not. For submissions. Pure;
 * nothing survives a restart. */
#ifndef HOLDFAST_MAILBOX_RELAYS_H
#define HOLDFAST_MAILBOX_RELAYS_H

#include "base/time.h"
#include "config/config.h"
#include "smtp/client.h"

struct relay_choice {
    const struct config_relay *relay;
    struct addr address;
    struct smtp_client_options client; /* for who connects; the owner's to set, and to free */
    struct mono_time avoided_until;
};

struct relays {
    struct relay_choice *items; /* in the order of preference */
    size_t count;
};

/* config must outlive it. */
void relays_init(struct relays *r, const struct config *c, const struct config_node *node);
void relays_fini(struct relays *r);
/* Indices into items, each once, in the order to try them now; out has room for count. */
void relays_order(const struct relays *r, struct mono_time now, size_t *out);
/* It was not reached, or did not answer: it is tried last for a while. */
void relays_failed(struct relays *r, size_t index, struct mono_time now);
void relays_worked(struct relays *r, size_t index);

#endif
