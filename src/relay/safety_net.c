#include "relay/safety_net.h"

#include <jansson.h>

#include "base/log.h"
#include "base/mem.h"

#define LOOK_MS      2000 /* between two looks: what comes in that time may be too much meanwhile */
#define FULL_LOOK_MS 200  /* while it gives way */

struct safety_net {
    struct loop *loop;
    struct queue *queue;
    struct network *network;
    const struct config_relay *relay;
    struct record_work *work;
    struct loop_timer *timer;
    struct store_op *op, *event_op;
    struct wall_time before; /* of the look under way: what is older goes */
    struct queue_kept kept;  /* of this queue, as counted in work */
    uint64_t full_count;     /* of the queue, at the last look */
    bool gives_way;          /* for want of room, and told so */
    bool short_of_time;      /* it let go what was young, and told so */
};

static void set_kept(struct safety_net *n, const struct queue_kept *kept)
{
    n->work->kept += (int64_t)(kept->messages - n->kept.messages);
    n->work->kept_bytes += (int64_t)(kept->bytes - n->kept.bytes);
    n->kept = *kept;
    if (kept->let_go.ms / 1000 > n->work->kept_after_s)
        n->work->kept_after_s = kept->let_go.ms / 1000;
}

/* ---- telling ---- */

static void on_event(void *arg, int err, size_t failed)
{
    struct safety_net *n = arg;
    (void)failed;
    n->event_op = NULL;
    n->short_of_time = err == 0; /* else it is told at the next look that lets something go */
}

static void tell_short(struct safety_net *n)
{
    char let_go[WALL_TEXT_MAX];
    wall_format_iso(n->kept.let_go, let_go);
    log_event(LOG_WARNING, "the safety net reaches back less than safety_net",
              LOG_TEXT("queue", queue_name(n->queue)), LOG_TEXT("let_go", let_go),
              LOG_I64("kept_bytes", (int64_t)n->kept.bytes));
    json_t *detail = json_pack("{s:s, s:I, s:I}", "let_go", let_go, "kept_bytes", (json_int_t)n->kept.bytes,
                               "safety_net_ms", (json_int_t)n->relay->safety_net_ms);
    char *text = json_dumps(detail, JSON_COMPACT);
    struct network_change event = {.type = NETWORK_EVENT,
                                   .kind = STR("safety-net"),
                                   .key = str_from(queue_name(n->queue)),
                                   .value = str_from(text)};
    n->short_of_time = true;
    n->event_op = network_write(n->network, &event, 1, NULL, on_event, n);
    json_decref(detail);
    free(text);
}

static void watch_reach(struct safety_net *n, size_t removed)
{
    bool is_short = n->kept.let_go.ms >= n->before.ms;
    if (is_short && removed > 0 && !n->short_of_time && !n->event_op)
        tell_short(n);
    if (!is_short && n->short_of_time && !n->event_op) {
        log_event(LOG_INFO, "the safety net reaches back as far as safety_net again",
                  LOG_TEXT("queue", queue_name(n->queue)));
        n->short_of_time = false;
    }
}

/* ---- looking ---- */

/* Something was refused for want of room since the last look. */
static bool room_is_wanted(struct safety_net *n)
{
    uint64_t before = n->full_count;
    n->full_count = queue_full_count(n->queue);
    return n->full_count != before || queue_health(n->queue) == ERR_FULL;
}

static void look_in(struct safety_net *n, int64_t delay_ms)
{
    loop_timer_start(n->timer, delay_ms);
}

static void on_prune(void *arg, int err, size_t removed, const struct queue_kept *left)
{
    struct safety_net *n = arg;
    n->op = NULL;
    if (err == ERR_FENCED)
        return;
    if (err == 0) {
        set_kept(n, left);
        watch_reach(n, removed);
    }
    if (err == 0 && removed == QUEUE_KEPT_PRUNE_MAX)
        look_in(n, 0);
    else
        look_in(n, n->gives_way ? FULL_LOOK_MS : LOOK_MS);
}

/* What the configuration allows, and as much as it leaves free on the disk: mail that comes must not find it
 * full. */
static uint64_t share_of(const struct safety_net *n)
{
    uint64_t share = n->kept.bytes / 2 + n->kept.free_bytes / 2,
             most = (uint64_t)n->relay->safety_net_max_bytes;
    return share < most ? share : most;
}

/* Half of what is left, each time, until there is room. */
static uint64_t room_for_it(struct safety_net *n)
{
    bool full = room_is_wanted(n) && n->kept.messages > 0;
    if (full && !n->gives_way)
        log_event(LOG_WARNING, "the safety net gives way: the disk is full",
                  LOG_TEXT("queue", queue_name(n->queue)), LOG_I64("kept_bytes", (int64_t)n->kept.bytes));
    n->gives_way = full;
    return full ? n->kept.bytes / 2 : share_of(n);
}

static void on_timer(void *arg)
{
    struct safety_net *n = arg;
    bool on = n->relay->safety_net_ms > 0;
    n->before.ms = on ? loop_wall(n->loop).ms - n->relay->safety_net_ms : INT64_MAX;
    queue_keep(n->queue, on);
    n->op = queue_kept_prune(n->queue, n->before, room_for_it(n), on_prune, n);
}

struct safety_net *safety_net_new(struct loop *l, struct queue *q, struct network *network,
                                  const struct config_relay *relay, struct record_work *work)
{
    struct safety_net *n = mem_zalloc(sizeof(*n));
    n->loop = l;
    n->queue = q;
    n->network = network;
    n->kept.free_bytes = UINT64_MAX; /* until the first look has said it */
    n->relay = relay;
    n->work = work;
    n->timer = loop_timer_new(l, on_timer, n);
    n->full_count = queue_full_count(q);
    queue_keep(q, relay->safety_net_ms > 0);
    look_in(n, 0);
    return n;
}

void safety_net_free(struct safety_net *n)
{
    set_kept(n, &(struct queue_kept){0});
    if (n->op)
        store_op_forget(n->op);
    if (n->event_op)
        store_op_forget(n->event_op);
    loop_timer_free(n->timer);
    free(n);
}
