/* SMTP, LMTP and submission for scripts. Options of a script: size, recipients,
 * errors (limits), greeting (421 or 554), utf8 (1), auth (mechanisms), peer (1:
 * XHOLDFAST is offered), dsn (1), tls (1: STARTTLS is offered), away (1: AUTH needs it),
 * xclient (1: it is offered). */
#include <stdlib.h>

#include "base/mem.h"
#include "dialogue/machines.h"
#include "dialogue/smtp_owner.h"

static const struct peer_key key = {"0123456789abcdef0123456789abcde"};
static const struct peer_nonce nonce = {"server nonce 16"};

struct smtp_machine {
    struct smtp_server_options options;
    struct smtp_owner owner;
    struct smtp_server *server;
};

static uint64_t number(const struct dialogue_options *o, const char *name, uint64_t otherwise)
{
    const char *value = dialogue_option(o, name);
    return value ? strtoull(value, NULL, 10) : otherwise;
}

static void *machine_open(const struct dialogue_options *o, uint32_t seed, enum smtp_flavour flavour)
{
    struct smtp_machine *m = mem_zalloc(sizeof(*m));
    m->options = (struct smtp_server_options){
        .flavour = flavour,
        .hostname = "mail.example.test",
        .size_max_bytes = number(o, "size", 1000000),
        .recipients_max = number(o, "recipients", 0),
        .errors_max = (unsigned)number(o, "errors", 0),
        .smtputf8 = number(o, "utf8", 0),
        .dsn = number(o, "dsn", 0),
        .auth_mechanisms = dialogue_option(o, "auth"),
        .peer_key = number(o, "peer", 0) ? &key : NULL,
        .peer = {PEER_MAILBOX, "mail1"},
        .auth_needs_tls = number(o, "away", 0),
    };
    if (flavour == SMTP_FLAVOUR_SUBMISSION && !m->options.auth_mechanisms)
        m->options.auth_mechanisms = "PLAIN LOGIN";
    smtp_owner_init(&m->owner, seed == 1 ? 0 : seed); /* the first round answers all at once */
    m->owner.greeting = (uint16_t)number(o, "greeting", 0);
    m->server = m->owner.server = smtp_server_new(&m->options, &smtp_owner_ops, &m->owner, &nonce);
    if (number(o, "tls", 0))
        smtp_server_offer_tls(m->server);
    if (number(o, "xclient", 0))
        smtp_server_offer_xclient(m->server);
    smtp_server_start(m->server);
    return m;
}

static void *smtp_open(const struct dialogue_options *o, uint32_t seed)
{
    return machine_open(o, seed, SMTP_FLAVOUR_SMTP);
}

static void *lmtp_open(const struct dialogue_options *o, uint32_t seed)
{
    return machine_open(o, seed, SMTP_FLAVOUR_LMTP);
}

static void *submission_open(const struct dialogue_options *o, uint32_t seed)
{
    return machine_open(o, seed, SMTP_FLAVOUR_SUBMISSION);
}

static bool wants_input(void *m)
{
    return smtp_server_wants_input(((struct smtp_machine *)m)->server);
}

static void input(void *m, const char *data, size_t len)
{
    smtp_server_input(((struct smtp_machine *)m)->server, data, len);
}

static struct str output(void *m)
{
    return smtp_server_output(((struct smtp_machine *)m)->server);
}

static void output_taken(void *m, size_t len)
{
    smtp_server_output_taken(((struct smtp_machine *)m)->server, len);
}

static bool finished(void *m)
{
    return smtp_server_finished(((struct smtp_machine *)m)->server);
}

static bool tick(void *m)
{
    struct smtp_server *s = ((struct smtp_machine *)m)->server;
    if (smtp_server_wants_tls(s)) {
        smtp_server_tls_started(s, STR("TLSv1.3 TLS_AES_128_GCM_SHA256"), STR_EMPTY);
        return true;
    }
    return smtp_owner_tick(&((struct smtp_machine *)m)->owner);
}

static void timeout(void *m)
{
    smtp_server_timeout(((struct smtp_machine *)m)->server);
}

static void machine_close(void *arg)
{
    struct smtp_machine *m = arg;
    smtp_server_free(m->server);
    smtp_owner_fini(&m->owner);
    free(m);
}

#define MACHINE(machine_name, open_function)                                                                 \
    {                                                                                                        \
        .name = machine_name, .open = open_function, .wants_input = wants_input, .input = input,             \
        .output = output, .output_taken = output_taken, .finished = finished, .tick = tick,                  \
        .timeout = timeout, .close = machine_close,                                                          \
    }

const struct dialogue_machine dialogue_smtp = MACHINE("smtp", smtp_open);
const struct dialogue_machine dialogue_lmtp = MACHINE("lmtp", lmtp_open);
const struct dialogue_machine dialogue_submission = MACHINE("submission", submission_open);
