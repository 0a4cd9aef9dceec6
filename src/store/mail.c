#include "store/mail.h"

#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "store/front.h"
#include "store/mail_op.h"

struct mail_watch {
    struct watcher watcher;
};

struct mail {
    struct port *port;
    struct watchers watchers; /* by mailbox id */
};

static struct wall_time now_of(const struct mail *m)
{
    return loop_wall(m->port->loop);
}

/* UIDVALIDITY grows with the time of a mailbox's making, RFC 3501 2.3.1.1. */
static uint32_t now_s(const struct mail *m)
{
    return (uint32_t)(now_of(m).ms / 1000);
}

/* ---- instance ---- */

static const struct op_type begin_type = {OP_mail_begin, OP_WRITE, sizeof(struct op_mail_begin),
                                          front_finish_plain, NULL};

struct store_op *mail_instance_begin(struct mail *m, struct str server, int64_t epoch,
                                     void (*on_begin)(void *arg, int err), void *arg)
{
    struct op_mail_begin *o = op_new(m->port, &begin_type, (op_callback)on_begin, arg);
    o->server = op_str(&o->op, server);
    o->epoch = epoch;
    return op_submit(&o->op);
}

static void finish_epoch(struct store_op *op)
{
    ((void (*)(void *, int, int64_t))op->callback)(op->arg, op->err, ((struct op_mail_epoch *)op)->ret_epoch);
}

static const struct op_type epoch_type = {OP_mail_epoch, 0, sizeof(struct op_mail_epoch), finish_epoch, NULL};

struct store_op *mail_epoch(struct mail *m, struct str server,
                            void (*on_epoch)(void *arg, int err, int64_t epoch), void *arg)
{
    struct op_mail_epoch *o = op_new(m->port, &epoch_type, (op_callback)on_epoch, arg);
    o->server = op_str(&o->op, server);
    return op_submit(&o->op);
}

static const struct op_type fence_type = {OP_mail_fence, OP_WRITE, sizeof(struct op_mail_fence),
                                          front_finish_plain, NULL};

struct store_op *mail_fence(struct mail *m, struct str server, int64_t epoch,
                            void (*on_fence)(void *arg, int err), void *arg)
{
    struct op_mail_fence *o = op_new(m->port, &fence_type, (op_callback)on_fence, arg);
    o->server = op_str(&o->op, server);
    o->epoch = epoch;
    return op_submit(&o->op);
}

/* ---- mailboxes ---- */

/* Canonical (INBOX upper case), or ptr NULL for a name that cannot be. */
static struct str canonical_name(struct store_op *op, struct str name)
{
    bool separators_ok = name.len > 0 && name.len <= MAIL_NAME_MAX_BYTES && name.ptr[0] != '/' &&
                         name.ptr[name.len - 1] != '/' && utf8_is_text(name);
    for (size_t i = 0; separators_ok && i < name.len; i++)
        separators_ok = (unsigned char)name.ptr[i] >= ' ' && name.ptr[i] != 0x7f &&
                        !(name.ptr[i] == '/' && name.ptr[i - 1] == '/');
    if (!separators_ok)
        return (struct str){NULL, 0};
    char *copy = op_alloc(op, name.len + 1);
    memcpy(copy, name.ptr, name.len);
    /* INBOX in any case, as the parent of others, too. */
    size_t head = str_find(name, '/', 0);
    if (mail_name_is_inbox(str_sub(name, 0, head == SIZE_MAX ? name.len : head)))
        memcpy(copy, "INBOX", 5);
    return (struct str){copy, name.len};
}

static void finish_list(struct store_op *op)
{
    struct op_mailbox_list *o = (struct op_mailbox_list *)op;
    ((void (*)(void *, int, const struct mail_mailbox *, size_t))op->callback)(op->arg, op->err, o->ret_boxes,
                                                                               o->ret_count);
}

static const struct op_type list_type = {OP_mailbox_list, OP_GUARDED, sizeof(struct op_mailbox_list),
                                         finish_list, NULL};

