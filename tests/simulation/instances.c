#include "simulation/instances.h"

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "simulation/impostor.h"

#define GRACE_MS 2000 /* as the mailbox command gives its sessions */

/* ---- the end ---- */

void instance_kill(struct instance *i)
{
    if (!i->process.loop)
        return;
    sim_loop_kill(i->process.loop);
    if (i->role)
        mailbox_role_free(i->role);
    impostor_free(i->impostor);
    i->role = NULL;
    i->impostor = NULL;
    i->ready = false;
    process_end(&i->process);
    provision_on_end(i);
}

static void on_reap(void *arg)
{
    struct instance *i = arg;
    if (i->ending)
        instance_kill(i);
}

static void end_soon(struct instance *i)
{
    i->ending = true;
    sim_at(i->on->world->sim, 0, on_reap, i);
}

static void on_stopped(void *arg)
{
    end_soon(arg);
}

void instance_stop(struct instance *i)
{
    if (i->role && !i->stopping)
        mailbox_role_stop(i->role, GRACE_MS, on_stopped, i);
    i->stopping = true;
}

void instances_free(struct world *w)
{
    LIST_FOREACH (it, &w->instances) {
        struct instance *i = LIST_ENTRY(it, struct instance, node);
        instance_kill(i);
        list_remove(&i->node);
        free(i);
    }
}

/* ---- the start ---- */

static void on_role_ready(void *arg)
{
    struct instance *i = arg;
    i->ready = true;
    ledger_able(i->on->world->ledger, str_from(i->identity), i->epoch);
    provision_on_ready(i);
}

static void on_role_failed(void *arg, int err, const char *why)
{
    struct instance *i = arg;
    log_event(LOG_ERROR, "instance ends", LOG_TEXT("error", err_name(err)), LOG_TEXT("why", why));
    i->ready = false;
    end_soon(i);
}

static const struct mailbox_role_ops role_ops = {.ready = on_role_ready, .failed = on_role_failed};

static void start_role(struct instance *i)
{
    struct world *w = i->on->world;
    struct err_buf eb;
    struct mailbox_role_options options = {.config = w->holder_config,
                                           .node = i->on->config,
                                           .server = i->server,
                                           .epoch = i->epoch,
                                           .store = i->process.store};
    CHECK(addr_parse_ip(str_from(i->address), 0, &options.address) == 0);
    CHECK(mailbox_role_start(i->process.loop, &options, &role_ops, i, &i->role, &eb) == 0);
}

static enum impostor_kind draw_impostor(struct node *n)
{
    return fault_take(&n->faults[PROVISION_SILENT])     ? IMPOSTOR_SILENT
           : fault_take(&n->faults[PROVISION_FOREIGN])  ? IMPOSTOR_FOREIGN
           : fault_take(&n->faults[PROVISION_STRANGER]) ? IMPOSTOR_STRANGER
                                                        : IMPOSTOR_NONE;
}

static void on_start(void *arg)
{
    struct instance *i = arg;
    if (!i->process.loop || i->role || i->impostor)
        return;
    enum impostor_kind kind = draw_impostor(i->on);
    if (kind == IMPOSTOR_NONE) {
        start_role(i);
        return;
    }
    log_event(LOG_WARNING, "DISASTER", LOG_TEXT("kind", "an impostor starts"), LOG_I64("which", kind),
              LOG_TEXT("server", i->server->name), LOG_I64("epoch", i->epoch));
    i->impostor = impostor_start(i, kind, provision_on_ready);
}

struct instance *instance_start(struct node *n, const struct config_server *server, int64_t epoch,
                                const char *address, int64_t after_ms)
{
    struct world *w = n->world;
    struct instance *i = mem_zalloc(sizeof(*i));
    i->on = n;
    i->server = server;
    i->epoch = epoch;
    i->pid = ++w->next_pid;
    snprintf(i->address, sizeof(i->address), "%s", address);
    snprintf(i->identity, sizeof(i->identity), "server %s", server->name);
    snprintf(i->lease, sizeof(i->lease), "server/%s", server->name);
    snprintf(i->holder, sizeof(i->holder), "%s:%lld", n->config->name, (long long)epoch);
    list_append(&w->instances, &i->node);
    process_start(w, &i->process, n->config->name, "mailbox", n);
    sim_at(w->sim, after_ms, on_start, i);
    return i;
}

/* ---- finding ---- */

struct instance *instance_of(struct node *n, const struct config_server *server)
{
    LIST_FOREACH (it, &n->world->instances) {
        struct instance *i = LIST_ENTRY(it, struct instance, node);
        if (i->on == n && i->server == server && i->process.loop)
            return i;
    }
    return NULL;
}

struct instance *world_instance(struct world *w)
{
    struct record_instance record = world_exchanger(w);
    LIST_FOREACH (it, &w->instances) {
        struct instance *i = LIST_ENTRY(it, struct instance, node);
        if (i->ready && i->epoch == record.epoch && str_eq(str_from(i->address), record.address))
            return i;
    }
    return NULL;
}
