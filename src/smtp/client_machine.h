/* The inside of a client session: for the files client*.c only. */
#ifndef HOLDFAST_SMTP_CLIENT_MACHINE_H
#define HOLDFAST_SMTP_CLIENT_MACHINE_H

#include "base/addr.h"
#include "base/buf.h"
#include "net/tls_stream.h"
#include "smtp/client.h"
#include "wire/smtp_data.h"

#define CLIENT_OUT_HIGH 32768 /* above it no further command and no body is put out */

#define CLIENT_INFO_ADDR     1
#define CLIENT_INFO_HELO     2
#define CLIENT_INFO_NAME     4 /* which nobody asked for: it must not stay ours */
#define CLIENT_HELO_MAX      255
#define CLIENT_INFO_LINE_MAX 1024 /* a HELO of which every byte is written as three */

enum client_state {
    CLIENT_GREETING,
    CLIENT_EHLO,
    CLIENT_HELO,
    CLIENT_STARTTLS, /* its reply is awaited */
    CLIENT_TLS,      /* the handshake is */
    CLIENT_PEER,
    CLIENT_XCLIENT,
    CLIENT_READY,
    CLIENT_TRANSACTION,
    CLIENT_RSET,
    CLIENT_QUIT,
    CLIENT_ENDED,
};

enum rcpt_state { RCPT_OPEN, RCPT_ACCEPTED, RCPT_TOLD };

/* One transaction. Replies come in the order of the commands: MAIL, each RCPT,
 * DATA, so that counters say which one is next. */
struct client_transaction {
    struct smtp_client_message message;
    uint8_t *rcpts;                /* enum rcpt_state */
    bool info_sent, info_answered; /* XFORWARD */
    bool introduced;               /* XCLIENT: of its client, before it */
    bool mail_sent, mail_answered;
    size_t rcpt_sent, rcpt_answered;
    size_t told; /* recipients with a result */
    bool data_sent, data_answered;
    bool body_open;  /* 354 came, the final dot was not sent */
    bool body_asked; /* of the owner, not given yet */
    bool end_due;    /* the body was given whole, the final dot waits for may_end */
    bool dot_sent;
    bool closing; /* LMTP: a 421 came to the final dot; the server need not answer for the others */
    bool need_rset;
    size_t chunks_sent, chunks_answered; /* BDAT */
    bool at_cr, at_line_end;             /* of what was given for them */
    size_t final_index;                  /* LMTP: the recipient whose reply is next */
    struct smtp_stuff stuff;
};

struct smtp_client {
    const struct smtp_client_options *options;
    const struct smtp_client_ops *ops;
    void *arg;
    void (*on_wake)(void *arg);
    void *wake_arg;
    struct peer_nonce nonce, server_nonce;
    char address[ADDR_TEXT_MAX]; /* of the server, without its port; "": not known */
    uint8_t channel[TLS_CHANNEL_BYTES];
    bool has_channel;

    enum client_state state;
    bool running, freed;
    bool quit_wanted;
    bool told_ready;
    uint64_t progress;
    struct buf out;
    struct smtp_reply_parser parser;

    bool tls_active;
    bool tls_given_up; /* it failed, or was refused, where plain text will do */

    /* What the server offers */
    bool pipelining, dsn, tls_offered, peer_offered;
    bool peer_proved;
    bool chunking;
    struct smtp_offers offers;
    uint64_t messages;                          /* of the session, so far */
    unsigned xforward_offered, xclient_offered; /* CLIENT_INFO_... */

    char told_ip[ADDR_TEXT_MAX], told_helo[CLIENT_HELO_MAX + 1]; /* by XCLIENT */
    char told_name[CLIENT_HELO_MAX + 1];                         /* and by EHLO after it; "": ours */
    bool told;                                                   /* the session is that client's; else ours */

    struct buf held; /* a chunk of which it is not known whether it is the last */