static struct store_op *submit_list(struct mail *m, const struct op_type *type, struct str user,
                                    struct str name, op_callback callback, void *arg)
{
    struct op_mailbox_list *o = op_new(m->port, type, callback, arg);
    o->user = op_str(&o->op, user);
    o->name = name.ptr ? canonical_name(&o->op, name) : name;
    o->wall_s = now_s(m);
    if (!utf8_is_text(user))
        return op_submit_failed(&o->op, ERR_INVALID);
    if (name.ptr && !o->name.ptr)
        return op_submit_failed(&o->op, ERR_NOT_FOUND);
    return op_submit(&o->op);
}

struct store_op *
mail_mailboxes(struct mail *m, struct str user,
               void (*on_list)(void *arg, int err, const struct mail_mailbox *boxes, size_t count), void *arg)
{
    return submit_list(m, &list_type, user, (struct str){NULL, 0}, (op_callback)on_list, arg);
}

static void finish_find(struct store_op *op)
{
    struct op_mailbox_list *o = (struct op_mailbox_list *)op;
    int err = op->err != 0 || o->ret_count > 0 ? op->err : ERR_NOT_FOUND;
    ((void (*)(void *, int, const struct mail_mailbox *))op->callback)(op->arg, err,
                                                                       err == 0 ? o->ret_boxes : NULL);
}

static const struct op_type find_type = {OP_mailbox_list, OP_GUARDED, sizeof(struct op_mailbox_list),
                                         finish_find, NULL};

struct store_op *mail_mailbox_find(struct mail *m, struct str user, struct str name,
                                   void (*on_find)(void *arg, int err, const struct mail_mailbox *box),
                                   void *arg)
{
    return submit_list(m, &find_type, user, name.ptr ? name : STR_EMPTY, (op_callback)on_find, arg);
}

#define CHANGE_TYPE(kind)                                                                                    \
    {                                                                                                        \
        OP_##kind, OP_WRITE | OP_GUARDED | OP_TOUCHES, sizeof(struct op_mailbox_change), front_finish_plain, \
            NULL                                                                                             \
    }

static const struct op_type create_type = CHANGE_TYPE(mailbox_create);
static const struct op_type delete_type = CHANGE_TYPE(mailbox_delete);
static const struct op_type rename_type = CHANGE_TYPE(mailbox_rename);
static const struct op_type subscribe_type = CHANGE_TYPE(mailbox_subscribe);

static struct store_op *submit_change(struct mail *m, const struct op_type *type, struct str user,
                                      struct str name, struct str to, bool subscribed, op_callback callback,
                                      void *arg)
{
    struct op_mailbox_change *o = op_new(m->port, type, callback, arg);
    o->user = op_str(&o->op, user);
    o->name = canonical_name(&o->op, name);
    o->to = canonical_name(&o->op, to);
    o->subscribed = subscribed;
    o->wall_s = now_s(m);
    if (!o->name.ptr || !o->to.ptr || !utf8_is_text(user))
        return op_submit_failed(&o->op, ERR_INVALID);
    return op_submit(&o->op);
}

struct store_op *mail_mailbox_create(struct mail *m, struct str user, struct str name,
                                     void (*on_done)(void *arg, int err), void *arg)
{
    return submit_change(m, &create_type, user, name, name, false, (op_callback)on_done, arg);
}

struct store_op *mail_mailbox_delete(struct mail *m, struct str user, struct str name,
                                     void (*on_done)(void *arg, int err), void *arg)
{
    return submit_change(m, &delete_type, user, name, name, false, (op_callback)on_done, arg);
}

struct store_op *mail_mailbox_rename(struct mail *m, struct str user, struct str from, struct str to,
                                     void (*on_done)(void *arg, int err), void *arg)
{
    return submit_change(m, &rename_type, user, from, to, false, (op_callback)on_done, arg);
}

struct store_op *mail_mailbox_subscribe(struct mail *m, struct str user, struct str name, bool subscribed,
                                        void (*on_done)(void *arg, int err), void *arg)
{
    return submit_change(m, &subscribe_type, user, name, name, subscribed, (op_callback)on_done, arg);
}

