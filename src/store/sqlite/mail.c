/* Messages of mailboxes in SQLite. */
#include "store/sqlite/mail.h"

struct message_list {
    struct mail_message *items; /* in the operation's arena */
    size_t count;
};

static void take_message(struct store_op *op, struct message_list *list, sqlite3_stmt *s)
{
    list->items = op_array_grow(op, list->items, list->count, sizeof(*list->items));
    list->items[list->count++] = (struct mail_message){
        .uid = (uint32_t)sqlite3_column_int64(s, 0),
        .flags = (uint32_t)sqlite3_column_int64(s, 1),
        .keywords = db_op_text(op, s, 2),
        .modseq = (uint64_t)sqlite3_column_int64(s, 3),
        .internal_date = {sqlite3_column_int64(s, 4)},
        .size_bytes = (uint64_t)sqlite3_column_int64(s, 5),
        .body_id = sqlite3_column_int64(s, 6),
    };
}

static int collect(struct sqlite_tx *tx, struct store_op *op, sqlite3_stmt *s, struct message_list *list)
{
    int rc;
    while ((rc = db_step(tx->db, s)) == 1)
        take_message(op, list, s);
    return rc;
}

#define MESSAGE_COLUMNS "SELECT uid, flags, keywords, modseq, internal_date, size, body_id FROM message "

/* All of a mailbox (uids NULL), or those of uids that are there, by uid. */
static int find_messages(struct sqlite_tx *tx, struct store_op *op, int64_t mailbox_id, const uint32_t *uids,
                         size_t count, struct message_list *list)
{
    static const char all[] = MESSAGE_COLUMNS "WHERE mailbox_id = ?1 ORDER BY uid";
    static const char one[] = MESSAGE_COLUMNS "WHERE mailbox_id = ?1 AND uid = ?2";
    if (!uids)
        return collect(tx, op, db_query(tx->db, all, "i", mailbox_id), list);
    int err = 0;
    for (size_t i = 0; err == 0 && i < count; i++)
        err = collect(tx, op, db_query(tx->db, one, "ii", mailbox_id, (int64_t)uids[i]), list);
    return err;
}

static int add_message(struct sqlite_tx *tx, struct sqlite_mailbox *box, const struct mail_message *m,
                       uint32_t *ret_uid)
{
    static const char sql[] =
        "INSERT INTO message(mailbox_id, uid, flags, keywords, modseq, internal_date, size,"
        " body_id) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    *ret_uid = box->uid_next++;
    box->modseq++;
    box->messages_by++;
    box->unseen_by += !(m->flags & MAIL_SEEN);
    return db_run(tx->db, sql, "iiituiui", box->id, (int64_t)*ret_uid, (int64_t)m->flags, m->keywords,
                  box->modseq, m->internal_date.ms, m->size_bytes, m->body_id);
}

static int remove_message(struct sqlite_tx *tx, struct sqlite_mailbox *box, const struct mail_message *m)
{
    static const char sql[] = "DELETE FROM message WHERE mailbox_id = ?1 AND uid = ?2";
    static const char note[] = "INSERT INTO expunged(mailbox_id, modseq, uid) VALUES(?1, ?2, ?3)";
    box->modseq++;
    box->messages_by--;
    box->unseen_by -= !(m->flags & MAIL_SEEN);
    int err = db_run(tx->db, sql, "ii", box->id, (int64_t)m->uid);
    if (err == 0)
        err = db_run(tx->db, note, "iui", box->id, box->modseq, (int64_t)m->uid);
    return err == 0 ? sqlite_body_unref(tx, m->body_id) : err;
}

int sqlite_mailbox_empty(struct sqlite_tx *tx, struct store_op *op, struct sqlite_mailbox *box)
{
    struct message_list list = {0};
    int err = find_messages(tx, op, box->id, NULL, 0, &list);
    for (size_t i = 0; err == 0 && i < list.count; i++)
        err = remove_message(tx, box, &list.items[i]);
    return err == 0 ? sqlite_mailbox_save(tx, box) : err;
}

static int copy_message(struct sqlite_tx *tx, struct sqlite_mailbox *to, const struct mail_message *m,
                        uint32_t *ret_uid)
{
    int err = sqlite_body_ref(tx, m->body_id, 1);
    return err == 0 ? add_message(tx, to, m, ret_uid) : err;
}

int sqlite_messages_copy_all(struct sqlite_tx *tx, struct store_op *op, const struct sqlite_mailbox *from,
                             struct sqlite_mailbox *to)
{
    struct message_list list = {0};
    uint32_t uid;
    int err = find_messages(tx, op, from->id, NULL, 0, &list);
    for (size_t i = 0; err == 0 && i < list.count; i++)
        err = copy_message(tx, to, &list.items[i], &uid);
    return err == 0 ? sqlite_mailbox_save(tx, to) : err;
}

