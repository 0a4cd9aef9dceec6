#include "cli/status_data.h"

#include <stdlib.h>

#include "web/status.h"

static void on_counted(void *arg)
{
    context_done(arg);
}

/* The queues are read first: a view must not be kept over a wait. */
json_t *status_gather(struct context *cx)
{
    struct counter *counter = counter_new(cx->store, cx->config);
    counter_read(counter, on_counted, cx);
    context_wait(cx);
    struct viewer *viewer = context_view(cx);
    char *store_json = store_status_json(cx->store);
    struct status_input in = {
        .config = cx->config,
        .view = viewer_view(viewer),
        .counts = counter_counts(counter),
        .store_json = store_json,
        .now = loop_wall(cx->loop),
    };
    json_t *status = status_build(&in);
    free(store_json);
    viewer_free(viewer);
    counter_free(counter);
    return status;
}
