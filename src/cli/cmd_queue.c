#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/queue_filter.h"
#include "cli/queue_row.h"
#include "cli/waiting.h"

#define PAGE_ROWS        500
#define ROW_MAX_BYTES    65536 /* two addresses and a reply at their longest, and more */
#define LIST_LIMIT       100   /* without --limit, as text: a terminal's worth */
#define ORDER_TIMEOUT_MS 60000

struct listing {
    struct context *cx;
    const char *queue;
    struct waiting waiting;
    struct queue_names names;
    bool json, first;
    size_t columns; /* of the terminal; 0: it is none */
    uint64_t left;  /* rows to show */
    int64_t after_id;
    bool more;
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
    json_dumpf(row, stdout, JSON_COMPACT);
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
        fprintf(stderr, "holdfast queue: %s cannot be read: %s\n", l->queue, err_name(err));
        l->status = EXIT_FAILED;
    }
    for (size_t i = 0; !err && i < rows->count && l->left > 0; i++) {
        show_row(l, &rows->items[i]);
        l->after_id = rows->items[i].id;
        l->left--;
        l->shown++;
    }
    if (!err)
        l->more = rows->more && l->left > 0;
    context_done(l->cx);
}

static void list_queue(struct listing *l, struct queue_filter filter)
{
    struct queue *q = context_open_queue(l->cx, l->queue, &l->status);
    uint64_t shown = l->shown;
    if (!q)
        return;
    l->after_id = 0;
    do {
        filter.after_id = l->after_id;
        filter.limit = l->left < PAGE_ROWS ? (size_t)l->left : PAGE_ROWS;
        queue_list(q, &filter, on_rows, l);
        context_wait(l->cx);
    } while (l->more);
    queue_close(q);
    if (!l->json && l->shown > shown && queue_names_is_removed(&l->names, l->queue))
        printf("-- the last %llu: in the queue of %s, a relay that was removed from the configuration\n",
               (unsigned long long)(l->shown - shown), l->queue);
}

/* Rows that are shown at the most. */
static uint64_t limit_of(const struct queue_selection *s, bool json)
{
    bool all = json || s->id; /* for a program, or of one message */
    return s->limit_count ? s->limit_count : all ? UINT64_MAX : LIST_LIMIT;
}

static void end_list(const struct listing *l)
{
    if (l->json)
        puts(l->first ? "[]" : "]");
    else if (l->shown == 0 && l->status == EXIT_DONE)
        printf("nothing found\n");
    else if (l->left == 0)
        printf("-- the first %llu; --limit N shows more\n", (unsigned long long)l->shown);
}

static int list(struct context *cx, struct queue_selection *s, bool json, bool all_states)
{
    struct viewer *viewer = context_view(cx);
    struct queue_filter filter = queue_selection_filter(s, cx->config, viewer_view(viewer));
    struct listing l = {
        .cx = cx, .json = json, .first = true, .columns = terminal_columns(), .left = limit_of(s, json)};
    waiting_init(&l.waiting, cx->config, viewer_view(viewer));
    queue_names_init(&l.names, cx->config, viewer_view(viewer));
    viewer_free(viewer);
    filter.states = all_states ? UINT32_MAX : 0;
    for (size_t i = 0; i < l.names.count && l.left > 0; i++) {
        l.queue = l.names.items[i];
        list_queue(&l, filter);
    }
    end_list(&l);
    queue_names_fini(&l.names);
    waiting_fini(&l.waiting);
    return l.status;
}

struct giving {
    struct context *cx;
    struct queue_selection selection; /* its limit goes down by what was changed */
    const char *verb, *to, *why;
    json_t *answers; /* --json */
};

static int give_to_queue(struct giving *g, const char *queue)
{
    char target[256], verb[32];
    json_t *args = queue_selection_args(&g->selection, g->to), *answer = NULL;
    char *args_text = json_dumps(args, JSON_COMPACT);
    snprintf(target, sizeof(target), "relay/%s", queue);
    snprintf(verb, sizeof(verb), "queue-%s", g->verb);
    struct record_order order = {.target = str_from(target),
                                 .verb = str_from(verb),
                                 .subject = str_from(queue),
                                 .args = str_from(args_text),
                                 .why = str_from(g->why)};
    if (!g->answers) {
        printf("%s: ", queue);
        fflush(stdout);
    }
    int status = context_order_json(g->cx, &order, ORDER_TIMEOUT_MS, &answer);
    uint64_t changed = (uint64_t)json_integer_value(json_object_get(answer, "changed"));
    if (g->selection.limit_count > 0)
        g->selection.limit_count -= changed < g->selection.limit_count ? changed : g->selection.limit_count;
    if (!g->answers && status == EXIT_DONE)
        context_print_changed(answer);
    if (g->answers) {
        json_object_set_new(answer, "queue", json_string(queue));
        json_array_append(g->answers, answer);
    }
    json_decref(answer);
    json_decref(args);
    free(args_text);
    return status;
}

