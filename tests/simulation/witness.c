#include "simulation/witness.h"

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "director/orders.h"
#include "simulation/instances.h"
#include "simulation/mutants.h"
#include "store/mail.h"
#include "store/mail_op.h"
#include "store/memory/device.h"
#include "store/network_op.h"

#define LOOK_AT_CLOCK_MS  20
#define RECORDS_MAX_BYTES (64 * 1024) /* decoded, of one transaction */

static struct world *followed;

void witness_follow(struct world *w)
{
    followed = w;
    if (w)
        witness_queue_begin();
    else
        witness_queue_end();
}

struct world *witness_world(void)
{
    return followed;
}

/* ---- epochs ---- */

enum part { PART_OF_QUEUE, PART_OF_MAIL };

static void tell(const struct memory_tx *tx, enum part part,
                 void (*fn)(struct ledger *l, struct str identity, int64_t epoch), int64_t epoch)
{
    char identity[128];
    struct str name = part == PART_OF_QUEUE ? tx->queue->name : *tx->server;
    snprintf(identity, sizeof(identity), "%s %.*s", part == PART_OF_QUEUE ? "queue" : "server",
             STR_ARG(name));
    if (followed)
        fn(followed->ledger, str_from(identity), epoch);
}

int __real_memory_queue_own(struct memory_tx *tx, struct store_op *op);
int __wrap_memory_queue_own(struct memory_tx *tx, struct store_op *op);

int __wrap_memory_queue_own(struct memory_tx *tx, struct store_op *op)
{
    int64_t before = tx->queue->epoch;
    int rc = __real_memory_queue_own(tx, op);
    if (rc == 0 && before > 0 && mutant_playing() == MUTANT_double_claim)
        tx->queue->epoch = *tx->epoch = before;
    if (rc == 0)
        tell(tx, PART_OF_QUEUE, ledger_began, *tx->epoch);
    return rc;
}

static void give_uids_again(struct memory_mail *mail)
{
    for (size_t i = 0; i < mail->mailboxes.count; i++) {
        struct memory_mailbox *box = mail->mailboxes.items[i];
        if (box)
            box->uid_next = box->message_count > 0 ? box->messages[box->message_count - 1].uid + 1 : 1;
    }
}

int __real_memory_mail_begin(struct memory_tx *tx, struct store_op *op);
int __wrap_memory_mail_begin(struct memory_tx *tx, struct store_op *op);

int __wrap_memory_mail_begin(struct memory_tx *tx, struct store_op *op)
{
    int rc = __real_memory_mail_begin(tx, op);
    if (rc == 0 && mutant_playing() == MUTANT_uid_reused)
        give_uids_again(&tx->device->mail);
    if (rc == 0)
        tell(tx, PART_OF_MAIL, ledger_began, *tx->epoch);
    return rc;
}

int __real_memory_mail_fence(struct memory_tx *tx, struct store_op *op);
int __wrap_memory_mail_fence(struct memory_tx *tx, struct store_op *op);

int __wrap_memory_mail_fence(struct memory_tx *tx, struct store_op *op)
{
    const struct op_mail_fence *o = (const struct op_mail_fence *)op;
    struct memory_tx named = *tx;
    struct str server = o->server;
    int rc = __real_memory_mail_fence(tx, op);
    named.server = &server;
    if (rc == 0)
        tell(&named, PART_OF_MAIL, ledger_fenced, o->epoch);
    return rc;
}

#define WITNESS_WRITE(name, part)                                                                            \
    int __real_memory_##name(struct memory_tx *tx, struct store_op *op);                                     \
    int __wrap_memory_##name(struct memory_tx *tx, struct store_op *op);                                     \
    int __wrap_memory_##name(struct memory_tx *tx, struct store_op *op)                                      \
    {                                                                                                        \
        int rc = __real_memory_##name(tx, op);                                                               \
        if (rc == 0)                                                                                         \
            tell(tx, part, ledger_wrote, *tx->epoch);                                                        \
        return rc;                                                                                           \
    }

WITNESS_WRITE(queue_accept, PART_OF_QUEUE)
WITNESS_WRITE(mail_deliver, PART_OF_MAIL)
WITNESS_WRITE(mail_flags, PART_OF_MAIL)
WITNESS_WRITE(mail_expunge, PART_OF_MAIL)

int __real_memory_queue_settle(struct memory_tx *tx, struct store_op *op);
int __wrap_memory_queue_settle(struct memory_tx *tx, struct store_op *op);

