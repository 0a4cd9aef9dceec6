#include "rig_parts.h"

#include <stdio.h>

#include "base/mem.h"
#include "unit/unit.h"

/* ---- processes ---- */

void rig_process_start(struct rig *r, struct rig_process *p, const char *host, const char *name)
{
    struct err_buf eb;
    struct store_options options = {.engine = STORE_ENGINE_MEMORY, .memory = r->device};
    p->loop = sim_loop_new(r->world, host, name);
    assert_ok(store_open(p->loop, &options, &p->store, &eb));
}

void rig_process_end(struct rig_process *p)
{
    store_close(p->store);
    sim_loop_free(p->loop);
    *p = (struct rig_process){0};
}

/* ---- nodes ---- */

void rig_start_director(struct rig *r, int node)
{
    struct rig_node *n = &r->nodes[node];
    struct err_buf eb;
    rig_process_start(r, &n->director_process, n->config->name, "director");
    sim_loop_on_spawn(n->director_process.loop, rig_on_spawn, n);
    struct director_options options = {.config = &r->config,
                                       .node = n->config,
                                       .store = n->director_process.store,
                                       .program = "/sim/holdfast",
                                       .boot_id = n->config->name,
                                       .lifeline_fd = -1};
    assert_ok(director_start(n->director_process.loop, &options, &n->director, &eb));
}

void rig_kill_director(struct rig *r, int node)
{
    struct rig_node *n = &r->nodes[node];
    if (!n->director)
        return;
    sim_loop_kill(n->director_process.loop);
    director_stop(n->director);
    n->director = NULL;
    rig_process_end(&n->director_process);
}

void rig_kill_relay(struct rig *r, int node)
{
    rig_relay_kill(&r->nodes[node]);
}

void rig_start_node(struct rig *r, int node)
{
    rig_start_director(r, node);
    rig_relay_start(&r->nodes[node]);
}

void rig_kill_node(struct rig *r, int node)
{
    rig_kill_director(r, node);
    rig_relay_kill(&r->nodes[node]);
    for (size_t k = 0; k < r->instance_count; k++)
        if (r->instances[k].node == node)
            rig_kill_instance(&r->instances[k]);
}

void rig_freeze_node(struct rig *r, int node, bool frozen)
{
    sim_loop_freeze(r->nodes[node].director_process.loop, frozen);
    sim_loop_freeze(r->nodes[node].relay_process.loop, frozen);
    for (size_t k = 0; k < r->instance_count; k++) {
        struct rig_instance *i = &r->instances[k];
        if (i->node != node || !i->process.loop)
            continue;
        sim_loop_freeze(i->process.loop, frozen);
        i->serves = !frozen;
    }
}

int rig_leader(struct rig *r)
{
    for (int i = 0; i < RIG_NODES; i++)
        if (r->nodes[i].director && director_leads(r->nodes[i].director))
            return i;
    return -1;
}

/* ---- looking ---- */

struct record_server rig_record_of(struct rig *r, int server)
{
    const struct view *v = viewer_view(r->viewer);
    const struct view_server *s = v ? view_server_find(v, str_from(r->config.servers[server].name)) : NULL;
    return s ? s->record : (struct record_server){.state = STR_EMPTY};
}

struct record_server rig_record(struct rig *r)
{
    return rig_record_of(r, RIG_MAIL1);
}

struct rig_instance *rig_current(struct rig *r)
{
    struct record_server record = rig_record(r);
    for (size_t k = 0; k < r->instance_count; k++)
        if (r->instances[k].process.loop && r->instances[k].server == RIG_MAIL1 &&
            r->instances[k].epoch == record.instance.epoch)
            return &r->instances[k];
    return NULL;
}

size_t rig_alive(const struct rig *r)
{
    size_t count = 0;
    for (size_t k = 0; k < r->instance_count; k++)
        count += r->instances[k].process.loop != NULL;
    return count;
}

bool rig_serves(struct rig *r)
{
    struct record_server record = rig_record(r);
    struct rig_instance *i = rig_current(r);
    return str_eq(record.state, STR("running")) && i && i->serves;
}

static void on_watcher_view(void *arg, const struct view *v)
{
    struct rig *r = arg;
    for (int i = 0; i < (int)r->config.server_count; i++) {
        struct record_server record = rig_record_of(r, i);
        r->steps_back += record.epoch < r->last_epoch[i] || record.generation < r->last_generation[i];
        r->last_epoch[i] = record.epoch;
        r->last_generation[i] = record.generation;
    }
    rig_instances_look(r);
    if (r->on_view)
        r->on_view(r, v);
}

void rig_run_ms(struct rig *r, int64_t ms)
{
    sim_run_until(r->world, mono_add_ms(sim_now(r->world), ms));
}

void rig_run_until(struct rig *r, bool (*cond)(struct rig *r), int64_t limit_ms)
{
    struct mono_time end = mono_add_ms(sim_now(r->world), limit_ms);
    while (!cond(r)) {
        struct record_server now = rig_record(r);
        if (!mono_before(sim_now(r->world), end))
            fail_msg("not in %lld ms: the server is %.*s at %.*s, epoch %lld, plan %lld: %.*s",
                     (long long)limit_ms, STR_ARG(now.state), STR_ARG(now.instance.address),
                     (long long)now.epoch, (long long)now.plan_index, STR_ARG(now.detail));
        rig_run_ms(r, 5);
    }
}

