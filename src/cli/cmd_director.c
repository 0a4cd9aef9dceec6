#include <stdlib.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/role_main.h"
#include "director/role.h"
#include "run/command.h"
#include "run/origin.h"
#include "web/web.h"

struct director_main {
    struct role_main rm;
    struct director *director;
    struct web *web; /* NULL: the node has no section of it */
};

static void on_stop(void *arg)
{
    struct director_main *m = arg;
    director_stop(m->director);
    m->director = NULL;
    web_free(m->web);
    m->web = NULL;
    role_main_end(&m->rm, EXIT_DONE);
}

#define PRIVILEGED_PORTS 1024 /* those below; ip_unprivileged_port_start's usual value */

static bool is_low(int64_t port)
{
    return port > 0 && port < PRIVILEGED_PORTS;
}

/* Whether an instance that we start may have to bind such a port, as our child
 * and the configured user (docs/decisions/0012-low-ports.md). */
static bool starts_on_low_ports(const struct config *c, const struct config_node *node)
{
    for (size_t i = 0; i < c->server_count && (node->roles & ROLE_MAILBOX); i++) {
        const struct config_server *s = &c->servers[i];
        if (s->kind == SERVER_BUILTIN &&
            (is_low(s->smtp_port) || is_low(s->lmtp_port) || is_low(s->submission_port) ||
             is_low(s->imap_port) || is_low(s->pop3_port) || is_low(s->submissions_port) ||
             is_low(s->imaps_port) || is_low(s->pop3s_port)))
            return true;
    }
    return false;
}

static int start(struct director_main *m)
{
    struct err_buf eb = {""};
    struct origin origin;
    const struct config_web *web = config_web_of_node(m->rm.cx.config, m->rm.node);
    if (web)
        m->web = web_open(m->rm.cx.loop, m->rm.cx.config, web);
    m->rm.keep_bind = starts_on_low_ports(m->rm.cx.config, m->rm.node);
    int status = role_main_open(&m->rm);
    if (status)
        return status;
    origin_init(&origin);
    char *program = command_program();
    struct director_options options = {.config = m->rm.cx.config,
                                       .node = m->rm.node,
                                       .store = m->rm.cx.store,
                                       .program = program,
                                       .boot_id = origin.boot_id,
                                       .pid_ns = origin.pid_ns,
                                       .supervisor_pid = origin.supervisor_pid,
                                       .lifeline_fd = lifeline_fd()};
    int rc = director_start(m->rm.cx.loop, &options, &m->director, &eb);
    free(program);
    if (rc < 0) {
        log_event(LOG_ERROR, eb.text);
        return EXIT_FAILED;
    }
    if (m->web)
        web_start(m->web, m->rm.cx.store);
    log_event(LOG_INFO, "director started");
    return 0;
}

int cmd_director(int argc, char **argv)
{
    struct director_main m = {0};
    int status = role_main_init(&m.rm, "director", ROLE_DIRECTOR, argc, argv, NULL);
    if (status == 0)
        status = role_main_claim(&m.rm, true);
    if (status == 0)
        status = start(&m);
    if (status == 0)
        status = role_main_run(&m.rm, on_stop, &m);
    if (m.director)
        director_stop(m.director);
    web_free(m.web);
    role_main_fini(&m.rm);
    return status;
}
