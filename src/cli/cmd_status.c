#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/field.h"
#include "cli/say.h"
#include "cli/spool_show.h"
#include "cli/status_data.h"

#define WATCH_MS 1000

/* What has no such number, as the pid of what does not run, has 0 of it: "-". */
struct some {
    char text[24];
};

static struct some some(const json_t *object, const char *name)
{
    struct some s = {"-"};
    if (field_number(object, name) != 0)
        snprintf(s.text, sizeof(s.text), "%lld", field_number(object, name));
    return s;
}

/* "-": it has none. */
static const char *yes_or_no(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_null(value) ? "-" : json_is_true(value) ? "yes" : "no";
}

/* QUEUED is all that has not ended: what waits, is held, or is in quarantine. */
static void print_servers(const json_t *all)
{
    size_t i;
    json_t *s;
    say_line(stdout, "%-12s %-9s %-12s %-8s %-8s %-16s %6s %8s %8s %8s %10s", "SERVER", "KIND", "STATE",
             "SITE", "NODE", "ADDRESS", "EPOCH", "PID", "QUEUED", "HELD", "QUARANTINE");
    json_array_foreach(json_object_get(all, "servers"), i, s) say_line(
        stdout, "%-12s %-9s %-12s %-8s %-8s %-16s %6s %8s %8lld %8lld %10lld", field_text(s, "name", "-"),
        field_text(s, "kind", "-"), field_text(s, "state", "-"), field_text(s, "site", "-"),
        field_text(s, "node", "-"), field_text(s, "address", "-"), some(s, "epoch").text, some(s, "pid").text,
        field_number(s, "queued"), field_number(s, "held"), field_number(s, "quarantined"));
}

/* What is wrong with relays' queues. */
static void print_queues(const json_t *relays)
{
    size_t i;
    json_t *r;
    json_array_foreach(relays, i, r)
    {
        const char *problem = field_text(r, "queue_problem", "");
        long long spooled = field_number(json_object_get(r, "work"), "spool_waiting");
        if (spooled > 0)
            say_line(stdout, "%lld in the spool of %s, to be handed over to its queue", spooled,
                     field_text(r, "name", "-"));
        if (problem[0])
            say_line(stdout, "the queue of %s cannot be read: %s", field_text(r, "name", "-"), problem);
        if (field_number(r, "unroutable") > 0)
            say_line(
                stdout,
                "%lld in the queue of %s have no server in the configuration: `holdfast queue list` says "
                "why",
                field_number(r, "unroutable"), field_text(r, "name", "-"));
        if (field_number(r, "outside") > 0)
            say_line(
                stdout,
                "%lld in the queue of %s leave the network: `holdfast queue list --server '*'` shows them",
                field_number(r, "outside"), field_text(r, "name", "-"));
    }
}

static void print_copies(const json_t *relays)
{
    size_t i;
    json_t *r;
    json_array_foreach(relays, i, r)
    {
        const json_t *work = json_object_get(r, "work");
        const char *detail = field_text(work, "durability_detail", "");
        if (detail[0])
            say_line(stdout, "%s: durability is %s: %s", field_text(r, "name", "-"),
                     field_text(work, "durability", "-"), detail);
    }
}

static void print_relays(const json_t *all)
{
    size_t i;
    json_t *r;
    printf("\n%-12s %-8s %-8s %-16s %-6s %-12s %8s\n", "RELAY", "SITE", "NODE", "ADDRESS", "ALIVE",
           "QUEUE OWNER", "QUEUED");
    json_array_foreach(json_object_get(all, "relays"), i, r)
        say_line(stdout, "%-12s %-8s %-8s %-16s %-6s %-12s %8lld", field_text(r, "name", "-"),
                 field_text(r, "site", "-"), field_text(r, "node", "-"), field_text(r, "address", "-"),
                 yes_or_no(r, "alive"), field_text(r, "queue_owner", "-"), field_number(r, "queued"));
    print_queues(json_object_get(all, "relays"));
    print_copies(json_object_get(all, "relays"));
}

