/* SEARCH (RFC 3501 6.4.4). */
#include "base/err.h"
#include "base/mem.h"
#include "imap/search.h"
#include "imap/verbs.h"

struct search {
    struct imap_command *cmd;
    struct imap_search_program program;
    size_t index;
    struct imap_source source;
    struct search_text text;
    bool reading; /* the message at hand is being looked into */
    uint64_t offset;
    struct buf found;
    int err; /* why some message could not be looked into */
};

static void end(struct imap_command *cmd)
{
    struct search *q = cmd->state;
    imap_source_fini(&q->source);
    search_text_fini(&q->text);
    buf_fini(&q->found);
    free(q);
}

static void finish(struct search *q)
{
    struct imap_command *cmd = q->cmd;
    if (q->err && q->err != ERR_NOT_FOUND) { /* a list that may be wrong helps nobody */
        imap_command_fail(cmd, q->err);
        return;
    }
    buf_append_fmt(&cmd->session->out, "* SEARCH%s\r\n", buf_data(&q->found));
    imap_command_ok(cmd, "Searched");
}

static void next_message(struct search *q, bool matches)
{
    const struct imap_message *m = &q->cmd->session->view.messages[q->index];
    if (matches && !m->gone)
        buf_append_fmt(&q->found, " %u", q->cmd->uid ? m->uid : (uint32_t)q->index + 1);
    q->index++;
    q->reading = false;
}

static enum search_answer judge(struct search *q)
{
    return search_eval(q->program.root, &q->cmd->session->view, q->index, &q->text);
}

static void begin_reading(struct search *q)
{
    imap_source_open(&q->source, q->cmd->session->view.messages[q->index].body_id);
    search_text_begin(&q->text);
    q->reading = true;
    q->offset = 0;
}

/* False: has to wait. */
static bool read_on(struct search *q)
{
    struct str data;
    switch (imap_source_get(&q->source, q->offset, &data)) {
    case IMAP_SOURCE_WAIT:
        return false;
    case IMAP_SOURCE_FAILED:
        q->err = imap_source_worse(&q->source, q->err);
        next_message(q, false);
        return true;
    case IMAP_SOURCE_READY:
        break;
    }
    search_text_feed(&q->text, data);
    q->offset += data.len;
    enum search_answer answer = judge(q);
    if (answer != SEARCH_UNKNOWN)
        next_message(q, answer == SEARCH_YES);
    return true;
}

static void run(struct search *q)
{
    const struct imap_view *v = &q->cmd->session->view;
    while (q->index < v->count) {
        if (q->reading) {
            if (!read_on(q))
                return;
            continue;
        }
        search_text_forget(&q->text);
        enum search_answer answer = judge(q);
        if (answer == SEARCH_UNKNOWN)
            begin_reading(q);
        else
            next_message(q, answer == SEARCH_YES);
    }
    finish(q);
}

static void on_ready(void *arg)
{
    struct search *q = arg;
    struct imap_session *s = q->cmd->session;
    run(q);
    imap_session_progress(s);
}

static int parse(struct imap_command *cmd, struct search *q)
{
    if (imap_expect_char(&cmd->args, ' '))
        return ERR_SYNTAX;
    int err = imap_parse_search(&cmd->args, &q->program);
    if (!err)
        err = search_resolve(q->program.root, &cmd->session->view);
    return err ? err : search_text_init(&q->text, &cmd->arena, &q->program);
}

void imap_cmd_search(struct imap_command *cmd)
{
    struct search *q = mem_zalloc(sizeof(*q));
    q->cmd = cmd;
    imap_source_init(&q->source, cmd->session->mail, on_ready, q);
    buf_init(&q->found, IMAP_OUT_MAX_BYTES);
    cmd->state = q;
    cmd->on_end = end;
    int err = parse(cmd, q);
    if (err == ERR_UNSUPPORTED)
        imap_command_no(cmd, "BADCHARSET (UTF-8 US-ASCII)", "This charset is not known here");
    else if (err)
        imap_command_bad_args(cmd, err);
    else
        run(q);
}
