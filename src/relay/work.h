/* Counts what became of attempts to deliver, for the metrics. Used by the target. */
#ifndef HOLDFAST_RELAY_WORK_H
#define HOLDFAST_RELAY_WORK_H

#include "store/queue.h"
#include "store/records.h"

/* One delivery's outcome, once it is durable. */
void work_count(struct record_work *work, enum queue_outcome outcome);

/* The operator, or its sender, must know (of what is durable). */
bool work_is_to_be_told(const struct queue_result *result);

#endif
