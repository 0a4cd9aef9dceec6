/* One SMTP (RFC 5321) or LMTP (RFC 2033) session as the client: a pure machine
 * that carries many transactions, one after another. It does no I/O and reads
 * no clock; smtp/client_connection.h runs it over a stream. For the relay's
 * delivery, and for probes.
 * The story: greeting, EHLO (or HELO, where EHLO is refused), STARTTLS (RFC
 * 3207) as the policy asks for and EHLO again, XHOLDFAST where both sides have
 * the key, then `ready`. Then as often as the owner likes:
 * smtp_client_send; `result` once for each recipient; `done` once. Then
 * smtp_client_quit. At any time the session may end: open recipients get their
 * result, an open transaction its `done`, and `end` fires, once, last.
 *
 * Callbacks fire from inside the functions of this header, smtp_client_send
 * included (a message that this server cannot take). Every function may be
 * called from inside them; there is no recursion however many messages end at
 * once.
 *
 * Commands are pipelined where offered (RFC 2920). The body is asked for
 * in pieces, one at a time, so that memory is bounded whatever its size; where
 * CHUNKING is offered it goes by BDAT (RFC 3030), a small one together with its
 * commands. */
#ifndef HOLDFAST_SMTP_CLIENT_H
#define HOLDFAST_SMTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/peer.h"
#include "base/addr.h"
#include "base/custody_id.h"
#include "base/dsn.h"
#include "base/str.h"
#include "smtp/reply.h"
#include "wire/smtp_offers.h"

#define SMTP_CLIENT_BODY_MAX 65536 /* bytes of one piece of a body */

/* Whether the server is told of the client that a message came from, where it offers that. */
/* XCLIENT: what the server then says of the client is the message's result (stage CLIENT or HELO), and the
 * session ends; where it says that it takes no XCLIENT, the message goes as ours. A session that is one
 * client's and cannot be made another's gives the message back (UNSENT), and ends. */
enum smtp_client_info { SMTP_CLIENT_INFO_NONE, SMTP_CLIENT_INFO_XFORWARD, SMTP_CLIENT_INFO_XCLIENT };

enum smtp_client_flavour { SMTP_CLIENT_SMTP, SMTP_CLIENT_LMTP };

struct tls_client; /* net/tls_client.h */

/* Shared by sessions; must outlive them. */
struct smtp_client_options {
    enum smtp_client_flavour flavour;
    const char *hostname;            /* ours, for EHLO */
    const struct peer_key *peer_key; /* NULL: XHOLDFAST is not used */
    const char *node;                /* our node's name, with peer_key */
    struct peer_id peer;             /* who is spoken to, with peer_key: to nobody else is anything proved */
    struct tls_client *tls;          /* its policy holds, as it is when EHLO is answered; NULL: no TLS */
    enum smtp_client_info info;
    struct smtp_offers *offers; /* is written by each session whose EHLO was answered; NULL: nowhere */
    int64_t timeout_ms;         /* caps each of the times of RFC 5321 4.5.3.2; 0: these as they are */
    /* Until `ready`: caps the time for each reply. A handshake has 10 s then, whatever the policy. 0: not so
     */
    int64_t opening_timeout_ms;
};

/* What became of one recipient. */
enum smtp_outcome {
    SMTP_OUTCOME_DELIVERED, /* 2yz for it, after the final dot */
    SMTP_OUTCOME_DEFERRED, /* 4yz about this message or recipient (also 421 to the final dot, and by LMTP what
                              the server left unanswered after one) */
    SMTP_OUTCOME_REFUSED,  /* 5yz, or this server cannot take such a message (stage LOCAL) */
    SMTP_OUTCOME_UNSENT,   /* nothing was said about the message: the session ended before MAIL, or the server
                              said 421 before the final dot */
    SMTP_OUTCOME_LOST,     /* connection lost, or the reply did not come, after MAIL, or after XCLIENT of its
                              client, and before the final dot */
    SMTP_OUTCOME_UNKNOWN,  /* the final dot was sent and no reply came: it may have been delivered */
    SMTP_OUTCOME_ABANDONED, /* our own side could not give the body (smtp_client_body_failed) */
};

