#include "relay/errand.h"

#define RETRY_MS 1000 /* the store reopens within such times */

static void on_timer(void *arg)
{
    errand_begin(arg);
}

void errand_init(struct errand *e, struct loop *l, void (*begin)(void *arg), void *arg)
{
    *e = (struct errand){.begin = begin, .arg = arg};
    e->timer = loop_timer_new(l, on_timer, e);
}

void errand_fini(struct errand *e)
{
    if (e->op)
        store_op_forget(e->op);
    loop_timer_free(e->timer);
}

void errand_begin(struct errand *e)
{
    CHECK(!e->op);
    loop_timer_stop(e->timer);
    e->again = e->refused = false;
    e->begin(e->arg);
}

void errand_kick(struct errand *e)
{
    e->again = true;
    if (!e->op && !e->refused)
        errand_begin(e);
}

void errand_refused(struct errand *e)
{
    e->refused = true;
    loop_timer_start(e->timer, RETRY_MS);
}

void errand_look_in(struct errand *e, int64_t delay_ms)
{
    loop_timer_start(e->timer, delay_ms > 0 ? delay_ms : 0);
}

bool errand_rest(struct errand *e)
{
    bool again = e->again;
    if (again)
        errand_begin(e);
    return !again;
}
