#include <stdio.h>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/field.h"

struct trace {
    struct context *cx;
    const char *queue;
    json_t *found;
    int status; /* the worst of reading */
};

static json_t *attempts_of(int64_t delivery_id, const struct queue_attempt *attempts, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        char at[WALL_TEXT_MAX];
        if (attempts[i].delivery_id != delivery_id)
            continue;
        wall_format_iso(attempts[i].at, at);
        json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o, s:I, s:I, s:o}", "at", at, "outcome",
                                              queue_outcome_name(attempts[i].outcome), "server",
                                              field_from_text(attempts[i].server), "instance",
                                              field_from_text(attempts[i].instance), "epoch",
                                              (json_int_t)attempts[i].epoch, "generation",
                                              (json_int_t)attempts[i].generation, "reply",
                                              field_from_text(attempts[i].reply)));
    }
    return list;
}

static void on_trace(void *arg, int err, const struct queue_rows *rows, const struct queue_attempt *attempts,
                     size_t attempt_count)
{
    struct trace *t = arg;
    if (err && err != ERR_NOT_FOUND) {
        fprintf(stderr, "holdfast trace: queue %s cannot be read: %s\n", t->queue, err_name(err));
        t->status = EXIT_FAILED;
    }
    for (size_t i = 0; !err && i < rows->count; i++) {
        const struct queue_delivery *d = &rows->items[i];
        char received[WALL_TEXT_MAX];
        wall_format_iso(d->received_at, received);
        json_array_append_new(
            t->found,
            json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:I, s:o}", "queue", t->queue, "received_at", received,
                      "sender", field_from_text(d->reverse_path), "recipient", field_from_text(d->recipient),
                      "home", field_from_text(d->home), "state", queue_state_name(d->state), "size",
                      (json_int_t)d->size_bytes, "attempts", attempts_of(d->id, attempts, attempt_count)));
    }
    context_done(t->cx);
}

static void print_life(const json_t *found)
{
    size_t i, k;
    json_t *d, *a;
    json_array_foreach(found, i, d)
    {
        printf("%s  accepted into %s from <%s> for <%s>, %lld bytes\n", field_text(d, "received_at", ""),
               field_text(d, "queue", ""), field_text(d, "sender", ""), field_text(d, "recipient", ""),
               field_number(d, "size"));
        json_array_foreach(json_object_get(d, "attempts"), k, a)
        {
            printf("%s  %s: %s at %s, epoch %lld, generation %lld of the server: %s\n",
                   field_text(a, "at", ""), field_text(a, "outcome", ""), field_text(a, "server", ""),
                   field_text(a, "instance", ""), field_number(a, "epoch"), field_number(a, "generation"),
                   field_text(a, "reply", ""));
        }
        printf("%-24s  now %s\n", "", field_text(d, "state", ""));
    }
}

static int trace(struct context *cx, const struct custody_id *id, bool json)
{
    struct trace t = {.cx = cx, .found = json_array()};
    struct queue_names names;
    context_queue_names(cx, &names);
    for (size_t i = 0; i < names.count; i++) {
        t.queue = names.items[i];
        struct queue *q = context_open_queue(cx, t.queue, &t.status);
        if (!q)
            continue;
        queue_trace(q, id, on_trace, &t);
        context_wait(cx);
        queue_close(q);
    }
    queue_names_fini(&names);
    bool any = json_array_size(t.found) > 0;
    if (json)
        context_print_json(t.found);
    else
        print_life(t.found);
    if (!any && t.status == EXIT_DONE)
        fprintf(stderr, "holdfast trace: no relay ever took a message of this id\n");
    json_decref(t.found);
    return any ? t.status : t.status > EXIT_FAILED ? t.status : EXIT_FAILED;
}

int cmd_trace(int argc, char **argv)
{
    struct context cx;
    struct args args;
    struct custody_id id;
    struct err_buf eb = {""};
    bool json = false;
    context_init(&cx, "trace");
    const struct args_option options[] = {CONTEXT_OPTIONS(&cx), {"json", NULL, &json}, {0}};
    if (args_parse(argc, argv, options, &args, &eb) < 0)
        return command_usage("trace", eb.text);
    if (args.operand_count != 1 || custody_id_parse(str_from(args.operands[0]), &id) < 0)
        return command_usage("trace", "name a custody id: 26 letters and digits, as in the 250 reply");
    int status = context_load_config(&cx);
    if (status == EXIT_DONE)
        status = context_open_store(&cx, true);
    if (status == EXIT_DONE)
        status = trace(&cx, &id, json);
    context_fini(&cx);
    return status;
}
