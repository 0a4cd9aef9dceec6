#include "web/board.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"

struct kept {
    struct notice notice;
    char *status, *metrics;
    struct event_list *events;
    size_t users; /* the board itself is one while it is the newest */
};

struct board {
    pthread_mutex_t mutex;
    struct kept *newest;
};

static void kept_free(struct kept *k)
{
    free(k->status);
    free(k->metrics);
    event_list_unref(k->events);
    free(k);
}

/* Whether it was the last one. Under the mutex. */
static bool leave(struct kept *k)
{
    return k && --k->users == 0;
}

struct board *board_new(void)
{
    struct board *b = mem_zalloc(sizeof(*b));
    pthread_mutex_init(&b->mutex, NULL);
    return b;
}

void board_post(struct board *b, char *status, char *metrics, struct event_list *events,
                struct mono_time read_at)
{
    struct kept *k = mem_zalloc(sizeof(*k));
    *k = (struct kept){
        .notice = {.status = str_from(status),
                   .metrics = str_from(metrics),
                   .events = events,
                   .read_at = read_at},
        .status = status,
        .metrics = metrics,
        .events = events,
        .users = 1,
    };
    pthread_mutex_lock(&b->mutex);
    struct kept *old = b->newest;
    b->newest = k;
    bool unused = leave(old);
    pthread_mutex_unlock(&b->mutex);
    if (unused)
        kept_free(old);
}

const struct notice *board_take(struct board *b)
{
    pthread_mutex_lock(&b->mutex);
    struct kept *k = b->newest;
    if (k)
        k->users++;
    pthread_mutex_unlock(&b->mutex);
    return k ? &k->notice : NULL;
}

void board_release(struct board *b, const struct notice *n)
{
    if (!n)
        return;
    struct kept *k = CONTAINER_OF((uintptr_t)n, struct kept, notice);
    pthread_mutex_lock(&b->mutex);
    bool unused = leave(k);
    pthread_mutex_unlock(&b->mutex);
    if (unused)
        kept_free(k);
}

void board_free(struct board *b)
{
    if (!b)
        return;
    if (b->newest)
        kept_free(b->newest);
    pthread_mutex_destroy(&b->mutex);
    free(b);
}
