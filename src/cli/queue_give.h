/* An operator's act on a selection of mail: an order to each relay, and what became of it. */
#ifndef HOLDFAST_CLI_QUEUE_GIVE_H
#define HOLDFAST_CLI_QUEUE_GIVE_H

#include "cli/context.h"
#include "cli/queue_filter.h"

struct queue_act_words {
    const char *verb, *why;
    const char *to; /* of move; NULL else */
    bool json;
};

/* Whether it is the word of an act. */
bool queue_act_is(const char *verb);
/* Gives it to each relay's queue that there is, until the limit is reached. Prints the answers; returns an
 * exit status. */
int queue_give(struct context *cx, const struct queue_selection *s, const struct queue_act_words *words);

#endif
