/* Which messages a trace is of: their custody ids, from the relays' queues. */
#ifndef HOLDFAST_CLI_TRACE_FIND_H
#define HOLDFAST_CLI_TRACE_FIND_H

#include "cli/context.h"

#define TRACE_IDS_MAX 1000

struct trace_found {
    struct custody_id ids[TRACE_IDS_MAX];
    size_t count, limit; /* the newest of each queue, at most `limit` */
    uint64_t left_out;
};

/* Adds it unless it is there. */
void trace_found_add(struct trace_found *found, const struct custody_id *id);

/* All that filter selects in the queues of `names`, or in that of `relay` only; page by page, so that any
 * number may fit. Returns an exit status; what cannot be read is said on stderr. */
int trace_find(struct context *cx, const struct queue_names *names, const struct queue_filter *filter,
               struct str relay, struct trace_found *found);

#endif
