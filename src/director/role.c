#include "director/role.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "director/agent.h"
#include "director/batch.h"
#include "director/leader.h"
#include "director/lease.h"
#include "director/prune.h"
#include "director/returned.h"
#include "store/view.h"

#define VERSION             "0.1.0"
#define RECORD_MAX_BYTES    4096
#define RECORD_AGAIN_MS     500
#define LEASE_END_MARGIN_MS 5 /* past a lease's end, by the store's clock */

struct director {
    struct loop *loop;
    struct director_options o;
    char *program, *boot_id;
    struct network *network;
    struct lease *node_lease, *lead_lease;
    struct agent *agent;
    struct returned *returned;
    struct leader *leader;
    struct prune *prune;
    struct viewer *viewer;
    struct loop_timer *look_timer;   /* when the next lease runs out */
    struct loop_timer *record_timer; /* the node's record was not taken */
    struct store_op *record_op;
};

/* ---- the node ---- */

static void write_record(void *arg);

static void on_record(void *arg, int err, size_t failed)
{
    struct director *d = arg;
    (void)failed;
    d->record_op = NULL;
    if (err)
        loop_timer_start(d->record_timer, RECORD_AGAIN_MS);
}

static void write_record(void *arg)
{
    struct director *d = arg;
    struct arena arena;
    struct batch batch;
    if (d->record_op || !lease_is_held(d->node_lease))
        return;
    struct record_node record = {
        .site = str_from(d->o.node->site->name),
        .supervisor_pid = d->o.supervisor_pid,
        .boot_id = str_from(d->boot_id),
        .pid_ns = d->o.pid_ns,
        .version = STR(VERSION),
    };
    arena_init(&arena, RECORD_MAX_BYTES);
    batch_init(&batch, &arena);
    batch_put(&batch, "node", str_from(d->o.node->name), record_node_encode(&record), NETWORK_ANY_VERSION);
    d->record_op =
        network_write(d->network, batch.changes, batch.count, lease_guard(d->node_lease), on_record, d);
    batch_fini(&batch);
    arena_fini(&arena);
}

static void on_node_held(void *arg)
{
    struct director *d = arg;
    log_event(LOG_INFO, "node is alive", LOG_TEXT("node", d->o.node->name));
    write_record(d);
}

static void on_node_lost(void *arg)
{
    struct director *d = arg;
    log_event(LOG_WARNING, "node's lease is lost: the store did not renew it",
              LOG_TEXT("node", d->o.node->name));
}

/* ---- leading ---- */

static void on_lead(void *arg)
{
    struct director *d = arg;
    log_event(LOG_INFO, "leads", LOG_TEXT("node", d->o.node->name));
    viewer_refresh(d->viewer);
}

static void on_lead_lost(void *arg)
{
    struct director *d = arg;
    log_event(LOG_WARNING, "leads no more", LOG_TEXT("node", d->o.node->name));
    leader_stop(d->leader);
}

/* ---- looking ---- */

static void refresh(void *arg)
{
    struct director *d = arg;
    viewer_refresh(d->viewer);
}

/* A node that dies changes nothing in the store: look when its lease ends. */
static void look_at_next_end(struct director *d, const struct view *v)
{
    int64_t first_ms = INT64_MAX;
    for (size_t i = 0; i < v->lease_count; i++)
        if (v->leases[i].remaining_ms > 0 && v->leases[i].remaining_ms < first_ms)
            first_ms = v->leases[i].remaining_ms;
    if (first_ms < INT64_MAX)
        loop_timer_start(d->look_timer, first_ms + LEASE_END_MARGIN_MS);
}

static void on_view(void *arg, const struct view *v)
{
    struct director *d = arg;
    look_at_next_end(d, v);
    returned_on_view(d->returned, v);
    agent_on_view(d->agent, v);
    leader_on_view(d->leader, v);
}

/* ---- starting and stopping ---- */

