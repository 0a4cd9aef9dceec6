/* Inside the SQLite engine: what mailbox.c and mail.c share. */
#ifndef HOLDFAST_STORE_SQLITE_MAIL_H
#define HOLDFAST_STORE_SQLITE_MAIL_H

#include "store/mail_op.h"
#include "store/sqlite/tx.h"

/* A mailbox while it is changed: read, changed in memory, saved once. */
struct sqlite_mailbox {
    int64_t id, user_id;
    uint32_t uid_validity, uid_next;
    uint64_t modseq;
    bool selectable;
    int64_t messages_by, unseen_by; /* changes of the counts since it was read */
};

/* The user, made with an INBOX when new. */
int sqlite_user_of(struct sqlite_tx *tx, struct str address, uint32_t wall_s, int64_t *ret_id) MUST_USE;
int sqlite_next_validity(struct sqlite_tx *tx, int64_t user_id, uint32_t wall_s,
                         uint32_t *ret_validity) MUST_USE;
/* ERR_NOT_FOUND. _get: selectable ones only. */
int sqlite_mailbox_find(struct sqlite_tx *tx, int64_t user_id, struct str name,
                        struct sqlite_mailbox *ret_box) MUST_USE;
int sqlite_mailbox_get(struct sqlite_tx *tx, int64_t id, struct sqlite_mailbox *ret_box) MUST_USE;
int sqlite_mailbox_save(struct sqlite_tx *tx, const struct sqlite_mailbox *box) MUST_USE;

/* Removes all messages and saves. */
int sqlite_mailbox_empty(struct sqlite_tx *tx, struct store_op *op, struct sqlite_mailbox *box) MUST_USE;
/* Copies all messages and saves `to`. */
int sqlite_messages_copy_all(struct sqlite_tx *tx, struct store_op *op, const struct sqlite_mailbox *from,
                             struct sqlite_mailbox *to) MUST_USE;

#endif
