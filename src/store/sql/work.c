#include "store/sql/work.h"

#include <stdio.h>

#define THREAD_NAME_MAX 16 /* pthread_setname_np(3), with its NUL */

/* ---- the loop's thread ---- */

static void on_event(void *arg, bool readable, bool writable)
{
    struct work *w = arg;
    struct list done;
    (void)readable, (void)writable;
    list_init(&done);
    wake_wait(&w->to_loop, 0);
    pthread_mutex_lock(&w->mutex);
    list_splice(&done, &w->done);
    bool notice = w->notice;
    w->notice = w->loop_signalled = false;
    pthread_mutex_unlock(&w->mutex);
    LIST_FOREACH (it, &done) {
        struct store_op *op = LIST_ENTRY(it, struct store_op, node);
        list_remove(it);
        port_complete(w->port, op, op->err);
    }
    if (port_drain(w->port) && notice)
        port_notice(w->port);
}

void work_init(struct work *w, struct port *p)
{
    *w = (struct work){.port = p};
    list_init(&w->writes);
    list_init(&w->reads);
    list_init(&w->done);
    pthread_mutex_init(&w->mutex, NULL);
    wake_init(&w->to_writer);
    wake_init(&w->to_reader);
    wake_init(&w->to_loop);
    w->event = loop_watch_new(p->loop, w->to_loop.fd, on_event, w);
    loop_watch_set(w->event, true, false);
}

static void free_ops(struct list *ops)
{
    LIST_FOREACH (it, ops) {
        list_remove(it);
        op_free(LIST_ENTRY(it, struct store_op, node));
    }
}

void work_fini(struct work *w)
{
    loop_watch_free(w->event);
    free_ops(&w->writes);
    free_ops(&w->reads);
    free_ops(&w->done);
    wake_fini(&w->to_writer);
    wake_fini(&w->to_reader);
    wake_fini(&w->to_loop);
    pthread_mutex_destroy(&w->mutex);
}

void work_give(struct work *w, struct store_op *op)
{
    bool write = op->type->flags & OP_WRITE;
    bool *sleeps = write ? &w->writer_sleeps : &w->reader_sleeps;
    pthread_mutex_lock(&w->mutex);
    list_append(write ? &w->writes : &w->reads, &op->node);
    bool signal = *sleeps;
    *sleeps = false;
    pthread_mutex_unlock(&w->mutex);
    if (signal)
        wake_signal(write ? &w->to_writer : &w->to_reader);
}

static void wake_both(struct work *w)
{
    w->writer_sleeps = w->reader_sleeps = false;
    wake_signal(&w->to_writer);
    wake_signal(&w->to_reader);
}

void work_watch(struct work *w, bool on)
{
    pthread_mutex_lock(&w->mutex);
    w->watching = on;
    wake_both(w);
    pthread_mutex_unlock(&w->mutex);
}

void work_stop(struct work *w)
{
    loop_watch_free(w->event);
    w->event = NULL;
    pthread_mutex_lock(&w->mutex);
    w->stop = true;
    wake_both(w);
    pthread_mutex_unlock(&w->mutex);
}

/* ---- the engine's threads ---- */

void work_name_thread(enum part_kind part, const char *work)
{
    static const char *const parts[] = {
        [PART_NETWORK] = "network", [PART_QUEUE] = "queue", [PART_MAIL] = "mail"};
    char name[THREAD_NAME_MAX];
    int len = snprintf(name, sizeof(name), "%s-%s", work, parts[part]);
    CHECK(len > 0 && len < THREAD_NAME_MAX);
    CHECK(pthread_setname_np(pthread_self(), name) == 0);
}

/* Under the mutex, which it gives away meanwhile. */
static void sleep_until(struct work *w, bool *sleeps, struct wake *wake, int idle_ms)
{
    *sleeps = true;
    pthread_mutex_unlock(&w->mutex);
    wake_wait(wake, idle_ms);
    pthread_mutex_lock(&w->mutex);
    *sleeps = false;
}

static void take(struct list *to, struct list *from, int max)
{
    for (int i = 0; i < max && !list_empty(from); i++) {
        struct list *node = from->next;
        list_remove(node);
        list_append(to, node);
    }
}

bool work_take_writes(struct work *w, struct list *ops, int max, int idle_ms)
{
    pthread_mutex_lock(&w->mutex);
    if (!w->stop && list_empty(&w->writes) && !w->writer_wanted)
        sleep_until(w, &w->writer_sleeps, &w->to_writer, idle_ms);
    if (!w->stop)
        take(ops, &w->writes, max);
    bool go_on = !w->stop;
    pthread_mutex_unlock(&w->mutex);
    return go_on;
}

bool work_take_reads(struct work *w, struct list *ops, int idle_ms, bool *ret_watching)
{
    pthread_mutex_lock(&w->mutex);
    if (!w->stop && list_empty(&w->reads))
        sleep_until(w, &w->reader_sleeps, &w->to_reader, w->watching ? idle_ms : -1);
    if (!w->stop)
        list_splice(ops, &w->reads);
    *ret_watching = w->watching;
    bool go_on = !w->stop;
    pthread_mutex_unlock(&w->mutex);
    return go_on;
}

void work_hand_back(struct work *w, struct list *ops, bool notice)
{
    struct list again;
    list_init(&again);
    pthread_mutex_lock(&w->mutex);
    LIST_FOREACH (it, ops) {
        struct store_op *op = LIST_ENTRY(it, struct store_op, node);
        list_remove(it);
        list_append(op->err == OP_AGAIN ? &again : op->err == OP_MORE ? &w->reads : &w->done, it);
    }
    bool to_writer = !list_empty(&again) && w->writer_sleeps;
    if (to_writer)
        w->writer_sleeps = false;
    list_splice(&again, &w->writes);
    list_splice(&w->writes, &again);
    w->notice |= notice;
    bool to_loop = !w->loop_signalled && (w->notice || !list_empty(&w->done));
    w->loop_signalled |= to_loop;
    pthread_mutex_unlock(&w->mutex);
    if (to_loop)
        wake_signal(&w->to_loop);
    if (to_writer)
        wake_signal(&w->to_writer);
}