int director_start(struct loop *l, const struct director_options *options, struct director **ret_director,
                   struct err_buf *eb)
{
    struct mail *mail;
    int rc = store_mail(options->store, &mail, eb);
    if (rc < 0)
        return rc;
    struct director *d = mem_zalloc(sizeof(*d));
    *d = (struct director){.loop = l, .o = *options, .network = store_network(options->store)};
    d->program = mem_strdup(options->program);
    d->boot_id = mem_strdup(options->boot_id ? options->boot_id : "");
    d->look_timer = loop_timer_new(l, refresh, d);
    d->record_timer = loop_timer_new(l, write_record, d);

    char *lease_name = mem_asprintf("node/%s", options->node->name);
    int64_t ttl_ms = options->config->lease_ms;
    d->node_lease = lease_new(l, d->network, str_from(lease_name), str_from(options->node->name), ttl_ms,
                              &(struct lease_ops){on_node_held, on_node_lost}, d);
    d->lead_lease = lease_new(l, d->network, STR("director"), str_from(options->node->name), ttl_ms,
                              &(struct lease_ops){on_lead, on_lead_lost}, d);
    free(lease_name);

    struct program_options programs = {options->config, d->program, options->lifeline_fd};
    d->agent = agent_new(l, d->network, d->node_lease, options->node->name, &programs);
    d->returned = returned_new(l, d->network, d->node_lease, options->node, &programs);
    d->leader = leader_new(l, &(struct leader_options){.config = options->config,
                                                       .network = d->network,
                                                       .mail = mail,
                                                       .lease = d->lead_lease,
                                                       .refresh = refresh,
                                                       .arg = d});
    d->prune = prune_new(l, d->network, d->lead_lease, options->config);
    d->viewer = viewer_new(l, d->network, on_view, d);
    *ret_director = d;
    return 0;
}

void director_stop(struct director *d)
{
    if (!d)
        return;
    viewer_free(d->viewer);
    leader_free(d->leader);
    prune_free(d->prune);
    returned_free(d->returned);
    agent_free(d->agent);
    if (d->record_op)
        store_op_forget(d->record_op);
    lease_free(d->lead_lease);
    lease_free(d->node_lease);
    loop_timer_free(d->record_timer);
    loop_timer_free(d->look_timer);
    free(d->boot_id);
    free(d->program);
    free(d);
}

bool director_leads(const struct director *d)
{
    return lease_is_held(d->lead_lease);
}

/* ---- the options of a real process ---- */

static char *read_line(const char *path)
{
    char text[128];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, text, sizeof(text)) : 0;
    if (fd >= 0)
        close(fd);
    struct str rest = {text, len > 0 ? (size_t)len : 0}, line = STR_EMPTY;
    (void)str_split(&rest, '\n', &line);
    return str_dup(line);
}

static char *own_program(void)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path));
    return len > 0 ? mem_strndup(path, (size_t)len) : mem_strdup("holdfast");
}

/* Containers of one machine share its boot id, and have pids of their own. */
static int64_t own_pid_namespace(void)
{
    struct stat st;
    return stat("/proc/self/ns/pid", &st) == 0 ? (int64_t)st.st_ino : 0;
}

void director_options_init(struct director_options *o, const struct config *c, const struct config_node *node,
                           struct store *store)
{
    uint64_t pid = 0;
    if (str_to_u64(str_from(getenv("HOLDFAST_SUPERVISOR_PID")), INT_MAX, &pid) < 0)
        pid = 0;
    *o = (struct director_options){
        .config = c,
        .node = node,
        .store = store,
        .program = own_program(),
        .boot_id = read_line("/proc/sys/kernel/random/boot_id"),
        .pid_ns = own_pid_namespace(),
        .supervisor_pid = (int64_t)pid,
        .lifeline_fd = -1,
    };
}

void director_options_fini(struct director_options *o)
{
    free((char *)(uintptr_t)o->program);
    free((char *)(uintptr_t)o->boot_id);
    o->program = o->boot_id = NULL;
}
