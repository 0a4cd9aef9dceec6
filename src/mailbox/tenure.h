/* What an instance may do, by what it knows of its right to be its server: a pure machine. The right is the
 * lease "server/NAME", by the process's own clock, together with the epoch, which the store knows.
 *
 * Who cannot renew the lease has no right to take mail: senders are sent away, to a relay or to another
 * instance. Readers stay, since nothing that they do here can be wrong: what they see comes from the store,
 * and what they change is written under the epoch, or not at all. Whether it is still the server's instance
 * it learns when the store answers again: by the lease, and then by the epoch. For the role; no state but the
 * word itself. */
#ifndef HOLDFAST_MAILBOX_TENURE_H
#define HOLDFAST_MAILBOX_TENURE_H

#include <stdbool.h>

enum tenure {
    TENURE_STARTING, /* nothing is open yet */
    TENURE_SERVING,  /* all is */
    TENURE_KEEPING,  /* the lease is over, the store silent: no mail is taken, nobody logs in, readers stay */
    TENURE_RETURNING, /* the lease is held again: the same until the store has said which epoch is current */
    TENURE_OVER,      /* another is the server, for good: this one ends */
};

enum tenure_event {
    TENURE_COMPLETE, /* epoch and lease are ours, all else is known: only while starting */
    TENURE_HELD,     /* the store gave the lease anew */
    TENURE_LOST,     /* it was not renewed in time, or refused */
    TENURE_CURRENT,  /* asked since then, the store says: our epoch is the server's */
    TENURE_TAKEN,    /* another one holds the lease; who starts waits for its end */
    TENURE_FENCED,   /* the store knows another epoch */
};

enum tenure tenure_next(enum tenure now, enum tenure_event event);
/* By SMTP, LMTP and submission; and logins. Else these services are closed, once they were open. */
bool tenure_takes_mail(enum tenure now);

#endif
