/* Hands one message to one host by SMTP, as a sending mail server does, one
 * command at a time. Blocking, bounded. */
#ifndef HOLDFAST_CLI_DEMO_SMTP_H
#define HOLDFAST_CLI_DEMO_SMTP_H

#include "base/addr.h"
#include "base/str.h"

enum demo_smtp_outcome {
    DEMO_SMTP_ACCEPTED,  /* 250 after the message's end */
    DEMO_SMTP_LATER,     /* no connection, lost before the end, or 4yz: the next host may take it */
    DEMO_SMTP_NEVER,     /* 5yz */
    DEMO_SMTP_UNCERTAIN, /* lost after the end: taken or not, nobody said */
};

#define DEMO_SMTP_REPLY_MAX 256

struct demo_mail {
    const char *sender, *recipient;
    struct str text; /* lines end with CRLF, none begins with a dot */
};

/* ret_reply: the last reply or what went wrong, for a human. */
enum demo_smtp_outcome demo_smtp_send(const struct addr *to, const struct demo_mail *mail,
                                      char ret_reply[DEMO_SMTP_REPLY_MAX]);

#endif
