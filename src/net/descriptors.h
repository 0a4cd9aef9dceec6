/* How many descriptors this process may have open, and how many sessions that
 * allows. The usual soft limit (1,024, for programs that use select) is less
 * than the sessions that a configuration allows, and a process without a free
 * descriptor can neither probe, deliver, nor open its store's files. For the
 * roles' main and who takes connections. */
#ifndef HOLDFAST_NET_DESCRIPTORS_H
#define HOLDFAST_NET_DESCRIPTORS_H

#include <stdint.h>

/* Raises this process's soft limit to the hard one; returns what holds now, or
 * 0 when it cannot be known. */
int64_t descriptors_raise(void);

/* Pure: how many sessions, each of `each` descriptors (> 0), may be open at once
 * when `max` descriptors are allowed (0: not known, all of them) and `wanted`
 * sessions are configured. Left free are what every role has open (the store's
 * files, listeners, the loop) and `others`: what the role opens besides (probes,
 * deliveries). A limit that is too small for that still leaves a quarter of it to
 * sessions: at least 1. */
int64_t descriptors_sessions(int64_t max, int64_t wanted, int64_t each, int64_t others);

#endif