static void finish_trace(struct store_op *op)
{
    struct op_mail_trace *o = (struct op_mail_trace *)op;
    ((void (*)(void *, int, const struct str *, size_t))op->callback)(op->arg, op->err, o->ret_users,
                                                                      o->ret_count);
}

static const struct op_type trace_type = {OP_mail_trace, 0, sizeof(struct op_mail_trace), finish_trace, NULL};

struct store_op *mail_trace(struct mail *m, const struct custody_id *custody,
                            void (*on_trace)(void *arg, int err, const struct str *users, size_t count),
                            void *arg)
{
    struct op_mail_trace *o = op_new(m->port, &trace_type, (op_callback)on_trace, arg);
    o->custody = *custody;
    return op_submit(&o->op);
}

static void finish_recent(struct store_op *op)
{
    ((void (*)(void *, int, uint32_t))op->callback)(op->arg, op->err,
                                                    ((struct op_mail_recent *)op)->ret_first_uid);
}

static const struct op_type recent_type = {OP_mail_recent, OP_WRITE | OP_GUARDED,
                                           sizeof(struct op_mail_recent), finish_recent, NULL};

struct store_op *mail_recent_claim(struct mail *m, int64_t mailbox_id,
                                   void (*on_claim)(void *arg, int err, uint32_t first_uid), void *arg)
{
    struct op_mail_recent *o = op_new(m->port, &recent_type, (op_callback)on_claim, arg);
    o->mailbox_id = mailbox_id;
    return op_submit(&o->op);
}

/* ---- looking ---- */

static void finish_changes(struct store_op *op)
{
    struct op_mail_changes *o = (struct op_mail_changes *)op;
    struct mail_messages messages = {o->ret_items,          o->ret_count,          o->ret_expunged,
                                     o->ret_expunged_count, o->ret_highest_modseq, o->ret_uid_next,
                                     o->ret_uid_validity};
    ((void (*)(void *, int, const struct mail_messages *))op->callback)(op->arg, op->err, &messages);
}

static const struct op_type changes_type = {OP_mail_changes, 0, sizeof(struct op_mail_changes),
                                            finish_changes, NULL};

struct store_op *mail_changes(struct mail *m, int64_t mailbox_id, uint64_t since_modseq,
                              void (*on_changes)(void *arg, int err, const struct mail_messages *messages),
                              void *arg)
{
    struct op_mail_changes *o = op_new(m->port, &changes_type, (op_callback)on_changes, arg);
    o->mailbox_id = mailbox_id;
    o->since_modseq = since_modseq;
    return op_submit(&o->op);
}

struct body_reader *mail_body_open(struct mail *m, int64_t body_id)
{
    return body_reader_new(m->port, 0, body_id);
}

int mail_health(const struct mail *m)
{
    return m->port->ops->health(m->port);
}

struct body_writer *mail_body_begin(struct mail *m, bool held)
{
    int health = mail_health(m);
    if (health != 0 && !(held && health == ERR_DEGRADED))
        return NULL;
    struct body_writer *body = body_writer_new(m->port);
    body_writer_hold(body, held);
    return body;
}

/* ---- adding ---- */

/* For these users; of a name that is no text there is none. */
static int consume(struct mail *m, struct body_writer *body, const struct str *users, size_t count,
                   struct body_tail *tail)
{
    for (size_t i = 0; i < count; i++) {
        if (!utf8_is_text(users[i])) {
            body_abort(body);
            return ERR_INVALID;
        }
    }
    return body_writer_consume(body, m->port, tail);
}

static void release_deliver(struct store_op *op)
{
    body_tail_release(&((struct op_mail_deliver *)op)->body);
}

static const struct op_type deliver_type = {OP_mail_deliver, OP_WRITE | OP_GUARDED | OP_INTAKE | OP_TOUCHES,
                                            sizeof(struct op_mail_deliver), front_finish_plain,
                                            release_deliver};

