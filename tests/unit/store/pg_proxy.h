/* A proxy between libpq and a PostgreSQL server, on a socket in a folder of its own, which loses the COMMIT
 * of a transaction that a test chooses: before the server has it, or its answer; or keeps it. It has a thread
 * of its own; all functions are for the test's. What is on its way in both directions at once must be small
 * (a socket's buffers), as the thread writes to one end at a time. For tests only. */
#ifndef HOLDFAST_TESTS_STORE_PG_PROXY_H
#define HOLDFAST_TESTS_STORE_PG_PROXY_H

#include <stdbool.h>

struct pg_proxy;

enum pg_proxy_fault {
    PG_PROXY_NONE,
    PG_PROXY_LOSE_COMMIT, /* the connection is cut before the server has it */
    PG_PROXY_LOSE_ANSWER, /* it is cut once the server has said that it has committed */
    PG_PROXY_STAND_STILL, /* the server hears neither that nor anything else any more */
};

/* On the server's socket in server_folder; the proxy's is in a folder in there. Fails the test. */
struct pg_proxy *pg_proxy_new(const char *server_folder);
/* Cuts what is connected; NULL does nothing. */
void pg_proxy_free(struct pg_proxy *p);
/* Where libpq finds its socket; until pg_proxy_free. */
const char *pg_proxy_folder(const struct pg_proxy *p);

/* Once, for the first COMMIT of a transaction in which a client has sent `text` (as a statement's value, at
 * most 63 bytes). */
void pg_proxy_arm(struct pg_proxy *p, enum pg_proxy_fault fault, const char *text);
/* How often clients have asked for answers so far: each is a way to the server and back that they wait for.
 */
unsigned long pg_proxy_asked(struct pg_proxy *p);
/* Whether what was armed has happened. */
bool pg_proxy_fired(struct pg_proxy *p);

#endif
