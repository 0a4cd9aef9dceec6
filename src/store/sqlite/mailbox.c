/* Instances, users and their mailboxes in SQLite. */
#include "base/mem.h"
#include "store/sqlite/mail.h"

const char sqlite_schema_mail[] =
    "CREATE TABLE server(name TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE user(id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE, validity_last INTEGER NOT NULL);"
    "CREATE TABLE mailbox(id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER NOT NULL, name TEXT NOT NULL,"
    " uid_validity INTEGER NOT NULL, uid_next INTEGER NOT NULL, recent_from INTEGER NOT NULL,"
    " modseq INTEGER NOT NULL, subscribed INTEGER NOT NULL, selectable INTEGER NOT NULL,"
    " messages INTEGER NOT NULL, unseen INTEGER NOT NULL, UNIQUE(user_id, name));"
    "CREATE TABLE message(mailbox_id INTEGER NOT NULL, uid INTEGER NOT NULL, flags INTEGER NOT NULL,"
    " keywords TEXT NOT NULL, modseq INTEGER NOT NULL, internal_date INTEGER NOT NULL, size INTEGER NOT NULL,"
    " body_id INTEGER NOT NULL, PRIMARY KEY(mailbox_id, uid)) WITHOUT ROWID;"
    "CREATE INDEX message_modseq ON message(mailbox_id, modseq);"
    "CREATE TABLE expunged(mailbox_id INTEGER NOT NULL, modseq INTEGER NOT NULL, uid INTEGER NOT NULL,"
    " PRIMARY KEY(mailbox_id, modseq, uid)) WITHOUT ROWID;"
    "CREATE TABLE custody(user_id INTEGER NOT NULL, id BLOB NOT NULL, PRIMARY KEY(user_id, id)) WITHOUT "
    "ROWID;";

/* ---- instances ---- */

static int stored_epoch(struct sqlite_tx *tx, struct str server, int64_t *ret_epoch)
{
    static const char sql[] = "SELECT epoch FROM server WHERE name = ?1";
    int err = db_get(tx->db, ret_epoch, sql, "t", server);
    if (err == ERR_NOT_FOUND) {
        *ret_epoch = 0;
        return 0;
    }
    return err;
}

static int raise_epoch(struct sqlite_tx *tx, struct str server, int64_t epoch)
{
    static const char sql[] = "INSERT INTO server(name, epoch) VALUES(?1, ?2)"
                              " ON CONFLICT(name) DO UPDATE SET epoch = max(epoch, ?2)";
    return db_run(tx->db, sql, "ti", server, epoch);
}

int sqlite_mail_check_epoch(struct sqlite_tx *tx)
{
    int64_t epoch;
    if (!tx->server->ptr)
        return ERR_FENCED;
    int err = stored_epoch(tx, *tx->server, &epoch);
    if (err != 0)
        return err;
    return epoch == *tx->epoch ? 0 : ERR_FENCED;
}

int sqlite_mail_begin(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_mail_begin *o = (struct op_mail_begin *)op;
    int64_t epoch;
    int err = stored_epoch(tx, o->server, &epoch);
    if (err != 0)
        return err;
    if (epoch >= o->epoch)
        return ERR_FENCED;
    err = raise_epoch(tx, o->server, o->epoch);
    if (err != 0)
        return err;
    *tx->epoch = o->epoch;
    free((void *)(uintptr_t)tx->server->ptr);
    *tx->server = (struct str){str_dup(o->server), o->server.len};
    tx->writer = tx->server->ptr;
    return sqlite_bodies_abandon(tx);
}

int sqlite_mail_epoch(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_mail_epoch *o = (struct op_mail_epoch *)op;
    return stored_epoch(tx, o->server, &o->ret_epoch);
}

int sqlite_mail_fence(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_mail_fence *o = (struct op_mail_fence *)op;
    return raise_epoch(tx, o->server, o->epoch);
}

/* ---- users and mailboxes ---- */

static int add_mailbox(struct sqlite_tx *tx, int64_t user_id, struct str name, uint32_t wall_s)
{
    static const char sql[] =
        "INSERT INTO mailbox(user_id, name, uid_validity, uid_next, recent_from, modseq,"
        " subscribed, selectable, messages, unseen) VALUES(?1, ?2, ?3, 1, 1, 1, 0, 1, 0, 0)";
    uint32_t validity;
    int err = sqlite_next_validity(tx, user_id, wall_s, &validity);
    return err == 0 ? db_run(tx->db, sql, "iti", user_id, name, (int64_t)validity) : err;
}

