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
#define LIST_LIMIT       100   /* without --limit; a terminal's worth */
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
    int status;   /* the worst */
    json_t *rows; /* --json */
};

static size_t terminal_columns(void)
{
    struct winsize size;
    return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static void show_row(struct listing *l, const struct queue_delivery *d)
{
    const char *reason = waiting_reason(&l->waiting, d);
    if (l->json) {
        json_t *row = queue_row_json(l->queue, d, reason);
        json_object_set_new(row, "relay_removed", json_boolean(queue_names_is_removed(&l->names, l->queue)));
        json_array_append_new(l->rows, row);
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

static int list(struct context *cx, struct queue_selection *s, bool json, bool all_states)
{
    struct viewer *viewer = context_view(cx);
    struct queue_filter filter = queue_selection_filter(s, cx->config, viewer_view(viewer));
    struct listing l = {.cx = cx,
                        .json = json,
                        .first = true,
                        .columns = terminal_columns(),
                        .left = s->limit_count ? s->limit_count : LIST_LIMIT};
    waiting_init(&l.waiting, cx->config, viewer_view(viewer));
    queue_names_init(&l.names, cx->config, viewer_view(viewer));
    viewer_free(viewer);
    filter.states = all_states ? UINT32_MAX : 0;
    l.rows = json_array();
    for (size_t i = 0; i < l.names.count && l.left > 0; i++) {
        l.queue = l.names.items[i];
        list_queue(&l, filter);
    }
    if (json)
        context_print_json(l.rows);
    else if (l.shown == 0 && l.status == EXIT_DONE)
        printf("nothing found\n");
    else if (l.left == 0)
        printf("-- the first %llu; --limit N shows more\n", (unsigned long long)l.shown);
    json_decref(l.rows);
    queue_names_fini(&l.names);
    waiting_fini(&l.waiting);
    return l.status;
}

static int give_to_queue(struct context *cx, const char *queue, struct record_order *order, json_t *answers)
{
    char target[256];
    json_t *answer = NULL;
    snprintf(target, sizeof(target), "relay/%s", queue);
    order->target = str_from(target);
    order->subject = str_from(queue);
    if (!answers) {
        printf("%s: ", queue);
        fflush(stdout);
        return context_order(cx, order, ORDER_TIMEOUT_MS, false);
    }
    int status = context_order_json(cx, order, ORDER_TIMEOUT_MS, &answer);
    json_object_set_new(answer, "queue", json_string(queue));
    json_array_append_new(answers, answer);
    return status;
}

/* To each relay's queue that there is; --json: an array of what became of it. */
static int give(struct context *cx, const char *verb, const struct queue_selection *s, const char *to,
                const char *why, bool json)
{
    char verb_name[32];
    struct queue_names names;
    json_t *args = queue_selection_args(s, to), *answers = json ? json_array() : NULL;
    char *args_text = json_dumps(args, JSON_COMPACT);
    int worst = EXIT_DONE;
    snprintf(verb_name, sizeof(verb_name), "queue-%s", verb);
    context_queue_names(cx, &names);
    for (size_t i = 0; i < names.count && !cx->interrupted; i++) {
        const char *queue = names.items[i];
        struct queue *q = context_open_queue(cx, queue, &worst);
        if (!q)
            continue;
        queue_close(q);
        struct record_order order = {
            .verb = str_from(verb_name), .args = str_from(args_text), .why = str_from(why)};
        int status = give_to_queue(cx, queue, &order, answers);
        worst = status > worst ? status : worst;
    }
    if (answers)
        context_print_json(answers);
    json_decref(answers);
    queue_names_fini(&names);
    free(args_text);
    json_decref(args);
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
    if (status == EXIT_DONE && to && !config_server_find(cx.config, to))
        status = command_usage("queue", "--to names no server of the configuration");
    if (status == EXIT_DONE)
        status = context_open_store(&cx, !is_act(verb));
    if (status == EXIT_DONE)
        status = is_act(verb) ? give(&cx, verb, &s, to, why, json)
                              : list(&cx, &s, json, all || strcmp(verb, "show") == 0);
    queue_selection_fini(&s);
    context_fini(&cx);
    return status;
}
