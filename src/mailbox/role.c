#include "mailbox/role.h"

#include <stdio.h>
#include <string.h>

#include "auth/sasl.h"
#include "base/log.h"
#include "base/mem.h"
#include "mailbox/doors.h"
#include "mailbox/handover.h"
#include "net/descriptors.h"
#include "net/tls_client.h"
#include "store/lease.h"
#include "store/view.h"

#define STOP_POLL_MS   20
#define EPOCH_AGAIN_MS 500 /* after the store has given the lease, and no epoch */

/* A session, and the connection to the relay that a submission makes. */
#define SESSION_DESCRIPTORS 2

#define RECEIVED_MAX_BYTES 4096 /* what a submission gets before the relay judges its size */

struct mailbox_role {
    struct instance instance; /* first: on_fenced gets it */
    struct mailbox_role_options options;
    const struct mailbox_role_ops *ops;
    void *arg;
    struct viewer *viewer;
    struct doors doors;
    char banner[160], who[128];

    bool begun, failed;
    struct store_op *begin_op, *epoch_op;
    struct loop_timer *epoch_timer; /* then it is asked for again */
    struct loop_timer
        *doors_timer; /* then they are as the tenure wants them: never from inside of a session */
    struct loop_timer *stop_timer;
    struct mono_time stop_deadline;
    void (*on_stopped)(void *arg);
    void *stop_arg;
};

static void fail(struct mailbox_role *r, int err, const char *why)
{
    if (r->failed)
        return;
    r->failed = true;
    r->instance.closing = true;
    r->ops->failed(r->arg, err, why);
}

static void make_room(void *arg, struct admission_slot *slot)
{
    struct session_node *s = CONTAINER_OF(slot, struct session_node, slot);
    (void)arg;
    s->make_room(s);
}

/* ---- the right to be the server ---- */

static void tell_tenure(const struct mailbox_role *r, enum tenure before)
{
    enum tenure now = r->instance.tenure;
    if (before == TENURE_SERVING && now == TENURE_KEEPING)
        log_event(LOG_WARNING, "no mail is taken: the lease was not renewed in time; readers stay",
                  LOG_TEXT("server", r->options.server->name), LOG_I64("epoch", r->options.epoch));
    if (before == TENURE_RETURNING && now == TENURE_SERVING)
        log_event(LOG_INFO, "mail is taken again: the store has given the lease",
                  LOG_TEXT("server", r->options.server->name), LOG_I64("epoch", r->options.epoch));
}

/* why: the end's, where the event may mean that. */
static void move(struct mailbox_role *r, enum tenure_event event, const char *why)
{
    enum tenure before = r->instance.tenure;
    r->instance.tenure = tenure_next(before, event);
    if (r->instance.tenure == before)
        return;
    tell_tenure(r, before);
    if (r->instance.tenure == TENURE_OVER)
        fail(r, ERR_FENCED, why);
    else if (before != TENURE_STARTING)
        loop_timer_start(r->doors_timer, 0);
}

static void end_mail_sessions(struct mailbox_role *r)
{
    LIST_FOREACH (it, &r->instance.sessions) {
        struct session_node *s = LIST_ENTRY(it, struct session_node, node);
        if (s->takes_mail)
            s->shutdown(s);
    }
}

static void on_doors(void *arg)
{
    struct mailbox_role *r = arg;
    struct err_buf eb = {""};
    if (r->instance.closing)
        return;
    bool takes_mail = tenure_takes_mail(r->instance.tenure);
    int rc = doors_shut_mail(&r->doors, !takes_mail, &eb);
    if (rc < 0)
        fail(r, rc, eb.text);
    else if (!takes_mail)
        end_mail_sessions(r);
}

static void on_fenced(struct instance *i)
{
    move((struct mailbox_role *)i, TENURE_FENCED, "another instance has taken the identity");
}

