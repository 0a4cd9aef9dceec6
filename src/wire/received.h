/* The Received line that a server puts in front of a message (RFC 5321 4.4).
 * Pure. For relay and mailbox. */
#ifndef HOLDFAST_WIRE_RECEIVED_H
#define HOLDFAST_WIRE_RECEIVED_H

#include "base/buf.h"
#include "base/custody_id.h"
#include "base/str.h"
#include "base/time.h"

struct received_line {
    struct str helo;             /* as the client said; "": it said nothing */
    struct str client_name;      /* by DNS; "": not known */
    struct str client_ip;        /* "": not known */
    struct str by;               /* our host name */
    struct str tls;              /* "TLSv1.3 TLS_AES_256_GCM_SHA384", or "" */
    const char *with;            /* "ESMTPS", "SMTP", "UTF8SMTP" (RFC 3848, 6531) */
    const struct custody_id *id; /* NULL: none */
    struct str user;             /* of AUTH, or "" */
    struct str for_one;          /* the recipient when there is only one, else "" */
    struct wall_time at;
};

/* Appends the folded header field with its CRLF. Bytes of the peer that are not
 * printable are shown as '?'. */
void received_line_format(struct buf *out, const struct received_line *line);

#endif
