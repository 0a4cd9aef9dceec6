#include "base/log.h"
#include "cli/commands.h"
#include "cli/role_main.h"
#include "director/role.h"
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

static int start(struct director_main *m)
{
    struct err_buf eb = {""};
    struct director_options options;
    const struct config_web *web = config_web_of_node(m->rm.cx.config, m->rm.node);
    if (web)
        m->web = web_open(m->rm.cx.loop, m->rm.cx.config, web);
    int status = role_main_open(&m->rm);
    if (status)
        return status;
    director_options_init(&options, m->rm.cx.config, m->rm.node, m->rm.cx.store);
    options.lifeline_fd = lifeline_fd();
    int rc = director_start(m->rm.cx.loop, &options, &m->director, &eb);
    director_options_fini(&options);
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
