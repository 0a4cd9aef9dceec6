/* The writes of directors' processes: counted, and one of them struck. */
#include "rig_parts.h"
#include "unit/store/wrap_network.h"
#include "unit/unit.h"

static struct rig *watched; /* whose directors' writes are counted */

void rig_writes_watch(struct rig *r)
{
    watched = r;
}

static struct rig_node *writing_director(struct rig *r)
{
    for (int i = 0; r && i < RIG_NODES; i++)
        if (r->nodes[i].director && sim_running(r->world) == r->nodes[i].director_process.loop)
            return &r->nodes[i];
    return NULL;
}

static void bury_director(void *arg)
{
    const struct rig_node *n = arg;
    rig_kill_director(n->rig, n->index);
}

static void strike(struct rig_node *n, enum rig_moment moment)
{
    n->rig->struck = n->index;
    if (moment == RIG_IS_PAUSED) {
        sim_loop_freeze(n->director_process.loop, true);
        return;
    }
    sim_loop_kill(n->director_process.loop);
    sim_at(n->rig->world, 0, bury_director, n);
}

static void on_director_wrote(void *arg, int err, size_t failed)
{
    const struct rig_write *w = arg;
    if (w->struck)
        strike(&w->rig->nodes[w->node], RIG_DIES_AFTER);
    w->on_write(w->arg, err, failed);
}

/* Every write of the program passes here: linked with --wrap. */
struct store_op *__wrap_network_write(struct network *n, const struct network_change *changes, size_t count,
                                      const struct network_lease *guard,
                                      void (*on_write)(void *arg, int err, size_t failed), void *arg)
{
    struct rig *r = watched;
    struct rig_node *by = writing_director(r);
    if (!by)
        return __real_network_write(n, changes, count, guard, on_write, arg);
    assert_true(r->write_count < RIG_WRITES);
    struct rig_write *w = &r->writes[r->write_count++];
    *w = (struct rig_write){.rig = r, .node = by->index, .on_write = on_write, .arg = arg};
    r->unguarded += guard == NULL;
    if (r->strike_at == r->write_count && r->moment == RIG_DIES_AFTER)
        w->struck = true;
    else if (r->strike_at == r->write_count)
        strike(by, r->moment);
    return __real_network_write(n, changes, count, guard, on_director_wrote, w);
}

void rig_strike(struct rig *r, enum rig_moment moment, size_t nth)
{
    r->moment = moment;
    r->strike_at = r->write_count + nth;
    r->struck = -1;
}
