/* Messages of mailboxes. */
#include "store/memory/mail.h"

#include <string.h>

#include "base/mem.h"
#include "store/mail_op.h"

uint32_t memory_message_add(struct memory_mailbox *box, const struct memory_mail_message *message)
{
    box->messages = mem_reallocarray(box->messages, box->message_count + 1, sizeof(*box->messages));
    struct memory_mail_message *added = &box->messages[box->message_count++];
    *added = *message;
    added->keywords = str_keep(message->keywords);
    added->uid = box->uid_next++;
    added->modseq = ++box->modseq;
    return added->uid;
}

void memory_message_remove(struct memory_mail *mail, struct memory_mailbox *box, size_t index)
{
    struct memory_mail_message *message = &box->messages[index];
    box->expunged = mem_reallocarray(box->expunged, box->expunged_count + 1, sizeof(*box->expunged));
    box->expunged[box->expunged_count++] = (struct memory_expunged){message->uid, ++box->modseq};
    memory_body_unref(&mail->bodies, message->body_id);
    str_drop(&message->keywords);
    memmove(message, message + 1, (box->message_count - index - 1) * sizeof(*message));
    box->message_count--;
}

static struct memory_mailbox *selectable_box(struct memory_tx *tx, int64_t id)
{
    struct memory_mailbox *box = table_get(&tx->device->mail.mailboxes, id);
    return box && box->selectable ? box : NULL;
}

