#include "director/decide.h"

#include <stdio.h>
#include <string.h>

#include "director/agree.h"
#include "director/named.h"
#include "director/orders.h"

#define OWN_STEP_TIMEOUT_MS 30000 /* of what belongs to no create entry */

struct judge {
    const struct plan_context *x;
    const struct record_server *r;
    const struct decide_step *step;
    struct arena *arena;
    int64_t version;
    struct decision *d;
};

static bool is(struct str s, const char *text)
{
    return str_eq(s, str_from(text));
}

static void due(struct judge *j, enum machine_event event, struct str detail)
{
    j->d->due = true;
    j->d->input.event = event;
    j->d->input.detail = detail;
}

int64_t decide_timeout_ms(const struct config_server *s, const struct record_server *r)
{
    struct plan_entry e;
    if (!plan_entry_get(s, r->plan_index, &e) || e.standby)
        return OWN_STEP_TIMEOUT_MS;
    return e.create.timeout_ms;
}

static bool timed_out(const struct judge *j)
{
    return j->step->elapsed_ms >= decide_timeout_ms(j->x->server, j->r);
}

typedef bool lives_fn(const struct view *v, const struct config_node *n);

static bool lives(const struct judge *j, struct str node, lives_fn *how)
{
    const struct config_node *n = named_node(j->x->config, node);
    return n && how(j->x->view, n);
}

/* There is somebody to carry it out. */
static bool is_in_hands(const struct judge *j, const struct record_order *o)
{
    return lives(j, order_node(o), agree_agent_lives);
}

/* ---- orders to nodes ---- */

enum answer { ANSWER_OPEN, ANSWER_DONE, ANSWER_FAILED };

static enum answer order_answer(const struct judge *j, int64_t epoch, const char *verb,
                                struct order_result *ret_result)
{
    struct str key = order_key(j->arena, str_from(j->x->server->name), epoch, verb, j->version);
    const struct view_order *o = view_order_find(j->x->view, key);
    *ret_result = (struct order_result){.exit_status = -1, .text = STR_EMPTY};
    if (o && !record_order_is_open(&o->record)) {
        order_result_decode(j->arena, o->record.result, ret_result);
        return order_is(&o->record, "done") ? ANSWER_DONE : ANSWER_FAILED;
    }
    if (o && !is_in_hands(j, &o->record))
        ret_result->text = STR("the node's director died");
    else if (timed_out(j))
        ret_result->text = STR("not done in time");
    else
        return ANSWER_OPEN;
    return ANSWER_FAILED;
}

/* ---- each state ---- */

/* Recorded once, not each time that somebody looks; nodes that have only just been started get their time. */
static void tell_no_place(struct judge *j, const char *why)
{
    char text[sizeof(((struct err_buf *)0)->text) + 64];
    snprintf(text, sizeof(text), "no live node can create it: %s", why);
    if (j->step->elapsed_ms >= DECIDE_PATIENCE_MS && !is(j->r->detail, text))
        due(j, MACHINE_NO_PLACE, arena_str(j->arena, str_from(text)));
}

static void judge_absent(struct judge *j)
{
    const struct config_server *s = j->x->server;
    struct record_server start = *j->r;
    struct plan_context x = *j->x;
    struct plan_choice ignored;
    struct err_buf eb;
    if (s->kind == SERVER_EXTERNAL) {
        due(j, MACHINE_ADOPT, STR_EMPTY);
        j->d->input.reason = STR("configured");
        return;
    }
    start.wanted = STR(WANTED_START);
    start.plan_index = PLAN_NOTHING;
    x.record = &start;
    if (plan_next(&x, &ignored, &eb) < 0) {
        tell_no_place(j, eb.text);
        return;
    }
    due(j, MACHINE_START, STR_EMPTY);
    j->d->input.wanted = start.wanted;
    j->d->input.reason = STR("first start");
}

