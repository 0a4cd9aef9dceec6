/* Messages of mailboxes. */
#include "store/sql/mail.h"

#include "store/sql/mail_sql.h"

/* ---- rows of messages ---- */

static struct mail_message message_of(struct store_op *op, struct db_row *row)
{
    return (struct mail_message){.uid = (uint32_t)db_col_i64(row, 0),
                                 .flags = (uint32_t)db_col_i64(row, 1),
                                 .keywords = op_str(op, db_col_str(row, 2)),
                                 .modseq = (uint64_t)db_col_i64(row, 3),
                                 .internal_date = {db_col_i64(row, 4)},
                                 .size_bytes = (uint64_t)db_col_i64(row, 5),
                                 .body_id = db_col_i64(row, 6)};
}

static bool message_get(struct sql_tx *tx, struct store_op *op, int64_t box_id, uint32_t uid,
                        struct mail_message *ret_message)
{
    struct db_row *row = db_query(tx->db, SQL_MESSAGE_GET, INT(box_id), INT(uid));
    if (!row)
        return false;
    *ret_message = message_of(op, row);
    db_end(row);
    return true;
}

bool box_message_from(struct sql_tx *tx, struct store_op *op, int64_t box_id, uint32_t uid,
                      struct mail_message *ret_message)
{
    struct db_row *row = db_query(tx->db, SQL_MESSAGE_FROM, INT(box_id), INT(uid));
    if (!row)
        return false;
    *ret_message = message_of(op, row);
    db_end(row);
    return true;
}

uint32_t box_add_message(struct sql_tx *tx, struct box *box, const struct mail_message *m)
{
    uint32_t uid = box->uid_next++;
    box->modseq++;
    box->messages++;
    box->unseen += !(m->flags & MAIL_SEEN);
    db_run(tx->db, SQL_MESSAGE_ADD, INT(box->id), INT(uid), INT(box->modseq), INT(m->flags),
           TEXT(m->keywords), INT(m->internal_date.ms), INT(m->size_bytes), INT(m->body_id));
    return uid;
}

void box_remove_message(struct sql_tx *tx, struct box *box, const struct mail_message *m)
{
    box->modseq++;
    box->messages--;
    box->unseen -= !(m->flags & MAIL_SEEN);
    db_run(tx->db, SQL_MESSAGE_REMOVE, INT(box->id), INT(m->uid));
    db_run(tx->db, SQL_EXPUNGED_ADD, INT(box->id), INT(box->modseq), INT(m->uid));
    sql_body_unref(tx, m->body_id);
}

bool sql_mail_purge(struct sql_tx *tx, int rows)
{
    int64_t box_id = db_number(tx->db, SQL_BOX_GIVEN_UP, 0);
    while (box_id != 0 && rows-- > 0) {
        struct db_row *row = db_query(tx->db, SQL_MESSAGE_FROM, INT(box_id), INT(0));
        if (!row) {
            db_run(tx->db, SQL_EXPUNGED_REMOVE, INT(box_id));
            db_run(tx->db, SQL_BOX_REMOVE, INT(box_id));
            break;
        }
        int64_t uid = db_col_i64(row, 0), body_id = db_col_i64(row, 6);
        db_end(row);
        if (db_change(tx->db, SQL_MESSAGE_REMOVE, INT(box_id), INT(uid)) > 0) /* or another did just now */
            sql_body_unref(tx, body_id);
    }
    return box_id != 0;
}

/* ---- looking ---- */

static void show_messages(struct op_mail_changes *o, struct db_row *row)
{
    for (; row; row = db_next(row)) {
        o->ret_items = op_array_grow(&o->op, o->ret_items, o->ret_count, sizeof(*o->ret_items));
        o->ret_items[o->ret_count++] = message_of(&o->op, row);
    }
}

static void show_expunged(struct op_mail_changes *o, struct db_row *row)
{
    for (; row; row = db_next(row)) {
        o->ret_expunged = op_array_grow(&o->op, o->ret_expunged, o->ret_expunged_count, sizeof(uint32_t));
        o->ret_expunged[o->ret_expunged_count++] = (uint32_t)db_col_i64(row, 0);
    }
}

int sql_mail_changes(struct sql_tx *tx, struct store_op *op)
{
    struct op_mail_changes *o = (struct op_mail_changes *)op;
    struct box box;
    if (!box_get(tx, op, o->mailbox_id, &box))
        return ERR_NOT_FOUND;
    if (o->since_modseq == 0) {
        show_messages(o, db_query(tx->db, SQL_MESSAGE_ALL, INT(box.id)));
    } else if (o->since_modseq < box.modseq) {
        show_messages(o, db_query(tx->db, SQL_MESSAGE_SINCE, INT(box.id), INT(o->since_modseq)));
        show_expunged(o, db_query(tx->db, SQL_EXPUNGED_SINCE, INT(box.id), INT(o->since_modseq)));
    }
    o->ret_highest_modseq = box.modseq;
    o->ret_uid_next = box.uid_next;
    o->ret_uid_validity = box.uid_validity;
    return 0;
}

