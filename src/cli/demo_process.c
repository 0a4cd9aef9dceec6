/* Processes of the demo's network. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/demo_network.h"

#define WORDS_MAX   24
#define OUTPUT_MAX  (1u << 20) /* of a command; a status of a few servers is a fraction of it */
#define LOG_ENV     "HOLDFAST_DEMO_LOG"
#define END_WAIT_MS 30000 /* what `holdfast run` itself allows its nodes, and some */

/* Its output goes to the log, whole; and it stays the same process. */
static const char *const log_shell[] = {"/bin/sh", "-c", "exec \"$0\" \"$@\" >>\"$" LOG_ENV "\" 2>&1"};

static void on_end(void *arg, const struct loop_process_result *result)
{
    struct demo_process *p = arg;
    p->runs = false;
    p->exit_status = result->exit_status;
    buf_append_str(&p->output, result->output);
    buf_append_str(&p->error_output, result->error_output);
    loop_stop(p->loop);
}

static void spawn(struct demo_process *p, struct demo_network *n, struct loop_process_spec *spec)
{
    *p = (struct demo_process){.loop = n->loop, .runs = true, .exit_status = -1};
    buf_init(&p->output, OUTPUT_MAX);
    buf_init(&p->error_output, OUTPUT_MAX);
    spec->die_with_parent = true;
    spec->output_max = OUTPUT_MAX;
    p->process = loop_process_spawn(n->loop, spec, on_end, p);
}

static size_t add_options(struct demo_network *n, const char **argv, size_t count)
{
    const char *const options[] = {"-c", n->config->path, "--state-dir", n->state_dir};
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        argv[count++] = options[i];
    argv[count] = NULL;
    return count;
}

void demo_process_start(struct demo_process *p, struct demo_network *n, const char *const *words,
                        int64_t limit_ms)
{
    const char *argv[WORDS_MAX];
    size_t count = 0;
    argv[count++] = n->program;
    for (; *words; words++) {
        CHECK(count < WORDS_MAX - 5);
        argv[count++] = *words;
    }
    add_options(n, argv, count);
    struct loop_process_spec spec = {.argv = argv, .timeout_ms = limit_ms};
    spawn(p, n, &spec);
}

void demo_process_wait(struct demo_process *p, const struct demo_network *n)
{
    while (p->runs && !*n->interrupted)
        loop_run(p->loop);
}

void demo_process_fini(struct demo_process *p)
{
    if (!p->process)
        return;
    if (p->runs)
        loop_process_kill(p->process, SIGKILL);
    loop_process_free(p->process);
    buf_fini(&p->output);
    buf_fini(&p->error_output);
    *p = (struct demo_process){0};
}

void demo_network_start(struct demo_network *n, const struct config_node *node)
{
    const char *argv[WORDS_MAX];
    size_t count = 0;
    char *log_env = mem_asprintf(LOG_ENV "=%s", n->log_path);
    const char *const env[] = {log_env, NULL};
    for (; count < ARRAY_LEN(log_shell); count++)
        argv[count] = log_shell[count];
    argv[count++] = n->program;
    argv[count++] = "run";
    if (node) {
        argv[count++] = "--node";
        argv[count++] = node->name;
    }
    add_options(n, argv, count);
    struct loop_process_spec spec = {.argv = argv, .env_extra = env};
    spawn(node ? &n->returned : &n->whole, n, &spec);
    free(log_env);
}

struct patience {
    struct loop *loop;
    bool over;
};

static void on_late(void *arg)
{
    struct patience *p = arg;
    p->over = true;
    loop_stop(p->loop);
}

bool demo_network_end(struct demo_network *n)
{
    struct demo_process *const all[] = {&n->whole, &n->returned};
    struct patience patience = {.loop = n->loop};
    bool well = true;
    struct loop_timer *timer = loop_timer_new(n->loop, on_late, &patience);
    loop_timer_start(timer, END_WAIT_MS);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i]->runs)
            loop_process_kill(all[i]->process, SIGTERM);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        while (all[i]->runs && !patience.over)
            loop_run(n->loop);
        well = well && (!all[i]->process || all[i]->exit_status == 0);
    }
    loop_timer_free(timer);
    return well;
}
