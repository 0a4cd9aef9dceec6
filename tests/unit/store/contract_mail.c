#include "rig.h"

#include <stdio.h>

#define ALICE "alice@example.test"
#define BOB   "bob@example.test"

static const char *const to_alice[] = {ALICE, NULL};

static struct mail *new_mail(struct rig *r)
{
    return begin_mail(r, r->store, "mail1", 1, NULL);
}

static struct mail_messages all_of(struct rig *r, struct mail *m, const char *name)
{
    struct mail_messages messages;
    assert_ok(changes(r, m, mailbox(r, m, ALICE, name, NULL).id, 0, &messages).err);
    return messages;
}

static void on_append(void *arg, int err, uint32_t uid_validity, uint32_t uid)
{
    struct answer *a = arg;
    a->number = uid;
    a->second = uid_validity;
    on_plain(a, err);
}

static struct answer append_as(struct rig *r, struct mail *m, const char *name, uint32_t flags,
                               const char *keywords)
{
    ASK(r, a);
    struct body_writer *w = mail_body_begin(m, false);
    body_append(w, "appended", 8);
    mail_append(m, w, STR(ALICE), str_from(name), flags, str_from(keywords), (struct wall_time){777000},
                on_append, &a);
    rig_wait(r, &a.done);
    return a;
}

typedef struct store_op *(*mailbox_fn)(struct mail *m, struct str user, struct str name,
                                       void (*on_done)(void *arg, int err), void *arg);

static int box_call(struct rig *r, struct mail *m, mailbox_fn fn, const char *name)
{
    ASK(r, a);
    fn(m, STR(ALICE), str_from(name), on_plain, &a);
    rig_wait(r, &a.done);
    return a.err;
}

static int box_create(struct rig *r, struct mail *m, const char *name)
{
    return box_call(r, m, mail_mailbox_create, name);
}

static int box_delete(struct rig *r, struct mail *m, const char *name)
{
    return box_call(r, m, mail_mailbox_delete, name);
}

static int box_rename(struct rig *r, struct mail *m, const char *from, const char *to)
{
    ASK(r, a);
    mail_mailbox_rename(m, STR(ALICE), str_from(from), str_from(to), on_plain, &a);
    rig_wait(r, &a.done);
    return a.err;
}

static int flag(struct rig *r, struct mail *m, int64_t box, uint32_t uid, enum mail_flags_mode mode,
                uint32_t flags, const char *keywords)
{
    ASK(r, a);
    mail_flags_store(m, box, &uid, 1, mode, flags, str_from(keywords), on_plain, &a);
    rig_wait(r, &a.done);
    return a.err;
}

static int expunge(struct rig *r, struct mail *m, int64_t box, const uint32_t *uids, size_t count,
                   bool always)
{
    ASK(r, a);
    mail_expunge(m, box, uids, count, always, on_plain, &a);
    rig_wait(r, &a.done);
    return a.err;
}

struct copied {
    struct answer answer;
    uint32_t from[8], to[8];
    size_t count;
};

static void on_copy(void *arg, int err, uint32_t uid_validity, const uint32_t *from, const uint32_t *to,
                    size_t count)
{
    struct copied *c = arg;
    c->count = count;
    c->answer.number = uid_validity;
    for (size_t i = 0; i < count; i++) {
        c->from[i] = from[i];
        c->to[i] = to[i];
    }
    on_plain(&c->answer, err);
}

static struct copied copy(struct rig *r, struct mail *m, int64_t box, const uint32_t *uids, size_t count,
                          bool move, const char *to)
{
    struct copied c = {.answer = {.rig = r}};
    mail_copy(m, box, uids, count, move, str_from(to), on_copy, &c);
    rig_wait(r, &c.answer.done);
    return c;
}

/* ---- instances ---- */

static void on_epoch(void *arg, int err, int64_t epoch)
{
    ((struct answer *)arg)->number = epoch;
    on_plain(arg, err);
}

