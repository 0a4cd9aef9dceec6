#include "director/machine.h"

#include "base/err.h"

/* ---- what a move does to the record ---- */

static void no_candidate(struct record_server *r)
{
    r->candidate = (struct record_instance){.node = STR_EMPTY, .site = STR_EMPTY, .address = STR_EMPTY};
}

static void no_instance(struct record_server *r)
{
    r->instance = (struct record_instance){.node = STR_EMPTY, .site = STR_EMPTY, .address = STR_EMPTY};
}

static void begin(struct record_server *r, const struct machine_input *in)
{
    r->wanted = in->wanted;
    r->reason = in->reason;
    r->plan_index = PLAN_NOTHING;
    no_candidate(r);
}

static void adopt(struct record_server *r, const struct machine_input *in)
{
    r->instance = in->adopted;
    r->reason = in->reason;
    r->generation++;
}

/* A new epoch, recorded before anybody may use it. */
static void give_epoch_to_candidate(struct record_server *r, const struct machine_input *in)
{
    (void)in;
    r->candidate.epoch = ++r->epoch;
}

static void begin_fence(struct record_server *r, const struct machine_input *in)
{
    r->tries = in->method;
    if (in->method == FENCE_EPOCH)
        r->epoch++; /* the store is told to refuse all up to this one */
}

static void begin_off(struct record_server *r, const struct machine_input *in)
{
    begin(r, in);
    r->plan_index = PLAN_HOME;
    begin_fence(r, in);
}

static void begin_off_without_fence(struct record_server *r, const struct machine_input *in)
{
    begin(r, in);
    no_instance(r);
    r->wanted = STR_EMPTY;
}

static void pick(struct record_server *r, const struct machine_input *in)
{
    r->plan_index = in->choice->index;
    r->candidate = (struct record_instance){
        .node = in->choice->node, .site = in->choice->site, .address = str_from(in->choice->address)};
    if (in->choice->kind == PLAN_RETURN)
        r->candidate = r->instance;
}

static void pick_and_fence(struct record_server *r, const struct machine_input *in)
{
    pick(r, in);
    begin_fence(r, in);
}

static void pick_and_create(struct record_server *r, const struct machine_input *in)
{
    pick(r, in);
    give_epoch_to_candidate(r, in);
}

static void fenced_and_create(struct record_server *r, const struct machine_input *in)
{
    no_instance(r);
    give_epoch_to_candidate(r, in);
}

static void fenced_and_rest(struct record_server *r, const struct machine_input *in)
{
    (void)in;
    no_instance(r);
    r->wanted = STR_EMPTY;
}

static void created(struct record_server *r, const struct machine_input *in)
{
    r->candidate.pid = in->pid;
    r->candidate.pid_start = in->pid_start;
}

static void again(struct record_server *r, const struct machine_input *in)
{
    (void)in;
    r->tries++;
}

static void give_up_candidate(struct record_server *r, const struct machine_input *in)
{
    (void)in;
    no_candidate(r);
}

static void routed(struct record_server *r, const struct machine_input *in)
{
    if (in->kind == PLAN_STANDBY) {
        r->served_by = in->standby;
    } else {
        r->instance = r->candidate;
        r->served_by = STR_EMPTY;
    }
    r->generation++;
    r->wanted = STR_EMPTY;
    r->plan_index = PLAN_NOTHING;
    no_candidate(r);
}

static void rest(struct record_server *r, const struct machine_input *in)
{
    (void)in;
    r->wanted = STR_EMPTY;
    r->plan_index = PLAN_NOTHING;
    no_candidate(r);
}

static void start_over(struct record_server *r, const struct machine_input *in)
{
    (void)in;
    no_candidate(r);
    r->plan_index = PLAN_NOTHING;
}

/* ---- when a row applies ---- */

static bool picks_create_from_holder(const struct record_server *r, const struct machine_input *in)
{
    return in->choice->kind == PLAN_CREATE && plan_has_instance(r);
}

static bool picks_create(const struct record_server *r, const struct machine_input *in)
{
    return in->choice->kind == PLAN_CREATE && !plan_has_instance(r);
}

static bool picks_what_runs(const struct record_server *r, const struct machine_input *in)
{
    (void)r;
    return in->choice->kind != PLAN_CREATE;
}

static bool can_fence(const struct record_server *r, const struct machine_input *in)
{
    return in->method != FENCE_NONE && plan_has_instance(r);
}

static bool wants_fence(const struct record_server *r, const struct machine_input *in)
{
    (void)in;
    return str_eq(r->wanted, STR(WANTED_FENCE));
}

