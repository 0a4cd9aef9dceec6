/* The messages of the session: the INBOX as it was at the login. */
#include "base/err.h"
#include "base/mem.h"
#include "pop3/command.h"

static void on_messages(void *arg, int err, const struct mail_messages *all)
{
    struct pop3_session *s = arg;
    s->op = NULL;
    if (err) {
        pop3_fail(s, err);
        return;
    }
    s->uid_validity = all->uid_validity;
    s->messages = mem_calloc(all->count, sizeof(s->messages[0]));
    for (s->count = 0; s->count < all->count; s->count++) {
        const struct mail_message *m = &all->items[s->count];
        s->messages[s->count] =
            (struct pop3_message){.uid = m->uid, .size_bytes = m->size_bytes, .body_id = m->body_id};
    }
    s->state = POP3_TRANSACTION;
    pop3_ok(s, "%zu messages", s->count);
}

static void on_find(void *arg, int err, const struct mail_mailbox *box)
{
    struct pop3_session *s = arg;
    s->op = NULL;
    if (err) {
        pop3_fail(s, err == ERR_NOT_FOUND ? ERR_UNAVAILABLE : err);
        return;
    }
    s->mailbox_id = box->id;
    s->op = mail_changes(s->mail, box->id, 0, on_messages, s);
}

void pop3_maildrop_open(struct pop3_session *s)
{
    s->op = mail_mailbox_find(s->mail, str_from(s->user), STR("INBOX"), on_find, s);
}

struct pop3_message *pop3_message_of(struct pop3_session *s, struct str number, size_t *ret_index)
{
    uint64_t n;
    if (pop3_number_parse(number, &n) != 0 || n == 0 || n > s->count) {
        pop3_err(s, "There is no such message, only %zu", s->count);
        return NULL;
    }
    if (s->messages[n - 1].deleted) {
        pop3_err(s, "Message %llu is deleted", (unsigned long long)n);
        return NULL;
    }
    *ret_index = (size_t)n - 1;
    return &s->messages[n - 1];
}
