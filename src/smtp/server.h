/* One SMTP session as the server (RFC 5321), LMTP (RFC 2033) and submission
 * (RFC 6409): a pure machine. It does no I/O, reads no clock, knows no store:
 * bytes go in, replies come out, and the owner (relay, mailbox) is asked what
 * only it can know. smtp/server_connection.h runs it over a stream.
 *
 * The contract with the owner, struct smtp_server_ops:
 *
 * - A *question* (connect, client, helo, mail, rcpt, data_begin, data_end, auth,
 *   auth_response) is to be answered exactly once, by smtp_server_reply or the
 *   function named at the question: from inside the callback, or at any time
 *   later. At most one question is open; until it is answered no further
 *   command is looked at, though pipelined bytes are taken up to a bound.
 *   The machine writes the reply; the owner never writes to the connection.
 * - A reply of 2yz (3yz for data_begin) means yes, anything else no. 421 to any
 *   question also ends the session, once it was sent.
 * - `mail` accepted opens a transaction. It ends in exactly one of two ways:
 *   data_end is answered, or `reset` fires (RSET, EHLO, a refused or broken
 *   message, the session's end). After either the owner keeps nothing of it.
 * - When the session ends while a question is open, `cancel` fires and the
 *   answer must not be given any more; `reset` follows when a transaction was
 *   open. What data_end started may go on: the client got no answer, it will
 *   send again.
 * - A question whose callback is NULL is answered with yes by the machine.
 * - The views that a callback gets are valid during the call.
 * - smtp_server_free must not be called from inside a callback; use
 *   smtp_server_shutdown there.
 *
 * Threads: none of its own. Memory is bounded: commands of 1,200 octets, one
 * batch of input, SMTP_SERVER_OUT_HIGH of replies, the message passes through.
 * A message ends at CRLF.CRLF alone; one with a bare CR or LF is refused (550
 * 5.6.0) after its end, never split there, as is one with a NUL (554 5.6.0; RFC
 * 5322 3.5, and RFC 3501 4.3 could not show it). */
#ifndef HOLDFAST_SMTP_SERVER_H
#define HOLDFAST_SMTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/peer.h"
#include "base/addr.h"
#include "base/custody_id.h"
#include "base/dsn.h"
#include "base/str.h"
#include "smtp/reply.h"

#define SMTP_SERVER_OUT_HIGH 8192 /* replies waiting; above it no further command is looked at */

enum smtp_flavour { SMTP_FLAVOUR_SMTP, SMTP_FLAVOUR_LMTP, SMTP_FLAVOUR_SUBMISSION };

struct tls_server; /* net/tls_server.h */

/* Shared by sessions; must outlive them. */
struct smtp_server_options {
    enum smtp_flavour flavour;
    const char *hostname;    /* in the greeting and the EHLO reply */
    const char *banner;      /* further text of the greeting, as "Holdfast instance=7@east1"; NULL: none */
    uint64_t size_max_bytes; /* SIZE; 0: no limit. Our own parts may send a little more (smtp/limits.h) */
    size_t recipients_max;   /* per message, then 452 4.5.3; 0: 1,000 */
    /* Protocol errors, failed AUTHs and recipients refused for good (but our own parts') since the last
     * message that was taken, then 421 4.7.0; 0: 20 */
    unsigned errors_max;
    bool smtputf8;                   /* offer SMTPUTF8 (RFC 6531) */
    bool normalises;                 /* a bare CR or LF in a message becomes CRLF; else it is refused */
    bool dsn;                        /* offer DSN (RFC 3461): the owner sees to it that senders are told */
    const char *auth_mechanisms;     /* "PLAIN LOGIN"; NULL or "": AUTH is not offered */
    bool auth_needs_tls;             /* only under TLS: the connection is not safe from listeners otherwise */
    struct tls_server *tls;          /* for smtp/server_connection.h: STARTTLS is offered while it has a
                                        certificate; NULL: no */
    const struct peer_key *peer_key; /* offer XHOLDFAST to our own parts; NULL: no */
    struct peer_id peer;             /* who we are, with peer_key, and where, as our parts know it: */
    const char *peer_address;        /* an IP address; NULL: "" */
    int64_t idle_timeout_ms;         /* for the next command or the next piece of a message; 0: 5 minutes
                                        (RFC 5321 4.5.3.2.7) */
};

struct smtp_mail {
    struct str reverse_path; /* mailbox without <> and source route; "" is the null reverse-path */
    uint64_t size_bytes;     /* SIZE=, 0: not said */
    bool eight_bit;          /* BODY=8BITMIME was said; see smtp_data_info for what really came */
    bool smtputf8;
    struct dsn_envelope dsn;
    /* It comes of a user who has logged in: here, or at the part of ours that hands it on (RFC 4954 5). */
    bool authenticated;
    const struct custody_id *custody_id; /* of an authenticated peer's message, else NULL */
};

