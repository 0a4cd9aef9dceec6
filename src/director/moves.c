#include "director/moves.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "director/adopt.h"
#include "director/orders.h"

#define TEXT_MAX 512

static bool is(struct str s, const char *text)
{
    return str_eq(s, str_from(text));
}

/* ---- orders to nodes ---- */

static void put_order(const struct move *m, const char *verb, struct str node, const struct order_args *args,
                      struct batch *b)
{
    struct record_order order = {
        .target = order_target(b->arena, node),
        .verb = str_from(verb),
        .subject = args->server,
        .args = order_args_encode(b->arena, args),
        .who = STR("director"),
        .why = m->decision->input.detail,
        .state = STR("new"),
        .result = STR_EMPTY,
        .created_at_ms = m->decision->input.now_ms,
    };
    struct str key = order_key(b->arena, args->server, args->epoch, verb, m->version + 1);
    batch_put(b, "order", key, record_order_encode(&order), NETWORK_ABSENT);
}

static struct order_args args_of(const struct move *m, const struct record_instance *i, struct str program)
{
    return (struct order_args){
        .server = str_from(m->x->server->name),
        .program = program,
        .node = i->node,
        .site = i->site,
        .address = i->address,
        .epoch = i->epoch,
        .pid = i->pid,
        .pid_start = i->pid_start,
        .timeout_ms = decide_timeout_ms(m->x->server, m->x->record),
    };
}

static void order_create(const struct move *m, const struct record_server *after, struct batch *b)
{
    struct plan_entry e;
    if (!plan_entry_get(m->x->server, after->plan_index, &e))
        return;
    struct order_args args = args_of(m, &after->candidate, str_from(e.create.provisioner));
    args.timeout_ms = e.create.timeout_ms;
    put_order(m, ORDER_CREATE, after->candidate.node, &args, b);
}

static void order_destroy(const struct move *m, const struct record_instance *i, bool known_off,
                          struct batch *b)
{
    struct order_args args = args_of(m, i, plan_provisioner_of(m->x->server, i));
    args.known_off = known_off;
    if (i->node.len > 0 && args.program.len > 0)
        put_order(m, ORDER_DESTROY, i->node, &args, b);
}

static void order_fence(const struct move *m, const struct record_server *after, struct batch *b)
{
    struct plan_context x = *m->x;
    struct plan_entry e;
    struct str node;
    x.record = after;
    enum fence_method method = plan_fence(&x, (enum fence_method)after->tries, &node);
    if (method != (enum fence_method)after->tries || !plan_entry_get(x.server, after->plan_index, &e))
        return; /* who could run it has died since: the step runs into its end */
    if (method == FENCE_DESTROY) {
        order_destroy(m, &after->instance, false, b);
    } else if (method == FENCE_AGENT) {
        struct order_args args = args_of(m, &after->instance, str_from(e.create.fence));
        const struct view_node *holder = view_node_find(m->x->view, after->instance.node);
        args.timeout_ms = e.create.timeout_ms;
        args.pid_ns = holder ? holder->record.pid_ns : 0;
        put_order(m, ORDER_FENCE, node, &args, b);
    }
}

static void put_orders(const struct move *m, const struct record_server *after, struct batch *b)
{
    const struct record_server *before = m->x->record;
    enum machine_state to;
    if (machine_state_parse(after->state, &to) < 0)
        return;
    if (to == MACHINE_CREATING)
        order_create(m, after, b);
    if (to == MACHINE_FENCING)
        order_fence(m, after, b);
    if (to == MACHINE_UNDOING)
        order_destroy(m, &after->candidate, false, b);
    /* Whoever was fenced otherwise is still to be cleaned up, or is not known to be off. */
    if (m->decision->input.event == MACHINE_FENCED_OFF && before->tries != FENCE_DESTROY)
        order_destroy(m, &before->instance, before->tries == FENCE_AGENT, b);
}

/* ---- operators' orders ---- */

void move_refuse(const struct view_order *o, struct str why, bool later, struct batch *b)
{
    order_put_state(o, later ? "later" : "failed", why, b);
}

static bool went_well(const struct move *m, const struct record_server *after)
{
    enum machine_event e = m->decision->input.event;
    if (is(m->x->record->wanted, WANTED_FAILBACK))
        return e == MACHINE_ROUTED && plan_is_home(m->x->server, after);
    return e == MACHINE_ROUTED || e == MACHINE_ADOPT || e == MACHINE_FENCED_OFF ||
           is(after->state, "retired") || is(after->state, "fenced");
}

/* Nothing of it could be tried now, and the holder was left as it was. */
static bool is_for_later(const struct move *m, const struct record_server *after)
{
    return m->decision->input.event == MACHINE_NONE_LEFT && is(after->state, "running");
}