const char *smtp_outcome_name(enum smtp_outcome outcome); /* "delivered", ... */

/* Where in the dialogue the deciding reply (or loss) came. */
enum smtp_stage {
    SMTP_STAGE_CONNECT,
    SMTP_STAGE_GREETING,
    SMTP_STAGE_HELO,   /* EHLO, HELO, LHLO */
    SMTP_STAGE_TLS,    /* STARTTLS and the handshake */
    SMTP_STAGE_PEER,   /* XHOLDFAST */
    SMTP_STAGE_CLIENT, /* XFORWARD, XCLIENT */
    SMTP_STAGE_IDLE,   /* between transactions */
    SMTP_STAGE_LOCAL,  /* decided by us: what it needs was not offered */
    SMTP_STAGE_MAIL,
    SMTP_STAGE_RCPT,
    SMTP_STAGE_DATA,
    SMTP_STAGE_BODY,
    SMTP_STAGE_DATA_END,
    SMTP_STAGE_QUIT,
};

const char *smtp_stage_name(enum smtp_stage stage); /* "greeting", "MAIL", ... */

struct smtp_client_result {
    enum smtp_outcome outcome;
    enum smtp_stage stage;
    struct smtp_reply reply; /* the server's; code 0 and text why, when there was none */
    bool dsn; /* the server offers DSN: what the sender asks to be told, he is told from there on */
};

struct smtp_client_message {
    struct str reverse_path;      /* without <>; "" is the null reverse-path */
    const struct str *recipients; /* without <>; they and what they point to must live until `done` */
    size_t recipient_count;       /* at least 1 */
    uint64_t size_bytes;
    bool eight_bit; /* has octets above 127: said so where 8BITMIME is offered, and sent all the same */
    bool smtputf8;  /* needs SMTPUTF8 */
    bool question; /* without DATA: the answer to RCPT is the result (DELIVERED: it would be taken); then RSET
                    */
    struct str client_ip, client_helo;  /* of who it came from, living as long; "": not known */
    struct dsn_envelope dsn;            /* handed on where it is offered, as are these: */
    const struct dsn_request *requests; /* for each recipient, living as long; NULL: nothing is asked */
    struct str user; /* who has logged in and sends it; said to a server that proved itself; "": nobody */
    const struct custody_id *custody_id; /* sent as XCUSTODY when the server proved itself; may be NULL */
};

enum smtp_client_end {
    SMTP_END_QUIT,    /* we said QUIT and it was answered, or the server closed after it */
    SMTP_END_REFUSED, /* greeting or EHLO with 4yz or 5yz, or 421 at any time: see the reply */
    SMTP_END_CONNECT, /* the connection could not be made */
    SMTP_END_LOCAL,   /* the same, for what our own machine lacks: it says nothing about the server */
    SMTP_END_LOST,    /* closed or reset by the other side */
    SMTP_END_TIMEOUT,
    SMTP_END_PROTOCOL,  /* what came was no SMTP, or came in plain text where TLS was to begin */
    SMTP_END_TLS,       /* TLS as the policy asks for it could not be had; nothing was sent */
    SMTP_END_ABANDONED, /* cut by us: the body failed, or smtp_client_abort */
};

struct smtp_client_ops {
    /* The session can carry a transaction. */
    void (*ready)(void *arg);
    /* Give up to len_max (at most SMTP_CLIENT_BODY_MAX) bytes by smtp_client_body,
     * now or later; once for each call. */
    void (*body_wanted)(void *arg, size_t len_max);
    /* NULL, or: all but the final dot was taken by the kernel, and it is given now if this says so; else the
     * session is aborted without it. Not asked while a slow server lets the end of the body wait. */
    bool (*may_end)(void *arg);
    /* index: into recipients. */
    void (*result)(void *arg, size_t index, const struct smtp_client_result *result);
    /* All results were told. The next message may be sent unless the session has
     * ended (then `end` follows). Body pieces are not wanted any more. */
    void (*done)(void *arg);
    /* A handshake failed where plain text will do: the session begins anew without TLS. */
    void (*tls_failed)(void *arg, const char *detail);
    /* Last of all callbacks; why names stage and cause for a human. */
    void (*end)(void *arg, enum smtp_client_end end, enum smtp_stage stage, const struct smtp_reply *reply,
                struct str why);
};

