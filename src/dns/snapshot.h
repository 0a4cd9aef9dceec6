/* What the server answers from at one moment: zones, view and prepared replies,
 * immutable, and the way in which it is swapped under running threads.
 *
 * One thread (the loop's) publishes. Each reading thread has a slot, in which it
 * shows the snapshot that it is reading; a replaced snapshot is freed once no
 * slot shows it, at a later publish or at the end. Readers never wait. */
#ifndef HOLDFAST_DNS_SNAPSHOT_H
#define HOLDFAST_DNS_SNAPSHOT_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/list.h"
#include "dns/answer.h"

struct dns_snapshot {
    struct dns_source source; /* to answer from */
    struct dns_zones *zones;  /* a reference */
    struct dns_view view;
    struct dns_prepared *prepared;
    struct list node; /* among the retired */
};

/* Takes a reference of zones, copies the view, prepares the replies. */
struct dns_snapshot *dns_snapshot_new(struct dns_zones *zones, const struct dns_view *view);
void dns_snapshot_free(struct dns_snapshot *s); /* NULL is allowed */

#define DNS_READERS_MAX 64

struct dns_current {
    _Atomic(struct dns_snapshot *) now;
    _Atomic(struct dns_snapshot *) shown[DNS_READERS_MAX]; /* by readers; NULL when outside */
    struct list retired;
};

void dns_current_init(struct dns_current *c, struct dns_snapshot *first); /* takes first, not NULL */
/* No reader may be inside or come. */
void dns_current_fini(struct dns_current *c);
void dns_current_publish(struct dns_current *c, struct dns_snapshot *next); /* takes next */
/* A reader's way in and out; the source is valid between. */
const struct dns_source *dns_current_enter(struct dns_current *c, size_t slot);
void dns_current_leave(struct dns_current *c, size_t slot);
/* For the publishing thread itself: valid until it publishes. */
const struct dns_source *dns_current_source(struct dns_current *c);

#endif
