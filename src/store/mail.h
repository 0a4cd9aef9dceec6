/* The mail contract: what a builtin messaging server shows its users: mailboxes,
 * messages, flags, UIDs. All state is here; an instance holds none.
 *
 * A server's epoch is in the same file (or database): mail_instance_begin takes
 * the next one by compare-and-set, and every write of an instance locks that
 * row; a stale instance gets ERR_FENCED and must stop. See store/op.h for the
 * rules of callbacks and errors.
 *
 * Once: a delivery with a custody id that this recipient already got, expunged
 * since or not, succeeds and shows nothing new. */
#ifndef HOLDFAST_STORE_MAIL_H
#define HOLDFAST_STORE_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/custody_id.h"
#include "base/str.h"
#include "base/time.h"
#include "store/body.h"
#include "store/op.h"

struct mail;

/* Makes `m` the instance of server with epoch `epoch`: succeeds when the stored
 * epoch is lower (compare-and-set), else ERR_FENCED. Before that only reads. */
struct store_op *mail_instance_begin(struct mail *m, struct str server, int64_t epoch,
                                     void (*on_begin)(void *arg, int err), void *arg);
/* The epoch now stored for a server, 0 when it never had an instance. */
struct store_op *mail_epoch(struct mail *m, struct str server,
                            void (*on_epoch)(void *arg, int err, int64_t epoch), void *arg);
/* Raises the stored epoch to at least `epoch` without being an instance: the
 * fence "epoch" (director). */
struct store_op *mail_fence(struct mail *m, struct str server, int64_t epoch,
                            void (*on_fence)(void *arg, int err), void *arg);

/* ---- mailboxes ---- */

/* Users are named by address, lower case; of one that is no UTF-8, or has a NUL:
 * ERR_INVALID. Mailbox names are UTF-8 with '/' as the hierarchy separator; INBOX
 * (any case) always exists. */
struct mail_mailbox {
    int64_t id;
    struct str name;
    uint32_t uid_validity, uid_next;
    uint64_t highest_modseq;
    uint32_t messages, unseen, recent;
    bool subscribed;
    bool selectable; /* false: only a parent of others */
};

struct store_op *mail_mailboxes(struct mail *m, struct str user,
                                void (*on_list)(void *arg, int err, const struct mail_mailbox *boxes,
                                                size_t count),
                                void *arg);
struct store_op *mail_mailbox_find(struct mail *m, struct str user, struct str name,
                                   void (*on_find)(void *arg, int err, const struct mail_mailbox *box),
                                   void *arg);
/* ERR_EXISTS, ERR_INVALID (name), ERR_LIMIT (too many). Parents are made. */
struct store_op *mail_mailbox_create(struct mail *m, struct str user, struct str name,
                                     void (*on_done)(void *arg, int err), void *arg);
struct store_op *mail_mailbox_delete(struct mail *m, struct str user, struct str name,
                                     void (*on_done)(void *arg, int err), void *arg);
/* Children follow. Renaming INBOX moves its messages (RFC 3501 6.3.5). */
struct store_op *mail_mailbox_rename(struct mail *m, struct str user, struct str from, struct str to,
                                     void (*on_done)(void *arg, int err), void *arg);
struct store_op *mail_mailbox_subscribe(struct mail *m, struct str user, struct str name, bool subscribed,
                                        void (*on_done)(void *arg, int err), void *arg);

/* \Recent (RFC 3501 2.3.2): the messages with UIDs from first_uid on were shown
 * to no session before; from now on they belong to this one. For SELECT. */
struct store_op *mail_recent_claim(struct mail *m, int64_t mailbox_id,
                                   void (*on_claim)(void *arg, int err, uint32_t first_uid), void *arg);

/* ---- messages ---- */

enum mail_flag {
    MAIL_SEEN = 1 << 0,
    MAIL_ANSWERED = 1 << 1,
    MAIL_FLAGGED = 1 << 2,
    MAIL_DELETED = 1 << 3,
    MAIL_DRAFT = 1 << 4,
};

