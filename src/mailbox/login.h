/* Is this the user's password? For readers and submission: the directory's
 * verifier, checked off the loop's thread; a wrong password is answered late, so
 * that guessing is slow in each session. */
#ifndef HOLDFAST_MAILBOX_LOGIN_H
#define HOLDFAST_MAILBOX_LOGIN_H

#include "mailbox/instance.h"

struct login;

/* Who tries: for the log. */
struct login_from {
    const char *protocol; /* static: "IMAP", "POP3", "submission" */
    const char *client;   /* its IP address; copied */
};

/* name: an address in any case. on_done fires once, later: 0 and the user, in
 * lower case, valid in the call; ERR_DENIED; ERR_BUSY; ERR_UNAVAILABLE while the instance has no right to be
 * its server, who may have changed the password elsewhere. name and password are copied. Either end has a
 * line in the log. */
struct login *login_new(struct instance *i, const struct login_from *from, struct str name,
                        struct str password, void (*on_done)(void *arg, int err, struct str user), void *arg);
/* on_done will not fire. NULL is allowed. */
void login_cancel(struct login *l);

#endif
