/* Starts an instance's process and waits until it is ready. For the provisioner
 * `process`. */
#ifndef HOLDFAST_PROVISION_START_H
#define HOLDFAST_PROVISION_START_H

#include <stdint.h>

#include "state.h"

#define START_LIFELINE_ENV "HOLDFAST_LIFELINE_FD" /* run/lifeline.h: the instance ends with its node */

struct start_spec {
    const char *const *argv; /* argv[0] is the program's path */
    const struct state_place *place;
    int64_t epoch;
    int64_t timeout_ms;
};

/* On success the process runs by itself, in a session of its own, and state (in
 * place too) names it. ERR_UNAVAILABLE: it said to try again later (75).
 * ERR_TIMEOUT: it was not ready in time, and was killed. ERR_REFUSED: it ended. */
int start_instance(const struct start_spec *spec, struct state *state, struct err_buf *eb) MUST_USE;

#endif