int __wrap_memory_queue_settle(struct memory_tx *tx, struct store_op *op)
{
    int rc = __real_memory_queue_settle(tx, op);
    if (rc == 0) {
        tell(tx, PART_OF_QUEUE, ledger_wrote, *tx->epoch);
        witness_settled(tx, op);
    }
    return rc;
}

/* ---- what is asked of the store ---- */

struct store_op *__real_mail_deliver(struct mail *m, struct body_writer *body,
                                     const struct custody_id *custody, const struct str *users,
                                     size_t user_count, struct wall_time internal_date,
                                     void (*on_deliver)(void *arg, int err), void *arg);
struct store_op *__wrap_mail_deliver(struct mail *m, struct body_writer *body,
                                     const struct custody_id *custody, const struct str *users,
                                     size_t user_count, struct wall_time internal_date,
                                     void (*on_deliver)(void *arg, int err), void *arg);

struct store_op *__wrap_mail_deliver(struct mail *m, struct body_writer *body,
                                     const struct custody_id *custody, const struct str *users,
                                     size_t user_count, struct wall_time internal_date,
                                     void (*on_deliver)(void *arg, int err), void *arg)
{
    struct store_op *op =
        __real_mail_deliver(m, body, custody, users, user_count, internal_date, on_deliver, arg);
    const struct process *p = followed ? world_process_of(followed, sim_running(followed->sim)) : NULL;
    if (p && followed->on_mail_asked)
        followed->on_mail_asked(followed->on_mail_asked_arg, world_node_of(followed, p));
    return op;
}

struct body_reader *__real_queue_body_open(struct queue *q, int64_t message_id);
struct body_reader *__wrap_queue_body_open(struct queue *q, int64_t message_id);

struct body_reader *__wrap_queue_body_open(struct queue *q, int64_t message_id)
{
    const struct process *p = followed ? world_process_of(followed, sim_running(followed->sim)) : NULL;
    if (p && followed->on_mail_taken)
        followed->on_mail_taken(followed->on_mail_taken_arg, world_node_of(followed, p),
                                str_from(queue_name(q)));
    return __real_queue_body_open(q, message_id);
}

/* ---- what the store answers ---- */

/* It is done, and the connections that wait for the word of it are gone. */
static void leave_untold(struct loop *l, enum op_kind done)
{
    enum untold who = done == OP_queue_accept ? UNTOLD_SENDER : UNTOLD_RELAY;
    struct fault *f = &followed->untold[who];
    if ((done != OP_queue_accept && done != OP_mail_deliver) || f->left == 0 || !sim_net_reset_accepted(l))
        return;
    fault_take(f);
    log_event(LOG_WARNING, "DISASTER", LOG_TEXT("kind", "duplicate"),
              LOG_TEXT("untold", who == UNTOLD_SENDER ? "sender" : "relay"));
}

void __real_port_complete(struct port *p, struct store_op *op, int err);
void __wrap_port_complete(struct port *p, struct store_op *op, int err);

void __wrap_port_complete(struct port *p, struct store_op *op, int err)
{
    err = mutant_completion(op, err);
    __real_port_complete(p, op, err);
    if (err == 0 && followed)
        leave_untold(p->loop, op->type->kind);
}

/* ---- moves: what directors and nodes write down ---- */

static bool is(struct str s, const char *text)
{
    return str_eq(s, str_from(text));
}

static void on_route(struct str domain, struct str json, struct arena *arena)
{
    struct record_route route;
    if (record_route_decode(arena, json, &route) == 0)
        ledger_routed(followed->ledger, domain, route.server, route.generation);
}

int __real_record_queue_decode(struct arena *arena, struct str json, struct record_queue *ret_record);

static void on_queue(struct str name, struct str json, struct arena *arena)
{
    struct record_queue record;
    if (__real_record_queue_decode(arena, json, &record) == 0)
        ledger_queue(followed->ledger, name, record.owner, record.from);
}

static void tell_identity(struct str server, void (*fn)(struct ledger *l, struct str identity, int64_t epoch),
                          int64_t epoch)
{
    char identity[128];
    snprintf(identity, sizeof(identity), "server %.*s", STR_ARG(server));
    fn(followed->ledger, str_from(identity), epoch);
}

/* An order of a node was carried out. */
static void on_order(struct str json, struct arena *arena)
{
    struct record_order order;
    struct order_args args;
    if (record_order_decode(arena, json, &order) < 0 || !is(order.state, "done") ||
        (!is(order.verb, ORDER_DESTROY) && !is(order.verb, ORDER_FENCE)) ||
        order_args_decode(arena, order.args, &args) < 0)
        return;
    tell_identity(args.server, ledger_off, args.epoch);
}

