#include "auth/password_queue.h"

#include <sodium.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"

enum request_state {
    REQUEST_WAITING,
    REQUEST_RUNNING, /* on another thread; done comes */
    REQUEST_REFUSED, /* there was no room; the post comes */
};

struct password_request {
    struct list node;             /* in waiting or underway */
    struct password_queue *queue; /* NULL: the queue is gone */
    enum request_state state;
    bool cancelled;
    char *verifier; /* NULL: to hash */
    char password[PASSWORD_MAX_BYTES + 1];
    size_t password_len; /* PASSWORD_MAX_BYTES + 1: it was longer, and cannot be right */
    int err;
    char made[PASSWORD_VERIFIER_MAX];
    void (*on_verified)(void *arg, int err);
    void (*on_hashed)(void *arg, int err, struct str verifier);
    void *arg;
};

struct password_queue {
    struct loop *loop;
    struct list waiting, underway; /* underway: the running one and the refused */
    struct password_request *running;
    size_t waiting_count;
};

struct password_queue *password_queue_new(struct loop *l)
{
    struct password_queue *q = mem_zalloc(sizeof(*q));
    q->loop = l;
    list_init(&q->waiting);
    list_init(&q->underway);
    return q;
}

static void request_free(struct password_request *r)
{
    list_remove(&r->node);
    sodium_memzero(r->password, sizeof(r->password));
    free(r->verifier);
    free(r);
}

void password_queue_free(struct password_queue *q)
{
    if (!q)
        return;
    LIST_FOREACH (it, &q->waiting)
        request_free(LIST_ENTRY(it, struct password_request, node));
    LIST_FOREACH (it, &q->underway) {
        struct password_request *r = LIST_ENTRY(it, struct password_request, node);
        list_remove(&r->node);
        r->queue = NULL;
        r->cancelled = true;
    }
    free(q);
}

/* On another thread. */
static void compute(void *arg)
{
    struct password_request *r = arg;
    struct str password = {r->password, r->password_len};
    if (r->verifier)
        r->err = password_verify(str_from(r->verifier), password);
    else
        r->err = password_hash(password, r->made);
}

static void answer(struct password_request *r)
{
    if (!r->cancelled && r->on_verified)
        r->on_verified(r->arg, r->err);
    else if (!r->cancelled)
        r->on_hashed(r->arg, r->err, str_from(r->made));
    request_free(r);
}

static void start_next(struct password_queue *q);

static void on_computed(void *arg)
{
    struct password_request *r = arg;
    list_remove(&r->node);
    if (r->queue) {
        r->queue->running = NULL;
        start_next(r->queue);
    }
    answer(r);
}

/* The loop is gone, and so is whoever asked. */
static void on_dropped(void *arg)
{
    struct password_request *r = arg;
    if (r->queue)
        r->queue->running = NULL;
    request_free(r);
}

static void on_refused(void *arg)
{
    struct password_request *r = arg;
    list_remove(&r->node);
    answer(r);
}

static void start_next(struct password_queue *q)
{
    if (q->running || list_empty(&q->waiting))
        return;
    struct password_request *r = LIST_ENTRY(q->waiting.next, struct password_request, node);
    list_remove(&r->node);
    q->waiting_count--;
    list_append(&q->underway, &r->node);
    r->state = REQUEST_RUNNING;
    q->running = r;
    loop_work(q->loop, compute, on_computed, on_dropped, r);
}

static void add(struct password_queue *q, struct password_request *r)
{
    if (q->waiting_count >= PASSWORD_QUEUE_MAX) {
        r->state = REQUEST_REFUSED;
        r->err = ERR_BUSY;
        list_append(&q->underway, &r->node);
        loop_post(q->loop, on_refused, r);
        return;
    }
    list_append(&q->waiting, &r->node);
    q->waiting_count++;
    start_next(q);
}

static struct password_request *request_new(struct password_queue *q, struct str password, void *arg)
{
    struct password_request *r = mem_zalloc(sizeof(*r));
    list_init(&r->node);
    r->queue = q;
    r->arg = arg;
    r->password_len = password.len <= sizeof(r->password) ? password.len : sizeof(r->password);
    if (r->password_len > 0)
        memcpy(r->password, password.ptr, r->password_len);
    return r;
}

struct password_request *password_queue_verify(struct password_queue *q, struct str verifier,
                                               struct str password, void (*on_verified)(void *arg, int err),
                                               void *arg)
{
    struct password_request *r = request_new(q, password, arg);
    r->verifier = str_dup(verifier);
    r->on_verified = on_verified;
    add(q, r);
    return r;
}

struct password_request *password_queue_hash(struct password_queue *q, struct str password,
                                             void (*on_hashed)(void *arg, int err, struct str verifier),
                                             void *arg)
{
    struct password_request *r = request_new(q, password, arg);
    r->on_hashed = on_hashed;
    add(q, r);
    return r;
}

void password_request_cancel(struct password_request *r)
{
    if (!r)
        return;
    r->cancelled = true;
    if (r->state != REQUEST_WAITING)
        return; /* freed when its thread or its post has ended */
    r->queue->waiting_count--;
    request_free(r);
}
