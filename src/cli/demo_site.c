/* Act 3: the server's whole site is killed, with mail in its relay's queue; the
 * other site adopts the queue and creates the server. */
#include "cli/demo.h"

#define WAITING 25 /* messages in the queue that will have to be adopted */

static int begin(struct demo *d)
{
    timeline_act(&d->timeline,
                 "Its whole site is killed: the other one adopts the mail, and creates it there");
    return demo_send_on(d);
}

/* The server first, so that mail waits in the relay of the site. */
static int kill_server(struct demo *d)
{
    struct demo_status status;
    int rc = demo_status(d, &status);
    if (rc == 0)
        rc = demo_kill(d, status.pid);
    if (rc < 0)
        return rc;
    d->waiting_next = d->killed_next;
    timeline_say(&d->timeline, "demo", "kill -9 %lld: instance %lld of %s; its mail waits in %s",
                 (long long)status.pid, (long long)status.epoch, d->plan.server->name,
                 d->plan.home_relay->name);
    return demo_wait_sent(d, WAITING, DEMO_LIMIT_MS);
}

static int kill_site(struct demo *d)
{
    struct demo_status status;
    int rc = demo_status(d, &status);
    if (rc == 0)
        rc = demo_kill(d, status.node_pid);
    if (rc == 0)
        timeline_say(&d->timeline, "demo", "kill -9 %lld: the supervisor of %s, the whole site %s",
                     (long long)status.node_pid, d->plan.home_node->name, d->plan.home_node->site->name);
    return rc;
}

static bool is_off(struct demo *d, void *arg, struct err_buf *eb)
{
    const struct config_dns *dns = config_dns_of_node(d->plan.config, d->plan.home_node);
    struct demo_mx mx;
    struct demo_link l;
    (void)arg;
    if (!demo_is_silent(d, &d->plan.home, eb))
        return false;
    if (demo_dns_mx(&dns->listen.addrs[0], d->plan.domain->name, &mx, eb) == 0)
        return err_set(eb, 0, "%s answers", dns->name);
    if (demo_link_open(&l, &d->plan.home_relay->listen.addrs[0], eb) < 0)
        return true;
    demo_link_close(&l);
    err_set(eb, 0, "%s takes connections", d->plan.home_relay->name);
    return false;
}

static int site_is_off(struct demo *d)
{
    int rc = demo_wait(d, DEMO_LIMIT_MS, "all of the site to end", is_off, NULL);
    if (rc == 0)
        timeline_check(&d->timeline, true, "demo", "name server, relay and server of %s have ended with it",
                       d->plan.home_node->name);
    return rc;
}

static int steered(struct demo *d)
{
    int rc =
        demo_wait_mx(d, d->plan.away_node->site, true, &d->plan.away_relay->address.addrs[0], DEMO_LIMIT_MS);
    if (rc < 0)
        return rc;
    int64_t ms = demo_since_ms(d, d->killed);
    timeline_check(&d->timeline, true, "dns", "%s is named first, %lld ms after the kill",
                   d->plan.away_relay->name, (long long)ms);
    timeline_measure(&d->timeline, "site_steered_ms",
                     "site killed: until DNS named the other site's relay first", ms, DEMO_STEERED_LIMIT_MS);
    return 0;
}

static bool is_adopted(struct demo *d, void *arg, struct err_buf *eb)
{
    const struct demo_plan *p = &d->plan;
    struct demo_status status;
    (void)arg;
    int rc =
        demo_network_status(&d->network, p->server->name, p->home_node->name, p->home_relay->name, &status);
    err_set(eb, rc, "its owner is %s", rc == 0 ? status.queue_owner : "not known");
    return rc == 0 && str_eq(str_from(status.queue_owner), str_from(p->away_node->name));
}

static int adopted(struct demo *d)
{
    int rc = demo_wait(d, DEMO_LIMIT_MS, "the queue to be adopted", is_adopted, NULL);
    if (rc < 0)
        return rc;
    timeline_check(&d->timeline, true, d->plan.away_node->name, "has adopted the queue of %s",
                   d->plan.home_relay->name);
    timeline_measure(&d->timeline, "site_adopted_ms", "site killed: until its queue was adopted",
                     demo_since_ms(d, d->killed), 0);
    return 0;
}

static int created_away(struct demo *d)
{
    char address[ADDR_TEXT_MAX];
    addr_format_ip(&d->plan.away, address);
    int rc = demo_wait_instance(d, &d->plan.away, DEMO_LIMIT_MS);
    if (rc < 0)
        return rc;
    timeline_check(&d->timeline, d->epoch > d->home_epoch, d->plan.server->name,
                   "created in %s, same name, address %s: instance %lld", d->plan.away_node->site->name,
                   address, (long long)d->epoch);
    timeline_measure(&d->timeline, "site_created_ms",
                     "site killed: until the server was created in the other", demo_since_ms(d, d->killed),
                     0);
    return 0;
}

static int routed_away(struct demo *d)
{
    int rc = demo_wait_mx(d, d->plan.away_node->site, false, &d->plan.away, DEMO_LIMIT_MS);
    if (rc == 0)
        timeline_check(&d->timeline, true, "dns", "%s is named first, in %s", d->plan.server->name,
                       d->plan.away_node->site->name);
    return rc;
}

static int first_readable(struct demo *d)
{
    return demo_first_readable(d, &d->plan.away, "site_readable_ms",
                               "site killed: until the first message that waited was readable");
}

static int all_readable(struct demo *d)
{
    int rc = demo_settle_drain(d, &d->plan.away, "site_drain_ms",
                               "site killed: from the first to the last message, the drain");
    if (rc < 0)
        return rc;
    uint32_t waited =
        ledger_taken_since(&d->ledger, d->waiting_next, demo_plan_relay_taker(&d->plan, d->plan.home_relay));
    timeline_check(&d->timeline, waited > 0, d->plan.home_relay->name,
                   "%u of them were in its queue when the site died", waited);
    return 0;
}

int demo_act_site(struct demo *d)
{
    static demo_step *const steps[] = {begin,   kill_server,  kill_site,      site_is_off, steered,
                                       adopted, created_away, first_readable, routed_away, all_readable};
    return demo_play(d, steps, ARRAY_LEN(steps));
}
