/* Two sites with databases and a third without, by views of our own making: for the tests of sites that are
 * gone. */
#ifndef HOLDFAST_TESTS_DIRECTOR_SITE_WORLD_H
#define HOLDFAST_TESTS_DIRECTOR_SITE_WORLD_H

#include "director/site_fence.h"

#include "store/records.h"
#include "unit/unit.h"

#define LEASE_MS 2500
#define AFTER_MS 60000

enum { EAST, WEST, NORTH, SITES };
enum { EAST1, EAST2, WEST1, NORTH1, NODES };

static const char *const database[] = {"pg"};
#define DATABASES                                                                                            \
    {                                                                                                        \
        (const char **)(uintptr_t)database, 1                                                                \
    }

struct world {
    struct config config;
    struct config_site sites[SITES];
    struct config_node nodes[NODES];
    struct config_server server;
    struct view view;
    struct view_lease leases[8];
    struct view_work works[2]; /* of relay-east, relay-west */
    struct view_site site;     /* west's */
    struct view_order order;
    struct view_server record; /* mail1's */
    struct arena arena;
    struct batch batch;
};

static inline void add_lease(struct world *w, const char *name, const char *holder)
{
    w->leases[w->view.lease_count++] = (struct view_lease){str_from(name), str_from(holder), 1, 1000};
}

static inline void set_sites(struct world *w)
{
    static const char *const names[] = {"east", "west", "north"};
    static const struct config_node nodes[] = {{.name = "east1", .roles = ROLE_RELAY | ROLE_DIRECTOR},
                                               {.name = "east2", .roles = ROLE_DIRECTOR},
                                               {.name = "west1", .roles = ROLE_RELAY | ROLE_DIRECTOR},
                                               {.name = "north1", .roles = ROLE_DIRECTOR}};
    static const int places[] = {EAST, EAST, WEST, NORTH};
    for (int i = 0; i < SITES; i++)
        w->sites[i] = (struct config_site){
            .name = names[i], .fence = "", .fence_after_ms = AFTER_MS, .fence_timeout_ms = 30000};
    for (int i = 0; i < NODES; i++) {
        w->nodes[i] = nodes[i];
        w->nodes[i].site = &w->sites[places[i]];
    }
    w->sites[EAST].databases = w->sites[WEST].databases = (struct config_texts)DATABASES;
    w->sites[WEST].fence = "/agent";
}

static inline struct record_work *work(struct world *w, int relay)
{
    return &w->works[relay].record;
}

/* All lives: the primary is in the east, its standby in the west. */
static inline void init(struct world *w)
{
    *w = (struct world){.server = {.name = "mail1", .failover.mode = FAILOVER_AUTOMATIC}};
    set_sites(w);
    w->server.site = &w->sites[EAST];
    w->config = (struct config){.sites = w->sites,
                                .site_count = SITES,
                                .nodes = w->nodes,
                                .node_count = NODES,
                                .servers = &w->server,
                                .server_count = 1,
                                .lease_ms = LEASE_MS};
    w->view = (struct view){.leases = w->leases,
                            .works = w->works,
                            .work_count = 2,
                            .sites = &w->site,
                            .orders = &w->order,
                            .servers = &w->record,
                            .server_count = 1};
    add_lease(w, "node/east1", "east1");
    add_lease(w, "node/east2", "east2");
    add_lease(w, "relay/relay-east", "east1");
    add_lease(w, "node/west1", "west1");
    add_lease(w, "relay/relay-west", "west1");
    add_lease(w, "node/north1", "north1");
    add_lease(w, "server/mail1", "east1:4");
    w->record = (struct view_server){.name = STR("mail1"), .record.instance.site = STR("east")};
    w->works[0].relay = STR("relay-east");
    w->works[1].relay = STR("relay-west");
    for (int i = 0; i < 2; i++)
        *work(w, i) = (struct record_work){
            .durability = STR("replicated"), .databases = STR("east west"), .copies = STR("west")};
    arena_init(&w->arena, 1 << 20);
    batch_init(&w->batch, &w->arena);
}

static inline void fini(struct world *w)
{
    batch_fini(&w->batch);
    arena_fini(&w->arena);
}

static inline void end_leases(struct world *w, const char *node, int64_t ago_ms)
{
    for (size_t i = 0; i < w->view.lease_count; i++)
        if (str_starts(w->leases[i].holder, str_from(node)))
            w->leases[i].remaining_ms = -ago_ms;
}

/* The power of the west is off, for long. */
static inline void lose_west(struct world *w)
{
    end_leases(w, "west1", AFTER_MS);
    *work(w, 0) = (struct record_work){
        .durability = STR("degraded"), .degraded = true, .databases = STR("east"), .copies = STR_EMPTY};
}

static inline struct site_context context(struct world *w)
{
    return (struct site_context){&w->config, &w->view, &w->sites[EAST]};
}

static inline enum site_word word_of(struct world *w, int site)
{
    struct site_context x = context(w);
    return site_judge(&x, &w->sites[site]);
}

static inline bool is_gone(struct world *w)
{
    return word_of(w, WEST) == SITE_GONE;
}

#endif
