/* A user's verifier that is not what we make of passwords today (imported, or of
 * weaker parameters) is made anew when the user has logged in, which is the only
 * time that the password is there. The login does not wait for it. One at a
 * time: who comes meanwhile is upgraded at a later login.
 *
 * One loop. Survives a crash: the new verifier, or the old one. */
#ifndef HOLDFAST_MAILBOX_UPGRADE_H
#define HOLDFAST_MAILBOX_UPGRADE_H

#include "auth/password_queue.h"
#include "loop/loop.h"
#include "store/network.h"

struct upgrade;

/* All must outlive it. */
struct upgrade *upgrade_new(struct loop *l, struct network *n, struct password_queue *q);
void upgrade_free(struct upgrade *u); /* NULL is allowed */

/* The password was just found to be right for user's verifier, as the directory
 * has it. All are copied. Writes nothing when the user's record has another
 * verifier by then. */
void upgrade_consider(struct upgrade *u, struct str user, struct str verifier, struct str password);

#endif
