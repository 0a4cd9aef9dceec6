#include "director/leader.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "director/adopt.h"
#include "director/housekeeping.h"
#include "director/moves.h"
#include "director/site_fence.h"
#include "director/verify.h"

#define ACT_MAX_BYTES  (64 << 20) /* texts of one pass over thousands of servers */
#define QUIET_ROUNDS   3          /* through the plan: after them the alarm is known */
#define VERSION_UNSEEN (-1)

/* One server's failover, as far as this process is concerned. */
struct member {
    struct leader *leader;
    const struct config_server *server;
    int64_t version; /* of the record in whose state we are */
    struct mono_time entered_at;
    struct decide_step step;
    char detail[256];
    bool advised, complained;
    struct verify *verify;
    struct store_op *fence_op;
    int fence_told; /* of this step: the error that was logged last */
};

/* How long a site has been judged the same. */
struct site_clock {
    enum site_word word;
    struct mono_time since;
};

/* A transaction under way. */
struct write {
    struct list node;
    struct leader *leader;
    struct store_op *op;
};

struct leader {
    struct loop *loop;
    struct leader_options o;
    struct member *members;
    struct site_clock *sites;
    struct list writes;
    struct mono_time written_at, born_at;
};

/* ---- what we do ourselves in a state ---- */

static void member_stop(struct member *m)
{
    verify_cancel(m->verify);
    m->verify = NULL;
    if (m->fence_op)
        store_op_forget(m->fence_op);
    m->fence_op = NULL;
}

static void member_enter(struct member *m, int64_t version)
{
    int64_t rounds = m->step.rounds;
    member_stop(m);
    m->version = version;
    m->entered_at = loop_now(m->leader->loop);
    m->step = (struct decide_step){.rounds = rounds, .detail = STR_EMPTY};
    m->fence_told = 0;
}

static void on_verified(void *arg, bool ok, struct str detail)
{
    struct member *m = arg;
    m->verify = NULL;
    m->step.own = ok ? STEP_DONE : STEP_FAILED;
    if (!ok) {
        snprintf(m->detail, sizeof(m->detail), "verification: %.*s", STR_ARG(detail));
        m->step.detail = str_from(m->detail);
    }
    m->leader->o.refresh(m->leader->o.arg);
}

static void verify_candidate(struct member *m, const struct record_server *r)
{
    struct verify_spec spec = {.server = m->server, .timeout_ms = decide_timeout_ms(m->server, r)};
    struct plan_entry e;
    if (addr_parse_ip(r->candidate.address, 0, &spec.address) < 0 ||
        !plan_entry_get(m->server, r->plan_index, &e)) {
        m->step.own = STEP_FAILED;
        m->step.detail = STR("the candidate is none of this configuration");
        return;
    }
    if (e.standby)
        spec.server = e.standby;
    else if (m->server->kind == SERVER_BUILTIN) {
        spec.epoch = r->candidate.epoch;
        spec.node = r->candidate.node;
    }
    m->verify = verify_start(m->leader->loop, m->leader->o.mail, &spec, on_verified, m);
}

static void on_fenced(void *arg, int err)
{
    struct member *m = arg;
    m->fence_op = NULL;
    if (err == 0)
        m->step.own = STEP_DONE;
    else if (err != m->fence_told) /* tried again with the next view, until the step's time is up */
        log_event(LOG_WARNING, "the store does not take the epoch", LOG_TEXT("server", m->server->name),
                  LOG_TEXT("error", err_name(err)));
    m->fence_told = err;
    m->leader->o.refresh(m->leader->o.arg);
}

static void member_work(struct member *m, const struct record_server *r)
{
    enum machine_state state;
    if (machine_state_parse(r->state, &state) < 0 || m->step.own != STEP_OPEN)
        return;
    if (state == MACHINE_VERIFYING && !m->verify)
        verify_candidate(m, r);
    if (state == MACHINE_FENCING && r->tries == FENCE_EPOCH && !m->fence_op)
        m->fence_op = mail_fence(m->leader->o.mail, str_from(m->server->name), r->epoch, on_fenced, m);
}

/* ---- writing ---- */

