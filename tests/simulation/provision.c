#include "simulation/provision.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "simulation/instances.h"
#include "simulation/mutants.h"

#define START_MIN_MS    20 /* of an instance's process, until the role starts */
#define START_SPAN_MS   100
#define PROGRAM_MIN_MS  2 /* of a program that has nothing to wait for */
#define PROGRAM_SPAN_MS 30
#define SLOW_MS         12000 /* longer than a create entry waits */
#define TWICE_SPAN_MS   8000  /* the same order again: soon, or after the next move */
#define EXIT_FAILED     1
#define EXIT_AGAIN      75

enum verb { VERB_CREATE, VERB_DESTROY, VERB_STATUS, VERB_FENCE };

/* One run of a program. */
struct call {
    struct list programs; /* in the world's, while it is to come */
    struct node *node;
    int64_t boot;            /* of the node: no program outlives it */
    struct sim_spawn *spawn; /* NULL: nobody waits for it */
    enum verb verb;
    const struct config_server *server; /* not for VERB_FENCE */
    int64_t epoch;
    char address[64];
    long long pid; /* for VERB_FENCE */
    int exit_status;
};

static struct call *call_copy(const struct call *c)
{
    struct call *copy = mem_alloc(sizeof(*copy));
    *copy = *c;
    list_append(&c->node->world->programs, &copy->programs);
    return copy;
}

static void call_free(struct call *c)
{
    list_remove(&c->programs);
    free(c);
}

void provision_fini(struct world *w)
{
    LIST_FOREACH (it, &w->programs)
        call_free(LIST_ENTRY(it, struct call, programs));
}

/* ---- answers ---- */

static void answer(struct sim_spawn *s, int exit_status, struct str text)
{
    if (s)
        sim_spawn_done(s, exit_status, text);
}

static void on_answer(void *arg)
{
    struct call *c = arg;
    answer(c->spawn, c->exit_status, STR("{}"));
    call_free(c);
}

static void answer_later(const struct call *c, int exit_status)
{
    struct sim_world *sim = c->node->world->sim;
    struct call *copy = call_copy(c);
    copy->exit_status = exit_status;
    sim_at(sim, PROGRAM_MIN_MS + (int64_t)sim_random_below(sim, PROGRAM_SPAN_MS), on_answer, copy);
}

