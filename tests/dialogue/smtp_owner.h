/* An owner of SMTP server sessions for dialogues and fuzzers: a small world of
 * users whose names say what happens, and the checks of what a session owes to
 * its owner (CHECK aborts, so that a fuzzer sees it).
 *
 * Recipients at example.test: alice, bob, carol, echo, postmaster; full (452),
 * gone (421); later, never (at LMTP's end of data); others 550.
 * Senders: no@ (550 at MAIL), nodata@ (451 at DATA), err-NAME@ (the error of
 * that name answers the message). A message to echo is repeated in the reply.
 * AUTH: PLAIN and LOGIN, alice@example.test with "holdfast". */
#ifndef HOLDFAST_TESTS_SMTP_OWNER_H
#define HOLDFAST_TESTS_SMTP_OWNER_H

#include "base/buf.h"
#include "smtp/server.h"

#define OWNER_RECIPIENTS_MAX 64

enum owner_answer_kind { ANSWER_REPLY, ANSWER_CHALLENGE, ANSWER_USER, ANSWER_RECIPIENTS };

struct owner_answer {
    enum owner_answer_kind kind;
    struct smtp_reply reply; /* code 0: the default yes */
    struct str text;         /* the challenge or the user */
};

struct smtp_owner {
    struct smtp_server *server;
    uint16_t greeting; /* a refusal's code, or 0 */
    uint32_t random;   /* 0: answers come at once */
    bool data_full;    /* data said no */

    bool asked, kept; /* a question is open; its answer is kept back */
    struct owner_answer answer;

    bool transaction, at_data_end;
    bool to_echo;
    char sender[64];
    size_t recipient_count;
    struct smtp_reply finals[OWNER_RECIPIENTS_MAX]; /* LMTP */
    struct buf message;
    struct buf echo;
    bool login_user_given; /* AUTH LOGIN */
    bool in_auth;

    unsigned accepted, messages, resets, cancels; /* recipients and the others, so far */
};

extern const struct smtp_server_ops smtp_owner_ops; /* arg: struct smtp_owner */

/* random: 0, or a seed for answering now or later. */
void smtp_owner_init(struct smtp_owner *o, uint32_t random);
void smtp_owner_fini(struct smtp_owner *o); /* after smtp_server_free */
/* Gives what was kept back; false: nothing was. */
bool smtp_owner_tick(struct smtp_owner *o);

#endif
