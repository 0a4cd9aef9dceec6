#include "director/verify.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "health/monitor.h"
#include "health/probe.h"

#define AGAIN_MS     100  /* between tries: an instance needs about that long to start */
#define PROBE_MAX_MS 5000 /* of one probe: more is not operational anyway */
#define CHECKS_MAX   8

struct check {
    enum check_kind kind;
    uint16_t port;
    const char *expect;
    const char *command;
};

struct verify {
    struct loop *loop;
    struct mail *mail;
    struct verify_spec spec;
    struct mono_time until;
    struct check checks[CHECKS_MAX];
    size_t check_count, next;
    bool epoch_holds;
    struct store_op *op;
    struct probe *probe;
    struct loop_timer *timer;
    char detail[256];
    char identity[128]; /* "instance=7@east1" */
    void (*on_end)(void *arg, bool ok, struct str detail);
    void *arg;
};

/* ---- what is checked ---- */

static void add(struct verify *v, enum check_kind kind, uint16_t port, const char *expect,
                const char *command)
{
    if (v->check_count < CHECKS_MAX && (port > 0 || command))
        v->checks[v->check_count++] = (struct check){kind, port, expect, command};
}

/* Ours: all that it offers. */
static void checks_of_builtin(struct verify *v, const struct monitor_target *t)
{
    const char *identity = v->spec.epoch > 0 ? v->identity : NULL;
    add(v, CHECK_SMTP, t->smtp_port, identity, NULL);
    add(v, CHECK_LMTP, t->lmtp_port, identity, NULL);
    add(v, CHECK_IMAP, t->imap_port, identity, NULL);
    add(v, CHECK_POP3, t->pop3_port, identity, NULL);
}

/* Another's: what its operator checks, or else that it takes mail. */
static void checks_of_external(struct verify *v, const struct monitor_target *t)
{
    const struct config_server *s = v->spec.server;
    const uint16_t ports[] = {
        [CHECK_SMTP] = t->smtp_port, [CHECK_IMAP] = t->imap_port, [CHECK_POP3] = t->pop3_port,
        [CHECK_LMTP] = t->lmtp_port, [CHECK_TCP] = t->smtp_port,  [CHECK_COMMAND] = t->smtp_port,
    };
    for (size_t i = 0; i < s->check_count; i++)
        add(v, s->checks[i].kind, ports[s->checks[i].kind], NULL,
            s->checks[i].kind == CHECK_COMMAND ? s->checks[i].command : NULL);
    if (v->check_count == 0 && s->protocol == SERVER_LMTP)
        add(v, CHECK_LMTP, t->lmtp_port, NULL, NULL);
    else if (v->check_count == 0)
        add(v, CHECK_SMTP, t->smtp_port, NULL, NULL);
}

/* ---- one try ---- */

static void next(struct verify *v);

static void end(struct verify *v, bool ok)
{
    void (*on_end)(void *, bool, struct str) = v->on_end;
    void *arg = v->arg;
    char detail[sizeof(v->detail)];
    snprintf(detail, sizeof(detail), "%s", v->detail);
    verify_cancel(v);
    on_end(arg, ok, str_from(detail));
}

static int64_t left_ms(const struct verify *v)
{
    return mono_diff_ms(v->until, loop_now(v->loop));
}

static void again(struct verify *v)
{
    if (left_ms(v) <= AGAIN_MS) {
        end(v, false);
        return;
    }
    loop_timer_start(v->timer, AGAIN_MS);
}

static void on_outcome(void *arg, const struct probe_outcome *outcome)
{
    struct verify *v = arg;
    v->probe = NULL;
    if (outcome->outcome == HEALTH_OK) {
        v->next++;
        next(v);
        return;
    }
    snprintf(v->detail, sizeof(v->detail), "port %u: %.*s", v->checks[v->next].port,
             STR_ARG(outcome->detail));
    again(v);
}

static void probe_next(struct verify *v)
{
    const struct check *c = &v->checks[v->next];
    int64_t left = left_ms(v);
    struct probe_spec spec = {
        .kind = c->kind,
        .to = v->spec.address,
        .timeout_ms = left < 1              ? 1
                      : left < PROBE_MAX_MS ? left
                                            : PROBE_MAX_MS,
        .expect = c->expect,
        .command = c->command,
    };
    addr_set_port(&spec.to, c->port);
    v->probe = probe_start(v->loop, &spec, on_outcome, v);
}

static void on_epoch(void *arg, int err, int64_t epoch)
{
    struct verify *v = arg;
    v->op = NULL;
    v->epoch_holds = err == 0 && epoch == v->spec.epoch;
    if (v->epoch_holds) {
        next(v);
        return;
    }
    if (err)
        snprintf(v->detail, sizeof(v->detail), "the store does not tell its epoch: %s", err_name(err));
    else
        snprintf(v->detail, sizeof(v->detail), "the store has epoch %lld, not %lld", (long long)epoch,
                 (long long)v->spec.epoch);
    if (err == 0 && epoch > v->spec.epoch)
        end(v, false); /* fenced meanwhile: it can never hold again */
    else
        again(v);
}

static void next(struct verify *v)
{
    if (v->spec.epoch > 0 && !v->epoch_holds)
        v->op = mail_epoch(v->mail, str_from(v->spec.server->name), on_epoch, v);
    else if (v->next < v->check_count)
        probe_next(v);
    else
        end(v, true);
}

static void on_timer(void *arg)
{
    struct verify *v = arg;
    v->next = 0;
    v->epoch_holds = false;
    next(v);
}

struct verify *verify_start(struct loop *l, struct mail *mail, const struct verify_spec *spec,
                            void (*on_end)(void *arg, bool ok, struct str detail), void *arg)
{
    struct verify *v = mem_zalloc(sizeof(*v));
    struct monitor_target target;
    *v = (struct verify){.loop = l, .mail = mail, .spec = *spec, .on_end = on_end, .arg = arg};
    CHECK(mail || spec->epoch == 0);
    v->until = mono_add_ms(loop_now(l), spec->timeout_ms);
    snprintf(v->identity, sizeof(v->identity), "instance=%lld@%.*s", (long long)spec->epoch,
             STR_ARG(spec->node));
    v->spec.node = STR_EMPTY;
    monitor_target_of_server(spec->server, &spec->address, &target);
    if (spec->server->kind == SERVER_BUILTIN)
        checks_of_builtin(v, &target);
    else
        checks_of_external(v, &target);
    v->timer = loop_timer_new(l, on_timer, v);
    loop_timer_start(v->timer, 0);
    return v;
}

void verify_cancel(struct verify *v)
{
    if (!v)
        return;
    if (v->op)
        store_op_forget(v->op);
    probe_cancel(v->probe);
    loop_timer_free(v->timer);
    free(v);
}
