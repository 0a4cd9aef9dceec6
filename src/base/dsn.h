/* What a sender asks to be told about his message (RFC 3461): the words that SMTP sessions, the queue and the
 * relay share. The texts are as they came, in xtext, so that they are handed on unaltered (5.2.1); an address
 * of the type utf-8 in its 7-bit form (RFC 6533). */
#ifndef HOLDFAST_BASE_DSN_H
#define HOLDFAST_BASE_DSN_H

#include "base/str.h"

/* How much of a message that failed is sent back. Numbers are on disks: they stay. */
enum dsn_ret { DSN_RET_UNSAID = 0, DSN_RET_FULL = 1, DSN_RET_HDRS = 2 };

/* Bits; 0: not said. NEVER stands alone. Numbers are on disks: they stay. */
enum dsn_notify {
    DSN_NOTIFY_NEVER = 1 << 0,
    DSN_NOTIFY_SUCCESS = 1 << 1,
    DSN_NOTIFY_FAILURE = 1 << 2,
    DSN_NOTIFY_DELAY = 1 << 3,
};

/* With MAIL. */
struct dsn_envelope {
    enum dsn_ret ret;
    struct str envid; /* xtext; "": not said */
};

/* With RCPT. */
struct dsn_request {
    unsigned notify;  /* of enum dsn_notify */
    struct str orcpt; /* "rfc822;" and xtext; "": not said */
};

#endif