static int64_t epoch_of(struct rig *r, struct mail *m, const char *server)
{
    ASK(r, a);
    mail_epoch(m, str_from(server), on_epoch, &a);
    rig_wait(r, &a.done);
    assert_ok(a.err);
    return a.number;
}

static void each_instance_needs_a_higher_epoch(void **state)
{
    struct rig *r = *state;
    struct store *west = rig_open(r);
    int err;
    struct mail *east_mail = begin_mail(r, r->store, "mail1", 3, NULL);
    assert_int_equal(epoch_of(r, east_mail, "mail1"), 3);
    assert_int_equal(epoch_of(r, east_mail, "mail2"), 0);
    struct mail *west_mail = begin_mail(r, west, "mail1", 3, &err);
    assert_err(err, ERR_FENCED);
    assert_ok(deliver(r, east_mail, 1, "x", to_alice));
    assert_ok(box_create(r, east_mail, "before"));
    west_mail = begin_mail(r, west, "mail1", 4, NULL);
    assert_err(box_create(r, east_mail, "after"), ERR_FENCED);
    assert_err(deliver(r, east_mail, 2, "x", to_alice), ERR_FENCED);
    assert_ok(deliver(r, west_mail, 2, "x", to_alice));
    assert_int_equal(mailbox(r, west_mail, ALICE, "INBOX", NULL).messages, 2);
    rig_close(r, west);
}

static void servers_do_not_fence_each_other(void **state)
{
    struct rig *r = *state;
    struct store *west = rig_open(r);
    struct mail *one = begin_mail(r, r->store, "mail1", 1, NULL),
                *two = begin_mail(r, west, "mail2", 9, NULL);
    assert_ok(deliver(r, one, 1, "x", to_alice));
    assert_ok(deliver(r, two, 2, "x", to_alice));
    rig_close(r, west);
}

static int fence(struct rig *r, struct mail *m, const char *server, int64_t epoch)
{
    ASK(r, a);
    mail_fence(m, str_from(server), epoch, on_plain, &a);
    rig_wait(r, &a.done);
    return a.err;
}

static void a_fence_needs_no_instance(void **state)
{
    struct rig *r = *state;
    struct store *director = rig_open(r);
    struct mail *m = begin_mail(r, r->store, "mail1", 3, NULL), *d;
    struct err_buf eb;
    assert_ok(store_mail(director, &d, &eb));
    assert_null(mail_body_begin(d, false));
    assert_ok(fence(r, d, "mail1", 2));
    assert_ok(deliver(r, m, 1, "x", to_alice));
    assert_ok(fence(r, d, "mail1", 4));
    assert_err(deliver(r, m, 2, "x", to_alice), ERR_FENCED);
    assert_int_equal(epoch_of(r, d, "mail1"), 4);
    rig_close(r, director);
}

/* ---- delivery ---- */

static void a_delivery_is_in_each_inbox(void **state)
{
    struct rig *r = *state;
    struct mail *m = new_mail(r);
    const char *both[] = {ALICE, BOB, NULL};
    struct mail_messages messages;
    assert_ok(deliver(r, m, 1, "Subject: hi\r\n\r\nhello\r\n", both));
    struct mail_mailbox box = mailbox(r, m, BOB, "inbox", NULL);
    assert_str(box.name, "INBOX");
    assert_int_equal(box.messages, 1);
    assert_int_equal(box.unseen, 1);
    assert_int_equal(box.recent, 1);
    assert_true(box.selectable);
    assert_ok(changes(r, m, box.id, 0, &messages).err);
    assert_int_equal(messages.count, 1);
    assert_int_equal(messages.items[0].size_bytes, 22);
    assert_int_equal(messages.items[0].internal_date.ms, 1234000);
    assert_int_equal(messages.uid_next, messages.items[0].uid + 1);
    assert_str(read_body(r, mail_body_open(m, messages.items[0].body_id)).text,
               "Subject: hi\r\n\r\nhello\r\n");
    assert_int_equal(all_of(r, m, "INBOX").items[0].body_id, messages.items[0].body_id);
}

