/* Brings the selected mailbox up to date and tells the client what changed. */
#ifndef HOLDFAST_IMAP_SYNC_H
#define HOLDFAST_IMAP_SYNC_H

#include "imap/command.h"

/* Reads changes when something may have changed, writes untagged EXPUNGE (only
 * with `expunge`), EXISTS and FETCH, then calls done: maybe from inside the call.
 * err: why changes could not be read; what was known is told all the same. */
void imap_sync_start(struct imap_session *s, bool expunge, void (*done)(struct imap_session *s, int err));
/* Forgets the mailbox (CLOSE, a new SELECT, the end). */
void imap_session_unselect(struct imap_session *s);
void imap_write_message_flags(const struct imap_session *s, struct buf *out, const struct imap_message *m);
void imap_write_flags_response(struct imap_session *s); /* `* FLAGS (...)` and PERMANENTFLAGS */

#endif
