#include "cli/demo_sender.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/demo_message.h"

#define PACE_MS       8  /* about a hundred messages a second, one connection each */
#define RETRY_MS      50 /* between rounds through the hosts */
#define MESSAGE_BYTES 2048

struct handing {
    struct demo_sender *sender;
    const struct config_relay *through;
    uint32_t number;
    bool settled;
    char *reply;
};

void demo_sender_init(struct demo_sender *s, const struct demo_plan *plan, struct ledger *ledger,
                      const char *run, struct loop *l)
{
    *s = (struct demo_sender){.plan = plan, .ledger = ledger, .run = run, .loop = l};
}

static void begin(struct handing *h)
{
    h->number = ledger_begin(h->sender->ledger);
    atomic_store(&h->sender->begun, h->sender->ledger->count);
}

static void settle(struct handing *h, enum ledger_fate fate, unsigned taker)
{
    struct demo_sender *s = h->sender;
    ledger_settle(s->ledger, h->number, fate, taker);
    h->settled = fate != LEDGER_UNCERTAIN;
    if (fate == LEDGER_REFUSED || fate == LEDGER_UNSENT)
        snprintf(s->problem, sizeof(s->problem), "%s: %s", demo_plan_taker_name(s->plan, taker), h->reply);
    atomic_fetch_add(&s->settled, 1);
}

static void try_host(struct handing *h, const struct addr *at, unsigned taker)
{
    struct demo_sender *s = h->sender;
    struct buf text;
    buf_init(&text, MESSAGE_BYTES);
    demo_message_format(&text, s->run, h->number, s->plan->reader, loop_wall(s->loop));
    struct demo_mail mail = {DEMO_SENDER, s->plan->reader, buf_str(&text)};
    enum demo_smtp_outcome outcome = demo_smtp_send(at, &mail, h->reply);
    buf_fini(&text);
    if (outcome == DEMO_SMTP_ACCEPTED) {
        settle(h, LEDGER_ACCEPTED, taker);
    } else if (outcome == DEMO_SMTP_NEVER) {
        settle(h, LEDGER_REFUSED, taker);
    } else if (outcome == DEMO_SMTP_UNCERTAIN) {
        settle(h, LEDGER_UNCERTAIN, taker);
        begin(h);
    }
}

/* The first name server that answers. */
static int ask_for_hosts(const struct demo_plan *p, struct demo_mx *ret_mx, char *reply)
{
    struct err_buf eb = {""};
    int rc = ERR_UNAVAILABLE;
    for (size_t i = 0; rc < 0 && i < p->config->dns_count; i++)
        if (p->config->dns[i].listen.count > 0)
            rc = demo_dns_mx(&p->config->dns[i].listen.addrs[0], p->domain->name, ret_mx, &eb);
    if (rc < 0)
        snprintf(reply, DEMO_SMTP_REPLY_MAX, "%.*s", DEMO_SMTP_REPLY_MAX - 1, eb.text);
    return rc;
}

static void try_route(struct handing *h)
{
    const struct demo_plan *p = h->sender->plan;
    struct demo_mx mx;
    if (h->through) {
        try_host(h, &h->through->listen.addrs[0], demo_plan_relay_taker(p, h->through));
        return;
    }
    if (ask_for_hosts(p, &mx, h->reply) < 0)
        return;
    for (size_t i = 0; !h->settled && i < mx.count; i++) {
        struct str name = str_from(mx.hosts[i].name);
        uint16_t port = demo_plan_mail_port(p, name);
        struct addr at = demo_plan_at(&mx.hosts[i].address, port);
        if (mx.hosts[i].has_address && port)
            try_host(h, &at, demo_plan_taker(p, name));
    }
}

/* One message, until somebody took it, or time is up. */
static uint32_t hand_over(struct demo_sender *s, const struct config_relay *through, char *reply)
{
    struct handing h = {.sender = s, .through = through, .reply = reply};
    struct mono_time start = loop_now(s->loop);
    reply[0] = '\0';
    begin(&h);
    for (;;) {
        try_route(&h);
        int64_t took_ms = mono_diff_ms(loop_now(s->loop), start);
        if (h.settled && took_ms > s->slowest_ms)
            s->slowest_ms = took_ms;
        if (!h.settled && took_ms > DEMO_SENDER_PATIENCE_MS)
            settle(&h, LEDGER_UNSENT, 0);
        if (h.settled)
            break;
        poll(NULL, 0, RETRY_MS);
    }
    return s->ledger->entries[h.number].fate == LEDGER_ACCEPTED ? h.number : LEDGER_FOREIGN;
}

uint32_t demo_sender_one(struct demo_sender *s, const struct config_relay *through,
                         char ret_reply[DEMO_SMTP_REPLY_MAX])
{
    return hand_over(s, through, ret_reply);
}

static void *send_on(void *arg)
{
    struct demo_sender *s = arg;
    char reply[DEMO_SMTP_REPLY_MAX];
    while (!atomic_load(&s->ending)) {
        hand_over(s, NULL, reply);
        poll(NULL, 0, PACE_MS);
    }
    return NULL;
}

void demo_sender_start(struct demo_sender *s)
{
    sigset_t all, old;
    atomic_store(&s->ending, false);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are the main thread's */
    int rc = pthread_create(&s->thread, NULL, send_on, s);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    CHECK(rc == 0);
    s->running = true;
}

void demo_sender_stop(struct demo_sender *s)
{
    if (!s->running)
        return;
    atomic_store(&s->ending, true);
    pthread_join(s->thread, NULL);
    s->running = false;
}

uint32_t demo_sender_next(const struct demo_sender *s)
{
    return atomic_load(&s->begun);
}
