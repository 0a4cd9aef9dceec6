/* The lives of messages, as `trace` tells them: from the queues of all relays, from the mailboxes, and from
 * the network's events. */
#ifndef HOLDFAST_CLI_TRACE_LIFE_H
#define HOLDFAST_CLI_TRACE_LIFE_H

#include <jansson.h>

#include "cli/context.h"
#include "cli/trace_find.h"

/* An array: an object for each recipient of each message, with its attempts, acts and events. A recipient
 * that no relay had has queue null, and the state "stored". For json_decref. *worst: the exit status of what
 * could not be read, which is said on stderr, unless it was a worse one already. */
json_t *trace_life(struct context *cx, const struct queue_names *names, const struct trace_found *found,
                   int *worst);

/* The same on stdout, as text. */
void trace_life_print(const json_t *life);

#endif
