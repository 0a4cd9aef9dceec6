#include "relay/strays.h"

#include <jansson.h>

#include "base/log.h"
#include "base/mem.h"
#include "relay/expiry.h"

#define LOOK_MS 60000 /* places come by an operator's move, which kicks; this is for what was missed */
#define ADVICE  "add it to the configuration, or move or remove its mail: see `holdfast queue list`"

/* Of a place that has no server. */
struct stray {
    char *domain, *home;
    bool seen; /* at the look under way */
    bool told; /* its event is written */
    struct expiry *expiry;
};

struct strays {
    struct loop *loop;
    struct queue *queue;
    struct network *network;
    const struct config *config;
    const struct config_relay *relay;
    const struct expiry_ops *ops;
    void *arg;
    struct stray **items;
    size_t count;
    struct loop_timer *timer;
    struct store_op *summary_op, *event_op;
    bool again;            /* it was kicked while summary_op looked */
    struct stray *telling; /* by event_op; NULL: it is gone */
};

static struct str name_of(const struct stray *t)
{
    return str_from(t->home[0] ? t->home : t->domain);
}

static const char *kind_of(const struct stray *t)
{
    return t->home[0] ? "server" : "domain";
}

/* ---- telling: one event at a time ---- */

static void tell_next(struct strays *s);

static void on_told(void *arg, int err, size_t failed)
{
    struct strays *s = arg;
    (void)failed;
    s->event_op = NULL;
    if (err)
        return; /* the next look tries again */
    if (s->telling)
        s->telling->told = true;
    tell_next(s);
}

static void tell(struct strays *s, struct stray *t)
{
    json_t *detail =
        json_pack("{s:s, s:s%}", "queue", queue_name(s->queue), kind_of(t), name_of(t).ptr, name_of(t).len);
    char *text = detail ? json_dumps(detail, JSON_COMPACT) : mem_strdup("{}"); /* NULL: no UTF-8 */
    struct network_change change = {
        .type = NETWORK_EVENT, .kind = STR("unroutable"), .key = name_of(t), .value = str_from(text)};
    s->telling = t;
    s->event_op = network_write(s->network, &change, 1, NULL, on_told, s);
    json_decref(detail);
    free(text);
}

static void tell_next(struct strays *s)
{
    for (size_t i = 0; i < s->count && !s->event_op; i++)
        if (!s->items[i]->told)
            tell(s, s->items[i]);
}

/* ---- looking ---- */

static void add(struct strays *s, const struct queue_count *place)
{
    struct stray *t = mem_zalloc(sizeof(*t));
    t->domain = str_dup(place->domain);
    t->home = str_dup(place->home);
    t->seen = true;
    t->expiry = expiry_new(s->loop, s->queue, place->domain, place->home, s->relay, s->ops, s->arg);
    log_event(LOG_WARNING, "mail without a server", LOG_TEXT("queue", queue_name(s->queue)),
              LOG_STR(kind_of(t), name_of(t)), LOG_I64("waiting", (int64_t)(place->waiting + place->held)),
              LOG_TEXT("todo", ADVICE));
    s->items = mem_grow(s->items, s->count, sizeof(struct stray *));
    s->items[s->count++] = t;
}

static void remove_at(struct strays *s, size_t at)
{
    struct stray *t = s->items[at];
    if (s->telling == t)
        s->telling = NULL;
    expiry_free(t->expiry);
    free(t->domain);
    free(t->home);
    free(t);
    s->items[at] = s->items[--s->count];
}

/* Mail with a home of its own is one place, whatever its domain. */
static struct stray *find(const struct strays *s, const struct queue_count *place)
{
    for (size_t i = 0; i < s->count; i++)
        if (str_eq(str_from(s->items[i]->home), place->home) &&
            (place->home.len > 0 || str_eq(str_from(s->items[i]->domain), place->domain)))
            return s->items[i];
    return NULL;
}

static void look_at(struct strays *s, const struct queue_count *place)
{
    if (place->waiting + place->held == 0 || config_has_place(s->config, place->domain, place->home))
        return;
    struct stray *known = find(s, place);
    if (known)
        known->seen = true;
    else
        add(s, place);
}

static void on_summary(void *arg, int err, const struct queue_count *counts, size_t count)
{
    struct strays *s = arg;
    s->summary_op = NULL;
    loop_timer_start(s->timer, s->again ? 0 : LOOK_MS);
    if (err)
        return;
    for (size_t i = 0; i < s->count; i++)
        s->items[i]->seen = false;
    for (size_t i = 0; i < count; i++)
        look_at(s, &counts[i]);
    for (size_t i = s->count; i > 0; i--)
        if (!s->items[i - 1]->seen)
            remove_at(s, i - 1);
    tell_next(s);
}

static void on_timer(void *arg)
{
    struct strays *s = arg;
    s->again = s->summary_op != NULL; /* what it tells may be old already */
    if (!s->summary_op)
        s->summary_op = queue_summary(s->queue, on_summary, s);
}

/* ---- life ---- */

struct strays *strays_new(struct loop *l, struct queue *q, struct network *n, const struct config *config,
                          const struct config_relay *relay, const struct expiry_ops *ops, void *arg)
{
    struct strays *s = mem_zalloc(sizeof(*s));
    s->loop = l;
    s->queue = q;
    s->network = n;
    s->config = config;
    s->relay = relay;
    s->ops = ops;
    s->arg = arg;
    s->timer = loop_timer_new(l, on_timer, s);
    loop_timer_start(s->timer, 0);
    return s;
}

void strays_free(struct strays *s)
{
    if (s->summary_op)
        store_op_forget(s->summary_op);
    if (s->event_op)
        store_op_forget(s->event_op);
    while (s->count > 0)
        remove_at(s, s->count - 1);
    free(s->items);
    loop_timer_free(s->timer);
    free(s);
}

void strays_kick(struct strays *s)
{
    for (size_t i = 0; i < s->count; i++)
        expiry_kick(s->items[i]->expiry);
    loop_timer_start(s->timer, 0);
}