static void on_written(void *arg, int err, size_t failed)
{
    struct write *w = arg;
    struct leader *d = w->leader;
    list_remove(&w->node);
    free(w);
    d->written_at = loop_now(d->loop);
    if (err && err != ERR_CONFLICT)
        log_event(LOG_WARNING, "the director's change was not taken", LOG_TEXT("error", err_name(err)),
                  LOG_I64("change", (int64_t)failed));
    if (err == ERR_FENCED)
        lease_refused(d->o.lease);
    if (list_empty(&d->writes))
        d->o.refresh(d->o.arg);
}

static void write_batch(struct leader *d, const struct batch *b)
{
    if (b->count == 0 || !lease_is_held(d->o.lease))
        return;
    struct write *w = mem_zalloc(sizeof(*w));
    w->leader = d;
    list_append(&d->writes, &w->node);
    w->op = network_write(d->o.network, b->changes, b->count, lease_guard(d->o.lease), on_written, w);
}

/* ---- one server ---- */

static void count_rounds(struct member *m, const struct record_server *after)
{
    if (str_eq(after->state, STR("running")))
        m->step.rounds = 0;
    else if (str_eq(after->state, STR("waiting")))
        m->step.rounds++;
}

static void on_released(void *arg, int err)
{
    (void)arg;
    (void)err; /* then it runs out by itself, or was taken meanwhile */
}

/* An instance holds the lease "server/NAME" while it serves, and the next one
 * waits for it. Whoever holds it now was fenced: nobody has to wait for its end. */
static void release_identity(struct member *m, const struct view *v, struct arena *arena)
{
    char *name = mem_asprintf("server/%s", m->server->name);
    const struct view_lease *lease = view_lease_find(v, arena_str(arena, str_from(name)));
    free(name);
    if (lease && lease->remaining_ms > 0)
        network_lease_release(m->leader->o.network, lease->name, lease->holder, lease->token, on_released,
                              NULL);
}

static void member_move(struct member *m, const struct plan_context *x, const struct decision *decision,
                        struct arena *arena)
{
    struct batch batch;
    struct record_server after;
    int64_t version = m->version;
    if (decision->input.event == MACHINE_ORDER)
        m->step.rounds = 0; /* what failed before it is over */
    struct move move = {x, version, decision, m->step.rounds > QUIET_ROUNDS};
    batch_init(&batch, arena);
    if (move_write(&move, &batch, &after) == 0) {
        count_rounds(m, &after);
        if (decision->input.event == MACHINE_FENCED_OFF)
            release_identity(m, x->view, arena);
        write_batch(m->leader, &batch);
    }
    batch_fini(&batch);
}

static void member_refuse(struct member *m, const struct decision *decision, struct arena *arena)
{
    struct batch batch;
    batch_init(&batch, arena);
    move_refuse(decision->order, decision->text, decision->later, &batch);
    write_batch(m->leader, &batch);
    batch_fini(&batch);
}

static void member_advise(struct member *m, bool advice, struct arena *arena)
{
    struct batch batch;
    if (advice && !m->advised) {
        const char *const members[] = {
            "text", "inoperable, by agreement of the live observers: an operator should order a failover",
            NULL};
        log_event(LOG_WARNING, "failover advised", LOG_TEXT("server", m->server->name));
        batch_init(&batch, arena);
        batch_event(&batch, "advice", str_from(m->server->name), members);
        write_batch(m->leader, &batch);
        batch_fini(&batch);
    }
    m->advised = advice;
}

static const struct record_server no_record = {
    .state = {"absent", 6},
    .plan_index = PLAN_NOTHING,
};

