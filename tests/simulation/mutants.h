/* Mutants: the program with one seeded bug, to prove that the simulation sees.
 * Some are flags of the memory store, the others stand in for functions of the
 * program at link time (-Wl,--wrap); when none plays, all is the program's own. */
#ifndef HOLDFAST_TESTS_SIMULATION_MUTANTS_H
#define HOLDFAST_TESTS_SIMULATION_MUTANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/memory.h"

struct memory_tx;
struct store_op;

#define MUTANT_LIST(X)                                                                                       \
    X(early_250, "the store says that a message is durable before it is")                                    \
    X(sync_250, "a failed sync is told as a success")                                                        \
    X(double_claim, "who takes over a queue does not count up its epoch")                                    \
    X(stale_queue_owner, "a queue takes writes under an old epoch")                                          \
    X(stale_mail, "mailboxes take writes of a stale instance")                                               \
    X(stale_director, "records take writes under a lease that another holds; its holder believes for ever")  \
    X(expired_lease, "an instance believes that its lease lasts for an hour")                                \
    X(no_dedupe, "a custody id that came already is shown again")                                            \
    X(last_chunk, "the last chunk of a body is lost")                                                        \
    X(lost_rehome, "relays stay with the first instance that they knew")                                     \
    X(send_without_right, "a relay sends what is in its queues whether it has the right to or not")          \
    X(not_let_go, "who owns a queue does not wait for who had it before")                                    \
    X(no_adoption, "a dead node's queue stays with it")                                                      \
    X(early_delivered, "a delivery is recorded as done whatever came of it")                                 \
    X(settle_forgotten, "what came of deliveries is not recorded")                                           \
    X(flags_not_kept, "flags and removals whose commit failed are told as done")                             \
    X(uid_reused, "a new instance gives UIDs of expunged messages again")                                    \
    X(quarantine_untold, "of quarantines that are told together only the first one is")                      \
    X(unknown_as_failed, "a commit whose reply was lost is told as failed, though it is there")              \
    X(unverified, "the director gives the mail to what was created, unseen")                                 \
    X(unidentified, "the director gives the mail to whoever answers, and asks nobody for its epoch")         \
    X(fence_claims_success, "the fence agent says off, and the instance lives")                              \
    X(route_not_written, "a move is complete, and the route is as it was")                                   \
    X(answer_forgotten, "a server's first 250 for a recipient is recorded as if it had put him off")         \
    X(told_to_nobody, "failures are told to no sender")                                                      \
    X(told_to_all, "failures are told to who asked not to be told, too")                                     \
    X(success_untold, "successes are told to no sender")                                                     \
    X(told_twice, "of a report that was made another one is owed")                                           \
    X(report_removed, "reports are removed from the queue as soon as they are made")

#define MUTANT_ENUM(name, what) MUTANT_##name,
enum mutant { MUTANT_NONE, MUTANT_LIST(MUTANT_ENUM) MUTANT_COUNT };
#undef MUTANT_ENUM

const char *mutant_name(enum mutant m);
const char *mutant_what(enum mutant m);
enum mutant mutant_find(const char *name); /* MUTANT_NONE: no such */

/* Who plays from now on, in this process. */
void mutant_play(enum mutant m);
enum mutant mutant_playing(void);
/* Sets the flags of the one that plays. */
void mutant_add_faults(struct store_memory_faults *faults);
/* What it tells instead of an operation's outcome. */
int mutant_completion(const struct store_op *op, int err);
/* In the transaction that has accepted a report. */
void mutant_reported(struct memory_tx *tx, const struct store_op *op);

#endif