struct smtp_rcpt {
    struct str forward_path; /* mailbox without <> and source route, local part as given */
    struct str local_part;   /* without quoting */
    struct str domain;       /* lower case; "[...]" for an address literal; "" for <Postmaster> */
    size_t index;            /* 0 is the first accepted recipient */
    struct dsn_request dsn;
};

struct smtp_data_info {
    uint64_t size_bytes; /* after unstuffing, with CRLFs */
    bool eight_bit;      /* an octet above 127 was in it, said or not */
};

/* A reply of 4yz or 5yz, for the log. Every text but the reply's is the client's own, cut at a path's length.
 */
struct smtp_refusal {
    const char *stage;    /* "CONNECT", a command, "command" (unknown), "message" (after its end) */
    struct str sender;    /* as MAIL said; ptr NULL: none of matter here */
    struct str recipient; /* as this RCPT said; ptr NULL: not about one */
    const struct smtp_reply *reply;
};

struct smtp_server;

struct smtp_server_ops {
    /* Question, first of all: may it go on? 220; 421 ends the session at once;
     * 554: only QUIT is served (RFC 5321 3.1). */
    void (*connect)(void *arg);
    /* Question (XCLIENT): the peer speaks for another client from now on, whose address is given; NULL: it is
     * not known. 220: the session begins anew. */
    void (*client)(void *arg, const struct addr *client);
    /* Question: EHLO, HELO, LHLO. Yes: 250, the extensions are the machine's. */
    void (*helo)(void *arg, struct str name);
    /* Question. SIZE= above the limit was already refused. */
    void (*mail)(void *arg, const struct smtp_mail *mail);
    /* Question; asked with index i again when i was refused. */
    void (*rcpt)(void *arg, const struct smtp_rcpt *rcpt);
    /* Question, with at least one recipient: 354 and the message follows. */
    void (*data_begin)(void *arg);
    /* No question: bytes of the message, unstuffed, in pieces of any size. All
     * are taken. False: no room for more until smtp_server_resume; after the last
     * piece it has no meaning. */
    bool (*data)(void *arg, const char *data, size_t len);
    /* Question: CRLF.CRLF was seen and the message holds to the rules. A 250
     * says: durable. LMTP: smtp_server_reply answers for all recipients that
     * have no answer yet, smtp_server_reply_recipient for the next of them. */
    void (*data_end)(void *arg, const struct smtp_data_info *info);
    /* Question: AUTH (RFC 4954). initial is NULL, or decoded (maybe empty).
     * Answer: smtp_server_auth_done, smtp_server_auth_challenge, or a reply (535 5.7.8). */
    void (*auth)(void *arg, struct str mechanism, const struct str *initial);
    /* Question: the client's decoded answer to a challenge. A client that
     * cancels ("*"), sends no base64 or goes away is dealt with by the machine;
     * `auth_cancel` ends the exchange then. */
    void (*auth_response)(void *arg, struct str response);
    void (*auth_cancel)(void *arg);
    /* No question: an error of the client's, as errors_max counts them, has been counted. A reply of 421 ends
     * the session with it, instead of the refusal; code 0: no, it may go on. Its text must live until the
     * next callback. */
    struct smtp_reply (*error)(void *arg);
    /* No question: the client is refused something, by the owner or by the machine. Answers of the owner fire
     * it from inside smtp_server_reply. */
    void (*refused)(void *arg, const struct smtp_refusal *refusal);
    /* No question: the TLS handshake failed, detail says why; the session ends. */
    void (*tls_failed)(void *arg, const char *detail);
    /* The transaction is over without a message. */
    void (*reset)(void *arg);
    /* The open question needs no answer any more. */
    void (*cancel)(void *arg);
    /* Last of all callbacks: fired by smtp/server_connection.h once the
     * connection is gone, and it and the machine are freed. */
    void (*closed)(void *arg);
};

/* nonce: fresh random bytes, for XHOLDFAST. ops and arg must outlive it. */
struct smtp_server *smtp_server_new(const struct smtp_server_options *options,
                                    const struct smtp_server_ops *ops, void *arg,
                                    const struct peer_nonce *nonce);
/* Fires cancel and reset as said above. NULL is allowed. */
void smtp_server_free(struct smtp_server *s);
/* STARTTLS (RFC 3207) is offered in this session. Before smtp_server_start. */
void smtp_server_offer_tls(struct smtp_server *s);
/* TLS comes first, as after STARTTLS, then the greeting (RFC 8314). Before smtp_server_start. */
void smtp_server_begin_with_tls(struct smtp_server *s);
/* XCLIENT is offered: what the peer says of its client is believed. Before smtp_server_start. */
void smtp_server_offer_xclient(struct smtp_server *s);
/* Asks `connect`. */
void smtp_server_start(struct smtp_server *s);

