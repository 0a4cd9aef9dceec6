/* A server that serves and has none of our mail. Why is in the log once, until a message is taken or the
 * reason is another. What was put off meanwhile, each message for longer than the one before, is to be tried
 * at once when one is taken again; but for the first STANDSTILL_MESSAGES, which may have been put off for
 * what they are, and not more often than what is put off is tried anyway. Pure but for the log. */
#ifndef HOLDFAST_RELAY_STANDSTILL_H
#define HOLDFAST_RELAY_STANDSTILL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "base/time.h"

#define STANDSTILL_MESSAGES 3
#define STANDSTILL_WHY_MAX  160 /* longer reasons are compared by so much of them */

struct standstill {
    char why[STANDSTILL_WHY_MAX]; /* NUL-terminated; "": mail moves */
    uint32_t put_off;             /* messages in a row */
    bool ended;                   /* one was: at */
    struct mono_time ended_at;
};

/* what: the log's event, of server. */
void standstill_note(struct standstill *s, const char *what, const char *server, struct str why);
/* A message was put off, none of its recipients taken. */
void standstill_put_off(struct standstill *s);
/* A message was taken. True: what was put off is to be tried now; at most once in apart_ms. */
bool standstill_end(struct standstill *s, struct mono_time now, int64_t apart_ms);

#endif
