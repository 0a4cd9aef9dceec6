/* The mutants that the kill rigs must catch: a relay's and a messaging server's `250` goes out before its
 * commit. The linker puts this in place of queue_accept and mail_deliver (--wrap), in a program of the tests
 * only: what is released has no such switch. The commit itself takes place as ever, only later than the
 * answer. */
#include "base/mem.h"
#include "store/engine.h"
#include "store/front.h"
#include "store/mail.h"
#include "store/queue.h"

typedef void (*accept_callback)(void *arg, int err, int64_t message_id);
typedef void (*deliver_callback)(void *arg, int err, const int *results);

struct store_op *__real_queue_accept(struct queue *q, struct body_writer *body,
                                     const struct queue_message_in *message,
                                     const struct queue_recipient_in *recipients, size_t recipient_count,
                                     accept_callback on_accept, void *arg);
struct store_op *__wrap_queue_accept(struct queue *q, struct body_writer *body,
                                     const struct queue_message_in *message,
                                     const struct queue_recipient_in *recipients, size_t recipient_count,
                                     accept_callback on_accept, void *arg);
struct store_op *__real_mail_deliver(struct mail *m, struct body_writer *body,
                                     const struct custody_id *custody, const struct str *users,
                                     size_t user_count, struct wall_time internal_date,
                                     deliver_callback on_deliver, void *arg);
struct store_op *__wrap_mail_deliver(struct mail *m, struct body_writer *body,
                                     const struct custody_id *custody, const struct str *users,
                                     size_t user_count, struct wall_time internal_date,
                                     deliver_callback on_deliver, void *arg);

/* One of the two callbacks. */
struct early {
    struct store_op *op;
    accept_callback on_accept;
    deliver_callback on_deliver;
    void *arg;
    int results[]; /* all well */
};

static void on_late_accept(void *arg, int err, int64_t message_id)
{
    (void)arg, (void)err, (void)message_id;
}

static void on_late_deliver(void *arg, int err, const int *results)
{
    (void)arg, (void)err, (void)results;
}

/* Posted before the operation can end, so it still is there. */
static void answer(void *arg)
{
    struct early *e = arg;
    bool wanted = e->op->callback != NULL; /* not forgotten by a session that ended */
    if (wanted && e->on_accept)
        e->on_accept(e->arg, 0, 0);
    else if (wanted)
        e->on_deliver(e->arg, 0, e->results);
    free(e);
}

static struct early *early_new(struct port *p, size_t results, void *arg)
{
    struct early *e = mem_zalloc(sizeof(*e) + results * sizeof(e->results[0]));
    e->arg = arg;
    loop_post(p->loop, answer, e);
    return e;
}

struct store_op *__wrap_queue_accept(struct queue *q, struct body_writer *body,
                                     const struct queue_message_in *message,
                                     const struct queue_recipient_in *recipients, size_t recipient_count,
                                     accept_callback on_accept, void *arg)
{
    struct early *e = early_new(queue_port(q), 0, arg);
    e->on_accept = on_accept;
    e->op = __real_queue_accept(q, body, message, recipients, recipient_count, on_late_accept, NULL);
    return e->op;
}

struct store_op *__wrap_mail_deliver(struct mail *m, struct body_writer *body,
                                     const struct custody_id *custody, const struct str *users,
                                     size_t user_count, struct wall_time internal_date,
                                     deliver_callback on_deliver, void *arg)
{
    struct early *e = early_new(mail_port(m), user_count, arg);
    e->on_deliver = on_deliver;
    e->op = __real_mail_deliver(m, body, custody, users, user_count, internal_date, on_late_deliver, NULL);
    return e->op;
}
