#include "web/events.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"

static json_t *text_json(struct str s)
{
    json_t *text = json_stringn(s.ptr ? s.ptr : "", s.len);
    return text ? text : json_string("(not UTF-8)");
}

static json_t *detail_json(struct str detail)
{
    json_t *json = json_loadb(detail.ptr ? detail.ptr : "", detail.len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(json))
        return json;
    json_decref(json);
    return json_pack("{s:o}", "text", text_json(detail));
}

json_t *event_json(const struct network_event *e)
{
    char at[WALL_TEXT_MAX];
    wall_format_iso(e->at, at);
    return json_pack("{s:I, s:s, s:o, s:o, s:o}", "id", (json_int_t)e->id, "at", at, "kind",
                     text_json(e->kind), "subject", text_json(e->subject), "detail", detail_json(e->detail));
}

/* ---- lists ---- */

struct event_list *event_list_new(void)
{
    struct event_list *l = mem_zalloc(sizeof(*l));
    atomic_store(&l->users, 1);
    return l;
}

struct event_list *event_list_ref(struct event_list *l)
{
    atomic_fetch_add(&l->users, 1);
    return l;
}

void event_list_unref(struct event_list *l)
{
    if (!l || atomic_fetch_sub(&l->users, 1) > 1)
        return;
    for (size_t i = 0; i < l->count; i++)
        free((char *)(uintptr_t)l->items[i].json.ptr);
    free(l->items);
    free(l);
}

void event_list_add(struct event_list *l, int64_t id, char *json)
{
    l->items = mem_grow(l->items, l->count, sizeof(*l->items));
    l->items[l->count++] = (struct event_text){id, str_from(json)};
    l->bytes += l->items[l->count - 1].json.len;
}

static void list_drop_oldest(struct event_list *l, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        l->bytes -= l->items[i].json.len;
        free((char *)(uintptr_t)l->items[i].json.ptr);
    }
    l->count -= count;
    for (size_t i = 0; i < l->count; i++)
        l->items[i] = l->items[i + count];
}

void event_list_bound(struct event_list *l)
{
    size_t excess = l->count > EVENTS_KEPT ? l->count - EVENTS_KEPT : 0, bytes = l->bytes;
    for (size_t i = 0; i < l->count && (i < excess || bytes > EVENTS_KEPT_MAX); i++) {
        bytes -= l->items[i].json.len;
        excess = i + 1 > excess ? i + 1 : excess;
    }
    list_drop_oldest(l, excess);
}

void event_list_write(struct buf *out, const struct event_list *l, int64_t after_id, size_t limit)
{
    size_t first = after_id < 0 && l->count > limit ? l->count - limit : 0;
    while (after_id >= 0 && first < l->count && l->items[first].id <= after_id)
        first++;
    size_t end = l->count - first > limit ? first + limit : l->count;
    buf_append_text(out, "{\"events\": [");
    for (size_t i = first; i < end; i++) {
        buf_append_text(out, i > first ? ",\n " : "");
        buf_append_str(out, l->items[i].json);
    }
    buf_append_fmt(out, "], \"oldest\": %lld, \"more\": %s}\n", l->count ? (long long)l->items[0].id : 0LL,
                   end < l->count ? "true" : "false");
}

/* ---- reading ---- */

struct event_reader {
    struct network *network;
    struct store_op *op;
    struct event_list *list;
    int64_t after_id; /* -1: nothing was read yet */
    void (*on_change)(void *arg);
    void *arg;
};

static struct event_list *list_copy(const struct event_list *from)
{
    struct event_list *l = event_list_new();
    for (size_t i = 0; i < from->count; i++)
        event_list_add(l, from->items[i].id, str_dup(from->items[i].json));
    return l;
}

static void take(struct event_reader *r, const struct network_event *events, size_t count)
{
    struct event_list *l = list_copy(r->list);
    for (size_t i = 0; i < count; i++) {
        json_t *json = event_json(&events[i]);
        event_list_add(l, events[i].id, json_dumps(json, JSON_COMPACT));
        json_decref(json);
        r->after_id = events[i].id;
    }
    event_list_bound(l);
    event_list_unref(r->list);
    r->list = l;
}

static void on_events(void *arg, int err, const struct network_event *events, size_t count)
{
    struct event_reader *r = arg;
    r->op = NULL;
    if (err)
        return; /* asked again by the next kick */
    if (r->after_id < 0)
        r->after_id = 0; /* none yet: the first one is new */
    if (count == 0)
        return;
    take(r, events, count);
    if (count == EVENTS_KEPT)
        event_reader_kick(r);
    r->on_change(r->arg);
}

struct event_reader *event_reader_new(struct network *n, void (*on_change)(void *arg), void *arg)
{
    struct event_reader *r = mem_zalloc(sizeof(*r));
    *r = (struct event_reader){
        .network = n, .list = event_list_new(), .after_id = -1, .on_change = on_change, .arg = arg};
    return r;
}

void event_reader_free(struct event_reader *r)
{
    if (!r)
        return;
    if (r->op)
        store_op_forget(r->op);
    event_list_unref(r->list);
    free(r);
}

void event_reader_kick(struct event_reader *r)
{
    if (!r->op)
        r->op = network_events(r->network, r->after_id, EVENTS_KEPT, on_events, r);
}

struct event_list *event_reader_take(struct event_reader *r)
{
    return event_list_ref(r->list);
}