/* To each relay's queue that there is, until the limit is reached; --json: an array of what became of it. */
static int give(struct giving *g)
{
    struct queue_names names;
    bool limited = g->selection.limit_count > 0;
    int worst = EXIT_DONE;
    context_queue_names(g->cx, &names);
    for (size_t i = 0; i < names.count && !g->cx->interrupted; i++) {
        const char *queue = names.items[i];
        struct queue *q = context_open_queue(g->cx, queue, &worst);
        if (!q)
            continue;
        queue_close(q);
        int status = give_to_queue(g, queue);
        worst = status > worst ? status : worst;
        if (limited && g->selection.limit_count == 0)
            break;
    }
    queue_names_fini(&names);
    if (g->answers)
        context_print_json(g->answers);
    return worst;
}

static bool is_act(const char *verb)
{
    static const char *const acts[] = {"hold", "release", "retry", "move", "remove", "quarantine"};
    for (size_t i = 0; i < ARRAY_LEN(acts); i++)
        if (strcmp(acts[i], verb) == 0)
            return true;
    return false;
}

/* What is wrong with the words, or NULL. An act without a selection would take
 * all mail: that has to be said by --all. */
static const char *check_words(const struct args *args, struct queue_selection *s, const char *to, bool all)
{
    const char *verb = args->operand_count ? args->operands[0] : "";
    if (args->operand_count == 2 && !s->id)
        s->id = args->operands[1];
    else if (args->operand_count > 1)
        return "name one message by its custody id";
    if (strcmp(verb, "list") == 0)
        return NULL;
    if (strcmp(verb, "show") == 0)
        return s->id ? NULL : "show needs a custody id";
    if (!is_act(verb))
        return "say list, show, hold, release, retry, move, remove or quarantine";
    if (!s->server && !s->sender && !s->recipient && !s->id && !all)
        return "say which: an id, --server, --sender, --recipient; or --all";
    if ((strcmp(verb, "move") == 0) != (to != NULL))
        return "move, and only move, needs --to SERVER";
    return NULL;
}

int cmd_queue(int argc, char **argv)
{
    struct context cx;
    struct queue_selection s = {0};
    struct args args;
    struct err_buf eb = {""};
    bool json = false, all = false;
    const char *to = NULL, *why = "";
    context_init(&cx, "queue");
    const struct args_option options[] = {CONTEXT_OPTIONS(&cx),
                                          QUEUE_SELECTION_OPTIONS(&s),
                                          {"json", NULL, &json},
                                          {"all", NULL, &all},
                                          {"to", &to, NULL},
                                          {"why", &why, NULL},
                                          {0}};
    if (args_parse(argc, argv, options, &args, &eb) < 0)
        return command_usage("queue", eb.text);
    const char *problem = check_words(&args, &s, to, all);
    if (problem)
        return command_usage("queue", problem);
    const char *verb = args.operands[0];
    int status = context_load_config(&cx);
    if (status == EXIT_DONE && queue_selection_parse(&s, cx.config, &eb) < 0)
        status = command_usage("queue", eb.text);
    if (status == EXIT_DONE && to && !config_has_place(cx.config, STR_EMPTY, str_from(to)))
        status = command_usage("queue", "--to names no server of the configuration");
    if (status == EXIT_DONE)
        status = context_open_store(&cx, !is_act(verb));
    struct giving giving = {&cx, s, verb, to, why, json ? json_array() : NULL};
    if (status == EXIT_DONE)
        status = is_act(verb) ? give(&giving) : list(&cx, &s, json, all || strcmp(verb, "show") == 0);
    json_decref(giving.answers);
    queue_selection_fini(&s);
    context_fini(&cx);
    return status;
}
