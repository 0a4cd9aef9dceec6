/* Instances of messaging servers: they take the identity as the mailbox role
 * does, and answer probes. */
#include <stdio.h>

#include "base/mem.h"
#include "rig_parts.h"
#include "unit/unit.h"

#define START_MS 80 /* of an instance, until it listens */

/* ---- what it says ---- */

static const struct protocol {
    uint16_t port;
    const char *greeting, *answer;
} protocols[RIG_PORTS] = {
    {25, "220 mail.example.test", "250 mail.example.test\r\n"},
    {24, "220 mail.example.test", "250 mail.example.test\r\n"},
    {143, "* OK ready", "p1 OK\r\n"},
    {110, "+OK ready", "+OK\r\n"},
};

static const struct protocol *protocol_of(const struct loop_stream *s)
{
    struct addr local;
    loop_stream_local(s, &local);
    for (size_t k = 0; k < RIG_PORTS; k++)
        if (addr_port(&local) == protocols[k].port)
            return &protocols[k];
    fail_msg("nobody listens on port %u", addr_port(&local));
    return NULL;
}

static enum rig_flaw flaw_at(const struct rig_instance *i, uint16_t port)
{
    return i->flaw_port == 0 || i->flaw_port == port ? i->flaw : RIG_FLAWLESS;
}

static void on_read(void *arg, const char *data, size_t len, int err)
{
    struct loop_stream *s = arg;
    if (err || len == 0) {
        loop_stream_free(s);
        return;
    }
    const char *text = protocol_of(s)->answer;
    for (size_t i = 0; i < len; i++)
        if (data[i] == '\n') /* a command may come in pieces */
            loop_stream_write(s, text, strlen(text));
}

static void greet(const struct rig_instance *i, struct loop_stream *s)
{
    const struct protocol *p = protocol_of(s);
    enum rig_flaw flaw = flaw_at(i, p->port);
    char line[160];
    snprintf(line, sizeof(line), "%s instance=%lld@%s\r\n", flaw == RIG_BABBLES ? "SSH-2.0" : p->greeting,
             (long long)(flaw == RIG_AN_EARLIER ? i->epoch - 1 : i->epoch),
             i->rig->nodes[i->node].config->name);
    loop_stream_write(s, line, strlen(line));
}

static void on_accept(void *arg, struct loop_stream *s, const struct addr *peer)
{
    const struct rig_instance *i = arg;
    (void)peer;
    if (flaw_at(i, protocol_of(s)->port) != RIG_SILENT)
        greet(i, s);
    loop_stream_read_start(s, on_read, s);
}

/* ---- its life ---- */

static void answer_creation(struct rig_instance *i, int exit_status)
{
    char answer[64] = "";
    struct sim_spawn *s = i->creation;
    i->creation = NULL;
    if (exit_status == 0)
        snprintf(answer, sizeof(answer), "{\"pid\":%lld,\"pid_start\":1}", (long long)i->pid);
    if (s)
        sim_spawn_done(s, exit_status, str_from(answer));
}

void rig_kill_instance(struct rig_instance *i)
{
    if (!i->process.loop)
        return;
    sim_loop_kill(i->process.loop);
    i->serves = false;
    answer_creation(i, 1);
    lease_free(i->lease);
    i->lease = NULL;
    rig_process_end(&i->process);
}

static void instance_ready(struct rig_instance *i)
{
    for (size_t k = 0; k < RIG_PORTS; k++) {
        struct addr at = rig_ip(i->address);
        struct err_buf eb;
        addr_set_port(&at, protocols[k].port);
        if (loop_listen(i->process.loop, &at, on_accept, i, &i->listeners[k], &eb) < 0)
            i->rig->address_clashes++;
    }
    i->serves = true;
    answer_creation(i, 0);
}

static void on_identity_held(void *arg)
{
    struct rig_instance *i = arg;
    if (!i->serves)
        instance_ready(i);
}

static void on_identity_lost(void *arg)
{
    (void)arg;
}

static void on_begun(void *arg, int err)
{
    struct rig_instance *i = arg;
    char name[64], holder[64];
    if (err) {
        answer_creation(i, 1);
        return;
    }
    snprintf(name, sizeof(name), "server/%s", i->rig->config.servers[i->server].name);
    snprintf(holder, sizeof(holder), "%s:%lld", i->rig->nodes[i->node].config->name, (long long)i->epoch);
    i->lease = lease_new(i->process.loop, store_network(i->process.store), str_from(name), str_from(holder),
                         RIG_LEASE_MS, &(struct lease_ops){on_identity_held, on_identity_lost}, i);
}

static void on_instance_start(void *arg)
{
    struct rig_instance *i = arg;
    struct mail *mail;
    struct err_buf eb;
    if (!i->process.loop)
        return;
    if (i->flaw == RIG_UNKNOWN_EPOCH) {
        instance_ready(i);
        return;
    }
    assert_ok(store_mail(i->process.store, &mail, &eb));
    mail_instance_begin(mail, str_from(i->rig->config.servers[i->server].name), i->epoch, on_begun, i);
}

void rig_instance_start(struct rig_node *n, int server, int64_t epoch, const char *address,
                        struct sim_spawn *creation)
{
    struct rig *r = n->rig;
    assert_true(r->instance_count < RIG_INSTANCES);
    for (size_t k = 0; k < r->instance_count; k++)
        r->epochs_twice += r->instances[k].server == server && r->instances[k].epoch == epoch;
    struct rig_instance *i = &r->instances[r->instance_count++];
    *i = (struct rig_instance){.rig = r,
                               .node = n->index,
                               .server = server,
                               .epoch = epoch,
                               .flaw = n->flaw,
                               .flaw_port = n->flaw_port,
                               .creation = creation};
    i->pid = 1000 + (int64_t)r->instance_count;
    snprintf(i->address, sizeof(i->address), "%s", address);
    rig_process_start(r, &i->process, n->config->name, "mailbox");
    sim_at(r->world, START_MS, on_instance_start, i);
}

/* The mailbox role ends by itself when the record has gone on to a later epoch. */
static bool is_left_behind(const struct rig_instance *i, const struct record_server *record)
{
    return i->process.loop && i->serves && record->epoch > i->epoch && record->instance.epoch != i->epoch &&
           record->candidate.epoch != i->epoch;
}

void rig_instances_look(struct rig *r)
{
    for (size_t k = 0; k < r->instance_count; k++) {
        struct record_server record = rig_record_of(r, r->instances[k].server);
        if (is_left_behind(&r->instances[k], &record))
            rig_kill_instance(&r->instances[k]);
    }
}
