/* DATA (RFC 5321 4.1.1.4); what follows it is in server_data.c. */
#include "smtp/server_machine.h"

void cmd_data(struct smtp_server *s, struct str args)
{
    if (args.len > 0) {
        server_refuse(s, SMTP_REPLY(501, 5, 5, 4, "DATA takes no argument"));
    } else if (s->chunking) {
        server_refuse(s, SMTP_REPLY(503, 5, 5, 1, "The message has begun by BDAT")); /* RFC 3030 2 */
    } else if (!s->transaction) {
        server_refuse_without_mail(s);
    } else if (s->recipient_count == 0) {
        /* RFC 2033 4.2 asks for 503; so does RFC 2920 3.1 live with it. Not counted as an error: a pipelining
         * client could not know. */
        server_write(s, &SMTP_REPLY(503, 5, 5, 1, "No valid recipients"));
    } else {
        s->question = QUESTION_DATA_BEGIN;
        if (s->ops->data_begin)
            s->ops->data_begin(s->arg);
        else
            smtp_server_reply(s, NULL);
    }
}