/* A live node is about to destroy an earlier instance: an address will be free. */
static bool is_being_cleared(const struct judge *j)
{
    for (size_t i = 0; i < j->x->view->order_count; i++) {
        const struct record_order *o = &j->x->view->orders[i].record;
        if (is(o->verb, ORDER_DESTROY) && is(o->subject, j->x->server->name) && record_order_is_open(o) &&
            is_in_hands(j, o))
            return true;
    }
    return false;
}

/* What is off already and was ordered home may go elsewhere, but not because home's nodes were a moment late:
 * the network may have only just been started. */
static bool may_go_home_yet(const struct judge *j, bool home_is_there)
{
    return is(j->r->wanted, WANTED_FAILBACK) && !plan_has_instance(j->r) &&
           j->r->plan_index == PLAN_NOTHING && j->step->rounds == 0 && !home_is_there &&
           j->step->elapsed_ms < DECIDE_PATIENCE_MS;
}

static void judge_deciding(struct judge *j)
{
    struct err_buf eb;
    bool found = plan_next(j->x, &j->d->choice, &eb) == 0;
    if (may_go_home_yet(j, found && j->d->choice.index == PLAN_HOME))
        return;
    if (!found) {
        if (j->step->elapsed_ms < DECIDE_PATIENCE_MS && is_being_cleared(j))
            return;
        due(j, MACHINE_NONE_LEFT, arena_str(j->arena, str_from(eb.text)));
        return;
    }
    struct record_server tried = *j->r;
    struct plan_context x = *j->x;
    tried.plan_index = j->d->choice.index;
    x.record = &tried;
    due(j, MACHINE_PICK, STR_EMPTY);
    j->d->input.choice = &j->d->choice;
    j->d->input.method = plan_fence(&x, FENCE_DESTROY, NULL);
}

static void judge_fencing(struct judge *j)
{
    enum fence_method method = (enum fence_method)j->r->tries;
    struct order_result result = {.text = j->step->detail};
    enum answer answer = (enum answer)j->step->own;
    if (method == FENCE_EPOCH) {
        if (answer == ANSWER_OPEN && timed_out(j)) {
            answer = ANSWER_FAILED;
            result.text = STR("the store did not answer in time");
        }
    } else {
        const char *verb = method == FENCE_DESTROY ? ORDER_DESTROY : ORDER_FENCE;
        answer = order_answer(j, j->r->instance.epoch, verb, &result);
    }
    if (answer == ANSWER_OPEN)
        return;
    due(j, answer == ANSWER_DONE ? MACHINE_FENCED_OFF : MACHINE_FENCE_FAILED, result.text);
    if (answer == ANSWER_DONE)
        j->d->input.detail = STR_EMPTY;
    j->d->input.method = method < FENCE_EPOCH ? plan_fence(j->x, method + 1, NULL) : FENCE_NONE;
}

static void judge_creating(struct judge *j)
{
    struct order_result result;
    enum answer answer = order_answer(j, j->r->candidate.epoch, ORDER_CREATE, &result);
    if (answer == ANSWER_DONE) {
        due(j, MACHINE_CREATED, STR_EMPTY);
        j->d->input.pid = result.pid;
        j->d->input.pid_start = result.pid_start;
    } else if (answer == ANSWER_FAILED && result.exit_status == 75 && !timed_out(j)) {
        if (j->step->elapsed_ms >= DECIDE_CREATE_AGAIN_MS)
            due(j, MACHINE_CREATE_AGAIN, result.text);
    } else if (answer == ANSWER_FAILED) {
        due(j, MACHINE_STEP_FAILED, result.text);
    }
}

static void judge_verifying(struct judge *j)
{
    bool lost = j->r->candidate.node.len > 0 && !lives(j, j->r->candidate.node, agree_node_lives);
    if (j->step->own == STEP_DONE)
        due(j, MACHINE_VERIFIED, STR_EMPTY);
    else if (j->step->own == STEP_FAILED)
        due(j, MACHINE_STEP_FAILED, j->step->detail);
    else if (lost)
        due(j, MACHINE_STEP_FAILED, STR("the node died"));
}

