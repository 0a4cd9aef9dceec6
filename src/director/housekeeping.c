#include "director/housekeeping.h"

#include "director/moves.h"
#include "director/named.h"
#include "director/orders.h"

#define KEEP_ENDED_MS    (10 * 60 * 1000) /* whoever gave the order has read its result by then */
#define DESTROY_AGAIN_MS 5000
#define REMOVALS_MAX     100 /* a transaction */

static void mark_site(const struct view *v, const struct config *c, const struct view_order *o, bool lost,
                      int64_t now_wall_ms, struct batch *b)
{
    const struct view_site *old = view_site_find(v, o->record.subject);
    struct record_site record = {.lost = lost, .who = o->record.who, .changed_at_ms = now_wall_ms};
    if (!named_site(c, o->record.subject)) {
        move_refuse(o, STR("there is no such site"), false, b);
        return;
    }
    if (!lost && !(old && old->record.lost)) {
        order_put_state(o, "done", STR("was not recorded as lost: nothing is changed"), b);
        return;
    }
    batch_put(b, "site", o->record.subject, record_site_encode(&record), old ? old->version : NETWORK_ABSENT);
    order_put_state(
        o, "done",
        lost ? STR("recorded as lost: the other sites decide without it") : STR("recorded as back"), b);
}

static void operator_order(const struct view *v, const struct config *c, const struct view_order *o,
                           int64_t now_wall_ms, struct batch *b)
{
    if (!order_is(&o->record, "new"))
        return;
    if (str_eq(o->record.verb, STR(ORDER_SITE_LOST)))
        mark_site(v, c, o, true, now_wall_ms, b);
    else if (str_eq(o->record.verb, STR(ORDER_SITE_BACK)))
        mark_site(v, c, o, false, now_wall_ms, b);
    else if (!named_server(c, o->record.subject))
        move_refuse(o, STR("there is no such server"), false, b);
}

static bool is_failed_destroy(const struct record_order *o)
{
    return str_eq(o->verb, STR(ORDER_DESTROY)) && order_is(o, "failed");
}

void housekeeping_orders(const struct view *v, const struct config *c, int64_t now_wall_ms, struct batch *b)
{
    size_t removals = 0;
    for (size_t i = 0; i < v->order_count; i++) {
        const struct view_order *o = &v->orders[i];
        if (str_eq(o->record.target, STR(ORDER_TARGET_DIRECTOR)))
            operator_order(v, c, o, now_wall_ms, b);
        if (is_failed_destroy(&o->record)) {
            if (o->age_ms >= DESTROY_AGAIN_MS)
                order_put_state(o, "new", STR_EMPTY, b);
        } else if (!record_order_is_open(&o->record) && o->age_ms >= KEEP_ENDED_MS &&
                   removals < REMOVALS_MAX) {
            batch_delete(b, "order", o->key, o->version);
            removals++;
        }
    }
}