static void a_custody_id_is_shown_once(void **state)
{
    struct rig *r = *state;
    struct mail *m = new_mail(r);
    const char *both[] = {ALICE, BOB, NULL};
    assert_ok(deliver(r, m, 1, "x", to_alice));
    assert_ok(deliver(r, m, 1, "x", both));
    assert_int_equal(mailbox(r, m, ALICE, "INBOX", NULL).messages, 1);
    assert_int_equal(mailbox(r, m, BOB, "INBOX", NULL).messages, 1);
    assert_ok(expunge(r, m, mailbox(r, m, ALICE, "INBOX", NULL).id, NULL, 0, true));
    assert_ok(deliver(r, m, 1, "x", to_alice));
    assert_int_equal(mailbox(r, m, ALICE, "INBOX", NULL).messages, 0);
    assert_ok(deliver(r, m, 0, "x", to_alice));
    assert_ok(deliver(r, m, 0, "x", to_alice));
    assert_int_equal(mailbox(r, m, ALICE, "INBOX", NULL).messages, 2);
}

static void it_is_shown_once_under_a_later_instance_too(void **state)
{
    struct rig *r = *state;
    struct store *west = rig_open(r);
    struct mail *m = new_mail(r);
    assert_ok(deliver(r, m, 1, "x", to_alice));
    struct mail *other = begin_mail(r, west, "mail1", 2, NULL);
    assert_ok(deliver(r, other, 1, "x", to_alice));
    assert_int_equal(mailbox(r, other, ALICE, "INBOX", NULL).messages, 1);
    rig_close(r, west);
}

static void a_body_goes_with_its_last_message(void **state)
{
    struct rig *r = *state;
    struct mail *m = new_mail(r);
    assert_ok(deliver(r, m, 1, "shared", to_alice));
    struct mail_message message = all_of(r, m, "INBOX").items[0];
    int64_t inbox = mailbox(r, m, ALICE, "INBOX", NULL).id;
    assert_ok(box_create(r, m, "kept"));
    assert_int_equal(copy(r, m, inbox, &message.uid, 1, false, "kept").count, 1);
    assert_ok(expunge(r, m, inbox, NULL, 0, true));
    assert_str(read_body(r, mail_body_open(m, message.body_id)).text, "shared");
    assert_ok(box_delete(r, m, "kept"));
    assert_err(read_body(r, mail_body_open(m, message.body_id)).err, ERR_NOT_FOUND);
}

/* ---- append, flags ---- */

static void an_append_has_its_flags(void **state)
{
    struct rig *r = *state;
    struct mail *m = new_mail(r);
    assert_ok(box_create(r, m, "Sent"));
    struct answer a = append_as(r, m, "Sent", MAIL_SEEN | MAIL_DRAFT, "zebra $Label1 Zebra");
    assert_ok(a.err);
    assert_int_equal(a.second, mailbox(r, m, ALICE, "Sent", NULL).uid_validity);
    struct mail_message message = all_of(r, m, "Sent").items[0];
    assert_int_equal(message.uid, a.number);
    assert_int_equal(message.flags, MAIL_SEEN | MAIL_DRAFT);
    assert_str(message.keywords, "$Label1 zebra");
    assert_int_equal(message.internal_date.ms, 777000);
    assert_int_equal(mailbox(r, m, ALICE, "Sent", NULL).unseen, 0);
    assert_err(append_as(r, m, "absent", 0, "").err, ERR_NOT_FOUND);
}

