/* Waiting for a condition, always with a bound. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/demo.h"

#define POLL_MS 10 /* what is timed by polling is timed to this */

int demo_play(struct demo *d, demo_step *const *steps, size_t count)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = d->interrupted ? ERR_CANCELLED : steps[i](d);
    return rc;
}

int64_t demo_since_ms(struct demo *d, struct mono_time start)
{
    return mono_diff_ms(loop_now(d->loop), start);
}

int demo_pause(struct demo *d, int64_t ms)
{
    d->paused = true;
    loop_timer_start(d->timer, ms);
    while (d->paused && !d->interrupted)
        loop_run(d->loop);
    loop_timer_stop(d->timer);
    return d->interrupted ? ERR_CANCELLED : 0;
}

static bool network_has_ended(const struct demo *d)
{
    return !d->ending && d->network.whole.process && !d->network.whole.runs;
}

void demo_end_awaited(struct demo *d)
{
    int rc = demo_pause(d, POLL_MS);
    if (rc == 0 && network_has_ended(d))
        timeline_check(&d->timeline, false, "network",
                       "`holdfast run` ended by itself with status %d; %s says why",
                       d->network.whole.exit_status, d->network.log_path);
    d->ending = true;
}

int demo_wait(struct demo *d, int64_t limit_ms, const char *what,
              bool (*done)(struct demo *d, void *arg, struct err_buf *eb), void *arg)
{
    struct mono_time start = loop_now(d->loop);
    struct err_buf eb = {""};
    while (!done(d, arg, &eb)) {
        if (demo_since_ms(d, start) > limit_ms) {
            timeline_check(&d->timeline, false, "demo", "waited %lld ms for %s%s%s", (long long)limit_ms,
                           what, eb.text[0] ? "; last seen: " : "", eb.text);
            return ERR_TIMEOUT;
        }
        int rc = demo_pause(d, POLL_MS);
        if (rc < 0)
            return rc;
        if (network_has_ended(d))
            return ERR_CLOSED;
    }
    return 0;
}

/* ---- names ---- */

struct mx_wait {
    const struct config_site *site;
    bool relay_first;
    const struct addr *address;
};

static bool names_so(struct demo *d, const struct mx_wait *w, const struct config_dns *dns,
                     struct err_buf *eb)
{
    struct demo_mx mx;
    if (demo_dns_mx(&dns->listen.addrs[0], d->plan.domain->name, &mx, eb) < 0)
        return false;
    const struct demo_mx_host *first = &mx.hosts[0];
    bool is_server = demo_plan_is_server(&d->plan, str_from(first->name));
    bool so = is_server != w->relay_first &&
              (!w->address || (first->has_address && addr_ip_eq(&first->address, w->address)));
    if (!so)
        err_set(eb, ERR_CONFLICT, "%s names %s first", dns->name, first->name);
    return so;
}

static bool all_name_so(struct demo *d, void *arg, struct err_buf *eb)
{
    const struct mx_wait *w = arg;
    const struct config *c = d->plan.config;
    for (size_t i = 0; i < c->dns_count; i++)
        if ((!w->site || c->dns[i].node->site == w->site) && !names_so(d, w, &c->dns[i], eb))
            return false;
    return true;
}

int demo_wait_mx(struct demo *d, const struct config_site *site, bool relay_first, const struct addr *address,
                 int64_t limit_ms)
{
    struct mx_wait w = {site, relay_first, address};
    char what[128];
    snprintf(what, sizeof(what), "DNS to name %s first", relay_first ? "a relay" : d->plan.server->name);
    return demo_wait(d, limit_ms, what, all_name_so, &w);
}

/* ---- instances, the sender ---- */

static bool greets(struct demo *d, void *arg, struct err_buf *eb)
{
    const struct addr *at = arg;
    int64_t epoch;
    if (demo_imap_greeting(at, &epoch, eb) < 0)
        return false;
    if (epoch <= d->epoch) {
        err_set(eb, ERR_CONFLICT, "instance %lld greets there", (long long)epoch);
        return false;
    }
    d->epoch = epoch;
    return true;
}

int demo_wait_instance(struct demo *d, const struct addr *address, int64_t limit_ms)
{
    struct addr at = demo_imap_at(d, address);
    char what[128], text[ADDR_TEXT_MAX];
    addr_format(&at, text);
    snprintf(what, sizeof(what), "an instance of %s at %s", d->plan.server->name, text);
    return demo_wait(d, limit_ms, what, greets, &at);
}

static bool has_settled(struct demo *d, void *arg, struct err_buf *eb)
{
    const unsigned *wanted = arg;
    unsigned settled = atomic_load(&d->sender.settled);
    err_set(eb, 0, "%u messages settled of %u", settled, *wanted);
    return settled >= *wanted;
}

int demo_wait_sent(struct demo *d, uint32_t more, int64_t limit_ms)
{
    unsigned wanted = atomic_load(&d->sender.settled) + more;
    return demo_wait(d, limit_ms, "the sender to hand over its messages", has_settled, &wanted);
}

/* ---- status and kill ---- */

static bool has_status(struct demo *d, void *arg, struct err_buf *eb)
{
    const struct demo_plan *p = &d->plan;
    int rc = demo_network_status(&d->network, p->server->name, p->home_node->name, p->home_relay->name, arg);
    err_set(eb, rc, "`holdfast status`: %s", err_name(rc));
    return rc == 0;
}

int demo_status(struct demo *d, struct demo_status *ret_status)
{
    return demo_wait(d, 10000, "`holdfast status` to answer", has_status, ret_status);
}

int demo_kill(struct demo *d, int64_t pid)
{
    d->killed_next = demo_sender_next(&d->sender);
    d->killed = loop_now(d->loop);
    if (pid > 1 && kill((pid_t)pid, SIGKILL) == 0)
        return 0;
    timeline_check(&d->timeline, false, "demo", "process %lld cannot be killed: %s", (long long)pid,
                   pid > 1 ? strerror(errno) : "the status names none");
    return ERR_UNAVAILABLE;
}

struct addr demo_imap_at(const struct demo *d, const struct addr *address)
{
    return demo_plan_at(address, d->plan.server->imap_port);
}

struct demo_login demo_login_of(const struct demo *d)
{
    return (struct demo_login){d->plan.reader, d->plan.password, d->run};
}
