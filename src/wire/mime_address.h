/* Address lists of header fields (RFC 5322 3.4 with its obsolete forms), as
 * IMAP's ENVELOPE wants them. Lenient: never fails, takes what it can. Pure. */
#ifndef HOLDFAST_WIRE_MIME_ADDRESS_H
#define HOLDFAST_WIRE_MIME_ADDRESS_H

#include "base/arena.h"
#include "base/str.h"

#define MIME_ADDRESSES_MAX 2000 /* of one field of 64 KiB; more are left out */

/* RFC 3501 7.4.2: a group begins with host NIL and its name as mailbox, and
 * ends with all NIL. ptr NULL is NIL. */
struct mime_address {
    struct str name, route, mailbox, host;
    struct mime_address *next;
};

struct mime_address *mime_addresses_parse(struct str value, struct arena *arena); /* NULL: none */

#endif
