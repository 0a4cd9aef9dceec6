/* What a command (one file each, cmd_*.c) sees of its session. The session
 * knows no command: imap/verbs.c is the table.
 *
 * A command runs from its verb's start until imap_command_finish; only one runs
 * at a time. It may finish from inside start, or later from a callback of the
 * store; after finishing it must touch nothing of the command any more. When
 * the session ends first, cmd->op is forgotten and the command never finishes. */
#ifndef HOLDFAST_IMAP_COMMAND_H
#define HOLDFAST_IMAP_COMMAND_H

#include "base/arena.h"
#include "base/buf.h"
#include "imap/session.h"
#include "imap/view.h"
#include "wire/imap_frame.h"
#include "wire/imap_parse.h"
#include "wire/mime.h"

/* Of one command's parsed arguments: its text and some times as much. */
#define IMAP_COMMAND_ARENA_BYTES (4u << 20)
/* Of one message's parsed structure. */
#define IMAP_STRUCTURE_ARENA_BYTES (2u << 20)
/* One answer that is written as a whole (SEARCH, LIST, flags of a big mailbox):
 * a million messages' numbers fit. */
#define IMAP_OUT_MAX_BYTES (32u << 20)

enum imap_state {
    IMAP_NOT_AUTHENTICATED = 1 << 0,
    IMAP_AUTHENTICATED = 1 << 1,
    IMAP_SELECTED = 1 << 2,
};
#define IMAP_ANY_STATE (IMAP_NOT_AUTHENTICATED | IMAP_AUTHENTICATED | IMAP_SELECTED)
#define IMAP_LOGGED_IN (IMAP_AUTHENTICATED | IMAP_SELECTED)

struct imap_command;

struct imap_verb {
    const char *name;
    unsigned states;    /* where it is allowed, of enum imap_state */
    bool keeps_numbers; /* no untagged EXPUNGE while it runs (RFC 3501 7.4.1) */
    void (*start)(struct imap_command *cmd);
};

/* NULL when there is none. uid: it came after `UID`. */
const struct imap_verb *imap_verb_find(struct str name, bool uid);

struct imap_command {
    struct imap_session *session;
    struct arena arena; /* the command's text and all that is parsed from it */
    struct imap_cursor args;
    struct str tag;
    const struct imap_verb *verb; /* NULL: none runs */
    bool uid;
    void *state;         /* the command's own */
    struct store_op *op; /* the one under way; clear it first in its callback */

    /* Set by commands that need them; cleared at the end. */
    void (*on_line)(struct imap_command *cmd, struct str line); /* wants lines, not commands */
    bool (*on_data)(struct imap_command *cmd, struct str data); /* of a streamed literal; false: no room */
    void (*on_room)(struct imap_command *cmd);                  /* output was taken */
    void (*on_change)(struct imap_command *cmd);                /* the selected mailbox changed (IDLE) */
    void (*on_end)(struct imap_command *cmd); /* frees what state holds: once, finished or cancelled */

    struct buf reply; /* the tagged line, while the sync before it runs */
};

struct imap_session {
    const struct imap_options *options;
    const struct imap_ops *ops;
    void *arg;
    struct mail *mail;
    bool plain_allowed;
    bool tls_offered;
    bool tls_awaited;    /* STARTTLS was answered, or it comes first */
    bool tls_first;      /* and then the greeting */
    size_t behind_bytes; /* of the input at hand, after the command that is taken */
    enum imap_state state;
    char *user; /* NULL before the login */
    unsigned login_failures, bad_commands;
    bool asking;      /* ops->authenticate is open */
    bool logging_out; /* ends with the running command */
    bool ended;
    bool data_blocked; /* on_data had no room */

    struct imap_frame frame;
    struct buf in, out;
    bool pumping;
    void (*on_wake)(void *arg);
    void *wake_arg;

    struct imap_command command;
    struct imap_view view;
    struct mail_watch *watch;
    bool view_dirty; /* the mailbox has changed since the snapshot */
    struct store_op *sync_op;
    void (*sync_done)(struct imap_session *s, int err);
    bool sync_expunge;

    /* The structure of the last message that was parsed. */
    struct arena structure_arena;
    const struct mime_part *structure;
    int64_t structure_body_id;
    bool structure_whole; /* else its header only */
};

/* ---- finishing: all of them end the command ---- */

void imap_command_ok(struct imap_command *cmd, const char *text);
/* code is a response code without brackets, or NULL. */
void imap_command_no(struct imap_command *cmd, const char *code, const char *text);
void imap_command_bad(struct imap_command *cmd, const char *text);
/* Of a parse error: BAD, or NO for a name or size that cannot be. */
void imap_command_bad_args(struct imap_command *cmd, int err);
/* Of an error of the store; ERR_FENCED ends the session. */
void imap_command_fail(struct imap_command *cmd, int err);
/* status "OK", "NO" or "BAD"; the text may hold a response code. */
void imap_command_finish(struct imap_command *cmd, const char *status, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* ---- the session's inside ---- */

void imap_command_release(struct imap_command *cmd); /* frees state, forgets the hooks */

void imap_session_end(struct imap_session *s); /* at once; output is still sent */
void imap_session_greet(struct imap_session *s);
void imap_session_bye(struct imap_session *s, const char *text); /* `* BYE text`, then end */
void imap_session_fenced(struct imap_session *s);                /* BYE, and tells the owner */
void imap_session_progress(struct imap_session *s);              /* after a callback: go on, wake the mover */
bool imap_session_out_full(const struct imap_session *s);
void imap_write_capability(struct imap_session *s, struct buf *out);

#endif
