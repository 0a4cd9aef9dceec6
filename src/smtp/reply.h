/* Replies as owners of sessions see them: `struct smtp_reply` and SMTP_REPLY
 * come from the codec; here are those that everyone needs.
 * A reply's text is a view: it is copied by whoever is given it. */
#ifndef HOLDFAST_SMTP_REPLY_H
#define HOLDFAST_SMTP_REPLY_H

#include "wire/smtp_reply.h"

#define SMTP_REPLY_OK          SMTP_REPLY(250, 2, 0, 0, "Ok")
#define SMTP_REPLY_UNAVAILABLE SMTP_REPLY(421, 4, 3, 2, "Service not available, closing transmission channel")

/* A session that makes room for a new one (net/admission.h). */
#define SMTP_REPLY_MAKE_ROOM SMTP_REPLY(421, 4, 7, 0, "Too many connections: idle ones are ended first")

#define SMTP_REPLY_CLIENT_FULL                                                                               \
    SMTP_REPLY(421, 4, 7, 0, "Too many connections from your address, try again later")

/* Instead of a greeting, for net/entrance.h. */
#define SMTP_LINE_FULL        "421 4.7.0 Too many connections, try again later\r\n"
#define SMTP_LINE_CLIENT_FULL "421 4.7.0 Too many connections from your address, try again later\r\n"

#endif
