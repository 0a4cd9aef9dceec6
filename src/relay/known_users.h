/* Keeps the recipients' directory as the network's users are: reads them again when their revision changed.
 * The view that tells so is a moment old; who is not in the directory is looked for in the store before he is
 * refused, since he may have been added on another node a moment ago. A flood of made-up recipients costs the
 * store little: a look reads one record, the users' revision, is for all who had asked before it began, and
 * is not repeated within LOOK_PAUSE_MS.
 *
 * Used by the role, and by verify for the edge. One loop. Nothing here survives a crash; it is read anew. */
#ifndef HOLDFAST_RELAY_KNOWN_USERS_H
#define HOLDFAST_RELAY_KNOWN_USERS_H

#include "relay/directory_copy.h"
#include "relay/recipients.h"
#include "relay/verify.h"
#include "store/view.h"

#define LOOK_PAUSE_MS   5     /* at most 200 looks a second; RCPT waits that much longer */
#define LOOK_TIMEOUT_MS 10000 /* a store that does not answer: 450 */

struct known_users {
    struct network *network;
    struct recipients *recipients;
    struct directory_copy *copy; /* NULL: none is kept */
    int64_t revision;            /* of what was read, or is being read */
    int64_t wanted;              /* the revision that those who wait now have to see */
    struct store_op *op;
    struct store_op *look; /* the revision is being read */
    bool looking;          /* from the reading of the revision until those who wait are told */
    struct list now, next; /* verify_waiter: of the look under way, and of the one after it */
    struct loop_timer *pause, *deadline;
    bool overdue; /* the look under way is: nobody waits for it */
};

/* All must outlive it. copy, which may be set after it, is told of each directory that was read, and used
 * when none could be. */
void known_users_init(struct known_users *k, struct loop *l, struct network *n,
                      struct recipients *recipients);
/* Who still waits is not answered any more. */
void known_users_fini(struct known_users *k);
void known_users_on_view(struct known_users *k, const struct view *v);

/* Whether w->address, which the directory does not have, is a user by the store; as verify_recipient. */
enum verdict known_users_ask(struct known_users *k, struct verify_waiter *w);

#endif
