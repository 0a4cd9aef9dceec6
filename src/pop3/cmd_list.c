/* LIST and UIDL (RFC 1939 5, 7). The unique id is the message's name on this
 * server for all time: UIDVALIDITY and UID. */
#include "pop3/command.h"

static void write_size(struct pop3_session *s, size_t index)
{
    buf_append_fmt(&s->out, "%zu %llu\r\n", index + 1, (unsigned long long)s->messages[index].size_bytes);
}

static void write_uid(struct pop3_session *s, size_t index)
{
    buf_append_fmt(&s->out, "%zu %u.%u\r\n", index + 1, s->uid_validity, s->messages[index].uid);
}

static void list(struct pop3_session *s, const struct pop3_command *c,
                 void (*write_one)(struct pop3_session *s, size_t index))
{
    size_t index;
    if (c->arg_count > 0) {
        if (!pop3_message_of(s, c->arg[0], &index))
            return;
        buf_append_text(&s->out, "+OK ");
        write_one(s, index);
    } else {
        buf_append_text(&s->out, "+OK These\r\n");
        for (index = 0; index < s->count; index++)
            if (!s->messages[index].deleted)
                write_one(s, index);
        buf_append_text(&s->out, ".\r\n");
    }
    pop3_done(s);
}

void pop3_cmd_list(struct pop3_session *s, const struct pop3_command *c)
{
    list(s, c, write_size);
}

void pop3_cmd_uidl(struct pop3_session *s, const struct pop3_command *c)
{
    list(s, c, write_uid);
}
