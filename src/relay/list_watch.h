/* Reads the recipients' lists (`recipients = "list"`) again when their files have changed, without a signal.
 * A file is read once it was seen unchanged for one look after another, so not while somebody writes it; one
 * that is broken, gone or empty leaves the old list in use, with one warning until it changes again. (A
 * SIGHUP takes an empty one, too.)
 *
 * It looks at the files every FILE_LOOK_MS (base/file_look.h). Nothing here survives a crash. */
#ifndef HOLDFAST_RELAY_LIST_WATCH_H
#define HOLDFAST_RELAY_LIST_WATCH_H

#include "loop/loop.h"
#include "relay/recipients.h"

struct list_watch;

/* Make it before the lists are read for the first time, so that no change between is missed. Both must
 * outlive it; the configuration may change in place. */
struct list_watch *list_watch_new(struct loop *l, const struct config *config, struct recipients *r);
/* NULL is allowed. */
void list_watch_free(struct list_watch *w);

#endif
