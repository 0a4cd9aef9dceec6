#include "relay/tell.h"

/* There is somebody to tell. Who said NEVER asked for none of what follows. */
static bool can_be_told(const struct tell *t)
{
    return str_find(t->reverse_path, '@', 0) != SIZE_MAX;
}

static bool is_named(const struct tell *t, const struct config_relay *relay)
{
    return relay->bounce == BOUNCE_ALWAYS || (relay->bounce == BOUNCE_AUTHENTICATED && t->authenticated);
}

bool tell_failure(const struct tell *t, const struct config_relay *relay)
{
    bool asked = t->notify == 0 || (t->notify & DSN_NOTIFY_FAILURE);
    return can_be_told(t) && asked && is_named(t, relay);
}

bool tell_delay(const struct tell *t, const struct config_relay *relay)
{
    bool asked = (t->notify & DSN_NOTIFY_DELAY) || (t->notify == 0 && is_named(t, relay));
    return relay->delay_notice_ms > 0 && can_be_told(t) && asked;
}

enum queue_owes tell_success(const struct tell *t, bool final, bool handed_on)
{
    if (handed_on || !can_be_told(t) || !(t->notify & DSN_NOTIFY_SUCCESS))
        return QUEUE_OWES_NOTHING;
    return final ? QUEUE_OWES_DELIVERED : QUEUE_OWES_RELAYED;
}

struct tell tell_of(const struct queue_delivery *d)
{
    return (struct tell){d->reverse_path, d->request.notify, d->authenticated};
}
