/* Delivery status notifications (RFC 3464) as messages: multipart/report (RFC 3462) of a text for a human,
 * the fields for programs, and what is sent back of the message. With SMTPUTF8 in the types of RFC 6533;
 * without it the fields for programs are ASCII, with international addresses in their 7-bit form. Bounded by
 * its input; nothing of a peer gets into a header but printable text. Pure; for src/relay. */
#ifndef HOLDFAST_WIRE_DSN_H
#define HOLDFAST_WIRE_DSN_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/custody_id.h"
#include "base/dsn.h"
#include "base/time.h"

enum dsn_action { DSN_FAILED, DSN_DELAYED, DSN_DELIVERED, DSN_RELAYED };

struct dsn_recipient {
    struct str address;     /* where it was to go */
    struct str orcpt;       /* as struct dsn_request has it */
    struct str status;      /* "5.1.1" */
    struct str reply;       /* the server's, or why; "": none */
    bool expired;           /* failed: for its age; reply is the last that there was */
    struct str remote_mta;  /* the host that has said the reply; "": nobody has, it is why */
    struct wall_time at;    /* of the last attempt; 0: unknown */
    struct wall_time until; /* delayed: when it is given up */
};

struct dsn_message {
    enum dsn_action action;
    struct str hostname;            /* ours */
    struct str to;                  /* the reverse-path */
    const struct custody_id *id;    /* the notice's: of its Message-ID and boundary, so nobody can guess it */
    const struct custody_id *about; /* the message's */
    struct str envid;               /* as struct dsn_envelope has it */
    struct wall_time at, received_at; /* now; when the message came */
    bool smtputf8;                    /* the notice may need it */
    bool content_smtputf8;            /* the message did */
    const struct dsn_recipient *recipients;
    size_t recipient_count;
    struct str content; /* what is sent back: lines with CRLF */
    bool whole;         /* it is the whole message, not its header */
};

/* Octets above 127 are in it (BODY=8BITMIME): in content, in an address for the human, or with smtputf8. */
bool dsn_message_eight_bit(const struct dsn_message *m);
/* Appends it, header and body. */
void dsn_message_format(struct buf *out, const struct dsn_message *m);

/* The enhanced status code that a reply begins with ("550 5.1.1 No such user"; of our own "5.4.4 No host
 * ..."), else the one for its code, else `otherwise`. A view. */
struct str dsn_status_of(struct str reply, struct str otherwise);

/* The header of a message that begins so, without the blank line: cut at max_bytes, at a line's end. */
struct str dsn_header_of(struct str message, size_t max_bytes);

#endif
