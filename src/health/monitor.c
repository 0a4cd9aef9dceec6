#include "health/monitor.h"

#include <string.h>

#include "base/mem.h"
#include "health/machine.h"
#include "health/probe.h"
#include "net/tls_client.h"

/* Seen within two seconds, and no load: for relays, and servers without a check section. */
#define DEFAULT_INTERVAL_MS 500
#define DEFAULT_TIMEOUT_MS  2000
#define DEFAULT_FALL        2
#define DEFAULT_RISE        2

struct check {
    struct monitor *monitor;
    const struct config_check *config;
    size_t index;
    struct loop_timer *timer; /* to the next probe */
    struct probe *probe;      /* under way, or NULL */
    struct mono_time started_at;
};

struct monitor {
    struct loop *loop;
    char *name, *helo, *expect;
    struct config_check default_check;
    struct check checks[HEALTH_CHECKS_MAX];
    size_t check_count;
    enum server_protocol protocol;
    struct smtp_offers *offers;
    const struct config_server *tls_of; /* or NULL */
    struct tls_client *tls;
    size_t delivery_check; /* that deliveries count for */
    bool has_target;
    struct monitor_target target;
    struct health_machine machine;
    enum health_state told; /* last state that on_change was told of */
    struct loop_timer *tell;
    struct monitor_events events;
    void *arg;
};

static void tell_change(struct monitor *m)
{
    enum health_state before = m->told;
    m->told = m->machine.word.state;
    if (m->told != before && m->events.on_change)
        m->events.on_change(m->arg, m, before);
}

static void on_tell(void *arg)
{
    tell_change(arg);
}

static uint16_t port_of(const struct monitor *m, enum check_kind kind)
{
    switch (kind) {
    case CHECK_LMTP:
        return m->target.lmtp_port;
    case CHECK_IMAP:
        return m->target.imap_port;
    case CHECK_POP3:
        return m->target.pop3_port;
    case CHECK_SMTP:
        return m->target.smtp_port;
    default: /* TCP and commands look at the port that mail comes to */
        return m->protocol == SERVER_LMTP ? m->target.lmtp_port : m->target.smtp_port;
    }
}

static void take_outcome(struct check *c, enum health_source source, enum health_outcome outcome,
                         struct str detail)
{
    struct monitor *m = c->monitor;
    struct health_event event = {.check = c->index,
                                 .source = source,
                                 .outcome = outcome,
                                 .detail = detail,
                                 .now = loop_now(m->loop),
                                 .wall = loop_wall(m->loop)};
    (void)health_machine_outcome(&m->machine, &event);
}

static void on_probe(void *arg, const struct probe_outcome *outcome)
{
    struct check *c = arg;
    struct monitor *m = c->monitor;
    int64_t elapsed_ms = mono_diff_ms(loop_now(m->loop), c->started_at);
    int64_t left_ms = c->config->interval_ms - elapsed_ms;
    c->probe = NULL;
    loop_timer_start(c->timer, left_ms > 0 ? left_ms : 0);
    take_outcome(c, HEALTH_PROBE, outcome->outcome, outcome->detail);
    if (m->events.on_outcome) {
        struct monitor_outcome said = {.kind = c->config->kind,
                                       .outcome = outcome->outcome,
                                       .answered = outcome->answered,
                                       .detail = outcome->detail};
        m->events.on_outcome(m->arg, m, &said);
    }
    tell_change(m);
}

static void on_timer(void *arg)
{
    struct check *c = arg;
    struct monitor *m = c->monitor;
    struct probe_spec spec = {.kind = c->config->kind,
                              .to = m->target.address,
                              .timeout_ms = c->config->timeout_ms,
                              .helo = m->helo,
                              .expect = m->expect,
                              .command = c->config->command,
                              .offers = m->offers,
                              .tls = m->tls};
    uint16_t port = port_of(m, spec.kind);
    c->started_at = loop_now(m->loop);
    if (port == 0 && spec.kind != CHECK_COMMAND) {
        on_probe(c, &(struct probe_outcome){.outcome = HEALTH_FAIL,
                                            .detail = STR("the server has no port for this check")});
        return;
    }
    addr_set_port(&spec.to, port);
    c->probe = probe_start(m->loop, &spec, on_probe, c);
}

static void stop_checks(struct monitor *m)
{
    for (size_t i = 0; i < m->check_count; i++) {
        loop_timer_stop(m->checks[i].timer);
        probe_cancel(m->checks[i].probe);
        m->checks[i].probe = NULL;
    }
}

static bool same_target(const struct monitor *m, const struct monitor_target *t)
{
    const struct monitor_target *old = &m->target;
    return m->has_target && addr_ip_eq(&old->address, &t->address) && old->smtp_port == t->smtp_port &&
           old->lmtp_port == t->lmtp_port && old->imap_port == t->imap_port &&
           old->pop3_port == t->pop3_port && old->epoch == t->epoch &&
           strcmp(m->expect, t->expect ? t->expect : "") == 0;
}

static void forget(struct monitor *m)
{
    stop_checks(m);
    health_machine_reset(&m->machine, loop_now(m->loop), loop_wall(m->loop));
    loop_timer_start(m->tell, 0);
}

void monitor_set_target(struct monitor *m, const struct monitor_target *target)
{
    if (target == NULL) {
        if (m->has_target)
            forget(m);
        m->has_target = false;
        return;
    }
    if (same_target(m, target))
        return;
    forget(m);
    m->has_target = true;
    m->target = *target;
    m->target.expect = NULL; /* the copy is m->expect */
    free(m->expect);
    m->expect = mem_strdup(target->expect ? target->expect : "");
    for (size_t i = 0; i < m->check_count; i++)
        loop_timer_start(m->checks[i].timer, 0);
}

