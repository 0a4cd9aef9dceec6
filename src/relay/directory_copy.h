/* The recipients' directory as the store had it last, in the relay's own spool: so that a relay which starts
 * while the store is away knows whom to take mail for. Whoever is not in it is put off meanwhile, not refused
 * (relay/known_users.h): he may have come since.
 *
 * Used by the role, and by known_users, which tells of each new directory. One loop. The copy is written a
 * bounded number of users at a time, each write durable; one that a crash cut short lacks some, or has some
 * that went, until the store is read again. */
#ifndef HOLDFAST_RELAY_DIRECTORY_COPY_H
#define HOLDFAST_RELAY_DIRECTORY_COPY_H

#include "loop/loop.h"
#include "relay/recipients.h"
#include "store/network.h"

#define COPY_USERS_AT_ONCE 500  /* a write */
#define COPY_RETRY_MS      2000 /* a spool that does not take it */

struct directory_copy;

/* Reads the copy from the network part of the spool's store. Both must outlive it. */
struct directory_copy *directory_copy_new(struct loop *l, struct network *spool, struct recipients *r);
/* NULL is allowed. */
void directory_copy_free(struct directory_copy *c);

/* The store is away: fills the directory with the copy, as soon as that is read, unless it is known by then.
 */
void directory_copy_use(struct directory_copy *c);

/* The directory was read from the store: the copy becomes the same. To be called after each
 * recipients_directory_end, before anything else runs. */
void directory_copy_update(struct directory_copy *c);

#endif