/* ret_text: TEXT_MAX bytes. */
static void place_text(const struct record_server *after, const char *lead, const char *name, char *ret_text)
{
    const struct record_instance *i = &after->instance;
    snprintf(ret_text, TEXT_MAX, "%s%s runs in %.*s%s%.*s at %.*s, epoch %lld", lead, name, STR_ARG(i->site),
             i->node.len > 0 ? " on " : "", STR_ARG(i->node), STR_ARG(i->address), (long long)i->epoch);
}

static struct str outcome_text(const struct move *m, const struct record_server *after, bool well,
                               struct batch *b)
{
    char text[TEXT_MAX];
    struct str detail = m->decision->input.detail;
    const char *name = m->x->server->name;
    if (!well && detail.len == 0 && is(after->state, "running")) /* some step had failed before */
        place_text(after, "not moved as asked for (`holdfast events` tells why): ", name, text);
    else if (!well)
        snprintf(text, sizeof(text), "%s is %.*s: %.*s", name, STR_ARG(after->state), STR_ARG(detail));
    else if (after->served_by.len > 0)
        snprintf(text, sizeof(text), "%.*s has the mail of %s", STR_ARG(after->served_by), name);
    else if (is(after->state, "running"))
        place_text(after, "", name, text);
    else
        snprintf(text, sizeof(text), "%s is %.*s; holdfast server failback %s brings it back", name,
                 STR_ARG(after->state), name);
    return arena_str(b->arena, str_from(text));
}

static bool is_under_way(const struct move *m, const struct view_order *o)
{
    return is(o->record.target, ORDER_TARGET_DIRECTOR) && is(o->record.subject, m->x->server->name) &&
           (order_is(&o->record, "taken") || o == m->decision->order);
}

static void put_operator_orders(const struct move *m, const struct record_server *after, struct batch *b)
{
    enum machine_state to;
    bool rests = machine_state_parse(after->state, &to) == 0 && machine_rests(to);
    bool well = went_well(m, after);
    const char *ending = well ? "done" : is_for_later(m, after) ? "later" : "failed";
    for (size_t i = 0; i < m->x->view->order_count; i++) {
        const struct view_order *o = &m->x->view->orders[i];
        if (!is_under_way(m, o))
            continue;
        if (rests)
            order_put_state(o, ending, outcome_text(m, after, well, b), b);
        else if (o == m->decision->order)
            order_put_state(o, "taken", STR_EMPTY, b);
    }
}

/* ---- telling ---- */

static void tell(const struct move *m, const struct record_server *after, struct batch *b)
{
    const struct record_instance *who =
        after->candidate.address.len > 0 ? &after->candidate : &after->instance;
    const char *from = m->x->record->state.len > 0 ? arena_strdup(b->arena, m->x->record->state) : "absent";
    char epoch[24];
    snprintf(epoch, sizeof(epoch), "%lld", (long long)who->epoch);
    const char *const members[] = {
        "from",      from,
        "to",        arena_strdup(b->arena, after->state),
        "event",     machine_event_name(m->decision->input.event),
        "reason",    arena_strdup(b->arena, after->reason),
        "detail",    arena_strdup(b->arena, after->detail),
        "site",      arena_strdup(b->arena, who->site),
        "node",      arena_strdup(b->arena, who->node),
        "address",   arena_strdup(b->arena, who->address),
        "served_by", arena_strdup(b->arena, after->served_by),
        "epoch",     epoch,
        NULL,
    };
    bool alarm = is(after->state, "waiting") || m->decision->input.event == MACHINE_NO_PLACE;
    log_event(alarm ? LOG_WARNING : LOG_INFO, "server moves", LOG_TEXT("server", m->x->server->name),
              LOG_TEXT("from", from), LOG_STR("to", after->state),
              LOG_TEXT("event", machine_event_name(m->decision->input.event)), LOG_STR("node", who->node),
              LOG_STR("address", who->address), LOG_I64("epoch", who->epoch),
              LOG_STR("detail", after->detail));
    if (!m->quiet)
        batch_event(b, "server", str_from(m->x->server->name), members);
    if (!m->quiet && alarm)
        batch_event(b, "alarm", str_from(m->x->server->name), members);
}

int move_write(const struct move *m, struct batch *b, struct record_server *ret_after)
{
    struct record_server after = *m->x->record;
    const struct machine_input *in = &m->decision->input;
    int rc = machine_move(&after, in);
    if (rc < 0)
        return rc;
    batch_put(b, "server", str_from(m->x->server->name), record_server_encode(&after),
              m->version > 0 ? m->version : NETWORK_ABSENT);
    put_orders(m, &after, b);
    if (in->event == MACHINE_ROUTED || in->event == MACHINE_ADOPT)
        adopt_routes_of(m->x->view, m->x->config, m->x->server, after.served_by, b);
    put_operator_orders(m, &after, b);
    tell(m, &after, b);
    *ret_after = after;
    return 0;
}
