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

void standstill_put_off(struct standstill *s)
{
    if (s->put_off < UINT32_MAX)
        s->put_off++;
}

bool standstill_end(struct standstill *s, struct mono_time now, int64_t apart_ms)
{
    bool lasted = s->put_off > STANDSTILL_MESSAGES;
    bool soon = s->ended && mono_diff_ms(now, s->ended_at) < apart_ms;
    s->why[0] = '\0';
    s->put_off = 0;
    if (!lasted || soon)
        return false;
    s->ended = true;
    s->ended_at = now;
    return true;
}