static void flags_are_set_added_and_removed(void **state)
{
    struct rig *r = *state;
    struct mail *m = new_mail(r);
    assert_ok(deliver(r, m, 1, "x", to_alice));
    struct mail_message message = all_of(r, m, "INBOX").items[0];
    int64_t box = mailbox(r, m, ALICE, "INBOX", NULL).id;
    assert_ok(flag(r, m, box, message.uid, MAIL_FLAGS_ADD, MAIL_SEEN | MAIL_FLAGGED, "b a"));
    message = all_of(r, m, "INBOX").items[0];
    assert_int_equal(message.flags, MAIL_SEEN | MAIL_FLAGGED);
    assert_str(message.keywords, "a b");
    assert_int_equal(mailbox(r, m, ALICE, "INBOX", NULL).unseen, 0);
    assert_ok(flag(r, m, box, message.uid, MAIL_FLAGS_REMOVE, MAIL_SEEN, "A c"));
    message = all_of(r, m, "INBOX").items[0];
    assert_int_equal(message.flags, MAIL_FLAGGED);
    assert_str(message.keywords, "b");
    assert_int_equal(mailbox(r, m, ALICE, "INBOX", NULL).unseen, 1);
    assert_ok(flag(r, m, box, message.uid, MAIL_FLAGS_SET, MAIL_DELETED, ""));
    message = all_of(r, m, "INBOX").items[0];
    assert_int_equal(message.flags, MAIL_DELETED);
    assert_str(message.keywords, "");
    assert_err(flag(r, m, 999999, message.uid, MAIL_FLAGS_SET, 0, ""), ERR_NOT_FOUND);
    char long_words[2048];
    memset(long_words, 'k', sizeof(long_words) - 1);
    long_words[sizeof(long_words) - 1] = '\0';
    assert_err(flag(r, m, box, message.uid, MAIL_FLAGS_ADD, 0, long_words), ERR_LIMIT);
}

/* ---- changes ---- */

static void changes_tell_what_is_new(void **state)
{
    struct rig *r = *state;
    struct mail *m = new_mail(r);
    struct mail_messages now, then;
    for (uint64_t i = 1; i <= 3; i++)
        assert_ok(deliver(r, m, i, "x", to_alice));
    int64_t box = mailbox(r, m, ALICE, "INBOX", NULL).id;
    assert_ok(changes(r, m, box, 0, &then).err);
    assert_int_equal(then.count, 3);
    assert_int_equal(then.expunged_count, 0);
    assert_ok(changes(r, m, box, then.highest_modseq, &now).err);
    assert_int_equal(now.count, 0);
    uint32_t second = then.items[1].uid, first = then.items[0].uid;
    assert_ok(flag(r, m, box, second, MAIL_FLAGS_ADD, MAIL_SEEN, ""));
    assert_ok(expunge(r, m, box, &first, 1, true));
    assert_ok(changes(r, m, box, then.highest_modseq, &now).err);
    assert_int_equal(now.count, 1);
    assert_int_equal(now.items[0].uid, second);
    assert_true(now.items[0].modseq > then.highest_modseq);
    assert_int_equal(now.expunged_count, 1);
    assert_int_equal(now.expunged[0], first);
    assert_int_equal(mailbox(r, m, ALICE, "INBOX", NULL).highest_modseq, now.highest_modseq);
    assert_ok(flag(r, m, box, second, MAIL_FLAGS_ADD, MAIL_SEEN, ""));
    assert_int_equal(mailbox(r, m, ALICE, "INBOX", NULL).highest_modseq, now.highest_modseq);
    assert_err(changes(r, m, 999999, 0, &now).err, ERR_NOT_FOUND);
}

static void uids_are_never_used_again(void **state)
{
    struct rig *r = *state;
    struct mail *m = new_mail(r);
    assert_ok(deliver(r, m, 1, "x", to_alice));
    assert_ok(deliver(r, m, 2, "x", to_alice));
    uint32_t last = all_of(r, m, "INBOX").items[1].uid;
    assert_ok(expunge(r, m, mailbox(r, m, ALICE, "INBOX", NULL).id, NULL, 0, true));
    assert_ok(deliver(r, m, 3, "x", to_alice));
    assert_int_equal(all_of(r, m, "INBOX").items[0].uid, last + 1);
}

