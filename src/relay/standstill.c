#include "relay/standstill.h"

#include <stdio.h>

#include "base/log.h"

void standstill_note(struct standstill *s, const char *what, const char *server, struct str why)
{
    struct str told = str_sub(why, 0, sizeof(s->why) - 1);
    if (str_eq(told, str_from(s->why)))
        return;
    snprintf(s->why, sizeof(s->why), "%.*s", STR_ARG(told));
    log_event(LOG_WARNING, what, LOG_TEXT("server", server), LOG_STR("why", why));
}

void standstill_end(struct standstill *s)
{
    s->why[0] = '\0';
}
