/* Reads the recipients' lists (`recipients = "list"`) again when their files have changed, without a signal.
 * A file is read once it was seen unchanged for one look after another, so not while somebody writes it; one
 * that is broken, gone or empty leaves the old list in use, with one warning until it changes again. (A
 * SIGHUP takes an empty one, too.)
 *
 * It looks at the files by stat every LIST_WATCH_MS: a list may be replaced, lie behind a symlink or on a
 * file system without notices. Nothing here survives a crash. */
#ifndef HOLDFAST_RELAY_LIST_WATCH_H
#define HOLDFAST_RELAY_LIST_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "loop/loop.h"
#include "relay/recipients.h"

#define LIST_WATCH_MS 1000 /* a new user waits two looks */

struct list_watch;

/* Make it before the lists are read for the first time, so that no change between is missed. Both must
 * outlive it; the configuration may change in place. */
struct list_watch *list_watch_new(struct loop *l, const struct config *config, struct recipients *r);
/* NULL is allowed. */
void list_watch_free(struct list_watch *w);

/* ---- the decision, pure ---- */

/* How a file looks: two looks that are equal saw the same content. */
struct list_look {
    bool there;
    uint64_t device, inode, size_bytes;
    int64_t modified_ns, changed_ns;
};

struct list_state {
    struct list_look read, last; /* as it was when it was read, and at the last look */
};

/* Whether it is to be read now; then it counts as read, whatever comes of it. */
bool list_state_look(struct list_state *s, const struct list_look *now);

#endif
