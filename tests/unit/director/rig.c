#include "rig.h"

#include <jansson.h>
#include <stdio.h>

#include "base/mem.h"
#include "unit/store/wrap_network.h"
#include "unit/unit.h"

#define START_MS   80   /* of an instance, until it listens */
#define PROGRAM_MS 15   /* of a program that only ends something */
#define OBSERVE_MS 200  /* between a relay's observations */
#define TELL_MS    1000 /* between its records of them while nothing changes */
#define INVOKE_MS  1000 /* of being down, until a relay asks for another */
#define LEASE_MS   2500

/* ---- the configuration ---- */

static struct config_site sites[] = {{"east"}, {"west"}};
static struct config_node config_nodes[] = {
    {.name = "east1",
     .site = &sites[0],
     .roles = ROLE_DNS | ROLE_RELAY | ROLE_DIRECTOR | ROLE_MAILBOX,
     .host = ""},
    {.name = "west1",
     .site = &sites[1],
     .roles = ROLE_DNS | ROLE_RELAY | ROLE_DIRECTOR | ROLE_MAILBOX,
     .host = ""},
};
static struct config_relay relays[] = {
    {.name = "relay-east", .node = &config_nodes[0]},
    {.name = "relay-west", .node = &config_nodes[1]},
};

struct owned_config {
    struct addr address;
    struct config_create create[2];
    struct config_server server;
    struct config_domain domain;
};

static struct addr ip(const char *text)
{
    struct addr a;
    assert_ok(addr_parse_ip(str_from(text), 0, &a));
    return a;
}

static void make_config(struct rig *r)
{
    struct owned_config *o = mem_zalloc(sizeof(*o));
    o->address = ip("127.1.0.10");
    o->create[0] = (struct config_create){.site = &sites[0],
                                          .address_same = true,
                                          .provisioner = "process",
                                          .fence = "process",
                                          .timeout_ms = 5000};
    o->create[1] = (struct config_create){.site = &sites[1],
                                          .address = ip("127.2.0.10"),
                                          .provisioner = "process",
                                          .fence = "epoch",
                                          .timeout_ms = 5000};
    o->server = (struct config_server){
        .name = "mail1",
        .kind = SERVER_BUILTIN,
        .site = &sites[0],
        .hostname = "mail1.example.test",
        .address = {&o->address, 1},
        .smtp_port = 25,
        .lmtp_port = 24,
        .imap_port = 143,
        .pop3_port = 110,
        .failover = {.mode = FAILOVER_AUTOMATIC, .create = o->create, .create_count = 2},
    };
    o->domain = (struct config_domain){.name = "example.test", .server = &o->server};
    r->config = (struct config){
        .path = "/sim/holdfast.conf",
        .dir = "/sim",
        .state_dir = "/sim/state",
        .lease_ms = LEASE_MS,
        .sites = sites,
        .site_count = 2,
        .nodes = config_nodes,
        .node_count = 2,
        .relays = relays,
        .relay_count = 2,
        .domains = &o->domain,
        .domain_count = 1,
        .servers = &o->server,
        .server_count = 1,
        .owner = o,
    };
    r->server = &o->server;
}

/* ---- processes ---- */

static void process_start(struct rig *r, struct rig_process *p, const char *host, const char *name)
{
    struct err_buf eb;
    struct store_options options = {.engine = STORE_ENGINE_MEMORY, .memory = r->device};
    p->loop = sim_loop_new(r->world, host, name);
    assert_ok(store_open(p->loop, &options, &p->store, &eb));
}

static void process_end(struct rig_process *p)
{
    store_close(p->store);
    sim_loop_free(p->loop);
    *p = (struct rig_process){0};
}

/* ---- instances ---- */

static const char *const greetings[] = {"220 mail1.example.test", "220 mail1.example.test", "* OK ready",
                                        "+OK ready"};
