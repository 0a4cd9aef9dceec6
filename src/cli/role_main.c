#include "cli/role_main.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/owner.h"
#include "cli/say.h"
#include "loop/real.h"
#include "net/descriptors.h"
#include "run/state_folder.h"
#include "run/supervisor.h"

#define EXTRA_OPTIONS_MAX 8

static void collect_options(struct role_main *rm, const struct args_option *extra, struct args_option *out)
{
    const struct args_option common[] = {CONTEXT_OPTIONS(&rm->cx), {"node", &rm->node_name, NULL}};
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(common); i++)
        out[count++] = common[i];
    for (; extra && extra->name; extra++) {
        CHECK(count < ARRAY_LEN(common) + EXTRA_OPTIONS_MAX);
        out[count++] = *extra;
    }
    out[count] = (struct args_option){0};
}

static int find_node(struct role_main *rm, unsigned role)
{
    char problem[256];
    if (!rm->node_name)
        return command_usage(rm->cx.command, "--node NAME is missing");
    rm->node = config_node_find(rm->cx.config, rm->node_name);
    if (!rm->node) {
        snprintf(problem, sizeof(problem), "the configuration has no node '%s'", rm->node_name);
        return command_usage(rm->cx.command, problem);
    }
    if (role && !(rm->node->roles & role)) {
        snprintf(problem, sizeof(problem),
                 "node '%s' does not have this role; see its roles in the configuration", rm->node_name);
        return command_usage(rm->cx.command, problem);
    }
    return 0;
}

static void seed_hash(struct loop *l)
{
    uint8_t seed[16];
    loop_random(l, seed, sizeof(seed));
    map_seed(seed);
}

int role_main_init(struct role_main *rm, const char *command, unsigned role, int argc, char **argv,
                   const struct args_option *extra)
{
    struct args_option options[3 + EXTRA_OPTIONS_MAX + 1];
    struct args args;
    struct err_buf eb = {""};
    char log_name[64];
    memset(rm, 0, sizeof(*rm));
    rm->claim = CLAIM_NONE;
    context_init(&rm->cx, command);
    rm->cx.is_role = true;
    collect_options(rm, extra, options);
    if (args_parse(argc, argv, options, &args, &eb) < 0)
        return command_usage(command, eb.text);
    if (args.operand_count > 0)
        return command_usage(command, "it takes options only");
    int status = context_load_config(&rm->cx);
    if (status != 0)
        return status;
    status = find_node(rm, role);
    if (status != 0)
        return status;
    snprintf(log_name, sizeof(log_name), "%s@%s", command, rm->node->name);
    log_set_role(log_name);
    log_set_level(rm->cx.config->log_level);
    rm->descriptors_max = descriptors_raise();
    rm->cx.loop = loop_real_new();
    seed_hash(rm->cx.loop);
    rm->lifeline = lifeline_hold(rm->cx.loop);
    return 0;
}

static int failed(const struct role_main *rm, const struct err_buf *eb)
{
    say_line(stderr, "holdfast %s: %s", rm->cx.command, eb->text);
    return EXIT_FAILED;
}

int role_main_claim(struct role_main *rm, bool needs_folder)
{
    struct err_buf eb = {""};
    int rc = state_folder_make(rm->cx.config, &eb);
    if (rc == 0)
        rc = claim_take(rm->cx.config, rm->cx.command, rm->node, &rm->claim, &eb);
    if (rc < 0 && (needs_folder || rc == ERR_BUSY))
        return failed(rm, &eb);
    if (rc < 0)
        log_event(LOG_WARNING, "the state folder cannot be used", LOG_TEXT("why", eb.text));
    return 0;
}

int role_main_become(struct role_main *rm)
{
    struct err_buf eb = {""};
    if (state_folder_make(rm->cx.config, &eb) < 0)
        log_event(LOG_WARNING, "the state folder cannot be used", LOG_TEXT("why", eb.text));
    return owner_become_configured(&rm->cx, rm->keep_bind) == EXIT_DONE ? EXIT_DONE : supervisor_refusal();
}

static void on_bootstrapped(void *arg, int err)
{
    struct role_main *rm = arg;
    rm->bootstrap_status = err == 0 ? EXIT_DONE : err == ERR_INVALID ? supervisor_refusal() : EXIT_FAILED;
    bootstrap_free(rm->bootstrap);
    rm->bootstrap = NULL;
    if (rm->opening)
        context_done(&rm->cx);
    else if (err != 0)
        log_event(LOG_ERROR, "the network's first records are missing", LOG_TEXT("error", err_name(err)),
                  LOG_TEXT("todo", "mend what was said before, and start this role again"));
}

