/* The newest events of the network, for the API and the page: read by the loop as they come, shown by the
 * HTTP threads from lists that never change. What is older than the newest EVENTS_KEPT is told by `holdfast
 * events`.
 *
 * The reader: one loop. A list: any thread. Nothing survives a crash; it is read again. */
#ifndef HOLDFAST_WEB_EVENTS_H
#define HOLDFAST_WEB_EVENTS_H

#include <jansson.h>

#include "base/buf.h"
#include "store/network.h"

#define EVENTS_KEPT     1000
#define EVENTS_KEPT_MAX (4 << 20) /* bytes of all of them as text */
#define EVENTS_LIMIT    50        /* of a page without a limit */

/* One event as commands and the API show it. For json_decref. */
json_t *event_json(const struct network_event *e);

/* ---- lists ---- */

struct event_text {
    int64_t id;
    struct str json;
};

struct event_list {
    _Atomic size_t users;
    struct event_text *items; /* by id, ascending */
    size_t count, bytes;
};

struct event_list *event_list_new(void);
/* While nobody else has it. Takes the heap text. */
void event_list_add(struct event_list *l, int64_t id, char *json);
/* Drops the oldest ones that are too many, or too large. */
void event_list_bound(struct event_list *l);
struct event_list *event_list_ref(struct event_list *l);
void event_list_unref(struct event_list *l); /* NULL is allowed */
/* What follows after_id, oldest first, at most `limit`; after_id -1: the newest ones. An object: "events",
 * "oldest" (the first id that is kept, 0: none), "more" (there are further ones after the last). */
void event_list_write(struct buf *out, const struct event_list *l, int64_t after_id, size_t limit);

/* ---- reading ---- */

struct event_reader;

/* on_change: there are new ones. */
struct event_reader *event_reader_new(struct network *n, void (*on_change)(void *arg), void *arg);
void event_reader_free(struct event_reader *r); /* NULL is allowed */
/* Asks for what is new, unless it is asking. */
void event_reader_kick(struct event_reader *r);
/* The newest list; a reference of the caller's. */
struct event_list *event_reader_take(struct event_reader *r);

#endif