/* ---- looking ---- */

static int collect_expunged(struct sqlite_tx *tx, struct op_mail_changes *o)
{
    static const char sql[] = "SELECT uid FROM expunged WHERE mailbox_id = ?1 AND modseq > ?2 ORDER BY uid";
    sqlite3_stmt *s = db_query(tx->db, sql, "iu", o->mailbox_id, o->since_modseq);
    int rc;
    while ((rc = db_step(tx->db, s)) == 1) {
        o->ret_expunged = op_array_grow(&o->op, o->ret_expunged, o->ret_expunged_count, sizeof(uint32_t));
        o->ret_expunged[o->ret_expunged_count++] = (uint32_t)sqlite3_column_int64(s, 0);
    }
    return rc;
}

int sqlite_mail_changes(struct sqlite_tx *tx, struct store_op *op)
{
    static const char since[] = MESSAGE_COLUMNS "WHERE mailbox_id = ?1 AND modseq > ?2 ORDER BY uid";
    struct op_mail_changes *o = (struct op_mail_changes *)op;
    struct sqlite_mailbox box;
    struct message_list list = {0};
    int err = sqlite_mailbox_get(tx, o->mailbox_id, &box);
    if (err == 0 && o->since_modseq == 0)
        err = find_messages(tx, op, o->mailbox_id, NULL, 0, &list);
    else if (err == 0)
        err = collect(tx, op, db_query(tx->db, since, "iu", o->mailbox_id, o->since_modseq), &list);
    if (err == 0 && o->since_modseq > 0)
        err = collect_expunged(tx, o);
    if (err != 0)
        return err;
    o->ret_items = list.items;
    o->ret_count = list.count;
    o->ret_highest_modseq = box.modseq;
    o->ret_uid_next = box.uid_next;
    o->ret_uid_validity = box.uid_validity;
    return 0;
}

/* ---- adding ---- */

/* Remembers the custody id for the user; *ret_had: it was there. */
static int note_custody(struct sqlite_tx *tx, const struct op_mail_deliver *o, int64_t user_id, bool *ret_had)
{
    static const char sql[] = "INSERT OR IGNORE INTO custody(user_id, id) VALUES(?1, ?2)";
    *ret_had = false;
    if (!o->has_custody)
        return 0;
    int err =
        db_run(tx->db, sql, "ib", user_id, (struct str){(const char *)o->custody.bytes, CUSTODY_ID_BYTES});
    *ret_had = err == 0 && db_changes(tx->db) == 0;
    return err;
}

static int deliver_one(struct sqlite_tx *tx, struct op_mail_deliver *o, struct str address, int64_t body_id)
{
    struct mail_message message = {.keywords = STR_EMPTY,
                                   .internal_date = o->internal_date,
                                   .size_bytes = o->body.size_bytes,
                                   .body_id = body_id};
    struct sqlite_mailbox inbox;
    int64_t user_id;
    uint32_t uid;
    bool had;
    int err = sqlite_user_of(tx, address, o->wall_s, &user_id);
    if (err == 0)
        err = note_custody(tx, o, user_id, &had);
    if (err != 0 || had)
        return err;
    err = sqlite_mailbox_find(tx, user_id, STR("INBOX"), &inbox);
    if (err == 0)
        err = copy_message(tx, &inbox, &message, &uid);
    if (err == 0)
        mail_touch(&o->op, &o->touched, inbox.id);
    return err == 0 ? sqlite_mailbox_save(tx, &inbox) : err;
}

int sqlite_mail_deliver(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_mail_deliver *o = (struct op_mail_deliver *)op;
    int64_t body_id;
    /* One reference of ours while we hand them out. */
    int err = sqlite_body_finish(tx, &o->body, 1, &body_id);
    for (size_t i = 0; err == 0 && i < o->user_count; i++)
        err = deliver_one(tx, o, o->users[i], body_id);
    return err == 0 ? sqlite_body_unref(tx, body_id) : err;
}

int sqlite_mail_append(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_mail_append *o = (struct op_mail_append *)op;
    struct sqlite_mailbox box;
    struct mail_message message = {.flags = o->flags,
                                   .keywords = o->keywords,
                                   .internal_date = o->internal_date,
                                   .size_bytes = o->body.size_bytes};
    int64_t user_id;
    int err = sqlite_user_of(tx, o->user, o->wall_s, &user_id);
    if (err == 0)
        err = sqlite_mailbox_find(tx, user_id, o->mailbox, &box);
    if (err == 0 && !box.selectable)
        err = ERR_NOT_FOUND;
    if (err == 0)
        err = sqlite_body_finish(tx, &o->body, 1, &message.body_id);
    if (err == 0)
        err = add_message(tx, &box, &message, &o->ret_uid);
    if (err != 0)
        return err;
    o->ret_uid_validity = box.uid_validity;
    mail_touch(op, &o->touched, box.id);
    return sqlite_mailbox_save(tx, &box);
}

