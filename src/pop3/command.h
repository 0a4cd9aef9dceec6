/* What a command (one file each, cmd_*.c) sees of its session. A command ends
 * by pop3_ok, pop3_err or pop3_done, from inside its start or later; after that
 * it must touch nothing of its own any more. */
#ifndef HOLDFAST_POP3_COMMAND_H
#define HOLDFAST_POP3_COMMAND_H

#include "base/arena.h"
#include "base/buf.h"
#include "pop3/session.h"
#include "wire/pop3.h"

/* Input kept while a command runs: pipelined commands. */
#define POP3_IN_MAX_BYTES (256u << 10)
/* A listing of a maildrop of a million messages. */
#define POP3_OUT_MAX_BYTES (32u << 20)

enum pop3_state { POP3_AUTHORIZATION = 1 << 0, POP3_TRANSACTION = 1 << 1 };

struct pop3_verb {
    const char *name;
    unsigned states;
    void (*start)(struct pop3_session *s, const struct pop3_command *c);
};

const struct pop3_verb *pop3_verb_find(struct str name); /* or NULL */

struct pop3_message {
    uint32_t uid;
    bool deleted;
    uint64_t size_bytes;
    int64_t body_id;
};

struct pop3_session {
    const struct pop3_options *options;
    const struct pop3_ops *ops;
    void *arg;
    struct mail *mail;
    bool plain_allowed;
    bool tls_offered;
    bool tls_awaited; /* STLS was answered, or it comes first */
    bool tls_first;   /* and then the greeting */
    enum pop3_state state;
    bool ended, busy, asking, pumping;
    unsigned login_failures, bad_commands;
    char *user; /* of USER, then of the login */
    struct buf in, out;
    struct arena arena;                                       /* of the command at hand */
    void (*on_line)(struct pop3_session *s, struct str line); /* wants the next line (AUTH) */
    void (*on_wake)(void *arg);
    void *wake_arg;

    struct store_op *op;
    int64_t mailbox_id;
    uint32_t uid_validity;
    struct pop3_message *messages;
    size_t count;

    struct body_reader *reader; /* of RETR and TOP */
    uint64_t size_bytes;
    uint64_t offset;
    struct pop3_stuffer stuffer;
};

/* Ends the command with a line; the response code, with its brackets, is in text. */
void pop3_ok(struct pop3_session *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
void pop3_err(struct pop3_session *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
void pop3_done(struct pop3_session *s); /* all is written already */
/* Of an error of the store; ERR_FENCED ends the session. */
void pop3_fail(struct pop3_session *s, int err);
void pop3_end(struct pop3_session *s);                        /* the session; output is still sent */
void pop3_end_with(struct pop3_session *s, const char *line); /* the same, after -ERR and the line */

/* The message of a number that is there and not deleted; NULL: the command was ended. */
struct pop3_message *pop3_message_of(struct pop3_session *s, struct str number, size_t *ret_index);
void pop3_login_ask(struct pop3_session *s, struct str user, struct str password);
/* Goes on with RETR or TOP, now that there is room. */
void pop3_send_more(struct pop3_session *s);
void pop3_maildrop_open(struct pop3_session *s); /* after the login; ends the command */

void pop3_cmd_capa(struct pop3_session *s, const struct pop3_command *c);
void pop3_cmd_user(struct pop3_session *s, const struct pop3_command *c);
void pop3_cmd_pass(struct pop3_session *s, const struct pop3_command *c);
void pop3_cmd_auth(struct pop3_session *s, const struct pop3_command *c);
void pop3_greet(struct pop3_session *s);
void pop3_cmd_stls(struct pop3_session *s, const struct pop3_command *c);
void pop3_cmd_stat(struct pop3_session *s, const struct pop3_command *c);
void pop3_cmd_list(struct pop3_session *s, const struct pop3_command *c);
void pop3_cmd_uidl(struct pop3_session *s, const struct pop3_command *c);
void pop3_cmd_retr(struct pop3_session *s, const struct pop3_command *c);
void pop3_cmd_top(struct pop3_session *s, const struct pop3_command *c);
void pop3_cmd_dele(struct pop3_session *s, const struct pop3_command *c);
void pop3_cmd_rset(struct pop3_session *s, const struct pop3_command *c);
void pop3_cmd_noop(struct pop3_session *s, const struct pop3_command *c);
void pop3_cmd_quit(struct pop3_session *s, const struct pop3_command *c);

#endif