/* ---- adding ---- */

/* One for each user, the same where users are; before anything is written: what fails must leave nothing. */
static int find_inboxes(struct sql_tx *tx, struct op_mail_deliver *o, struct box **ret_inboxes)
{
    struct box inbox;
    for (size_t i = 0; i < o->user_count; i++) {
        if (!box_find_inbox(tx, &o->op, o->users[i], o->wall_s, &inbox))
            return ERR_CORRUPT; /* every user has one, from the first to the last */
        ret_inboxes[i] = NULL;
        for (size_t k = 0; k < i; k++)
            if (ret_inboxes[k]->id == inbox.id)
                ret_inboxes[i] = ret_inboxes[k];
        if (ret_inboxes[i])
            continue;
        ret_inboxes[i] = op_alloc(&o->op, sizeof(inbox));
        *ret_inboxes[i] = inbox;
    }
    return 0;
}

struct delivery {
    struct sql_tx *tx;
    struct op_mail_deliver *o;
    struct box *inbox;
    int64_t body_id;
    bool given;
};

static void give(struct delivery *d)
{
    box_add_message(d->tx, d->inbox,
                    &(struct mail_message){.keywords = STR_EMPTY,
                                           .internal_date = d->o->internal_date,
                                           .size_bytes = d->o->body.size_bytes,
                                           .body_id = d->body_id});
    mail_touch(&d->o->op, &d->o->touched, d->inbox->id);
    d->given = true;
}

/* row: NULL when the custody id came before. */
static void on_claimed(void *arg, struct db_row *row)
{
    if (row)
        give(arg);
}

/* How many of the users got it. */
static size_t deliver_to_all(struct sql_tx *tx, struct op_mail_deliver *o, struct box **inboxes,
                             int64_t body_id)
{
    struct delivery *all = op_alloc(&o->op, o->user_count * sizeof(*all));
    size_t given = 0;
    for (size_t i = 0; i < o->user_count; i++) {
        all[i] = (struct delivery){tx, o, inboxes[i], body_id, false};
        if (o->has_custody)
            db_later(tx->db, SQL_DELIVERED_ADD, on_claimed, &all[i], INT(inboxes[i]->user_id),
                     BLOB(o->custody.bytes, CUSTODY_ID_BYTES));
        else
            give(&all[i]);
    }
    db_catch_up(tx->db);
    for (size_t i = 0; i < o->user_count; i++) {
        if (all[i].given)
            box_save(tx, inboxes[i]);
        given += all[i].given;
    }
    return given;
}

int sql_mail_deliver(struct sql_tx *tx, struct store_op *op)
{
    struct op_mail_deliver *o = (struct op_mail_deliver *)op;
    struct box **inboxes = op_alloc(op, o->user_count * sizeof(struct box *));
    int64_t body_id;
    int err = find_inboxes(tx, o, inboxes);
    if (err != 0 || o->user_count == 0) {
        sql_body_discard(tx, &o->body);
        return err;
    }
    /* References for all, of which those not needed are taken back. */
    err = sql_body_finish(tx, &o->body, (int64_t)o->user_count, &body_id);
    if (err != 0)
        return err;
    for (size_t given = deliver_to_all(tx, o, inboxes, body_id); given < o->user_count; given++)
        sql_body_unref(tx, body_id);
    return 0;
}

int sql_mail_trace(struct sql_tx *tx, struct store_op *op)
{
    struct op_mail_trace *o = (struct op_mail_trace *)op;
    struct db_row *row = db_query(tx->db, SQL_DELIVERED_USERS, BLOB(o->custody.bytes, CUSTODY_ID_BYTES));
    for (; row; row = db_next(row)) {
        o->ret_users = op_array_grow(op, o->ret_users, o->ret_count, sizeof(*o->ret_users));
        o->ret_users[o->ret_count++] = op_str(op, db_col_str(row, 0));
    }
    return 0;
}

int sql_mail_append(struct sql_tx *tx, struct store_op *op)
{
    struct op_mail_append *o = (struct op_mail_append *)op;
    struct box box;
    int64_t body_id;
    if (!box_find(tx, op, user_of(tx, o->user, o->wall_s), o->mailbox, &box)) {
        sql_body_discard(tx, &o->body);
        return ERR_NOT_FOUND;
    }
    int err = sql_body_finish(tx, &o->body, 1, &body_id);
    if (err != 0)
        return err;
    o->ret_uid_validity = box.uid_validity;
    o->ret_uid = box_add_message(tx, &box,
                                 &(struct mail_message){.flags = o->flags,
                                                        .keywords = o->keywords,
                                                        .internal_date = o->internal_date,
                                                        .size_bytes = o->body.size_bytes,
                                                        .body_id = body_id});
    box_save(tx, &box);
    mail_touch(op, &o->touched, box.id);
    return 0;
}

