/* Several messaging servers of one network write to one mailbox at once. */
#include "rig.h"

#define ALICE     "alice@example.test"
#define SERVERS   3
#define EACH      40
#define AT_A_TIME 4

/* One server's process, which delivers. */
struct server {
    struct mail *mail;
    uint64_t first; /* custody id */
    unsigned sent, ended, failed;
};

struct together {
    struct server servers[SERVERS];
    struct store *stores[SERVERS];
};

static void deliver_next(struct server *s);

static void on_deliver(void *arg, int err)
{
    struct server *s = arg;
    s->ended++;
    s->failed += err != 0;
    deliver_next(s);
}

static void deliver_next(struct server *s)
{
    const struct str alice = STR(ALICE);
    if (s->sent == EACH)
        return;
    struct custody_id id = id_of(s->first + s->sent++);
    struct body_writer *w = mail_body_begin(s->mail, false);
    assert_non_null(w);
    body_append(w, "hello", 5);
    mail_deliver(s->mail, w, &id, &alice, 1, (struct wall_time){1234000}, on_deliver, s);
}

static bool all_ended(const struct together *t)
{
    unsigned ended = 0;
    for (size_t i = 0; i < SERVERS; i++)
        ended += t->servers[i].ended;
    return ended == SERVERS * EACH;
}

/* step: from one server's first custody id to the next one's. */
static void deliver_together(struct rig *r, struct together *t, uint64_t step)
{
    static const char *const names[SERVERS] = {"mail1", "mail2", "mail3"};
    *t = (struct together){0};
    for (size_t i = 0; i < SERVERS; i++) {
        struct server *s = &t->servers[i];
        t->stores[i] = rig_open(r);
        s->mail = begin_mail(r, t->stores[i], names[i], 1, NULL);
        s->first = 1 + i * step;
    }
    for (size_t n = 0; n < AT_A_TIME; n++)
        for (size_t i = 0; i < SERVERS; i++)
            deliver_next(&t->servers[i]);
    RIG_UNTIL(r, all_ended(t));
    for (size_t i = 0; i < SERVERS; i++)
        assert_int_equal(t->servers[i].failed, 0);
}

static void end(struct rig *r, struct together *t)
{
    for (size_t i = 0; i < SERVERS; i++)
        rig_close(r, t->stores[i]);
}

/* As each of them sees it. */
static void check_inbox(struct rig *r, struct mail *m, unsigned count)
{
    struct mail_messages all;
    struct mail_mailbox inbox = mailbox(r, m, ALICE, "INBOX", NULL);
    changes(r, m, inbox.id, 0, &all);
    assert_int_equal(inbox.messages, count);
    assert_int_equal(all.count, count);
    for (size_t i = 0; i < all.count; i++) {
        assert_true(all.items[i].uid < inbox.uid_next);
        assert_true(all.items[i].modseq <= inbox.highest_modseq);
        if (i > 0) {
            assert_true(all.items[i].uid > all.items[i - 1].uid);
            assert_true(all.items[i].modseq > all.items[i - 1].modseq);
        }
    }
}

static void what_several_servers_deliver_at_once_is_all_there(void **state)
{
    struct rig *r = *state;
    struct together t;
    deliver_together(r, &t, EACH);
    for (size_t i = 0; i < SERVERS; i++)
        check_inbox(r, t.servers[i].mail, SERVERS * EACH);
    end(r, &t);
}

/* As when one of them was thought dead, and was not. */
static void what_several_servers_are_handed_is_shown_once(void **state)
{
    struct rig *r = *state;
    struct together t;
    deliver_together(r, &t, 0);
    for (size_t i = 0; i < SERVERS; i++)
        check_inbox(r, t.servers[i].mail, EACH);
    end(r, &t);
}

const struct rig_test together_tests[] = {
    {"what several servers deliver at once is all there", what_several_servers_deliver_at_once_is_all_there},
    {"what several servers are handed is shown once", what_several_servers_are_handed_is_shown_once},
    {NULL, NULL},
};
