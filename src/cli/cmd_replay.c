#include <signal.h>
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
#include "store/records.h"

#define SLICE_TIMEOUT "30s" /* for a relay to take one slice */

struct replay {
    struct context *cx;
    const char *server, *why;
    struct wall_time since, until;
    int64_t timeout_ms;
    uint64_t slice; /* messages */
    bool bar;       /* a terminal is there to look at it */
    struct part *parts;
    struct queue_names names;
    struct loop_signal *signals[3];
};

/* Of one relay's queue. */
struct part {
    struct replay *replay;
    const char *queue;
    int err;
    struct queue_kept kept;       /* before the first slice */
    int64_t messages, deliveries; /* by this command */
    int64_t all_messages, all_deliveries;
    bool more;
    bool failed; /* nothing could be asked of it */
    int status;
};

static void on_count(void *arg, int err, const struct queue_kept *kept)
{
    struct part *p = arg;
    p->err = err;
    p->kept = *kept;
    context_done(p->replay->cx);
}

/* What there is; nothing of a queue that was never made. */
static void count(struct part *p)
{
    struct queue *q = context_open_queue(p->replay->cx, p->queue, &p->status);
    p->failed = p->status != EXIT_DONE;
    if (!q)
        return;
    queue_kept_count(q, p->replay->since, on_count, p);
    context_wait(p->replay->cx);
    queue_close(q);
    if (p->err) {
        say_line(stderr, "holdfast replay: queue %s cannot be read: %s", p->queue, err_name(p->err));
        p->kept = (struct queue_kept){0};
        p->status = EXIT_FAILED;
        p->failed = true;
    }
}

static void show_bar(const struct part *p)
{
    static const char full[] = "####################";
    int64_t kept = (int64_t)p->kept.messages;
    int done = p->all_messages < kept ? (int)(p->all_messages * 20 / kept) : 20;
    if (!p->replay->bar)
        return;
    fputc('\r', stderr);
    say(stderr, "%-16s [%-20.*s] %lld of %lld messages looked at, %lld sent again ", p->queue, done, full,
        (long long)p->all_messages, (long long)kept, (long long)p->deliveries);
}

static int64_t member(const json_t *answer, const char *name)
{
    return json_integer_value(json_object_get(answer, name));
}

/* Takes what the relay said of a slice. */
static bool take(struct part *p, const json_t *answer)
{
    const json_t *more = json_object_get(answer, "more");
    if (!json_is_boolean(more))
        return false;
    p->messages += member(answer, "messages");
    p->deliveries += member(answer, "deliveries");
    p->all_messages = member(answer, "all_messages");
    p->all_deliveries = member(answer, "all_deliveries");
    p->kept.let_go.ms = member(answer, "let_go_ms");
    p->more = json_is_true(more);
    return true;
}

/* An order for one slice; *ret_args: what its args point into, for free. */
static struct record_order slice_order(const struct part *p, char **ret_args)
{
    const struct replay *r = p->replay;
    json_t *args = json_pack("{s:s, s:I, s:I, s:I}", "server", r->server, "since_ms", (json_int_t)r->since.ms,
                             "until_ms", (json_int_t)r->until.ms, "limit", (json_int_t)r->slice);
    *ret_args = json_dumps(args, JSON_COMPACT);
    json_decref(args);
    return (struct record_order){.verb = STR("queue-replay"),
                                 .subject = str_from(p->queue),
                                 .args = str_from(*ret_args),
                                 .why = str_from(r->why)};
}

static int slice(struct part *p)
{
    struct replay *r = p->replay;
    json_t *answer = NULL;
    char *args, *target = mem_asprintf("relay/%s", p->queue);
    struct record_order order = slice_order(p, &args);
    order.target = str_from(target);
    int status = context_order_json(r->cx, &order, r->timeout_ms, &answer);
    if (status == EXIT_DONE && !take(p, answer))
        status = EXIT_FAILED;
    json_decref(answer);
    free(target);
    free(args);
    return status;
}

/* A slice that was answered is done, whatever becomes of the next. */
static void all_slices(struct part *p)
{
    p->more = true;
    show_bar(p);
    while (p->status == EXIT_DONE && p->more && !p->replay->cx->interrupted) {
        p->status = slice(p);
        show_bar(p);
    }
    if (p->replay->bar)
        fprintf(stderr, "\n");
    if (p->more && p->status == EXIT_DONE)
        p->status = EXIT_FAILED;
}

/* ---- what became of it ---- */

/* Something of that time may have gone from the net. */
static bool is_short(const struct part *p)
{
    return !p->failed && p->kept.let_go.ms >= p->replay->since.ms;
}

