/* One delivery as `queue list` and `queue show` tell it: as JSON, or as text of the terminal's width. Pure.
 */
#ifndef HOLDFAST_CLI_QUEUE_ROW_H
#define HOLDFAST_CLI_QUEUE_ROW_H

#include <jansson.h>

#include "base/buf.h"
#include "store/queue.h"

/* reason: why it waits (cli/waiting.h), or "". For json_decref. */
json_t *queue_row_json(const char *queue, const struct queue_delivery *d, const char *reason);

/* columns: of the terminal; 0: it is none, and nothing is cut. A terminal that is too narrow for one line
 * gets two. What senders and servers said is shown printable. */
void queue_row_head(struct buf *out, size_t columns);
void queue_row_text(struct buf *out, const struct queue_delivery *d, const char *reason, size_t columns);

#endif
