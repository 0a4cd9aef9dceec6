/* The services of an instance: which there are, on which port each is, and what becomes of a new connection:
 * its proxy is believed, the entrance asked, and a session begun, under TLS from its first byte where the
 * service wants it (RFC 8314). For the role. */
#ifndef HOLDFAST_MAILBOX_SERVICES_H
#define HOLDFAST_MAILBOX_SERVICES_H

#include "mailbox/instance.h"

/* One of MAILBOX_SERVICES (mailbox/role.h), of an instance. */
struct service_place {
    struct instance *instance;
    size_t service;
};

uint16_t service_port(const struct config_server *s, size_t service); /* 0: not offered */
bool service_takes_mail(size_t service); /* SMTP, LMTP, submission; else it is a reader's */
/* Takes a new connection. place must live as long as the instance. */
void service_open(struct service_place *place, struct loop_stream *stream, const struct addr *peer);

#endif
