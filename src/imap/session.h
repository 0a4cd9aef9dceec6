/* One IMAP4rev1 session as the server (RFC 3501): a pure machine. It does no
 * I/O and reads no clock: bytes go in, responses come out; messages are in the
 * mail contract (store/mail.h), whose callbacks move it on. The mailbox role
 * runs it over a stream; tests and the fuzzer run it without one.
 * STARTTLS (6.2.1); the handshake is the owner's.
 * Extensions: LITERAL+ (RFC 7888), SASL-IR (4959), UIDPLUS (4315), MOVE (6851),
 * IDLE (2177), UNSELECT (3691), NAMESPACE (2342), ENABLE (5161), ID (2971),
 * CHILDREN (3348); response codes of RFC 5530.
 *
 * Threads: those of the loop that the mail contract was opened with. Memory is
 * bounded: a command of 64 KiB, a snapshot of the selected mailbox (about 64
 * bytes a message), IMAP_SESSION_OUT_HIGH and one response of output; messages
 * pass through. Nothing here survives a crash; an APPEND answered OK is in the
 * store. */
#ifndef HOLDFAST_IMAP_SESSION_H
#define HOLDFAST_IMAP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "store/mail.h"

/* Output waiting; above it a long answer pauses until it was taken. */
#define IMAP_SESSION_OUT_HIGH 65536

/* Shared by sessions; must outlive them. */
struct imap_options {
    const char *hostname;        /* in the greeting */
    const char *instance;        /* "7@east1": epoch and node, so that a probe sees whom it talks to */
    uint64_t append_max_bytes;   /* of a message; 0: no limit */
    int64_t idle_timeout_ms;     /* for the next command; 0: 30 minutes (RFC 3501 5.4) */
    int64_t login_timeout_ms;    /* the same before the login; 0: 60 seconds */
    unsigned login_failures_max; /* then BYE; 0: 3 */
};

struct imap_ops {
    /* Question: is this the user's password? Answered once by
     * imap_session_authenticated, from inside the call or later. An owner that
     * delays the answer to a wrong one slows down guessing. */
    void (*authenticate)(void *arg, struct str user, struct str password);
    /* The open question needs no answer any more. */
    void (*cancel)(void *arg);
    /* The time that a message without one was appended at. */
    struct wall_time (*now)(void *arg);
    /* The store said ERR_FENCED: this instance must stop. The session ended. */
    void (*fenced)(void *arg);
};

struct imap_session;

/* mail NULL: the store is away, the greeting is BYE. plain_allowed: the
 * connection is safe from listeners, so that passwords may be sent as they are;
 * else LOGINDISABLED. tls_offered: STARTTLS is served, once. options, ops and arg
 * must outlive the session. */
struct imap_session *imap_session_new(const struct imap_options *options, const struct imap_ops *ops,
                                      void *arg, struct mail *mail, bool plain_allowed, bool tls_offered);
/* Fires cancel when a question is open. Not from inside a callback of ops or
 * on_wake. NULL is allowed. */
void imap_session_free(struct imap_session *s);

/* user: as the mail contract names it, copied. err: 0, ERR_DENIED, or why it
 * could not be known. */
void imap_session_authenticated(struct imap_session *s, int err, struct str user);
/* Ends it with `* BYE`, between commands where that is soon. */
void imap_session_shutdown(struct imap_session *s, const char *why);

/* ---- for who moves the bytes ---- */

/* Takes all of data. Should be called only while imap_session_wants_input. */
void imap_session_input(struct imap_session *s, const char *data, size_t len);
bool imap_session_wants_input(const struct imap_session *s);
/* To send, as one piece; then say how much was taken: that may make more. */
struct str imap_session_output(const struct imap_session *s);
void imap_session_output_taken(struct imap_session *s, size_t len);
/* STARTTLS was answered: once the output is sent, and before a further byte is read, the handshake is to be
 * made; no input is wanted until it is. A command behind STARTTLS ends the session (CVE-2011-0411). */
bool imap_session_wants_tls(const struct imap_session *s);
/* Directly after imap_session_new: TLS comes first, then the greeting (RFC 8314). */
void imap_session_begin_with_tls(struct imap_session *s);
void imap_session_tls_started(struct imap_session *s); /* passwords may be sent now */
/* No more will come: close when the output is sent. */
bool imap_session_finished(const struct imap_session *s);
/* How long to wait for input now; 0: not waiting. Count from the last input. */
int64_t imap_session_timeout_ms(const struct imap_session *s);
void imap_session_timeout(struct imap_session *s); /* that time is over: BYE */
/* Called when the store or an answer changed output, wants_input or finished. */
void imap_session_on_wake(struct imap_session *s, void (*on_wake)(void *arg), void *arg);

/* "" before the login. */
struct str imap_session_user(const struct imap_session *s);

#endif
