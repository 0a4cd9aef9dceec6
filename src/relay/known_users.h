/* Keeps the recipients' directory as the network's users are: reads them again when their revision changed.
 * Used by the role. Nothing here survives a crash; it is read anew. */
#ifndef HOLDFAST_RELAY_KNOWN_USERS_H
#define HOLDFAST_RELAY_KNOWN_USERS_H

#include "relay/recipients.h"
#include "store/view.h"

struct known_users {
    struct network *network;
    struct recipients *recipients;
    int64_t revision; /* of what was read, or is being read */
    struct store_op *op;
};

/* Both must outlive it. */
void known_users_init(struct known_users *k, struct network *n, struct recipients *recipients);
void known_users_fini(struct known_users *k);
void known_users_on_view(struct known_users *k, const struct view *v);

#endif
