/* The command lines of what a supervisor starts: this program again, with the
 * role, the node, the configuration's file and the state folder. For run_node
 * and run_network. */
#ifndef HOLDFAST_RUN_COMMAND_H
#define HOLDFAST_RUN_COMMAND_H

#include "config/config.h"

#define COMMAND_ARGS_MAX 9 /* program, role, three options with a value, NULL; one spare */

struct command {
    char *name; /* "relay", "node east1": for the log */
    const char *argv[COMMAND_ARGS_MAX];
};

/* This program's file: heap, absolute where the system tells. */
char *command_program(void);
/* All views into program, verb, node and c, which must outlive it; name is a
 * copy. verb is a role or "run". */
void command_init(struct command *cmd, const char *name, const char *program, const char *verb,
                  const struct config *c, const struct config_node *node);
void command_fini(struct command *cmd);

#endif
