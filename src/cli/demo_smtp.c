#include "cli/demo_smtp.h"

#include <stdio.h>

#include "cli/demo_link.h"

#define REPLY_LINES_MAX 64
#define CODE_DIGITS     3

/* The code of the next reply, its last line in ret_reply; or a negative ERR_*. */
static int read_reply(struct demo_link *l, char *ret_reply)
{
    struct str line;
    uint64_t code;
    for (int i = 0; i < REPLY_LINES_MAX; i++) {
        int rc = demo_link_line(l, &line);
        if (rc < 0) {
            snprintf(ret_reply, DEMO_SMTP_REPLY_MAX, "no reply: %s", err_name(rc));
            return rc;
        }
        if (str_to_u64(str_sub(line, 0, CODE_DIGITS), 599, &code) < 0)
            return ERR_SYNTAX;
        if (line.len == CODE_DIGITS || line.ptr[CODE_DIGITS] == ' ') {
            snprintf(ret_reply, DEMO_SMTP_REPLY_MAX, "%.*s", STR_ARG(line));
            return (int)code;
        }
    }
    return ERR_LIMIT;
}

static enum demo_smtp_outcome outcome_of(int code)
{
    return code >= 500 ? DEMO_SMTP_NEVER : code >= 200 && code < 400 ? DEMO_SMTP_ACCEPTED : DEMO_SMTP_LATER;
}

static enum demo_smtp_outcome command(struct demo_link *l, const char *verb, const char *argument,
                                      const char *tail, char *ret_reply)
{
    int rc = demo_link_sendf(l, "%s%s%s\r\n", verb, argument, tail);
    return outcome_of(rc < 0 ? rc : read_reply(l, ret_reply));
}

/* From the end of the text on a lost answer leaves it open. */
static enum demo_smtp_outcome send_text(struct demo_link *l, struct str text, char *ret_reply)
{
    if (demo_link_send(l, text) < 0)
        return DEMO_SMTP_LATER;
    int rc = demo_link_send(l, STR(".\r\n"));
    int code = rc < 0 ? rc : read_reply(l, ret_reply);
    return code < 0 ? DEMO_SMTP_UNCERTAIN : outcome_of(code);
}

static enum demo_smtp_outcome transaction(struct demo_link *l, const struct demo_mail *mail, char *ret_reply)
{
    enum demo_smtp_outcome outcome = outcome_of(read_reply(l, ret_reply));
    if (outcome == DEMO_SMTP_ACCEPTED)
        outcome = command(l, "EHLO ", "outside.example", "", ret_reply);
    if (outcome == DEMO_SMTP_ACCEPTED)
        outcome = command(l, "MAIL FROM:<", mail->sender, ">", ret_reply);
    if (outcome == DEMO_SMTP_ACCEPTED)
        outcome = command(l, "RCPT TO:<", mail->recipient, ">", ret_reply);
    if (outcome == DEMO_SMTP_ACCEPTED)
        outcome = command(l, "DATA", "", "", ret_reply);
    if (outcome == DEMO_SMTP_ACCEPTED)
        outcome = send_text(l, mail->text, ret_reply);
    return outcome;
}

enum demo_smtp_outcome demo_smtp_send(const struct addr *to, const struct demo_mail *mail,
                                      char ret_reply[DEMO_SMTP_REPLY_MAX])
{
    struct demo_link l;
    struct err_buf eb = {""};
    ret_reply[0] = '\0';
    if (demo_link_open(&l, to, &eb) < 0) {
        snprintf(ret_reply, DEMO_SMTP_REPLY_MAX, "%.*s", DEMO_SMTP_REPLY_MAX - 1, eb.text);
        return DEMO_SMTP_LATER;
    }
    enum demo_smtp_outcome outcome = transaction(&l, mail, ret_reply);
    if (outcome == DEMO_SMTP_ACCEPTED) {
        char farewell[DEMO_SMTP_REPLY_MAX]; /* whatever it says, the message is taken */
        (void)command(&l, "QUIT", "", "", farewell);
    }
    demo_link_close(&l);
    return outcome;
}
