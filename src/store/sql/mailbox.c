/* Instances, users and their mailboxes. */
#include "store/sql/mail.h"
#include "store/sql/mail_sql.h"

/* Bodies being written are marked with server and epoch: an instance that begins
 * removes what an earlier one of its server left. */
#define WRITER_EPOCH_BITS 40

/* ---- instances ---- */

static void instance_get(struct sql_tx *tx, struct str server, int64_t *ret_id, int64_t *ret_epoch)
{
    *ret_id = *ret_epoch = 0;
    struct db_row *row = db_query(tx->db, SQL_INSTANCE_GET, TEXT(server));
    if (!row)
        return;
    *ret_id = db_col_i64(row, 0);
    *ret_epoch = db_col_i64(row, 1);
    db_end(row);
}

/* Its row's number. */
static int64_t instance_raise(struct sql_tx *tx, struct str server, int64_t id, int64_t epoch)
{
    if (id != 0) {
        db_run(tx->db, SQL_INSTANCE_PUT, INT(id), INT(epoch));
        return id;
    }
    return db_number(tx->db, SQL_INSTANCE_ADD, 0, TEXT(server), INT(epoch));
}

int sql_mail_begin(struct sql_tx *tx, struct store_op *op)
{
    struct op_mail_begin *o = (struct op_mail_begin *)op;
    int64_t id, epoch;
    instance_get(tx, o->server, &id, &epoch);
    if (epoch >= o->epoch || o->epoch >= INT64_C(1) << WRITER_EPOCH_BITS)
        return ERR_FENCED;
    tx->who.server_id = instance_raise(tx, o->server, id, o->epoch);
    tx->who.epoch = tx->stored_epoch = o->epoch;
    tx->who.writer = tx->who.server_id << WRITER_EPOCH_BITS | o->epoch;
    sql_body_orphan(tx, tx->who.server_id << WRITER_EPOCH_BITS, tx->who.writer - 1);
    return 0;
}

int sql_mail_epoch(struct sql_tx *tx, struct store_op *op)
{
    struct op_mail_epoch *o = (struct op_mail_epoch *)op;
    int64_t id;
    instance_get(tx, o->server, &id, &o->ret_epoch);
    return 0;
}

int sql_mail_fence(struct sql_tx *tx, struct store_op *op)
{
    struct op_mail_fence *o = (struct op_mail_fence *)op;
    int64_t id, epoch;
    instance_get(tx, o->server, &id, &epoch);
    if (epoch < o->epoch)
        instance_raise(tx, o->server, id, o->epoch);
    tx->stored_epoch = -1;
    return 0;
}

int64_t sql_mail_instance_epoch(struct sql_tx *tx)
{
    return db_number(tx->db, SQL_INSTANCE_EPOCH, 0, INT(tx->who.server_id));
}

/* ---- rows of mailboxes ---- */

static struct box box_of(struct store_op *op, struct db_row *row)
{
    return (struct box){.id = db_col_i64(row, 0),
                        .user_id = db_col_i64(row, 1),
                        .name = op_str(op, db_col_str(row, 2)),
                        .uid_validity = (uint32_t)db_col_i64(row, 3),
                        .uid_next = (uint32_t)db_col_i64(row, 4),
                        .modseq = (uint64_t)db_col_i64(row, 5),
                        .recent_from = (uint32_t)db_col_i64(row, 6),
                        .messages = db_col_i64(row, 7),
                        .unseen = db_col_i64(row, 8),
                        .subscribed = db_col_i64(row, 9) != 0,
                        .selectable = db_col_i64(row, 10) != 0};
}

bool box_get(struct sql_tx *tx, struct store_op *op, int64_t id, struct box *ret_box)
{
    struct db_row *row = db_query(tx->db, SQL_BOX_GET, INT(id));
    if (!row)
        return false;
    *ret_box = box_of(op, row);
    db_end(row);
    return ret_box->selectable;
}

/* Selectable or not. */
static bool box_any(struct sql_tx *tx, struct store_op *op, int64_t user_id, struct str name,
                    struct box *ret_box)
{
    struct db_row *row = db_query(tx->db, SQL_BOX_FIND, INT(user_id), TEXT(name));
    if (!row)
        return false;
    *ret_box = box_of(op, row);
    db_end(row);
    return true;
}

