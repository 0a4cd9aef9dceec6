/* The programs that directors spawn: the provisioner and the fence agent `process`. */
#include <jansson.h>
#include <stdio.h>

#include "base/mem.h"
#include "rig_parts.h"
#include "unit/unit.h"

#define PROGRAM_MS 15 /* of a program that only ends something */

struct call {
    struct rig_node *node;
    int server;
    int64_t epoch;
    const char *address;
};

static struct rig_instance *alive_of(const struct call *c)
{
    struct rig *r = c->node->rig;
    for (size_t k = 0; k < r->instance_count; k++) {
        struct rig_instance *i = &r->instances[k];
        if (i->process.loop && i->node == c->node->index && i->server == c->server && i->epoch == c->epoch)
            return i;
    }
    return NULL;
}

struct later {
    struct sim_spawn *spawn;
    int exit_status;
};

static void on_later(void *arg)
{
    struct later *l = arg;
    sim_spawn_done(l->spawn, l->exit_status, STR("{}"));
    free(l);
}

static void answer_later(struct rig_node *n, struct sim_spawn *s, int exit_status)
{
    struct later *l = mem_alloc(sizeof(*l));
    *l = (struct later){s, exit_status};
    sim_at(n->rig->world, PROGRAM_MS, on_later, l);
}

static void create(const struct call *c, struct sim_spawn *s)
{
    struct rig_node *n = c->node;
    struct rig_place *place = &n->places[c->server];
    struct rig_instance *i = alive_of(c);
    char answer[64];
    if (c->epoch < place->epoch_seen || c->epoch <= place->epoch_destroyed || n->create_fails > 0) {
        n->create_fails -= n->create_fails > 0;
        answer_later(n, s, 1);
    } else if (i && i->serves) {
        snprintf(answer, sizeof(answer), "{\"pid\":%lld,\"pid_start\":1}", (long long)i->pid);
        sim_spawn_done(s, 0, str_from(answer));
    } else if (i) {
        i->creation = s; /* whoever asked before has died */
    } else if (c->epoch == place->epoch_seen) {
        answer_later(n, s, 1);
    } else {
        place->epoch_seen = c->epoch;
        rig_instance_start(n, c->server, c->epoch, c->address, s);
    }
}

static void destroy(const struct call *c, struct sim_spawn *s)
{
    struct rig *r = c->node->rig;
    struct rig_place *place = &c->node->places[c->server];
    for (size_t k = 0; k < r->instance_count; k++) {
        struct rig_instance *i = &r->instances[k];
        if (i->node == c->node->index && i->server == c->server && i->epoch <= c->epoch)
            rig_kill_instance(i);
    }
    if (c->epoch > place->epoch_destroyed)
        place->epoch_destroyed = c->epoch;
    answer_later(c->node, s, 0);
}

static void tell_status(const struct call *c, struct sim_spawn *s)
{
    sim_spawn_done(s, 0, alive_of(c) ? STR("{\"status\":\"running\"}") : STR("{\"status\":\"off\"}"));
}

static void fence(struct rig_node *n, struct str input, struct sim_spawn *s)
{
    long long pid = 0;
    char text[256];
    if (n->fence_fails) {
        answer_later(n, s, 1);
        return;
    }
    snprintf(text, sizeof(text), "%.*s", STR_ARG(input));
    assert_int_equal(sscanf(text, "action=off\nplug=%lld:1\n", &pid), 1);
    for (size_t k = 0; k < n->rig->instance_count; k++)
        if (n->rig->instances[k].node == n->index && n->rig->instances[k].pid == pid)
            rig_kill_instance(&n->rig->instances[k]);
    answer_later(n, s, 0);
}

static void provision(struct rig_node *n, const char *verb, const json_t *json, struct sim_spawn *s)
{
    struct call c = {
        .node = n,
        .server = rig_server_find(n->rig, json_string_value(json_object_get(json, "server"))),
        .epoch = json_integer_value(json_object_get(json, "epoch")),
        .address = json_string_value(json_array_get(json_object_get(json, "addresses"), 0)),
    };
    assert_string_equal(json_string_value(json_object_get(json, "node")), n->config->name);
    if (strcmp(verb, "create") == 0)
        create(&c, s);
    else if (strcmp(verb, "status") == 0)
        tell_status(&c, s);
    else
        destroy(&c, s);
}

void rig_on_spawn(void *arg, struct sim_spawn *s, const struct loop_process_spec *spec)
{
    struct rig_node *n = arg;
    if (strcmp(spec->argv[0], "/sim/fence/process") == 0) {
        fence(n, spec->input, s);
        return;
    }
    assert_string_equal(spec->argv[0], "/sim/provision/process");
    json_t *json = json_loadb(spec->input.ptr, spec->input.len, 0, NULL);
    provision(n, spec->argv[1], json, s);
    json_decref(json);
}
