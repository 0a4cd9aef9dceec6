/* One POP3 session as the server (RFC 1939): a pure machine, as imap/session.h.
 * With CAPA and RESP-CODES (RFC 2449), UIDL, TOP, PIPELINING, AUTH PLAIN
 * (RFC 5034), AUTH-RESP-CODE (RFC 3206) and STLS (RFC 2595).
 *
 * The maildrop is the INBOX as it was at the login. It is not locked: UIDs stay
 * what they are, a deletion of what another session deleted is harmless, and a
 * session that hangs keeps nobody out. A deletion takes place at QUIT only.
 *
 * Threads: those of the loop that the mail contract was opened with. Memory:
 * POP3_SESSION_OUT_HIGH of output, 24 bytes a message. */
#ifndef HOLDFAST_POP3_SESSION_H
#define HOLDFAST_POP3_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "store/mail.h"

/* Output waiting; above it a long answer pauses until it was taken. */
#define POP3_SESSION_OUT_HIGH 65536

/* Shared by sessions; must outlive them. */
struct pop3_options {
    const char *hostname;
    const char *instance;        /* "7@east1", in the greeting */
    int64_t idle_timeout_ms;     /* 0: 10 minutes (RFC 1939 3) */
    int64_t login_timeout_ms;    /* 0: 60 seconds */
    unsigned login_failures_max; /* then the end; 0: 3 */
};

struct pop3_ops {
    /* Question: is this the user's password? Answered once by
     * pop3_session_authenticated, from inside the call or later. */
    void (*authenticate)(void *arg, struct str user, struct str password);
    /* The open question needs no answer any more. */
    void (*cancel)(void *arg);
    /* The store said ERR_FENCED: this instance must stop. The session ended. */
    void (*fenced)(void *arg);
};

struct pop3_session;

/* mail NULL: the store is away, the greeting is -ERR. plain_allowed: passwords
 * may be sent as they are here. tls_offered: STLS is served, once. options, ops
 * and arg must outlive the session. */
struct pop3_session *pop3_session_new(const struct pop3_options *options, const struct pop3_ops *ops,
                                      void *arg, struct mail *mail, bool plain_allowed, bool tls_offered);
/* Fires cancel when a question is open. Not from inside a callback of ops or
 * on_wake. NULL is allowed. */
void pop3_session_free(struct pop3_session *s);
/* user: as the mail contract names it, copied. */
void pop3_session_authenticated(struct pop3_session *s, int err, struct str user);
void pop3_session_shutdown(struct pop3_session *s, const char *why); /* -ERR [SYS/TEMP] */

/* ---- for who moves the bytes: as in imap/session.h ---- */

void pop3_session_input(struct pop3_session *s, const char *data, size_t len);
bool pop3_session_wants_input(const struct pop3_session *s);
struct str pop3_session_output(const struct pop3_session *s);
void pop3_session_output_taken(struct pop3_session *s, size_t len);
bool pop3_session_wants_tls(const struct pop3_session *s);
/* Directly after pop3_session_new: TLS comes first, then the greeting (RFC 8314). */
void pop3_session_begin_with_tls(struct pop3_session *s);
void pop3_session_tls_started(struct pop3_session *s);
bool pop3_session_finished(const struct pop3_session *s);
int64_t pop3_session_timeout_ms(const struct pop3_session *s);
void pop3_session_timeout(struct pop3_session *s);
void pop3_session_on_wake(struct pop3_session *s, void (*on_wake)(void *arg), void *arg);

#endif
