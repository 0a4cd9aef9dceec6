/* Whether the sender of a message is told what became of it (RFC 3461). Pure. What he asked for by name he
 * gets; what nobody asked for goes only to those whom `bounce` names, for a sender's name is easily forged. A
 * failure is told by `bounce` alone: where it is not, quarantine loses nothing. Who has no reverse-path is
 * told nothing. docs/decisions/0021-notices.md says why. */
#ifndef HOLDFAST_RELAY_TELL_H
#define HOLDFAST_RELAY_TELL_H

#include "config/config.h"
#include "store/queue.h"

/* What it depends on, of one recipient of a message. */
struct tell {
    struct str reverse_path;
    unsigned notify; /* of enum dsn_notify */
    bool authenticated;
};

bool tell_failure(const struct tell *t, const struct config_relay *relay);
bool tell_delay(const struct tell *t, const struct config_relay *relay);
/* Of a delivery. final: the server is the last one (ours, or any by LMTP); handed_on: it offers DSN. */
enum queue_owes tell_success(const struct tell *t, bool final, bool handed_on);

struct tell tell_of(const struct queue_delivery *d);

#endif