/* Each move has another generation. */
static void on_server(struct str name, struct str json, struct arena *arena)
{
    const struct config *c = followed->config;
    char *text = str_dup(name);
    const struct config_server *s = config_server_find(c, text);
    struct record_server record;
    free(text);
    CHECK(s);
    int64_t *seen = &followed->generations[s - c->servers];
    if (record_server_decode(arena, json, &record) < 0 || record.generation == *seen)
        return;
    *seen = record.generation;
    bool itself = record.served_by.len == 0;
    followed->standby_turns += !itself;
    for (size_t i = 0; i < c->domain_count; i++)
        if (c->domains[i].server == s)
            ledger_moved(followed->ledger, str_from(c->domains[i].name), itself ? name : record.served_by);
    if (itself && s->kind == SERVER_BUILTIN)
        tell_identity(name, ledger_given, record.instance.epoch);
}

static void on_records(const struct op_record_write *o)
{
    struct arena arena;
    arena_init(&arena, RECORDS_MAX_BYTES);
    for (size_t i = 0; i < o->count; i++) /* a move's order in its transaction does not matter */
        if (o->changes[i].type == NETWORK_PUT && is(o->changes[i].kind, "route"))
            on_route(o->changes[i].key, o->changes[i].value, &arena);
    for (size_t i = 0; i < o->count; i++) {
        const struct network_change *change = &o->changes[i];
        if (change->type == NETWORK_PUT && is(change->kind, "server"))
            on_server(change->key, change->value, &arena);
        else if (change->type == NETWORK_PUT && is(change->kind, "queue"))
            on_queue(change->key, change->value, &arena);
        else if (change->type == NETWORK_PUT && is(change->kind, "order"))
            on_order(change->value, &arena);
    }
    arena_fini(&arena);
}

int __real_memory_record_write(struct memory_tx *tx, struct store_op *op);
int __wrap_memory_record_write(struct memory_tx *tx, struct store_op *op);

int __wrap_memory_record_write(struct memory_tx *tx, struct store_op *op)
{
    int rc = __real_memory_record_write(tx, op);
    if (rc == 0 && followed)
        on_records((const struct op_record_write *)op);
    return rc;
}

/* ---- leases ---- */

int __real_memory_lease_take(struct memory_tx *tx, struct store_op *op);
int __wrap_memory_lease_take(struct memory_tx *tx, struct store_op *op);

int __wrap_memory_lease_take(struct memory_tx *tx, struct store_op *op)
{
    const struct op_lease_take *o = (const struct op_lease_take *)op;
    int rc = __real_memory_lease_take(tx, op);
    if (rc == 0 && followed && o->ret_current.token != o->token && str_starts(o->name, STR("relay/")))
        ledger_relay_anew(followed->ledger, o->holder);
    if (rc == 0 && followed)
        ledger_leased(followed->ledger, o->name, o->holder, world_now_ms(followed) + o->ttl_ms);
    return rc;
}

void witness_dot(struct str queue)
{
    char lease[128];
    const struct process *p = followed ? world_process_of(followed, sim_running(followed->sim)) : NULL;
    const struct node *n = p ? world_node_of(followed, p) : NULL;
    CHECK(!followed || n);
    if (!followed)
        return;
    witness_queue_dot();
    const char *relay = config_relay_of_node(followed->config, n->config)->name;
    snprintf(lease, sizeof(lease), "relay/%s", relay);
    ledger_sends(followed->ledger, queue, str_from(n->config->name), str_from(lease),
                 str_eq(queue, str_from(relay)), world_now_ms(followed));
}

/* One that was let go on has not looked at its clock yet. */
static bool acts(const struct process *p, int64_t now_ms)
{
    return p->loop && !p->frozen && now_ms > p->thawed_ms + LOOK_AT_CLOCK_MS;
}

void witness_look(struct world *w)
{
    int64_t now_ms = world_now_ms(w);
    LIST_FOREACH (it, &w->instances) {
        struct instance *i = LIST_ENTRY(it, struct instance, node);
        if (i->process.loop)
            ledger_lives(w->ledger, str_from(i->identity), i->epoch);
        if (i->ready && i->role && mailbox_role_serves(i->role) && acts(&i->process, now_ms))
            ledger_serves(w->ledger, str_from(i->lease), str_from(i->holder), now_ms);
    }
    for (int k = 0; k < WORLD_NODES; k++) {
        struct node *n = &w->nodes[k];
        if (acts(&n->director_process, now_ms) && director_leads(n->director))
            ledger_serves(w->ledger, STR("director"), str_from(n->config->name), now_ms);
    }
}
