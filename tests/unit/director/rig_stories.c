/* What stories about directors have in common. */
#include <stdio.h>

#include "rig_parts.h"
#include "unit/unit.h"

bool rig_orders_done(struct rig *r)
{
    const struct view *v = viewer_view(r->viewer);
    for (size_t i = 0; i < v->order_count; i++)
        if (str_eq(v->orders[i].record.state, STR("new")) || str_eq(v->orders[i].record.state, STR("taken")))
            return false;
    return true;
}

bool rig_settled(struct rig *r)
{
    return rig_serves(r) && rig_orders_done(r);
}

static bool all_serve(struct rig *r)
{
    for (int i = 0; i < (int)r->config.server_count; i++)
        if (!str_eq(rig_record_of(r, i).state, STR("running")))
            return false;
    return rig_settled(r);
}

static struct rig *start(struct rig *r)
{
    rig_start_node(r, RIG_EAST);
    rig_start_node(r, RIG_WEST);
    rig_run_until(r, all_serve, 10000);
    return r;
}

struct rig *rig_started(uint64_t seed)
{
    return start(rig_new(seed));
}

struct rig *rig_started_with_standby(uint64_t seed)
{
    return start(rig_new_with_standby(seed));
}

void rig_is_at(struct rig *r, const char *node, const char *address)
{
    struct record_server record = rig_record(r);
    assert_str(record.instance.node, node);
    assert_str(record.instance.address, address);
}

bool rig_order_done(struct rig *r)
{
    const char *state = rig_order_state(r, r->orders);
    return strcmp(state, "done") == 0 || strcmp(state, "failed") == 0 || strcmp(state, "later") == 0;
}

void rig_order_ends(struct rig *r, const char *verb, const char *expected)
{
    int64_t order = rig_order(r, verb, "mail1");
    rig_run_until(r, rig_order_done, 20000);
    if (strcmp(rig_order_state(r, order), expected) != 0)
        fail_msg("%s is not %s: %s", verb, expected, rig_order_result(r, order));
}
