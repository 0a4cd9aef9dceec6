/* The status as Prometheus' text format 0.0.4. Pure; any thread. */
#ifndef HOLDFAST_WEB_METRICS_H
#define HOLDFAST_WEB_METRICS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* What is known at the moment of asking only. */
struct metrics_live {
    bool store_answers;
    int64_t store_age_ms; /* since the store was read; -1: never yet */
    uint64_t requests, refused;
};

/* status: of status_build. */
void metrics_write(struct buf *out, const json_t *status);
void metrics_write_live(struct buf *out, const struct metrics_live *live);

#endif
