/* What IMAP and POP3 machines stand on in dialogues: a memory store in a
 * simulated world, so that a script plays the same each time. Users:
 * alice@example.test and bob@example.test, password `holdfast`. For tests only. */
#ifndef HOLDFAST_TESTS_READER_RIG_H
#define HOLDFAST_TESTS_READER_RIG_H

#include "dialogue/dialogue.h"
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
    uint32_t random; /* 0: answers at once */

    struct loop_timer *timer; /* of a login that is answered later */
    void (*answer)(void *arg, int err, struct str user);
    void *arg;
    int err;
    char *user;
};

/* Options of a script: messages (how many of the standard ones alice has; 3),
 * store (`away`, `full`, `fenced`: from the session's begin on). */
struct reader_rig *reader_rig_new(const struct dialogue_options *options, uint32_t seed);
void reader_rig_free(struct reader_rig *r);
/* Answers now or at a tick, by chance. */
void reader_rig_login(struct reader_rig *r, struct str user, struct str password,
                      void (*answer)(void *arg, int err, struct str user), void *arg);
void reader_rig_cancel(struct reader_rig *r);
bool reader_rig_tick(struct reader_rig *r);
uint64_t reader_rig_number(const struct dialogue_options *o, const char *key, uint64_t otherwise);

#endif