static const char *const answers[] = {"250 mail1.example.test\r\n", "250 mail1.example.test\r\n", "p1 OK\r\n",
                                      "+OK\r\n"};

static void on_read(void *arg, const char *data, size_t len, int err)
{
    struct loop_stream *s = arg;
    struct addr local;
    (void)data;
    if (err || len == 0) {
        loop_stream_free(s);
        return;
    }
    loop_stream_local(s, &local);
    const char *text = answers[addr_port(&local) == 25    ? 0
                               : addr_port(&local) == 24  ? 1
                               : addr_port(&local) == 143 ? 2
                                                          : 3];
    loop_stream_write(s, text, strlen(text));
}

static void on_accept(void *arg, struct loop_stream *s, const struct addr *peer)
{
    const struct rig_instance *i = arg;
    struct addr local;
    char line[160];
    (void)peer;
    loop_stream_local(s, &local);
    const char *text = greetings[addr_port(&local) == 25    ? 0
                                 : addr_port(&local) == 24  ? 1
                                 : addr_port(&local) == 143 ? 2
                                                            : 3];
    snprintf(line, sizeof(line), "%s instance=%lld@%s\r\n", text, (long long)i->epoch,
             config_nodes[i->node].name);
    loop_stream_write(s, line, strlen(line));
    loop_stream_read_start(s, on_read, s);
}

static void creation_failed(struct rig_instance *i)
{
    struct sim_spawn *s = i->creation;
    i->creation = NULL;
    if (s)
        sim_spawn_done(s, 1, STR_EMPTY);
}

void rig_kill_instance(struct rig_instance *i)
{
    if (!i->process.loop)
        return;
    sim_loop_kill(i->process.loop);
    i->serves = false;
    creation_failed(i);
    lease_free(i->lease);
    i->lease = NULL;
    process_end(&i->process);
}

static void instance_ready(struct rig_instance *i)
{
    static const uint16_t ports[] = {25, 24, 143, 110};
    char answer[64];
    for (size_t k = 0; k < ARRAY_LEN(ports); k++) {
        struct addr at = ip(i->address);
        struct err_buf eb;
        addr_set_port(&at, ports[k]);
        if (loop_listen(i->process.loop, &at, on_accept, i, &i->listeners[k], &eb) < 0)
            i->rig->address_clashes++;
    }
    i->serves = true;
    snprintf(answer, sizeof(answer), "{\"pid\":%lld,\"pid_start\":1}", (long long)i->pid);
    struct sim_spawn *s = i->creation;
    i->creation = NULL;
    if (s)
        sim_spawn_done(s, 0, str_from(answer));
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
    char holder[64];
    if (err) {
        creation_failed(i);
        return;
    }
    snprintf(holder, sizeof(holder), "%s:%lld", config_nodes[i->node].name, (long long)i->epoch);
    i->lease =
        lease_new(i->process.loop, store_network(i->process.store), STR("server/mail1"), str_from(holder),
                  LEASE_MS, &(struct lease_ops){on_identity_held, on_identity_lost}, i);
}

static void on_instance_start(void *arg)
{
    struct rig_instance *i = arg;
    struct mail *mail;
    struct err_buf eb;
    if (!i->process.loop)
        return;
    assert_ok(store_mail(i->process.store, &mail, &eb));
    mail_instance_begin(mail, STR("mail1"), i->epoch, on_begun, i);
}

static void instance_start(struct rig_node *n, int64_t epoch, const char *address, struct sim_spawn *s)
{
    struct rig *r = n->rig;
    assert_true(r->instance_count < RIG_INSTANCES);
    for (size_t k = 0; k < r->instance_count; k++)
        r->epochs_twice += r->instances[k].epoch == epoch;
    struct rig_instance *i = &r->instances[r->instance_count++];
    *i = (struct rig_instance){.rig = r, .node = n->index, .epoch = epoch, .creation = s};
    i->pid = 1000 + (int64_t)r->instance_count;
    snprintf(i->address, sizeof(i->address), "%s", address);
    process_start(r, &i->process, config_nodes[n->index].name, "mailbox");
    sim_at(r->world, START_MS, on_instance_start, i);
}

