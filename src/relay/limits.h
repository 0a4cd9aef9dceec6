/* The edge's limits on what comes in a time (net/rates.h), by the relay's configuration: whom they hold for,
 * and what is answered to who is over one. For the door. Nothing survives a crash. */
#ifndef HOLDFAST_RELAY_LIMITS_H
#define HOLDFAST_RELAY_LIMITS_H

#include <stdbool.h>

#include "config/config.h"
#include "loop/loop.h"
#include "net/rates.h"
#include "smtp/reply.h"
#include "store/records.h"

#define LIMITS_TEXT_MAX 160

struct limits {
    struct loop *loop; /* its clock */
    const struct config_relay *relay;
    struct record_work *work;
    struct rates rates;
};

/* All must outlive it; work: what is refused is counted into it. */
void limits_init(struct limits *l, struct loop *loop, const struct config_relay *relay,
                 struct record_work *work);
void limits_fini(struct limits *l);
void limits_reload(struct limits *l); /* the configuration changed in place */

/* By the configuration's word. Not for parts of the network itself, which the caller knows. */
bool limits_hold_for(const struct limits *l, const struct addr *client);
/* A new connection, or a new client of one. Code 0: it may come in; else 421, with its text in text. */
struct smtp_reply limits_connect(struct limits *l, const struct addr *client, char text[LIMITS_TEXT_MAX]);
/* One more of kind. Code 0: it is granted; else how it is to be refused, with its text in text. */
struct smtp_reply limits_take(struct limits *l, enum rates_kind kind, const struct addr *client,
                              char text[LIMITS_TEXT_MAX]);

#endif
