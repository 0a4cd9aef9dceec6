#include "health/probe.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "health/dialogue.h"
#include "net/tls_client.h"

#define OUT_MAX          512  /* an EHLO line: RFC 5321 4.5.3.1.4 */
#define LINGER_MS        1000 /* for the goodbye to leave */
#define COMMAND_TEXT_MAX 1024 /* of a plugin's output; its first line counts */

struct probe {
    struct loop *loop;
    enum check_kind kind;
    struct dialogue dialogue;
    char *helo, *expect;
    struct addr to;
    struct loop_timer *timer;
    struct loop_connect *connect;
    struct loop_stream *stream;
    struct loop_process *process;
    struct smtp_offers *offers; /* or NULL */
    struct tls_client *tls;     /* or NULL */
    bool shaking_hands, answered;
    void (*on_outcome)(void *arg, const struct probe_outcome *outcome);
    void *arg;
};

void probe_cancel(struct probe *p)
{
    if (p == NULL)
        return;
    loop_timer_free(p->timer);
    if (p->connect)
        loop_connect_cancel(p->connect);
    loop_stream_free(p->stream);
    if (p->process) {
        loop_process_kill(p->process, SIGKILL);
        loop_process_free(p->process);
    }
    free(p->helo);
    free(p->expect);
    free(p);
}

static void finish(struct probe *p, enum health_outcome outcome, const char *detail)
{
    char text[DIALOGUE_DETAIL_MAX];
    struct probe_outcome said = {.outcome = outcome, .answered = p->answered};
    void (*on_outcome)(void *, const struct probe_outcome *) = p->on_outcome;
    void *arg = p->arg;
    snprintf(text, sizeof(text), "%s", detail);
    said.detail = str_from(text);
    probe_cancel(p);
    on_outcome(arg, &said);
}

static void fail_at(struct probe *p, const char *what)
{
    char at[ADDR_TEXT_MAX], text[DIALOGUE_DETAIL_MAX];
    addr_format(&p->to, at);
    snprintf(text, sizeof(text), "%s: %.*s", at, (int)(sizeof(text) - sizeof(at) - 2), what);
    finish(p, HEALTH_FAIL, text);
}

static void on_timeout(void *arg)
{
    struct probe *p = arg;
    char text[64];
    if (p->shaking_hands && p->dialogue.tls != DIALOGUE_TLS_REQUIRED) {
        finish(p, HEALTH_OK, p->dialogue.detail); /* as on_tls has it */
        return;
    }
    if (p->connect || p->kind == CHECK_TCP || p->kind == CHECK_COMMAND) {
        fail_at(p, "no answer in time");
        return;
    }
    snprintf(text, sizeof(text), "no answer in time, waiting for %s",
             p->shaking_hands ? "the TLS handshake" : dialogue_waiting_for(&p->dialogue));
    fail_at(p, text);
}

static void on_lost(struct probe *p, int err)
{
    char text[96];
    snprintf(text, sizeof(text), "%s before %s", err == ERR_CLOSED ? "closed" : err_name(err),
             dialogue_waiting_for(&p->dialogue));
    fail_at(p, text);
}

static void on_read(void *arg, const char *data, size_t len, int err);

static void tls_started(struct probe *p)
{
    struct buf out;
    buf_init(&out, OUT_MAX);
    dialogue_tls_started(&p->dialogue, &out);
    loop_stream_write(p->stream, buf_data(&out), out.len);
    buf_fini(&out);
    loop_stream_read_start(p->stream, on_read, p);
}

/* A delivery goes on without it where its policy lets it, and so has the server. */
static void on_tls(void *arg, int err, const char *detail)
{
    struct probe *p = arg;
    char text[DIALOGUE_DETAIL_MAX];
    p->shaking_hands = false;
    snprintf(text, sizeof(text), "TLS: %s", detail);
    if (!err)
        tls_started(p);
    else if (p->dialogue.tls == DIALOGUE_TLS_REQUIRED)
        fail_at(p, text);
    else
        finish(p, HEALTH_OK, p->dialogue.detail);
}

static void start_tls(struct probe *p)
{
    p->shaking_hands = true;
    p->stream = tls_client_stream(p->tls, p->stream, on_tls, p);
}