static void check_ready(struct mailbox_role *r)
{
    struct err_buf eb = {""};
    struct instance *i = &r->instance;
    bool leased = i->lease && lease_is_held(i->lease);
    if (i->tenure != TENURE_STARTING || r->failed || !r->begun || !leased || !directory_known(i->directory))
        return;
    int rc = doors_open(&r->doors, &eb);
    if (rc < 0) {
        fail(r, rc, eb.text);
        return;
    }
    move(r, TENURE_COMPLETE, NULL);
    r->ops->ready(r->arg);
}

static void on_begin(void *arg, int err)
{
    struct mailbox_role *r = arg;
    r->begin_op = NULL;
    if (err) {
        fail(r, err,
             err == ERR_FENCED ? "the store knows a later epoch of this server"
                               : "the store did not take the epoch");
        return;
    }
    r->begun = true;
    check_ready(r);
}

/* ---- the lease, and the epoch after it was taken anew ---- */

static void on_epoch(void *arg, int err, int64_t epoch)
{
    struct mailbox_role *r = arg;
    r->epoch_op = NULL;
    if (err)
        loop_timer_start(r->epoch_timer, EPOCH_AGAIN_MS);
    else if (epoch == r->options.epoch)
        move(r, TENURE_CURRENT, NULL);
    else
        move(r, TENURE_FENCED, "the store knows another epoch of this server");
}

static void ask_epoch(void *arg)
{
    struct mailbox_role *r = arg;
    if (!r->epoch_op)
        r->epoch_op = mail_epoch(r->instance.mail, str_from(r->options.server->name), on_epoch, r);
}

static void forget_epoch(struct mailbox_role *r)
{
    if (r->epoch_op)
        store_op_forget(r->epoch_op);
    r->epoch_op = NULL;
    loop_timer_stop(r->epoch_timer);
}

static void on_lease_held(void *arg)
{
    struct mailbox_role *r = arg;
    if (r->instance.tenure == TENURE_STARTING) {
        check_ready(r);
        return;
    }
    move(r, TENURE_HELD, NULL);
    forget_epoch(r);
    ask_epoch(r);
}

static void on_lease_lost(void *arg)
{
    struct mailbox_role *r = arg;
    forget_epoch(r); /* another may be the server when it is answered */
    move(r, TENURE_LOST, NULL);
}

static void on_lease_taken(void *arg)
{
    move(arg, TENURE_TAKEN, "another instance holds the lease");
}

/* ---- the network's state ---- */

static void update_peer_key(struct instance *i, const struct view *v)
{
    if (i->peer_key_known || peer_key_parse(v->peer_secret_hex, &i->peer_key) < 0)
        return;
    i->peer_key_known = true;
    i->smtp_options.peer_key = i->lmtp_options.peer_key = &i->peer_key;
    for (size_t k = 0; k < i->relays.count; k++)
        i->relays.items[k].client.peer_key = &i->peer_key;
}

static void on_view(void *arg, const struct view *v)
{
    struct mailbox_role *r = arg;
    view_tell_lost_sites(v, r->options.store);
    update_peer_key(&r->instance, v);
    directory_on_view(r->instance.directory, v);
    check_ready(r);
    const struct view_server *record = view_server_find(v, str_from(r->options.server->name));
    if (record && record->record.epoch > r->options.epoch &&
        record->record.instance.epoch != r->options.epoch &&
        record->record.candidate.epoch != r->options.epoch)
        move(r, TENURE_FENCED, "the network's record names a later epoch");
}

/* ---- start and stop ---- */

