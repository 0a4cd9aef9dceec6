/* Whose the state folder is. Whoever runs a command as root makes what it makes
 * there (databases, their -wal and -shm, locks) as the user that the roles run
 * as, which could not open it otherwise. For the roles' mains and for commands
 * that open the store. */
#ifndef HOLDFAST_CLI_OWNER_H
#define HOLDFAST_CLI_OWNER_H

#include "cli/context.h"

/* As root: becomes the configured user for good, if there is one; keep_bind: as
 * net_drop_privileges says. Before other threads are started. An exit status; why
 * is told on stderr. For roles. */
int owner_become_configured(struct context *cx, bool keep_bind) MUST_USE;

/* The same for other commands: without a configured user becomes whoever owns
 * the network's database, or else the store's folder (SQLite), or else the state folder. */
int owner_become(struct context *cx) MUST_USE;

#endif
