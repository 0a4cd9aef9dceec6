/* Act 1: the network starts; a message is routed to its server and read. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/demo.h"

static int start(struct demo *d)
{
    const struct demo_network *n = &d->network;
    timeline_act(&d->timeline, "A message is routed to its server, and read");
    timeline_say(&d->timeline, "network", "holdfast run -c %s --state-dir %s", n->config->path, n->state_dir);
    demo_network_start(&d->network, NULL);
    return 0;
}

static int ready(struct demo *d)
{
    struct mono_time start_time = loop_now(d->loop);
    int rc = demo_wait_instance(d, &d->plan.home, DEMO_LIMIT_MS);
    if (rc == 0)
        rc = demo_wait_mx(d, NULL, false, &d->plan.home, DEMO_LIMIT_MS);
    if (rc < 0)
        return rc;
    d->home_epoch = d->epoch;
    timeline_say(&d->timeline, d->plan.server->name, "instance %lld@%s serves", (long long)d->epoch,
                 d->plan.home_node->name);
    timeline_measure(&d->timeline, "start_ms", "from the start to a network that serves",
                     demo_since_ms(d, start_time), 0);
    return 0;
}

static void describe(const struct demo_mx *mx, struct buf *out)
{
    for (size_t i = 0; i < mx->count; i++) {
        char address[ADDR_TEXT_MAX] = "no address";
        if (mx->hosts[i].has_address)
            addr_format_ip(&mx->hosts[i].address, address);
        buf_append_fmt(out, "%s%u %s (%s)", i ? ", " : "", mx->hosts[i].preference, mx->hosts[i].name,
                       address);
    }
}

/* The server first, and relays behind it. */
static bool is_in_order(const struct demo_plan *p, const struct demo_mx *mx)
{
    bool held = mx->count > 1 && demo_plan_is_server(p, str_from(mx->hosts[0].name));
    for (size_t i = 1; held && i < mx->count; i++)
        held = !demo_plan_is_server(p, str_from(mx->hosts[i].name)) &&
               mx->hosts[i].preference > mx->hosts[0].preference;
    return held;
}

/* A relay that has just started is named a moment later than the server. */
static bool all_in_order(struct demo *d, void *arg, struct err_buf *eb)
{
    const struct config *c = d->plan.config;
    struct demo_mx *mx = arg; /* of each DNS server */
    bool held = true;
    for (size_t i = 0; held && i < c->dns_count; i++) {
        held = demo_dns_mx(&c->dns[i].listen.addrs[0], d->plan.domain->name, &mx[i], eb) == 0;
        if (held && !is_in_order(&d->plan, &mx[i])) {
            struct buf text;
            buf_init(&text, 2048);
            describe(&mx[i], &text);
            err_set(eb, ERR_CONFLICT, "%s: MX %s", c->dns[i].name, buf_data(&text));
            buf_fini(&text);
            held = false;
        }
    }
    return held;
}

static int names(struct demo *d)
{
    const struct config *c = d->plan.config;
    struct demo_mx *mx = mem_calloc(c->dns_count, sizeof(*mx));
    int rc =
        demo_wait(d, DEMO_LIMIT_MS, "DNS to name the server first and relays behind it", all_in_order, mx);
    for (size_t i = 0; rc == 0 && i < c->dns_count; i++) {
        struct buf text;
        buf_init(&text, 2048);
        describe(&mx[i], &text);
        timeline_check(&d->timeline, true, c->dns[i].name, "MX %s", buf_data(&text));
        buf_fini(&text);
    }
    free(mx);
    return rc;
}

static int send_one(struct demo *d, const struct config_relay *through)
{
    char reply[DEMO_SMTP_REPLY_MAX];
    uint32_t number = demo_sender_one(&d->sender, through, reply);
    bool taken = number != LEDGER_FOREIGN;
    const char *taker = taken ? demo_plan_taker_name(&d->plan, d->ledger.entries[number].taker) : "nobody";
    timeline_check(&d->timeline, taken, "sender", "to %s, %s, taken by %s: %s", d->plan.reader,
                   through ? "handed to a relay" : "by the MX", taker, reply);
    return taken ? 0 : ERR_UNAVAILABLE;
}

static int send_both_ways(struct demo *d)
{
    int rc = send_one(d, NULL);
    return rc == 0 ? send_one(d, d->plan.home_relay) : rc;
}

static int read_them(struct demo *d)
{
    int rc = demo_wait_readable(d, &d->plan.home, DEMO_LIMIT_MS);
    return rc == 0 ? demo_judge(d, &d->plan.home) : rc;
}

int demo_act_route(struct demo *d)
{
    static demo_step *const steps[] = {start, ready, names, send_both_ways, read_them};
    return demo_play(d, steps, ARRAY_LEN(steps));
}
