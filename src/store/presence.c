#include "store/presence.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/records.h"

#define RECORD_AGAIN_MS 500 /* after the store did not take it */

struct presence {
    struct network *network;
    char *name, *node, *site, *boot_id; /* name: the lease's */
    const char *record_key;             /* one of them */
    int64_t pid_ns, supervisor_pid;
    struct lease_ops ops;
    void *arg;
    struct lease *lease;
    struct loop_timer *again_timer;
    struct store_op *op;
};

static void on_recorded(void *arg, int err, size_t failed)
{
    struct presence *p = arg;
    (void)failed;
    p->op = NULL;
    if (err)
        loop_timer_start(p->again_timer, RECORD_AGAIN_MS);
}

static void record(void *arg)
{
    struct presence *p = arg;
    if (p->op || !lease_is_held(p->lease))
        return;
    struct record_node node = {
        .site = str_from(p->site),
        .supervisor_pid = p->supervisor_pid,
        .boot_id = str_from(p->boot_id),
        .pid_ns = p->pid_ns,
        .version = STR(HOLDFAST_VERSION),
    };
    char *json = record_node_encode(&node);
    struct network_change change = {.type = NETWORK_PUT,
                                    .kind = STR("node"),
                                    .key = str_from(p->record_key),
                                    .value = str_from(json),
                                    .expect_version = NETWORK_ANY_VERSION};
    p->op = network_write(p->network, &change, 1, lease_guard(p->lease), on_recorded, p);
    free(json);
}

static void on_held(void *arg)
{
    struct presence *p = arg;
    log_event(LOG_INFO, "alive: the store has given its lease", LOG_TEXT("lease", p->name),
              LOG_TEXT("node", p->node));
    record(p);
    if (p->ops.held)
        p->ops.held(p->arg);
}

static void on_lost(void *arg)
{
    const struct presence *p = arg;
    log_event(LOG_WARNING, "the lease by which others know that it is alive was not renewed",
              LOG_TEXT("lease", p->name), LOG_TEXT("node", p->node));
    if (p->ops.lost)
        p->ops.lost(p->arg);
}

struct presence *presence_new(struct loop *l, struct network *n, const struct presence_options *options)
{
    struct presence *p = mem_zalloc(sizeof(*p));
    *p = (struct presence){.network = n,
                           .pid_ns = options->pid_ns,
                           .supervisor_pid = options->supervisor_pid,
                           .ops = options->ops,
                           .arg = options->arg};
    p->name = mem_asprintf("%s%s", options->kind, options->name);
    p->node = mem_strdup(options->node);
    p->record_key = strcmp(options->kind, PRESENCE_NODE) == 0 ? p->node : p->name;
    p->site = mem_strdup(options->site);
    p->boot_id = mem_strdup(options->boot_id ? options->boot_id : "");
    p->again_timer = loop_timer_new(l, record, p);
    p->lease = lease_new(l, n, str_from(p->name), str_from(p->node), options->lease_ms,
                         &(struct lease_ops){on_held, on_lost}, p);
    return p;
}

void presence_free(struct presence *p)
{
    if (!p)
        return;
    if (p->op)
        store_op_forget(p->op);
    lease_free(p->lease);
    loop_timer_free(p->again_timer);
    free(p->name);
    free(p->node);
    free(p->site);
    free(p->boot_id);
    free(p);
}

struct lease *presence_lease(const struct presence *p)
{
    return p->lease;
}
