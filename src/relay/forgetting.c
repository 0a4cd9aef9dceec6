#include "relay/forgetting.h"

#include "base/mem.h"

#define STEP_MS 200     /* between steps: 500 messages a second, more than come in a day's mean */
#define LOOK_MS 3600000 /* when there was nothing more to forget */

struct forgetting {
    struct loop *loop;
    struct queue *queue;
    const struct config_relay *relay;
    struct loop_timer *timer;
    struct store_op *op;
    int64_t after_message_id;
};

static void on_forgotten(void *arg, int err, const struct queue_forgotten *done)
{
    struct forgetting *f = arg;
    bool more = err == 0 && done->more;
    f->op = NULL;
    if (err == ERR_FENCED)
        return;
    f->after_message_id = more ? done->last_message_id : 0;
    loop_timer_start(f->timer, more ? STEP_MS : LOOK_MS);
}

static void on_timer(void *arg)
{
    struct forgetting *f = arg;
    struct wall_time before = {loop_wall(f->loop).ms - f->relay->custody_age_ms};
    f->op = queue_forget(f->queue, before, f->after_message_id, on_forgotten, f);
}

struct forgetting *forgetting_new(struct loop *l, struct queue *q, const struct config_relay *relay)
{
    struct forgetting *f = mem_zalloc(sizeof(*f));
    f->loop = l;
    f->queue = q;
    f->relay = relay;
    f->timer = loop_timer_new(l, on_timer, f);
    loop_timer_start(f->timer, STEP_MS);
    return f;
}

void forgetting_free(struct forgetting *f)
{
    if (f->op)
        store_op_forget(f->op);
    loop_timer_free(f->timer);
    free(f);
}