static void make_options(struct mailbox_role *r)
{
    struct instance *i = &r->instance;
    const struct config_server *s = r->options.server;
    snprintf(r->who, sizeof(r->who), "%lld@%s", (long long)r->options.epoch, r->options.node->name);
    snprintf(r->banner, sizeof(r->banner), "Holdfast instance=%s", r->who);
    struct smtp_server_options smtp = {
        .flavour = SMTP_FLAVOUR_SMTP,
        .hostname = s->hostname,
        .banner = r->banner,
        .size_max_bytes = (uint64_t)s->message_size_max_bytes,
        .smtputf8 = true,
        .tls = i->tls,
        .peer = {PEER_MAILBOX, s->name},
        .peer_address = i->address,
    };
    addr_format_ip(&r->options.address, i->address);
    i->smtp_options = i->lmtp_options = i->submission_options = smtp;
    i->lmtp_options.flavour = SMTP_FLAVOUR_LMTP;
    i->submission_options.flavour = SMTP_FLAVOUR_SUBMISSION;
    i->submission_options.size_max_bytes -= RECEIVED_MAX_BYTES;
    i->submission_options.auth_mechanisms = SASL_MECHANISMS;
    i->submission_options.dsn = true; /* handed on to the relay; SMTP and LMTP have no queue for notices */
    i->submission_away_options = i->submission_options;
    i->submission_away_options.auth_needs_tls = true;
    i->imap_options = (struct imap_options){
        .hostname = s->hostname, .instance = r->who, .append_max_bytes = (uint64_t)s->message_size_max_bytes};
    i->pop3_options = (struct pop3_options){.hostname = s->hostname, .instance = r->who};
}

/* On the way to another machine: what a user sent under TLS is not to go on without, where the relay has it.
 */
static void use_tls(struct instance *i, struct relay_choice *choice)
{
    struct tls_client_options options = {.policy = TLS_OPPORTUNISTIC, .name = choice->relay->hostname};
    choice->client.tls = tls_client_new(i->loop);
    CHECK(tls_client_set(choice->client.tls, &options, NULL) == 0); /* it reads nothing */
}

static void choose_relays(struct mailbox_role *r)
{
    struct relays *relays = &r->instance.relays;
    relays_init(relays, r->options.config, r->options.node);
    for (size_t i = 0; i < relays->count; i++) {
        struct relay_choice *choice = &relays->items[i];
        choice->client = (struct smtp_client_options){.flavour = SMTP_CLIENT_SMTP,
                                                      .hostname = r->options.server->hostname,
                                                      .node = r->options.node->name,
                                                      .peer = {PEER_RELAY, choice->relay->name},
                                                      .opening_timeout_ms = HANDOVER_OPENING_MS};
        if (!addr_is_loopback(&choice->address))
            use_tls(&r->instance, choice);
    }
}

static void forget_relays(struct relays *relays)
{
    for (size_t i = 0; i < relays->count; i++)
        tls_client_free(relays->items[i].client.tls);
    relays_fini(relays);
}

static void start_work(struct mailbox_role *r)
{
    struct instance *i = &r->instance;
    struct network *network = store_network(r->options.store);
    char holder[128], lease_name[128];
    snprintf(lease_name, sizeof(lease_name), "server/%s", r->options.server->name);
    snprintf(holder, sizeof(holder), "%s:%lld", r->options.node->name, (long long)r->options.epoch);
    i->directory = directory_new(network, r->options.config, r->options.server);
    i->log_limit = log_limit_new(i->loop);
    i->proxies = proxies_new(i->loop, i->log_limit);
    i->passwords = password_queue_new(i->loop);
    i->upgrade = upgrade_new(i->loop, network, i->passwords);
    r->viewer = viewer_new(i->loop, network, on_view, r);
    r->epoch_timer = loop_timer_new(i->loop, ask_epoch, r);
    r->doors_timer = loop_timer_new(i->loop, on_doors, r);
    i->lease =
        lease_new(i->loop, network, str_from(lease_name), str_from(holder), r->options.config->lease_ms,
                  &(struct lease_ops){on_lease_held, on_lease_lost, on_lease_taken}, r);
    r->begin_op =
        mail_instance_begin(i->mail, str_from(r->options.server->name), r->options.epoch, on_begin, r);
}

