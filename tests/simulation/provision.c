/* The provisioner and the fence agent `process`, played: they start and end
 * mailbox roles on their node, by the rules of provision/process.c. Whoever asked
 * may have died meanwhile; the programs go on. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "simulation/world.h"

#include "base/log.h"
#include "base/mem.h"

#define START_MIN_MS    20 /* of an instance's process, until the role starts */
#define START_SPAN_MS   100
#define PROGRAM_MIN_MS  2 /* of a program that has nothing to wait for */
#define PROGRAM_SPAN_MS 30
#define SLOW_MS         12000 /* longer than a create entry waits */
#define GRACE_MS        2000  /* as the mailbox command gives its sessions */
#define EXIT_FAILED     1
#define EXIT_AGAIN      75

/* ---- answers ---- */

struct answer {
    struct sim_spawn *spawn;
    int exit_status;
};

static void on_answer(void *arg)
{
    struct answer *a = arg;
    sim_spawn_done(a->spawn, a->exit_status, STR("{}"));
    free(a);
}

static void answer_later(struct node *n, struct sim_spawn *s, int exit_status)
{
    struct answer *a = mem_alloc(sizeof(*a));
    *a = (struct answer){s, exit_status};
    sim_at(n->world->sim, PROGRAM_MIN_MS + (int64_t)sim_random_below(n->world->sim, PROGRAM_SPAN_MS),
           on_answer, a);
}

static void answer_creation(struct instance *i, struct sim_spawn *s, int exit_status)
{
    char text[64];
    snprintf(text, sizeof(text), "{\"pid\":%lld,\"pid_start\":1}", (long long)i->pid);
    if (exit_status == 0 && i->on->provision_faults.lose_answer > 0)
        i->on->provision_faults.lose_answer--; /* it hangs; its caller loses patience */
    else
        sim_spawn_done(s, exit_status, str_from(text));
}

static void answer_creations(struct instance *i, int exit_status)
{
    for (size_t k = 0; k < INSTANCE_WAITERS; k++) {
        struct sim_spawn *s = i->creations[k];
        i->creations[k] = NULL;
        if (s)
            answer_creation(i, s, exit_status);
    }
}

/* ---- instances ---- */

void instance_kill(struct instance *i)
{
    if (!i->process.loop)
        return;
    sim_loop_kill(i->process.loop);
    if (i->role)
        mailbox_role_free(i->role);
    i->role = NULL;
    i->ready = false;
    process_end(&i->process);
    answer_creations(i, EXIT_FAILED);
    if (i->destruction)
        sim_spawn_done(i->destruction, 0, STR("{}"));
    i->destruction = NULL;
}

static void on_reap(void *arg)
{
    struct instance *i = arg;
    if (i->ending)
        instance_kill(i);
}

static void instance_end_soon(struct instance *i)
{
    i->ending = true;
    sim_at(i->on->world->sim, 0, on_reap, i);
}

static void on_role_ready(void *arg)
{
    struct instance *i = arg;
    i->ready = true;
    i->on->provision.ready = i->on->provision.epoch == i->epoch;
    answer_creations(i, 0);
}

static void on_role_failed(void *arg, int err, const char *why)
{
    struct instance *i = arg;
    log_event(LOG_ERROR, "instance ends", LOG_TEXT("error", err_name(err)), LOG_TEXT("why", why));
    i->ready = false;
    instance_end_soon(i);
}

static const struct mailbox_role_ops role_ops = {.ready = on_role_ready, .failed = on_role_failed};

static void on_start(void *arg)
{
    struct instance *i = arg;
    struct world *w = i->on->world;
    struct err_buf eb;
    if (!i->process.loop || i->role)
        return;
    struct mailbox_role_options options = {.config = w->holder_config,
                                           .node = i->on->config,
                                           .server = config_server_find(w->holder_config, WORLD_SERVER),
                                           .epoch = i->epoch,
                                           .store = i->process.store};
    CHECK(addr_parse_ip(str_from(i->address), 0, &options.address) == 0);
    CHECK(mailbox_role_start(i->process.loop, &options, &role_ops, i, &i->role, &eb) == 0);
}

static struct instance *instance_start(struct node *n, int64_t epoch, const char *address)
{
    struct world *w = n->world;
    struct instance *i = mem_zalloc(sizeof(*i));
    bool slow = n->provision_faults.slow > 0;
    i->on = n;
    i->epoch = epoch;
    i->pid = ++w->next_pid;
    snprintf(i->address, sizeof(i->address), "%s", address);
    snprintf(i->holder, sizeof(i->holder), "%s:%lld", n->config->name, (long long)epoch);
    list_append(&w->instances, &i->node);
    process_start(w, &i->process, n->config->name, "mailbox", n);
    n->provision_faults.slow -= slow;
    sim_at(w->sim, slow ? SLOW_MS : START_MIN_MS + (int64_t)sim_random_below(w->sim, START_SPAN_MS), on_start,
           i);
    return i;
}

