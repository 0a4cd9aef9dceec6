/* `queue list` and `queue show`: rows of the relays' queues, page by page, with bounded memory. */
#ifndef HOLDFAST_CLI_QUEUE_LIST_H
#define HOLDFAST_CLI_QUEUE_LIST_H

#include "cli/context.h"
#include "cli/queue_filter.h"

struct queue_list_options {
    bool json;
    bool all_states;   /* unless the selection names some */
    const char *after; /* a queue id: only what follows it; NULL: from the first */
};

/* Shows them on stdout; returns an exit status. */
int queue_list_show(struct context *cx, struct queue_selection *s, const struct queue_list_options *options);

#endif
