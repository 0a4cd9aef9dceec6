/* QUIT (RFC 1939 6): here the deletions take place, all or none. */
#include "base/err.h"
#include "base/mem.h"
#include "pop3/command.h"

static void finish(struct pop3_session *s)
{
    buf_append_text(&s->out, "+OK Until next time\r\n");
    pop3_end(s);
    pop3_done(s);
}

static void on_expunged(void *arg, int err)
{
    struct pop3_session *s = arg;
    s->op = NULL;
    if (err == ERR_FENCED) {
        pop3_fail(s, err);
    } else if (err) {
        buf_append_text(&s->out, "-ERR [SYS/TEMP] Some deleted messages were not removed\r\n");
        pop3_end(s);
        pop3_done(s);
    } else {
        finish(s);
    }
}

void pop3_cmd_quit(struct pop3_session *s, const struct pop3_command *c)
{
    (void)c;
    uint32_t *uids = mem_calloc(s->count + 1, sizeof(*uids));
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++)
        if (s->messages[i].deleted)
            uids[count++] = s->messages[i].uid;
    if (count == 0)
        finish(s);
    else
        s->op = mail_expunge(s->mail, s->mailbox_id, uids, count, true, on_expunged, s);
    free(uids);
}
