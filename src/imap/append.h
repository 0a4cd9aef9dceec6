/* APPEND is the one command whose literal is not gathered: the session asks it
 * at each literal. */
#ifndef HOLDFAST_IMAP_APPEND_H
#define HOLDFAST_IMAP_APPEND_H

#include "imap/command.h"

/* Is what s->frame has gathered an APPEND up to its message? Then the command
 * starts here, and the literal is streamed into the store or refused. */
bool imap_append_take_literal(struct imap_session *s);

#endif
