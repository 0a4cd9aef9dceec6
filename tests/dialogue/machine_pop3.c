/* POP3 for scripts. Options of a script: messages (how many alice has), store
 * (away, full, fenced), plain (0: the connection is not safe for passwords), tls (1:
 * TLS is offered, and the handshake done at once). */
#include <stdlib.h>

#include "base/mem.h"
#include "dialogue/machines.h"
#include "dialogue/reader_rig.h"
#include "pop3/session.h"

struct pop3_machine {
    struct reader_rig *rig;
    struct pop3_options options;
    struct pop3_session *session;
};

static uint64_t number(const struct dialogue_options *o, const char *key, uint64_t otherwise)
{
    const char *value = dialogue_option(o, key);
    return value ? strtoull(value, NULL, 10) : otherwise;
}

static void answer(void *arg, int err, struct str user)
{
    struct pop3_machine *m = arg;
    pop3_session_authenticated(m->session, err, user);
}

static void authenticate(void *arg, struct str user, struct str password)
{
    struct pop3_machine *m = arg;
    reader_rig_login(m->rig, user, password, answer, m);
}

static void cancel(void *arg)
{
    struct pop3_machine *m = arg;
    reader_rig_cancel(m->rig);
}

static void fenced(void *arg)
{
    (void)arg;
}

static void *machine_open(const struct dialogue_options *o, uint32_t seed)
{
    static const struct pop3_ops ops = {authenticate, cancel, fenced};
    struct pop3_machine *m = mem_zalloc(sizeof(*m));
    m->rig = reader_rig_new(number(o, "messages", READER_RIG_MESSAGES), dialogue_option(o, "store"), seed);
    m->options = (struct pop3_options){.hostname = "mail1.example.test", .instance = "7@east1"};
    m->session =
        pop3_session_new(&m->options, &ops, m, m->rig->mail, number(o, "plain", 1), number(o, "tls", 0));
    return m;
}

static bool wants_input(void *m)
{
    return pop3_session_wants_input(((struct pop3_machine *)m)->session);
}

static void input(void *m, const char *data, size_t len)
{
    pop3_session_input(((struct pop3_machine *)m)->session, data, len);
}

static struct str output(void *m)
{
    return pop3_session_output(((struct pop3_machine *)m)->session);
}

static void output_taken(void *m, size_t len)
{
    pop3_session_output_taken(((struct pop3_machine *)m)->session, len);
}

static bool finished(void *m)
{
    return pop3_session_finished(((struct pop3_machine *)m)->session);
}

static bool tick(void *m)
{
    struct pop3_machine *machine = m;
    if (pop3_session_wants_tls(machine->session)) {
        pop3_session_tls_started(machine->session);
        return true;
    }
    return reader_rig_tick(machine->rig);
}

static void timeout(void *m)
{
    pop3_session_timeout(((struct pop3_machine *)m)->session);
}

static void machine_close(void *arg)
{
    struct pop3_machine *m = arg;
    pop3_session_free(m->session);
    reader_rig_free(m->rig);
    free(m);
}

const struct dialogue_machine dialogue_pop3 = {
    .name = "pop3",
    .open = machine_open,
    .wants_input = wants_input,
    .input = input,
    .output = output,
    .output_taken = output_taken,
    .finished = finished,
    .tick = tick,
    .timeout = timeout,
    .close = machine_close,
};
