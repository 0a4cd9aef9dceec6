#include "simulation/mutants.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "director/adopt.h"
#include "director/verify.h"
#include "relay/rights.h"
#include "relay/settlement.h"
#include "relay/source.h"
#include "relay/target.h"
#include "relay/tell.h"
#include "simulation/witness.h"
#include "store/engine.h"
#include "store/lease.h"
#include "store/memory/device.h"
#include "store/network.h"
#include "store/queue_op.h"
#include "unit/store/wrap_network.h"

#define LEASE_MS      2500 /* the configuration's default */
#define UNKNOWN_EVERY 5    /* accepts that are told as failed */

static enum mutant playing;
static uint64_t accepts, reports;

#define MUTANT_NAME(name, what) [MUTANT_##name] = #name,
#define MUTANT_WHAT(name, what) [MUTANT_##name] = what,
static const char *const names[MUTANT_COUNT] = {[MUTANT_NONE] = "none", MUTANT_LIST(MUTANT_NAME)};
static const char *const whats[MUTANT_COUNT] = {[MUTANT_NONE] = "", MUTANT_LIST(MUTANT_WHAT)};

const char *mutant_name(enum mutant m)
{
    return names[m];
}

const char *mutant_what(enum mutant m)
{
    return whats[m];
}

enum mutant mutant_find(const char *name)
{
    for (int m = MUTANT_NONE + 1; m < MUTANT_COUNT; m++)
        if (strcmp(names[m], name) == 0)
            return (enum mutant)m;
    return MUTANT_NONE;
}

void mutant_play(enum mutant m)
{
    playing = m;
    accepts = reports = 0;
}

enum mutant mutant_playing(void)
{
    return playing;
}

void mutant_add_faults(struct store_memory_faults *f)
{
    f->mutant_ack_before_commit = playing == MUTANT_early_250;
    f->mutant_no_queue_epoch = playing == MUTANT_stale_queue_owner;
    f->mutant_no_mail_epoch = playing == MUTANT_stale_mail;
    f->mutant_no_lease_guard = playing == MUTANT_stale_director;
    f->mutant_no_dedupe = playing == MUTANT_no_dedupe;
    f->mutant_lose_last_chunk = playing == MUTANT_last_chunk;
}

/* ---- the store ---- */

int mutant_completion(const struct store_op *op, int err)
{
    bool accept = op->type->kind == OP_queue_accept;
    bool flags = op->type->kind == OP_mail_flags || op->type->kind == OP_mail_expunge;
    if (playing == MUTANT_sync_250 && accept && err == ERR_SYNC)
        return 0;
    if (playing == MUTANT_unknown_as_failed && accept && err == 0 && ++accepts % UNKNOWN_EVERY == 0)
        return ERR_UNAVAILABLE;
    if (playing == MUTANT_flags_not_kept && flags && err == ERR_SYNC)
        return 0;
    return err;
}

struct store_op *__real_network_lease_take(
    struct network *n, struct str name, struct str holder, int64_t token, int64_t ttl_ms,
    void (*on_take)(void *arg, int err, const struct network_lease *current), void *arg);
struct store_op *__wrap_network_lease_take(
    struct network *n, struct str name, struct str holder, int64_t token, int64_t ttl_ms,
    void (*on_take)(void *arg, int err, const struct network_lease *current), void *arg);

/* The holders who are told that leases last for an hour get them for as long as ever. */
struct store_op *
__wrap_network_lease_take(struct network *n, struct str name, struct str holder, int64_t token,
                          int64_t ttl_ms,
                          void (*on_take)(void *arg, int err, const struct network_lease *current), void *arg)
{
    bool stretched = (playing == MUTANT_expired_lease && str_starts(name, STR("server/"))) ||
                     (playing == MUTANT_stale_director && !str_starts(name, STR("server/")));
    return __real_network_lease_take(n, name, holder, token, stretched ? LEASE_MS : ttl_ms, on_take, arg);
}

/* The record that says which were told, and the first event. */
struct store_op *__wrap_network_write(struct network *n, const struct network_change *changes, size_t count,
                                      const struct network_lease *guard,
                                      void (*on_write)(void *arg, int err, size_t failed), void *arg)
{
    bool notices = count > 2 && str_eq(changes[0].kind, STR("notice"));
    return __real_network_write(n, changes, playing == MUTANT_quarantine_untold && notices ? 2 : count, guard,
                                on_write, arg);
}

/* ---- the relay ---- */

void __real_target_set_instance(struct target *t, const struct target_instance *instance);
void __wrap_target_set_instance(struct target *t, const struct target_instance *instance);

void __wrap_target_set_instance(struct target *t, const struct target_instance *instance)
{
    if (playing != MUTANT_lost_rehome || instance->epoch <= 1)
        __real_target_set_instance(t, instance);
}

void __real_settlements_add(struct settlements *all, struct transaction *t,
                            const struct queue_result *results, size_t count);
void __wrap_settlements_add(struct settlements *all, struct transaction *t,
                            const struct queue_result *results, size_t count);

void __wrap_settlements_add(struct settlements *all, struct transaction *t,
                            const struct queue_result *results, size_t count)
{
    struct queue_result *copies = mem_calloc(count, sizeof(*copies));
    for (size_t i = 0; i < count; i++) {
        copies[i] = results[i];
        if (playing == MUTANT_early_delivered)
            copies[i].outcome = QUEUE_OUTCOME_DELIVERED;
        if (playing == MUTANT_answer_forgotten && copies[i].outcome == QUEUE_OUTCOME_DELIVERED &&
            t->recipients[i].attempts == 0)
            copies[i].outcome = QUEUE_OUTCOME_DEFERRED;
    }
    __real_settlements_add(all, t, copies, count);
    free(copies);
}

