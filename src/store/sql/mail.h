/* Inside the SQL engines: what the files of the mail share. */
#ifndef HOLDFAST_STORE_SQL_MAIL_H
#define HOLDFAST_STORE_SQL_MAIL_H

#include "store/mail_op.h"
#include "store/sql/tx.h"

/* A mailbox's row; box_save writes what messages change. */
struct box {
    int64_t id, user_id;
    struct str name; /* in the operation's arena */
    uint32_t uid_validity, uid_next, recent_from;
    uint64_t modseq;
    int64_t messages, unseen;
    bool subscribed, selectable;
};

/* False when there is no such (selectable) mailbox. */
bool box_get(struct sql_tx *tx, struct store_op *op, int64_t id, struct box *ret_box);
bool box_find(struct sql_tx *tx, struct store_op *op, int64_t user_id, struct str name, struct box *ret_box);
/* A user's, who is made when new. */
bool box_find_inbox(struct sql_tx *tx, struct store_op *op, struct str address, uint32_t wall_s,
                    struct box *ret_box);
void box_save(struct sql_tx *tx, const struct box *box);

/* The user's row, made with its INBOX when it is new. */
int64_t user_of(struct sql_tx *tx, struct str address, uint32_t wall_s);

/* Adds a message, whose body's reference is the caller's, with the mailbox's next
 * UID and MODSEQ (box_save is due); returns the UID. */
uint32_t box_add_message(struct sql_tx *tx, struct box *box, const struct mail_message *message);
/* Removes it and its body's reference, and keeps its UID among the expunged. */
void box_remove_message(struct sql_tx *tx, struct box *box, const struct mail_message *message);
/* The first message with a UID of at least `uid`, its texts in the arena. */
bool box_message_from(struct sql_tx *tx, struct store_op *op, int64_t box_id, uint32_t uid,
                      struct mail_message *ret_message);

#endif
