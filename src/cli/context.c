#include "cli/context.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/owner.h"
#include "cli/say.h"
#include "loop/real.h"
#include "run/state_folder.h"

#define DEFAULT_CONFIG    "/etc/holdfast/holdfast.conf"
#define DEFAULT_STATE_DIR "/var/lib/holdfast"

void context_init(struct context *cx, const char *command)
{
    const char *from_env = getenv("HOLDFAST_CONFIG");
    *cx = (struct context){
        .command = command,
        .config_path = from_env ? from_env : DEFAULT_CONFIG,
        .state_dir = DEFAULT_STATE_DIR,
    };
}

int context_load_config(struct context *cx)
{
    struct config_findings findings = {0};
    int rc = config_load(cx->config_path, cx->state_dir, &cx->config, &findings);
    for (size_t i = 0; i < findings.count; i++) {
        const struct config_finding *f = &findings.items[i];
        if (f->line > 0)
            say_line(stderr, "%s:%d: %s", f->file, f->line, f->text);
        else
            say_line(stderr, "%s: %s", f->file, f->text);
    }
    config_findings_free(&findings);
    return rc < 0 ? EXIT_FAILED : EXIT_DONE;
}

static int refused(const struct context *cx, const struct err_buf *eb)
{
    say_line(stderr, "holdfast %s: %s", cx->command, eb->text);
    return EXIT_FAILED;
}

static struct store_durability durability_of(const struct config *c)
{
    struct store_durability d = {.replicated = config_is_replicated(c),
                                 .accept_degraded = c->on_degraded == ON_DEGRADED_ACCEPT,
                                 .standby_timeout_ms = c->standby_timeout_ms};
    for (size_t i = 0; d.replicated && i < c->site_count; i++) {
        const struct config_site *site = &c->sites[i];
        if (site->databases.count > 0 && d.site_count < STORE_SITES_MAX)
            d.sites[d.site_count++] =
                (struct store_site){site->name, site->databases.items, site->databases.count};
    }
    return d;
}

struct store_options context_store_options(const struct config *c, bool read_only)
{
    static const enum store_engine_kind engines[] = {[STORE_SQLITE] = STORE_ENGINE_SQLITE,
                                                     [STORE_POSTGRESQL] = STORE_ENGINE_POSTGRES,
                                                     [STORE_MEMORY] = STORE_ENGINE_MEMORY};
    return (struct store_options){
        .engine = engines[c->store_engine],
        .path = c->store_engine == STORE_SQLITE ? c->store_path : c->store_url,
        .password_file = c->store_password_file[0] ? c->store_password_file : NULL,
        .read_only = read_only,
        .durability = durability_of(c),
    };
}

/* Why nothing is there to be looked at. */
static void say_never_started(const struct context *cx)
{
    if (cx->config->store_engine == STORE_SQLITE)
        say_line(stderr, "The network was never started with --state-dir %s: `holdfast run` does.",
                 cx->state_dir);
    else
        say_line(stderr, "The network was never started with this store: `holdfast run` does.");
}

int context_open_store(struct context *cx, bool read_only)
{
    struct err_buf eb = {""};
    struct store_options options = context_store_options(cx->config, read_only);
    options.may_be_away = cx->store_may_be_away;
    bool writes_folder = !read_only && (cx->is_role || options.engine == STORE_ENGINE_SQLITE);
    if (writes_folder && state_folder_make(cx->config, &eb) < 0)
        return refused(cx, &eb);
    if (!cx->is_role && owner_become(cx) != EXIT_DONE)
        return EXIT_FAILED;
    if (writes_folder && state_folder_check(cx->config, &eb) < 0)
        return refused(cx, &eb);
    if (!cx->loop)
        cx->loop = loop_real_new();
    int rc = cx->store_err = store_open(cx->loop, &options, &cx->store, &eb);
    if (rc == 0)
        return EXIT_DONE;
    say_line(stderr, "holdfast %s: %s", cx->command, eb.text);
    if (rc == ERR_NOT_FOUND && read_only)
        say_never_started(cx);
    return rc == ERR_BUSY || rc == ERR_UNAVAILABLE ? EXIT_TRY_AGAIN : EXIT_FAILED;
}

void context_fini(struct context *cx)
{
    if (cx->store)
        store_close(cx->store);
    if (cx->loop)
        loop_real_free(cx->loop);
    config_free(cx->config);
}

void context_wait(struct context *cx)
{
    cx->waiting = true;
    while (cx->waiting)
        loop_run(cx->loop);
}

void context_done(struct context *cx)
{
    cx->waiting = false;
    loop_stop(cx->loop);
}

static void on_view(void *arg, const struct view *v)
{
    struct context *cx = arg;
    (void)v;
    if (!cx->viewing)
        return; /* the network changed during another wait */
    cx->viewing = false;
    context_done(cx);
}

struct viewer *context_view(struct context *cx)
{
    cx->viewing = true;
    struct viewer *viewer = viewer_new(cx->loop, store_network(cx->store), on_view, cx);
    context_wait(cx);
    return viewer;
}

void context_queue_names(struct context *cx, struct queue_names *ret_names)
{
    struct viewer *viewer = context_view(cx);
    queue_names_init(ret_names, cx->config, viewer_view(viewer));
    viewer_free(viewer);
}

struct queue *context_open_queue(struct context *cx, const char *name, int *worst)
{
    struct queue *q = NULL;
    struct err_buf eb = {""};
    int err = store_queue_read(cx->store, str_from(name), &q, &eb);
    if (err == 0 || err == ERR_NOT_FOUND)
        return q;
    say_line(stderr, "holdfast %s: queue %s cannot be read: %s", cx->command, name, eb.text);
    int status = err == ERR_BUSY || err == ERR_UNAVAILABLE ? EXIT_TRY_AGAIN : EXIT_FAILED;
    *worst = status > *worst ? status : *worst;
    return NULL;
}

const char *context_who(void)
{
    static char who[256];
    char host[128] = "";
    if (who[0])
        return who;
    const struct passwd *user = getpwuid(getuid());
    gethostname(host, sizeof(host) - 1);
    snprintf(who, sizeof(who), "%s@%s", user ? user->pw_name : "unknown", host);
    return who;
}

void context_print_json(const json_t *value)
{
    say_json(stdout, value, JSON_INDENT(2));
    printf("\n");
}
