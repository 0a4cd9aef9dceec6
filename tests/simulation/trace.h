/* What the program's parts log, told with the world's time and the process that
 * says it; nothing is said but when a trace was asked for. Stands in for
 * log_fields (base/log.h) at link time. */
#ifndef HOLDFAST_TESTS_SIMULATION_TRACE_H
#define HOLDFAST_TESTS_SIMULATION_TRACE_H

#include <stdbool.h>

struct world;

void trace_set(bool on);
/* Whose story it is; NULL: nobody's. */
void trace_follow(const struct world *w);

#endif
