#include "run/command.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define SELF "/proc/self/exe"

char *command_program(void)
{
    char path[PATH_MAX];
    ssize_t len = readlink(SELF, path, sizeof(path) - 1);
    if (len > 0) {
        path[len] = '\0';
        if (access(path, X_OK) == 0)
            return mem_strdup(path);
    }
    return mem_strdup(SELF); /* replaced on disk since we started: the image that runs is still there */
}

void command_init(struct command *cmd, const char *name, const char *program, const char *verb,
                  const struct config *c, const struct config_node *node)
{
    const char *const argv[] = {program, verb,          "--node",     node->name, "-c",
                                c->path, "--state-dir", c->state_dir, NULL};
    _Static_assert(sizeof(argv) <= sizeof(cmd->argv), "COMMAND_ARGS_MAX");
    cmd->name = mem_strdup(name);
    memcpy(cmd->argv, argv, sizeof(argv));
}

void command_fini(struct command *cmd)
{
    free(cmd->name);
    cmd->name = NULL;
}
