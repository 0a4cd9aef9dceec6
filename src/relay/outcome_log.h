/* The log line of what became of one recipient of a message, once that is durable. Used by the target. */
#ifndef HOLDFAST_RELAY_OUTCOME_LOG_H
#define HOLDFAST_RELAY_OUTCOME_LOG_H

#include "relay/source.h"

/* recipient: an address of t; result is about it. */
void outcome_log(const struct transaction *t, const char *recipient, const struct queue_result *result);

#endif
