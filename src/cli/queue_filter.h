/* The selection that the queue commands share: --server, --sender, --recipient,
 * --id, --state, --limit, as a filter of the queue contract and as an order's
 * arguments. */
#ifndef HOLDFAST_CLI_QUEUE_FILTER_H
#define HOLDFAST_CLI_QUEUE_FILTER_H

#include <jansson.h>

#include "cli/context.h"

struct queue_selection {
    const char *server, *sender, *recipient, *id, *limit; /* NULL: any */
    struct custody_id custody_id;
    uint64_t limit_count;
    struct str *domains; /* routed to server; owned */
    size_t domain_count;
};

#define QUEUE_SELECTION_OPTIONS(s)                                                                           \
    {"server", &(s)->server, NULL}, {"sender", &(s)->sender, NULL}, {"recipient", &(s)->recipient, NULL},    \
        {"id", &(s)->id, NULL},                                                                              \
    {                                                                                                        \
        "limit", &(s)->limit, NULL                                                                           \
    }

/* Checks the values; ERR_INVALID with eb. */
int queue_selection_parse(struct queue_selection *s, const struct config *config,
                          struct err_buf *eb) MUST_USE;
/* v: for the routes. The filter's views live as long as s. */
struct queue_filter queue_selection_filter(struct queue_selection *s, const struct config *config,
                                           const struct view *v);
/* Args of an order; to is for move, or NULL. For json_decref. */
json_t *queue_selection_args(const struct queue_selection *s, const char *to);
void queue_selection_fini(struct queue_selection *s);

#endif
