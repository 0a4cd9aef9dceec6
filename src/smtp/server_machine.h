/* The inside of a server session: for the files server*.c and cmd_*.c only.
 * Each command is a file that knows this header; the session knows the commands
 * by the table of server_verbs.c alone. */
#ifndef HOLDFAST_SMTP_SERVER_MACHINE_H
#define HOLDFAST_SMTP_SERVER_MACHINE_H

#include "base/buf.h"
#include "net/tls_stream.h"
#include "smtp/server.h"
#include "wire/smtp_chunk.h"
#include "wire/smtp_command.h"
#include "wire/smtp_data.h"
#include "wire/smtp_path.h"
#include "wire/smtp_xclient.h"

enum server_phase {
    PHASE_COMMAND,
    PHASE_AUTH, /* the next line answers a challenge */
    PHASE_DATA,
    PHASE_CHUNK, /* the octets of a BDAT follow; with none left, its end is to be taken once the owner has
                    room */
    PHASE_TLS,   /* STARTTLS was answered, the handshake is awaited */
    PHASE_FINISHED,
};

enum server_question {
    QUESTION_NONE,
    QUESTION_CONNECT,
    QUESTION_HELO,
    QUESTION_MAIL,
    QUESTION_RCPT,
    QUESTION_DATA_BEGIN,
    QUESTION_DATA_END,
    QUESTION_AUTH,
    QUESTION_CLIENT,
};

#define SERVER_SHUTDOWN_TEXT_MAX 256
#define SERVER_TLS_TEXT_MAX      64 /* a version and a cipher's name */

struct smtp_server {
    const struct smtp_server_options *options;
    const struct smtp_server_ops *ops;
    void *arg;
    void (*on_wake)(void *arg);
    void *wake_arg;

    enum server_phase phase;
    enum server_question question;
    bool started;
    bool running; /* inside of run: answers are picked up by it */
    bool no_room; /* the owner's data said no */
    unsigned errors;
    uint64_t progress, data_bytes;
    uint64_t stages; /* messages begun by DATA, and ended */

    struct str direct; /* input at hand, not copied */
    struct buf in;     /* input that had to wait */
    struct buf out;
    struct smtp_line_reader reader;
    size_t behind_bytes; /* of the input at hand, after the line that is taken */

    bool shutting_down;
    struct smtp_reply shutdown_reply;
    char shutdown_text[SERVER_SHUTDOWN_TEXT_MAX];

    /* The client */
    bool tls_offered;
    char tls[SERVER_TLS_TEXT_MAX]; /* "": in plain text */
    uint8_t channel[TLS_CHANNEL_BYTES];
    bool has_channel;
    bool refused; /* 554 at the greeting */
    const char *stage;
    char said_sender[SMTP_PATH_MAX], said_recipient[SMTP_PATH_MAX]; /* raw, for the log */
    bool esmtp;
    char helo[SMTP_DOMAIN_MAX + 1]; /* "": not greeted yet */
    char helo_asked[SMTP_DOMAIN_MAX + 1];
    bool esmtp_asked;
    char user[SMTP_PATH_MAX];
    struct peer_nonce nonce;
    bool nonce_spent;
    char peer_node[PEER_NODE_MAX + 1];
    bool tls_first; /* and then the greeting */
    bool xclient_offered;
    struct smtp_xclient xclient, xclient_asked; /* of whom the peer speaks for */

    /* The transaction */
    bool transaction;  /* mail was accepted; the owner is owed an end of it */
    bool mail_put_off; /* by 4yz, with nothing since that begins anew */
    bool mail_utf8;
    size_t recipient_count;
    size_t unanswered; /* LMTP: recipients without answer to the message */
    bool last_was_421;
    struct smtp_unstuff unstuff;
    struct smtp_stuff lines; /* of what is normalised */
    uint64_t content_bytes;  /* of the message, so far */
    bool too_big;
    bool chunking;                    /* the message has begun by BDAT: only BDAT goes on with it */
    bool chunk_asked;                 /* the question data_begin is BDAT's */
    bool chunk_last, chunk_swallowed; /* of the chunk at hand */
    uint64_t chunk_bytes, chunk_left;
    struct smtp_chunk chunk;
};

/* ---- server.c ---- */
void server_write(struct smtp_server *s,
                  const struct smtp_reply *r); /* the client's reply, with enhanced code */
