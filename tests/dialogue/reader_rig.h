/* What IMAP and POP3 machines stand on in dialogues and fuzzers: a memory store in a
 * simulated world, so that a script plays the same each time. Users:
 * alice@example.test and bob@example.test, password `holdfast`. For tests only. */
#ifndef HOLDFAST_TESTS_READER_RIG_H
#define HOLDFAST_TESTS_READER_RIG_H

#include "loop/loop.h"
#include "loop/sim.h"
#include "store/memory.h"
#include "store/store.h"

struct reader_rig {
    struct sim_world *world;
    struct loop *loop;
    struct store_memory *memory;
    struct store *store;
    struct mail *mail;
    bool late; /* logins are answered late by chance */

    struct loop_timer *timer; /* of a login that is answered later */
    void (*answer)(void *arg, int err, struct str user);
    void *arg;
    int err;
    char *user;
};

#define READER_RIG_MESSAGES 3 /* the standard ones */

/* The standard ones, again and again. */
struct str reader_rig_message(uint64_t i);

/* alice has `messages` messages, the standard ones again and again. store: NULL,
 * or what is the matter with it from now on: "away", "full", "fenced". seed 1:
 * logins are answered at once. */
struct reader_rig *reader_rig_new(uint64_t messages, const char *store, uint32_t seed);
/* Another message for alice, soon. */
void reader_rig_deliver(struct reader_rig *r, const char *text, size_t len);
/* All events that are due. */
void reader_rig_settle(struct reader_rig *r);
void reader_rig_free(struct reader_rig *r);
/* Answers now or at a tick, by chance. */
void reader_rig_login(struct reader_rig *r, struct str user, struct str password,
                      void (*answer)(void *arg, int err, struct str user), void *arg);
void reader_rig_cancel(struct reader_rig *r);
bool reader_rig_tick(struct reader_rig *r);

#endif
