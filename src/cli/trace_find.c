#include "cli/trace_find.h"

#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/say.h"

#define PAGE_ROWS 1000

struct finding {
    struct context *cx;
    const char *queue;
    struct queue_filter filter;
    struct trace_found *found;
    bool more;
    int status;
};

void trace_found_add(struct trace_found *found, const struct custody_id *id)
{
    for (size_t i = 0; i < found->count; i++)
        if (custody_id_eq(&found->ids[i], id))
            return;
    if (found->count == found->limit) {
        found->left_out++;
        memmove(&found->ids[0], &found->ids[1], --found->count * sizeof(found->ids[0]));
    }
    found->ids[found->count++] = *id;
}

static void on_rows(void *arg, int err, const struct queue_rows *rows)
{
    struct finding *f = arg;
    f->more = !err && rows->more;
    if (err) {
        say_line(stderr, "holdfast trace: queue %s cannot be read: %s", f->queue, err_name(err));
        f->status = EXIT_FAILED;
    }
    for (size_t i = 0; !err && i < rows->count; i++) {
        trace_found_add(f->found, &rows->items[i].custody_id);
        f->filter.after_id = rows->items[i].id;
    }
    context_done(f->cx);
}

static void find_in(struct finding *f)
{
    struct queue *q = context_open_queue(f->cx, f->queue, &f->status);
    if (!q)
        return;
    f->filter.after_id = 0;
    do {
        queue_list(q, &f->filter, on_rows, f);
        context_wait(f->cx);
    } while (f->more);
    queue_close(q);
}

int trace_find(struct context *cx, const struct queue_names *names, const struct queue_filter *filter,
               struct str relay, struct trace_found *found)
{
    struct finding f = {.cx = cx, .filter = *filter, .found = found, .status = EXIT_DONE};
    f.filter.limit = PAGE_ROWS;
    f.filter.states = UINT32_MAX;
    for (size_t i = 0; i < names->count; i++) {
        f.queue = names->items[i];
        if (!relay.ptr || str_eq(relay, str_from(f.queue)))
            find_in(&f);
    }
    return f.status;
}
