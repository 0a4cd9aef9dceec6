/* Why a server that serves has none of our mail: it is in the log once, until a message is taken or the
 * reason is another. */
#ifndef HOLDFAST_RELAY_STANDSTILL_H
#define HOLDFAST_RELAY_STANDSTILL_H

#include "base/str.h"

#define STANDSTILL_WHY_MAX 160 /* longer reasons are compared by so much of them */

struct standstill {
    char why[STANDSTILL_WHY_MAX]; /* NUL-terminated; "": mail moves */
};

/* what: the log's event, of server. */
void standstill_note(struct standstill *s, const char *what, const char *server, struct str why);
/* A message was taken. */
void standstill_end(struct standstill *s);

#endif
