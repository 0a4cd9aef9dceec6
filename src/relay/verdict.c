#include "relay/verdict.h"

static bool fresh(const struct config_domain *d, const struct verdict_memory *m, int64_t age_ms)
{
    int64_t refresh_ms =
        m->seen == VERDICT_KNOWN ? d->verify_positive_refresh_ms : d->verify_negative_refresh_ms;
    return m->seen != VERDICT_NEVER && age_ms >= 0 && age_ms < refresh_ms;
}

static bool expired(const struct config_domain *d, const struct verdict_memory *m, int64_t age_ms)
{
    int64_t expire_ms =
        m->seen == VERDICT_KNOWN ? d->verify_positive_expire_ms : d->verify_negative_expire_ms;
    return m->seen == VERDICT_NEVER || age_ms >= expire_ms;
}

static enum verdict of_never(const struct config_domain *d, enum verdict_event event)
{
    switch (d->unknown) {
    case UNKNOWN_ACCEPT:
        return VERDICT_TAKE;
    case UNKNOWN_REJECT:
        return event == VERDICT_DOWN ? VERDICT_REFUSE : VERDICT_DEFER;
    case UNKNOWN_DEFER:
        break;
    }
    return VERDICT_DEFER;
}

enum verdict verdict_of(const struct config_domain *domain, enum verdict_event event,
                        const struct verdict_memory *memory, struct wall_time now)
{
    int64_t age_ms = now.ms - memory->at.ms;
    enum verdict remembered = memory->seen == VERDICT_KNOWN ? VERDICT_TAKE : VERDICT_REFUSE;
    switch (event) {
    case VERDICT_ASKED:
        return fresh(domain, memory, age_ms) ? remembered : VERDICT_ASK;
    case VERDICT_DOWN:
    case VERDICT_NOT_NOW:
        if (expired(domain, memory, age_ms))
            return of_never(domain, event);
        if (fresh(domain, memory, age_ms))
            return remembered;
        break; /* nothing is refused for good on a word that it would be asked for again */
    case VERDICT_TROUBLE:
        break;
    }
    bool known = memory->seen == VERDICT_KNOWN && !expired(domain, memory, age_ms);
    return known ? VERDICT_TAKE : VERDICT_DEFER;
}

/* X.1.7 and X.1.8 are about the sender's address. */
static bool about_recipient(const struct smtp_reply *r)
{
    if (r->enhanced.class == 0)
        return r->code == 550 || r->code == 551 || r->code == 553;
    return r->enhanced.class == 5 && r->enhanced.subject == 1 && r->enhanced.detail != 7 &&
           r->enhanced.detail != 8;
}

int verdict_of_reply(const struct smtp_reply *reply)
{
    if (smtp_reply_class(reply) == 2)
        return VERDICT_KNOWN;
    return smtp_reply_class(reply) == 5 && about_recipient(reply) ? VERDICT_UNKNOWN : VERDICT_NEVER;
}
