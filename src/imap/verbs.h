/* The commands, one file each: cmd_NAME.c. */
#ifndef HOLDFAST_IMAP_VERBS_H
#define HOLDFAST_IMAP_VERBS_H

#include "imap/command.h"

void imap_cmd_capability(struct imap_command *cmd);
void imap_cmd_noop(struct imap_command *cmd); /* CHECK too */
void imap_cmd_logout(struct imap_command *cmd);
void imap_cmd_id(struct imap_command *cmd);
void imap_cmd_enable(struct imap_command *cmd);
void imap_cmd_login(struct imap_command *cmd);
void imap_cmd_authenticate(struct imap_command *cmd);
void imap_cmd_starttls(struct imap_command *cmd);
void imap_cmd_namespace(struct imap_command *cmd);
void imap_cmd_select(struct imap_command *cmd); /* EXAMINE too */
void imap_cmd_create(struct imap_command *cmd);
void imap_cmd_delete(struct imap_command *cmd);
void imap_cmd_rename(struct imap_command *cmd);
void imap_cmd_subscribe(struct imap_command *cmd); /* UNSUBSCRIBE too */
void imap_cmd_list(struct imap_command *cmd);      /* LSUB too */
void imap_cmd_status(struct imap_command *cmd);
void imap_cmd_append(struct imap_command *cmd);
void imap_cmd_close(struct imap_command *cmd); /* UNSELECT too */
void imap_cmd_expunge(struct imap_command *cmd);
void imap_cmd_search(struct imap_command *cmd);
void imap_cmd_fetch(struct imap_command *cmd);
void imap_cmd_store(struct imap_command *cmd);
void imap_cmd_copy(struct imap_command *cmd); /* MOVE too */
void imap_cmd_idle(struct imap_command *cmd);

/* The verb that runs is the one of this name. */
bool imap_command_is(const struct imap_command *cmd, const char *name);

#endif
