/* What the IMAP and POP3 session tests stand on: a memory store with a user or
 * two, the real loop, sessions that are talked to. For tests only. */
#ifndef HOLDFAST_TESTS_IMAP_RIG_H
#define HOLDFAST_TESTS_IMAP_RIG_H

#include <stdio.h>

#include "unit/unit.h"

#include "base/buf.h"
#include "base/err.h"
#include "imap/session.h"
#include "loop/loop.h"
#include "store/memory.h"
#include "store/store.h"

struct rig {
    struct loop *loop;
    struct store_memory *memory;
    struct store *store;
    struct mail *mail;
};

struct rig *rig_new(void);
void rig_free(struct rig *r);
/* Waits, a bounded time, until *done. */
void rig_wait(struct rig *r, const bool *done);
void rig_deliver(struct rig *r, const char *user, const char *text);
void rig_faults(struct rig *r, const struct store_memory_faults *faults);
/* Another instance takes the identity: this one is stale. */
void rig_fence(struct rig *r);

struct talk {
    struct rig *rig;
    struct imap_options options;
    struct imap_session *session;
    struct buf out; /* not looked at yet */
    char *taken;    /* what talk_take gave last */
    bool fenced;
    int auth_err; /* what a login is answered; 0: the user's name */
};

struct talk *talk_new(struct rig *r, bool plain_allowed);
struct talk *talk_login(struct rig *r, const char *user); /* greeting and LOGIN behind it */
void talk_free(struct talk *t);
/* Sends, and waits until the session wants more or has ended. */
void talk_send(struct talk *t, const char *text);
void talk_send_bytes(struct talk *t, struct str bytes);
/* Waits until the output holds this. */
void talk_wait(struct talk *t, const char *text);
/* All output so far, taken, with V for every number of ten digits (UIDVALIDITY);
 * valid until the next call. */
const char *talk_take(struct talk *t);

/* Sends a command and compares the whole answer. */
#define assert_talk(t, command, answer)                                                                      \
    do {                                                                                                     \
        talk_send((t), (command));                                                                           \
        assert_string_equal(talk_take(t), (answer));                                                         \
    } while (0)
/* The same, where the answer has to hold a text. */
#define assert_talk_has(t, command, part)                                                                    \
    do {                                                                                                     \
        talk_send((t), (command));                                                                           \
        const char *answer_ = talk_take(t);                                                                  \
        if (!strstr(answer_, (part)))                                                                        \
            fail_msg("\"%s\" is not in \"%s\"", (part), answer_);                                            \
    } while (0)

#endif
