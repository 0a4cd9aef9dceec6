#include "net/log_limit.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"

#define WINDOW_MS 1000

struct client {
    int64_t lines, left_out;
};

struct log_limit {
    struct loop_timer *timer; /* runs while any client is counted */
    struct map clients;       /* address -> struct client */
    struct client others;
};

static void tell(const char *client, const struct client *c)
{
    if (c->left_out > 0)
        log_event(LOG_INFO, "more like this", LOG_TEXT("client", client), LOG_I64("count", c->left_out));
}

static void end_window(void *arg)
{
    struct log_limit *m = arg;
    for (const struct map_entry *e = m->clients.first; e; e = e->next) {
        tell(e->key.ptr, e->value);
        free(e->value);
    }
    map_fini(&m->clients);
    map_init(&m->clients);
    tell("others", &m->others);
    m->others = (struct client){0};
}

struct log_limit *log_limit_new(struct loop *l)
{
    struct log_limit *m = mem_zalloc(sizeof(*m));
    map_init(&m->clients);
    m->timer = loop_timer_new(l, end_window, m);
    return m;
}

void log_limit_free(struct log_limit *m)
{
    if (!m)
        return;
    end_window(m);
    map_fini(&m->clients);
    loop_timer_free(m->timer);
    free(m);
}

static struct client *client_get(struct log_limit *m, struct str name)
{
    struct client *c = map_find(&m->clients, name);
    if (c)
        return c;
    if (m->clients.len == 0)
        loop_timer_start(m->timer, WINDOW_MS);
    if (m->clients.len >= LOG_LIMIT_CLIENTS)
        return &m->others;
    c = mem_zalloc(sizeof(*c));
    map_set(&m->clients, name, c);
    return c;
}

bool log_limit_may(struct log_limit *m, const char *client)
{
    struct client *c = client_get(m, str_from(client));
    if (c->lines < LOG_LIMIT_PER_SECOND) {
        c->lines++;
        return true;
    }
    c->left_out++;
    return false;
}