/* ---- changing ---- */

static int change_flags(struct sqlite_tx *tx, struct op_mail_flags *o, struct sqlite_mailbox *box,
                        const struct mail_message *m, uint64_t modseq, bool *ret_changed)
{
    static const char sql[] =
        "UPDATE message SET flags = ?3, keywords = ?4, modseq = ?5 WHERE mailbox_id = ?1"
        " AND uid = ?2";
    struct str keywords;
    uint32_t flags = mail_flags_change(m->flags, o->mode, o->flags);
    int err = mail_keywords_change(&o->op, m->keywords, o->mode, o->keywords, &keywords);
    if (err != 0 || (flags == m->flags && str_eq(keywords, m->keywords)))
        return err;
    *ret_changed = true;
    box->unseen_by += !(flags & MAIL_SEEN) - !(m->flags & MAIL_SEEN);
    return db_run(tx->db, sql, "iiitu", box->id, (int64_t)m->uid, (int64_t)flags, keywords, modseq);
}

int sqlite_mail_flags(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_mail_flags *o = (struct op_mail_flags *)op;
    struct sqlite_mailbox box;
    struct message_list list = {0};
    bool changed = false;
    int err = sqlite_mailbox_get(tx, o->mailbox_id, &box);
    if (err == 0)
        err = find_messages(tx, op, box.id, o->uids, o->uid_count, &list);
    for (size_t i = 0; err == 0 && i < list.count; i++)
        err = change_flags(tx, o, &box, &list.items[i], box.modseq + 1, &changed);
    if (err != 0 || !changed)
        return err;
    box.modseq++;
    mail_touch(op, &o->touched, box.id);
    return sqlite_mailbox_save(tx, &box);
}

static int copy_list(struct sqlite_tx *tx, struct op_mail_copy *o, const struct message_list *list,
                     struct sqlite_mailbox *to)
{
    int err = 0;
    o->ret_from = op_alloc(&o->op, list->count * sizeof(uint32_t));
    o->ret_to = op_alloc(&o->op, list->count * sizeof(uint32_t));
    for (; err == 0 && o->ret_count < list->count; o->ret_count++) {
        o->ret_from[o->ret_count] = list->items[o->ret_count].uid;
        err = copy_message(tx, to, &list->items[o->ret_count], &o->ret_to[o->ret_count]);
    }
    return err == 0 ? sqlite_mailbox_save(tx, to) : err;
}

static int remove_list(struct sqlite_tx *tx, struct op_mail_copy *o, const struct message_list *list)
{
    struct sqlite_mailbox from; /* read anew: it may be the mailbox that was copied to */
    int err = sqlite_mailbox_get(tx, o->mailbox_id, &from);
    for (size_t i = 0; err == 0 && i < list->count; i++)
        err = remove_message(tx, &from, &list->items[i]);
    if (err == 0)
        mail_touch(&o->op, &o->touched, from.id);
    return err == 0 ? sqlite_mailbox_save(tx, &from) : err;
}

int sqlite_mail_copy(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_mail_copy *o = (struct op_mail_copy *)op;
    struct sqlite_mailbox from, to;
    struct message_list list = {0};
    int err = sqlite_mailbox_get(tx, o->mailbox_id, &from);
    if (err == 0)
        err = sqlite_mailbox_find(tx, from.user_id, o->to_mailbox, &to);
    if (err == 0 && !to.selectable)
        err = ERR_NOT_FOUND;
    if (err == 0)
        err = find_messages(tx, op, from.id, o->uids, o->uid_count, &list);
    if (err == 0)
        err = copy_list(tx, o, &list, &to);
    if (err != 0)
        return err;
    o->ret_uid_validity = to.uid_validity;
    mail_touch(op, &o->touched, to.id);
    return o->move ? remove_list(tx, o, &list) : 0;
}

int sqlite_mail_expunge(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_mail_expunge *o = (struct op_mail_expunge *)op;
    struct sqlite_mailbox box;
    struct message_list list = {0};
    int err = sqlite_mailbox_get(tx, o->mailbox_id, &box);
    if (err == 0)
        err = find_messages(tx, op, box.id, o->uids, o->uid_count, &list);
    for (size_t i = 0; err == 0 && i < list.count; i++) {
        if (!o->always && !(list.items[i].flags & MAIL_DELETED))
            continue;
        mail_touch(op, &o->touched, box.id);
        err = remove_message(tx, &box, &list.items[i]);
    }
    return err == 0 ? sqlite_mailbox_save(tx, &box) : err;
}
