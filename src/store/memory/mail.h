/* Inside the memory engine: what mailbox.c and mail.c share. */
#ifndef HOLDFAST_STORE_MEMORY_MAIL_H
#define HOLDFAST_STORE_MEMORY_MAIL_H

#include "store/memory/device.h"

struct memory_user *memory_user_of(struct memory_mail *mail, struct str address, uint32_t wall_s);
struct memory_mailbox *memory_mailbox_find(const struct memory_mail *mail, const struct memory_user *user,
                                           struct str name);

/* Adds a copy of the message with the next UID and MODSEQ (the body's reference
 * is the caller's); returns its UID. */
uint32_t memory_message_add(struct memory_mailbox *box, const struct memory_mail_message *message);
/* Removes the one at index and keeps its UID among the expunged. */
void memory_message_remove(struct memory_mail *mail, struct memory_mailbox *box, size_t index);

#endif
