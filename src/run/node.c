#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "run/claim.h"
#include "run/command.h"
#include "run/lifeline.h"
#include "run/node.h"
#include "run/state_folder.h"
#include "run/supervisor.h"

#define END_WAIT_MS 5000 /* a session under way may take its answer; what is durable needs no farewell */

/* Started in this order, so that names are answered and mail is taken before
 * the director creates; ended in reverse, so that it sees no failure in that. */
static const struct {
    enum config_role role;
    const char *name;
} roles[] = {{ROLE_DNS, "dns"}, {ROLE_RELAY, "relay"}, {ROLE_DIRECTOR, "director"}};

struct node_run {
    struct loop *loop;
    struct supervisor *supervisor;
};

static void on_ended(void *arg)
{
    struct node_run *r = arg;
    loop_stop(r->loop);
}

static void on_end_signal(void *arg, int signum)
{
    struct node_run *r = arg;
    (void)signum;
    supervisor_end(r->supervisor);
}

static void on_reload_signal(void *arg, int signum)
{
    struct node_run *r = arg;
    supervisor_signal(r->supervisor, signum);
}

static void run_until_ended(struct node_run *r)
{
    struct loop_signal *term = loop_signal_new(r->loop, SIGTERM, on_end_signal, r);
    struct loop_signal *interrupt = loop_signal_new(r->loop, SIGINT, on_end_signal, r);
    struct loop_signal *reload = loop_signal_new(r->loop, SIGHUP, on_reload_signal, r);
    loop_run(r->loop);
    loop_signal_free(reload);
    loop_signal_free(interrupt);
    loop_signal_free(term);
}

int node_check_free(const struct config *c, const struct config_node *node, struct err_buf *eb)
{
    struct claim claim;
    for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
        if (!(node->roles & roles[i].role))
            continue;
        int rc = claim_take(c, roles[i].name, node, &claim, eb);
        if (rc < 0)
            return rc;
        claim_release(&claim); /* the role takes it, and finds out by itself when another was faster */
    }
    return 0;
}

static int claim_node(const struct config *c, const struct config_node *node, struct claim *ret_claim,
                      struct err_buf *eb)
{
    int rc = state_folder_make(c, eb);
    if (rc == 0)
        rc = claim_take(c, CLAIM_NODE, node, ret_claim, eb);
    return rc < 0 ? rc : node_check_free(c, node, eb);
}

/* 0 and the exit status, or an error. */
static int supervise(struct loop *l, const struct config *c, const struct config_node *node, int *ret_status,
                     struct err_buf *eb)
{
    struct node_run r = {.loop = l};
    struct supervisor_child children[ARRAY_LEN(roles)];
    struct command commands[ARRAY_LEN(roles)];
    char *program = command_program();
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
        if (!(node->roles & roles[i].role))
            continue;
        command_init(&commands[count], roles[i].name, program, roles[i].name, c, node);
        children[count] = (struct supervisor_child){commands[count].name, commands[count].argv};
        count++;
    }
    struct supervisor_options options = {
        .children = children, .count = count, .restart = true, .end_wait_ms = END_WAIT_MS};
    struct supervisor_ops ops = {.ended = on_ended};
    int rc = supervisor_start(l, &options, &ops, &r, &r.supervisor, eb);
    if (rc == 0) {
        run_until_ended(&r);
        *ret_status = supervisor_gave_up(r.supervisor) ? supervisor_refusal() : 0;
        supervisor_free(r.supervisor);
    }
    for (size_t i = 0; i < count; i++)
        command_fini(&commands[i]);
    free(program);
    return rc;
}

int run_node(struct loop *l, const struct config *c, const struct config_node *node)
{
    struct err_buf eb = {""};
    struct claim claim = CLAIM_NONE;
    struct lifeline_hold *hold = lifeline_hold(l);
    int status = 1;
    int rc = claim_node(c, node, &claim, &eb);
    if (rc == 0)
        rc = supervise(l, c, node, &status, &eb);
    if (rc < 0)
        log_event(LOG_ERROR, eb.text);
    claim_release(&claim);
    lifeline_release(hold);
    return status;
}
