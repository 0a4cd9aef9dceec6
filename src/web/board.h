/* What the loop's thread publishes and the HTTP threads show: texts that never
 * change once they are posted, swapped under a mutex, kept for as long as a
 * response still sends them.
 *
 * Any thread. Nothing survives a crash. */
#ifndef HOLDFAST_WEB_BOARD_H
#define HOLDFAST_WEB_BOARD_H

#include "base/str.h"
#include "base/time.h"
#include "web/events.h"

struct board;

struct notice {
    struct str status;  /* JSON */
    struct str metrics; /* Prometheus' text format */
    const struct event_list *events;
    struct mono_time read_at; /* when the store was read for it */
};

struct board *board_new(void);
/* Takes both heap texts, and a reference to the events. */
void board_post(struct board *b, char *status, char *metrics, struct event_list *events,
                struct mono_time read_at);
/* The newest, or NULL before the first; to be released. */
const struct notice *board_take(struct board *b);
void board_release(struct board *b, const struct notice *n); /* NULL is allowed */
/* After all were released. NULL is allowed. */
void board_free(struct board *b);

#endif
