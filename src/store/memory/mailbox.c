/* Instances, users and their mailboxes. */
#include <string.h>

#include "base/mem.h"
#include "store/mail_op.h"
#include "store/memory/mail.h"

/* ---- instances ---- */

static struct memory_instance *instance_of(struct memory_mail *mail, struct str server)
{
    struct memory_instance *instance = map_find(&mail->instances, server);
    if (!instance) {
        instance = mem_zalloc(sizeof(*instance));
        map_set(&mail->instances, server, instance);
    }
    return instance;
}

int memory_mail_begin(struct memory_tx *tx, struct store_op *op)
{
    struct op_mail_begin *o = (struct op_mail_begin *)op;
    struct memory_instance *instance = instance_of(&tx->device->mail, o->server);
    if (instance->epoch >= o->epoch)
        return ERR_FENCED;
    instance->epoch = *tx->epoch = o->epoch;
    str_replace(tx->server, o->server);
    return 0;
}

int memory_mail_epoch(struct memory_tx *tx, struct store_op *op)
{
    struct op_mail_epoch *o = (struct op_mail_epoch *)op;
    const struct memory_instance *instance = map_find(&tx->device->mail.instances, o->server);
    o->ret_epoch = instance ? instance->epoch : 0;
    return 0;
}

int memory_mail_fence(struct memory_tx *tx, struct store_op *op)
{
    struct op_mail_fence *o = (struct op_mail_fence *)op;
    struct memory_instance *instance = instance_of(&tx->device->mail, o->server);
    if (instance->epoch < o->epoch)
        instance->epoch = o->epoch;
    return 0;
}

/* ---- users and mailboxes ---- */

static struct memory_mailbox *mailbox_add(struct memory_mail *mail, struct memory_user *user, struct str name,
                                          uint32_t wall_s)
{
    struct memory_mailbox *box = mem_zalloc(sizeof(*box));
    box->user = user;
    box->name = str_keep(name);
    box->uid_validity = user->uid_validity_last = mail_next_validity(user->uid_validity_last, wall_s);
    box->uid_next = box->recent_from = 1;
    box->modseq = 1;
    box->selectable = true;
    box->id = table_add(&mail->mailboxes, box);
    return box;
}

struct memory_user *memory_user_of(struct memory_mail *mail, struct str address, uint32_t wall_s)
{
    struct memory_user *user = map_find(&mail->users, address);
    if (!user) {
        user = mem_zalloc(sizeof(*user));
        user->address = str_keep(address);
        map_init(&user->delivered);
        map_set(&mail->users, address, user);
        mailbox_add(mail, user, STR("INBOX"), wall_s);
    }
    return user;
}

struct memory_mailbox *memory_mailbox_find(const struct memory_mail *mail, const struct memory_user *user,
                                           struct str name)
{
    for (size_t i = 0; i < mail->mailboxes.count; i++) {
        struct memory_mailbox *box = mail->mailboxes.items[i];
        if (box && box->user == user && str_eq(box->name, name))
            return box;
    }
    return NULL;
}

static size_t mailbox_count(const struct memory_mail *mail, const struct memory_user *user)
{
    size_t count = 0;
    for (size_t i = 0; i < mail->mailboxes.count; i++) {
        const struct memory_mailbox *box = mail->mailboxes.items[i];
        count += box && box->user == user;
    }
    return count;
}

static bool has_children(const struct memory_mail *mail, const struct memory_mailbox *parent)
{
    for (size_t i = 0; i < mail->mailboxes.count; i++) {
        const struct memory_mailbox *box = mail->mailboxes.items[i];
        if (box && box->user == parent->user && mail_name_is_child(box->name, parent->name))
            return true;
    }
    return false;
}

static void add_parents(struct memory_mail *mail, struct memory_user *user, struct str name, uint32_t wall_s)
{
    struct str parent = {name.ptr, 0};
    while (mail_name_next_parent(name, parent.len, &parent))
        if (!memory_mailbox_find(mail, user, parent))
            mailbox_add(mail, user, parent, wall_s);
}

