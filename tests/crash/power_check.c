#include <sqlite3.h>
#include <stdio.h>

#include "base/mem.h"
#include "crash/power.h"

struct check {
    struct rig *rig;
    struct queue *queue; /* NULL: there is none */
    struct mail *mail;
    int64_t inbox; /* 0: there is none */
    struct mail_messages messages;
    int wrong;
};

static void wrong(struct check *c, const char *what, uint64_t id)
{
    fprintf(stderr, "power: %s %llu\n", what, (unsigned long long)id);
    c->wrong++;
}

/* ---- what is there is whole ---- */

static void check_file(struct check *c, const char *name)
{
    char path[256];
    sqlite3 *handle;
    sqlite3_stmt *st;
    snprintf(path, sizeof(path), "%s/%s", c->rig->dir, name);
    if (sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK) {
        if (sqlite3_prepare_v2(handle, "PRAGMA integrity_check", -1, &st, NULL) != SQLITE_OK ||
            sqlite3_step(st) != SQLITE_ROW || strcmp((const char *)sqlite3_column_text(st, 0), "ok") != 0)
            wrong(c, name, 0);
        sqlite3_finalize(st);
    }
    sqlite3_close(handle);
}

static uint64_t number_of(const struct custody_id *id)
{
    uint64_t number;
    memcpy(&number, id->bytes + 8, sizeof(number));
    return number;
}

static void check_content(struct check *c, struct answer body, uint64_t id)
{
    char *content = message_content(id);
    if (body.err != 0 || body.text.len != message_size(id) ||
        memcmp(body.text.ptr, content, body.text.len) != 0)
        wrong(c, "torn body of", id);
    free(content);
}

static struct answer rows_of(struct check *c, uint64_t id)
{
    struct custody_id custody = id_of(id);
    struct queue_filter f = {.custody_id = &custody, .states = 0x3f, .limit = 100};
    return list_rows(c->rig, c->queue, &f);
}

static void check_queue(struct check *c)
{
    struct queue_filter all = {.states = 0x3f, .limit = 1000};
    struct answer a = list_rows(c->rig, c->queue, &all);
    if (a.err != 0)
        wrong(c, "unreadable queue", 0);
    for (size_t i = 0; i < a.count; i++) {
        const struct queue_delivery *d = &((const struct queue_delivery *)a.items)[i];
        uint64_t id = number_of(&d->custody_id);
        if (rows_of(c, id).count != message_recipients(id))
            wrong(c, "not all recipients of", id);
        if (d->state == QUEUE_WAITING)
            check_content(c, read_body(c->rig, queue_body_open(c->queue, d->message_id)), id);
    }
}

static void check_inbox(struct check *c)
{
    for (size_t i = 0; i < c->messages.count; i++) {
        struct answer body = read_body(c->rig, mail_body_open(c->mail, c->messages.items[i].body_id));
        if (body.err != 0 || body.text.len != c->messages.items[i].size_bytes)
            wrong(c, "torn mail of uid", c->messages.items[i].uid);
    }
}

/* ---- what was acknowledged is there ---- */

static void is_accepted(struct check *c, uint64_t id)
{
    if (!c->queue || rows_of(c, id).count == 0)
        wrong(c, "lost accept", id);
}

static void is_refused(struct check *c, uint64_t id)
{
    if (c->queue && rows_of(c, id).count > 0)
        wrong(c, "refused, and there", id);
}

static void is_settled(struct check *c, uint64_t id)
{
    struct answer a = c->queue ? rows_of(c, id) : (struct answer){0};
    if (a.count == 0 || ((const struct queue_delivery *)a.items)[0].state != QUEUE_DELIVERED)
        wrong(c, "lost settlement", id);
}

static const struct mail_message *by_uid(struct check *c, uint64_t uid)
{
    for (size_t i = 0; i < c->messages.count; i++)
        if (c->messages.items[i].uid == uid)
            return &c->messages.items[i];
    return NULL;
}

static void is_flagged(struct check *c, uint64_t uid)
{
    const struct mail_message *m = by_uid(c, uid);
    if (c->messages.uid_next <= uid || (m && !(m->flags & MAIL_SEEN)))
        wrong(c, "lost flag of uid", uid);
}

static void is_expunged(struct check *c, uint64_t uid)
{
    if (c->messages.uid_next <= uid || by_uid(c, uid))
        wrong(c, "lost expunge of uid", uid);
}

/* Delivered mail may have been expunged since; what is delivered again must not
 * be shown a second time, so the store has to know of it. */
static void is_mailed(struct check *c, uint64_t id, bool expected)
{
    size_t before = c->messages.count;
    const char *to[] = {READER, NULL};
    struct mail_messages now;
    if (c->inbox == 0 && expected)
        wrong(c, "lost mail", id);
    if (c->inbox == 0)
        return;
    char *content = message_content(id);
    int err = deliver(c->rig, c->mail, id, content, to);
    free(content);
    if (err != 0 || changes(c->rig, c->mail, c->inbox, 0, &now).err != 0)
        wrong(c, "no delivery after recovery", id);
    else if ((now.count == before) != expected)
        wrong(c, expected ? "lost mail" : "refused mail, and there", id);
    c->messages = now;
}

static void is_recorded(struct check *c, uint64_t id)
{
    char key[32];
    snprintf(key, sizeof(key), "%llu", (unsigned long long)id);
    struct answer a = records(c->rig, c->rig->network, "record", key);
    if (a.count != 1 || !str_eq(((const struct network_record *)a.items)->value, str_from(key)))
        wrong(c, "lost record", id);
}

static void check_line(struct check *c, const char *what, uint64_t id)
{
    if (strcmp(what, "accept") == 0)
        is_accepted(c, id);
    else if (strcmp(what, "refused") == 0)
        is_refused(c, id);
    else if (strcmp(what, "settle") == 0)
        is_settled(c, id);
    else if (strcmp(what, "flag") == 0)
        is_flagged(c, id);
    else if (strcmp(what, "expunge") == 0)
        is_expunged(c, id);
    else if (strcmp(what, "mail") == 0)
        is_mailed(c, id, true);
    else if (strcmp(what, "mail-refused") == 0)
        is_mailed(c, id, false);
    else if (strcmp(what, "record") == 0)
        is_recorded(c, id);
}

bool power_check(struct rig *r, const char *ledger)
{
    struct check c = {.rig = r};
    struct err_buf eb;
    char what[32];
    unsigned long long id;
    int used = 0, err;
    check_file(&c, "network.db");
    check_file(&c, "mail.db");
    check_file(&c, "queue-" QUEUE_NAME ".db");
    if (store_queue_read(r->store, STR(QUEUE_NAME), &c.queue, &eb) == 0)
        check_queue(&c);
    c.mail = begin_mail(r, r->store, SERVER_NAME, 1000000000, NULL);
    c.inbox = mailbox(r, c.mail, READER, "INBOX", &err).id;
    if (c.inbox != 0 && changes(r, c.mail, c.inbox, 0, &c.messages).err == 0)
        check_inbox(&c);
    for (; sscanf(ledger, "%31s %llu\n%n", what, &id, &used) == 2; ledger += used)
        check_line(&c, what, id);
    return c.wrong == 0;
}
