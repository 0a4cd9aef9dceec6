/* Checks and makes verifiers off the loop's thread, one at a time, in the order
 * of asking: so that any number of logins cost one thread and 19 MiB. One for
 * each loop; used by who answers logins, and by `user add`.
 *
 * Threads: the loop's. Passwords and verifiers are copied, and passwords
 * overwritten when done. Nothing here survives a crash. */
#ifndef HOLDFAST_AUTH_PASSWORD_QUEUE_H
#define HOLDFAST_AUTH_PASSWORD_QUEUE_H

#include "auth/password.h"
#include "loop/loop.h"

/* Waiting at once: some ten seconds of work; more would time out at the clients. */
#define PASSWORD_QUEUE_MAX 200

struct password_queue;
struct password_request;

struct password_queue *password_queue_new(struct loop *l);
/* Cancels what waits. What is being computed ends on its own; the loop should
 * outlive it. NULL is allowed. */
void password_queue_free(struct password_queue *q);

/* password_verify: on_verified gets 0 or ERR_DENIED, or ERR_BUSY when more than
 * PASSWORD_QUEUE_MAX wait. It fires once, later, from the loop; the request is
 * gone then. It may free the queue. */
struct password_request *password_queue_verify(struct password_queue *q, struct str verifier,
                                               struct str password, void (*on_verified)(void *arg, int err),
                                               void *arg);
/* password_hash: on_hashed gets 0 and the verifier (valid during the call), or
 * its errors, or ERR_BUSY. */
struct password_request *password_queue_hash(struct password_queue *q, struct str password,
                                             void (*on_hashed)(void *arg, int err, struct str verifier),
                                             void *arg);
/* No callback will come. NULL is allowed. */
void password_request_cancel(struct password_request *r);

#endif
