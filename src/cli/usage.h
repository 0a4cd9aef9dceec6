/* How each subcommand is used: one table of forms, from which the words after a
 * wrong command line and `holdfast COMMAND --help` are made. Formatting is pure. */
#ifndef HOLDFAST_CLI_USAGE_H
#define HOLDFAST_CLI_USAGE_H

#include <stdbool.h>

#include "base/buf.h"

/* "usage: holdfast ...", a line for the form of that verb, or for each when there is no such one (verb may be
 * NULL), and the options of every command. explain: what each form does, and what its words mean, too. */
void usage_format(struct buf *out, const char *command, const char *verb, bool explain);

/* Whether --help or -h is among the words, before "--". (--why=--help gives it as a value.) */
bool usage_is_asked(int argc, char **argv);
/* The options of every command, two lines. */
const char *usage_common(void);

#endif
