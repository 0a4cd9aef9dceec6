/* A world for one or two targets: a relay's process with a queue (memory engine)
 * on the simulated loop, and scripted SMTP peers on other hosts. For tests only. */
#ifndef HOLDFAST_TESTS_RELAY_TARGET_RIG_H
#define HOLDFAST_TESTS_RELAY_TARGET_RIG_H

#include "unit/unit.h"

#include "base/list.h"
#include "config/config.h"
#include "loop/sim.h"
#include "relay/target.h"
#include "right_rig.h"
#include "store/memory.h"
#include "store/store.h"

#define PEER_TAKEN_MAX 2048

/* A server that notes whom it took mail for, in this order. */
struct peer {
    struct target_rig *rig;
    struct loop *loop;
    struct loop_listener *listener;
    struct addr at;
    struct list sessions;
    int64_t delay_ms; /* before the answer to a final dot; < 0: none comes */
    const char *cut;  /* mail for whoever begins so is cut at the final dot, when it has no mark yet ... */
    char cut_already[PEER_TAKEN_MAX]; /* ... by the digit that follows */
    /* What it says to RCPT for name; NULL: nothing, "": the connection is cut. Unset: 250. */
    const char *(*rcpt)(struct peer *p, const char *name);
    int sessions_max;     /* one more is greeted by 421; 0: as many as come */
    int turned_away;      /* so many were */
    const char *greeting; /* NULL: 220 */
    const char *mail;     /* what it says to MAIL; NULL: 250 */
    int messages_max;     /* in a session; at MAIL one more gets 421; 0: as many as come */
    bool holds_data;      /* it does not answer DATA, until peer_go_on */
    bool holds_body;      /* it does not read on after the first line of a message, until then */
    int held_data;        /* so many wait for that */
    int rcpts;            /* RCPT heard */
    int greetings;        /* EHLO heard: sessions that were begun */
    int in_data;          /* final dots without an answer */
    int most_with_cut;    /* of these, the most while a message was there that had been cut before */
    char taken[PEER_TAKEN_MAX][24]; /* recipients' local parts */
    int taken_count;
};

struct target_rig {
    struct sim_world *world;
    struct loop *loop;
    struct store_memory *memory;
    struct store *store;
    struct queue *queue;
    struct right_rig right;
    struct claims *claims;
    struct source *source;
    struct config_relay relay;
    struct record_work work;
    struct config_server servers[2];
    struct config_check checks[2]; /* of each */
    struct smtp_client_options client;
    struct target *targets[2], *routed; /* routed: the source's */
    struct peer peers[2];
    uint64_t accepted;
    bool takes_refusals; /* that mail ends in quarantine is no fault */
    int refused;         /* so many times it did */
};

int target_rig_setup(void **state);
int target_rig_teardown(void **state);

/* Accepts a message for name@d.test. */
void rig_accept(struct target_rig *r, const char *name);
void rig_accept_both(struct target_rig *r, const char *name, const char *other); /* one for two */
void rig_accept_sized(struct target_rig *r, const char *name, size_t bytes);     /* about so many */
/* The source goes under target `to` from now on. */
void rig_route(struct target_rig *r, size_t to);
/* Where target i's server is: at peer p, with that epoch. */
void rig_place(struct target_rig *r, size_t i, size_t p, int64_t epoch);
bool rig_pass(struct target_rig *r, int64_t ms); /* simulated time */
void peer_go_on(struct peer *p);
void peer_serve(struct peer *p); /* listens again */
/* The place in the order in which the peer took it, or -1. */
int peer_place_of(const struct peer *p, const char *name);

#define RIG_LIMIT_MS 600000
#define RIG_UNTIL(r, cond)                                                                                   \
    do {                                                                                                     \
        struct mono_time limit_ = mono_add_ms(sim_now((r)->world), RIG_LIMIT_MS);                            \
        while (!(cond)) {                                                                                    \
            if (!mono_before(sim_now((r)->world), limit_))                                                   \
                fail_msg("%s: waited in vain", #cond);                                                       \
            rig_pass(r, 1);                                                                                  \
        }                                                                                                    \
    } while (0)

#endif
