#include "mailbox/tenure.h"

static const enum tenure next[][TENURE_FENCED + 1] = {
    [TENURE_STARTING] =
        {
            [TENURE_COMPLETE] = TENURE_SERVING,
            [TENURE_HELD] = TENURE_STARTING,
            [TENURE_LOST] = TENURE_STARTING,
            [TENURE_CURRENT] = TENURE_STARTING,
            [TENURE_TAKEN] = TENURE_STARTING,
            [TENURE_FENCED] = TENURE_OVER,
        },
    [TENURE_SERVING] =
        {
            [TENURE_COMPLETE] = TENURE_SERVING,
            [TENURE_HELD] = TENURE_SERVING,
            [TENURE_LOST] = TENURE_KEEPING,
            [TENURE_CURRENT] = TENURE_SERVING,
            [TENURE_TAKEN] = TENURE_OVER,
            [TENURE_FENCED] = TENURE_OVER,
        },
    [TENURE_KEEPING] =
        {
            [TENURE_COMPLETE] = TENURE_KEEPING,
            [TENURE_HELD] = TENURE_RETURNING,
            [TENURE_LOST] = TENURE_KEEPING,
            [TENURE_CURRENT] = TENURE_KEEPING,
            [TENURE_TAKEN] = TENURE_OVER,
            [TENURE_FENCED] = TENURE_OVER,
        },
    [TENURE_RETURNING] =
        {
            [TENURE_COMPLETE] = TENURE_RETURNING,
            [TENURE_HELD] = TENURE_RETURNING,
            [TENURE_LOST] = TENURE_KEEPING,
            [TENURE_CURRENT] = TENURE_SERVING,
            [TENURE_TAKEN] = TENURE_OVER,
            [TENURE_FENCED] = TENURE_OVER,
        },
    [TENURE_OVER] =
        {
            [TENURE_COMPLETE] = TENURE_OVER,
            [TENURE_HELD] = TENURE_OVER,
            [TENURE_LOST] = TENURE_OVER,
            [TENURE_CURRENT] = TENURE_OVER,
            [TENURE_TAKEN] = TENURE_OVER,
            [TENURE_FENCED] = TENURE_OVER,
        },
};

enum tenure tenure_next(enum tenure now, enum tenure_event event)
{
    return next[now][event];
}

bool tenure_takes_mail(enum tenure now)
{
    return now == TENURE_SERVING;
}