/* ---- changing ---- */

/* The messages of `uids` that there are. */
static size_t chosen(struct sql_tx *tx, struct store_op *op, int64_t box_id, const uint32_t *uids,
                     size_t count, struct mail_message *out)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += message_get(tx, op, box_id, uids[i], &out[found]);
    return found;
}

int sql_mail_flags(struct sql_tx *tx, struct store_op *op)
{
    struct op_mail_flags *o = (struct op_mail_flags *)op;
    struct box box;
    if (!box_get(tx, op, o->mailbox_id, &box))
        return ERR_NOT_FOUND;
    struct mail_message *messages = op_alloc(op, o->uid_count * sizeof(*messages));
    struct str *keywords = op_alloc(op, o->uid_count * sizeof(*keywords));
    size_t count = chosen(tx, op, box.id, o->uids, o->uid_count, messages), changed = 0;
    for (size_t i = 0; i < count; i++) {
        int err = mail_keywords_change(op, messages[i].keywords, o->mode, o->keywords, &keywords[i]);
        if (err != 0)
            return err;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t was = messages[i].flags, is = mail_flags_change(was, o->mode, o->flags);
        if (is == was && str_eq(keywords[i], messages[i].keywords))
            continue;
        box.unseen += !(is & MAIL_SEEN) - !(was & MAIL_SEEN);
        db_run(tx->db, SQL_MESSAGE_FLAG, INT(box.id), INT(messages[i].uid), INT(box.modseq + 1), INT(is),
               TEXT(keywords[i]));
        changed++;
    }
    if (changed == 0)
        return 0;
    box.modseq++;
    box_save(tx, &box);
    mail_touch(op, &o->touched, box.id);
    return 0;
}

int sql_mail_copy(struct sql_tx *tx, struct store_op *op)
{
    struct op_mail_copy *o = (struct op_mail_copy *)op;
    struct box from, to;
    if (!box_get(tx, op, o->mailbox_id, &from) || !box_find(tx, op, from.user_id, o->to_mailbox, &to))
        return ERR_NOT_FOUND;
    struct box *target = to.id == from.id ? &from : &to; /* a box is saved once */
    struct mail_message *messages = op_alloc(op, o->uid_count * sizeof(*messages));
    o->ret_count = chosen(tx, op, from.id, o->uids, o->uid_count, messages);
    o->ret_from = op_alloc(op, o->ret_count * sizeof(uint32_t));
    o->ret_to = op_alloc(op, o->ret_count * sizeof(uint32_t));
    o->ret_uid_validity = to.uid_validity;
    for (size_t i = 0; i < o->ret_count; i++) {
        sql_body_ref(tx, messages[i].body_id, 1);
        o->ret_from[i] = messages[i].uid;
        o->ret_to[i] = box_add_message(tx, target, &messages[i]);
    }
    for (size_t i = 0; o->move && i < o->ret_count; i++)
        box_remove_message(tx, &from, &messages[i]);
    box_save(tx, &from);
    if (target == &to)
        box_save(tx, &to);
    mail_touch(op, &o->touched, to.id);
    if (o->move)
        mail_touch(op, &o->touched, from.id);
    return 0;
}

static bool is_chosen(const struct op_mail_expunge *o, const struct mail_message *m)
{
    return o->always || (m->flags & MAIL_DELETED);
}

int sql_mail_expunge(struct sql_tx *tx, struct store_op *op)
{
    struct op_mail_expunge *o = (struct op_mail_expunge *)op;
    struct box box;
    struct mail_message m;
    if (!box_get(tx, op, o->mailbox_id, &box))
        return ERR_NOT_FOUND;
    uint64_t modseq = box.modseq;
    for (size_t i = 0; o->uids && i < o->uid_count; i++)
        if (message_get(tx, op, box.id, o->uids[i], &m) && is_chosen(o, &m))
            box_remove_message(tx, &box, &m);
    for (uint32_t uid = 0; !o->uids && box_message_from(tx, op, box.id, uid, &m); uid = m.uid + 1)
        if (is_chosen(o, &m))
            box_remove_message(tx, &box, &m);
    if (box.modseq == modseq)
        return 0;
    box_save(tx, &box);
    mail_touch(op, &o->touched, box.id);
    return 0;
}
