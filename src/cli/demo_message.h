/* The messages that the demo sends, and how it knows them again: a tag header
 * with the run and the number, and a text that says it is whole. Pure. */
#ifndef HOLDFAST_CLI_DEMO_MESSAGE_H
#define HOLDFAST_CLI_DEMO_MESSAGE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/demo_ledger.h"

#define DEMO_SENDER "sender@outside.example" /* RFC 2606: nobody's */

/* Appends the message with CRLF ends of lines; no line begins with a dot. run
 * is a word that no other run of the demo has. */
void demo_message_format(struct buf *out, const char *run, uint32_t number, const char *recipient,
                         struct wall_time date);
/* Reads number and whole of the message in text (other things may be before
 * and after it); LEDGER_FOREIGN when it has no tag of this run. */
void demo_message_read(const char *run, struct str text, struct ledger_seen *ret_seen);
/* The flags of an IMAP list, as in "\Seen \Flagged"; others are passed over. */
unsigned demo_message_flags(struct str list);
/* "flags (\Seen)" as IMAP writes them; out has room for size bytes. */
void demo_message_flags_format(unsigned flags, char *out, size_t size);

#endif
