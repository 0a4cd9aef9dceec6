#include "web/web.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "loop/bind.h"
#include "web/http.h"
#include "web/metrics.h"
#include "web/status.h"

#define COUNT_MS      1000 /* how often the queues are counted: the page's own interval */
#define GATHER_MS     100  /* changes that come within it are one new text */
#define BIND_AGAIN_MS 1000
/* The store is read twice a second; a node that has not heard from it for its
 * lease counts as dead, and so does what it shows. */
#define READ_INTERVAL_MS 500

#define METRICS_MAX_BYTES (32 << 20) /* thousands of servers, domains and nodes */

/* One address of the section. */
struct place {
    struct web *web;
    const struct addr *addr;
    int fd;            /* bound and not yet serving, or -1 */
    bool told;         /* that it cannot be bound */
    struct addr local; /* with the port, also when 0 was asked */
    struct http *http; /* or NULL */
};

struct web {
    struct loop *loop;
    const struct config *config;
    const struct config_web *section;
    struct store *store; /* NULL before the start */
    struct place *places;
    struct board *board;
    struct pages pages;
    struct viewer *viewer;
    struct counter *counter;
    struct event_reader *events;
    bool counted; /* at least once */
    struct loop_timer *count_timer, *gather_timer, *bind_timer;
};

/* ---- gathering ---- */

static json_t *build(struct web *w, const struct view *v)
{
    int64_t age_ms = mono_diff_ms(loop_now(w->loop), v->read_at);
    char *store_json = store_status_json(w->store);
    struct status_input in = {
        .config = w->config,
        .view = v,
        .counts = counter_counts(w->counter),
        .store_json = store_json,
        .now = {loop_wall(w->loop).ms - age_ms},
    };
    json_t *status = status_build(&in);
    free(store_json);
    return status;
}

static char *metrics_text(const json_t *status)
{
    struct buf out;
    buf_init(&out, METRICS_MAX_BYTES);
    metrics_write(&out, status);
    return buf_steal(&out);
}

static void gather(void *arg)
{
    struct web *w = arg;
    const struct view *v = viewer_view(w->viewer);
    if (!v || !w->counted)
        return;
    json_t *status = build(w, v);
    board_post(w->board, json_dumps(status, JSON_COMPACT), metrics_text(status), event_reader_take(w->events),
               v->read_at);
    json_decref(status);
}

static void gather_soon(struct web *w)
{
    if (!loop_timer_active(w->gather_timer))
        loop_timer_start(w->gather_timer, GATHER_MS);
}

static void on_view(void *arg, const struct view *v)
{
    (void)v;
    gather_soon(arg);
}

static void on_events(void *arg)
{
    gather_soon(arg);
}

static void on_counted(void *arg)
{
    struct web *w = arg;
    w->counted = true;
    gather_soon(w);
    loop_timer_start(w->count_timer, COUNT_MS);
}

static void count(void *arg)
{
    struct web *w = arg;
    event_reader_kick(w->events);
    counter_read(w->counter, on_counted, w);
}

/* ---- serving ---- */

/* Tells the operator of a place once, not at each new attempt. */
static void cannot_serve(struct place *p, const struct err_buf *eb)
{
    if (!p->told)
        log_event(LOG_ERROR, "the status page cannot be served; it is tried again, and the director goes on",
                  LOG_TEXT("web", p->web->section->name), LOG_TEXT("reason", eb->text));
    p->told = true;
}

static void bind_place(struct place *p)
{
    struct err_buf eb = {""};
    if (p->fd < 0 && !p->http && loop_bind(LOOP_TCP, p->addr, &p->fd, &eb) < 0)
        cannot_serve(p, &eb);
}

static void serve_place(struct place *p)
{
    struct err_buf eb = {""};
    char at[ADDR_TEXT_MAX];
    socklen_t len = sizeof(p->local);
    if (p->fd < 0)
        return;
    int fd = p->fd;
    p->fd = -1;
    (void)getsockname(fd, &p->local.u.sa, &len);
    addr_format(&p->local, at);
    if (http_start(p->web->loop, &p->web->pages, fd, &p->http, &eb) < 0) {
        cannot_serve(p, &eb);
        return;
    }
    log_event(LOG_INFO, "status page served", LOG_TEXT("web", p->web->section->name), LOG_TEXT("at", at));
    if (!addr_is_loopback(&p->local))
        log_event(LOG_WARNING, "the status page asks nobody for a password and is not on a loopback address",
                  LOG_TEXT("web", p->web->section->name), LOG_TEXT("at", at));
}

static void serve_all(void *arg)
{
    struct web *w = arg;
    bool all = true;
    for (size_t i = 0; i < w->section->listen.count; i++) {
        bind_place(&w->places[i]);
        serve_place(&w->places[i]);
        all &= w->places[i].http != NULL;
    }
    if (!all)
        loop_timer_start(w->bind_timer, BIND_AGAIN_MS);
}

/* ---- life ---- */

struct web *web_open(struct loop *l, const struct config *config, const struct config_web *section)
{
    struct web *w = mem_zalloc(sizeof(*w));
    w->loop = l;
    w->config = config;
    w->section = section;
    w->board = board_new();
    pages_init(&w->pages, w->board, config->lease_ms + READ_INTERVAL_MS);
    w->count_timer = loop_timer_new(l, count, w);
    w->gather_timer = loop_timer_new(l, gather, w);
    w->bind_timer = loop_timer_new(l, serve_all, w);
    w->places = mem_calloc(section->listen.count, sizeof(*w->places));
    for (size_t i = 0; i < section->listen.count; i++) {
        w->places[i] = (struct place){.web = w, .addr = &section->listen.addrs[i], .fd = -1};
        bind_place(&w->places[i]);
    }
    return w;
}

void web_start(struct web *w, struct store *s)
{
    w->store = s;
    w->counter = counter_new(s, w->config);
    w->events = event_reader_new(store_network(s), on_events, w);
    w->viewer = viewer_new(w->loop, store_network(s), on_view, w);
    count(w);
    serve_all(w);
}

bool web_local(const struct web *w, size_t index, struct addr *ret_addr)
{
    if (!w->places[index].http)
        return false;
    *ret_addr = w->places[index].local;
    return true;
}

void web_free(struct web *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->section->listen.count; i++) {
        http_stop(w->places[i].http);
        if (w->places[i].fd >= 0)
            close(w->places[i].fd);
    }
    viewer_free(w->viewer);
    counter_free(w->counter);
    event_reader_free(w->events);
    loop_timer_free(w->count_timer);
    loop_timer_free(w->gather_timer);
    loop_timer_free(w->bind_timer);
    board_free(w->board);
    free(w->places);
    free(w);
}