bool box_find(struct sql_tx *tx, struct store_op *op, int64_t user_id, struct str name, struct box *ret_box)
{
    return box_any(tx, op, user_id, name, ret_box) && ret_box->selectable;
}

void box_save(struct sql_tx *tx, const struct box *box)
{
    db_run(tx->db, SQL_BOX_STATE, INT(box->id), INT(box->uid_next), INT(box->modseq), INT(box->messages),
           INT(box->unseen));
}

static int64_t box_add(struct sql_tx *tx, int64_t user_id, struct str name, uint32_t wall_s)
{
    uint32_t last = (uint32_t)db_number(tx->db, SQL_USER_VALIDITY_GET, 0, INT(user_id));
    uint32_t validity = mail_next_validity(last, wall_s);
    db_run(tx->db, SQL_USER_VALIDITY_PUT, INT(user_id), INT(validity));
    return db_number(tx->db, SQL_BOX_ADD, 0, INT(user_id), TEXT(name), INT(validity));
}

int64_t user_of(struct sql_tx *tx, struct str address, uint32_t wall_s)
{
    int64_t id = db_number(tx->db, SQL_USER_FIND, 0, TEXT(address));
    if (id != 0)
        return id;
    id = db_number(tx->db, SQL_USER_ADD, 0, TEXT(address));
    box_add(tx, id, STR("INBOX"), wall_s);
    return id;
}

bool box_find_inbox(struct sql_tx *tx, struct store_op *op, struct str address, uint32_t wall_s,
                    struct box *ret_box)
{
    struct db_row *row = db_query(tx->db, SQL_INBOX_FIND, TEXT(address));
    if (!row)
        return box_find(tx, op, user_of(tx, address, wall_s), STR("INBOX"), ret_box);
    *ret_box = box_of(op, row);
    db_end(row);
    return ret_box->selectable;
}

/* ---- list ---- */

static void show_box(struct sql_tx *tx, struct op_mailbox_list *o, const struct box *box)
{
    o->ret_boxes = op_array_grow(&o->op, o->ret_boxes, o->ret_count, sizeof(*o->ret_boxes));
    o->ret_boxes[o->ret_count++] = (struct mail_mailbox){
        .id = box->id,
        .name = box->name,
        .uid_validity = box->uid_validity,
        .uid_next = box->uid_next,
        .highest_modseq = box->modseq,
        .messages = (uint32_t)box->messages,
        .unseen = (uint32_t)box->unseen,
        .recent = (uint32_t)db_number(tx->db, SQL_MESSAGE_RECENT, 0, INT(box->id), INT(box->recent_from)),
        .subscribed = box->subscribed,
        .selectable = box->selectable};
}

int sql_mailbox_list(struct sql_tx *tx, struct store_op *op)
{
    struct op_mailbox_list *o = (struct op_mailbox_list *)op;
    struct box box;
    o->ret_count = 0;
    int64_t user_id = db_number(tx->db, SQL_USER_FIND, 0, TEXT(o->user));
    if (user_id == 0 && !tx->writable)
        return OP_AGAIN;
    if (user_id == 0)
        user_id = user_of(tx, o->user, o->wall_s);
    if (o->name.ptr) {
        if (box_any(tx, op, user_id, o->name, &box))
            show_box(tx, o, &box);
        return 0;
    }
    for (struct db_row *row = db_query(tx->db, SQL_BOX_LIST, INT(user_id)); row; row = db_next(row)) {
        box = box_of(op, row);
        show_box(tx, o, &box);
    }
    return 0;
}

/* ---- changes ---- */

static void add_parents(struct sql_tx *tx, struct store_op *op, int64_t user_id, struct str name,
                        uint32_t wall_s)
{
    struct str parent = {name.ptr, 0};
    struct box box;
    while (mail_name_next_parent(name, parent.len, &parent))
        if (!box_any(tx, op, user_id, parent, &box))
            box_add(tx, user_id, parent, wall_s);
}