static void member_drive(struct member *m, const struct view *v, struct arena *arena)
{
    struct leader *d = m->leader;
    const struct view_server *s = view_server_find(v, str_from(m->server->name));
    const struct record_server *r = s ? &s->record : &no_record;
    struct plan_context x = {d->o.config, v, m->server, r};
    struct decision decision = {0};
    if (m->version != (s ? s->version : 0))
        member_enter(m, s ? s->version : 0);
    if (!machine_holds(r)) {
        if (!m->complained)
            log_event(LOG_ERROR, "a server's record is not understood", LOG_TEXT("server", m->server->name),
                      LOG_STR("state", r->state));
        m->complained = true;
        return;
    }
    m->step.elapsed_ms = mono_diff_ms(loop_now(d->loop), m->entered_at);
    decide(&x, m->version, &m->step, arena, loop_wall(d->loop).ms, &decision);
    if (decision.refused)
        member_refuse(m, &decision, arena);
    else if (decision.due)
        member_move(m, &x, &decision, arena);
    else
        member_work(m, r);
    member_advise(m, decision.advice, arena);
}

/* ---- sites ---- */

static void keep_site(struct leader *d, const struct site_context *x, size_t i, struct batch *b)
{
    struct site_clock *clock = &d->sites[i];
    struct site_step step = {.site = &d->o.config->sites[i]};
    step.word = site_judge(x, step.site);
    if (step.word != clock->word)
        *clock = (struct site_clock){step.word, x->view->read_at};
    step.held_ms = mono_diff_ms(x->view->read_at, clock->since);
    site_fence_step(x, &step, loop_wall(d->loop).ms, b);
}

static void keep_sites(struct leader *d, const struct view *v, struct arena *arena)
{
    struct site_context x = {d->o.config, v, d->o.site};
    struct batch batch;
    batch_init(&batch, arena);
    for (size_t i = 0; i < d->o.config->site_count; i++)
        keep_site(d, &x, i, &batch);
    write_batch(d, &batch);
    batch_fini(&batch);
}

/* ---- all of it ---- */

static void keep_house(struct leader *d, const struct view *v, struct arena *arena)
{
    struct batch batch;
    batch_init(&batch, arena);
    adopt_queues(v, d->o.config, mono_diff_ms(v->read_at, d->born_at) >= d->o.config->lease_ms, &batch);
    adopt_routes(v, d->o.config, &batch);
    housekeeping_orders(v, d->o.config, loop_wall(d->loop).ms, &batch);
    write_batch(d, &batch);
    batch_fini(&batch);
}

void leader_on_view(struct leader *d, const struct view *v)
{
    struct arena arena;
    if (!lease_is_held(d->o.lease) || !list_empty(&d->writes) || mono_before(v->read_at, d->written_at))
        return;
    arena_init(&arena, ACT_MAX_BYTES);
    for (size_t i = 0; i < d->o.config->server_count; i++)
        member_drive(&d->members[i], v, &arena);
    if (list_empty(&d->writes))
        keep_sites(d, v, &arena);
    if (list_empty(&d->writes)) /* routes are changed by moves, too; orders by what sites need */
        keep_house(d, v, &arena);
    arena_fini(&arena);
}

void leader_stop(struct leader *d)
{
    for (size_t i = 0; i < d->o.config->server_count; i++) {
        member_stop(&d->members[i]);
        d->members[i].version = VERSION_UNSEEN;
        d->members[i].step.rounds = 0;
        d->members[i].advised = false;
    }
    for (size_t i = 0; i < d->o.config->site_count; i++)
        d->sites[i] = (struct site_clock){.word = SITE_AS_RECORDED};
}

struct leader *leader_new(struct loop *l, const struct leader_options *options)
{
    struct leader *d = mem_zalloc(sizeof(*d));
    *d = (struct leader){.loop = l, .o = *options, .born_at = loop_now(l)};
    list_init(&d->writes);
    d->members = mem_calloc(options->config->server_count, sizeof(*d->members));
    d->sites = mem_calloc(options->config->site_count, sizeof(*d->sites));
    for (size_t i = 0; i < options->config->server_count; i++)
        d->members[i] =
            (struct member){.leader = d, .server = &options->config->servers[i], .version = VERSION_UNSEEN};
    return d;
}

void leader_free(struct leader *d)
{
    if (!d)
        return;
    leader_stop(d);
    LIST_FOREACH (it, &d->writes) {
        struct write *w = LIST_ENTRY(it, struct write, node);
        store_op_forget(w->op);
        free(w);
    }
    free(d->sites);
    free(d->members);
    free(d);
}
