#include "simulation/world.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "simulation/instances.h"
#include "simulation/mutants.h"
#include "simulation/names.h"
#include "simulation/provision.h"
#include "simulation/strangers.h"

#define STRETCHED_LEASE_MS 3600000
#define BOOTSTRAP_LIMIT_MS 10000
#define REMOVE_AGAIN_MS    300
#define LAYOUT_RANDOM      4
#define ADDRESS_CLIENT     "127.3.0.1" /* on the loopback net: plain-text logins are taken from there only */

/* A hash of "holdfast" that costs a millisecond: there are thousands of logins. */
#define VERIFIER                                                                                             \
    "{SHA512-CRYPT}$6$rounds=1000$simulation$"                                                               \
    "YewjHsX6nG5nEmfV317Mznb26RqrPRbhdabbHiipPFUV1zD3AiPDUy1V5KqFFyC"                                        \
    "UxeNie7PZVP7Rjk10kSKuJ/"
#define PEER_KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

const char *const world_users[WORLD_USERS] = {"alice@example.test", "bob@example.test", "carol@example.test",
                                              "dave@example.test"};

/* ---- time ---- */

int64_t world_now_ms(const struct world *w)
{
    return sim_now(w->sim).ns / NS_PER_MS;
}

void world_run_ms(struct world *w, int64_t ms)
{
    sim_run_until(w->sim, mono_add_ms(sim_now(w->sim), ms));
}

bool world_run_until(struct world *w, bool (*cond)(void *arg), void *arg, int64_t limit_ms)
{
    struct mono_time end = mono_add_ms(sim_now(w->sim), limit_ms);
    while (!cond(arg))
        if (!mono_before(sim_now(w->sim), end) || !sim_step(w->sim))
            return false;
    return true;
}

/* ---- faults ---- */

void fault_add(struct fault *f, int64_t times, size_t *happened)
{
    f->left += times;
    f->happened = happened;
}

bool fault_take(struct fault *f)
{
    if (f->left == 0)
        return false;
    f->left--;
    ++*f->happened;
    return true;
}

/* ---- processes ---- */

void process_start(struct world *w, struct process *p, const char *host, const char *name,
                   const struct node *clock_of)
{
    struct err_buf eb;
    struct store_options options = {.engine = STORE_ENGINE_MEMORY, .memory = w->device};
    *p = (struct process){.world = w, .host = host, .name = name};
    p->loop = sim_loop_new(w->sim, host, name);
    if (clock_of)
        sim_loop_set_clock(p->loop, clock_of->wall_offset_ms, clock_of->rate_ppm);
    CHECK(store_open(p->loop, &options, &p->store, &eb) == 0);
    if (clock_of && clock_of->store_cut)
        store_memory_cut(p->store, true);
    list_append(&w->processes, &p->node);
}

void process_end(struct process *p)
{
    sim_loop_kill(p->loop);
    store_close(p->store);
    sim_loop_free(p->loop);
    list_remove(&p->node);
    p->loop = NULL;
    p->store = NULL;
}

void process_freeze(struct process *p, bool frozen)
{
    if (!p->loop || p->frozen == frozen)
        return;
    p->frozen = frozen;
    p->thawed_ms = world_now_ms(p->world);
    sim_loop_freeze(p->loop, frozen);
}

const struct process *world_process_of(const struct world *w, const struct loop *l)
{
    LIST_FOREACH (it, &w->processes) {
        const struct process *p = LIST_ENTRY(it, struct process, node);
        if (p->loop == l)
            return p;
    }
    return NULL;
}

struct node *world_node_of(struct world *w, const struct process *p)
{
    for (int i = 0; i < WORLD_NODES; i++)
        if (p->host == w->nodes[i].config->name)
            return &w->nodes[i];
    return NULL;
}

/* ---- roles ---- */

#define BOOT_ID_MAX 32

static void node_boot_id(const struct node *n, char out[BOOT_ID_MAX])
{
    snprintf(out, BOOT_ID_MAX, "%s-%lld", n->config->name, (long long)n->boots);
}

void node_start_relay(struct node *n)
{
    struct world *w = n->world;
    struct err_buf eb;
    char boot_id[BOOT_ID_MAX];
    if (!n->up || n->relay_process.loop)
        return;
    process_start(w, &n->relay_process, n->config->name, "relay", n);
    node_boot_id(n, boot_id);
    if (layout_has_strangers(w->layout))
        n->resolver = names_resolver_new(w, n->relay_process.loop);
    struct relay_role_options options = {.config = w->config,
                                         .relay = config_relay_of_node(w->config, n->config),
                                         .store = n->relay_process.store,
                                         .resolver = n->resolver,
                                         .boot_id = boot_id};
    CHECK(relay_role_start(n->relay_process.loop, &options, &n->relay, &eb) == 0);
}

