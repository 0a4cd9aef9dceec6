/* How many log lines one client may cause: so many a second, the rest of the second is counted and told in
 * one line ("more like this"), so that who is refused all day does not fill the disk. For who takes
 * connections. Nothing of it survives a crash. */
#ifndef HOLDFAST_NET_LOG_LIMIT_H
#define HOLDFAST_NET_LOG_LIMIT_H

#include <stdbool.h>

#include "loop/loop.h"

#define LOG_LIMIT_PER_SECOND 10   /* as many as a person reads */
#define LOG_LIMIT_CLIENTS    1000 /* told apart at once; all others are counted as one */

struct log_limit;

struct log_limit *log_limit_new(struct loop *l);
/* Tells what was not told yet. NULL is allowed. */
void log_limit_free(struct log_limit *m);

/* client: its IP address, copied. True: log the line; false: it was counted. */
bool log_limit_may(struct log_limit *m, const char *client);

#endif