void memory_mailbox_free(void *arg)
{
    struct memory_mailbox *box = arg;
    for (size_t i = 0; i < box->message_count; i++)
        str_drop(&box->messages[i].keywords);
    free(box->messages);
    free(box->expunged);
    str_drop(&box->name);
    free(box);
}

void memory_mail_fini(struct memory_mail *mail)
{
    table_fini(&mail->mailboxes, memory_mailbox_free);
    table_fini(&mail->bodies, memory_body_free);
    for (struct map_entry *e = mail->users.first; e; e = e->next) {
        struct memory_user *user = e->value;
        map_fini(&user->delivered);
        str_drop(&user->address);
        free(user);
    }
    for (struct map_entry *e = mail->instances.first; e; e = e->next)
        free(e->value);
    map_fini(&mail->users);
    map_fini(&mail->instances);
}

/* ---- list ---- */

static void show_box(struct op_mailbox_list *o, const struct memory_mailbox *box)
{
    o->ret_boxes = op_array_grow(&o->op, o->ret_boxes, o->ret_count, sizeof(*o->ret_boxes));
    struct mail_mailbox *out = &o->ret_boxes[o->ret_count++];
    *out = (struct mail_mailbox){.id = box->id,
                                 .name = op_str(&o->op, box->name),
                                 .uid_validity = box->uid_validity,
                                 .uid_next = box->uid_next,
                                 .highest_modseq = box->modseq,
                                 .messages = (uint32_t)box->message_count,
                                 .subscribed = box->subscribed,
                                 .selectable = box->selectable};
    for (size_t i = 0; i < box->message_count; i++) {
        out->unseen += !(box->messages[i].flags & MAIL_SEEN);
        out->recent += box->messages[i].uid >= box->recent_from;
    }
}

static int box_cmp(const void *a, const void *b)
{
    return str_cmp(((const struct mail_mailbox *)a)->name, ((const struct mail_mailbox *)b)->name);
}

int memory_mailbox_list(struct memory_tx *tx, struct store_op *op)
{
    struct op_mailbox_list *o = (struct op_mailbox_list *)op;
    struct memory_mail *mail = &tx->device->mail;
    const struct memory_user *user = memory_user_of(mail, o->user, o->wall_s);
    for (size_t i = 0; i < mail->mailboxes.count; i++) {
        const struct memory_mailbox *box = mail->mailboxes.items[i];
        if (box && box->user == user && (!o->name.ptr || str_eq(box->name, o->name)))
            show_box(o, box);
    }
    if (o->ret_count > 1)
        qsort(o->ret_boxes, o->ret_count, sizeof(*o->ret_boxes), box_cmp);
    return 0;
}

/* ---- changes ---- */

int memory_mailbox_create(struct memory_tx *tx, struct store_op *op)
{
    struct op_mailbox_change *o = (struct op_mailbox_change *)op;
    struct memory_mail *mail = &tx->device->mail;
    struct memory_user *user = memory_user_of(mail, o->user, o->wall_s);
    struct memory_mailbox *box = memory_mailbox_find(mail, user, o->name);
    if (box && box->selectable)
        return ERR_EXISTS;
    if (mailbox_count(mail, user) >= MAIL_MAILBOXES_MAX)
        return ERR_LIMIT;
    add_parents(mail, user, o->name, o->wall_s);
    if (box)
        box->selectable = true;
    else
        mailbox_add(mail, user, o->name, o->wall_s);
    return 0;
}

static void empty_mailbox(struct memory_mail *mail, struct memory_mailbox *box)
{
    while (box->message_count > 0)
        memory_message_remove(mail, box, box->message_count - 1);
}

