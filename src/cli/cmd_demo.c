#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/custody_id.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/demo.h"
#include "loop/real.h"
#include "run/command.h"

#define EXAMPLE      "examples/two-site.conf"
#define TREE_DEPTH   6 /* folders above the program in which the tree's examples are looked for */
#define REPORT_BYTES 65536

struct demo_options {
    bool json, strict;
    const char *below; /* for the state folder */
};

/* ---- the play ---- */

static void on_pause_over(void *arg)
{
    struct demo *d = arg;
    d->paused = false;
    loop_stop(d->loop);
}

static void on_signal(void *arg, int signum)
{
    struct demo *d = arg;
    if (!d->cut_short)
        timeline_check(&d->timeline, false, "demo", "interrupted by %s; ends the network", strsignal(signum));
    d->cut_short = true;
    d->interrupted = !d->ending; /* the end is bounded by itself */
    loop_stop(d->loop);
}

static void play(struct demo *d)
{
    static demo_step *const acts[] = {demo_act_route, demo_act_server, demo_act_site, demo_act_return};
    int rc = demo_play(d, acts, ARRAY_LEN(acts));
    if (d->sender.running)
        demo_sender_stop(&d->sender);
    if (rc < 0 && !d->interrupted && timeline_held(&d->timeline))
        timeline_check(&d->timeline, false, "demo", "cannot go on: %s", err_name(rc));
    d->interrupted = false;
    demo_act_end(d);
}

/* Something did not hold, and not only because it was cut short. */
static bool is_worth_keeping(const struct demo *d)
{
    return timeline_count(&d->timeline, TIMELINE_BROKEN) > (d->cut_short ? 1 : 0);
}

static void report(struct demo *d, const struct demo_options *o)
{
    struct ledger_totals totals;
    ledger_total(&d->ledger, &totals);
    if (o->json) {
        json_t *all = timeline_json(&d->timeline, &totals);
        context_print_json(all);
        json_decref(all);
        return;
    }
    struct buf text;
    buf_init(&text, REPORT_BYTES);
    timeline_format_report(&text, &d->timeline, &totals);
    if (is_worth_keeping(d))
        buf_append_fmt(&text, "What the network's processes said: %s\n", d->network.log_path);
    fwrite(buf_data(&text), 1, text.len, stdout);
    buf_fini(&text);
}

static void make_run_word(struct demo *d)
{
    struct custody_id unique;
    char text[CUSTODY_ID_TEXT_MAX];
    loop_random(d->loop, unique.bytes, sizeof(unique.bytes));
    custody_id_format(&unique, text);
    snprintf(d->run, sizeof(d->run), "run-%.8s", text);
}

static bool demo_run(struct context *cx, const struct demo_plan *plan, const struct demo_options *o)
{
    static const int signums[] = {SIGINT, SIGTERM, SIGHUP};
    struct loop_signal *signals[ARRAY_LEN(signums)];
    struct demo d = {.loop = cx->loop, .plan = *plan};
    struct err_buf eb = {""};
    if (demo_network_init(&d.network, d.loop, cx->config, o->below, &d.interrupted, &eb) < 0) {
        fprintf(stderr, "holdfast demo: %s\n", eb.text);
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(signums); i++)
        signals[i] = loop_signal_new(d.loop, signums[i], on_signal, &d);
    make_run_word(&d);
    ledger_init(&d.ledger);
    timeline_init(&d.timeline, d.loop, o->json ? NULL : stdout, o->strict);
    demo_sender_init(&d.sender, &d.plan, &d.ledger, d.run, d.loop);
    d.timer = loop_timer_new(d.loop, on_pause_over, &d);
    play(&d);
    report(&d, o);
    bool held = timeline_held(&d.timeline);
    loop_timer_free(d.timer);
    for (size_t i = 0; i < ARRAY_LEN(signums); i++)
        loop_signal_free(signals[i]);
    demo_network_fini(&d.network, is_worth_keeping(&d));
    timeline_fini(&d.timeline);
    ledger_fini(&d.ledger);
    return held;
}

/* ---- the command ---- */

/* The example beside the program's own tree: heap, or NULL when there is none. */
static char *example_find(void)
{
    char *folder = command_program();
    for (int i = 0; i < TREE_DEPTH; i++) {
        dirname(folder);
        char *path = mem_asprintf("%s/" EXAMPLE, folder);
        if (access(path, R_OK) == 0) {
            free(folder);
            return path;
        }
        free(path);
    }
    free(folder);
    return NULL;
}

static int prepare(struct context *cx, struct demo_plan *plan)
{
    struct err_buf eb = {""};
    int status = context_load_config(cx);
    if (status != EXIT_DONE)
        return status;
    if (demo_plan_make(cx->config, plan, &eb) < 0) {
        fprintf(stderr, "holdfast demo: %s\n", eb.text);
        return EXIT_FAILED;
    }
    if (demo_network_addresses_free(cx->config, &eb) < 0) {
        fprintf(stderr,
                "holdfast demo: %s\nThe demo starts the network itself; end the one that runs (`./dev run`, "
                "`holdfast run`) and try again.\n",
                eb.text);
        return EXIT_TRY_AGAIN;
    }
    cx->loop = loop_real_new();
    return EXIT_DONE;
}

static int run(struct context *cx, struct demo_options *o)
{
    struct demo_plan plan;
    const char *temporary = getenv("TMPDIR");
    char *example = cx->config_path ? NULL : example_find();
    if (!o->below)
        o->below = temporary && *temporary ? temporary : "/tmp";
    if (!cx->config_path)
        cx->config_path = example ? example : EXAMPLE;
    cx->state_dir = o->below; /* the network's own is made below it */
    int status = prepare(cx, &plan);
    if (status == EXIT_DONE)
        status = demo_run(cx, &plan, o) ? EXIT_DONE : EXIT_FAILED;
    free(example);
    return status;
}

int cmd_demo(int argc, char **argv)
{
    struct context cx;
    struct args args;
    struct err_buf eb = {""};
    struct demo_options o = {.json = false};
    context_init(&cx, "demo");
    cx.config_path = getenv("HOLDFAST_CONFIG");
    cx.state_dir = NULL;
    const struct args_option options[] = {
        CONTEXT_OPTIONS(&cx), {"json", NULL, &o.json}, {"strict", NULL, &o.strict}, {0}};
    if (args_parse(argc, argv, options, &args, &eb) < 0)
        return command_usage("demo", eb.text);
    if (args.operand_count > 0)
        return command_usage("demo", "it takes options only");
    o.below = cx.state_dir;
    int status = run(&cx, &o);
    context_fini(&cx);
    return status;
}