static void judge_routing(struct judge *j)
{
    struct plan_entry e;
    due(j, MACHINE_ROUTED, STR_EMPTY);
    if (plan_entry_get(j->x->server, j->r->plan_index, &e) && e.standby)
        j->d->input.standby = str_from(e.standby->name);
}

static void judge_undoing(struct judge *j)
{
    struct order_result result;
    enum answer answer = order_answer(j, j->r->candidate.epoch, ORDER_DESTROY, &result);
    if (answer != ANSWER_OPEN) /* not done: the order stays, and the epoch keeps it out */
        due(j, MACHINE_UNDONE, j->r->detail);
}

/* Who has the server's mail now. */
static struct agreement agreement(const struct judge *j)
{
    struct str server = str_from(j->x->server->name);
    int64_t epoch = j->r->instance.epoch;
    if (j->r->served_by.len > 0) {
        const struct view_server *standby = view_server_find(j->x->view, j->r->served_by);
        server = j->r->served_by;
        epoch = standby ? standby->record.instance.epoch : 0;
    }
    return agree_count(j->x->view, j->x->config, server, epoch);
}

static void judge_running(struct judge *j)
{
    struct agreement a = agreement(j);
    if (!a.invoke || !agree_inoperable(&a) || plan_entry_count(j->x->server) == 0)
        return;
    if (j->x->server->failover.mode != FAILOVER_AUTOMATIC) {
        j->d->advice = true;
        return;
    }
    due(j, MACHINE_INVOKE, STR_EMPTY);
    j->d->input.wanted = STR_EMPTY;
    j->d->input.reason = STR("inoperable, by agreement of the live observers");
}

static int64_t round_delay_ms(int64_t rounds)
{
    int64_t delay_ms = DECIDE_ROUND_FIRST_MS;
    while (rounds-- > 0 && delay_ms < DECIDE_ROUND_MAX_MS)
        delay_ms *= 2;
    return delay_ms < DECIDE_ROUND_MAX_MS ? delay_ms : DECIDE_ROUND_MAX_MS;
}

static void judge_waiting(struct judge *j)
{
    struct agreement a = agreement(j);
    if (plan_has_instance(j->r) && agree_operational(&a))
        due(j, MACHINE_RECOVERED, STR_EMPTY);
    else if (j->step->elapsed_ms >= round_delay_ms(j->step->rounds))
        due(j, MACHINE_RETRY, j->r->detail);
}

static void judge_state(struct judge *j, enum machine_state state)
{
    static void (*const judges[MACHINE_STATE_COUNT])(struct judge *) = {
        [MACHINE_ABSENT] = judge_absent,       [MACHINE_DECIDING] = judge_deciding,
        [MACHINE_FENCING] = judge_fencing,     [MACHINE_CREATING] = judge_creating,
        [MACHINE_VERIFYING] = judge_verifying, [MACHINE_ROUTING] = judge_routing,
        [MACHINE_RUNNING] = judge_running,     [MACHINE_UNDOING] = judge_undoing,
        [MACHINE_WAITING] = judge_waiting,
    };
    if (judges[state])
        judges[state](j);
}

/* ---- operators' orders ---- */

static const struct view_order *next_order(const struct judge *j)
{
    const struct view_order *first = NULL;
    for (size_t i = 0; i < j->x->view->order_count; i++) {
        const struct view_order *o = &j->x->view->orders[i];
        if (is(o->record.target, ORDER_TARGET_DIRECTOR) && is(o->record.subject, j->x->server->name) &&
            order_is(&o->record, "new") && (!first || o->record.created_at_ms < first->record.created_at_ms))
            first = o;
    }
    return first;
}

static bool is_off_verb(struct str verb)
{
    return is(verb, WANTED_FENCE) || is(verb, WANTED_RETIRE);
}

static bool is_move_verb(struct str verb)
{
    return is(verb, WANTED_FAILOVER) || is(verb, WANTED_SWITCHOVER) || is(verb, WANTED_FAILBACK);
}

static void refuse(struct judge *j, const char *why)
{
    struct str text = str_from(why);
    j->d->due = false;
    j->d->refused = true;
    j->d->text = text;
}

