/* Act 2: the server is killed; senders go on; it is created again in its place. */
#include "cli/demo.h"

#define HANDED_OVER 25 /* messages before and between the blows */

int demo_send_on(struct demo *d)
{
    d->sent_from = d->ledger.count;
    demo_sender_start(&d->sender);
    timeline_say(&d->timeline, "sender", "sends message after message from here on, each to whom DNS names");
    return demo_wait_sent(d, HANDED_OVER, DEMO_LIMIT_MS);
}

static int begin(struct demo *d)
{
    timeline_act(&d->timeline, "The server is killed: senders go on, and it is created again in its place");
    return demo_send_on(d);
}

static int kill_server(struct demo *d)
{
    struct demo_status status;
    int rc = demo_status(d, &status);
    if (rc == 0)
        rc = demo_kill(d, status.pid);
    if (rc == 0)
        timeline_say(&d->timeline, "demo", "kill -9 %lld: instance %lld of %s", (long long)status.pid,
                     (long long)status.epoch, d->plan.server->name);
    return rc;
}

static int steered(struct demo *d)
{
    int rc = demo_wait_mx(d, NULL, true, NULL, DEMO_LIMIT_MS);
    if (rc < 0)
        return rc;
    int64_t ms = demo_since_ms(d, d->killed);
    timeline_check(&d->timeline, true, "dns", "all name servers name a relay first, %lld ms after the kill",
                   (long long)ms);
    timeline_measure(&d->timeline, "server_steered_ms", "server killed: until DNS named a relay first", ms,
                     DEMO_STEERED_LIMIT_MS);
    return 0;
}

static int created_again(struct demo *d)
{
    int64_t old = d->epoch;
    char address[ADDR_TEXT_MAX];
    addr_format_ip(&d->plan.home, address);
    int rc = demo_wait_instance(d, &d->plan.home, DEMO_LIMIT_MS);
    if (rc < 0)
        return rc;
    d->home_epoch = d->epoch;
    timeline_check(&d->timeline, d->epoch > old, d->plan.server->name,
                   "created again, same name, same address %s: instance %lld, after %lld", address,
                   (long long)d->epoch, (long long)old);
    timeline_measure(&d->timeline, "server_created_ms", "server killed: until it was created again",
                     demo_since_ms(d, d->killed), 0);
    return 0;
}

static int first_readable(struct demo *d)
{
    return demo_first_readable(d, &d->plan.home, "server_readable_ms",
                               "server killed: until the first message that waited was readable");
}

static int routed_again(struct demo *d)
{
    int rc = demo_wait_mx(d, NULL, false, &d->plan.home, DEMO_LIMIT_MS);
    if (rc == 0)
        timeline_check(&d->timeline, true, "dns", "all name servers name %s first again",
                       d->plan.server->name);
    return rc;
}

static int all_readable(struct demo *d)
{
    return demo_settle_drain(d, &d->plan.home, "server_drain_ms",
                             "server killed: from the first to the last message, the drain");
}

int demo_act_server(struct demo *d)
{
    static demo_step *const steps[] = {begin,          kill_server,  steered,     created_again,
                                       first_readable, routed_again, all_readable};
    return demo_play(d, steps, ARRAY_LEN(steps));
}
