#include "imap/sync.h"

#include "base/err.h"
#include "wire/imap_write.h"

#define KEYWORDS_TOLD_MAX 500 /* of FLAGS: clients show them as a menu */

_Static_assert(IMAP_SEEN == (int)MAIL_SEEN && IMAP_ANSWERED == (int)MAIL_ANSWERED &&
                   IMAP_FLAGGED == (int)MAIL_FLAGGED && IMAP_DELETED == (int)MAIL_DELETED &&
                   IMAP_DRAFT == (int)MAIL_DRAFT,
               "the codec's flags are the contract's");

void imap_session_unselect(struct imap_session *s)
{
    if (s->sync_op)
        store_op_forget(s->sync_op);
    s->sync_op = NULL;
    s->sync_done = NULL;
    if (s->watch)
        mail_watch_free(s->watch);
    s->watch = NULL;
    imap_view_fini(&s->view);
    s->view_dirty = false;
    if (s->state == IMAP_SELECTED)
        s->state = IMAP_AUTHENTICATED;
}

void imap_write_flags_response(struct imap_session *s)
{
    const uint32_t all = MAIL_SEEN | MAIL_ANSWERED | MAIL_FLAGGED | MAIL_DELETED | MAIL_DRAFT;
    struct buf names;
    buf_init(&names, IMAP_OUT_MAX_BYTES);
    size_t told = 0;
    for (struct map_entry *e = s->view.keyword_names.first; e && told < KEYWORDS_TOLD_MAX;
         e = e->next, told++) {
        if (told > 0)
            buf_append_char(&names, ' ');
        buf_append_str(&names, e->key);
    }
    buf_append_text(&s->out, "* FLAGS ");
    imap_write_flags(&s->out, all, buf_str(&names));
    if (names.len > 0)
        buf_append_char(&names, ' ');
    buf_append_text(&names, "\\*");
    buf_append_text(&s->out, "\r\n* OK [PERMANENTFLAGS ");
    if (s->view.read_only)
        buf_append_text(&s->out, "()");
    else
        imap_write_flags(&s->out, all, buf_str(&names));
    buf_append_text(&s->out, "] Flags permitted\r\n");
    buf_fini(&names);
    s->view.keywords_grew = false;
}

static void write_expunge(void *arg, size_t sequence)
{
    struct imap_session *s = arg;
    buf_append_fmt(&s->out, "* %zu EXPUNGE\r\n", sequence);
}

void imap_write_message_flags(const struct imap_session *s, struct buf *out, const struct imap_message *m)
{
    uint32_t recent = imap_view_is_recent(&s->view, m) ? IMAP_RECENT : 0;
    imap_write_flags(out, m->flags | recent, m->keywords);
}

static void write_changed_flags(struct imap_session *s)
{
    bool with_uid = s->command.verb && s->command.uid;
    for (size_t i = 0; i < s->view.told_count; i++) {
        struct imap_message *m = &s->view.messages[i];
        if (!m->report || m->gone)
            continue;
        m->report = false;
        buf_append_fmt(&s->out, "* %zu FETCH (", i + 1);
        if (with_uid)
            buf_append_fmt(&s->out, "UID %u ", m->uid);
        buf_append_text(&s->out, "FLAGS ");
        imap_write_message_flags(s, &s->out, m);
        buf_append_text(&s->out, ")\r\n");
    }
}

static void write_changes(struct imap_session *s, bool expunge)
{
    struct imap_view *v = &s->view;
    if (expunge)
        imap_view_drop_gone(v, write_expunge, s);
    if (v->keywords_grew)
        imap_write_flags_response(s);
    if (v->count != v->told_count) {
        buf_append_fmt(&s->out, "* %zu EXISTS\r\n* %zu RECENT\r\n", v->count, imap_view_recent_count(v));
        v->told_count = v->count;
    }
    write_changed_flags(s);
}

static void finish_sync(struct imap_session *s, int err)
{
    void (*done)(struct imap_session *, int) = s->sync_done;
    s->sync_done = NULL;
    if (!err || s->view.mailbox_id)
        write_changes(s, s->sync_expunge);
    done(s, err);
}

static void on_changes(void *arg, int err, const struct mail_messages *changes)
{
    struct imap_session *s = arg;
    s->sync_op = NULL;
    if (!err && changes->uid_validity != s->view.uid_validity)
        err = ERR_NOT_FOUND;
    if (!err)
        imap_view_apply(&s->view, changes);
    else
        s->view_dirty = true;
    finish_sync(s, err);
}

void imap_sync_start(struct imap_session *s, bool expunge, void (*done)(struct imap_session *s, int err))
{
    CHECK(!s->sync_done);
    s->sync_done = done;
    s->sync_expunge = expunge;
    bool stale = s->view_dirty && s->state == IMAP_SELECTED;
    s->view_dirty = false; /* what changes from now on is another change */
    if (!stale) {
        finish_sync(s, 0);
        return;
    }
    s->sync_op = mail_changes(s->mail, s->view.mailbox_id, s->view.modseq, on_changes, s);
}
