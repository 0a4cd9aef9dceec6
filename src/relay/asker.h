/* Asks one messaging server which recipients it has: MAIL FROM:<>, RCPT TO, RSET (RFC 5321; RFC 2033 for
 * LMTP), by a few kept sessions. One recipient a transaction: servers refuse a second one of the null
 * reverse-path. A session ends after some refusals, before the server's own limit on errors slows it down or
 * cuts it (Postfix: 10 and 20). For relay/verify.h; decides nothing, remembers nothing.
 *
 * One loop, one thread. Bounded: sessions, and questions that wait. Nothing here survives a crash. */
#ifndef HOLDFAST_RELAY_ASKER_H
#define HOLDFAST_RELAY_ASKER_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/list.h"
#include "loop/loop.h"
#include "smtp/client.h"

#define ASKER_SESSIONS_MAX 4    /* of a server: beside deliveries, and few enough for its limit per client */
#define ASKER_WAITING_MAX  1000 /* questions without a session; a near server answers them in a second */
#define ASKER_REFUSALS_MAX 8    /* in a session; Postfix slows down after 10 */

enum asker_outcome {
    ASKER_ANSWERED, /* reply is the answer to RCPT */
    ASKER_TROUBLE,  /* it took no question: reply says why (a greeting, EHLO or MAIL refused, 421 to a
                       question, no TLS as it must be); or we could not ask */
    ASKER_NO_REPLY, /* no connection, or it was lost, or nothing came, or 421 before any question */
};

/* A question: the asker's from asker_ask until on_answer. */
struct asker_question {
    struct list node;
    const char *address; /* must stay until the answer */
    bool again;          /* the asker's: a session that had been kept was lost with it */
    /* Never from inside asker_ask. reply.text is valid during the call. */
    void (*on_answer)(struct asker_question *q, enum asker_outcome outcome, const struct smtp_reply *reply);
};

struct asker;

/* client must outlive the asker; its timeout_ms bounds how long a question can take. */
struct asker *asker_new(struct loop *l, const struct smtp_client_options *client);
/* No question is answered any more. NULL is allowed. */
void asker_free(struct asker *a);

/* to: where the server is now; when that changes, sessions to the old place are cut and what they had not
 * answered is asked at the new one. False: too many wait already; q is not taken. */
bool asker_ask(struct asker *a, const struct addr *to, struct asker_question *q);

#endif