struct store_op *mail_deliver(struct mail *m, struct body_writer *body, const struct custody_id *custody,
                              const struct str *users, size_t user_count, struct wall_time internal_date,
                              void (*on_deliver)(void *arg, int err), void *arg)
{
    struct op_mail_deliver *o = op_new(m->port, &deliver_type, (op_callback)on_deliver, arg);
    int err = consume(m, body, users, user_count, &o->body);
    if (err != 0)
        return op_submit_failed(&o->op, err);
    o->op.held = o->body.held;
    o->has_custody = custody != NULL;
    if (custody)
        o->custody = *custody;
    o->users = op_alloc(&o->op, user_count * sizeof(*users));
    for (size_t i = 0; i < user_count; i++)
        o->users[i] = op_str(&o->op, users[i]);
    o->user_count = user_count;
    o->internal_date = internal_date;
    o->wall_s = now_s(m);
    return op_submit(&o->op);
}

static void finish_append(struct store_op *op)
{
    struct op_mail_append *o = (struct op_mail_append *)op;
    ((void (*)(void *, int, uint32_t, uint32_t))op->callback)(op->arg, op->err, o->ret_uid_validity,
                                                              o->ret_uid);
}

static void release_append(struct store_op *op)
{
    body_tail_release(&((struct op_mail_append *)op)->body);
}

static const struct op_type append_type = {OP_mail_append, OP_WRITE | OP_GUARDED | OP_INTAKE | OP_TOUCHES,
                                           sizeof(struct op_mail_append), finish_append, release_append};

struct store_op *mail_append(struct mail *m, struct body_writer *body, struct str user, struct str mailbox,
                             uint32_t flags, struct str keywords, struct wall_time internal_date,
                             void (*on_append)(void *arg, int err, uint32_t uid_validity, uint32_t uid),
                             void *arg)
{
    struct op_mail_append *o = op_new(m->port, &append_type, (op_callback)on_append, arg);
    int err = consume(m, body, &user, 1, &o->body);
    if (err == 0)
        err = mail_keywords_change(&o->op, STR_EMPTY, MAIL_FLAGS_SET, op_str(&o->op, keywords), &o->keywords);
    if (err != 0)
        return op_submit_failed(&o->op, err);
    o->user = op_str(&o->op, user);
    o->mailbox = canonical_name(&o->op, mailbox);
    o->flags = flags & MAIL_FLAGS_ALL;
    o->internal_date = internal_date;
    o->wall_s = now_s(m);
    return o->mailbox.ptr ? op_submit(&o->op) : op_submit_failed(&o->op, ERR_NOT_FOUND);
}

/* ---- changing ---- */

