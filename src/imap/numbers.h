/* The messages that a command's set names. */
#ifndef HOLDFAST_IMAP_NUMBERS_H
#define HOLDFAST_IMAP_NUMBERS_H

#include "imap/command.h"

/* ` set` at the cursor, resolved: sequence numbers, or UIDs after `UID`.
 * ERR_SYNTAX also for a sequence number that the mailbox has not. */
int imap_take_set(struct imap_command *cmd, struct imap_set *ret_set) MUST_USE;
bool imap_set_has_message(const struct imap_command *cmd, const struct imap_set *set, size_t index);

/* The UIDs of the messages, ascending; in the command's arena. Messages that
 * were expunged meanwhile are left out. ERR_LIMIT. */
struct imap_uids {
    uint32_t *uids;
    size_t count;
};
int imap_set_uids(struct imap_command *cmd, const struct imap_set *set, struct imap_uids *ret_uids) MUST_USE;

#endif
