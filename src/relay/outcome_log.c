#include "relay/outcome_log.h"

#include "base/log.h"

void outcome_log(const struct transaction *t, const char *recipient, const struct queue_result *result)
{
    char id[CUSTODY_ID_TEXT_MAX];
    bool bad = result->outcome == QUEUE_OUTCOME_QUARANTINED || result->outcome == QUEUE_OUTCOME_BOUNCED;
    custody_id_format(&t->custody_id, id);
    log_event(bad ? LOG_WARNING : LOG_INFO, queue_outcome_name(result->outcome), LOG_TEXT("id", id),
              LOG_TEXT("sender", t->reverse_path), LOG_TEXT("recipient", recipient),
              LOG_STR("server", result->server), LOG_STR("instance", result->instance),
              LOG_I64("epoch", result->epoch), LOG_I64("delay_ms", result->at.ms - t->received_at.ms),
              LOG_STR("reply", result->reply));
}