void server_write_plain(struct smtp_server *s, const struct smtp_reply *r);
/* The machine's own refusal; the last one of too many is a 421. */
void server_refuse(struct smtp_server *s, struct smtp_reply r);
/* What needs MAIL came without: an error, unless MAIL was put off just before, which a pipelining client
 * could not know. */
void server_refuse_without_mail(struct smtp_server *s);
/* The same reply to the same thing once more (LMTP): it is no further refusal. */
void server_write_again(struct smtp_server *s, const struct smtp_reply *r);
void server_finish(struct smtp_server *s);
/* Fires reset when a transaction is open. */
void server_reset(struct smtp_server *s);
/* The session begins anew: who the client is, is not known any more. An XHOLDFAST nonce that was spent stays
 * so. */
void server_forget_client(struct smtp_server *s);
void server_ask_connect(struct smtp_server *s);
size_t server_recipients_max(const struct smtp_server *s);
uint64_t server_size_max_bytes(const struct smtp_server *s); /* of a message, for this client */
/* Runs on after an answer that came from outside. */
void server_go_on(struct smtp_server *s);

/* ---- server_refusal.c ---- */
/* Tells the owner when r is a refusal. */
void server_tell_refusal(struct smtp_server *s, const struct smtp_reply *r);
/* What follows MAIL or RCPT: keeps the path that is meant. */
void server_note_path(char said[SMTP_PATH_MAX], struct str args);

/* ---- server_verbs.c ---- */
void server_dispatch(struct smtp_server *s, struct str line);
void server_list_verbs(const struct smtp_server *s, struct buf *out); /* for HELP */

/* ---- server_data.c ---- */
/* One reply, or in LMTP one for each recipient without an answer (RFC 2033 4.2). */
void server_write_for_message(struct smtp_server *s, const struct smtp_reply *r);
void server_data_input(struct smtp_server *s, struct str bytes, size_t *ret_used);
void server_content_begin(struct smtp_server *s);
/* A piece of the message for the owner, without what its transport added; refused: it holds what none may. */
void server_content(struct smtp_server *s, struct str piece, bool refused);
/* The last chunk has come, or one that makes the message one to be refused. */
void server_chunks_end(struct smtp_server *s);

/* ---- cmd_bdat.c ---- */
void server_chunk_input(struct smtp_server *s, struct str bytes, size_t *ret_used);
void server_chunk_ended(struct smtp_server *s); /* all its octets have been taken */
void bdat_begin_answered(struct smtp_server *s, const struct smtp_reply *r);

/* ---- cmd_xholdfast.c ---- */
bool server_takes_peers(const struct smtp_server *s);

/* ---- the commands: args is what follows the verb, trimmed ---- */
void cmd_ehlo(struct smtp_server *s, struct str args);
void cmd_helo(struct smtp_server *s, struct str args);
void cmd_mail(struct smtp_server *s, struct str args);
void cmd_rcpt(struct smtp_server *s, struct str args);
void cmd_data(struct smtp_server *s, struct str args);
void cmd_bdat(struct smtp_server *s, struct str args);
void cmd_rset(struct smtp_server *s, struct str args);
void cmd_noop(struct smtp_server *s, struct str args);
void cmd_vrfy(struct smtp_server *s, struct str args);
void cmd_expn(struct smtp_server *s, struct str args);
void cmd_help(struct smtp_server *s, struct str args);
void cmd_quit(struct smtp_server *s, struct str args);
void cmd_auth(struct smtp_server *s, struct str args);
void cmd_starttls(struct smtp_server *s, struct str args);
void cmd_xholdfast(struct smtp_server *s, struct str args);
void cmd_xclient(struct smtp_server *s, struct str args);

bool server_offers_auth(const struct smtp_server *s);
bool server_offers_tls(const struct smtp_server *s); /* now: not twice */

/* A further line of an AUTH exchange. */
void auth_line(struct smtp_server *s, struct str line);

/* What the owner's answer to each question does; called with the question
 * closed. They write the reply. */
void connect_answered(struct smtp_server *s, const struct smtp_reply *r);
void helo_answered(struct smtp_server *s, const struct smtp_reply *r);
void mail_answered(struct smtp_server *s, const struct smtp_reply *r);
void rcpt_answered(struct smtp_server *s, const struct smtp_reply *r);
void data_begin_answered(struct smtp_server *s, const struct smtp_reply *r);
void data_end_answered(struct smtp_server *s, const struct smtp_reply *r);
void auth_answered(struct smtp_server *s, const struct smtp_reply *r);
void client_answered(struct smtp_server *s, const struct smtp_reply *r);

#endif
