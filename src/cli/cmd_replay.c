#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/field.h"
#include "cli/say.h"
#include "cli/time_arg.h"
#include "config/units.h"
#include "store/queue_kept.h"

#define SLICE_TIMEOUT "30s" /* for a relay to take one slice */

struct replay {
    struct context *cx;
    const char *server, *why;
    struct wall_time since, until;
    int64_t timeout_ms;
    bool bar; /* a terminal is there to look at it */
    json_t *relays;
};

/* Of one relay's queue. */
struct part {
    struct replay *replay;
    const char *queue;
    int err;
    int64_t kept; /* messages, before the first slice */
    int64_t messages, deliveries, last;
    bool more;
    bool failed; /* nothing could be asked of it */
};

static void on_count(void *arg, int err, const struct queue_kept *kept)
{
    struct part *p = arg;
    p->err = err;
    p->kept = (int64_t)kept->messages;
    context_done(p->replay->cx);
}

/* False: it has no queue that can be read, or nothing of that time. */
static bool count(struct part *p, int *worst)
{
    struct queue *q = context_open_queue(p->replay->cx, p->queue, worst);
    p->failed = !q;
    if (!q)
        return false;
    queue_kept_count(q, p->replay->since, on_count, p);
    context_wait(p->replay->cx);
    queue_close(q);
    if (p->err) {
        say_line(stderr, "holdfast replay: queue %s cannot be read: %s", p->queue, err_name(p->err));
        *worst = EXIT_FAILED > *worst ? EXIT_FAILED : *worst;
        p->failed = true;
    }
    return !p->err && p->kept > 0;
}

static void show_bar(const struct part *p)
{
    static const char full[] = "####################";
    int done = p->kept > 0 && p->messages < p->kept ? (int)(p->messages * 20 / p->kept) : 20;
    if (!p->replay->bar)
        return;
    fputc('\r', stderr);
    say(stderr, "%-16s [%-20.*s] %lld of %lld messages looked at, %lld sent again ", p->queue, done, full,
        (long long)p->messages, (long long)p->kept, (long long)p->deliveries);
}

/* Takes what the relay said of a slice. */
static bool take(struct part *p, const json_t *answer)
{
    const json_t *more = json_object_get(answer, "more");
    if (!json_is_boolean(more))
        return false;
    p->messages += json_integer_value(json_object_get(answer, "messages"));
    p->deliveries += json_integer_value(json_object_get(answer, "deliveries"));
    p->last = json_integer_value(json_object_get(answer, "last"));
    p->more = json_is_true(more);
    return true;
}

static int slice(struct part *p)
{
    struct replay *r = p->replay;
    char target[256];
    json_t *answer = NULL,
           *args = json_pack("{s:s, s:I, s:I, s:I, s:I}", "server", r->server, "since_ms",
                             (json_int_t)r->since.ms, "until_ms", (json_int_t)r->until.ms, "after",
                             (json_int_t)p->last, "before", (json_int_t)p->deliveries);
    char *text = json_dumps(args, JSON_COMPACT);
    snprintf(target, sizeof(target), "relay/%s", p->queue);
    struct record_order order = {.target = str_from(target),
                                 .verb = STR("queue-replay"),
                                 .subject = str_from(p->queue),
                                 .args = str_from(text),
                                 .why = str_from(r->why)};
    int status = context_order_json(r->cx, &order, r->timeout_ms, &answer);
    if (status == EXIT_DONE && !take(p, answer))
        status = EXIT_FAILED;
    json_decref(answer);
    json_decref(args);
    free(text);
    return status;
}

/* A slice that was answered is done, whatever becomes of the next. */
static int all_slices(struct part *p)
{
    int status = EXIT_DONE;
    p->more = true;
    show_bar(p);
    while (status == EXIT_DONE && p->more && !p->replay->cx->interrupted) {
        status = slice(p);
        show_bar(p);
    }
    if (p->replay->bar)
        fprintf(stderr, "\n");
    return p->replay->cx->interrupted ? EXIT_FAILED : status;
}