int sql_mailbox_create(struct sql_tx *tx, struct store_op *op)
{
    struct op_mailbox_change *o = (struct op_mailbox_change *)op;
    struct box box;
    int64_t user_id = user_of(tx, o->user, o->wall_s);
    bool exists = box_any(tx, op, user_id, o->name, &box);
    if (exists && box.selectable)
        return ERR_EXISTS;
    if (db_number(tx->db, SQL_BOX_COUNT, 0, INT(user_id)) >= MAIL_MAILBOXES_MAX)
        return ERR_LIMIT;
    add_parents(tx, op, user_id, o->name, o->wall_s);
    if (exists)
        db_run(tx->db, SQL_BOX_SELECTABLE, INT(box.id));
    else
        box_add(tx, user_id, o->name, o->wall_s);
    return 0;
}

int sql_mailbox_delete(struct sql_tx *tx, struct store_op *op)
{
    struct op_mailbox_change *o = (struct op_mailbox_change *)op;
    struct box box;
    int64_t user_id = db_number(tx->db, SQL_USER_FIND, 0, TEXT(o->user));
    if (mail_name_is_inbox(o->name))
        return ERR_INVALID;
    if (!box_any(tx, op, user_id, o->name, &box))
        return ERR_NOT_FOUND;
    bool parent = db_number(tx->db, SQL_BOX_CHILD, 0, INT(user_id), TEXT(o->name)) != 0;
    if (parent && !box.selectable)
        return ERR_INVALID;
    mail_touch(op, &o->touched, box.id);
    db_run(tx->db, SQL_BOX_GIVE_UP, INT(box.id));
    tx->garbage = true;
    if (parent) { /* its name stays, and nothing of it can be selected */
        int64_t id = box_add(tx, user_id, o->name, o->wall_s);
        db_run(tx->db, SQL_BOX_UNSELECTABLE, INT(id));
    }
    return 0;
}

/* The messages of the INBOX go, the INBOX stays (RFC 3501 6.3.5). */
static void rename_inbox(struct sql_tx *tx, struct store_op *op, struct box *inbox, int64_t to_id)
{
    struct box to;
    struct mail_message message;
    if (!box_get(tx, op, to_id, &to))
        return;
    for (uint32_t uid = 0; box_message_from(tx, op, inbox->id, uid, &message); uid = message.uid + 1) {
        sql_body_ref(tx, message.body_id, 1);
        box_add_message(tx, &to, &message);
        box_remove_message(tx, inbox, &message);
    }
    box_save(tx, &to);
    box_save(tx, inbox);
}

int sql_mailbox_rename(struct sql_tx *tx, struct store_op *op)
{
    struct op_mailbox_change *o = (struct op_mailbox_change *)op;
    struct box box, other;
    int64_t user_id = user_of(tx, o->user, o->wall_s);
    bool is_inbox = mail_name_is_inbox(o->name);
    if (!box_any(tx, op, user_id, o->name, &box))
        return ERR_NOT_FOUND;
    if (box_any(tx, op, user_id, o->to, &other))
        return ERR_EXISTS;
    if (mail_name_is_child(o->to, o->name) && !is_inbox)
        return ERR_INVALID;
    add_parents(tx, op, user_id, o->to, o->wall_s);
    mail_touch(op, &o->touched, box.id);
    if (is_inbox)
        rename_inbox(tx, op, &box, box_add(tx, user_id, o->to, o->wall_s));
    else
        db_run(tx->db, SQL_BOX_RENAME, INT(user_id), TEXT(o->name), TEXT(o->to));
    return 0;
}

int sql_mailbox_subscribe(struct sql_tx *tx, struct store_op *op)
{
    struct op_mailbox_change *o = (struct op_mailbox_change *)op;
    struct box box;
    if (!box_any(tx, op, user_of(tx, o->user, o->wall_s), o->name, &box))
        return ERR_NOT_FOUND;
    db_run(tx->db, SQL_BOX_SUBSCRIBE, INT(box.id), INT(o->subscribed));
    return 0;
}

int sql_mail_recent(struct sql_tx *tx, struct store_op *op)
{
    struct op_mail_recent *o = (struct op_mail_recent *)op;
    struct box box;
    if (!box_get(tx, op, o->mailbox_id, &box))
        return ERR_NOT_FOUND;
    o->ret_first_uid = box.recent_from;
    if (box.recent_from != box.uid_next)
        db_run(tx->db, SQL_BOX_RECENT, INT(box.id), INT(box.uid_next));
    return 0;
}