struct mail_message {
    uint32_t uid;
    uint32_t flags;      /* of enum mail_flag */
    struct str keywords; /* sorted, separated by one space; at most 1 KiB */
    uint64_t modseq;
    struct wall_time internal_date;
    uint64_t size_bytes; /* RFC822.SIZE */
    int64_t body_id;
};

struct mail_messages {
    const struct mail_message *items; /* by uid, ascending */
    size_t count;
    const uint32_t *expunged; /* uids expunged since since_modseq, ascending */
    size_t expunged_count;
    uint64_t highest_modseq; /* of this snapshot */
    uint32_t uid_next, uid_validity;
};

/* A consistent snapshot of what has changed after since_modseq; 0: all messages. */
struct store_op *mail_changes(struct mail *m, int64_t mailbox_id, uint64_t since_modseq,
                              void (*on_changes)(void *arg, int err, const struct mail_messages *messages),
                              void *arg);

struct body_reader *mail_body_open(struct mail *m, int64_t body_id);

/* 0 while it takes writes; ERR_FENCED (stale, or no instance yet), ERR_SYNC
 * (reopening), ERR_FULL, ERR_DEGRADED (mail that is new), ... */
int mail_health(const struct mail *m);
/* NULL while mail_health is not 0. held: a queue of this store has custody until it hears of the answer; such
 * mail is taken though health is ERR_DEGRADED. */
struct body_writer *mail_body_begin(struct mail *m, bool held);

/* Delivery into INBOX of each user (address; each named once), one copy of the bytes; consumes
 * the writer. custody NULL: not from our relay, no duplicate check. The caller
 * writes trace lines (Return-Path, Received) into the body itself. All or
 * nothing: 0 when each user has it, now or already. */
struct store_op *mail_deliver(struct mail *m, struct body_writer *body, const struct custody_id *custody,
                              const struct str *users, size_t user_count, struct wall_time internal_date,
                              void (*on_deliver)(void *arg, int err), void *arg);

/* The users that this message was delivered to, now or once; whether they still have it is not looked at. */
struct store_op *mail_trace(struct mail *m, const struct custody_id *custody,
                            void (*on_trace)(void *arg, int err, const struct str *users, size_t count),
                            void *arg);

/* ERR_NOT_FOUND: no such mailbox ([TRYCREATE]). */
struct store_op *mail_append(struct mail *m, struct body_writer *body, struct str user, struct str mailbox,
                             uint32_t flags, struct str keywords, struct wall_time internal_date,
                             void (*on_append)(void *arg, int err, uint32_t uid_validity, uint32_t uid),
                             void *arg);

enum mail_flags_mode { MAIL_FLAGS_SET, MAIL_FLAGS_ADD, MAIL_FLAGS_REMOVE };

/* uids need not exist. */
struct store_op *mail_flags_store(struct mail *m, int64_t mailbox_id, const uint32_t *uids, size_t uid_count,
                                  enum mail_flags_mode mode, uint32_t flags, struct str keywords,
                                  void (*on_done)(void *arg, int err), void *arg);

/* Copies (or moves) to a mailbox of the same user; flags and dates follow. The
 * pairs are source uid -> new uid. All or nothing. */
struct store_op *mail_copy(struct mail *m, int64_t mailbox_id, const uint32_t *uids, size_t uid_count,
                           bool move, struct str to_mailbox,
                           void (*on_copy)(void *arg, int err, uint32_t uid_validity,
                                           const uint32_t *from_uids, const uint32_t *to_uids, size_t count),
                           void *arg);

/* Removes those of uids (NULL: all) that have \Deleted; always: regardless of
 * the flag (POP3). */
struct store_op *mail_expunge(struct mail *m, int64_t mailbox_id, const uint32_t *uids, size_t uid_count,
                              bool always, void (*on_done)(void *arg, int err), void *arg);

/* Fires after a commit of this process changed the mailbox. */
struct mail_watch;
struct mail_watch *mail_watch_new(struct mail *m, int64_t mailbox_id, void (*on_change)(void *arg),
                                  void *arg);
void mail_watch_free(struct mail_watch *w);

#endif
