/* One messaging server as the relay's deliveries see it: where its instance is,
 * how it is (a monitor of our own), what waits for it in the queues that this
 * relay owns, and the sessions that bring it there. Runs the schedule.
 *
 * What is recorded: outcomes of deliveries in the queue (settled in one
 * transaction for each message); an observation for the directors by the owner.
 * Nothing else here survives a crash. */
#ifndef HOLDFAST_RELAY_TARGET_H
#define HOLDFAST_RELAY_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/list.h"
#include "config/config.h"
#include "health/words.h"
#include "loop/loop.h"
#include "relay/schedule.h"
#include "relay/source.h"
#include "smtp/client.h"
#include "store/records.h"

struct target;

struct target_options {
    const struct config *config;
    const struct config_server *server;
    const struct config_relay *relay;
    const struct smtp_client_options *client; /* must outlive the target */
    struct record_work *work;                 /* is counted into; the same */
};

struct target_ops {
    /* The observation for the directors changed (state, invocation, instance). */
    void (*observed)(void *arg, struct target *t);
    /* A delivery of q is in quarantine, durably, or a report is owed for it: somebody must know. */
    void (*to_tell)(void *arg, struct target *t, struct queue *q);
};

/* Where the identity is now. node "" and no address: nowhere. */
struct target_instance {
    bool present;
    struct addr address; /* with the port of deliveries */
    char node[64];
    int64_t epoch, generation;
};

struct target *target_new(struct loop *l, const struct target_options *options, const struct target_ops *ops,
                          void *arg);
/* Cuts all sessions; what was under way is given back, unsettled outcomes are
 * forgotten. Sources stay with their owner and must be taken away before. */
void target_free(struct target *t);

const struct config_server *target_server(const struct target *t);

/* The configuration changed in place (config_exchange). Sessions that are open finish their transaction. */
void target_reload(struct target *t);

/* Sets where the server is; a new epoch or address begins a new chance. */
void target_set_instance(struct target *t, const struct target_instance *instance);

/* Our store is silent (our own lease ran out; so it is in the beginning), or has answered for so long again
 * that who lives has its lease. A builtin server that lives refuses mail until then, as it must
 * (docs/decisions/0039): while something there refuses, it is no reason to ask for another server, and its
 * chances are counted anew afterwards. A server that is silent is counted as ever. */
void target_on_store(struct target *t, bool answers);

/* Puts s under this target, or takes it away (not inside a session's callback).
 * Sessions that carry one of its transactions finish first: they hold the source,
 * not the target. Those of a server that is inoperable, or becomes so, are cut,
 * and what it had not answered is given back. */
void target_add_source(struct target *t, struct source *s);
void target_remove_source(struct target *t, struct source *s);
/* A source may have some (its on_ready): looks soon, not inside the call. */
void target_kick(struct target *t);
/* The queue is lost or closing: transactions from its sources are cut and given
 * back, unsettled outcomes of it forgotten. After it no transaction of q is out. */
void target_drop_queue(struct target *t, struct queue *q);

/* The queue may not be sent from any more: its transactions are cut and given back, but for those whose
 * final dot was given, whose answers are recorded if the queue takes them. */
void target_withdraw_queue(struct target *t, struct queue *q);

/* Whether the server can be asked about its recipients, and where (ret_to untouched when not): it is there
 * and not known to be inoperable. */
bool target_may_answer(const struct target *t, struct addr *ret_to);

struct target_observation {
    const struct health_word *word;
    int64_t epoch;  /* of the instance observed */
    int64_t failed; /* attempts in a row */
    int64_t down_for_ms;
    bool invoke; /* attempts and time are used up */
};
void target_observe(const struct target *t, struct target_observation *ret_observation);

#endif