static void expunge_takes_the_deleted_only(void **state)
{
    struct rig *r = *state;
    struct mail *m = new_mail(r);
    for (uint64_t i = 1; i <= 4; i++)
        assert_ok(deliver(r, m, i, "x", to_alice));
    struct mail_messages then = all_of(r, m, "INBOX");
    int64_t box = mailbox(r, m, ALICE, "INBOX", NULL).id;
    for (size_t i = 0; i < 3; i++)
        assert_ok(flag(r, m, box, then.items[i].uid, MAIL_FLAGS_ADD, MAIL_DELETED, ""));
    uint32_t some[] = {then.items[3].uid, then.items[1].uid, 4000000};
    assert_ok(expunge(r, m, box, some, 3, false));
    struct mail_messages now = all_of(r, m, "INBOX");
    assert_int_equal(now.count, 3);
    assert_int_equal(now.items[1].uid, then.items[2].uid);
    assert_ok(expunge(r, m, box, NULL, 0, false));
    assert_int_equal(all_of(r, m, "INBOX").count, 1);
    assert_ok(expunge(r, m, box, some, 3, true));
    assert_int_equal(all_of(r, m, "INBOX").count, 0);
}

static void recent_is_claimed_once(void **state)
{
    struct rig *r = *state;
    struct mail *m = new_mail(r);
    assert_ok(deliver(r, m, 1, "x", to_alice));
    struct mail_mailbox box = mailbox(r, m, ALICE, "INBOX", NULL);
    for (int i = 0; i < 2; i++) {
        ASK(r, a);
        mail_recent_claim(m, box.id, (void (*)(void *, int, uint32_t))(void (*)(void))on_plain, &a);
        rig_wait(r, &a.done);
        assert_ok(a.err);
        assert_int_equal(mailbox(r, m, ALICE, "INBOX", NULL).recent, 0);
    }
    assert_ok(deliver(r, m, 2, "x", to_alice));
    assert_int_equal(mailbox(r, m, ALICE, "INBOX", NULL).recent, 1);
}

/* ---- copy and move ---- */

static void a_copy_keeps_flags_and_dates(void **state)
{
    struct rig *r = *state;
    struct mail *m = new_mail(r);
    for (uint64_t i = 1; i <= 3; i++)
        assert_ok(deliver(r, m, i, "x", to_alice));
    struct mail_messages then = all_of(r, m, "INBOX");
    int64_t box = mailbox(r, m, ALICE, "INBOX", NULL).id;
    assert_ok(flag(r, m, box, then.items[2].uid, MAIL_FLAGS_ADD, MAIL_SEEN, "word"));
    uint32_t uids[] = {then.items[2].uid, 999, then.items[0].uid};
    assert_err(copy(r, m, box, uids, 3, false, "there").answer.err, ERR_NOT_FOUND);
    assert_ok(box_create(r, m, "there"));
    struct copied c = copy(r, m, box, uids, 3, false, "there");
    assert_ok(c.answer.err);
    assert_int_equal(c.count, 2);
    assert_int_equal(c.from[0], then.items[0].uid);
    assert_int_equal(c.from[1], then.items[2].uid);
    assert_int_equal(c.answer.number, mailbox(r, m, ALICE, "there", NULL).uid_validity);
    struct mail_messages there = all_of(r, m, "there");
    assert_int_equal(there.count, 2);
    assert_int_equal(there.items[1].uid, c.to[1]);
    assert_int_equal(there.items[1].flags, MAIL_SEEN);
    assert_str(there.items[1].keywords, "word");
    assert_int_equal(there.items[1].internal_date.ms, 1234000);
    assert_int_equal(all_of(r, m, "INBOX").count, 3);
}