/* ---- for who moves the bytes ---- */

/* Takes all of data. Only while smtp_server_wants_input. */
void smtp_server_input(struct smtp_server *s, const char *data, size_t len);
/* False: stop reading (a question is open, the owner has no room, replies
 * wait to be sent, or the session is over). */
bool smtp_server_wants_input(const struct smtp_server *s);
/* Replies to send, as one piece; then say how many bytes of it were taken:
 * that may make more. */
struct str smtp_server_output(const struct smtp_server *s);
void smtp_server_output_taken(struct smtp_server *s, size_t len);
/* No more will come: close when the output is sent. */
bool smtp_server_finished(const struct smtp_server *s);
/* STARTTLS was answered: once the output is sent, and before a further byte is read, the handshake is to be
 * made. No input is wanted until one of the two that follow is called. Nothing that the client sent before it
 * is left: a command behind STARTTLS ends the session (CVE-2011-0411). */
bool smtp_server_wants_tls(const struct smtp_server *s);
/* It is made; how: "TLSv1.3 TLS_AES_256_GCM_SHA384"; channel: TLS_CHANNEL_BYTES of net/tls_stream.h, or "":
 * there are none, and XHOLDFAST is not offered. Both are copied. All that the client said is forgotten (RFC
 * 3207 4.2). */
void smtp_server_tls_started(struct smtp_server *s, struct str how, struct str channel);
void smtp_server_tls_failed(struct smtp_server *s, const char *detail); /* finished */
/* How long to wait for input (or for the owner's room) now; 0: for an answer,
 * which has no limit here. Count from the last change of smtp_server_progress,
 * which a byte at a time does not move. */
int64_t smtp_server_timeout_ms(const struct smtp_server *s);
uint64_t smtp_server_progress(const struct smtp_server *s);
/* The same for all of the present stage, whatever progress there is; 0: no
 * limit. Count from the last change of smtp_server_stage: a message begins or has
 * ended, or a piece of one has come, in chunks or not. So a client with nothing to send cannot stay for ever;
 * a message has its least pace (progress) instead, and our own parts are trusted. */
int64_t smtp_server_stage_timeout_ms(const struct smtp_server *s);
uint64_t smtp_server_stage(const struct smtp_server *s);
/* One of these times is over: 421 4.4.2, finished. */
void smtp_server_timeout(struct smtp_server *s);
/* Called when an answer or smtp_server_resume, given outside of the functions of this
 * section, changed output, wants_input or finished. */
void smtp_server_on_wake(struct smtp_server *s, void (*on_wake)(void *arg), void *arg);

/* ---- for the owner ---- */

/* Answers the open question; the reply is copied. NULL: the question's default yes. */
void smtp_server_reply(struct smtp_server *s, const struct smtp_reply *reply);
/* LMTP data_end: answers for the next recipient, in the order of RCPT. */
void smtp_server_reply_recipient(struct smtp_server *s, const struct smtp_reply *reply);
/* Answers auth or auth_response. */
void smtp_server_auth_challenge(struct smtp_server *s, struct str challenge); /* decoded */
void smtp_server_auth_done(struct smtp_server *s, struct str user);
/* There is room again after data said no. */
void smtp_server_resume(struct smtp_server *s);
/* Instead of an answer to the open question: the session ends, and nothing is said, for neither yes nor no
 * would be true. */
void smtp_server_hang_up(struct smtp_server *s);
/* Ends the session with this reply (421) as soon as no question is open and no
 * message is under way. NULL: SMTP_REPLY_UNAVAILABLE. */
void smtp_server_shutdown(struct smtp_server *s, const struct smtp_reply *reply);

/* It has begun something: a message, a login, a question is open. Such a session is not ended to make room
 * for another. An envelope alone costs a client nothing, and it would keep others out for as long as it says
 * NOOP. */
bool smtp_server_busy(const struct smtp_server *s);

/* By DNS, as a peer that speaks for the client has it; "": not known. */
struct str smtp_server_client_name(const struct smtp_server *s);
/* What the client said of itself, or the peer that speaks for it; "" before. Valid until the next command. */
struct str smtp_server_helo(const struct smtp_server *s);
struct str smtp_server_user(const struct smtp_server *s);      /* of AUTH; "": none */
struct str smtp_server_peer_node(const struct smtp_server *s); /* of XHOLDFAST; "": none */
struct str smtp_server_tls(const struct smtp_server *s); /* as smtp_server_tls_started had it; "": none */
/* "SMTP", "ESMTP", "ESMTPS", "LMTPSA": for Received (RFC 3848); U of RFC 6531 included. */
const char *smtp_server_protocol_name(const struct smtp_server *s);

#endif
