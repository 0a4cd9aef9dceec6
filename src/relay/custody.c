#include "relay/custody.h"

#include "base/mem.h"
#include "relay/claims.h"
#include "relay/notices.h"
#include "relay/outside.h"
#include "relay/safety_net.h"
#include "relay/strays.h"

static void on_given_up(void *arg, size_t count)
{
    custody_expired(arg, count);
}

struct custody *custody_new(struct loop *l, struct queue *q, const struct custody_options *options)
{
    struct custody *c = mem_alloc(sizeof(*c));
    *c = (struct custody){
        .queue = q,
        .work = options->work,
        .claims = claims_new(),
        .notices = notices_new(l, q, options->network),
        .safety_net = safety_net_new(l, q, options->relay, options->work),
        .strays = strays_new(l, q, options->network, options->config, options->relay, on_given_up, c)};
    c->outside = outside_add(options->outside, q, c->claims, on_given_up, c);
    return c;
}

void custody_free(struct custody *c)
{
    outside_remove(c->outside);
    claims_free(c->claims);
    notices_free(c->notices);
    safety_net_free(c->safety_net);
    strays_free(c->strays);
    free(c);
}

size_t custody_changed(struct custody *c, const struct queue_filter *filter)
{
    strays_kick(c->strays);
    return outside_changed(c->outside, filter);
}

void custody_expired(struct custody *c, size_t count)
{
    c->work->expired += (int64_t)count;
    notices_kick(c->notices);
}