static void a_move_leaves_nothing_behind(void **state)
{
    struct rig *r = *state;
    struct mail *m = new_mail(r);
    assert_ok(deliver(r, m, 1, "moved", to_alice));
    assert_ok(box_create(r, m, "there"));
    struct mail_messages then = all_of(r, m, "INBOX"), now;
    int64_t box = mailbox(r, m, ALICE, "INBOX", NULL).id;
    assert_int_equal(copy(r, m, box, &then.items[0].uid, 1, true, "there").count, 1);
    assert_ok(changes(r, m, box, then.highest_modseq, &now).err);
    assert_int_equal(now.expunged_count, 1);
    assert_int_equal(mailbox(r, m, ALICE, "INBOX", NULL).messages, 0);
    assert_int_equal(mailbox(r, m, ALICE, "INBOX", NULL).unseen, 0);
    assert_str(read_body(r, mail_body_open(m, all_of(r, m, "there").items[0].body_id)).text, "moved");
}

static void a_copy_into_itself_doubles(void **state)
{
    struct rig *r = *state;
    struct mail *m = new_mail(r);
    assert_ok(deliver(r, m, 1, "x", to_alice));
    uint32_t uid = all_of(r, m, "INBOX").items[0].uid;
    assert_int_equal(copy(r, m, mailbox(r, m, ALICE, "INBOX", NULL).id, &uid, 1, false, "inbox").count, 1);
    assert_int_equal(all_of(r, m, "INBOX").count, 2);
}

/* ---- mailboxes ---- */

struct box_names {
    struct answer answer;
    char text[512];
};

static void on_boxes(void *arg, int err, const struct mail_mailbox *boxes, size_t count)
{
    struct box_names *n = arg;
    for (size_t i = 0; i < count; i++) {
        strncat(n->text, boxes[i].name.ptr, boxes[i].name.len);
        strcat(n->text, boxes[i].selectable ? "" : "!");
        strcat(n->text, boxes[i].subscribed ? "+ " : " ");
    }
    on_plain(&n->answer, err);
}

static void assert_boxes(struct rig *r, struct mail *m, const char *expected)
{
    struct box_names n = {.answer = {.rig = r}};
    mail_mailboxes(m, STR(ALICE), on_boxes, &n);
    rig_wait(r, &n.answer.done);
    assert_ok(n.answer.err);
    assert_string_equal(n.text, expected);
}

static void the_inbox_is_always_there(void **state)
{
    struct rig *r = *state;
    struct mail *m = new_mail(r);
    assert_boxes(r, m, "INBOX ");
    struct mail_mailbox box = mailbox(r, m, BOB, "InBox", NULL);
    assert_int_equal(box.messages, 0);
    assert_int_equal(box.uid_next, 1);
    assert_true(box.uid_validity > 0);
    assert_true(box.highest_modseq > 0);
    assert_err(box_create(r, m, "Inbox"), ERR_EXISTS);
    assert_err(box_delete(r, m, "INBOX"), ERR_INVALID);
}

