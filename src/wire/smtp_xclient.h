/* What one server tells another of the client that it speaks for: the attributes of XCLIENT and XFORWARD
 * (Postfix's XCLIENT_README and XFORWARD_README), read and written. Pure; for src/smtp. */
#ifndef HOLDFAST_WIRE_SMTP_XCLIENT_H
#define HOLDFAST_WIRE_SMTP_XCLIENT_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/buf.h"

#define SMTP_XCLIENT_NAME_MAX 255

/* What is offered after EHLO. LOGIN is not: nobody logs in by another's word. */
#define SMTP_XCLIENT_OFFER "XCLIENT NAME ADDR PORT PROTO HELO DESTADDR DESTPORT"

/* Of whom a peer speaks. One that it does not know ("[UNAVAILABLE]", "[TEMPUNAVAIL]") is nobody whose address
 * was said before, nor the peer. */
enum smtp_xclient_addr { SMTP_XCLIENT_ADDR_UNSAID, SMTP_XCLIENT_ADDR_UNKNOWN, SMTP_XCLIENT_ADDR_KNOWN };

struct smtp_xclient {
    enum smtp_xclient_addr addr_word;
    struct addr addr;                     /* KNOWN; with PORT, 0: not said */
    char name[SMTP_XCLIENT_NAME_MAX + 1]; /* by DNS; "": not known */
    char helo[SMTP_XCLIENT_NAME_MAX + 1]; /* bytes that no name has are '?'; "": not known */
};

/* The arguments of XCLIENT: sets what they name in *io, and leaves the rest. ERR_SYNTAX: an attribute that
 * was not offered, or a bad value; *io is untouched. */
int smtp_xclient_parse(struct str args, struct smtp_xclient *io) MUST_USE;

/* Appends " ADDR=..." or " HELO=...", "[UNAVAILABLE]" for what is "". ip: as addr_format_ip has it. */
void smtp_xclient_put_addr(struct buf *out, struct str ip);
void smtp_xclient_put_helo(struct buf *out, struct str helo);

#endif