    bool in_transaction; /* message is set, `done` was not told */
    struct client_transaction t;
};

/* ---- client.c ---- */
void client_command(struct smtp_client *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Tells open results and `done`, then `end`. */
void client_end(struct smtp_client *c, enum smtp_client_end end, enum smtp_stage stage,
                const struct smtp_reply *reply, const char *why);
enum smtp_stage client_stage(const struct smtp_client *c); /* that the server's next reply is for */

/* ---- client_session.c: up to ready, RSET and QUIT ---- */
void client_session_reply(struct smtp_client *c, const struct smtp_reply *r);
void client_keyword(struct smtp_client *c, struct str line); /* a line of the EHLO reply */
void client_say_ehlo(struct smtp_client *c);
void client_forget_keywords(struct smtp_client *c);
void client_ready_or_prove(struct smtp_client *c);
/* Says QUIT, where there is somebody to say it to, and ends. */
void client_refused(struct smtp_client *c, enum smtp_client_end end, const struct smtp_reply *r,
                    const char *why);

/* ---- client_tls.c ---- */
void client_greeted_or_tls(struct smtp_client *c); /* EHLO or HELO was answered well */
void client_starttls_reply(struct smtp_client *c, const struct smtp_reply *r);

/* ---- client_info.c ---- */
unsigned client_info_attributes(struct str args); /* of those that are offered, what we tell */
bool client_wants_xforward(const struct smtp_client *c);
void client_put_xforward(struct smtp_client *c);
bool client_wants_xclient(const struct smtp_client *c);
void client_put_xclient(struct smtp_client *c);
void client_xclient_reply(struct smtp_client *c, const struct smtp_reply *r);
/* The session is another client's than the message's, and cannot be made his. */
bool client_is_anothers(const struct smtp_client *c);
void client_come_again(struct smtp_client *c); /* the message was not sent; it is for another session */
/* What came is the server's word on the client that it was just told of. */
bool client_judged(const struct smtp_client *c, const struct smtp_reply *r);
void client_judge(struct smtp_client *c, const struct smtp_reply *r); /* it is the message's result */
const char *client_ehlo_name(const struct smtp_client *c);

/* ---- client_chunks.c: the body by BDAT ---- */
bool client_by_chunks(const struct smtp_client *c);
bool client_chunks_begin(struct smtp_client *c); /* false: not now */
bool client_chunk_may_follow(const struct smtp_client *c);
bool client_chunk_unanswered(const struct smtp_client *c);
bool client_chunk_is_last(const struct smtp_client *c);                 /* of those without an answer */
void client_chunk(struct smtp_client *c, const char *data, size_t len); /* len > 0; as smtp_client_body */
void client_chunks_pause(struct smtp_client *c); /* no more comes, but the end is not to be put out yet */
void client_chunks_end(struct smtp_client *c);
void client_chunk_reply(struct smtp_client *c, const struct smtp_reply *r); /* not of the last */
/* ---- client_params.c: what of a message only some servers are told; appended to MAIL, and to RCPT ---- */
#define CLIENT_PARAMS_MAX 2048
void client_mail_params(const struct smtp_client *c, struct buf *out);
void client_rcpt_params(const struct smtp_client *c, size_t index, struct buf *out);

/* ---- client_transaction.c ---- */
bool client_transaction_step(struct smtp_client *c); /* puts out what may go; false: nothing to do now */
void client_transaction_reply(struct smtp_client *c, const struct smtp_reply *r);
enum smtp_stage client_transaction_stage(const struct smtp_client *c);
enum smtp_outcome client_outcome_of(const struct smtp_reply *r);
/* The result of all recipients that have none. */
void client_tell_open(struct smtp_client *c, enum smtp_outcome outcome, enum smtp_stage stage,
                      const struct smtp_reply *reply);
/* Closes it and tells `done`. */
void client_transaction_end(struct smtp_client *c);

#endif