static bool wants_retire(const struct record_server *r, const struct machine_input *in)
{
    (void)in;
    return str_eq(r->wanted, STR(WANTED_RETIRE));
}

static bool wants_off(const struct record_server *r, const struct machine_input *in)
{
    return wants_fence(r, in) || wants_retire(r, in);
}

static bool orders_retire(const struct record_server *r, const struct machine_input *in)
{
    (void)r;
    return str_eq(in->wanted, STR(WANTED_RETIRE));
}

/* An operator asked, and the holder was left as it was. */
static bool order_with_holder(const struct record_server *r, const struct machine_input *in)
{
    (void)in;
    return r->wanted.len > 0 && plan_has_instance(r);
}

static bool has_holder(const struct record_server *r, const struct machine_input *in)
{
    (void)in;
    return plan_has_instance(r);
}

static bool no_holder(const struct record_server *r, const struct machine_input *in)
{
    return !has_holder(r, in);
}

static bool created_something(const struct record_server *r, const struct machine_input *in)
{
    (void)r;
    return in->kind == PLAN_CREATE;
}

/* ---- the table: for a state and an event the first row that applies ---- */

struct row {
    enum machine_state from;
    enum machine_event event;
    bool (*when)(const struct record_server *r, const struct machine_input *in); /* NULL: always */
    enum machine_state to;
    void (*apply)(struct record_server *r, const struct machine_input *in); /* NULL: nothing more */
};

#define FROM(state) MACHINE_##state
#define ON(event)   MACHINE_##event
#define TO(state)   MACHINE_##state

static const struct row rows[] = {
    {FROM(ABSENT), ON(START), NULL, TO(DECIDING), begin},
    {FROM(ABSENT), ON(ADOPT), NULL, TO(RUNNING), adopt},
    {FROM(ABSENT), ON(NO_PLACE), NULL, TO(ABSENT), NULL},

    {FROM(RUNNING), ON(INVOKE), NULL, TO(DECIDING), begin},
    {FROM(RUNNING), ON(ORDER), NULL, TO(DECIDING), begin},
    {FROM(RUNNING), ON(ORDER_OFF), can_fence, TO(FENCING), begin_off},
    {FROM(RUNNING), ON(ORDER_OFF), orders_retire, TO(RETIRED), begin_off_without_fence},

    {FROM(DECIDING), ON(PICK), picks_create_from_holder, TO(FENCING), pick_and_fence},
    {FROM(DECIDING), ON(PICK), picks_create, TO(CREATING), pick_and_create},
    {FROM(DECIDING), ON(PICK), picks_what_runs, TO(VERIFYING), pick},
    {FROM(DECIDING), ON(NONE_LEFT), order_with_holder, TO(RUNNING), rest},
    {FROM(DECIDING), ON(NONE_LEFT), NULL, TO(WAITING), start_over},

    {FROM(FENCING), ON(FENCED_OFF), wants_fence, TO(FENCED), fenced_and_rest},
    {FROM(FENCING), ON(FENCED_OFF), wants_retire, TO(RETIRED), fenced_and_rest},
    {FROM(FENCING), ON(FENCED_OFF), NULL, TO(CREATING), fenced_and_create},
    {FROM(FENCING), ON(FENCE_FAILED), can_fence, TO(FENCING), begin_fence},
    {FROM(FENCING), ON(FENCE_FAILED), wants_off, TO(RUNNING), rest},
    {FROM(FENCING), ON(FENCE_FAILED), NULL, TO(DECIDING), give_up_candidate},

    {FROM(CREATING), ON(CREATED), NULL, TO(VERIFYING), created},
    {FROM(CREATING), ON(CREATE_AGAIN), NULL, TO(CREATING), again},
    {FROM(CREATING), ON(STEP_FAILED), NULL, TO(UNDOING), NULL},

    {FROM(VERIFYING), ON(VERIFIED), NULL, TO(ROUTING), NULL},
    {FROM(VERIFYING), ON(STEP_FAILED), created_something, TO(UNDOING), NULL},
    {FROM(VERIFYING), ON(STEP_FAILED), NULL, TO(DECIDING), give_up_candidate},

    {FROM(ROUTING), ON(ROUTED), NULL, TO(RUNNING), routed},

    {FROM(UNDOING), ON(UNDONE), NULL, TO(DECIDING), give_up_candidate},

    {FROM(WAITING), ON(RECOVERED), has_holder, TO(RUNNING), rest},
    {FROM(WAITING), ON(RETRY), NULL, TO(DECIDING), start_over},
    {FROM(WAITING), ON(ORDER), NULL, TO(DECIDING), begin},
    {FROM(WAITING), ON(ORDER_OFF), can_fence, TO(FENCING), begin_off},
    {FROM(WAITING), ON(ORDER_OFF), orders_retire, TO(RETIRED), begin_off_without_fence},
    {FROM(WAITING), ON(ORDER_OFF), no_holder, TO(FENCED), begin_off_without_fence},

    {FROM(FENCED), ON(ORDER), NULL, TO(DECIDING), begin},
    {FROM(FENCED), ON(ADOPT), NULL, TO(RUNNING), adopt},
    {FROM(FENCED), ON(ORDER_OFF), orders_retire, TO(RETIRED), begin_off_without_fence},

    {FROM(RETIRED), ON(ORDER), NULL, TO(DECIDING), begin},
    {FROM(RETIRED), ON(ADOPT), NULL, TO(RUNNING), adopt},
};

