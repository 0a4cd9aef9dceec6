/* Inside src/store: the mail contract's operations as engines see them. */
#ifndef HOLDFAST_STORE_MAIL_OP_H
#define HOLDFAST_STORE_MAIL_OP_H

#include "store/body_op.h"
#include "store/engine.h"
#include "store/mail.h"

#define MAIL_NAME_MAX_BYTES     512   /* of a mailbox; deeper trees help nobody */
#define MAIL_KEYWORDS_MAX_BYTES 1024  /* of a message */
#define MAIL_MAILBOXES_MAX      10000 /* of a user */
#define MAIL_FLAGS_ALL          (MAIL_SEEN | MAIL_ANSWERED | MAIL_FLAGGED | MAIL_DELETED | MAIL_DRAFT)

/* Mailboxes that a write changed: their watchers are told. */
struct mail_touched {
    int64_t *ids;
    size_t count;
};

struct op_mail_touching {
    struct store_op op;
    struct mail_touched touched;
};

struct op_mail_begin {
    struct store_op op;
    struct str server;
    int64_t epoch;
};

struct op_mail_epoch {
    struct store_op op;
    struct str server;
    int64_t ret_epoch;
};

struct op_mail_fence {
    struct store_op op;
    struct str server;
    int64_t epoch;
};

/* A read, but for the first of a user: that has to make the INBOX (OP_AGAIN). */
struct op_mailbox_list {
    struct store_op op;
    struct str user, name;          /* name.ptr NULL: all */
    uint32_t wall_s;                /* for UIDVALIDITY */
    struct mail_mailbox *ret_boxes; /* in order of name */
    size_t ret_count;
};

/* create, delete, rename (name -> to), subscribe. */
struct op_mailbox_change {
    struct store_op op;
    struct mail_touched touched;
    struct str user, name, to;
    bool subscribed;
    uint32_t wall_s; /* for UIDVALIDITY */
};

struct op_mail_recent {
    struct store_op op;
    int64_t mailbox_id;
    uint32_t ret_first_uid;
};

struct op_mail_trace {
    struct store_op op;
    struct custody_id custody;
    struct str *ret_users;
    size_t ret_count;
};

struct op_mail_changes {
    struct store_op op;
    int64_t mailbox_id;
    uint64_t since_modseq;
    struct mail_message *ret_items;
    size_t ret_count;
    uint32_t *ret_expunged;
    size_t ret_expunged_count;
    uint64_t ret_highest_modseq;
    uint32_t ret_uid_next, ret_uid_validity;
};

struct op_mail_deliver {
    struct store_op op;
    struct mail_touched touched;
    struct body_tail body;
    bool has_custody;
    struct custody_id custody;
    struct str *users;
    size_t user_count;
    struct wall_time internal_date;
    uint32_t wall_s;
};

struct op_mail_append {
    struct store_op op;
    struct mail_touched touched;
    struct body_tail body;
    struct str user, mailbox, keywords;
    uint32_t flags;
    struct wall_time internal_date;
    uint32_t wall_s;
    uint32_t ret_uid_validity, ret_uid;
};

struct op_mail_flags {
    struct store_op op;
    struct mail_touched touched;
    int64_t mailbox_id;
    uint32_t *uids; /* ascending, each once */
    size_t uid_count;
    enum mail_flags_mode mode;
    uint32_t flags;
    struct str keywords;
};

struct op_mail_copy {
    struct store_op op;
    struct mail_touched touched;
    int64_t mailbox_id;
    uint32_t *uids; /* ascending, each once */
    size_t uid_count;
    bool move;
    struct str to_mailbox;
    uint32_t ret_uid_validity;
    uint32_t *ret_from, *ret_to;
    size_t ret_count;
};

struct op_mail_expunge {
    struct store_op op;
    struct mail_touched touched;
    int64_t mailbox_id;
    uint32_t *uids; /* ascending, each once; NULL: all */
    size_t uid_count;
    bool always;
};

void mail_touch(struct store_op *op, struct mail_touched *touched, int64_t mailbox_id);

/* ---- rules of mailbox names, flags and keywords, the same in all engines ---- */

bool mail_name_is_inbox(struct str name);
/* Whether `name` is below `parent` in the hierarchy. */
bool mail_name_is_child(struct str name, struct str parent);
/* The next longer parent of name after one of `len` bytes (0 to start); false
 * when there is none. */
bool mail_name_next_parent(struct str name, size_t len, struct str *ret_parent);

/* The keywords after a change, in the operation's arena: sorted, without
 * doubles (ASCII case-insensitive). ERR_LIMIT above MAIL_KEYWORDS_MAX_BYTES. */
int mail_keywords_change(struct store_op *op, struct str now, enum mail_flags_mode mode, struct str change,
                         struct str *ret_keywords) MUST_USE;
/* A user's next UIDVALIDITY: grows with every mailbox made, RFC 3501 2.3.1.1. */
uint32_t mail_next_validity(uint32_t last, uint32_t wall_s);
uint32_t mail_flags_change(uint32_t now, enum mail_flags_mode mode, uint32_t change);

#endif
