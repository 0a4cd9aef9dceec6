/* The loop guard: counts the Received lines that a message has already (RFC
 * 5321 6.3). Since it looks at each header line anyway, it also keeps the
 * Message-ID, for the log and for trace. Pure. */
#ifndef HOLDFAST_RELAY_LOOP_GUARD_H
#define HOLDFAST_RELAY_LOOP_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* A message that has passed so many hops is in a loop (RFC 5321 6.3 wants at
 * least 100 as the limit for hops in all). */
#define HOPS_MAX 100
/* Passing one relay of ours more often than this is a loop: once in, and again
 * for each forwarding of its recipient, which real users chain seldom. */
#define OWN_HOPS_MAX 5

struct loop_guard {
    struct str own_name; /* our host name, not owned */
    size_t hops, own_hops;
    char message_id[256]; /* with its <>, cut at its length; "": none */
    bool at_message_id;   /* the present field is the Message-ID, and nothing of it was there yet */
    bool in_body;         /* the header has ended */
    bool at_received;     /* the present field is a Received ... */
    bool after_by, named; /* ... whose last word was "by"; which named us already */
    bool cr;
    size_t line_len; /* of the present line, kept or not */
    char line[512];  /* start of the present line; the rest does not matter */
};

void loop_guard_init(struct loop_guard *g, struct str own_name);
/* Feeds bytes of the message (any pieces), from its first on. */
void loop_guard_feed(struct loop_guard *g, const char *data, size_t len);
bool loop_guard_tripped(const struct loop_guard *g);

#define LOOP_GUARD_TEXT_MAX 128
/* Why the message is stopped, as a reply says it; "": it is in no loop. */
void loop_guard_describe(const struct loop_guard *g, char text[LOOP_GUARD_TEXT_MAX]);

#endif
