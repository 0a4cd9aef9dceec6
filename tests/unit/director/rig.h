/* A simulated two-site network around real directors: nodes east1 and west1 on
 * the memory store, a relay's observations and lease on each, and instances of the server
 * mail1 that answer probes; where it is asked for, those of mail2 in the west,
 * too, which stands by. Instances are started and ended by what directors spawn,
 * as the ready-made programs would do it. Relays look at the watcher's view: how
 * fresh theirs is makes no difference here, and reading is what costs.
 * For the director's tests; linked with --wrap=network_write. */
#ifndef HOLDFAST_TESTS_DIRECTOR_RIG_H
#define HOLDFAST_TESTS_DIRECTOR_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "director/role.h"
#include "loop/sim.h"
#include "store/lease.h"
#include "store/memory.h"
#include "store/presence.h"
#include "store/view.h"

#define RIG_NODES     2
#define RIG_SERVERS   2
#define RIG_PORTS     4
#define RIG_INSTANCES 64
#define RIG_WRITES    1024
#define RIG_LEASE_MS  2500

enum { RIG_EAST, RIG_WEST };
enum { RIG_MAIL1, RIG_MAIL2 };

/* What is wrong with an instance from its start, though its provisioner says that it is ready. */
enum rig_flaw {
    RIG_FLAWLESS,
    RIG_SILENT,        /* it takes connections, and says nothing */
    RIG_BABBLES,       /* its greeting is none of the protocol's */
    RIG_AN_EARLIER,    /* it greets as the instance of an earlier epoch */
    RIG_UNKNOWN_EPOCH, /* it greets as it should, and the store has not heard of it */
};

/* What strikes a director's process at one of its writes to the store. */
enum rig_moment {
    RIG_DIES_BEFORE, /* the store never gets it */
    RIG_DIES_AFTER,  /* it is done, and the process does not learn it */
    RIG_IS_PAUSED,   /* it waits in the process, which stands still */
};

struct rig;

/* A write under way, of a director's process. */
struct rig_write {
    struct rig *rig;
    int node;
    bool struck;
    void (*on_write)(void *arg, int err, size_t failed);
    void *arg;
};

struct rig_process {
    struct loop *loop; /* NULL: does not run */
    struct store *store;
};

/* What a node knows of one server. */
struct rig_place {
    struct mono_time down_since; /* by the relay's clock; 0: not down */
    struct str told_state;       /* what its relay has recorded last */
    int64_t told_epoch;
    bool told_invoke;
    struct mono_time told_at;
    int64_t epoch_seen, epoch_destroyed; /* by its provisioner */
};

struct rig_node {
    struct rig *rig;
    const struct config_node *config;
    int index;
    struct rig_process director_process, relay_process;
    struct director *director;
    struct loop_timer *relay_timer;
    struct presence *relay_presence;
    struct rig_place places[RIG_SERVERS];
    int64_t create_fails; /* so many creations fail from now on */
    enum rig_flaw flaw;   /* of what is created from now on */
    uint16_t flaw_port;   /* where it shows; 0: on each */
    bool fence_fails;     /* its fence agent does nothing, and says so */
    bool blind;           /* its relay sees no failure */
};

struct rig_instance {
    struct rig *rig;
    struct rig_process process;
    int node, server;
    int64_t epoch, pid;
    char address[64];
    enum rig_flaw flaw;
    uint16_t flaw_port;
    struct loop_listener *listeners[RIG_PORTS];
    struct lease *lease;        /* "server/NAME", as the mailbox role holds it */
    struct sim_spawn *creation; /* to be answered when it is ready */
    bool serves;
};

struct rig {
    struct sim_world *world;
    struct store_memory *device;
    struct config config;
    struct config_server *server; /* mail1 */
    struct rig_node nodes[RIG_NODES];
    struct rig_instance instances[RIG_INSTANCES];
    size_t instance_count;
    /* A process of its own that only looks, and gives operators' orders. */
    struct rig_process watcher;
    struct viewer *viewer;
    void (*on_view)(struct rig *r, const struct view *v); /* may be NULL */
    void *test;
    int64_t orders;
    /* The writes of all directors' processes; one of them is struck. */
    struct rig_write writes[RIG_WRITES];
    size_t write_count, strike_at;
    enum rig_moment moment;
    int struck; /* node, or -1 */
    /* What must never happen: */
    int address_clashes, epochs_twice, steps_back, unguarded;
    int64_t last_epoch[RIG_SERVERS], last_generation[RIG_SERVERS];
};

struct rig *rig_new(uint64_t seed);
struct rig *rig_new_with_standby(uint64_t seed); /* mail2 has a domain, too, and stands by for mail1 */
void rig_free(struct rig *r);                    /* checks that nothing happened that never may */

void rig_start_director(struct rig *r, int node);
void rig_kill_director(struct rig *r, int node);
void rig_kill_relay(struct rig *r, int node);
void rig_start_node(struct rig *r, int node); /* director and relay */
void rig_kill_node(struct rig *r, int node);  /* with all that runs on it */
void rig_freeze_node(struct rig *r, int node, bool frozen);
int rig_leader(struct rig *r); /* node, or -1 */
/* Strikes whichever director's process makes the nth write from now on (from 1); 0: none. */
void rig_strike(struct rig *r, enum rig_moment moment, size_t nth);

/* The instance that the record of mail1 names, or NULL. */
struct rig_instance *rig_current(struct rig *r);
void rig_kill_instance(struct rig_instance *i);
size_t rig_alive(const struct rig *r); /* instances that run */

/* The record of mail1 as last seen by the watcher; zero before there is one. */
struct record_server rig_record(struct rig *r);
struct record_server rig_record_of(struct rig *r, int server);
/* Runs until cond, at most limit_ms of simulated time: fails the test then. */
void rig_run_until(struct rig *r, bool (*cond)(struct rig *r), int64_t limit_ms);
void rig_run_ms(struct rig *r, int64_t ms);
bool rig_serves(struct rig *r); /* state running, and its instance answers */
/* An event of this kind about mail1 whose detail holds the text was recorded. */
bool rig_was_told(struct rig *r, const char *kind, const char *text);

/* An operator's order about subject; its key, for rig_order_state. */
int64_t rig_order(struct rig *r, const char *verb, const char *subject);
/* "new", "taken", "done", "failed", "later"; "" before it is seen. */
const char *rig_order_state(struct rig *r, int64_t order);
const char *rig_order_result(struct rig *r, int64_t order);

/* ---- what stories have in common ---- */

/* Both nodes run, and the server serves. */
struct rig *rig_started(uint64_t seed);
struct rig *rig_started_with_standby(uint64_t seed);
bool rig_orders_done(struct rig *r); /* none is open, of operators or to nodes */
bool rig_settled(struct rig *r);     /* mail1 serves, and no order is open */
void rig_is_at(struct rig *r, const char *node, const char *address);
bool rig_order_done(struct rig *r); /* the last operator's order has ended */
/* Gives an order about mail1, and waits for its end, which must be this one. */
void rig_order_ends(struct rig *r, const char *verb, const char *expected);

#endif