int memory_mailbox_delete(struct memory_tx *tx, struct store_op *op)
{
    struct op_mailbox_change *o = (struct op_mailbox_change *)op;
    struct memory_mail *mail = &tx->device->mail;
    struct memory_mailbox *box = memory_mailbox_find(mail, memory_user_of(mail, o->user, o->wall_s), o->name);
    if (mail_name_is_inbox(o->name))
        return ERR_INVALID;
    if (!box)
        return ERR_NOT_FOUND;
    bool parent = has_children(mail, box);
    if (parent && !box->selectable)
        return ERR_INVALID;
    mail_touch(op, &o->touched, box->id);
    empty_mailbox(mail, box);
    if (parent) {
        box->selectable = false;
        box->uid_validity = box->user->uid_validity_last =
            mail_next_validity(box->user->uid_validity_last, o->wall_s);
        box->uid_next = box->recent_from = 1;
    } else {
        mail->mailboxes.items[box->id - 1] = NULL;
        memory_mailbox_free(box);
    }
    return 0;
}

static void rename_tree(struct memory_mail *mail, struct memory_user *user, struct str from, struct str to)
{
    for (size_t i = 0; i < mail->mailboxes.count; i++) {
        struct memory_mailbox *box = mail->mailboxes.items[i];
        if (!box || box->user != user || !(str_eq(box->name, from) || mail_name_is_child(box->name, from)))
            continue;
        char *text = mem_asprintf("%.*s%.*s", STR_ARG(to), STR_ARG(str_sub(box->name, from.len, SIZE_MAX)));
        str_drop(&box->name);
        box->name = str_from(text);
    }
}

/* The messages of the INBOX go, the INBOX stays (RFC 3501 6.3.5). */
static void rename_inbox(struct memory_mail *mail, struct memory_mailbox *inbox, struct memory_mailbox *to)
{
    for (size_t i = 0; i < inbox->message_count; i++) {
        memory_body_ref(&mail->bodies, inbox->messages[i].body_id);
        memory_message_add(to, &inbox->messages[i]);
    }
    empty_mailbox(mail, inbox);
}

int memory_mailbox_rename(struct memory_tx *tx, struct store_op *op)
{
    struct op_mailbox_change *o = (struct op_mailbox_change *)op;
    struct memory_mail *mail = &tx->device->mail;
    struct memory_user *user = memory_user_of(mail, o->user, o->wall_s);
    struct memory_mailbox *box = memory_mailbox_find(mail, user, o->name);
    if (!box)
        return ERR_NOT_FOUND;
    if (memory_mailbox_find(mail, user, o->to))
        return ERR_EXISTS;
    if (mail_name_is_child(o->to, o->name) && !mail_name_is_inbox(o->name))
        return ERR_INVALID;
    add_parents(mail, user, o->to, o->wall_s);
    mail_touch(op, &o->touched, box->id);
    if (mail_name_is_inbox(o->name))
        rename_inbox(mail, box, mailbox_add(mail, user, o->to, o->wall_s));
    else
        rename_tree(mail, user, o->name, o->to);
    return 0;
}

int memory_mailbox_subscribe(struct memory_tx *tx, struct store_op *op)
{
    struct op_mailbox_change *o = (struct op_mailbox_change *)op;
    struct memory_mail *mail = &tx->device->mail;
    struct memory_mailbox *box = memory_mailbox_find(mail, memory_user_of(mail, o->user, o->wall_s), o->name);
    if (!box)
        return ERR_NOT_FOUND;
    box->subscribed = o->subscribed;
    return 0;
}

int memory_mail_recent(struct memory_tx *tx, struct store_op *op)
{
    struct op_mail_recent *o = (struct op_mail_recent *)op;
    struct memory_mailbox *box = table_get(&tx->device->mail.mailboxes, o->mailbox_id);
    if (!box)
        return ERR_NOT_FOUND;
    o->ret_first_uid = box->recent_from;
    box->recent_from = box->uid_next;
    return 0;
}