int sqlite_next_validity(struct sqlite_tx *tx, int64_t user_id, uint32_t wall_s, uint32_t *ret_validity)
{
    static const char look[] = "SELECT validity_last FROM user WHERE id = ?1";
    static const char set[] = "UPDATE user SET validity_last = ?2 WHERE id = ?1";
    int64_t last;
    int err = db_get(tx->db, &last, look, "i", user_id);
    if (err != 0)
        return err;
    *ret_validity = mail_next_validity((uint32_t)last, wall_s);
    return db_run(tx->db, set, "ii", user_id, (int64_t)*ret_validity);
}

static int find_user(struct sqlite_tx *tx, struct str address, int64_t *ret_id)
{
    static const char sql[] = "SELECT id FROM user WHERE address = ?1";
    return db_get(tx->db, ret_id, sql, "t", address);
}

int sqlite_user_of(struct sqlite_tx *tx, struct str address, uint32_t wall_s, int64_t *ret_id)
{
    static const char sql[] = "INSERT INTO user(address, validity_last) VALUES(?1, 0)";
    int err = find_user(tx, address, ret_id);
    if (err != ERR_NOT_FOUND)
        return err;
    err = db_run(tx->db, sql, "t", address);
    if (err != 0)
        return err;
    *ret_id = db_last_id(tx->db);
    return add_mailbox(tx, *ret_id, STR("INBOX"), wall_s);
}

int sqlite_mailbox_find(struct sqlite_tx *tx, int64_t user_id, struct str name,
                        struct sqlite_mailbox *ret_box)
{
    static const char sql[] = "SELECT id, uid_validity, uid_next, modseq, selectable FROM mailbox"
                              " WHERE user_id = ?1 AND name = ?2";
    sqlite3_stmt *s = db_query(tx->db, sql, "it", user_id, name);
    int rc = db_step(tx->db, s);
    if (rc <= 0)
        return rc < 0 ? rc : ERR_NOT_FOUND;
    *ret_box = (struct sqlite_mailbox){.id = sqlite3_column_int64(s, 0),
                                       .user_id = user_id,
                                       .uid_validity = (uint32_t)sqlite3_column_int64(s, 1),
                                       .uid_next = (uint32_t)sqlite3_column_int64(s, 2),
                                       .modseq = (uint64_t)sqlite3_column_int64(s, 3),
                                       .selectable = sqlite3_column_int(s, 4) != 0};
    db_end(s);
    return 0;
}

int sqlite_mailbox_get(struct sqlite_tx *tx, int64_t id, struct sqlite_mailbox *ret_box)
{
    static const char sql[] = "SELECT user_id, uid_validity, uid_next, modseq FROM mailbox WHERE id = ?1"
                              " AND selectable";
    sqlite3_stmt *s = db_query(tx->db, sql, "i", id);
    int rc = db_step(tx->db, s);
    if (rc <= 0)
        return rc < 0 ? rc : ERR_NOT_FOUND;
    *ret_box = (struct sqlite_mailbox){.id = id,
                                       .user_id = sqlite3_column_int64(s, 0),
                                       .uid_validity = (uint32_t)sqlite3_column_int64(s, 1),
                                       .uid_next = (uint32_t)sqlite3_column_int64(s, 2),
                                       .modseq = (uint64_t)sqlite3_column_int64(s, 3),
                                       .selectable = true};
    db_end(s);
    return 0;
}

int sqlite_mailbox_save(struct sqlite_tx *tx, const struct sqlite_mailbox *box)
{
    static const char sql[] = "UPDATE mailbox SET uid_next = ?2, modseq = ?3, messages = messages + ?4,"
                              " unseen = unseen + ?5 WHERE id = ?1";
    return db_run(tx->db, sql, "iiuii", box->id, (int64_t)box->uid_next, box->modseq, box->messages_by,
                  box->unseen_by);
}

/* ---- list ---- */

static void show_box(struct op_mailbox_list *o, sqlite3_stmt *s)
{
    o->ret_boxes = op_array_grow(&o->op, o->ret_boxes, o->ret_count, sizeof(*o->ret_boxes));
    uint32_t next = (uint32_t)sqlite3_column_int64(s, 3);
    o->ret_boxes[o->ret_count++] = (struct mail_mailbox){
        .id = sqlite3_column_int64(s, 0),
        .name = db_op_text(&o->op, s, 1),
        .uid_validity = (uint32_t)sqlite3_column_int64(s, 2),
        .uid_next = next,
        .highest_modseq = (uint64_t)sqlite3_column_int64(s, 4),
        .subscribed = sqlite3_column_int(s, 5) != 0,
        .selectable = sqlite3_column_int(s, 6) != 0,
        .messages = (uint32_t)sqlite3_column_int64(s, 7),
        .unseen = (uint32_t)sqlite3_column_int64(s, 8),
        .recent = (uint32_t)sqlite3_column_int64(s, 9),
    };
}

