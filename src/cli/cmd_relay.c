#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/role_main.h"
#include "net/bind.h"
#include "relay/role.h"
#include "resolver/resolver.h"
#include "run/origin.h"
#include "run/supervisor.h"

#define GRACE_MS 10000 /* for messages under way at the end */

struct relay_main {
    struct role_main rm;
    struct relay_role *role;
    struct resolver *resolver;
    struct store *spool;
};

static void on_stopped(void *arg)
{
    struct relay_main *m = arg;
    role_main_end(&m->rm, EXIT_DONE);
}

static void on_stop(void *arg)
{
    struct relay_main *m = arg;
    relay_role_stop(m->role, GRACE_MS, on_stopped, m);
}

static int on_reload(void *arg, struct err_buf *eb)
{
    struct relay_main *m = arg;
    return relay_role_reload(m->role, eb);
}

/* Without one all goes on but the mail that leaves the network, which waits. */
static void open_resolver(struct relay_main *m, const struct config_relay *relay)
{
    struct err_buf eb = {""};
    struct resolver_options options = {.forwarders = relay->resolver.addrs,
                                       .forwarder_count = relay->resolver.count,
                                       .trust_anchor = relay->trust_anchor};
    if (resolver_unbound_new(m->rm.cx.loop, &options, &m->resolver, &eb) < 0)
        log_event(LOG_WARNING, "mail that leaves the network waits", LOG_TEXT("detail", eb.text));
}

/* Also when the configuration has none any more and one is there: what is in it was promised. Without it the
 * relay goes on, and refuses mail while the store is away. */
static void open_spool(struct relay_main *m, const struct config_relay *relay)
{
    struct err_buf eb = {""};
    char *path = config_spool_path(m->rm.cx.config, relay);
    struct store_options options = {.engine = STORE_ENGINE_SQLITE, .path = path};
    bool wanted = relay->spool == SPOOL_YES || access(path, F_OK) == 0;
    if (wanted && store_open(m->rm.cx.loop, &options, &m->spool, &eb) < 0)
        log_event(LOG_ERROR, "the spool cannot be opened", LOG_TEXT("relay", relay->name),
                  LOG_TEXT("detail", eb.text), LOG_TEXT("todo", "mend it, and start the relay again"));
    free(path);
}

static int start_bound(struct relay_main *m, const struct config_relay *relay, int *fds)
{
    struct err_buf eb = {""};
    if (net_bind_listen("relay", relay->name, relay->listen.addrs, relay->listen.count, fds, &eb) < 0) {
        log_event(LOG_ERROR, eb.text);
        return supervisor_refusal();
    }
    m->rm.cx.store_may_be_away = relay->spool == SPOOL_YES;
    int status = role_main_open(&m->rm);
    if (status)
        return status;
    struct origin origin;
    origin_init(&origin);
    open_resolver(m, relay);
    open_spool(m, relay);
    struct relay_role_options options = {.config = m->rm.cx.config,
                                         .relay = relay,
                                         .store = m->rm.cx.store,
                                         .spool = m->spool,
                                         .resolver = m->resolver,
                                         .listen_fds = fds,
                                         .boot_id = origin.boot_id,
                                         .pid_ns = origin.pid_ns,
                                         .supervisor_pid = origin.supervisor_pid,
                                         .descriptors_max = m->rm.descriptors_max};
    int err = relay_role_start(m->rm.cx.loop, &options, &m->role, &eb);
    if (err < 0) {
        log_event(LOG_ERROR, eb.text);
        return err == ERR_IO ? EXIT_FAILED : supervisor_refusal();
    }
    log_event(LOG_INFO, "relay started", LOG_TEXT("relay", relay->name));
    return 0;
}

static int start(struct relay_main *m)
{
    const struct config_relay *relay = config_relay_of_node(m->rm.cx.config, m->rm.node);
    int *fds = mem_calloc(relay->listen.count, sizeof(*fds));
    int status = start_bound(m, relay, fds);
    free(fds);
    return status;
}

int cmd_relay(int argc, char **argv)
{
    struct relay_main m = {0};
    int status = role_main_init(&m.rm, "relay", ROLE_RELAY, argc, argv, NULL);
    if (status == 0)
        status = role_main_claim(&m.rm, true);
    if (status == 0)
        status = start(&m);
    m.rm.on_reload = on_reload;
    if (status == 0)
        status = role_main_run(&m.rm, on_stop, &m);
    if (m.role)
        relay_role_free(m.role);
    if (m.spool)
        store_close(m.spool);
    resolver_free(m.resolver);
    role_main_fini(&m.rm);
    return status;
}
