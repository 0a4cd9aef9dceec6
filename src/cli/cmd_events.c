#include <stdio.h>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/field.h"
#include "cli/say.h"
#include "web/events.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX     10000 /* what one answer of the store may have */

struct look {
    struct context *cx;
    json_t *found;
    int err;
};

static void on_events(void *arg, int err, const struct network_event *events, size_t count)
{
    struct look *l = arg;
    l->err = err;
    for (size_t i = 0; !err && i < count; i++)
        json_array_append_new(l->found, event_json(&events[i]));
    context_done(l->cx);
}

static void print_detail(const char *name, const json_t *value)
{
    char number[32];
    struct str text = {json_string_value(value), json_string_length(value)};
    if (json_is_integer(value)) {
        snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
        text = str_from(number);
    }
    if (text.len == 0)
        return;
    printf(" ");
    say_field(stdout, name, text);
}

static void print_event(json_t *event)
{
    const char *name;
    json_t *value;
    say(stdout, "%6lld %s  %-12s ", field_number(event, "id"), field_text(event, "at", ""),
        field_text(event, "kind", ""));
    say_field(stdout, "subject", str_from(field_text(event, "subject", "")));
    json_object_foreach(json_object_get(event, "detail"), name, value) print_detail(name, value);
    printf("\n");
}

static int show(struct context *cx, int64_t after_id, size_t limit, bool json)
{
    struct look l = {.cx = cx, .found = json_array()};
    size_t i;
    json_t *event;
    network_events(store_network(cx->store), after_id, limit, on_events, &l);
    context_wait(cx);
    if (l.err != 0)
        say_line(stderr, "holdfast events: the store cannot be read: %s", err_name(l.err));
    else if (json)
        context_print_json(l.found);
    else
        json_array_foreach(l.found, i, event) print_event(event);
    json_decref(l.found);
    return l.err == 0 ? EXIT_DONE : EXIT_FAILED;
}

int cmd_events(int argc, char **argv)
{
    struct context cx;
    struct args args;
    struct err_buf eb = {""};
    bool json = false;
    const char *after = NULL, *limit = NULL;
    uint64_t after_id = 0, count = LIMIT_DEFAULT;
    context_init(&cx, "events");
    const struct args_option options[] = {
        CONTEXT_OPTIONS(&cx), {"json", NULL, &json}, {"after", &after, NULL}, {"limit", &limit, NULL}, {0}};
    if (args_parse(argc, argv, options, &args, &eb) < 0)
        return command_usage("events", eb.text);
    if (args.operand_count > 0)
        return command_usage("events", "it takes no operands");
    if (after && str_to_u64(str_from(after), INT64_MAX, &after_id) < 0)
        return command_usage("events", "--after is the number of an event");
    if (limit && (str_to_u64(str_from(limit), LIMIT_MAX, &count) < 0 || count == 0))
        return command_usage("events", "--limit is a number from 1 to 10000");
    int status = context_load_config(&cx);
    if (status == EXIT_DONE)
        status = context_open_store(&cx, true);
    if (status == EXIT_DONE)
        status = show(&cx, after ? (int64_t)after_id : -1, (size_t)count, json);
    context_fini(&cx);
    return status;
}