static int collect_boxes(struct sqlite_tx *tx, struct op_mailbox_list *o, int64_t user_id)
{
    static const char sql[] =
        "SELECT id, name, uid_validity, uid_next, modseq, subscribed, selectable, messages, unseen,"
        " (SELECT count(*) FROM message m WHERE m.mailbox_id = b.id AND m.uid >= b.recent_from)"
        " FROM mailbox b WHERE user_id = ?1 AND (?2 IS NULL OR name = ?2) ORDER BY name";
    sqlite3_stmt *s = db_query(tx->db, sql, "iT", user_id, o->name);
    int rc;
    while ((rc = db_step(tx->db, s)) == 1)
        show_box(o, s);
    return rc;
}

int sqlite_mailbox_list(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_mailbox_list *o = (struct op_mailbox_list *)op;
    int64_t user_id;
    int err = find_user(tx, o->user, &user_id);
    if (err == ERR_NOT_FOUND && sqlite3_get_autocommit(tx->db->handle))
        return OP_AGAIN; /* the INBOX has to be made, by a writer */
    if (err == ERR_NOT_FOUND)
        err = sqlite_user_of(tx, o->user, o->wall_s, &user_id);
    return err == 0 ? collect_boxes(tx, o, user_id) : err;
}

/* ---- changes ---- */

static int begin_change(struct sqlite_tx *tx, const struct op_mailbox_change *o, int64_t *ret_user,
                        struct sqlite_mailbox *ret_box)
{
    int err = sqlite_user_of(tx, o->user, o->wall_s, ret_user);
    return err == 0 ? sqlite_mailbox_find(tx, *ret_user, o->name, ret_box) : err;
}

static int add_parents(struct sqlite_tx *tx, int64_t user_id, struct str name, uint32_t wall_s)
{
    struct str parent = {name.ptr, 0};
    int err = 0;
    while (err == 0 && mail_name_next_parent(name, parent.len, &parent)) {
        struct sqlite_mailbox box;
        err = sqlite_mailbox_find(tx, user_id, parent, &box);
        if (err == ERR_NOT_FOUND)
            err = add_mailbox(tx, user_id, parent, wall_s);
    }
    return err;
}

static int check_count(struct sqlite_tx *tx, int64_t user_id)
{
    static const char sql[] = "SELECT count(*) FROM mailbox WHERE user_id = ?1";
    int64_t count;
    int err = db_get(tx->db, &count, sql, "i", user_id);
    return err == 0 && count >= MAIL_MAILBOXES_MAX ? ERR_LIMIT : err;
}

int sqlite_mailbox_create(struct sqlite_tx *tx, struct store_op *op)
{
    static const char again[] = "UPDATE mailbox SET selectable = 1 WHERE id = ?1";
    struct op_mailbox_change *o = (struct op_mailbox_change *)op;
    struct sqlite_mailbox box;
    int64_t user_id;
    int err = begin_change(tx, o, &user_id, &box);
    if (err == 0)
        return box.selectable ? ERR_EXISTS : db_run(tx->db, again, "i", box.id);
    if (err == ERR_NOT_FOUND)
        err = check_count(tx, user_id);
    if (err == 0)
        err = add_parents(tx, user_id, o->name, o->wall_s);
    return err == 0 ? add_mailbox(tx, user_id, o->name, o->wall_s) : err;
}

/* Names below a parent sort between "parent/" and "parent0" ('0' follows '/'). */
static int has_children(struct sqlite_tx *tx, int64_t user_id, struct str name, bool *ret_has)
{
    static const char sql[] =
        "SELECT 1 FROM mailbox WHERE user_id = ?1 AND name > ?2 || '/' AND name < ?2 || '0'";
    int64_t one;
    int err = db_get(tx->db, &one, sql, "it", user_id, name);
    *ret_has = err == 0;
    return err == ERR_NOT_FOUND ? 0 : err;
}

static int make_parent_only(struct sqlite_tx *tx, const struct sqlite_mailbox *box, uint32_t wall_s)
{
    static const char sql[] =
        "UPDATE mailbox SET selectable = 0, uid_validity = ?2, uid_next = 1, recent_from = 1"
        " WHERE id = ?1";
    uint32_t validity;
    int err = sqlite_next_validity(tx, box->user_id, wall_s, &validity);
    return err == 0 ? db_run(tx->db, sql, "ii", box->id, (int64_t)validity) : err;
}

