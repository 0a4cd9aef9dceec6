/* `holdfast store copy`: to a folder (store/copy.h), or from SQLite into a database of PostgreSQL
 * (store/transfer.h). Progress on stderr when that is a terminal; SIGINT and SIGTERM stop it cleanly. */
#ifndef HOLDFAST_CLI_STORE_COPY_H
#define HOLDFAST_CLI_STORE_COPY_H

#include "cli/context.h"

/* to: a folder, or a URL of a database. password_file: of the latter; NULL: none is needed. An exit status:
 * 75: try again later, what is copied stays. */
int store_copy_command(struct context *cx, const char *to, const char *password_file, bool json);

#endif
