/* What tests of the mailbox stand on: a simulated world, a store in memory with
 * two users and the peer key, instances of the server mail1, and clients that
 * speak lines. For tests only. */
#ifndef HOLDFAST_TESTS_MAILBOX_RIG_H
#define HOLDFAST_TESTS_MAILBOX_RIG_H

#include "auth/peer.h"
#include "base/buf.h"
#include "config/config.h"
#include "loop/sim.h"
#include "mailbox/role.h"
#include "store/memory.h"
#include "store/network.h"
#include "unit/unit.h"

enum { RIG_SMTP = 2525, RIG_LMTP = 2424, RIG_SUBMISSION = 2587, RIG_IMAP = 2143, RIG_POP3 = 2110 };

#define RIG_PASSWORD "holdfast"
extern const char *const rig_verifier; /* of it, a crypt(3) hash as of an import */

struct rig {
    struct sim_world *world;
    struct store_memory *memory;
    struct config *config;
    struct loop *loop; /* of clients and of who looks */
    struct store *store;
    struct network *network;
    struct peer_key key;
};

struct rig_instance {
    struct rig *rig;
    struct loop *loop;
    struct store *store;
    struct mailbox_role *role;
    bool ready, stopped;
    int err; /* it failed */
};

struct rig_client {
    struct rig *rig;
    struct loop_stream *stream;
    bool refused, ended;
    struct buf received;
};

/* alice@example.test and bob@example.test, whose password is RIG_PASSWORD. */
struct rig *rig_new(void);
void rig_free(struct rig *r); /* after its instances and clients */
/* Runs the world until it holds; fails the test when nothing happens any more
 * or an hour has passed there. */
void rig_until(struct rig *r, bool (*holds)(void *arg), void *arg);
/* Any record of the network. */
void rig_put(struct rig *r, const char *kind, const char *key, const char *value);
/* "" disables; the record and the users' revision. */
void rig_put_user(struct rig *r, const char *address, const char *verifier, bool disabled);
/* The verifier in the user's record; on the heap. */
char *rig_verifier_of(struct rig *r, const char *address);

/* On node, at 127.1.0.10; not yet ready. */
struct rig_instance *rig_start(struct rig *r, const char *node, int64_t epoch);
struct rig_instance *rig_start_ready(struct rig *r, const char *node, int64_t epoch);
void rig_until_failed(struct rig_instance *i);
void rig_instance_free(struct rig_instance *i);

struct rig_client *rig_connect(struct rig *r, int port);
void rig_client_free(struct rig_client *c);
void rig_say(struct rig_client *c, const char *lines);
/* Waits for a line that begins so, and drops all up to its end; fails the test
 * when the server closes first. The line, until the next call. */
const char *rig_expect(struct rig_client *c, const char *start);
void rig_expect_end(struct rig_client *c);
/* SMTP of one message; with_custody: as a peer, with a custody id that
 * begins with that digit. The last answer begins with `answer`. */
void rig_send(struct rig *r, const char *to, char with_custody, const char *answer);
/* How many messages the user's INBOX has, by POP3. */
int rig_count(struct rig *r, const char *user);

#endif
