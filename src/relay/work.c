#include "relay/work.h"

void work_count(struct record_work *work, enum queue_outcome outcome)
{
    switch (outcome) {
    case QUEUE_OUTCOME_DELIVERED:
        work->delivered++;
        break;
    case QUEUE_OUTCOME_DEFERRED:
        work->deferred++;
        break;
    case QUEUE_OUTCOME_LOST:
        work->lost++;
        break;
    case QUEUE_OUTCOME_QUARANTINED:
        work->quarantined++;
        break;
    case QUEUE_OUTCOME_BOUNCED:
        work->bounced++;
        break;
    case QUEUE_OUTCOME_REMOVED:
        break; /* no answer of a server */
    }
}

bool work_is_to_be_told(const struct queue_result *result)
{
    return result->outcome == QUEUE_OUTCOME_QUARANTINED || result->outcome == QUEUE_OUTCOME_BOUNCED ||
           result->owes != QUEUE_OWES_NOTHING;
}
