/* Questions to the owner and their answers. */
#include "smtp/server_machine.h"

static const struct {
    struct smtp_reply yes;
    void (*answered)(struct smtp_server *s, const struct smtp_reply *r);
} questions[] = {
    [QUESTION_CONNECT] = {{.code = 220}, connect_answered},
    [QUESTION_HELO] = {{.code = 250}, helo_answered},
    [QUESTION_MAIL] = {{250, {2, 1, 0}, {"Ok", 2}}, mail_answered},
    [QUESTION_RCPT] = {{250, {2, 1, 5}, {"Ok", 2}}, rcpt_answered},
    [QUESTION_DATA_BEGIN] = {{.code = 354, .text = {"End data with <CR><LF>.<CR><LF>", 31}},
                             data_begin_answered},
    [QUESTION_DATA_END] = {{250, {2, 0, 0}, {"Ok", 2}}, data_end_answered},
    [QUESTION_CLIENT] = {{.code = 220}, client_answered},
    [QUESTION_AUTH] = {{235, {2, 7, 0}, {"Authentication successful", 25}}, auth_answered},
};

static void after_answer(struct smtp_server *s, const struct smtp_reply *r)
{
    s->progress++;
    s->last_was_421 = s->last_was_421 || r->code == 421;
    if (s->last_was_421 && s->question == QUESTION_NONE)
        server_finish(s);
    server_go_on(s);
}

void smtp_server_reply(struct smtp_server *s, const struct smtp_reply *reply)
{
    enum server_question question = s->question;
    CHECK(question != QUESTION_NONE);
    if (!reply)
        reply = &questions[question].yes;
    s->question = QUESTION_NONE;
    questions[question].answered(s, reply);
    after_answer(s, reply);
}

void smtp_server_reply_recipient(struct smtp_server *s, const struct smtp_reply *reply)
{
    CHECK(s->question == QUESTION_DATA_END && s->options->flavour == SMTP_FLAVOUR_LMTP);
    if (s->unanswered == 1) {
        smtp_server_reply(s, reply);
        return;
    }
    if (!reply)
        reply = &questions[QUESTION_DATA_END].yes;
    s->unanswered--;
    server_write(s, reply);
    after_answer(s, reply);
}

void connect_answered(struct smtp_server *s, const struct smtp_reply *r)
{
    static const char *const services[] = {[SMTP_FLAVOUR_SMTP] = "ESMTP",
                                           [SMTP_FLAVOUR_LMTP] = "LMTP",
                                           [SMTP_FLAVOUR_SUBMISSION] = "ESMTP submission"};
    struct buf text;
    if (r->code != 220) {
        s->refused = true;
        server_write_plain(s, r); /* RFC 2034 section 3: no enhanced code in the greeting */
        return;
    }
    buf_init(&text, SMTP_REPLY_TEXT_MAX);
    buf_append_fmt(&text, "%s %s", s->options->hostname, services[s->options->flavour]);
    if (s->options->banner)
        buf_append_fmt(&text, " %s", s->options->banner);
    smtp_reply_format(&s->out, &(struct smtp_reply){.code = 220, .text = buf_str(&text)}, false);
    buf_fini(&text);
}