/* ---- events ---- */

#define EVENTS_MAX 1000

struct search {
    const char *kind, *text;
    bool found, answered;
};

static void on_events(void *arg, int err, const struct network_event *events, size_t count)
{
    struct search *s = arg;
    assert_ok(err);
    s->answered = true;
    for (size_t i = 0; i < count; i++)
        s->found |= str_eq(events[i].kind, str_from(s->kind)) && str_eq(events[i].subject, STR("mail1")) &&
                    memmem(events[i].detail.ptr, events[i].detail.len, s->text, strlen(s->text)) != NULL;
}

bool rig_was_told(struct rig *r, const char *kind, const char *text)
{
    struct search s = {.kind = kind, .text = text};
    network_events(store_network(r->watcher.store), -1, EVENTS_MAX, on_events, &s);
    while (!s.answered)
        rig_run_ms(r, 1);
    return s.found;
}

/* ---- operators ---- */

static void on_ordered(void *arg, int err, size_t failed)
{
    (void)arg;
    (void)err;
    (void)failed;
}

int64_t rig_order(struct rig *r, const char *verb, const char *subject)
{
    char key[32];
    snprintf(key, sizeof(key), "operator-%lld", (long long)++r->orders);
    struct record_order order = {.target = STR("director"),
                                 .verb = str_from(verb),
                                 .subject = str_from(subject),
                                 .who = STR("test"),
                                 .state = STR("new"),
                                 .created_at_ms = loop_wall(r->watcher.loop).ms};
    char *json = record_order_encode(&order);
    struct network_change change = {.type = NETWORK_PUT,
                                    .kind = STR("order"),
                                    .key = str_from(key),
                                    .value = str_from(json),
                                    .expect_version = NETWORK_ABSENT};
    network_write(store_network(r->watcher.store), &change, 1, NULL, on_ordered, NULL);
    free(json);
    return r->orders;
}

static const struct view_order *find_order(struct rig *r, int64_t order)
{
    char key[32];
    snprintf(key, sizeof(key), "operator-%lld", (long long)order);
    const struct view *v = viewer_view(r->viewer);
    return v ? view_order_find(v, str_from(key)) : NULL;
}

static const char *text_of(struct str s)
{
    static char text[512];
    snprintf(text, sizeof(text), "%.*s", STR_ARG(s));
    return text;
}

const char *rig_order_state(struct rig *r, int64_t order)
{
    const struct view_order *o = find_order(r, order);
    return o ? text_of(o->record.state) : "";
}

const char *rig_order_result(struct rig *r, int64_t order)
{
    const struct view_order *o = find_order(r, order);
    return o ? text_of(o->record.result) : "";
}

/* ---- all of it ---- */

static struct mono_time device_clock(void *arg)
{
    return sim_now(arg);
}

static uint64_t device_random(void *arg, uint64_t n)
{
    return sim_random_below(arg, n);
}

static struct rig *make(uint64_t seed, bool standby)
{
    struct rig *r = mem_zalloc(sizeof(*r));
    struct store_memory_faults faults = {.latency_min_us = 200, .latency_max_us = 3000};
    r->world = sim_world_new(seed);
    r->device = store_memory_new(device_clock, r->world);
    store_memory_set_faults(r->device, &faults, device_random, r->world);
    rig_config_make(r, standby);
    for (int i = 0; i < RIG_NODES; i++)
        r->nodes[i] = (struct rig_node){.rig = r, .config = &r->config.nodes[i], .index = i};
    r->struck = -1;
    rig_writes_watch(r);
    rig_process_start(r, &r->watcher, "watcher", "watcher");
    r->viewer = viewer_new(r->watcher.loop, store_network(r->watcher.store), on_watcher_view, r);
    return r;
}

struct rig *rig_new(uint64_t seed)
{
    return make(seed, false);
}

struct rig *rig_new_with_standby(uint64_t seed)
{
    return make(seed, true);
}

void rig_free(struct rig *r)
{
    int clashes = r->address_clashes, twice = r->epochs_twice, back = r->steps_back;
    int unguarded = r->unguarded;
    for (int i = 0; i < RIG_NODES; i++)
        rig_kill_node(r, i);
    for (size_t k = 0; k < r->instance_count; k++)
        rig_kill_instance(&r->instances[k]);
    sim_run_until(r->world, mono_add_ms(sim_now(r->world), 1000)); /* what sim_at still holds */
    viewer_free(r->viewer);
    rig_process_end(&r->watcher);
    store_memory_free(r->device);
    sim_world_free(r->world);
    free(r->config.owner);
    rig_writes_watch(NULL);
    free(r);
    assert_int_equal(clashes, 0);
    assert_int_equal(twice, 0);
    assert_int_equal(back, 0);
    assert_int_equal(unguarded, 0);
}