struct smtp_client;

/* nonce: fresh random bytes, for XHOLDFAST. */
struct smtp_client *smtp_client_new(const struct smtp_client_options *options,
                                    const struct smtp_client_ops *ops, void *arg,
                                    const struct peer_nonce *nonce);
/* No callback fires. Allowed inside of one. NULL is allowed. */
void smtp_client_free(struct smtp_client *c);

/* ---- for the owner ---- */

/* Only after ready, and not while a transaction is open. */
void smtp_client_send(struct smtp_client *c, const struct smtp_client_message *message);
/* The piece that was asked for; len 0: the body is at its end. It is stuffed
 * here; a body that does not end with CRLF gets one. */
void smtp_client_body(struct smtp_client *c, const char *data, size_t len);
/* The body cannot be read to its end: cuts the session before the final dot. */
void smtp_client_body_failed(struct smtp_client *c, const char *why);
/* Between transactions: QUIT. */
void smtp_client_quit(struct smtp_client *c);
/* At any time: ends it now, without QUIT. */
void smtp_client_abort(struct smtp_client *c, const char *why);

bool smtp_client_is_ready(const struct smtp_client *c); /* smtp_client_send is allowed now */
bool smtp_client_peer_proved(const struct smtp_client *c);

/* ---- for who moves the bytes ---- */

/* Where the server is; before the first input. */
void smtp_client_connects_to(struct smtp_client *c, const struct addr *to);
void smtp_client_input(struct smtp_client *c, const char *data, size_t len);
/* The connection could not be made (err of loop_connect), or is gone. */
void smtp_client_connect_failed(struct smtp_client *c, int err);
void smtp_client_lost(struct smtp_client *c, int err);
/* STARTTLS was answered with 220: the handshake is to be made, and input comes from inside of it. Then: */
bool smtp_client_wants_tls(const struct smtp_client *c);
/* channel: TLS_CHANNEL_BYTES of net/tls_stream.h, copied; "": there are none, and nothing is proved. */
void smtp_client_tls_started(struct smtp_client *c, struct str channel);
/* True: the policy allows plain text; a new connection is to be made, on which the session begins anew.
 * False: it has ended (SMTP_END_TLS). */
bool smtp_client_tls_failed(struct smtp_client *c, const char *detail) MUST_USE;
/* At the begin: no handshake is to be tried, where plain text will do. */
void smtp_client_spare_tls(struct smtp_client *c);
/* To send, as one piece; then say how much was taken. */
struct str smtp_client_output(const struct smtp_client *c);
void smtp_client_output_taken(struct smtp_client *c, size_t len);
bool smtp_client_finished(const struct smtp_client *c); /* `end` has fired */
/* All but the end of a message was put out; once the kernel has taken it, and takes a few bytes more at once
 * (loop_stream_ask_room), smtp_client_flushed asks may_end, and puts the end out. */
bool smtp_client_wants_end(const struct smtp_client *c);
void smtp_client_flushed(struct smtp_client *c);
/* How long to wait, counted from the last change of smtp_client_progress; 0: not waiting
 * for the server (RFC 5321 4.5.3.2). */
int64_t smtp_client_timeout_ms(const struct smtp_client *c);
uint64_t smtp_client_progress(const struct smtp_client *c);
void smtp_client_timeout(struct smtp_client *c);
/* Called when a function of the owner's section changed output or finished. */
void smtp_client_on_wake(struct smtp_client *c, void (*on_wake)(void *arg), void *arg);

#endif
