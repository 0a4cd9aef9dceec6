#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "run/claim.h"
#include "run/command.h"
#include "run/guide.h"
#include "run/node.h"
#include "run/state_folder.h"
#include "run/supervisor.h"

#define END_WAIT_MS     20000 /* a node's own roles have 5 s each, one after the other */
#define GUIDE_MAX_BYTES (256 * 1024)

struct network_run {
    struct loop *loop;
    const struct config *config;
    const char *program;
    struct supervisor *supervisor;
    bool asked; /* to end */
};

static void print(struct buf *text)
{
    fwrite(buf_data(text), 1, text->len, stdout);
    fflush(stdout);
    buf_fini(text);
}

static void on_died(void *arg, size_t child, int exit_status, int signal)
{
    struct network_run *r = arg;
    const struct config_node *node = &r->config->nodes[child];
    struct buf text;
    log_event(LOG_WARNING, "node ended", LOG_TEXT("node", node->name), LOG_I64("status", exit_status),
              LOG_I64("signal", signal));
    buf_init(&text, GUIDE_MAX_BYTES);
    guide_node_again(&text, r->config, r->program, node);
    print(&text);
}

static void on_ended(void *arg)
{
    struct network_run *r = arg;
    loop_stop(r->loop);
}

static void on_end_signal(void *arg, int signum)
{
    struct network_run *r = arg;
    (void)signum;
    r->asked = true;
    supervisor_end(r->supervisor);
}

static void on_reload_signal(void *arg, int signum)
{
    struct network_run *r = arg;
    supervisor_signal(r->supervisor, signum);
}

static void tell(struct network_run *r)
{
    pid_t *pids = mem_calloc(r->config->node_count, sizeof(*pids));
    struct buf text;
    for (size_t i = 0; i < r->config->node_count; i++)
        pids[i] = supervisor_child_pid(r->supervisor, i);
    buf_init(&text, GUIDE_MAX_BYTES);
    guide_network(&text, r->config, r->program, pids);
    print(&text);
    free(pids);
}

static void run_until_ended(struct network_run *r)
{
    struct loop_signal *term = loop_signal_new(r->loop, SIGTERM, on_end_signal, r);
    struct loop_signal *interrupt = loop_signal_new(r->loop, SIGINT, on_end_signal, r);
    struct loop_signal *reload = loop_signal_new(r->loop, SIGHUP, on_reload_signal, r);
    tell(r);
    loop_run(r->loop);
    loop_signal_free(reload);
    loop_signal_free(interrupt);
    loop_signal_free(term);
}

static int run_with(struct network_run *r, const struct supervisor_child *children)
{
    struct supervisor_options options = {.children = children,
                                         .count = r->config->node_count,
                                         .end_wait_ms = END_WAIT_MS,
                                         .end_together = true};
    struct supervisor_ops ops = {.died = on_died, .ended = on_ended};
    struct err_buf eb;
    if (supervisor_start(r->loop, &options, &ops, r, &r->supervisor, &eb) < 0) {
        log_event(LOG_ERROR, "cannot run the network", LOG_TEXT("error", eb.text));
        return 1;
    }
    run_until_ended(r);
    bool gave_up = supervisor_gave_up(r->supervisor);
    supervisor_free(r->supervisor);
    return r->asked && !gave_up ? 0 : 1;
}

/* None of the nodes may run already; each takes its own claim after that. */
static int claim_network(const struct config *c, struct claim *ret_claim, struct err_buf *eb)
{
    struct claim node = CLAIM_NONE;
    int rc = state_folder_make(c, eb);
    if (rc == 0)
        rc = claim_take(c, CLAIM_NETWORK, NULL, ret_claim, eb);
    for (size_t i = 0; i < c->node_count && rc == 0; i++) {
        rc = claim_take(c, CLAIM_NODE, &c->nodes[i], &node, eb);
        if (rc == 0)
            rc = node_check_free(c, &c->nodes[i], eb);
        claim_release(&node);
    }
    return rc;
}

static int supervise(struct loop *l, const struct config *c)
{
    char *program = command_program();
    struct network_run r = {.loop = l, .config = c, .program = program};
    struct command *commands = mem_calloc(c->node_count, sizeof(*commands));
    struct supervisor_child *children = mem_calloc(c->node_count, sizeof(*children));
    for (size_t i = 0; i < c->node_count; i++) {
        char *name = mem_asprintf("node %s", c->nodes[i].name);
        command_init(&commands[i], name, program, "run", c, &c->nodes[i]);
        children[i] = (struct supervisor_child){commands[i].name, commands[i].argv};
        free(name);
    }
    int status = run_with(&r, children);
    for (size_t i = 0; i < c->node_count; i++)
        command_fini(&commands[i]);
    free(children);
    free(commands);
    free(program);
    return status;
}

int run_network(struct loop *l, const struct config *c)
{
    struct err_buf eb = {""};
    struct claim claim = CLAIM_NONE;
    int status = 1;
    if (claim_network(c, &claim, &eb) == 0)
        status = supervise(l, c);
    else
        log_event(LOG_ERROR, eb.text);
    claim_release(&claim);
    return status;
}
