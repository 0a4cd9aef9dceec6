#include "web/pages.h"

#include <stdlib.h>

#include "base/buf.h"
#include "web/assets.h"
#include "web/metrics.h"

#define TYPE_TEXT    "text/plain; charset=utf-8"
#define TYPE_JSON    "application/json"
#define TYPE_METRICS "text/plain; version=0.0.4; charset=utf-8"

#define API_ROOT "/api/v1/"

#define REPLY_MAX_BYTES (64 << 20) /* as large as what it is made from can be */

/* A fixed short text. */
static void say(struct page_reply *r, unsigned status, const char *type, const char *text)
{
    r->status = status;
    r->type = type;
    r->body = str_from(text);
}

static int64_t age_ms(const struct notice *n, struct mono_time now)
{
    int64_t age = mono_diff_ms(now, n->read_at);
    return age > 0 ? age : 0;
}

/* ---- the pages that are made ---- */

struct request {
    const struct page_query *query;
    struct mono_time now;
};

static void show_health(struct pages *p, const struct request *q, struct page_reply *r)
{
    if (!r->shown)
        say(r, 503, TYPE_TEXT, "the store has not answered yet\n");
    else if (age_ms(r->shown, q->now) > p->stale_ms)
        say(r, 503, TYPE_TEXT, "the store does not answer\n");
    else
        say(r, 200, TYPE_TEXT, "ok\n");
}

static const char not_answered[] = "{\"error\": \"the store has not answered yet\"}\n";

static void show_status(struct pages *p, const struct request *q, struct page_reply *r)
{
    (void)p;
    if (!r->shown) {
        say(r, 503, TYPE_JSON, not_answered);
        return;
    }
    r->status = 200;
    r->type = TYPE_JSON;
    r->body = r->shown->status;
    r->age_s = age_ms(r->shown, q->now) / 1000;
}

static void show_metrics(struct pages *p, const struct request *q, struct page_reply *r)
{
    struct buf out;
    struct metrics_live live = {
        .store_age_ms = r->shown ? age_ms(r->shown, q->now) : -1,
        .requests = atomic_load(&p->requests),
        .refused = atomic_load(&p->bad_methods) + atomic_load(&p->not_found),
    };
    live.store_answers = r->shown && live.store_age_ms <= p->stale_ms;
    buf_init(&out, REPLY_MAX_BYTES);
    if (r->shown)
        buf_append_str(&out, r->shown->metrics);
    metrics_write_live(&out, &live);
    r->status = 200;
    r->type = TYPE_METRICS;
    r->body.len = out.len;
    r->body.ptr = r->made = buf_steal(&out);
}

/* A number of the query, or `none` when it is not there; false: it is none. */
static bool take_number(struct str text, uint64_t max, uint64_t *number)
{
    return !text.ptr || str_to_u64(text, max, number) == 0;
}

static void show_events(struct pages *p, const struct request *q, struct page_reply *r)
{
    struct buf out;
    uint64_t after = 0, limit = EVENTS_LIMIT;
    (void)p;
    if (!take_number(q->query->after, INT64_MAX, &after) ||
        !take_number(q->query->limit, EVENTS_KEPT, &limit)) {
        say(r, 400, TYPE_JSON,
            "{\"error\": \"after is the number of an event, limit one from 0 to 1000\"}\n");
        return;
    }
    if (!r->shown) {
        say(r, 503, TYPE_JSON, not_answered);
        return;
    }
    buf_init(&out, REPLY_MAX_BYTES);
    event_list_write(&out, r->shown->events, q->query->after.ptr ? (int64_t)after : -1, (size_t)limit);
    r->status = 200;
    r->type = TYPE_JSON;
    r->age_s = age_ms(r->shown, q->now) / 1000;
    r->body.len = out.len;
    r->body.ptr = r->made = buf_steal(&out);
}

static void show_index(struct pages *p, const struct request *q, struct page_reply *r)
{
    (void)p;
    (void)q;
    say(r, 200, TYPE_JSON,
        "[{\"path\": \"" API_ROOT
        "status\", \"what\": \"the network at a glance, as holdfast status --json\"},\n"
        " {\"path\": \"" API_ROOT
        "events\", \"what\": \"the newest events; after=NUMBER: what follows one; limit=N\"}]\n");
}

static const struct {
    const char *path;
    void (*show)(struct pages *p, const struct request *q, struct page_reply *r);
} made[] = {{"/healthz", show_health},
            {API_ROOT, show_index},
            {API_ROOT "status", show_status},
            {API_ROOT "events", show_events},
            {"/metrics", show_metrics}};

static bool answer_made(struct pages *p, struct str path, const struct request *q, struct page_reply *r)
{
    for (size_t i = 0; i < ARRAY_LEN(made); i++) {
        if (!str_eq(path, str_from(made[i].path)))
            continue;
        r->cache = "no-store";
        r->board = p->board;
        r->shown = board_take(p->board);
        made[i].show(p, q, r);
        return true;
    }
    return false;
}

static void answer_nothing(struct str path, struct page_reply *r)
{
    if (str_starts(path, STR(API_ROOT)))
        say(r, 404, TYPE_JSON, "{\"error\": \"there is no such thing: see " API_ROOT "\"}\n");
    else
        say(r, 404, TYPE_TEXT, "there is no such page: see /, " API_ROOT ", /metrics, /healthz\n");
}

/* ---- the page's files ---- */

static bool answer_asset(struct str path, struct page_reply *r)
{
    for (size_t i = 0; i < web_asset_count; i++) {
        if (!str_eq(path, str_from(web_assets[i].path)))
            continue;
        r->status = 200;
        r->type = web_assets[i].type;
        r->body = web_assets[i].body;
        return true;
    }
    return false;
}

void pages_init(struct pages *p, struct board *board, int64_t stale_ms)
{
    *p = (struct pages){.board = board, .stale_ms = stale_ms};
}

void pages_answer(struct pages *p, struct str method, struct str path, const struct page_query *query,
                  struct mono_time now, struct page_reply *ret_reply)
{
    const struct request q = {query, now};
    struct page_reply r = {.cache = "no-cache",
                           .age_s = -1}; /* another version of the program has other files */
    atomic_fetch_add(&p->requests, 1);
    if (!str_eq(method, STR("GET")) && !str_eq(method, STR("HEAD"))) {
        atomic_fetch_add(&p->bad_methods, 1);
        say(&r, 405, TYPE_TEXT, "GET and HEAD only\n");
    } else if (!answer_made(p, path, &q, &r) && !answer_asset(path, &r)) {
        atomic_fetch_add(&p->not_found, 1);
        answer_nothing(path, &r);
    }
    *ret_reply = r;
}

void page_reply_fini(struct page_reply *r)
{
    board_release(r->board, r->shown);
    free(r->made);
}
