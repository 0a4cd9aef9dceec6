#include "relay/custody.h"

#include "base/mem.h"
#include "relay/claims.h"
#include "relay/notices.h"
#include "relay/rights.h"
#include "relay/safety_net.h"
#include "relay/strays.h"

static void on_stray_expired(void *arg, size_t count)
{
    custody_expired(arg, count);
}

struct custody *custody_new(struct loop *l, struct queue *q, const struct custody_options *options)
{
    struct custody *c = mem_alloc(sizeof(*c));
    *c = (struct custody){
        .queue = q,
        .work = options->work,
        .right = options->right,
        .claims = claims_new(),
        .notices = notices_new(l, q, options->network),
        .safety_net = safety_net_new(l, q, options->relay, options->work),
        .strays = strays_new(l, q, options->network, options->config, options->relay, on_stray_expired, c)};
    return c;
}

void custody_free(struct custody *c)
{
    right_free(c->right);
    claims_free(c->claims);
    notices_free(c->notices);
    safety_net_free(c->safety_net);
    strays_free(c->strays);
    free(c);
}

void custody_expired(struct custody *c, size_t count)
{
    c->work->expired += (int64_t)count;
    notices_kick(c->notices);
}
