#include "run/restart.h"

int64_t restart_next_ms(struct restart *r, int64_t lived_ms)
{
    if (lived_ms >= RESTART_RESET_MS || r->delay_ms == 0)
        r->delay_ms = RESTART_FIRST_MS;
    else if (r->delay_ms < RESTART_MAX_MS / 2)
        r->delay_ms *= 2;
    else
        r->delay_ms = RESTART_MAX_MS;
    return r->delay_ms;
}