struct store_op *__real_queue_settle(struct queue *q, const struct queue_result *results, size_t count,
                                     void (*on_settle)(void *arg, int err), void *arg);
struct store_op *__wrap_queue_settle(struct queue *q, const struct queue_result *results, size_t count,
                                     void (*on_settle)(void *arg, int err), void *arg);

struct store_op *__wrap_queue_settle(struct queue *q, const struct queue_result *results, size_t count,
                                     void (*on_settle)(void *arg, int err), void *arg)
{
    return __real_queue_settle(q, results, playing == MUTANT_settle_forgotten ? 0 : count, on_settle, arg);
}

bool __real_source_may_send(const struct source *s);
bool __wrap_source_may_send(const struct source *s);

/* Asked from without the source right before each final dot. */
bool __wrap_source_may_send(const struct source *s)
{
    bool may = __real_source_may_send(s);
    if (may)
        witness_dot(str_from(queue_name(source_queue(s))));
    return may;
}

bool __real_right_is_held(struct right *r);
bool __wrap_right_is_held(struct right *r);

bool __wrap_right_is_held(struct right *r)
{
    return __real_right_is_held(r) || playing == MUTANT_send_without_right;
}

void __real_rights_on_lost(struct rights *all);
void __wrap_rights_on_lost(struct rights *all);

void __wrap_rights_on_lost(struct rights *all)
{
    if (playing != MUTANT_send_without_right)
        __real_rights_on_lost(all);
}

int __real_record_queue_decode(struct arena *arena, struct str json, struct record_queue *ret_record);
int __wrap_record_queue_decode(struct arena *arena, struct str json, struct record_queue *ret_record);

int __wrap_record_queue_decode(struct arena *arena, struct str json, struct record_queue *ret_record)
{
    int rc = __real_record_queue_decode(arena, json, ret_record);
    if (rc == 0 && playing == MUTANT_not_let_go)
        ret_record->from = STR_EMPTY;
    return rc;
}

bool __real_tell_failure(const struct tell *t, const struct config_relay *relay);
bool __wrap_tell_failure(const struct tell *t, const struct config_relay *relay);

bool __wrap_tell_failure(const struct tell *t, const struct config_relay *relay)
{
    struct tell changed = *t;
    if (playing == MUTANT_told_to_all)
        changed.notify = 0;
    return __real_tell_failure(&changed, relay) && playing != MUTANT_told_to_nobody;
}

enum queue_owes __real_tell_success(const struct tell *t, bool final, bool handed_on);
enum queue_owes __wrap_tell_success(const struct tell *t, bool final, bool handed_on);

enum queue_owes __wrap_tell_success(const struct tell *t, bool final, bool handed_on)
{
    return playing == MUTANT_success_untold ? QUEUE_OWES_NOTHING : __real_tell_success(t, final, handed_on);
}

/* A failure has ended its delivery, and cannot be owed again. */
static void owe_again(struct memory_queue *q, const struct op_queue_report *o)
{
    const struct queue_result why = {.reply = STR("250 ok"), .server = STR_EMPTY, .at = o->at};
    if (o->kind == QUEUE_OWES_FAILED || ++reports % 2 == 0)
        return;
    for (size_t i = 0; i < o->count; i++)
        memory_debt_add(q, table_get(&q->deliveries, o->ids[i]), o->kind, &why);
}

void mutant_reported(struct memory_tx *tx, const struct store_op *op)
{
    const struct op_queue_report *o = (const struct op_queue_report *)op;
    struct memory_queue *q = tx->queue;
    if (playing == MUTANT_told_twice)
        owe_again(q, o);
    if (playing == MUTANT_report_removed)
        memory_delivery_set(q, table_get(&q->deliveries, (int64_t)q->deliveries.count), QUEUE_REMOVED, false,
                            o->at);
}

/* ---- the director ---- */

void __real_adopt_queues(const struct view *v, const struct config *c, bool settled, struct batch *b);
void __wrap_adopt_queues(const struct view *v, const struct config *c, bool settled, struct batch *b);

void __wrap_adopt_queues(const struct view *v, const struct config *c, bool settled, struct batch *b)
{
    if (playing != MUTANT_no_adoption)
        __real_adopt_queues(v, c, settled, b);
}

void __real_adopt_routes_of(const struct view *v, const struct config *c, const struct config_server *s,
                            struct str served_by, struct batch *b);
void __wrap_adopt_routes_of(const struct view *v, const struct config *c, const struct config_server *s,
                            struct str served_by, struct batch *b);

void __wrap_adopt_routes_of(const struct view *v, const struct config *c, const struct config_server *s,
                            struct str served_by, struct batch *b)
{
    if (playing != MUTANT_route_not_written)
        __real_adopt_routes_of(v, c, s, served_by, b);
}

struct verify *__real_verify_start(struct loop *l, struct mail *mail, const struct verify_spec *spec,
                                   void (*on_end)(void *arg, bool ok, struct str detail), void *arg);
struct verify *__wrap_verify_start(struct loop *l, struct mail *mail, const struct verify_spec *spec,
                                   void (*on_end)(void *arg, bool ok, struct str detail), void *arg);

struct verify *__wrap_verify_start(struct loop *l, struct mail *mail, const struct verify_spec *spec,
                                   void (*on_end)(void *arg, bool ok, struct str detail), void *arg)
{
    static const struct config_server offers_nothing = {.name = "nobody", .kind = SERVER_BUILTIN};
    struct verify_spec changed = *spec;
    if (playing == MUTANT_unverified || playing == MUTANT_unidentified)
        changed.epoch = 0;
    if (playing == MUTANT_unverified)
        changed.server = &offers_nothing;
    return __real_verify_start(l, mail, &changed, on_end, arg);
}
