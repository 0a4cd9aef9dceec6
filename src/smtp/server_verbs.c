/* The table of commands: the one place that knows them all. */
#include "smtp/server_machine.h"

#define IN_SMTP       (1U << SMTP_FLAVOUR_SMTP)
#define IN_LMTP       (1U << SMTP_FLAVOUR_LMTP)
#define IN_SUBMISSION (1U << SMTP_FLAVOUR_SUBMISSION)
#define IN_ALL        (IN_SMTP | IN_LMTP | IN_SUBMISSION)

struct verb {
    struct str name;
    void (*run)(struct smtp_server *s, struct str args);
    unsigned flavours;
};

static const struct verb verbs[] = {
    {{"MAIL", 4}, cmd_mail, IN_ALL},
    {{"RCPT", 4}, cmd_rcpt, IN_ALL},
    {{"DATA", 4}, cmd_data, IN_ALL},
    {{"BDAT", 4}, cmd_bdat, IN_ALL},
    {{"EHLO", 4}, cmd_ehlo, IN_SMTP | IN_SUBMISSION},
    {{"HELO", 4}, cmd_helo, IN_SMTP | IN_SUBMISSION},
    {{"LHLO", 4}, cmd_ehlo, IN_LMTP},
    {{"RSET", 4}, cmd_rset, IN_ALL},
    {{"NOOP", 4}, cmd_noop, IN_ALL},
    {{"QUIT", 4}, cmd_quit, IN_ALL},
    {{"VRFY", 4}, cmd_vrfy, IN_ALL},
    {{"EXPN", 4}, cmd_expn, IN_ALL},
    {{"HELP", 4}, cmd_help, IN_ALL},
    {{"AUTH", 4}, cmd_auth, IN_ALL},
    {{"STARTTLS", 8}, cmd_starttls, IN_ALL},
    {{"XCLIENT", 7}, cmd_xclient, IN_ALL},
    {{"XHOLDFAST", 9}, cmd_xholdfast, IN_ALL},
};

static const struct verb *find_verb(const struct smtp_server *s, struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (str_ieq(verbs[i].name, name) && (verbs[i].flavours & (1U << s->options->flavour)))
            return &verbs[i];
    return NULL;
}

static bool is_listed(const struct smtp_server *s, const struct verb *verb)
{
    if (verb->run == cmd_xholdfast || verb->run == cmd_xclient ||
        (verb->run == cmd_auth && !server_offers_auth(s)) ||
        (verb->run == cmd_starttls && !server_offers_tls(s)))
        return false;
    return verb->flavours & (1U << s->options->flavour);
}

void server_list_verbs(const struct smtp_server *s, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (is_listed(s, &verbs[i]))
            buf_append_fmt(out, " %.*s", STR_ARG(verbs[i].name));
}

void server_dispatch(struct smtp_server *s, struct str line)
{
    struct smtp_command command;
    const struct verb *verb = NULL;
    s->stage = "command";
    if (smtp_command_parse(line, &command) != 0) {
        server_refuse(s, SMTP_REPLY(500, 5, 5, 2, "Command expected"));
        return;
    }
    verb = find_verb(s, command.verb);
    if (verb)
        s->stage = verb->name.ptr;
    if (s->refused && (!verb || verb->run != cmd_quit))
        server_refuse(s, SMTP_REPLY(503, 5, 5, 1, "Only QUIT is served here")); /* RFC 5321 3.1 */
    else if (!verb)
        server_refuse(s, SMTP_REPLY(500, 5, 5, 1, "Command not recognized"));
    else
        verb->run(s, command.args);
}
