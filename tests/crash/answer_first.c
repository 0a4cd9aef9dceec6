/* The mutant that the kill rig must catch: the relay's `250` goes out before its commit. The linker puts this
 * in place of queue_accept (--wrap), in a program of the tests only: what is released has no such switch. The
 * commit itself takes place as ever, only later than the answer. */
#include "base/mem.h"
#include "store/engine.h"
#include "store/front.h"
#include "store/queue.h"

typedef void (*accept_callback)(void *arg, int err, int64_t message_id);

struct store_op *__real_queue_accept(struct queue *q, struct body_writer *body,
                                     const struct queue_message_in *message,
                                     const struct queue_recipient_in *recipients, size_t recipient_count,
                                     accept_callback on_accept, void *arg);
struct store_op *__wrap_queue_accept(struct queue *q, struct body_writer *body,
                                     const struct queue_message_in *message,
                                     const struct queue_recipient_in *recipients, size_t recipient_count,
                                     accept_callback on_accept, void *arg);

struct early {
    struct store_op *op;
    accept_callback on_accept;
    void *arg;
};

static void on_late(void *arg, int err, int64_t message_id)
{
    (void)arg;
    (void)err;
    (void)message_id;
}

/* Posted before the operation can end, so it still is there. */
static void answer(void *arg)
{
    struct early *e = arg;
    if (e->op->callback) /* not forgotten by a session that ended */
        e->on_accept(e->arg, 0, 0);
    free(e);
}

struct store_op *__wrap_queue_accept(struct queue *q, struct body_writer *body,
                                     const struct queue_message_in *message,
                                     const struct queue_recipient_in *recipients, size_t recipient_count,
                                     accept_callback on_accept, void *arg)
{
    struct early *e = mem_zalloc(sizeof(*e));
    *e = (struct early){.on_accept = on_accept, .arg = arg};
    loop_post(queue_port(q)->loop, answer, e);
    e->op = __real_queue_accept(q, body, message, recipients, recipient_count, on_late, NULL);
    return e->op;
}
