/* Options and operands of a command line. `--name value`, `--name=value`, `-c
 * value`; `--` ends the options. For main and every subcommand. */
#ifndef HOLDFAST_CLI_ARGS_H
#define HOLDFAST_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct args_option {
    const char *name;   /* without dashes; a single letter is also -x. NULL ends the table */
    const char **value; /* set to the value; NULL for a flag */
    bool *flag;         /* set for a flag */
};

#define ARGS_OPERANDS_MAX 16

struct args {
    const char *operands[ARGS_OPERANDS_MAX];
    size_t operand_count;
};

/* Fills the options and the operands of argv[0..argc-1] (no program name).
 * ERR_INVALID: unknown option, value missing, too many operands; eb says which. */
int args_parse(int argc, char **argv, const struct args_option *options, struct args *ret_args,
               struct err_buf *eb) MUST_USE;

#endif