void node_kill_relay(struct node *n)
{
    if (!n->relay_process.loop)
        return;
    sim_loop_kill(n->relay_process.loop);
    relay_role_free(n->relay);
    resolver_free(n->resolver);
    n->relay = NULL;
    n->resolver = NULL;
    process_end(&n->relay_process);
}

void node_start_director(struct node *n)
{
    struct world *w = n->world;
    struct err_buf eb;
    char boot_id[BOOT_ID_MAX];
    if (!n->up || n->director_process.loop)
        return;
    process_start(w, &n->director_process, n->config->name, "director", n);
    sim_loop_on_spawn(n->director_process.loop, provision_on_spawn, n);
    node_boot_id(n, boot_id);
    struct director_options options = {.config = w->holder_config,
                                       .node = n->config,
                                       .store = n->director_process.store,
                                       .program = "/simulation/holdfast",
                                       .boot_id = boot_id,
                                       .lifeline_fd = -1};
    CHECK(director_start(n->director_process.loop, &options, &n->director, &eb) == 0);
}

void node_kill_director(struct node *n)
{
    if (!n->director_process.loop)
        return;
    sim_loop_kill(n->director_process.loop);
    director_stop(n->director);
    n->director = NULL;
    process_end(&n->director_process);
}

/* ---- nodes ---- */

static void for_instances(struct node *n, void (*fn)(struct instance *i, bool on), bool on)
{
    LIST_FOREACH (it, &n->world->instances) {
        struct instance *i = LIST_ENTRY(it, struct instance, node);
        if (i->on == n && i->process.loop)
            fn(i, on);
    }
}

static void end_instance(struct instance *i, bool on)
{
    (void)on;
    instance_kill(i);
}

static void freeze_instance(struct instance *i, bool frozen)
{
    process_freeze(&i->process, frozen);
}

static void cut_instance(struct instance *i, bool cut)
{
    store_memory_cut(i->process.store, cut);
}

void node_start(struct node *n)
{
    if (n->up)
        return;
    n->up = true;
    n->boots++;
    node_start_director(n);
    node_start_relay(n);
}

void node_kill(struct node *n)
{
    if (!n->up)
        return;
    n->up = false;
    node_kill_director(n);
    node_kill_relay(n);
    for_instances(n, end_instance, true);
}

void node_freeze(struct node *n, bool frozen)
{
    process_freeze(&n->director_process, frozen);
    process_freeze(&n->relay_process, frozen);
    for_instances(n, freeze_instance, frozen);
}

void node_cut_store(struct node *n, bool cut)
{
    n->store_cut = cut;
    if (n->director_process.loop)
        store_memory_cut(n->director_process.store, cut);
    if (n->relay_process.loop)
        store_memory_cut(n->relay_process.store, cut);
    for_instances(n, cut_instance, cut);
}

/* ---- the first records ---- */

struct first_write {
    bool done;
    int err;
};

static void on_first_write(void *arg, int err, size_t failed)
{
    struct first_write *f = arg;
    (void)failed;
    f->done = true;
    f->err = err;
}

static bool first_write_done(void *arg)
{
    return ((struct first_write *)arg)->done;
}

static void bootstrap(struct world *w)
{
    struct first_write f = {0};
    struct record_user user = {.verifier = STR(VERIFIER)};
    struct record_secret secret = {.hex = STR(PEER_KEY)};
    char *user_json = record_user_encode(&user), *secret_json = record_secret_encode(&secret);
    struct network_change changes[2 + WORLD_USERS] = {
        {NETWORK_PUT, STR("revision"), STR("users"), STR("{}"), NETWORK_ABSENT},
        {NETWORK_PUT, STR("secret"), STR("peer"), str_from(secret_json), NETWORK_ABSENT}};
    for (size_t i = 0; i < WORLD_USERS; i++)
        changes[2 + i] = (struct network_change){NETWORK_PUT, STR("user"), str_from(world_users[i]),
                                                 str_from(user_json), NETWORK_ABSENT};
    network_write(store_network(w->watcher.store), changes, ARRAY_LEN(changes), NULL, on_first_write, &f);
    CHECK(world_run_until(w, first_write_done, &f, BOOTSTRAP_LIMIT_MS) && f.err == 0);
    free(user_json);
    free(secret_json);
}

/* ---- looking ---- */

static void on_view(void *arg, const struct view *v)
{
    (void)arg;
    (void)v;
}

static const struct view_server *find_server(const struct world *w, struct str name)
{
    const struct view *v = viewer_view(w->viewer);
    return v ? view_server_find(v, name) : NULL;
}

struct record_server world_record(const struct world *w)
{
    const struct view_server *s = find_server(w, STR(WORLD_SERVER));
    return s ? s->record : (struct record_server){.state = STR_EMPTY};
}

