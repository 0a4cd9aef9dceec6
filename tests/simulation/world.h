/* The simulated two-site network: the program's own roles as processes on hosts
 * east1 and west1, the memory store as the device that all reach, a client host
 * where senders, readers and the watcher are. Roles can be killed, frozen and
 * started again; instances of the messaging server mail1, and of its standby
 * where there is one, are started and ended only by what directors spawn
 * (instances.h, provision.h). One world at a time in a process. */
#ifndef HOLDFAST_TESTS_SIMULATION_WORLD_H
#define HOLDFAST_TESTS_SIMULATION_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "config/config.h"
#include "director/role.h"
#include "loop/sim.h"
#include "mailbox/role.h"
#include "relay/role.h"
#include "simulation/layouts.h"
#include "simulation/ledger.h"
#include "store/memory.h"
#include "store/view.h"

#define WORLD_NODES    2
#define WORLD_SERVERS  2 /* at most: mail1, and in some worlds a standby */
#define WORLD_SERVER   "mail1"
#define WORLD_PASSWORD "holdfast"
#define CLIENT_HOST    "client"
/* Of the store when it is well. */
#define WORLD_STORE_LATENCY_MIN_US 200
#define WORLD_STORE_LATENCY_MAX_US 3000

extern const char *const world_users[];
#define WORLD_USERS   4
#define WORLD_STAYING 3
#define WORLD_LEAVER  3 /* may be removed */

struct strangers;
struct world;

/* A process of the simulation; loop NULL: it does not run. */
struct process {
    struct world *world;
    struct loop *loop;
    struct store *store;
    const char *host, *name; /* for the trace */
    bool frozen;
    int64_t thawed_ms; /* when it was last let go on */
    struct list node;  /* in the world's, while it runs */
};

/* What the provisioner of a node remembers of a server, as the real one does in files. */
struct provision_state {
    int64_t epoch;
    bool ready, off;
};

/* What goes wrong a number of further times, and who counts when it does. */
struct fault {
    int64_t left;
    size_t *happened; /* NULL while none is left */
};

/* Some more of it. */
void fault_add(struct fault *f, int64_t times, size_t *happened);
bool fault_take(struct fault *f); /* now it goes wrong */

/* What may go wrong with a node's provisioners and fence agents. */
enum provision_fault {
    PROVISION_FAILS,
    PROVISION_LOSES_ANSWER,
    PROVISION_SLOW,
    PROVISION_SILENT, /* these yield an impostor */
    PROVISION_FOREIGN,
    PROVISION_STRANGER,
    PROVISION_TWICE, /* a call is made again, later; its answer goes nowhere */
    PROVISION_FAULTS
};

/* What goes wrong with the DNS outside (names.h), for all who ask. */
struct names_faults {
    bool fail;
    int64_t slow_ms;
    size_t *happened; /* counted at each question that is hit; NULL: none is */
};

/* Who does not hear that his mail was taken, and sends it again. */
enum untold { UNTOLD_SENDER, UNTOLD_RELAY, UNTOLD_COUNT };

struct node {
    struct world *world;
    int index;
    const struct config_node *config;
    bool up;
    bool store_cut;
    int64_t boots;
    struct process relay_process, director_process;
    struct relay_role *relay;
    struct resolver *resolver; /* of the relay; NULL where there is nobody outside */
    struct director *director;
    struct provision_state provision[WORLD_SERVERS]; /* as the configuration has the servers */
    struct fault faults[PROVISION_FAULTS];
    int64_t wall_offset_ms;
    int32_t rate_ppm;
};

struct world {
    struct sim_world *sim;
    struct store_memory *device;
    enum layout layout;
    const struct config *config;
    const struct config
        *holder_config;             /* what instances and directors are told: the same, but for a mutant */
    struct config stretched_config; /* with leases that last for an hour */
    const struct config_server *server;
    struct ledger *ledger;
    struct node nodes[WORLD_NODES];
    struct strangers *strangers; /* NULL: there is nobody outside */
    struct names_faults names_faults;
    struct list instances;
    struct list processes;
    struct list programs; /* runs of provisioners and fence agents that are to go on later */
    int64_t next_pid;
    size_t standby_turns;               /* moves of mail1's mail to its standby */
    int64_t generations[WORLD_SERVERS]; /* of the servers' records, as the store took them last */
    struct fault untold[UNTOLD_COUNT];
    int64_t farewell_ms;    /* from then on most of the mail is for the leaver; 0: he is as others */
    struct process watcher; /* looks, gives operators' orders; never a victim */
    struct viewer *viewer;
    int64_t orders;
    /* Called in the process that has just asked the store to take a delivery into mailboxes; NULL: nobody.
     * It may freeze that process. */
    void (*on_mail_asked)(void *arg, struct node *n);
    void *on_mail_asked_arg;
    /* The same in a relay's process that has just taken a message of a queue to send it. */
    void (*on_mail_taken)(void *arg, struct node *n, struct str queue);
    void *on_mail_taken_arg;
    struct process client; /* senders and readers */
    struct loop_listener *client_address;
};

/* layouts must outlive it. */
struct world *world_new(uint64_t seed, const struct layouts *layouts);
void world_free(struct world *w);

int64_t world_now_ms(const struct world *w);
/* Runs for some time of the world. */
void world_run_ms(struct world *w, int64_t ms);
/* Runs until cond holds; false when it did not within limit_ms. */
bool world_run_until(struct world *w, bool (*cond)(void *arg), void *arg, int64_t limit_ms);

/* ---- processes ---- */

/* clock_of: whose clocks it has; NULL: true ones. */
void process_start(struct world *w, struct process *p, const char *host, const char *name,
                   const struct node *clock_of);
void process_end(struct process *p);                 /* the role's objects were freed; kills first */
void process_freeze(struct process *p, bool frozen); /* nothing when it does not run */
const struct process *world_process_of(const struct world *w, const struct loop *l);

struct node *world_node_of(struct world *w, const struct process *p); /* NULL: on no node */

void node_start(struct node *n); /* and the roles that its supervisor starts */
void node_kill(struct node *n);  /* with all that runs on it */
void node_freeze(struct node *n, bool frozen);
void node_cut_store(struct node *n, bool cut); /* processes that start later, too */
void node_start_relay(struct node *n);         /* nothing when it runs, or the node is down */
void node_start_director(struct node *n);
void node_kill_relay(struct node *n); /* nothing when it does not run */
void node_kill_director(struct node *n);

/* The device's faults, drawn by the world's random; NULL: the usual latency and none. */
void world_store_faults(struct world *w, const struct store_memory_faults *faults);

/* ---- looking ---- */

/* The record of mail1 as last seen by the watcher; zero before there is one. */
struct record_server world_record(const struct world *w);
/* Who has the domain's mail, by its route, as name servers tell it; without an address: nobody. */
struct record_instance world_exchanger(const struct world *w);
/* An operator removes the leaver, as soon as the store takes it. */
void world_remove_user(struct world *w);
/* An operator's order about mail1. */
void world_order(struct world *w, const char *verb);

#endif
