/* FETCH (RFC 3501 6.4.5). */
#include "base/err.h"
#include "base/mem.h"
#include "imap/fetch.h"
#include "imap/numbers.h"
#include "imap/verbs.h"

static enum fetch_result step_next_message(struct fetch *f);

const struct imap_message *fetch_message(const struct fetch *f)
{
    return &f->cmd->session->view.messages[f->index];
}

static void end(struct imap_command *cmd)
{
    struct fetch *f = cmd->state;
    imap_structure_stop(cmd->session, &f->structure);
    imap_source_fini(&f->source);
    mime_filter_fini(&f->filter);
    buf_fini(&f->filtered);
    buf_fini(&f->line);
    free(f->seen_uids);
    free(f);
}

/* ---- the end of the run ---- */

static void answer(struct imap_command *cmd)
{
    struct fetch *f = cmd->state;
    if (!f->err)
        imap_command_ok(cmd, "Fetched");
    else if (f->err == ERR_NOT_FOUND)
        imap_command_no(cmd, "EXPUNGEISSUED", "Some of them were expunged meanwhile");
    else
        imap_command_fail(cmd, f->err);
}

/* That \Seen could not be stored takes nothing from what was read. */
static void on_seen(void *arg, int err)
{
    struct imap_command *cmd = arg;
    struct fetch *f = cmd->state;
    cmd->op = NULL;
    cmd->session->view_dirty = true;
    if (err == ERR_FENCED)
        f->err = err;
    answer(cmd);
}

static void finish(struct fetch *f)
{
    struct imap_command *cmd = f->cmd;
    struct imap_session *s = cmd->session;
    cmd->on_room = NULL;
    if (f->seen_count == 0)
        answer(cmd);
    else
        cmd->op = mail_flags_store(s->mail, s->view.mailbox_id, f->seen_uids, f->seen_count, MAIL_FLAGS_ADD,
                                   MAIL_SEEN, STR_EMPTY, on_seen, cmd);
}

static void run(struct fetch *f)
{
    enum fetch_result result = FETCH_AGAIN;
    while (result == FETCH_AGAIN && !imap_session_out_full(f->cmd->session))
        result = f->step(f);
    if (result == FETCH_END)
        finish(f);
}

static void on_room(struct imap_command *cmd)
{
    struct fetch *f = cmd->state;
    if (!f->source.op)
        run(f);
}

static void on_ready(void *arg)
{
    struct fetch *f = arg;
    struct imap_session *s = f->cmd->session;
    run(f);
    imap_session_progress(s);
}

/* ---- one message ---- */

static void note_seen(struct fetch *f)
{
    const struct imap_view *v = &f->cmd->session->view;
    const struct imap_message *m = fetch_message(f);
    if (!f->sets_seen || v->read_only || m->flags & MAIL_SEEN)
        return;
    if (!f->seen_uids)
        f->seen_uids = mem_calloc(v->count, sizeof(*f->seen_uids));
    f->seen_uids[f->seen_count++] = m->uid;
}

enum fetch_result fetch_message_done(struct fetch *f)
{
    struct buf *out = &f->cmd->session->out;
    buf_append_text(&f->line, ")\r\n");
    if (f->line.overflow) {
        f->err = ERR_LIMIT;
    } else {
        buf_append_str(out, buf_str(&f->line));
        note_seen(f);
    }
    f->index++;
    f->step = step_next_message;
    return FETCH_AGAIN;
}

/* A literal that was begun has to be given to its end: then only the end of the
 * session is left, so that the client does not take a piece for the whole. */
enum fetch_result fetch_failed(struct fetch *f)
{
    f->err = imap_source_worse(&f->source, f->err);
    mime_filter_fini(&f->filter);
    if (f->line_sent) {
        imap_session_end(f->cmd->session);
        return FETCH_WAIT;
    }
    f->index++;
    f->step = step_next_message;
    return FETCH_AGAIN;
}

