/* The selection that the queue commands share, as a filter of the queue contract and as an order's arguments.
 */
#ifndef HOLDFAST_CLI_QUEUE_FILTER_H
#define HOLDFAST_CLI_QUEUE_FILTER_H

#include <jansson.h>

#include "cli/args.h"
#include "config/config.h"
#include "store/queue.h"
#include "store/view.h"

/* NULL: any. */
struct queue_words {
    const char *server, *sender, *recipient, *domain, *message_id, *state, *reply, *older_than, *newer_than;
    const char *id; /* a custody id, or a queue id: RELAY:NUMBER */
    const char *relay, *limit;
};

#define QUEUE_SELECTION_OPTIONS(w)                                                                           \
    {"server", &(w)->server, NULL}, {"sender", &(w)->sender, NULL}, {"recipient", &(w)->recipient, NULL},    \
        {"domain", &(w)->domain, NULL}, {"message-id", &(w)->message_id, NULL},                              \
        {"state", &(w)->state, NULL}, {"reply", &(w)->reply, NULL}, {"older-than", &(w)->older_than, NULL},  \
        {"newer-than", &(w)->newer_than, NULL}, {"id", &(w)->id, NULL}, {"relay", &(w)->relay, NULL},        \
    {                                                                                                        \
        "limit", &(w)->limit, NULL                                                                           \
    }

struct queue_selection {
    struct queue_words words;
    struct queue_filter filter; /* without places of `server`; points into this struct and words */
    uint64_t limit;             /* 0: none was given */
    char *relay;                /* only this one's queue; NULL: all; owned */
    char *domain;               /* lower case; owned */
    char *message_id;           /* with <>; owned */
    struct custody_id custody_id;
    struct str *domains; /* routed to server; owned */
};

/* Takes the words; `now` is what "2h" ago counts from. ERR_INVALID with eb. For queue_selection_fini in any
 * case. A server need not be in the configuration: mail can wait for one that is not there any more. */
int queue_selection_parse(struct queue_selection *s, const struct queue_words *words, struct wall_time now,
                          struct err_buf *eb) MUST_USE;
void queue_selection_fini(struct queue_selection *s);

/* Whether it selects something, not everything (which relay does not count). */
bool queue_selection_is_narrow(const struct queue_selection *s);
/* v: for the routes. The filter's views live as long as s. */
struct queue_filter queue_selection_filter(struct queue_selection *s, const struct config *config,
                                           const struct view *v);
/* Args of an order for the relay, at most `limit` (0: none); to is for move, or NULL. For json_decref. */
json_t *queue_selection_args(const struct queue_selection *s, const char *to, uint64_t limit);

/* The Message-ID as queues have it, with its <>, whether text has them or not. For free(). */
char *queue_message_id(const char *text);

/* "relay-east:17": a delivery, that is one recipient of a message, by its queue and its number there.
 * ERR_SYNTAX. */
int queue_id_parse(struct str text, struct str *ret_queue, int64_t *ret_number) MUST_USE;

#endif