void monitor_report(struct monitor *m, enum health_outcome outcome, struct str detail)
{
    struct check *c = &m->checks[m->delivery_check];
    if (!m->has_target)
        return;
    uint32_t failures = m->machine.checks[c->index].failures;
    take_outcome(c, HEALTH_DELIVERY, outcome, detail);
    if (m->machine.checks[c->index].failures > failures && c->probe == NULL)
        loop_timer_start(c->timer, 0);
    if (m->machine.word.state != m->told)
        loop_timer_start(m->tell, 0);
}

static size_t find_delivery_check(const struct monitor *m)
{
    enum check_kind kind = m->protocol == SERVER_LMTP ? CHECK_LMTP : CHECK_SMTP;
    for (size_t i = 0; i < m->check_count; i++)
        if (m->checks[i].config->kind == kind)
            return i;
    return 0;
}

static void get_rules(const struct monitor *m, struct health_rule *rules)
{
    for (size_t i = 0; i < m->check_count; i++)
        rules[i] = (struct health_rule){.fall = (uint32_t)m->checks[i].config->fall,
                                        .rise = (uint32_t)m->checks[i].config->rise};
}

/* Authorities that cannot be read are told of by who delivers; without them nobody is trusted. */
static void set_tls(struct monitor *m)
{
    const struct config_server *s = m->tls_of;
    if (!s)
        return;
    struct tls_client_options options = {.policy = s->tls,
                                         .name = s->hostname,
                                         .ca_file = s->tls_ca,
                                         .pins = s->tls_pins.pins,
                                         .pin_count = s->tls_pins.count};
    int err = tls_client_set(m->tls, &options, NULL);
    (void)err;
}

void monitor_reload(struct monitor *m)
{
    struct health_rule rules[HEALTH_CHECKS_MAX];
    set_tls(m);
    get_rules(m, rules);
    health_machine_set_rules(&m->machine, rules);
}

static void init_checks(struct monitor *m, const struct monitor_spec *spec)
{
    struct health_rule rules[HEALTH_CHECKS_MAX];
    const struct config_check *configs = spec->check_count ? spec->checks : &m->default_check;
    m->default_check = (struct config_check){.kind = spec->protocol == SERVER_LMTP ? CHECK_LMTP : CHECK_SMTP,
                                             .interval_ms = DEFAULT_INTERVAL_MS,
                                             .timeout_ms = DEFAULT_TIMEOUT_MS,
                                             .fall = DEFAULT_FALL,
                                             .rise = DEFAULT_RISE,
                                             .command = ""};
    m->check_count = spec->check_count ? spec->check_count : 1;
    if (m->check_count > HEALTH_CHECKS_MAX)
        m->check_count = HEALTH_CHECKS_MAX;
    for (size_t i = 0; i < m->check_count; i++) {
        m->checks[i] = (struct check){.monitor = m, .config = &configs[i], .index = i};
        m->checks[i].timer = loop_timer_new(m->loop, on_timer, &m->checks[i]);
    }
    get_rules(m, rules);
    health_machine_init(&m->machine, rules, m->check_count, loop_now(m->loop), loop_wall(m->loop));
}

struct monitor *monitor_new(struct loop *l, const struct monitor_spec *spec,
                            const struct monitor_events *events, void *arg)
{
    struct monitor *m = mem_zalloc(sizeof(*m));
    m->loop = l;
    m->name = mem_strdup(spec->name);
    m->helo = mem_strdup(spec->helo ? spec->helo : "localhost");
    m->expect = mem_strdup("");
    m->events = *events;
    m->arg = arg;
    m->protocol = spec->protocol;
    m->offers = spec->offers;
    m->tls_of = spec->tls_of;
    m->tls = tls_client_new(l);
    set_tls(m);
    m->tell = loop_timer_new(l, on_tell, m);
    m->told = HEALTH_UNKNOWN;
    init_checks(m, spec);
    m->delivery_check = find_delivery_check(m);
    return m;
}

void monitor_free(struct monitor *m)
{
    if (m == NULL)
        return;
    stop_checks(m);
    for (size_t i = 0; i < m->check_count; i++)
        loop_timer_free(m->checks[i].timer);
    loop_timer_free(m->tell);
    tls_client_free(m->tls);
    free(m->name);
    free(m->helo);
    free(m->expect);
    free(m);
}

const struct health_word *monitor_word(const struct monitor *m)
{
    return &m->machine.word;
}

const char *monitor_name(const struct monitor *m)
{
    return m->name;
}

void monitor_target_of_server(const struct config_server *s, const struct addr *address,
                              struct monitor_target *ret_target)
{
    *ret_target = (struct monitor_target){.address = *address,
                                          .smtp_port = (uint16_t)s->smtp_port,
                                          .lmtp_port = (uint16_t)s->lmtp_port,
                                          .imap_port = (uint16_t)s->imap_port,
                                          .pop3_port = (uint16_t)s->pop3_port};
}

void monitor_target_of_relay(const struct config_relay *r, struct monitor_target *ret_target)
{
    CHECK(r->address.count > 0 && r->listen.count > 0);
    *ret_target =
        (struct monitor_target){.address = r->address.addrs[0], .smtp_port = addr_port(&r->listen.addrs[0])};
}
