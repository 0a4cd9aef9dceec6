#include "cli/queue_list.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/queue_row.h"
#include "cli/say.h"
#include "cli/waiting.h"

#define PAGE_ROWS     500
#define ROW_MAX_BYTES 65536 /* two addresses and a reply at their longest, and more */
#define LIST_LIMIT    100   /* without --limit, as text: a terminal's worth */

struct listing {
    struct context *cx;
    const char *queue;
    struct waiting waiting;
    struct queue_names names;
    bool json, first;
    size_t columns; /* of the terminal; 0: it is none */
    uint64_t left;  /* rows to show */
    int64_t after_id;
    const char *last_queue; /* of the last row that was shown */
    int64_t last_id;
    struct buf spooled; /* lines that tell of what is in no queue yet */
    bool more;          /* rows of this queue */
    uint64_t shown;
    int status; /* the worst */
};

static size_t terminal_columns(void)
{
    struct winsize size;
    return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* One array, written as its rows come: a queue may be larger than this process should be. */
static void show_json(struct listing *l, json_t *row)
{
    fputs(l->first ? "[" : ",\n ", stdout);
    say_json(stdout, row, JSON_COMPACT);
    json_decref(row);
    l->first = false;
}

static void show_row(struct listing *l, const struct queue_delivery *d)
{
    const char *reason = waiting_reason(&l->waiting, d);
    if (l->json) {
        json_t *row = queue_row_json(l->queue, d, reason);
        json_object_set_new(row, "relay_removed", json_boolean(queue_names_is_removed(&l->names, l->queue)));
        show_json(l, row);
        return;
    }
    struct buf out;
    buf_init(&out, ROW_MAX_BYTES);
    if (l->first)
        queue_row_head(&out, l->columns);
    queue_row_text(&out, d, reason, l->columns);
    fwrite(buf_data(&out), 1, out.len, stdout);
    buf_fini(&out);
    l->first = false;
}

static void on_rows(void *arg, int err, const struct queue_rows *rows)
{
    struct listing *l = arg;
    l->more = false;
    if (err) {
        say_line(stderr, "holdfast queue: %s cannot be read: %s", l->queue, err_name(err));
        l->status = EXIT_FAILED;
    }
    for (size_t i = 0; !err && i < rows->count && l->left > 0; i++) {
        show_row(l, &rows->items[i]);
        l->after_id = l->last_id = rows->items[i].id;
        l->last_queue = l->queue;
        l->left--;
        l->shown++;
    }
    if (!err)
        l->more = rows->more && l->left > 0;
    context_done(l->cx);
}

/* From after_id on. */
static void list_queue(struct listing *l, struct queue_filter filter)
{
    struct queue *q = context_open_queue(l->cx, l->queue, &l->status);
    uint64_t shown = l->shown;
    if (!q)
        return;
    do {
        filter.after_id = l->after_id;
        filter.limit = l->left < PAGE_ROWS ? (size_t)l->left : PAGE_ROWS;
        queue_list(q, &filter, on_rows, l);
        context_wait(l->cx);
    } while (l->more);
    queue_close(q);
    if (!l->json && l->shown > shown && queue_names_is_removed(&l->names, l->queue))
        say_line(stdout,
                 "-- the last %llu: in the queue of %s, a relay that was removed from the configuration",
                 (unsigned long long)(l->shown - shown), l->queue);
}

/* Rows that are shown at the most. */
static uint64_t limit_of(const struct queue_selection *s, bool json)
{
    bool all = json || s->words.id; /* for a program, or of one message */
    return s->limit ? s->limit : all ? UINT64_MAX : LIST_LIMIT;
}

/* Of spools only how much there is can be told: they are on other machines, perhaps. */
static void note_spooled(struct listing *l, const struct view *v)
{
    buf_init(&l->spooled, ROW_MAX_BYTES);
    for (size_t i = 0; i < v->work_count; i++)
        if (v->works[i].record.spool_waiting > 0)
            buf_append_fmt(&l->spooled, "-- and %lld in the spool of %.*s, to be handed over to its queue\n",
                           (long long)v->works[i].record.spool_waiting, STR_ARG(v->works[i].relay));
}

static void end_list(const struct listing *l)
{
    if (!l->json)
        fwrite(buf_data(&l->spooled), 1, l->spooled.len, stdout);
    if (l->json)
        puts(l->first ? "[]" : "]");
    else if (l->shown == 0 && l->status == EXIT_DONE)
        printf("nothing found\n");
    else if (l->left == 0)
        say_line(stdout, "-- the first %llu; what follows: --after %s:%lld; --limit N shows more",
                 (unsigned long long)l->shown, l->last_queue, (long long)l->last_id);
}

/* The index of the queue to begin with; SIZE_MAX: there is none of that name. */
static size_t first_queue(struct listing *l, const char *after)
{
    struct str queue;
    if (!after)
        return 0;
    if (queue_id_parse(str_from(after), &queue, &l->after_id) == 0)
        for (size_t i = 0; i < l->names.count; i++)
            if (str_eq(str_from(l->names.items[i]), queue))
                return i;
    return SIZE_MAX;
}

static void list_queues(struct listing *l, const struct queue_filter *filter, const char *relay, size_t first)
{
    for (size_t i = first; i < l->names.count && l->left > 0; i++) {
        l->queue = l->names.items[i];
        if (!relay || str_eq(str_from(relay), str_from(l->queue)))
            list_queue(l, *filter);
        l->after_id = 0;
    }
    end_list(l);
}

int queue_list_show(struct context *cx, struct queue_selection *s, const struct queue_list_options *options)
{
    struct viewer *viewer = context_view(cx);
    struct queue_filter filter = queue_selection_filter(s, cx->config, viewer_view(viewer));
    struct listing l = {.cx = cx,
                        .json = options->json,
                        .first = true,
                        .columns = terminal_columns(),
                        .left = limit_of(s, options->json)};
    waiting_init(&l.waiting, cx->config, viewer_view(viewer));
    queue_names_init(&l.names, cx->config, viewer_view(viewer));
    note_spooled(&l, viewer_view(viewer));
    viewer_free(viewer);
    if (filter.states == 0 && options->all_states)
        filter.states = UINT32_MAX;
    size_t first = first_queue(&l, options->after);
    if (first == SIZE_MAX)
        l.status = command_usage("queue", "--after names no row: RELAY:NUMBER, as the list before ended");
    else if (s->relay && !queue_names_have(&l.names, s->relay))
        l.status = command_usage("queue", "there is no relay of that name");
    else
        list_queues(&l, &filter, s->relay, first);
    buf_fini(&l.spooled);
    queue_names_fini(&l.names);
    waiting_fini(&l.waiting);
    return l.status;
}
