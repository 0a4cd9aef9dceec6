#include <stdio.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/queue_filter.h"
#include "cli/say.h"
#include "cli/trace_find.h"
#include "cli/trace_life.h"

#define LIMIT_DEFAULT 10

/* What is to be traced. */
struct wanted {
    struct custody_id id; /* unless there is a filter */
    bool by_id;
    struct queue_filter filter;
    struct str relay; /* of a queue id */
    char *message_id; /* an address may be one, too; owned */
};

static int parse(struct wanted *w, struct str text)
{
    *w = (struct wanted){.relay = {NULL, 0}};
    w->by_id = custody_id_parse(text, &w->id) == 0;
    if (w->by_id || queue_id_parse(text, &w->relay, &w->filter.delivery_id) == 0)
        return 0;
    bool header = text.len > 0 && text.ptr[0] == '<';
    if (!header && str_find(text, '@', 0) == SIZE_MAX)
        return ERR_SYNTAX;
    w->message_id = queue_message_id(text.ptr);
    if (header)
        w->filter.header_id = str_from(w->message_id);
    else
        w->filter.recipient = text;
    return 0;
}

static int find(struct context *cx, const struct queue_names *names, const struct wanted *w,
                struct trace_found *found)
{
    if (w->by_id) {
        trace_found_add(found, &w->id);
        return EXIT_DONE;
    }
    int status = trace_find(cx, names, &w->filter, w->relay, found);
    if (status != EXIT_DONE || found->count > 0 || !w->filter.recipient.ptr)
        return status;
    const struct queue_filter by_header = {.header_id = str_from(w->message_id)};
    return trace_find(cx, names, &by_header, w->relay, found);
}

static int trace(struct context *cx, const struct wanted *w, size_t limit, bool json)
{
    struct trace_found *found = mem_zalloc(sizeof(*found));
    struct queue_names names;
    found->limit = limit;
    context_queue_names(cx, &names);
    int status = find(cx, &names, w, found);
    json_t *life = trace_life(cx, &names, found, &status);
    bool any = json_array_size(life) > 0;
    if (json)
        context_print_json(life);
    else
        trace_life_print(life);
    if (!json && found->left_out > 0)
        say_line(stdout, "-- the newest %zu; --limit N shows more", found->count);
    if (!any && status == EXIT_DONE)
        fprintf(stderr, "holdfast trace: no relay and no server ever took such a message\n");
    json_decref(life);
    queue_names_fini(&names);
    free(found);
    return any || status > EXIT_FAILED ? status : EXIT_FAILED;
}

int cmd_trace(int argc, char **argv)
{
    struct context cx;
    struct args args;
    struct wanted wanted;
    struct err_buf eb = {""};
    bool json = false;
    const char *limit_text = NULL;
    uint64_t limit = LIMIT_DEFAULT;
    context_init(&cx, "trace");
    const struct args_option options[] = {
        CONTEXT_OPTIONS(&cx), {"json", NULL, &json}, {"limit", &limit_text, NULL}, {0}};
    if (args_parse(argc, argv, options, &args, &eb) < 0)
        return command_usage("trace", eb.text);
    if (args.operand_count != 1 || parse(&wanted, str_from(args.operands[0])) < 0)
        return command_usage("trace",
                             "name a custody id (26 letters and digits, as in the 250 reply), a queue "
                             "id such as relay1:17, a recipient or a Message-ID");
    if (limit_text && (str_to_u64(str_from(limit_text), TRACE_IDS_MAX, &limit) < 0 || limit == 0))
        return command_usage("trace", "--limit is a number of messages from 1 to 1000");
    int status = context_load_config(&cx);
    if (status == EXIT_DONE)
        status = context_open_store(&cx, true);
    if (status == EXIT_DONE)
        status = trace(&cx, &wanted, (size_t)limit, json);
    context_fini(&cx);
    free(wanted.message_id);
    return status;
}