static int bootstrap(struct role_main *rm)
{
    struct context *cx = &rm->cx;
    rm->opening = !cx->store_may_be_away;
    rm->bootstrap = bootstrap_new(cx->loop, store_network(cx->store), cx->config, cx->command, !rm->opening,
                                  on_bootstrapped, rm);
    if (rm->opening)
        context_wait(cx);
    rm->opening = false;
    return rm->bootstrap_status;
}

int role_main_open(struct role_main *rm)
{
    int status = role_main_become(rm);
    if (status != EXIT_DONE)
        return status;
    status = context_open_store(&rm->cx, false);
    if (status != EXIT_DONE)
        return rm->cx.store_err == ERR_VERSION ? supervisor_refusal() : status;
    return bootstrap(rm);
}

static void on_end_signal(void *arg, int signum)
{
    struct role_main *rm = arg;
    log_event(LOG_INFO, "ending", LOG_TEXT("signal", strsignal(signum)));
    rm->on_stop(rm->arg);
}

static void log_findings(struct config_findings *f, enum log_level level, const char *what)
{
    char at[PATH_MAX + 16];
    for (size_t i = 0; i < f->count; i++) {
        snprintf(at, sizeof(at), "%s:%d", f->items[i].file, f->items[i].line);
        log_event(level, what, LOG_TEXT("at", at), LOG_TEXT("finding", f->items[i].text));
    }
    config_findings_free(f);
}

static void keep_replaced(struct role_main *rm, struct config *config)
{
    rm->replaced = mem_reallocarray(rm->replaced, rm->replaced_count + 1, sizeof(*rm->replaced));
    rm->replaced[rm->replaced_count++] = config;
}

/* All that a reload applies, or nothing of it. */
static void apply(struct role_main *rm, struct config *changed)
{
    struct err_buf eb = {""};
    struct config_findings left;
    config_reload_check(rm->cx.config, changed, &left);
    bool any = config_exchange(rm->cx.config, changed);
    int rc = rm->on_reload ? rm->on_reload(rm->arg, &eb) : 0;
    if (rc < 0) {
        config_exchange(rm->cx.config, changed);
        config_free(changed);
        config_findings_free(&left);
        log_event(LOG_ERROR, "configuration not reloaded, the old one goes on", LOG_TEXT("error", eb.text));
        return;
    }
    log_set_level(rm->cx.config->log_level);
    log_event(LOG_INFO, "configuration reloaded");
    log_findings(&left, LOG_WARNING, "this change needs a restart");
    if (any)
        keep_replaced(rm, changed);
    else
        config_free(changed);
}

static void on_reload_signal(void *arg, int signum)
{
    struct role_main *rm = arg;
    struct config *changed;
    struct config_findings findings = {0};
    (void)signum;
    if (config_load(rm->cx.config_path, rm->cx.state_dir, &changed, &findings) == 0)
        apply(rm, changed);
    else
        log_event(LOG_ERROR, "configuration not reloaded, the old one goes on");
    log_findings(&findings, LOG_ERROR, "configuration not reloaded");
}

int role_main_run(struct role_main *rm, void (*on_stop)(void *arg), void *arg)
{
    rm->on_stop = on_stop;
    rm->arg = arg;
    rm->signals[0] = loop_signal_new(rm->cx.loop, SIGTERM, on_end_signal, rm);
    rm->signals[1] = loop_signal_new(rm->cx.loop, SIGINT, on_end_signal, rm);
    rm->signals[2] = loop_signal_new(rm->cx.loop, SIGHUP, on_reload_signal, rm);
    context_wait(&rm->cx);
    return rm->exit_status;
}

void role_main_end(struct role_main *rm, int exit_status)
{
    rm->exit_status = exit_status;
    context_done(&rm->cx);
}

void role_main_fini(struct role_main *rm)
{
    for (size_t i = 0; i < ARRAY_LEN(rm->signals); i++)
        if (rm->signals[i])
            loop_signal_free(rm->signals[i]);
    for (size_t i = 0; i < rm->replaced_count; i++)
        config_free(rm->replaced[i]);
    free(rm->replaced);
    bootstrap_free(rm->bootstrap);
    lifeline_release(rm->lifeline);
    context_fini(&rm->cx);
    claim_release(&rm->claim);
}