static int uid_cmp(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Ascending, each once. */
static uint32_t *copy_uids(struct store_op *op, const uint32_t *uids, size_t *count)
{
    uint32_t *copy = op_alloc(op, *count * sizeof(*copy));
    size_t kept = 0;
    if (*count > 0)
        memcpy(copy, uids, *count * sizeof(*copy));
    qsort(copy, *count, sizeof(*copy), uid_cmp);
    for (size_t i = 0; i < *count; i++)
        if (kept == 0 || copy[kept - 1] != copy[i])
            copy[kept++] = copy[i];
    *count = kept;
    return copy;
}

static const struct op_type flags_type = {OP_mail_flags, OP_WRITE | OP_GUARDED | OP_TOUCHES,
                                          sizeof(struct op_mail_flags), front_finish_plain, NULL};

struct store_op *mail_flags_store(struct mail *m, int64_t mailbox_id, const uint32_t *uids, size_t uid_count,
                                  enum mail_flags_mode mode, uint32_t flags, struct str keywords,
                                  void (*on_done)(void *arg, int err), void *arg)
{
    struct op_mail_flags *o = op_new(m->port, &flags_type, (op_callback)on_done, arg);
    o->mailbox_id = mailbox_id;
    o->uid_count = uid_count;
    o->uids = copy_uids(&o->op, uids, &o->uid_count);
    o->mode = mode;
    o->flags = flags;
    o->keywords = op_str(&o->op, keywords);
    return op_submit(&o->op);
}

static void finish_copy(struct store_op *op)
{
    struct op_mail_copy *o = (struct op_mail_copy *)op;
    ((void (*)(void *, int, uint32_t, const uint32_t *, const uint32_t *, size_t))op->callback)(
        op->arg, op->err, o->ret_uid_validity, o->ret_from, o->ret_to, o->ret_count);
}

static const struct op_type copy_type = {OP_mail_copy, OP_WRITE | OP_GUARDED | OP_TOUCHES,
                                         sizeof(struct op_mail_copy), finish_copy, NULL};

struct store_op *mail_copy(struct mail *m, int64_t mailbox_id, const uint32_t *uids, size_t uid_count,
                           bool move, struct str to_mailbox,
                           void (*on_copy)(void *arg, int err, uint32_t uid_validity,
                                           const uint32_t *from_uids, const uint32_t *to_uids, size_t count),
                           void *arg)
{
    struct op_mail_copy *o = op_new(m->port, &copy_type, (op_callback)on_copy, arg);
    o->mailbox_id = mailbox_id;
    o->uid_count = uid_count;
    o->uids = copy_uids(&o->op, uids, &o->uid_count);
    o->move = move;
    o->to_mailbox = canonical_name(&o->op, to_mailbox);
    return o->to_mailbox.ptr ? op_submit(&o->op) : op_submit_failed(&o->op, ERR_NOT_FOUND);
}

static const struct op_type expunge_type = {OP_mail_expunge, OP_WRITE | OP_GUARDED | OP_TOUCHES,
                                            sizeof(struct op_mail_expunge), front_finish_plain, NULL};

struct store_op *mail_expunge(struct mail *m, int64_t mailbox_id, const uint32_t *uids, size_t uid_count,
                              bool always, void (*on_done)(void *arg, int err), void *arg)
{
    struct op_mail_expunge *o = op_new(m->port, &expunge_type, (op_callback)on_done, arg);
    o->mailbox_id = mailbox_id;
    o->uid_count = uid_count;
    o->uids = uids ? copy_uids(&o->op, uids, &o->uid_count) : NULL;
    o->always = always;
    return op_submit(&o->op);
}

/* ---- watching ---- */

void mail_touch(struct store_op *op, struct mail_touched *touched, int64_t mailbox_id)
{
    for (size_t i = 0; i < touched->count; i++)
        if (touched->ids[i] == mailbox_id)
            return;
    touched->ids = op_array_grow(op, touched->ids, touched->count, sizeof(*touched->ids));
    touched->ids[touched->count++] = mailbox_id;
}

static void on_commit(void *arg, struct store_op *op)
{
    struct mail *m = arg;
    if (!(op->type->flags & OP_TOUCHES))
        return;
    const struct mail_touched *touched = &((struct op_mail_touching *)op)->touched;
    for (size_t i = 0; i < touched->count; i++)
        if (!watchers_tell(&m->watchers, touched->ids[i]))
            return;
}

struct mail_watch *mail_watch_new(struct mail *m, int64_t mailbox_id, void (*on_change)(void *arg), void *arg)
{
    struct mail_watch *w = mem_zalloc(sizeof(*w));
    w->watcher.key = mailbox_id;
    w->watcher.on_change = on_change;
    w->watcher.arg = arg;
    watchers_add(&m->watchers, &w->watcher);
    return w;
}

void mail_watch_free(struct mail_watch *w)
{
    if (!w)
        return;
    watchers_remove(&w->watcher);
    free(w);
}

/* ---- life ---- */

struct mail *mail_new(struct port *p)
{
    struct mail *m = mem_zalloc(sizeof(*m));
    m->port = p;
    watchers_init(&m->watchers);
    p->front = m;
    p->on_commit = on_commit;
    return m;
}

void mail_free(struct mail *m)
{
    watchers_fini(&m->watchers);
    port_close(m->port);
    free(m);
}

struct port *mail_port(struct mail *m)
{
    return m->port;
}