static void set_limits(struct mailbox_role *r)
{
    const struct config_server *s = r->options.server;
    int64_t proxied = s->proxy_from.count > 0 ? PROXIES_WAITING_MAX : 0;
    int64_t sessions_max = descriptors_sessions(r->options.descriptors_max, s->connections_max,
                                                SESSION_DESCRIPTORS, ADMISSION_DESCRIPTORS + proxied);
    admission_configure(&r->instance.entrance.admission, sessions_max, s->client_connections_max);
}

int mailbox_role_start(struct loop *l, const struct mailbox_role_options *options,
                       const struct mailbox_role_ops *ops, void *arg, struct mailbox_role **ret_role,
                       struct err_buf *eb)
{
    struct mailbox_role *r = mem_zalloc(sizeof(*r));
    r->options = *options;
    r->ops = ops;
    r->arg = arg;
    r->instance.loop = l;
    r->instance.config = options->config;
    r->instance.server = options->server;
    r->instance.on_fenced = on_fenced;
    list_init(&r->instance.sessions);
    r->instance.entrance.make_room = make_room;
    admission_init(&r->instance.entrance.admission, 1, 1);
    set_limits(r);
    doors_init(&r->doors, &r->instance, &options->address, options->listen_fds);
    int rc = store_mail(options->store, &r->instance.mail, eb);
    if (rc < 0) {
        mailbox_role_free(r);
        return rc;
    }
    r->instance.tls = tls_server_new(l, options->server->certificates, options->server->certificate_count);
    make_options(r);
    choose_relays(r);
    start_work(r);
    *ret_role = r;
    return 0;
}

bool mailbox_role_serves(const struct mailbox_role *r)
{
    return tenure_takes_mail(r->instance.tenure);
}

void mailbox_role_reload(struct mailbox_role *r)
{
    set_limits(r);
    tls_server_set(r->instance.tls, r->options.server->certificates, r->options.server->certificate_count);
}

static void close_doors(struct mailbox_role *r)
{
    proxies_free(r->instance.proxies);
    r->instance.proxies = NULL;
    doors_fini(&r->doors);
}

static void on_stop_timer(void *arg)
{
    struct mailbox_role *r = arg;
    if (r->instance.entrance.admission.session_count > 0 &&
        mono_before(loop_now(r->instance.loop), r->stop_deadline)) {
        loop_timer_start(r->stop_timer, STOP_POLL_MS);
        return;
    }
    r->on_stopped(r->stop_arg); /* last: the callee may free r */
}

void mailbox_role_stop(struct mailbox_role *r, int64_t grace_ms, void (*on_stopped)(void *arg), void *arg)
{
    r->instance.closing = true;
    r->on_stopped = on_stopped;
    r->stop_arg = arg;
    r->stop_deadline = mono_add_ms(loop_now(r->instance.loop), grace_ms);
    close_doors(r);
    LIST_FOREACH (it, &r->instance.sessions) {
        struct session_node *s = LIST_ENTRY(it, struct session_node, node);
        s->shutdown(s);
    }
    r->stop_timer = loop_timer_new(r->instance.loop, on_stop_timer, r);
    loop_timer_start(r->stop_timer, 0);
}

void mailbox_role_free(struct mailbox_role *r)
{
    close_doors(r);
    LIST_FOREACH (it, &r->instance.sessions) {
        struct session_node *s = LIST_ENTRY(it, struct session_node, node);
        s->cut(s);
    }
    admission_fini(&r->instance.entrance.admission);
    if (r->begin_op)
        store_op_forget(r->begin_op);
    if (r->epoch_op)
        store_op_forget(r->epoch_op);
    lease_free(r->instance.lease); /* given back: the next instance need not wait for it to run out */
    viewer_free(r->viewer);
    directory_free(r->instance.directory);
    upgrade_free(r->instance.upgrade);
    password_queue_free(r->instance.passwords);
    log_limit_free(r->instance.log_limit);
    tls_server_free(r->instance.tls);
    forget_relays(&r->instance.relays);
    loop_timer_free(r->epoch_timer);
    loop_timer_free(r->doors_timer);
    loop_timer_free(r->stop_timer);
    free(r);
}