static void answer_creation(struct instance *i, struct sim_spawn *s, int exit_status)
{
    char text[64];
    snprintf(text, sizeof(text), "{\"pid\":%lld,\"pid_start\":1}", (long long)i->pid);
    /* When its answer is lost it hangs; its caller loses patience. */
    if (!s || exit_status != 0 || !fault_take(&i->on->faults[PROVISION_LOSES_ANSWER]))
        answer(s, exit_status, str_from(text));
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

static struct provision_state *state_of(struct node *n, const struct config_server *server)
{
    return &n->provision[server - n->world->config->servers];
}

void provision_on_ready(struct instance *i)
{
    struct provision_state *state = state_of(i->on, i->server);
    state->ready = state->epoch == i->epoch;
    answer_creations(i, 0);
}

void provision_on_end(struct instance *i)
{
    answer_creations(i, EXIT_FAILED);
    if (i->destruction)
        sim_spawn_done(i->destruction, 0, STR("{}"));
    i->destruction = NULL;
}

/* ---- programs ---- */

static void wait_for(struct instance *i, const struct call *c)
{
    for (size_t k = 0; k < INSTANCE_WAITERS && c->spawn; k++) {
        if (i->creations[k])
            continue;
        i->creations[k] = c->spawn;
        return;
    }
    answer_later(c, EXIT_AGAIN);
}

static struct instance *start(const struct call *c)
{
    struct sim_world *sim = c->node->world->sim;
    bool slow = fault_take(&c->node->faults[PROVISION_SLOW]);
    int64_t after_ms = slow ? SLOW_MS : START_MIN_MS + (int64_t)sim_random_below(sim, START_SPAN_MS);
    return instance_start(c->node, c->server, c->epoch, c->address, after_ms);
}

static void create(const struct call *c)
{
    struct node *n = c->node;
    struct provision_state *state = state_of(n, c->server);
    struct instance *i = instance_of(n, c->server);
    bool runs = i && i->epoch == c->epoch;
    if (fault_take(&n->faults[PROVISION_FAILS])) {
        answer_later(c, EXIT_FAILED);
    } else if (c->epoch < state->epoch || (c->epoch == state->epoch && state->off)) {
        answer_later(c, EXIT_FAILED);
    } else if (c->epoch == state->epoch && state->ready && runs) {
        answer_creation(i, c->spawn, 0);
    } else if (c->epoch == state->epoch && state->ready) {
        answer_later(c, EXIT_FAILED); /* it ran here and has ended */
    } else if (c->epoch == state->epoch && runs) {
        wait_for(i, c); /* behind the lock that the first call holds */
    } else {
        if (i)
            instance_kill(i);
        *state = (struct provision_state){.epoch = c->epoch};
        wait_for(start(c), c);
    }
}

static void destroy(const struct call *c)
{
    struct node *n = c->node;
    struct provision_state *state = state_of(n, c->server);
    struct instance *i = instance_of(n, c->server);
    if (fault_take(&n->faults[PROVISION_FAILS])) {
        answer_later(c, EXIT_FAILED);
        return;
    }
    if (state->epoch <= c->epoch)
        *state = (struct provision_state){.epoch = c->epoch, .off = true};
    if (!i || i->epoch > c->epoch) {
        answer_later(c, 0);
        return;
    }
    if (i->destruction) {
        answer_later(c, EXIT_AGAIN);
        return;
    }
    i->destruction = c->spawn;
    if (i->epoch == c->epoch && i->role && !i->ending && !i->process.frozen)
        instance_stop(i);
    else
        instance_kill(i);
}

static void status(const struct call *c)
{
    char text[64];
    bool runs = instance_of(c->node, c->server) != NULL;
    snprintf(text, sizeof(text), "{\"status\":\"%s\"}", runs ? "running" : "off");
    answer(c->spawn, 0, str_from(text));
}

static void fence(const struct call *c)
{
    struct node *n = c->node;
    if (fault_take(&n->faults[PROVISION_FAILS])) {
        answer_later(c, EXIT_FAILED);
        return;
    }
    LIST_FOREACH (it, &n->world->instances) {
        struct instance *i = LIST_ENTRY(it, struct instance, node);
        if (i->on == n && i->pid == c->pid && mutant_playing() != MUTANT_fence_claims_success)
            instance_kill(i);
    }
    answer_later(c, 0);
}

/* ---- what is asked of them ---- */

static void read_fence_input(struct call *c, struct str input)
{
    char text[256];
    snprintf(text, sizeof(text), "%.*s", STR_ARG(input));
    CHECK(sscanf(text, "action=off\nplug=%lld:1\n", &c->pid) == 1);
    c->verb = VERB_FENCE;
}

static void read_provision_input(struct call *c, const char *verb, struct str input)
{
    json_t *json = json_loadb(input.ptr, input.len, 0, NULL);
    const char *address = json_string_value(json_array_get(json_object_get(json, "addresses"), 0));
    const char *server = json_string_value(json_object_get(json, "server"));
    c->verb = strcmp(verb, "create") == 0    ? VERB_CREATE
              : strcmp(verb, "destroy") == 0 ? VERB_DESTROY
                                             : VERB_STATUS;
    c->epoch = json_integer_value(json_object_get(json, "epoch"));
    c->server = server ? config_server_find(c->node->world->config, server) : NULL;
    CHECK(c->epoch > 0 && address && c->server);
    snprintf(c->address, sizeof(c->address), "%s", address);
    json_decref(json);
}

static void carry_out(const struct call *c)
{
    static void (*const programs[])(const struct call *c) = {
        [VERB_CREATE] = create, [VERB_DESTROY] = destroy, [VERB_STATUS] = status, [VERB_FENCE] = fence};
    programs[c->verb](c);
}

static void on_again(void *arg)
{
    struct call *c = arg;
    if (c->node->up && c->node->boots == c->boot) {
        log_event(LOG_WARNING, "DISASTER", LOG_TEXT("kind", "duplicate"), LOG_I64("verb", c->verb),
                  LOG_I64("epoch", c->epoch), LOG_I64("pid", c->pid));
        carry_out(c);
    }
    call_free(c);
}

/* The same order again, after a while in which much may have changed. */
static void carry_out_again(const struct call *c)
{
    struct sim_world *sim = c->node->world->sim;
    struct call *copy = call_copy(c);
    copy->spawn = NULL;
    sim_at(sim, (int64_t)sim_random_below(sim, TWICE_SPAN_MS), on_again, copy);
}

void provision_on_spawn(void *arg, struct sim_spawn *s, const struct loop_process_spec *spec)
{
    struct node *n = arg;
    struct call c = {.node = n, .boot = n->boots, .spawn = s};
    bool fences = strcmp(spec->argv[0], "/simulation/fence/process") == 0;
    CHECK(fences || strcmp(spec->argv[0], "/simulation/provision/process") == 0);
    if (fences)
        read_fence_input(&c, spec->input);
    else
        read_provision_input(&c, spec->argv[1], spec->input);
    if (fault_take(&n->faults[PROVISION_TWICE]))
        carry_out_again(&c);
    carry_out(&c);
}
