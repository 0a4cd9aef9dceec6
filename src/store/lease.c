#include "store/lease.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"

#define RENEWALS_PER_TERM 5  /* four may fail */
#define MARGIN_PART       20 /* of the term: clocks' rates differ by far less */

struct lease {
    struct loop *loop;
    struct network *network;
    char *name, *holder;
    int64_t ttl_ms;
    struct lease_ops ops;
    void *arg;
    struct network_lease guard; /* token 0: not held */
    struct mono_time asked_at, until;
    struct loop_timer *ask_timer, *end_timer;
    struct store_op *op;
};

static void ask(void *arg);

static void lose(struct lease *k)
{
    if (k->guard.token == 0)
        return;
    k->guard.token = 0;
    loop_timer_stop(k->end_timer);
    k->ops.lost(k->arg);
}

static void ask_in(struct lease *k, int64_t delay_ms)
{
    int64_t most_ms = k->ttl_ms / RENEWALS_PER_TERM;
    loop_timer_start(k->ask_timer, delay_ms < 1 ? 1 : delay_ms < most_ms ? delay_ms : most_ms);
}

static void taken(struct lease *k, int64_t token)
{
    bool anew = k->guard.token != token;
    struct mono_time until = mono_add_ms(k->asked_at, k->ttl_ms - k->ttl_ms / MARGIN_PART);
    if (!mono_before(loop_now(k->loop), until)) { /* the answer came too late to be of use */
        lose(k);
        ask_in(k, 0);
        return;
    }
    k->until = until;
    k->guard.token = token;
    loop_timer_start(k->end_timer, mono_diff_ms(until, loop_now(k->loop)));
    ask_in(k, k->ttl_ms);
    if (anew)
        k->ops.held(k->arg);
}

static bool is_held_by_another(const struct lease *k, const struct network_lease *current)
{
    return current && current->remaining_ms > 0 && !str_eq(current->holder, k->guard.holder);
}

static void refused(struct lease *k, const struct network_lease *current)
{
    bool taken_by_another = is_held_by_another(k, current);
    ask_in(k, current ? current->remaining_ms + 1 : k->ttl_ms);
    lose(k);
    if (taken_by_another && k->ops.taken)
        k->ops.taken(k->arg);
}

static void on_take(void *arg, int err, const struct network_lease *current)
{
    struct lease *k = arg;
    k->op = NULL;
    if (err == 0) {
        taken(k, current->token);
    } else if (err == ERR_BUSY) {
        refused(k, current);
    } else {
        ask_in(k, k->ttl_ms); /* held on until its end; the store may answer again before */
    }
}

static void ask(void *arg)
{
    struct lease *k = arg;
    if (k->op)
        return; /* its answer asks again */
    k->asked_at = loop_now(k->loop);
    k->op = network_lease_take(k->network, str_from(k->name), str_from(k->holder), k->guard.token, k->ttl_ms,
                               on_take, k);
}

static void on_end(void *arg)
{
    lose(arg);
}

struct lease *lease_new(struct loop *l, struct network *n, struct str name, struct str holder, int64_t ttl_ms,
                        const struct lease_ops *ops, void *arg)
{
    struct lease *k = mem_zalloc(sizeof(*k));
    *k = (struct lease){.loop = l, .network = n, .ttl_ms = ttl_ms, .ops = *ops, .arg = arg};
    k->name = str_dup(name);
    k->holder = str_dup(holder);
    k->guard.name = str_from(k->name);
    k->guard.holder = str_from(k->holder);
    k->ask_timer = loop_timer_new(l, ask, k);
    k->end_timer = loop_timer_new(l, on_end, k);
    ask(k);
    return k;
}

static void on_release(void *arg, int err)
{
    (void)arg;
    (void)err;
}

void lease_free(struct lease *k)
{
    if (!k)
        return;
    if (k->op)
        store_op_forget(k->op);
    if (k->guard.token != 0)
        network_lease_release(k->network, k->guard.name, k->guard.holder, k->guard.token, on_release, NULL);
    loop_timer_free(k->ask_timer);
    loop_timer_free(k->end_timer);
    free(k->name);
    free(k->holder);
    free(k);
}

bool lease_is_held(struct lease *k)
{
    if (k->guard.token != 0 && !mono_before(loop_now(k->loop), k->until))
        lose(k);
    return k->guard.token != 0;
}

const struct network_lease *lease_guard(const struct lease *k)
{
    CHECK(k->guard.token != 0);
    return &k->guard;
}

void lease_refused(struct lease *k)
{
    lose(k);
}