/* ---- programs ---- */

static struct rig_instance *alive_of(struct rig_node *n, int64_t epoch)
{
    for (size_t k = 0; k < n->rig->instance_count; k++) {
        struct rig_instance *i = &n->rig->instances[k];
        if (i->process.loop && i->node == n->index && i->epoch == epoch)
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

static void create(struct rig_node *n, int64_t epoch, const char *address, struct sim_spawn *s)
{
    char answer[64];
    struct rig_instance *i = alive_of(n, epoch);
    if (epoch < n->epoch_seen || epoch <= n->epoch_destroyed || n->create_fails > 0) {
        n->create_fails -= n->create_fails > 0;
        answer_later(n, s, 1);
    } else if (i && i->serves) {
        snprintf(answer, sizeof(answer), "{\"pid\":%lld,\"pid_start\":1}", (long long)i->pid);
        sim_spawn_done(s, 0, str_from(answer));
    } else if (i) {
        i->creation = s; /* whoever asked before has died */
    } else if (epoch == n->epoch_seen) {
        answer_later(n, s, 1);
    } else {
        n->epoch_seen = epoch;
        instance_start(n, epoch, address, s);
    }
}

static void destroy(struct rig_node *n, int64_t epoch, struct sim_spawn *s)
{
    for (size_t k = 0; k < n->rig->instance_count; k++) {
        struct rig_instance *i = &n->rig->instances[k];
        if (i->node == n->index && i->epoch <= epoch)
            rig_kill_instance(i);
    }
    if (epoch > n->epoch_destroyed)
        n->epoch_destroyed = epoch;
    answer_later(n, s, 0);
}

static void tell_status(struct rig_node *n, int64_t epoch, struct sim_spawn *s)
{
    sim_spawn_done(s, 0, alive_of(n, epoch) ? STR("{\"status\":\"running\"}") : STR("{\"status\":\"off\"}"));
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

static void on_spawn(void *arg, struct sim_spawn *s, const struct loop_process_spec *spec)
{
    struct rig_node *n = arg;
    if (strcmp(spec->argv[0], "/sim/fence/process") == 0) {
        fence(n, spec->input, s);
        return;
    }
    assert_string_equal(spec->argv[0], "/sim/provision/process");
    json_t *json = json_loadb(spec->input.ptr, spec->input.len, 0, NULL);
    int64_t epoch = json_integer_value(json_object_get(json, "epoch"));
    const char *address = json_string_value(json_array_get(json_object_get(json, "addresses"), 0));
    assert_string_equal(json_string_value(json_object_get(json, "server")), "mail1");
    assert_string_equal(json_string_value(json_object_get(json, "node")), config_nodes[n->index].name);
    if (strcmp(spec->argv[1], "create") == 0)
        create(n, epoch, address, s);
    else if (strcmp(spec->argv[1], "status") == 0)
        tell_status(n, epoch, s);
    else
        destroy(n, epoch, s);
    json_decref(json);
}

/* ---- relays ---- */

static bool answers_probes(struct rig *r, const struct record_instance *instance)
{
    for (size_t k = 0; k < r->instance_count; k++) {
        const struct rig_instance *i = &r->instances[k];
        if (i->serves && i->epoch == instance->epoch && str_eq(str_from(i->address), instance->address))
            return true;
    }
    return false;
}

static void on_observed(void *arg, int err, size_t failed)
{
    (void)arg;
    (void)err;
    (void)failed;
}

static void write_observation(struct rig_node *n, const struct record_observation *o)
{
    char key[32];
    snprintf(key, sizeof(key), "%s/mail1", config_nodes[n->index].name);
    char *json = record_observation_encode(o);
    struct network_change change = {.type = NETWORK_PUT,
                                    .kind = STR("observation"),
                                    .key = str_from(key),
                                    .value = str_from(json),
                                    .expect_version = NETWORK_ANY_VERSION};
    network_write(store_network(n->relay_process.store), &change, 1, NULL, on_observed, NULL);
    free(json);
}

static void observe(void *arg)
{
    struct rig_node *n = arg;
    const struct view *v = viewer_view(n->rig->viewer);
    const struct view_server *s = v ? view_server_find(v, STR("mail1")) : NULL;
    struct mono_time now = loop_now(n->relay_process.loop);
    struct record_observation o = {.state = STR("unknown"), .detail = STR_EMPTY};
    loop_timer_start(n->relay_timer, OBSERVE_MS);
    if (s && s->record.instance.address.len > 0) {
        bool good = n->blind || answers_probes(n->rig, &s->record.instance);
        if (good)
            n->down_since.ns = 0;
        else if (n->down_since.ns == 0)
            n->down_since = now;
        o.state = good ? STR("operational") : STR("inoperable");
        o.epoch = s->record.instance.epoch;
        o.down_for_ms = good ? 0 : mono_diff_ms(now, n->down_since);
        o.invoke = !good && o.down_for_ms >= INVOKE_MS;
    }
    bool anew = o.epoch != n->told_epoch || o.invoke != n->told_invoke || !str_eq(o.state, n->told_state);
    if (!anew && mono_diff_ms(now, n->told_at) < TELL_MS)
        return;
    n->told_epoch = o.epoch;
    n->told_invoke = o.invoke;
    n->told_state = o.state;
    n->told_at = now;
    write_observation(n, &o);
}

/* ---- writes of directors ---- */

static struct rig *watched; /* the one rig at a time whose directors' writes are counted */

static struct rig_node *writing_director(struct rig *r)
{
    for (int i = 0; r && i < RIG_NODES; i++)
        if (r->nodes[i].director && sim_running(r->world) == r->nodes[i].director_process.loop)
            return &r->nodes[i];
    return NULL;
}

static void bury_director(void *arg)
{
    const struct rig_node *n = arg;
    rig_kill_director(n->rig, n->index);
}

static void strike(struct rig_node *n, enum rig_moment moment)
{
    n->rig->struck = n->index;
    if (moment == RIG_IS_PAUSED) {
        sim_loop_freeze(n->director_process.loop, true);
        return;
    }
    sim_loop_kill(n->director_process.loop);
    sim_at(n->rig->world, 0, bury_director, n);
}

static void on_director_wrote(void *arg, int err, size_t failed)
{
    const struct rig_write *w = arg;
    if (w->struck)
        strike(&w->rig->nodes[w->node], RIG_DIES_AFTER);
    w->on_write(w->arg, err, failed);
}

/* Every write of the program passes here: linked with --wrap. */
struct store_op *__wrap_network_write(struct network *n, const struct network_change *changes, size_t count,
                                      const struct network_lease *guard,
                                      void (*on_write)(void *arg, int err, size_t failed), void *arg)
{
    struct rig *r = watched;
    struct rig_node *by = writing_director(r);
    if (!by)
        return __real_network_write(n, changes, count, guard, on_write, arg);
    assert_true(r->write_count < RIG_WRITES);
    struct rig_write *w = &r->writes[r->write_count++];
    *w = (struct rig_write){.rig = r, .node = by->index, .on_write = on_write, .arg = arg};
    r->unguarded += guard == NULL;
    if (r->strike_at == r->write_count && r->moment == RIG_DIES_AFTER)
        w->struck = true;
    else if (r->strike_at == r->write_count)
        strike(by, r->moment);
    return __real_network_write(n, changes, count, guard, on_director_wrote, w);
}

void rig_strike(struct rig *r, enum rig_moment moment, size_t nth)
{
    r->moment = moment;
    r->strike_at = r->write_count + nth;
    r->struck = -1;
}

/* ---- nodes ---- */

void rig_start_director(struct rig *r, int node)
{
    struct rig_node *n = &r->nodes[node];
    struct err_buf eb;
    process_start(r, &n->director_process, config_nodes[node].name, "director");
    sim_loop_on_spawn(n->director_process.loop, on_spawn, n);
    struct director_options options = {.config = &r->config,
                                       .node = &config_nodes[node],
                                       .store = n->director_process.store,
                                       .program = "/sim/holdfast",
                                       .boot_id = config_nodes[node].name,
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
    process_end(&n->director_process);
}

static void kill_relay(struct rig_node *n)
{
    if (!n->relay_process.loop)
        return;
    sim_loop_kill(n->relay_process.loop);
    loop_timer_free(n->relay_timer);
    process_end(&n->relay_process);
}

void rig_start_node(struct rig *r, int node)
{
    struct rig_node *n = &r->nodes[node];
    rig_start_director(r, node);
    n->told_state = STR_EMPTY;
    process_start(r, &n->relay_process, config_nodes[node].name, "relay");
    n->relay_timer = loop_timer_new(n->relay_process.loop, observe, n);
    loop_timer_start(n->relay_timer, 1);
}

void rig_kill_node(struct rig *r, int node)
{
    rig_kill_director(r, node);
    kill_relay(&r->nodes[node]);
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

struct record_server rig_record(struct rig *r)
{
    const struct view *v = viewer_view(r->viewer);
    const struct view_server *s = v ? view_server_find(v, STR("mail1")) : NULL;
    return s ? s->record : (struct record_server){.state = STR_EMPTY};
}

struct rig_instance *rig_current(struct rig *r)
{
    struct record_server record = rig_record(r);
    for (size_t k = 0; k < r->instance_count; k++)
        if (r->instances[k].process.loop && r->instances[k].epoch == record.instance.epoch)
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

/* The mailbox role ends by itself when the record has gone on to a later epoch. */
static bool is_left_behind(const struct rig_instance *i, const struct record_server *record)
{
    return i->process.loop && i->serves && record->epoch > i->epoch && record->instance.epoch != i->epoch &&
           record->candidate.epoch != i->epoch;
}

static void on_watcher_view(void *arg, const struct view *v)
{
    struct rig *r = arg;
    struct record_server record = rig_record(r);
    r->steps_back += record.epoch < r->last_epoch || record.generation < r->last_generation;
    r->last_epoch = record.epoch;
    r->last_generation = record.generation;
    for (size_t k = 0; k < r->instance_count; k++)
        if (is_left_behind(&r->instances[k], &record))
            rig_kill_instance(&r->instances[k]);
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

/* ---- operators ---- */

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
    network_write(store_network(r->watcher.store), &change, 1, NULL, on_observed, NULL);
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

struct rig *rig_new(uint64_t seed)
{
    struct rig *r = mem_zalloc(sizeof(*r));
    struct store_memory_faults faults = {.latency_min_us = 200, .latency_max_us = 3000};
    r->world = sim_world_new(seed);
    r->device = store_memory_new(device_clock, r->world);
    store_memory_set_faults(r->device, &faults, device_random, r->world);
    make_config(r);
    for (int i = 0; i < RIG_NODES; i++)
        r->nodes[i] = (struct rig_node){.rig = r, .index = i};
    r->struck = -1;
    watched = r;
    process_start(r, &r->watcher, "watcher", "watcher");
    r->viewer = viewer_new(r->watcher.loop, store_network(r->watcher.store), on_watcher_view, r);
    return r;
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
    process_end(&r->watcher);
    store_memory_free(r->device);
    sim_world_free(r->world);
    free(r->config.owner);
    watched = NULL;
    free(r);
    assert_int_equal(clashes, 0);
    assert_int_equal(twice, 0);
    assert_int_equal(back, 0);
    assert_int_equal(unguarded, 0);
}