/* Those that still have something. */
static void print_removed_relays(const json_t *all)
{
    size_t i;
    json_t *r, *removed = json_object_get(all, "removed_relays");
    json_array_foreach(removed, i, r) if (field_number(r, "queued") + field_number(r, "quarantined") > 0)
        say_line(stdout,
                 "%-12s (removed from the configuration) queue owner %s, queued %lld, quarantine %lld",
                 field_text(r, "name", "-"), field_text(r, "queue_owner", "-"), field_number(r, "queued"),
                 field_number(r, "quarantined"));
    print_queues(removed);
}

static void print_nodes(const json_t *all)
{
    size_t i;
    json_t *n;
    printf("\n%-12s %-8s %-6s %-8s %8s\n", "NODE", "SITE", "ALIVE", "DIRECTOR", "PID");
    json_array_foreach(json_object_get(all, "nodes"), i, n)
        say_line(stdout, "%-12s %-8s %-6s %-8s %8s", field_text(n, "name", "-"), field_text(n, "site", "-"),
                 yes_or_no(n, "alive"), yes_or_no(n, "director"), some(n, "pid").text);
}

static void print_routes(const json_t *all)
{
    const char *domain;
    json_t *r;
    printf("\n%-20s %-12s %-8s %-8s %10s\n", "DOMAIN", "SERVER", "NODE", "SITE", "GENERATION");
    json_object_foreach(json_object_get(all, "routes"), domain, r)
        say_line(stdout, "%-20s %-12s %-8s %-8s %10lld", domain, field_text(r, "server", "-"),
                 field_text(r, "instance", "-"), field_text(r, "site", "-"), field_number(r, "generation"));
    const json_t *lease = json_object_get(all, "lease");
    printf("\n");
    say_line(stdout, "leading director: %s", field_text(lease, "holder", "-"));
}

static void show(struct context *cx, bool json)
{
    json_t *all = status_gather(cx);
    if (json) {
        context_print_json(all);
    } else {
        print_servers(all);
        print_relays(all);
        print_removed_relays(all);
        print_nodes(all);
        print_routes(all);
    }
    json_decref(all);
    fflush(stdout);
}

struct watching {
    struct context *cx;
    bool pauses, ended;
};

static void on_tick(void *arg)
{
    struct watching *w = arg;
    context_done(w->cx);
}

static void on_end_signal(void *arg, int signum)
{
    struct watching *w = arg;
    (void)signum;
    w->ended = true;
    if (w->pauses)
        context_done(w->cx);
}

/* Until SIGINT or SIGTERM. */
static void watch(struct context *cx, bool json)
{
    struct watching w = {.cx = cx};
    struct loop_timer *timer = loop_timer_new(cx->loop, on_tick, &w);
    struct loop_signal *signals[] = {loop_signal_new(cx->loop, SIGINT, on_end_signal, &w),
                                     loop_signal_new(cx->loop, SIGTERM, on_end_signal, &w)};
    while (!w.ended) {
        if (!json)
            printf("\033[H\033[2J");
        show(cx, json);
        loop_timer_start(timer, WATCH_MS);
        w.pauses = true;
        if (!w.ended)
            context_wait(cx);
        w.pauses = false;
    }
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        loop_signal_free(signals[i]);
    loop_timer_free(timer);
}

int cmd_status(int argc, char **argv)
{
    struct context cx;
    struct args args;
    struct err_buf eb = {""};
    bool json = false, watching = false;
    context_init(&cx, "status");
    const struct args_option options[] = {
        CONTEXT_OPTIONS(&cx), {"json", NULL, &json}, {"watch", NULL, &watching}, {0}};
    if (args_parse(argc, argv, options, &args, &eb) < 0)
        return command_usage("status", eb.text);
    if (args.operand_count > 0)
        return command_usage("status", "it takes options only");
    int status = context_load_config(&cx);
    if (status == EXIT_DONE)
        status = context_open_store(&cx, true);
    if (cx.store_err == ERR_UNAVAILABLE && !json)
        spool_show(&cx);
    if (status == EXIT_DONE && watching)
        watch(&cx, json);
    else if (status == EXIT_DONE)
        show(&cx, json);
    context_fini(&cx);
    return status;
}