static void on_read(void *arg, const char *data, size_t len, int err)
{
    struct probe *p = arg;
    p->answered = true;
    if (err < 0) {
        on_lost(p, err);
        return;
    }
    struct buf out;
    buf_init(&out, OUT_MAX);
    enum dialogue_verdict verdict = dialogue_feed(&p->dialogue, data, len, &out);
    if (out.len > 0)
        loop_stream_write(p->stream, buf_data(&out), out.len);
    buf_fini(&out);
    if (verdict == DIALOGUE_HANDSHAKE)
        start_tls(p);
    if (verdict == DIALOGUE_MORE || verdict == DIALOGUE_HANDSHAKE)
        return;
    if (verdict == DIALOGUE_OK) {
        loop_stream_close(p->stream, LINGER_MS);
        p->stream = NULL;
        if (p->offers)
            smtp_offers_seen(p->offers, &p->dialogue.offers);
    }
    finish(p, verdict == DIALOGUE_OK ? HEALTH_OK : HEALTH_FAIL, p->dialogue.detail);
}

static void on_connect(void *arg, struct loop_stream *s, int err)
{
    struct probe *p = arg;
    p->connect = NULL;
    p->stream = s;
    p->answered = err == ERR_REFUSED;
    if (err == ERR_LIMIT)
        finish(p, HEALTH_NONE, "this machine lacks what a connection takes (descriptors, memory, ports)");
    else if (err < 0)
        fail_at(p, err_name(err));
    else if (p->kind == CHECK_TCP)
        finish(p, HEALTH_OK, "connected");
    else
        loop_stream_read_start(s, on_read, p);
}

static void on_exit_of_command(void *arg, const struct loop_process_result *result)
{
    struct probe *p = arg;
    char text[DIALOGUE_DETAIL_MAX];
    enum health_outcome outcome = HEALTH_NONE;
    struct str rest = result->output, line;
    if (result->err == ERR_TIMEOUT) {
        fail_at(p, "no answer in time");
        return;
    }
    if (!str_split(&rest, '\n', &line) || line.len == 0)
        line = str_from(result->err < 0 ? err_name(result->err) : "no output");
    if (result->err == 0 && result->exit_status >= 0 && result->exit_status <= 2)
        outcome = result->exit_status == 2 ? HEALTH_FAIL : HEALTH_OK;
    snprintf(text, sizeof(text), "%.*s", STR_ARG(line));
    finish(p, outcome, text);
}

static void start_command(struct probe *p, const struct probe_spec *spec)
{
    char host[ADDR_TEXT_MAX], port[8];
    addr_format_ip(&spec->to, host);
    snprintf(port, sizeof(port), "%u", addr_port(&spec->to));
    const char *argv[] = {spec->command, "-H", host, "-p", port, NULL};
    struct loop_process_spec process = {.argv = argv,
                                        .input = STR_EMPTY,
                                        .detached = true,
                                        .die_with_parent = true,
                                        .output_max = COMMAND_TEXT_MAX,
                                        .timeout_ms = spec->timeout_ms};
    p->process = loop_process_spawn(p->loop, &process, on_exit_of_command, p);
}

static enum dialogue_kind dialogue_kind_of(enum check_kind kind)
{
    switch (kind) {
    case CHECK_LMTP:
        return DIALOGUE_LMTP;
    case CHECK_IMAP:
        return DIALOGUE_IMAP;
    case CHECK_POP3:
        return DIALOGUE_POP3;
    default:
        return DIALOGUE_SMTP;
    }
}

static enum dialogue_tls tls_of(const struct probe_spec *spec)
{
    enum tls_policy policy = tls_client_policy(spec->tls);
    if (policy == TLS_REQUIRED || policy == TLS_PINNED)
        return DIALOGUE_TLS_REQUIRED;
    bool fresh = policy == TLS_OPPORTUNISTIC && spec->offers && spec->offers->tls;
    return fresh ? DIALOGUE_TLS_IF_OFFERED : DIALOGUE_TLS_NEVER;
}

struct probe *probe_start(struct loop *l, const struct probe_spec *spec,
                          void (*on_outcome)(void *arg, const struct probe_outcome *outcome), void *arg)
{
    struct probe *p = mem_zalloc(sizeof(*p));
    CHECK(spec->timeout_ms > 0);
    p->loop = l;
    p->kind = spec->kind;
    p->to = spec->to;
    p->offers = spec->offers;
    p->tls = spec->tls;
    p->on_outcome = on_outcome;
    p->arg = arg;
    if (spec->kind == CHECK_COMMAND) {
        start_command(p, spec);
        return p;
    }
    p->helo = mem_strdup(spec->helo ? spec->helo : "localhost");
    p->expect = mem_strdup(spec->expect ? spec->expect : "");
    dialogue_init(&p->dialogue, dialogue_kind_of(spec->kind), tls_of(spec), p->helo, p->expect);
    p->timer = loop_timer_new(l, on_timeout, p);
    loop_timer_start(p->timer, spec->timeout_ms);
    loop_connect(l, &spec->to, NULL, spec->timeout_ms, on_connect, p, &p->connect);
    return p;
}