static void tell(struct part *p, int status)
{
    const char *state = p->failed ? "failed" : status == EXIT_DONE ? "done" : "stopped";
    if (p->replay->relays)
        json_array_append_new(p->replay->relays,
                              json_pack("{s:s, s:s, s:I, s:I}", "relay", p->queue, "state", state, "messages",
                                        (json_int_t)p->messages, "deliveries", (json_int_t)p->deliveries));
    else
        say_line(stdout, "%s: %lld deliveries are sent again, of %lld messages that were looked at%s",
                 p->queue, (long long)p->deliveries, (long long)p->messages,
                 p->failed             ? "; failed"
                 : status == EXIT_DONE ? ""
                                       : "; stopped");
}

static int each_relay(struct replay *r)
{
    struct queue_names names;
    int worst = EXIT_DONE;
    context_queue_names(r->cx, &names);
    for (size_t i = 0; i < names.count && !r->cx->interrupted; i++) {
        struct part p = {.replay = r, .queue = names.items[i]};
        int status = count(&p, &worst) ? all_slices(&p) : EXIT_DONE;
        tell(&p, status);
        worst = status > worst ? status : worst;
    }
    queue_names_fini(&names);
    return worst;
}

/* What was sent again has ended after `until`, and is not found once more. */
static void tell_how_to_go_on(const struct replay *r)
{
    char since[WALL_TEXT_MAX], until[WALL_TEXT_MAX];
    wall_format_iso(r->since, since);
    wall_format_iso(r->until, until);
    say_line(
        stderr,
        "holdfast replay: not all was sent again; to go on: holdfast replay %s --since %.19sZ --until %s",
        r->server, since, until);
}

static int replay(struct replay *r, bool json)
{
    r->relays = json ? json_array() : NULL;
    r->bar = isatty(STDERR_FILENO);
    int status = each_relay(r);
    if (status != EXIT_DONE)
        tell_how_to_go_on(r);
    if (json)
        context_print_json(r->relays);
    json_decref(r->relays);
    return status;
}

struct words {
    const char *since, *until, *timeout;
};

static const char *take_words(struct replay *r, const struct words *w, struct wall_time now)
{
    if (!w->since || time_arg_parse(str_from(w->since), now, &r->since) < 0)
        return "--since is how long ago, such as 2h, or a time such as 2026-01-31T08:00:00Z";
    r->until = now;
    if (w->until && time_arg_parse(str_from(w->until), now, &r->until) < 0)
        return "--until is how long ago, such as 10m, or a time such as 2026-01-31T08:00:00Z";
    if (units_parse_duration(str_from(w->timeout), &r->timeout_ms) < 0)
        return "--timeout is a duration such as 30s or 5m";
    return NULL;
}

int cmd_replay(int argc, char **argv)
{
    struct context cx;
    struct args args;
    struct err_buf eb = {""};
    bool json = false;
    struct words words = {.timeout = SLICE_TIMEOUT};
    struct replay r = {.cx = &cx, .why = ""};
    context_init(&cx, "replay");
    const struct args_option options[] = {CONTEXT_OPTIONS(&cx),
                                          {"since", &words.since, NULL},
                                          {"until", &words.until, NULL},
                                          {"timeout", &words.timeout, NULL},
                                          {"why", &r.why, NULL},
                                          {"json", NULL, &json},
                                          {0}};
    if (args_parse(argc, argv, options, &args, &eb) < 0)
        return command_usage("replay", eb.text);
    if (args.operand_count != 1)
        return command_usage("replay", "name one server");
    const char *problem = take_words(&r, &words, (struct wall_time){0});
    if (problem)
        return command_usage("replay", problem);
    r.server = args.operands[0];
    int status = context_load_config(&cx);
    if (status == EXIT_DONE && !config_server_find(cx.config, r.server))
        status = command_usage("replay", "the configuration has no server of that name");
    if (status == EXIT_DONE)
        status = context_open_store(&cx, false);
    if (status == EXIT_DONE)
        CHECK(!take_words(&r, &words, loop_wall(cx.loop)));
    if (status == EXIT_DONE)
        status = replay(&r, json);
    context_fini(&cx);
    return status;
}
