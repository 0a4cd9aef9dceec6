#include "relay/refusal.h"

static bool status_is(const struct smtp_reply *r, int subject, int from, int to)
{
    const struct smtp_enhanced *e = &r->enhanced;
    return e->class == 5 && e->subject == subject && e->detail >= from && e->detail <= to;
}

static bool is_of_terms_at_mail(const struct smtp_reply *r)
{
    return r->code == 502 || r->code == 503 || status_is(r, 3, 2, 2) || status_is(r, 3, 5, 5) ||
           status_is(r, 5, 1, 1) || status_is(r, 7, 8, 11) || status_is(r, 7, 25, 25);
}

static bool is_of_terms(const struct smtp_client_result *r)
{
    int code = r->reply.code;
    return code == 521 || code == 530 || code == 538 ||
           (r->stage == SMTP_STAGE_MAIL && is_of_terms_at_mail(&r->reply));
}

enum refusal_about refusal_about(const struct smtp_client_result *r)
{
    bool at_mail = r->stage == SMTP_STAGE_MAIL;
    bool of_xclient = r->stage == SMTP_STAGE_HELO || r->stage == SMTP_STAGE_CLIENT; /* about the client */
    switch (r->outcome) {
    case SMTP_OUTCOME_DEFERRED:
        return !of_xclient && (r->reply.code == 421 || (at_mail && r->reply.enhanced.subject == 3))
                   ? REFUSAL_SERVER
                   : REFUSAL_NONE;
    case SMTP_OUTCOME_REFUSED:
        return is_of_terms(r) ? REFUSAL_TERMS : REFUSAL_NONE;
    default:
        return REFUSAL_NONE;
    }
}

bool refusals_add(struct refusals *r, struct mono_time now)
{
    if (r->in_row > 0 && mono_diff_ms(now, r->last) >= REFUSALS_FORGET_MS)
        refusals_end(r);
    r->last = now;
    if (r->in_row < REFUSALS_DOUBT)
        r->in_row++;
    return r->in_row >= REFUSALS_DOUBT;
}

void refusals_end(struct refusals *r)
{
    *r = (struct refusals){.in_row = 0};
}

bool refusals_tell(struct refusals *r)
{
    if (r->in_row < REFUSALS_DOUBT || r->told)
        return false;
    r->told = true;
    return true;
}