/* A failback goes on from whatever the move under way comes to; a failover that
 * waited for it would end an instance that has only just taken over. */
static void refuse_move(struct judge *j, enum machine_state state)
{
    struct str verb = j->d->order->record.verb;
    refuse(j, machine_rests(state) ? "there is nothing to do that to now"
                                   : "a move is under way; see its state");
    j->d->later = !machine_rests(state) && is(verb, WANTED_FAILBACK);
}

/* The instance that a node found off is the one that should run there. */
static bool restart_is_true(const struct judge *j, enum machine_state state, const struct record_order *o)
{
    struct order_args args;
    return state == MACHINE_RUNNING && j->r->served_by.len == 0 &&
           order_args_decode(j->arena, o->args, &args) == 0 && args.epoch == j->r->instance.epoch &&
           str_eq(args.node, j->r->instance.node);
}

static void judge_order(struct judge *j, enum machine_state state)
{
    struct machine_input *in = &j->d->input;
    const struct record_order *o = &j->d->order->record;
    struct record_server wanted = *j->r;
    struct plan_context x = *j->x;
    bool external = j->x->server->kind == SERVER_EXTERNAL;
    wanted.wanted = in->wanted = o->verb;
    wanted.plan_index = PLAN_HOME;
    x.record = &wanted;
    in->reason = o->why.len > 0 ? o->why : STR("an operator's order");
    if (is_off_verb(o->verb)) {
        due(j, MACHINE_ORDER_OFF, STR_EMPTY);
        in->method = plan_fence(&x, is(o->verb, WANTED_FENCE) ? FENCE_AGENT : FENCE_DESTROY, NULL);
    } else if (is_move_verb(o->verb)) {
        bool back = external && (state == MACHINE_FENCED || state == MACHINE_RETIRED);
        due(j, back ? MACHINE_ADOPT : MACHINE_ORDER, STR_EMPTY);
    } else if (is(o->verb, WANTED_RESTART)) {
        due(j, MACHINE_ORDER, STR_EMPTY);
        if (!restart_is_true(j, state, o)) {
            refuse(j, "it has moved on");
            return;
        }
    } else {
        refuse(j, "no such order for a server");
        return;
    }
    if (is(o->verb, WANTED_FAILBACK) && machine_rests(state) && plan_is_home(j->x->server, j->r))
        refuse(j, "it is at home");
    else if (is(o->verb, WANTED_FENCE) && external && in->method == FENCE_NONE)
        refuse(j, "no fence agent for it can be run");
    else if (!machine_allows(j->r, in))
        refuse_move(j, state);
}

/* ---- all of it ---- */

static struct record_instance adopted(struct arena *a, const struct config_server *s)
{
    char address[ADDR_TEXT_MAX] = "";
    if (s->address.count > 0)
        addr_format_ip(&s->address.addrs[0], address);
    return (struct record_instance){
        .node = STR_EMPTY, .site = str_from(s->site->name), .address = arena_str(a, str_from(address))};
}

void decide(const struct plan_context *x, int64_t version, const struct decide_step *step, struct arena *a,
            int64_t now_wall_ms, struct decision *ret_decision)
{
    struct judge j = {x, x->record, step, a, version, ret_decision};
    enum machine_state state;
    *ret_decision = (struct decision){.input = {.now_ms = now_wall_ms,
                                                .wanted = STR_EMPTY,
                                                .reason = STR_EMPTY,
                                                .detail = STR_EMPTY,
                                                .standby = STR_EMPTY,
                                                .method = FENCE_NONE}};
    if (machine_state_parse(x->record->state, &state) < 0)
        return;
    ret_decision->input.kind = plan_candidate_kind(x->server, x->record);
    ret_decision->input.adopted = adopted(a, x->server);
    ret_decision->order = next_order(&j);
    if (ret_decision->order && state == MACHINE_ABSENT && is_move_verb(ret_decision->order->record.verb))
        ret_decision->order = NULL; /* it waits until the server is known to be somewhere */
    if (ret_decision->order)
        judge_order(&j, state);
    else
        judge_state(&j, state);
}