struct record_instance world_exchanger(const struct world *w)
{
    const struct view *v = viewer_view(w->viewer);
    const struct view_route *r = v ? view_route_find(v, str_from(w->config->domains[0].name)) : NULL;
    const struct view_server *s = find_server(w, r ? r->record.server : STR(WORLD_SERVER));
    if (s && s->record.served_by.len > 0)
        s = find_server(w, s->record.served_by);
    return s ? s->record.instance : (struct record_instance){.address = STR_EMPTY};
}

static void remove_user(void *arg);

static void on_removed(void *arg, int err, size_t failed)
{
    struct world *w = arg;
    (void)failed;
    if (err && err != ERR_CONFLICT)
        sim_at(w->sim, REMOVE_AGAIN_MS, remove_user, w);
}

static void remove_user(void *arg)
{
    struct world *w = arg;
    const struct network_change changes[] = {
        {NETWORK_DELETE, STR("user"), str_from(world_users[WORLD_LEAVER]), STR_EMPTY, NETWORK_ANY_VERSION},
        {NETWORK_PUT, STR("revision"), STR("users"), STR("{}"), NETWORK_ANY_VERSION}};
    network_write(store_network(w->watcher.store), changes, ARRAY_LEN(changes), NULL, on_removed, w);
}

void world_remove_user(struct world *w)
{
    remove_user(w);
}

static void on_ordered(void *arg, int err, size_t failed)
{
    (void)arg;
    (void)err;
    (void)failed;
}

void world_order(struct world *w, const char *verb)
{
    char key[32];
    snprintf(key, sizeof(key), "operator-%lld", (long long)++w->orders);
    struct record_order order = {.target = STR("director"),
                                 .verb = str_from(verb),
                                 .subject = STR(WORLD_SERVER),
                                 .who = STR("operator"),
                                 .state = STR("new"),
                                 .created_at_ms = loop_wall(w->watcher.loop).ms};
    char *json = record_order_encode(&order);
    struct network_change change = {NETWORK_PUT, STR("order"), str_from(key), str_from(json), NETWORK_ABSENT};
    network_write(store_network(w->watcher.store), &change, 1, NULL, on_ordered, NULL);
    free(json);
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

static void never_accept(void *arg, struct loop_stream *s, const struct addr *peer)
{
    (void)arg;
    (void)peer;
    loop_stream_free(s);
}

static void start_client(struct world *w)
{
    struct addr at;
    struct err_buf eb;
    process_start(w, &w->client, CLIENT_HOST, "client", NULL);
    CHECK(addr_parse_ip(STR(ADDRESS_CLIENT), 1, &at) == 0);
    CHECK(loop_listen(w->client.loop, &at, never_accept, NULL, &w->client_address, &eb) == 0);
}

void world_store_faults(struct world *w, const struct store_memory_faults *faults)
{
    static const struct store_memory_faults none = {WORLD_STORE_LATENCY_MIN_US, WORLD_STORE_LATENCY_MAX_US};
    struct store_memory_faults chosen = faults ? *faults : none;
    mutant_add_faults(&chosen);
    store_memory_set_faults(w->device, &chosen, device_random, w->sim);
}

struct world *world_new(uint64_t seed, const struct layouts *layouts)
{
    struct world *w = mem_zalloc(sizeof(*w));
    w->sim = sim_world_new(seed);
    w->layout = layout_choose(seed, sim_random_below(w->sim, LAYOUT_RANDOM));
    const struct config *config = layouts->items[w->layout];
    w->device = store_memory_new(device_clock, w->sim);
    world_store_faults(w, NULL);
    w->config = w->holder_config = config;
    w->stretched_config = *config;
    w->stretched_config.lease_ms = STRETCHED_LEASE_MS;
    if (mutant_playing() == MUTANT_expired_lease || mutant_playing() == MUTANT_stale_director)
        w->holder_config = &w->stretched_config;
    w->server = config_server_find(config, WORLD_SERVER);
    CHECK(config->server_count <= WORLD_SERVERS);
    w->ledger = ledger_new();
    list_init(&w->instances);
    list_init(&w->processes);
    list_init(&w->programs);
    for (int i = 0; i < WORLD_NODES; i++)
        w->nodes[i] = (struct node){.world = w, .index = i, .config = &config->nodes[i]};
    process_start(w, &w->watcher, CLIENT_HOST, "watcher", NULL);
    bootstrap(w);
    w->viewer = viewer_new(w->watcher.loop, store_network(w->watcher.store), on_view, w);
    start_client(w);
    w->strangers = strangers_new(w);
    return w;
}

void world_free(struct world *w)
{
    for (int i = 0; i < WORLD_NODES; i++)
        node_kill(&w->nodes[i]);
    instances_free(w);
    strangers_free(w->strangers);
    provision_fini(w);
    viewer_free(w->viewer);
    loop_listener_free(w->client_address);
    process_end(&w->client);
    process_end(&w->watcher);
    store_memory_free(w->device);
    sim_world_free(w->sim);
    ledger_free(w->ledger);
    free(w);
}