static const char *state_of(const struct part *p)
{
    if (p->failed)
        return "failed";
    if (p->more)
        return "stopped";
    return is_short(p) ? "incomplete" : "done";
}

static json_t *part_json(const struct part *p)
{
    char let_go[WALL_TEXT_MAX];
    wall_format_iso(p->kept.let_go, let_go);
    return json_pack("{s:s, s:s, s:I, s:I, s:s*}", "relay", p->queue, "state", state_of(p), "messages",
                     (json_int_t)p->messages, "deliveries", (json_int_t)p->deliveries, "let_go",
                     p->kept.let_go.ms ? let_go : NULL);
}

static void print_part(const struct part *p)
{
    char let_go[WALL_TEXT_MAX];
    wall_format_iso(p->kept.let_go, let_go);
    say_line(stdout, "%s: %lld deliveries are sent again, of %lld messages that were looked at%s", p->queue,
             (long long)p->deliveries, (long long)p->messages,
             p->failed ? "; failed"
             : p->more ? "; stopped"
                       : "");
    if (is_short(p))
        say_line(stdout, "%s: its safety net has let go of some or all that was delivered up to %s", p->queue,
                 let_go);
}

/* With the same words it is the same replay, and goes on where it was. */
static void tell_how_to_go_on(const struct replay *r)
{
    char since[WALL_TEXT_MAX], until[WALL_TEXT_MAX];
    wall_format_iso(r->since, since);
    wall_format_iso(r->until, until);
    say_line(stderr,
             "holdfast replay: not all was sent again; to go on: holdfast replay %s --since %s --until %s",
             r->server, since, until);
}

static int tell_all(const struct replay *r, bool json)
{
    int worst = EXIT_DONE;
    bool unfinished = false, is_missing = false;
    json_t *list = json_array();
    for (size_t i = 0; i < r->names.count; i++) {
        const struct part *p = &r->parts[i];
        worst = p->status > worst ? p->status : worst;
        unfinished |= p->more || p->failed;
        is_missing |= is_short(p);
        json_array_append_new(list, part_json(p));
        if (!json)
            print_part(p);
    }
    if (json)
        context_print_json(list);
    json_decref(list);
    if (unfinished)
        tell_how_to_go_on(r);
    if (is_missing)
        fprintf(stderr, "holdfast replay: what is not kept any more was not sent again (safety_net, "
                        "safety_net_max, or a full disk)\n");
    return is_missing && worst == EXIT_DONE ? EXIT_FAILED : worst;
}

/* ---- all of it ---- */

static void on_signal(void *arg, int signum)
{
    struct replay *r = arg;
    (void)signum;
    r->cx->interrupted = true; /* after the slice under way, if context_order does not end it */
}

/* Whose clock is ahead, relays' or ours, must not matter: until the last that any queue knows of. */
static void count_all(struct replay *r, bool until_now)
{
    for (size_t i = 0; i < r->names.count; i++) {
        struct part *p = &r->parts[i];
        *p = (struct part){.replay = r, .queue = r->names.items[i]};
        count(p);
        if (until_now && p->kept.newest.ms >= r->until.ms)
            r->until.ms = p->kept.newest.ms + 1;
    }
}

static int replay(struct replay *r, bool until_now, bool json)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    context_queue_names(r->cx, &r->names);
    r->parts = mem_calloc(r->names.count, sizeof(*r->parts));
    r->bar = isatty(STDERR_FILENO);
    count_all(r, until_now);
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        r->signals[i] = loop_signal_new(r->cx->loop, signals[i], on_signal, r);
    for (size_t i = 0; i < r->names.count; i++) {
        struct part *p = &r->parts[i];
        if (p->kept.messages > 0)
            all_slices(p);
    }
    int status = tell_all(r, json);
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        loop_signal_free(r->signals[i]);
    queue_names_fini(&r->names);
    free(r->parts);
    return status;
}

struct words {
    const char *since, *until, *timeout, *slice;
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
    r->slice = QUEUE_REPLAY_MAX;
    if (w->slice && (str_to_u64(str_from(w->slice), QUEUE_REPLAY_MAX, &r->slice) < 0 || r->slice == 0))
        return "--slice is a number of messages, at most 1000";
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
    const struct args_option options[] = {CONTEXT_OPTIONS(&cx),          {"since", &words.since, NULL},
                                          {"until", &words.until, NULL}, {"timeout", &words.timeout, NULL},
                                          {"slice", &words.slice, NULL}, {"why", &r.why, NULL},
                                          {"json", NULL, &json},         {0}};
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
        status = replay(&r, !words.until, json);
    context_fini(&cx);
    return status;
}
