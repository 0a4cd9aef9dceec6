#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/role_main.h"
#include "mailbox/role.h"

#define GRACE_MS 2000 /* a failover waits for it: readers connect again */

struct mailbox_main {
    struct role_main rm;
    const char *server, *epoch, *address, *ready; /* options */
    struct mailbox_role *role;
    int64_t epoch_number;
};

/* Tells the provisioner, whole or not at all. */
static int write_ready(const struct mailbox_main *m)
{
    char path[4096];
    if (!m->ready)
        return 0;
    int len = snprintf(path, sizeof(path), "%s.new", m->ready);
    if (len < 0 || (size_t)len >= sizeof(path))
        return ERR_LIMIT;
    FILE *file = fopen(path, "we");
    if (!file)
        return ERR_IO;
    fprintf(file, "{\"pid\": %lld, \"epoch\": %lld}\n", (long long)getpid(), (long long)m->epoch_number);
    return fclose(file) == 0 && rename(path, m->ready) == 0 ? 0 : ERR_IO;
}

static void on_failed(void *arg, int err, const char *why)
{
    struct mailbox_main *m = arg;
    log_event(LOG_ERROR, "instance ends", LOG_TEXT("error", err_name(err)), LOG_TEXT("why", why));
    role_main_end(&m->rm, EXIT_FAILED);
}

static void on_ready(void *arg)
{
    struct mailbox_main *m = arg;
    log_event(LOG_INFO, "instance serves", LOG_TEXT("server", m->server), LOG_I64("epoch", m->epoch_number),
              LOG_TEXT("address", m->address));
    if (write_ready(m) < 0)
        on_failed(m, ERR_IO, "the readiness file cannot be written");
}

static const struct mailbox_role_ops role_ops = {.ready = on_ready, .failed = on_failed};

static void on_stopped(void *arg)
{
    struct mailbox_main *m = arg;
    role_main_end(&m->rm, EXIT_DONE);
}

static void on_stop(void *arg)
{
    struct mailbox_main *m = arg;
    mailbox_role_stop(m->role, GRACE_MS, on_stopped, m);
}

static int on_reload(void *arg, struct err_buf *eb)
{
    struct mailbox_main *m = arg;
    (void)eb;
    mailbox_role_reload(m->role);
    return 0;
}

static int take_options(struct mailbox_main *m, struct mailbox_role_options *o)
{
    uint64_t epoch;
    if (!m->server || !m->epoch || !m->address)
        return command_usage("mailbox",
                             "--server, --epoch and --address are needed; it is started by a provisioner");
    o->config = m->rm.cx.config;
    o->node = m->rm.node;
    o->server = config_server_find(m->rm.cx.config, m->server);
    if (!o->server || o->server->kind != SERVER_BUILTIN)
        return command_usage("mailbox", "the configuration has no builtin server of that name");
    if (str_to_u64(str_from(m->epoch), INT64_MAX, &epoch) < 0 || epoch == 0)
        return command_usage("mailbox", "--epoch is a number from 1 on");
    if (addr_parse_ip(str_from(m->address), 0, &o->address) < 0)
        return command_usage("mailbox", "--address is an IP address");
    m->epoch_number = o->epoch = (int64_t)epoch;
    return 0;
}

static int start(struct mailbox_main *m)
{
    struct mailbox_role_options options = {0};
    struct err_buf eb = {""};
    int fds[MAILBOX_SERVICES];
    int status = take_options(m, &options);
    if (status != 0)
        return status;
    if (mailbox_role_bind(options.server, &options.address, fds, &eb) < 0) {
        log_event(LOG_ERROR, eb.text);
        return EXIT_FAILED;
    }
    status = role_main_open(&m->rm);
    if (status != 0)
        return status;
    options.store = m->rm.cx.store;
    options.listen_fds = fds;
    options.descriptors_max = m->rm.descriptors_max;
    if (mailbox_role_start(m->rm.cx.loop, &options, &role_ops, m, &m->role, &eb) == 0)
        return 0;
    log_event(LOG_ERROR, eb.text);
    return EXIT_FAILED;
}

int cmd_mailbox(int argc, char **argv)
{
    struct mailbox_main m = {0};
    const struct args_option options[] = {{"server", &m.server, NULL},
                                          {"epoch", &m.epoch, NULL},
                                          {"address", &m.address, NULL},
                                          {"ready", &m.ready, NULL},
                                          {0}};
    int status = role_main_init(&m.rm, "mailbox", ROLE_MAILBOX, argc, argv, options);
    if (status == 0)
        status = start(&m);
    m.rm.on_reload = on_reload;
    if (status == 0)
        status = role_main_run(&m.rm, on_stop, &m);
    if (m.role)
        mailbox_role_free(m.role);
    role_main_fini(&m.rm);
    return status;
}
