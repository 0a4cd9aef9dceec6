#include "mailbox/relays.h"

#include <stdlib.h>

#include "base/mem.h"

/* Long enough that few users wait for a dead relay, short enough that a living
 * one of the own node has its work back soon. */
#define AVOIDED_MS 30000

enum nearness { NEAR_NODE, NEAR_SITE, NEAR_NOT, NEARNESSES };

static enum nearness nearness_of(const struct config_relay *relay, const struct config_node *node)
{
    if (relay->node == node)
        return NEAR_NODE;
    return relay->node->site == node->site ? NEAR_SITE : NEAR_NOT;
}

void relays_init(struct relays *r, const struct config *c, const struct config_node *node)
{
    *r = (struct relays){.items = mem_calloc(c->relay_count, sizeof(*r->items))};
    for (int near = NEAR_NODE; near < NEARNESSES; near++)
        for (size_t i = 0; i < c->relay_count; i++) {
            const struct config_relay *relay = &c->relays[i];
            if (relay->listen.count > 0 && (int)nearness_of(relay, node) == near)
                r->items[r->count++] =
                    (struct relay_choice){.relay = relay, .address = relay->listen.addrs[0]};
        }
}

void relays_fini(struct relays *r)
{
    free(r->items);
    *r = (struct relays){NULL, 0};
}

static size_t add(const struct relays *r, struct mono_time now, bool avoided, size_t *out, size_t at)
{
    for (size_t i = 0; i < r->count; i++)
        if (mono_before(now, r->items[i].avoided_until) == avoided)
            out[at++] = i;
    return at;
}

void relays_order(const struct relays *r, struct mono_time now, size_t *out)
{
    add(r, now, true, out, add(r, now, false, out, 0));
}

void relays_failed(struct relays *r, size_t index, struct mono_time now)
{
    r->items[index].avoided_until = mono_add_ms(now, AVOIDED_MS);
}

void relays_worked(struct relays *r, size_t index)
{
    r->items[index].avoided_until = (struct mono_time){0};
}