static void begin_line(struct fetch *f)
{
    buf_clear(&f->line);
    buf_append_fmt(&f->line, "* %zu FETCH (", f->index + 1);
    f->line_sent = false;
    f->item = 0;
    bool asked = false;
    for (size_t i = 0; i < f->items.count; i++)
        asked = asked || f->items.items[i].kind == IMAP_FETCH_UID;
    if (f->cmd->uid && !asked)
        buf_append_fmt(&f->line, "UID %u ", fetch_message(f)->uid);
}

static enum fetch_result step_structure(struct fetch *f)
{
    const struct imap_message *m = fetch_message(f);
    switch (imap_structure_step(f->cmd->session, &f->structure, &f->source, m->body_id, f->need)) {
    case IMAP_SOURCE_WAIT:
        return FETCH_WAIT;
    case IMAP_SOURCE_FAILED:
        return fetch_failed(f);
    case IMAP_SOURCE_READY:
        break;
    }
    begin_line(f);
    f->step = fetch_item_step;
    return FETCH_AGAIN;
}

static bool needs_bytes(const struct fetch *f)
{
    if (f->need != IMAP_STRUCTURE_NONE)
        return true;
    for (size_t i = 0; i < f->items.count; i++)
        if (f->items.items[i].kind == IMAP_FETCH_SECTION)
            return true;
    return false;
}

static enum fetch_result step_next_message(struct fetch *f)
{
    const struct imap_view *v = &f->cmd->session->view;
    while (f->index < v->count && !imap_set_has_message(f->cmd, &f->set, f->index))
        f->index++;
    if (f->index == v->count)
        return FETCH_END;
    imap_source_close(&f->source);
    if (needs_bytes(f))
        imap_source_open(&f->source, fetch_message(f)->body_id);
    f->step = step_structure;
    return FETCH_AGAIN;
}

/* ---- the command ---- */

static enum imap_structure_need need_of(const struct imap_fetch_item *item)
{
    switch (item->kind) {
    case IMAP_FETCH_BODY:
    case IMAP_FETCH_BODYSTRUCTURE:
        return IMAP_STRUCTURE_WHOLE;
    case IMAP_FETCH_ENVELOPE:
        return IMAP_STRUCTURE_HEADER;
    case IMAP_FETCH_SECTION:
        if (item->section.path_len > 0)
            return IMAP_STRUCTURE_WHOLE;
        return item->section.text == IMAP_SECTION_ALL ? IMAP_STRUCTURE_NONE : IMAP_STRUCTURE_HEADER;
    default:
        return IMAP_STRUCTURE_NONE;
    }
}

static int parse(struct imap_command *cmd, struct fetch *f)
{
    int err = imap_take_set(cmd, &f->set);
    if (err)
        return err;
    if (imap_expect_char(&cmd->args, ' '))
        return ERR_SYNTAX;
    err = imap_parse_fetch_items(&cmd->args, &f->items);
    return err ? err : imap_expect_end(&cmd->args);
}

void imap_cmd_fetch(struct imap_command *cmd)
{
    struct imap_session *s = cmd->session;
    struct fetch *f = mem_zalloc(sizeof(*f));
    f->cmd = cmd;
    f->step = step_next_message;
    buf_init(&f->line, FETCH_LINE_MAX_BYTES);
    buf_init(&f->filtered, FETCH_FIELDS_MAX_BYTES);
    imap_source_init(&f->source, s->mail, on_ready, f);
    cmd->state = f;
    cmd->on_end = end;
    int err = parse(cmd, f);
    if (err) {
        imap_command_bad_args(cmd, err);
        return;
    }
    for (size_t i = 0; i < f->items.count; i++) {
        enum imap_structure_need need = need_of(&f->items.items[i]);
        f->need = need > f->need ? need : f->need;
        f->sets_seen = f->sets_seen || !f->items.items[i].peek;
    }
    cmd->on_room = on_room;
    run(f);
}