/* The one that runs on the node; the provisioner sees to it that there is one at most. */
static struct instance *instance_of(struct node *n)
{
    LIST_FOREACH (it, &n->world->instances) {
        struct instance *i = LIST_ENTRY(it, struct instance, node);
        if (i->on == n && i->process.loop)
            return i;
    }
    return NULL;
}

struct instance *world_instance(struct world *w)
{
    struct record_server record = world_record(w);
    LIST_FOREACH (it, &w->instances) {
        struct instance *i = LIST_ENTRY(it, struct instance, node);
        if (i->ready && i->epoch == record.instance.epoch)
            return i;
    }
    return NULL;
}

/* ---- programs ---- */

static void wait_for(struct instance *i, struct sim_spawn *s)
{
    for (size_t k = 0; k < INSTANCE_WAITERS; k++) {
        if (i->creations[k])
            continue;
        i->creations[k] = s;
        return;
    }
    answer_later(i->on, s, EXIT_AGAIN);
}

static void create(struct node *n, int64_t epoch, const char *address, struct sim_spawn *s)
{
    struct provision_state *state = &n->provision;
    struct instance *i = instance_of(n);
    bool runs = i && i->epoch == epoch;
    if (n->provision_faults.fail > 0) {
        n->provision_faults.fail--;
        answer_later(n, s, EXIT_FAILED);
    } else if (epoch < state->epoch || (epoch == state->epoch && state->off)) {
        answer_later(n, s, EXIT_FAILED);
    } else if (epoch == state->epoch && state->ready && runs) {
        answer_creation(i, s, 0);
    } else if (epoch == state->epoch && state->ready) {
        answer_later(n, s, EXIT_FAILED); /* it ran here and has ended */
    } else if (epoch == state->epoch && runs) {
        wait_for(i, s); /* behind the lock that the first call holds */
    } else {
        if (i)
            instance_kill(i);
        *state = (struct provision_state){.epoch = epoch};
        wait_for(instance_start(n, epoch, address), s);
    }
}

static void on_stopped(void *arg)
{
    instance_end_soon(arg);
}

static void destroy(struct node *n, int64_t epoch, struct sim_spawn *s)
{
    struct instance *i = instance_of(n);
    if (n->provision_faults.fail > 0) {
        n->provision_faults.fail--;
        answer_later(n, s, EXIT_FAILED);
        return;
    }
    if (n->provision.epoch <= epoch)
        n->provision = (struct provision_state){.epoch = epoch, .off = true};
    if (!i || i->epoch > epoch || i->destruction) {
        answer_later(n, s, i && i->destruction ? EXIT_AGAIN : 0);
        return;
    }
    i->destruction = s;
    if (i->epoch == epoch && i->role && !i->ending && !i->process.frozen)
        mailbox_role_stop(i->role, GRACE_MS, on_stopped, i);
    else
        instance_kill(i);
}

static void status(struct node *n, struct sim_spawn *s)
{
    char text[64];
    snprintf(text, sizeof(text), "{\"status\":\"%s\"}", instance_of(n) ? "running" : "off");
    sim_spawn_done(s, 0, str_from(text));
}

static void fence(struct node *n, struct str input, struct sim_spawn *s)
{
    long long pid = 0;
    char text[256];
    struct instance *i = instance_of(n);
    snprintf(text, sizeof(text), "%.*s", STR_ARG(input));
    CHECK(sscanf(text, "action=off\nplug=%lld:1\n", &pid) == 1);
    if (n->provision_faults.fail > 0) {
        n->provision_faults.fail--;
        answer_later(n, s, EXIT_FAILED);
        return;
    }
    if (i && i->pid == pid)
        instance_kill(i);
    answer_later(n, s, 0);
}

void provision_on_spawn(void *arg, struct sim_spawn *s, const struct loop_process_spec *spec)
{
    struct node *n = arg;
    if (strcmp(spec->argv[0], "/simulation/fence/process") == 0) {
        fence(n, spec->input, s);
        return;
    }
    CHECK(strcmp(spec->argv[0], "/simulation/provision/process") == 0);
    json_t *json = json_loadb(spec->input.ptr, spec->input.len, 0, NULL);
    int64_t epoch = json_integer_value(json_object_get(json, "epoch"));
    const char *address = json_string_value(json_array_get(json_object_get(json, "addresses"), 0));
    CHECK(epoch > 0 && address);
    if (strcmp(spec->argv[1], "create") == 0)
        create(n, epoch, address, s);
    else if (strcmp(spec->argv[1], "destroy") == 0)
        destroy(n, epoch, s);
    else
        status(n, s);
    json_decref(json);
}