static bool uid_chosen(const uint32_t *uids, size_t count, uint32_t uid)
{
    for (size_t low = 0, high = count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (uids[middle] == uid)
            return true;
        if (uids[middle] < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* ---- looking ---- */

static void show_message(struct op_mail_changes *o, const struct memory_mail_message *message)
{
    o->ret_items = op_array_grow(&o->op, o->ret_items, o->ret_count, sizeof(*o->ret_items));
    o->ret_items[o->ret_count++] = (struct mail_message){.uid = message->uid,
                                                         .flags = message->flags,
                                                         .keywords = op_str(&o->op, message->keywords),
                                                         .modseq = message->modseq,
                                                         .internal_date = message->internal_date,
                                                         .size_bytes = message->size_bytes,
                                                         .body_id = message->body_id};
}

static int uid_cmp(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void show_expunged(struct op_mail_changes *o, const struct memory_mailbox *box)
{
    for (size_t i = 0; i < box->expunged_count; i++) {
        if (box->expunged[i].modseq <= o->since_modseq)
            continue;
        o->ret_expunged = op_array_grow(&o->op, o->ret_expunged, o->ret_expunged_count, sizeof(uint32_t));
        o->ret_expunged[o->ret_expunged_count++] = box->expunged[i].uid;
    }
    if (o->ret_expunged_count > 1)
        qsort(o->ret_expunged, o->ret_expunged_count, sizeof(uint32_t), uid_cmp);
}

int memory_mail_changes(struct memory_tx *tx, struct store_op *op)
{
    struct op_mail_changes *o = (struct op_mail_changes *)op;
    const struct memory_mailbox *box = selectable_box(tx, o->mailbox_id);
    if (!box)
        return ERR_NOT_FOUND;
    for (size_t i = 0; i < box->message_count; i++)
        if (box->messages[i].modseq > o->since_modseq)
            show_message(o, &box->messages[i]);
    if (o->since_modseq > 0)
        show_expunged(o, box);
    o->ret_highest_modseq = box->modseq;
    o->ret_uid_next = box->uid_next;
    o->ret_uid_validity = box->uid_validity;
    return 0;
}

/* ---- adding ---- */

static bool had_already(struct memory_tx *tx, const struct op_mail_deliver *o, struct memory_user *user)
{
    struct str key = {(const char *)o->custody.bytes, CUSTODY_ID_BYTES};
    if (!o->has_custody || tx->device->faults.mutant_no_dedupe)
        return false;
    return map_set(&user->delivered, key, user) != NULL;
}

int memory_mail_trace(struct memory_tx *tx, struct store_op *op)
{
    struct op_mail_trace *o = (struct op_mail_trace *)op;
    struct str key = {(const char *)o->custody.bytes, CUSTODY_ID_BYTES};
    for (struct map_entry *e = tx->device->mail.users.first; e; e = e->next) {
        const struct memory_user *user = e->value;
        if (!map_find(&user->delivered, key))
            continue;
        o->ret_users = op_array_grow(op, o->ret_users, o->ret_count, sizeof(*o->ret_users));
        o->ret_users[o->ret_count++] = op_str(op, user->address);
    }
    return 0;
}

int memory_mail_deliver(struct memory_tx *tx, struct store_op *op)
{
    struct op_mail_deliver *o = (struct op_mail_deliver *)op;
    struct memory_mail *mail = &tx->device->mail;
    int64_t body_id;
    /* One reference of ours while we hand them out. */
    int err = memory_body_finish(tx, &o->body, 1, &body_id);
    if (err != 0)
        return err;
    for (size_t i = 0; i < o->user_count; i++) {
        struct memory_user *user = memory_user_of(mail, o->users[i], o->wall_s);
        struct memory_mailbox *inbox = memory_mailbox_find(mail, user, STR("INBOX"));
        if (had_already(tx, o, user))
            continue;
        memory_body_ref(&mail->bodies, body_id);
        memory_message_add(inbox, &(struct memory_mail_message){.keywords = STR_EMPTY,
                                                                .internal_date = o->internal_date,
                                                                .size_bytes = o->body.size_bytes,
                                                                .body_id = body_id});
        mail_touch(op, &o->touched, inbox->id);
    }
    memory_body_unref(&mail->bodies, body_id);
    return 0;
}

int memory_mail_append(struct memory_tx *tx, struct store_op *op)
{
    struct op_mail_append *o = (struct op_mail_append *)op;
    struct memory_mail *mail = &tx->device->mail;
    struct memory_mailbox *box =
        memory_mailbox_find(mail, memory_user_of(mail, o->user, o->wall_s), o->mailbox);
    int64_t body_id;
    if (!box || !box->selectable)
        return ERR_NOT_FOUND;
    int err = memory_body_finish(tx, &o->body, 1, &body_id);
    if (err != 0)
        return err;
    o->ret_uid_validity = box->uid_validity;
    o->ret_uid = memory_message_add(box, &(struct memory_mail_message){.flags = o->flags,
                                                                       .keywords = o->keywords,
                                                                       .internal_date = o->internal_date,
                                                                       .size_bytes = o->body.size_bytes,
                                                                       .body_id = body_id});
    mail_touch(op, &o->touched, box->id);
    return 0;
}

/* ---- changing ---- */

static bool change_message(struct memory_mail_message *message, const struct op_mail_flags *o,
                           struct str keywords, uint64_t modseq)
{
    uint32_t flags = mail_flags_change(message->flags, o->mode, o->flags);
    if (flags == message->flags && str_eq(keywords, message->keywords))
        return false;
    message->flags = flags;
    str_replace(&message->keywords, keywords);
    message->modseq = modseq;
    return true;
}

int memory_mail_flags(struct memory_tx *tx, struct store_op *op)
{
    struct op_mail_flags *o = (struct op_mail_flags *)op;
    struct memory_mailbox *box = selectable_box(tx, o->mailbox_id);
    bool changed = false;
    if (!box)
        return ERR_NOT_FOUND;
    struct str *keywords = op_alloc(op, box->message_count * sizeof(*keywords));
    for (size_t i = 0; i < box->message_count; i++) {
        int err = mail_keywords_change(op, box->messages[i].keywords, o->mode, o->keywords, &keywords[i]);
        if (err != 0 && uid_chosen(o->uids, o->uid_count, box->messages[i].uid))
            return err;
    }
    for (size_t i = 0; i < box->message_count; i++)
        if (uid_chosen(o->uids, o->uid_count, box->messages[i].uid))
            changed |= change_message(&box->messages[i], o, keywords[i], box->modseq + 1);
    if (changed) {
        box->modseq++;
        mail_touch(op, &o->touched, box->id);
    }
    return 0;
}

static void copy_one(struct memory_mail *mail, struct op_mail_copy *o, struct memory_mailbox *to,
                     const struct memory_mail_message *message)
{
    struct memory_mail_message copy = *message; /* the array may move under us */
    memory_body_ref(&mail->bodies, copy.body_id);
    copy.keywords = op_str(&o->op, copy.keywords);
    o->ret_from[o->ret_count] = copy.uid;
    o->ret_to[o->ret_count++] = memory_message_add(to, &copy);
}

int memory_mail_copy(struct memory_tx *tx, struct store_op *op)
{
    struct op_mail_copy *o = (struct op_mail_copy *)op;
    struct memory_mail *mail = &tx->device->mail;
    struct memory_mailbox *from = selectable_box(tx, o->mailbox_id);
    struct memory_mailbox *to = from ? memory_mailbox_find(mail, from->user, o->to_mailbox) : NULL;
    if (!to || !to->selectable)
        return ERR_NOT_FOUND;
    o->ret_from = op_alloc(op, o->uid_count * sizeof(uint32_t));
    o->ret_to = op_alloc(op, o->uid_count * sizeof(uint32_t));
    o->ret_uid_validity = to->uid_validity;
    size_t count = from->message_count; /* without what is added when from is to */
    for (size_t i = 0; i < count; i++)
        if (uid_chosen(o->uids, o->uid_count, from->messages[i].uid))
            copy_one(mail, o, to, &from->messages[i]);
    for (size_t i = count; o->move && i-- > 0;)
        if (uid_chosen(o->uids, o->uid_count, from->messages[i].uid))
            memory_message_remove(mail, from, i);
    mail_touch(op, &o->touched, to->id);
    if (o->move)
        mail_touch(op, &o->touched, from->id);
    return 0;
}

int memory_mail_expunge(struct memory_tx *tx, struct store_op *op)
{
    struct op_mail_expunge *o = (struct op_mail_expunge *)op;
    struct memory_mailbox *box = selectable_box(tx, o->mailbox_id);
    if (!box)
        return ERR_NOT_FOUND;
    for (size_t i = box->message_count; i-- > 0;) {
        const struct memory_mail_message *message = &box->messages[i];
        if ((o->uids && !uid_chosen(o->uids, o->uid_count, message->uid)) ||
            !(o->always || (message->flags & MAIL_DELETED)))
            continue;
        memory_message_remove(&tx->device->mail, box, i);
        mail_touch(op, &o->touched, box->id);
    }
    return 0;
}