static int forget_mailbox(struct sqlite_tx *tx, int64_t id)
{
    static const char expunged[] = "DELETE FROM expunged WHERE mailbox_id = ?1";
    static const char sql[] = "DELETE FROM mailbox WHERE id = ?1";
    int err = db_run(tx->db, expunged, "i", id);
    return err == 0 ? db_run(tx->db, sql, "i", id) : err;
}

int sqlite_mailbox_delete(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_mailbox_change *o = (struct op_mailbox_change *)op;
    struct sqlite_mailbox box;
    int64_t user_id;
    bool parent;
    if (mail_name_is_inbox(o->name))
        return ERR_INVALID;
    int err = begin_change(tx, o, &user_id, &box);
    if (err == 0)
        err = has_children(tx, user_id, o->name, &parent);
    if (err == 0 && parent && !box.selectable)
        err = ERR_INVALID;
    if (err == 0)
        err = sqlite_mailbox_empty(tx, op, &box);
    if (err != 0)
        return err;
    mail_touch(op, &o->touched, box.id);
    return parent ? make_parent_only(tx, &box, o->wall_s) : forget_mailbox(tx, box.id);
}

static int rename_tree(struct sqlite_tx *tx, int64_t user_id, struct str from, struct str to)
{
    static const char sql[] =
        "UPDATE mailbox SET name = ?3 || substr(name, length(?2) + 1) WHERE user_id = ?1"
        " AND (name = ?2 OR (name > ?2 || '/' AND name < ?2 || '0'))";
    return db_run(tx->db, sql, "itt", user_id, from, to);
}

/* The messages of the INBOX go, the INBOX stays (RFC 3501 6.3.5). */
static int rename_inbox(struct sqlite_tx *tx, struct op_mailbox_change *o, struct sqlite_mailbox *inbox)
{
    struct sqlite_mailbox to;
    int err = add_mailbox(tx, inbox->user_id, o->to, o->wall_s);
    if (err == 0)
        err = sqlite_mailbox_find(tx, inbox->user_id, o->to, &to);
    if (err == 0)
        err = sqlite_messages_copy_all(tx, &o->op, inbox, &to);
    return err == 0 ? sqlite_mailbox_empty(tx, &o->op, inbox) : err;
}

static int check_target(struct sqlite_tx *tx, const struct op_mailbox_change *o, int64_t user_id)
{
    struct sqlite_mailbox there;
    int err = sqlite_mailbox_find(tx, user_id, o->to, &there);
    if (err != ERR_NOT_FOUND)
        return err == 0 ? ERR_EXISTS : err;
    return mail_name_is_child(o->to, o->name) && !mail_name_is_inbox(o->name) ? ERR_INVALID : 0;
}

int sqlite_mailbox_rename(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_mailbox_change *o = (struct op_mailbox_change *)op;
    struct sqlite_mailbox box;
    int64_t user_id;
    int err = begin_change(tx, o, &user_id, &box);
    if (err == 0)
        err = check_target(tx, o, user_id);
    if (err == 0)
        err = add_parents(tx, user_id, o->to, o->wall_s);
    if (err != 0)
        return err;
    mail_touch(op, &o->touched, box.id);
    return mail_name_is_inbox(o->name) ? rename_inbox(tx, o, &box) : rename_tree(tx, user_id, o->name, o->to);
}

int sqlite_mailbox_subscribe(struct sqlite_tx *tx, struct store_op *op)
{
    static const char sql[] = "UPDATE mailbox SET subscribed = ?2 WHERE id = ?1";
    struct op_mailbox_change *o = (struct op_mailbox_change *)op;
    struct sqlite_mailbox box;
    int64_t user_id;
    int err = begin_change(tx, o, &user_id, &box);
    return err == 0 ? db_run(tx->db, sql, "ii", box.id, (int64_t)o->subscribed) : err;
}

int sqlite_mail_recent(struct sqlite_tx *tx, struct store_op *op)
{
    static const char look[] = "SELECT recent_from FROM mailbox WHERE id = ?1";
    static const char set[] =
        "UPDATE mailbox SET recent_from = uid_next WHERE id = ?1 AND recent_from < uid_next";
    struct op_mail_recent *o = (struct op_mail_recent *)op;
    int64_t first;
    int err = db_get(tx->db, &first, look, "i", o->mailbox_id);
    if (err != 0)
        return err;
    o->ret_first_uid = (uint32_t)first;
    return db_run(tx->db, set, "i", o->mailbox_id);
}
