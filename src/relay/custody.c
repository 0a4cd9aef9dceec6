#include "relay/custody.h"

#include "base/mem.h"
#include "relay/claims.h"
#include "relay/delays.h"
#include "relay/forgetting.h"
#include "relay/notices.h"
#include "relay/outside.h"
#include "relay/reports.h"
#include "relay/rights.h"
#include "relay/safety_net.h"
#include "relay/strays.h"

static void on_given_up(void *arg, size_t count)
{
    custody_expired(arg, count);
}

static bool may_expire(void *arg)
{
    return right_is_held(((struct custody *)arg)->right);
}

static const struct expiry_ops expiry_ops = {may_expire, on_given_up};

static void on_delay(void *arg)
{
    reports_kick(((struct custody *)arg)->reports);
}

struct custody *custody_new(struct loop *l, struct queue *q, const struct custody_options *options)
{
    struct custody *c = mem_alloc(sizeof(*c));
    struct claims *claims = claims_new();
    struct reports_options reports = {.config = options->config,
                                      .relay = options->relay,
                                      .claims = claims,
                                      .right = options->right,
                                      .work = options->work,
                                      .on_made = options->on_report,
                                      .arg = options->arg};
    *c = (struct custody){
        .queue = q,
        .work = options->work,
        .right = options->right,
        .claims = claims,
        .notices = notices_new(l, q, options->network),
        .reports = reports_new(l, q, &reports),
        .delays = delays_new(l, q, options->relay, on_delay, c),
        .safety_net = safety_net_new(l, q, options->network, options->relay, options->work),
        .forgetting = forgetting_new(l, q, options->relay),
        .strays = strays_new(l, q, options->network, options->config, options->relay, &expiry_ops, c)};
    c->outside = outside_add(options->outside, q, c->right, c->claims, on_given_up, c);
    return c;
}

void custody_free(struct custody *c)
{
    outside_remove(c->outside);
    notices_free(c->notices);
    delays_free(c->delays);
    reports_free(c->reports);
    right_free(c->right);
    claims_free(c->claims);
    safety_net_free(c->safety_net);
    forgetting_free(c->forgetting);
    strays_free(c->strays);
    free(c);
}

size_t custody_changed(struct custody *c, const struct queue_filter *filter)
{
    strays_kick(c->strays);
    return outside_changed(c->outside, filter);
}

void custody_accepted_outside(struct custody *c)
{
    outside_kick(c->outside);
}

void custody_may_send(struct custody *c)
{
    outside_kick(c->outside);
    reports_kick(c->reports);
}

void custody_tell(struct custody *c)
{
    notices_kick(c->notices);
    reports_kick(c->reports);
}

void custody_expired(struct custody *c, size_t count)
{
    c->work->expired += (int64_t)count;
    custody_tell(c);
}

void custody_reload(struct custody *c)
{
    (void)custody_changed(c, NULL);
    delays_kick(c->delays);
}
