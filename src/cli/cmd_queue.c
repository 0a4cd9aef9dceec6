#include <string.h>

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/queue_filter.h"
#include "cli/queue_give.h"
#include "cli/queue_list.h"

struct words {
    struct queue_words which;
    struct queue_act_words act;
    const char *after;
    bool json, all;
};

/* What is wrong with the words, or NULL. An act without a selection would take
 * all mail: that has to be said by --all. */
static const char *check_words(const struct args *args, struct words *w, const struct queue_selection *s)
{
    const char *verb = args->operand_count ? args->operands[0] : "";
    bool is_list = strcmp(verb, "list") == 0;
    if (args->operand_count > 2 || (args->operand_count == 2 && w->which.id != args->operands[1]))
        return "name one message by its id";
    if (w->after && !is_list)
        return "--after is of list";
    if (is_list)
        return NULL;
    if (strcmp(verb, "show") == 0)
        return w->which.id ? NULL : "show needs an id";
    if (!queue_act_is(verb))
        return "say list, show, hold, release, retry, move, remove or quarantine";
    if (!queue_selection_is_narrow(s) && !w->all)
        return "say which: an id, --server, --sender, --recipient, --domain, --message-id, --state, --reply, "
               "--older-than, "
               "--newer-than; or --all";
    if ((strcmp(verb, "move") == 0) != (w->act.to != NULL))
        return "move, and only move, needs --to SERVER";
    return NULL;
}

static int run(struct context *cx, struct words *w)
{
    struct queue_selection s;
    struct err_buf eb = {""};
    int status = context_open_store(cx, !queue_act_is(w->act.verb));
    if (status != EXIT_DONE)
        return status;
    CHECK(queue_selection_parse(&s, &w->which, loop_wall(cx->loop), &eb) == 0);
    struct queue_list_options options = {
        .json = w->json, .all_states = w->all || strcmp(w->act.verb, "show") == 0, .after = w->after};
    if (queue_act_is(w->act.verb))
        status = queue_give(cx, &s, &w->act);
    else
        status = queue_list_show(cx, &s, &options);
    queue_selection_fini(&s);
    return status;
}

/* NULL, or what is wrong; with eb's life. */
static const char *take_words(const struct args *args, struct words *w, struct err_buf *eb)
{
    struct queue_selection s;
    if (args->operand_count == 2 && !w->which.id)
        w->which.id = args->operands[1];
    int err = queue_selection_parse(&s, &w->which, (struct wall_time){0}, eb);
    const char *problem = err < 0 ? eb->text : check_words(args, w, &s);
    queue_selection_fini(&s);
    return problem;
}

int cmd_queue(int argc, char **argv)
{
    struct context cx;
    struct args args;
    struct err_buf eb = {""};
    struct words w = {.act.why = ""};
    context_init(&cx, "queue");
    const struct args_option options[] = {CONTEXT_OPTIONS(&cx),      QUEUE_SELECTION_OPTIONS(&w.which),
                                          {"json", NULL, &w.json},   {"all", NULL, &w.all},
                                          {"to", &w.act.to, NULL},   {"why", &w.act.why, NULL},
                                          {"after", &w.after, NULL}, {0}};
    if (args_parse(argc, argv, options, &args, &eb) < 0)
        return command_usage("queue", eb.text);
    const char *problem = take_words(&args, &w, &eb);
    if (problem)
        return command_usage("queue", problem);
    w.act.verb = args.operands[0];
    w.act.json = w.json;
    int status = context_load_config(&cx);
    if (status == EXIT_DONE && w.act.to && !config_has_place(cx.config, STR_EMPTY, str_from(w.act.to)))
        status = command_usage("queue", "--to names no server of the configuration");
    if (status == EXIT_DONE)
        status = run(&cx, &w);
    context_fini(&cx);
    return status;
}
