#include "simulation/witness.h"

#include <stdio.h>

#include "simulation/instances.h"
#include "simulation/mutants.h"
#include "store/mail.h"
#include "store/mail_op.h"
#include "store/memory/device.h"
#include "store/network_op.h"

#define LOOK_AT_CLOCK_MS 20

static struct world *followed;

void witness_follow(struct world *w)
{
    followed = w;
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
WITNESS_WRITE(queue_settle, PART_OF_QUEUE)
WITNESS_WRITE(mail_deliver, PART_OF_MAIL)
WITNESS_WRITE(mail_flags, PART_OF_MAIL)
WITNESS_WRITE(mail_expunge, PART_OF_MAIL)

/* ---- what is asked of the store ---- */

struct store_op *__real_mail_deliver(struct mail *m, struct body_writer *body,
                                     const struct custody_id *custody, const struct str *users,
                                     size_t user_count, struct wall_time internal_date,
                                     void (*on_deliver)(void *arg, int err, const int *results), void *arg);
struct store_op *__wrap_mail_deliver(struct mail *m, struct body_writer *body,
                                     const struct custody_id *custody, const struct str *users,
                                     size_t user_count, struct wall_time internal_date,
                                     void (*on_deliver)(void *arg, int err, const int *results), void *arg);

struct store_op *__wrap_mail_deliver(struct mail *m, struct body_writer *body,
                                     const struct custody_id *custody, const struct str *users,
                                     size_t user_count, struct wall_time internal_date,
                                     void (*on_deliver)(void *arg, int err, const int *results), void *arg)
{
    struct store_op *op =
        __real_mail_deliver(m, body, custody, users, user_count, internal_date, on_deliver, arg);
    const struct process *p = followed ? world_process_of(followed, sim_running(followed->sim)) : NULL;
    if (p && followed->on_mail_asked)
        followed->on_mail_asked(followed->on_mail_asked_arg, world_node_of(followed, p));
    return op;
}

/* ---- leases ---- */

int __real_memory_lease_take(struct memory_tx *tx, struct store_op *op);
int __wrap_memory_lease_take(struct memory_tx *tx, struct store_op *op);

int __wrap_memory_lease_take(struct memory_tx *tx, struct store_op *op)
{
    const struct op_lease_take *o = (const struct op_lease_take *)op;
    int rc = __real_memory_lease_take(tx, op);
    if (rc == 0 && followed)
        ledger_leased(followed->ledger, o->name, o->holder, world_now_ms(followed) + o->ttl_ms);
    return rc;
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
        if (i->ready && acts(&i->process, now_ms))
            ledger_serves(w->ledger, str_from(i->lease), str_from(i->holder), now_ms);
    }
    for (int k = 0; k < WORLD_NODES; k++) {
        struct node *n = &w->nodes[k];
        if (acts(&n->director_process, now_ms) && director_leads(n->director))
            ledger_serves(w->ledger, STR("director"), str_from(n->config->name), now_ms);
    }
}
