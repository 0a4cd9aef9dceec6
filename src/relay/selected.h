/* What an operator's filter selects of a transaction that was read before. Pure; for the source. */
#ifndef HOLDFAST_RELAY_SELECTED_H
#define HOLDFAST_RELAY_SELECTED_H

#include "relay/source.h"

/* How many of its recipients; the filter's place, states, after_id and limit are not looked at. */
size_t selected_recipients(const struct transaction *t, const struct queue_filter *f);

#endif