#undef FROM
#undef ON
#undef TO

static const struct row *find(enum machine_state from, const struct record_server *r,
                              const struct machine_input *in)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].from == from && rows[i].event == in->event && (!rows[i].when || rows[i].when(r, in)))
            return &rows[i];
    return NULL;
}

/* ---- names ---- */

static const char *const state_names[MACHINE_STATE_COUNT] = {
    "absent",  "deciding", "fencing", "creating", "verifying", "routing",
    "running", "undoing",  "waiting", "fenced",   "retired",
};

static const char *const event_names[MACHINE_EVENT_COUNT] = {
    "start",       "adopt",      "invoke",       "order",   "order-off",    "pick",
    "none-left",   "fenced-off", "fence-failed", "created", "create-again", "verified",
    "step-failed", "routed",     "undone",       "retry",   "recovered",    "no-place",
};

const char *machine_state_name(enum machine_state s)
{
    CHECK((unsigned)s < MACHINE_STATE_COUNT);
    return state_names[s];
}

const char *machine_event_name(enum machine_event e)
{
    CHECK((unsigned)e < MACHINE_EVENT_COUNT);
    return event_names[e];
}

int machine_state_parse(struct str name, enum machine_state *ret_state)
{
    if (name.len == 0) {
        *ret_state = MACHINE_ABSENT;
        return 0;
    }
    for (int i = 0; i < MACHINE_STATE_COUNT; i++) {
        if (str_eq(name, str_from(state_names[i]))) {
            *ret_state = (enum machine_state)i;
            return 0;
        }
    }
    return ERR_SYNTAX;
}

/* ---- moving ---- */

bool machine_rests(enum machine_state s)
{
    return s == MACHINE_RUNNING || s == MACHINE_WAITING || s == MACHINE_FENCED || s == MACHINE_RETIRED;
}

static bool has_candidate(const struct record_server *r)
{
    return r->candidate.address.len > 0;
}

bool machine_holds(const struct record_server *r)
{
    enum machine_state s;
    if (machine_state_parse(r->state, &s) < 0 || r->instance.epoch > r->epoch ||
        r->candidate.epoch > r->epoch)
        return false;
    switch (s) {
    case MACHINE_FENCING:
        return plan_has_instance(r) && r->tries >= 0 && r->tries < FENCE_NONE;
    case MACHINE_CREATING:
    case MACHINE_UNDOING:
        return has_candidate(r) && !plan_has_instance(r) && r->candidate.epoch == r->epoch;
    case MACHINE_VERIFYING:
    case MACHINE_ROUTING:
        return has_candidate(r);
    case MACHINE_RUNNING:
        return plan_has_instance(r) || r->served_by.len > 0;
    case MACHINE_ABSENT:
    case MACHINE_FENCED:
    case MACHINE_RETIRED:
        return !plan_has_instance(r);
    default:
        return true;
    }
}

bool machine_allows(const struct record_server *r, const struct machine_input *in)
{
    enum machine_state from;
    return machine_state_parse(r->state, &from) == 0 && find(from, r, in) != NULL;
}

int machine_move(struct record_server *r, const struct machine_input *in)
{
    enum machine_state from;
    const struct row *row = NULL;
    if (machine_state_parse(r->state, &from) == 0)
        row = find(from, r, in);
    if (!row)
        return ERR_INVALID;
    if (row->to != from)
        r->tries = 0;
    r->state = str_from(state_names[row->to]);
    r->detail = in->detail;
    r->changed_at_ms = in->now_ms;
    if (row->apply)
        row->apply(r, in);
    CHECK(machine_holds(r));
    return 0;
}