static void mailboxes_are_made_with_their_parents(void **state)
{
    struct rig *r = *state;
    struct mail *m = new_mail(r);
    assert_ok(box_create(r, m, "work/2026/\xc3\xbc"));
    assert_ok(box_create(r, m, "archive"));
    assert_boxes(r, m, "INBOX archive work work/2026 work/2026/\xc3\xbc ");
    assert_err(box_create(r, m, "work"), ERR_EXISTS);
    const char *bad[] = {"", "/x", "x/", "a//b", "a\nb"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_err(box_create(r, m, bad[i]), ERR_INVALID);
}

static void a_deleted_mailbox_comes_back_with_another_validity(void **state)
{
    struct rig *r = *state;
    struct mail *m = new_mail(r);
    int err;
    assert_ok(box_create(r, m, "x"));
    assert_ok(append_as(r, m, "x", 0, "").err);
    uint32_t validity = mailbox(r, m, ALICE, "x", NULL).uid_validity;
    assert_ok(box_delete(r, m, "x"));
    assert_err(box_delete(r, m, "x"), ERR_NOT_FOUND);
    mailbox(r, m, ALICE, "x", &err);
    assert_err(err, ERR_NOT_FOUND);
    assert_ok(box_create(r, m, "x"));
    assert_true(mailbox(r, m, ALICE, "x", NULL).uid_validity > validity);
    assert_int_equal(mailbox(r, m, ALICE, "x", NULL).messages, 0);
}

static void a_deleted_parent_stays_as_a_name(void **state)
{
    struct rig *r = *state;
    struct mail *m = new_mail(r);
    assert_ok(box_create(r, m, "a/b"));
    assert_ok(append_as(r, m, "a", 0, "").err);
    assert_ok(box_delete(r, m, "a"));
    assert_boxes(r, m, "INBOX a! a/b ");
    assert_err(append_as(r, m, "a", 0, "").err, ERR_NOT_FOUND);
    assert_err(box_delete(r, m, "a"), ERR_INVALID);
    assert_ok(box_create(r, m, "a"));
    assert_int_equal(mailbox(r, m, ALICE, "a", NULL).messages, 0);
    assert_ok(box_delete(r, m, "a/b"));
    assert_ok(box_delete(r, m, "a"));
    assert_boxes(r, m, "INBOX ");
}

static void a_rename_takes_the_children_along(void **state)
{
    struct rig *r = *state;
    struct mail *m = new_mail(r);
    assert_ok(box_create(r, m, "a/b/c"));
    assert_ok(box_create(r, m, "ab"));
    assert_ok(append_as(r, m, "a/b/c", 0, "").err);
    assert_err(box_rename(r, m, "a", "ab"), ERR_EXISTS);
    assert_err(box_rename(r, m, "a", "a/z"), ERR_INVALID);
    assert_err(box_rename(r, m, "absent", "z"), ERR_NOT_FOUND);
    assert_ok(box_rename(r, m, "a", "new/place"));
    assert_boxes(r, m, "INBOX ab new new/place new/place/b new/place/b/c ");
    assert_int_equal(mailbox(r, m, ALICE, "new/place/b/c", NULL).messages, 1);
}

static void renaming_the_inbox_moves_its_messages(void **state)
{
    struct rig *r = *state;
    struct mail *m = new_mail(r);
    assert_ok(deliver(r, m, 1, "old", to_alice));
    assert_ok(box_rename(r, m, "inbox", "old"));
    assert_boxes(r, m, "INBOX old ");
    assert_int_equal(mailbox(r, m, ALICE, "INBOX", NULL).messages, 0);
    assert_str(read_body(r, mail_body_open(m, all_of(r, m, "old").items[0].body_id)).text, "old");
    assert_ok(deliver(r, m, 2, "new", to_alice));
    assert_true(all_of(r, m, "INBOX").items[0].uid > 1);
}

static void a_subscription_stays(void **state)
{
    struct rig *r = *state;
    struct mail *m = new_mail(r);
    ASK(r, a);
    assert_ok(box_create(r, m, "lists"));
    mail_mailbox_subscribe(m, STR(ALICE), STR("lists"), true, on_plain, &a);
    rig_wait(r, &a.done);
    assert_ok(a.err);
    assert_boxes(r, m, "INBOX lists+ ");
}

/* ---- watching ---- */

static void on_change(void *arg)
{
    on_plain(arg, 0);
}

static void a_watch_fires_for_its_mailbox(void **state)
{
    struct rig *r = *state;
    struct mail *m = new_mail(r);
    ASK(r, a);
    const char *to_bob[] = {BOB, NULL};
    struct mail_watch *w = mail_watch_new(m, mailbox(r, m, ALICE, "INBOX", NULL).id, on_change, &a);
    assert_ok(deliver(r, m, 1, "x", to_bob));
    assert_false(a.done);
    assert_ok(deliver(r, m, 2, "x", to_alice));
    assert_true(a.done);
    a.done = false;
    assert_ok(deliver(r, m, 2, "x", to_alice));
    assert_false(a.done);
    mail_watch_free(w);
    assert_ok(deliver(r, m, 3, "x", to_alice));
    assert_false(a.done);
}

static void on_users(void *arg, int err, const struct str *users, size_t count)
{
    struct answer *a = arg;
    a->number = 0;
    for (size_t i = 0; !err && i < count; i++)
        a->number += str_eq(users[i], STR("alice@example.test")) ? 1 : 10;
    on_plain(a, err);
}

/* 1: alice, 10: somebody else. */
static int64_t had_by(struct rig *r, struct mail *m, uint64_t number)
{
    struct custody_id id = id_of(number);
    ASK(r, a);
    mail_trace(m, &id, on_users, &a);
    rig_wait(r, &a.done);
    assert_ok(a.err);
    return a.number;
}

static void it_is_known_who_had_a_message(void **state)
{
    struct rig *r = *state;
    struct mail *m = begin_mail(r, r->store, "mail1", 1, NULL);
    const char *both[] = {"alice@example.test", "bob@example.test", NULL};
    const char *one[] = {"alice@example.test", NULL};
    assert_ok(deliver(r, m, 1, "x", both));
    assert_ok(deliver(r, m, 2, "x", one));
    assert_int_equal(had_by(r, m, 1), 11);
    assert_int_equal(had_by(r, m, 2), 1);
    assert_int_equal(had_by(r, m, 3), 0);
}

static void a_name_that_is_no_text_is_refused(void **state)
{
    struct rig *r = *state;
    struct mail *m = new_mail(r);
    static const char *const one[] = {ALICE, "b\xff@example.test", NULL};
    assert_err(deliver(r, m, 1, "x", one), ERR_INVALID);
    assert_int_equal(mailbox(r, m, ALICE, "INBOX", NULL).messages, 0);
    assert_err(box_create(r, m, "caf\xe9"), ERR_INVALID);
    assert_ok(box_create(r, m, "caf\xc3\xa9"));
    assert_err(append_as(r, m, "caf\xe9", 0, "").err, ERR_NOT_FOUND);
    int err;
    mailbox(r, m, "b\xff@example.test", "INBOX", &err);
    assert_err(err, ERR_INVALID);
}

const struct rig_test mail_tests[] = {
    {"a name that is no text is refused", a_name_that_is_no_text_is_refused},
    {"each instance needs a higher epoch", each_instance_needs_a_higher_epoch},
    {"servers do not fence each other", servers_do_not_fence_each_other},
    {"a fence needs no instance", a_fence_needs_no_instance},
    {"a delivery is in each inbox", a_delivery_is_in_each_inbox},
    {"a custody id is shown once", a_custody_id_is_shown_once},
    {"it is shown once under a later instance, too", it_is_shown_once_under_a_later_instance_too},
    {"a body goes with its last message", a_body_goes_with_its_last_message},
    {"an append has its flags", an_append_has_its_flags},
    {"flags are set, added and removed", flags_are_set_added_and_removed},
    {"changes tell what is new", changes_tell_what_is_new},
    {"uids are never used again", uids_are_never_used_again},
    {"expunge takes the deleted only", expunge_takes_the_deleted_only},
    {"recent is claimed once", recent_is_claimed_once},
    {"a copy keeps flags and dates", a_copy_keeps_flags_and_dates},
    {"a move leaves nothing behind", a_move_leaves_nothing_behind},
    {"a copy into itself doubles", a_copy_into_itself_doubles},
    {"the inbox is always there", the_inbox_is_always_there},
    {"mailboxes are made with their parents", mailboxes_are_made_with_their_parents},
    {"a deleted mailbox comes back with another validity",
     a_deleted_mailbox_comes_back_with_another_validity},
    {"a deleted parent stays as a name", a_deleted_parent_stays_as_a_name},
    {"a rename takes the children along", a_rename_takes_the_children_along},
    {"renaming the inbox moves its messages", renaming_the_inbox_moves_its_messages},
    {"a subscription stays", a_subscription_stays},
    {"a watch fires for its mailbox", a_watch_fires_for_its_mailbox},
    {"it is known who had a message", it_is_known_who_had_a_message},
    {NULL, NULL},
};
