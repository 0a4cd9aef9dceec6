#include "director/machine.h"

#include "base/err.h"
#include "unit/unit.h"

static const struct plan_choice to_create = {
    .kind = PLAN_CREATE, .index = 1, .node = {"west1", 5}, .site = {"west", 4}, .address = "127.2.0.10"};
static const struct plan_choice to_standby = {
    .kind = PLAN_STANDBY, .index = 0, .standby = {"mail2", 5}, .address = "127.3.0.10"};
static const struct plan_choice to_return = {.kind = PLAN_RETURN,
                                             .index = PLAN_HOME,
                                             .node = {"east1", 5},
                                             .site = {"east", 4},
                                             .address = "127.1.0.10"};

static struct record_instance instance(const char *node, const char *address, int64_t epoch)
{
    return (struct record_instance){
        .node = str_from(node), .site = STR("east"), .address = str_from(address), .epoch = epoch};
}

/* A record as it is in a state: with a holder or without, where both may be. */
static struct record_server in_state(enum machine_state s, bool holder)
{
    struct record_server r = {.state = str_from(machine_state_name(s)), .epoch = 7, .plan_index = 1};
    if (holder)
        r.instance = instance("east1", "127.1.0.10", 5);
    if (s == MACHINE_FENCING || s == MACHINE_CREATING || s == MACHINE_VERIFYING || s == MACHINE_ROUTING ||
        s == MACHINE_UNDOING)
        r.candidate = instance("west1", "127.2.0.10", s == MACHINE_FENCING ? 0 : 7);
    return r;
}

struct expected {
    enum machine_state from;
    bool holder;
    struct machine_input input;
    const char *wanted; /* in the record before */
    int to;             /* or ERR_INVALID */
};

#define IN(event_name, ...)                                                                                  \
    {                                                                                                        \
        .event = MACHINE_##event_name, __VA_ARGS__                                                           \
    }

static const struct expected table[] = {
    {MACHINE_ABSENT, false, IN(START, .wanted = {"start", 5}), "", MACHINE_DECIDING},
    {MACHINE_ABSENT, false, IN(ADOPT, .adopted = {.address = {"127.1.0.10", 10}}), "", MACHINE_RUNNING},
    {MACHINE_ABSENT, false, IN(NO_PLACE, .detail = {"no node", 7}), "", MACHINE_ABSENT},
    {MACHINE_ABSENT, false, IN(ORDER, .wanted = {"failover", 8}), "", ERR_INVALID},

    {MACHINE_RUNNING, true, IN(INVOKE), "", MACHINE_DECIDING},
    {MACHINE_RUNNING, true, IN(ORDER, .wanted = {"switchover", 10}), "", MACHINE_DECIDING},
    {MACHINE_RUNNING, true, IN(ORDER_OFF, .wanted = {"fence", 5}, .method = FENCE_AGENT), "",
     MACHINE_FENCING},
    {MACHINE_RUNNING, true, IN(ORDER_OFF, .wanted = {"retire", 6}, .method = FENCE_DESTROY), "",
     MACHINE_FENCING},
    {MACHINE_RUNNING, true, IN(ORDER_OFF, .wanted = {"retire", 6}, .method = FENCE_NONE), "",
     MACHINE_RETIRED},
    {MACHINE_RUNNING, true, IN(ORDER_OFF, .wanted = {"fence", 5}, .method = FENCE_NONE), "", ERR_INVALID},
    {MACHINE_RUNNING, true, IN(START), "", ERR_INVALID},
    {MACHINE_RUNNING, true, IN(ROUTED), "", ERR_INVALID},

    {MACHINE_DECIDING, true, IN(PICK, .choice = &to_create, .method = FENCE_EPOCH), "", MACHINE_FENCING},
    {MACHINE_DECIDING, false, IN(PICK, .choice = &to_create, .method = FENCE_NONE), "", MACHINE_CREATING},
    {MACHINE_DECIDING, true, IN(PICK, .choice = &to_standby), "", MACHINE_VERIFYING},
    {MACHINE_DECIDING, true, IN(PICK, .choice = &to_return), "", MACHINE_VERIFYING},
    {MACHINE_DECIDING, true, IN(NONE_LEFT), "failback", MACHINE_RUNNING},
    {MACHINE_DECIDING, true, IN(NONE_LEFT), "", MACHINE_WAITING},
    {MACHINE_DECIDING, false, IN(NONE_LEFT), "failback", MACHINE_WAITING},
    {MACHINE_DECIDING, true, IN(ORDER, .wanted = {"failover", 8}), "", ERR_INVALID},
    {MACHINE_DECIDING, true, IN(INVOKE), "", ERR_INVALID},

    {MACHINE_FENCING, true, IN(FENCED_OFF), "", MACHINE_CREATING},
    {MACHINE_FENCING, true, IN(FENCED_OFF), "fence", MACHINE_FENCED},
    {MACHINE_FENCING, true, IN(FENCED_OFF), "retire", MACHINE_RETIRED},
    {MACHINE_FENCING, true, IN(FENCE_FAILED, .method = FENCE_EPOCH), "", MACHINE_FENCING},
    {MACHINE_FENCING, true, IN(FENCE_FAILED, .method = FENCE_NONE), "", MACHINE_DECIDING},
    {MACHINE_FENCING, true, IN(FENCE_FAILED, .method = FENCE_NONE), "retire", MACHINE_RUNNING},
    {MACHINE_FENCING, true, IN(CREATED), "", ERR_INVALID},

    {MACHINE_CREATING, false, IN(CREATED, .pid = 9, .pid_start = 8), "", MACHINE_VERIFYING},
    {MACHINE_CREATING, false, IN(CREATE_AGAIN), "", MACHINE_CREATING},
    {MACHINE_CREATING, false, IN(STEP_FAILED), "", MACHINE_UNDOING},
    {MACHINE_CREATING, false, IN(VERIFIED), "", ERR_INVALID},
    {MACHINE_CREATING, false, IN(ORDER, .wanted = {"failback", 8}), "", ERR_INVALID},

    {MACHINE_VERIFYING, false, IN(VERIFIED), "", MACHINE_ROUTING},
    {MACHINE_VERIFYING, false, IN(STEP_FAILED, .kind = PLAN_CREATE), "", MACHINE_UNDOING},
    {MACHINE_VERIFYING, true, IN(STEP_FAILED, .kind = PLAN_STANDBY), "", MACHINE_DECIDING},
    {MACHINE_VERIFYING, true, IN(STEP_FAILED, .kind = PLAN_RETURN), "", MACHINE_DECIDING},
    {MACHINE_VERIFYING, false, IN(ROUTED), "", ERR_INVALID},

    {MACHINE_ROUTING, false, IN(ROUTED, .kind = PLAN_CREATE), "", MACHINE_RUNNING},
    {MACHINE_ROUTING, true, IN(ROUTED, .kind = PLAN_STANDBY, .standby = {"mail2", 5}), "", MACHINE_RUNNING},
    {MACHINE_ROUTING, false, IN(STEP_FAILED), "", ERR_INVALID},

    {MACHINE_UNDOING, false, IN(UNDONE), "", MACHINE_DECIDING},
    {MACHINE_UNDOING, false, IN(CREATED), "", ERR_INVALID},

    {MACHINE_WAITING, true, IN(RECOVERED), "", MACHINE_RUNNING},
    {MACHINE_WAITING, false, IN(RECOVERED), "", ERR_INVALID},
    {MACHINE_WAITING, false, IN(RETRY), "", MACHINE_DECIDING},
    {MACHINE_WAITING, false, IN(ORDER, .wanted = {"failback", 8}), "", MACHINE_DECIDING},
    {MACHINE_WAITING, true, IN(ORDER_OFF, .wanted = {"fence", 5}, .method = FENCE_EPOCH), "",
     MACHINE_FENCING},
    {MACHINE_WAITING, false, IN(ORDER_OFF, .wanted = {"fence", 5}, .method = FENCE_NONE), "", MACHINE_FENCED},
    {MACHINE_WAITING, false, IN(ORDER_OFF, .wanted = {"retire", 6}, .method = FENCE_NONE), "",
     MACHINE_RETIRED},

    {MACHINE_FENCED, false, IN(ORDER, .wanted = {"failover", 8}), "", MACHINE_DECIDING},
    {MACHINE_FENCED, false, IN(ORDER_OFF, .wanted = {"retire", 6}, .method = FENCE_NONE), "",
     MACHINE_RETIRED},
    {MACHINE_FENCED, false, IN(ADOPT, .adopted = {.address = {"127.1.0.10", 10}}), "", MACHINE_RUNNING},
    {MACHINE_FENCED, false, IN(INVOKE), "", ERR_INVALID},

    {MACHINE_RETIRED, false, IN(ORDER, .wanted = {"failback", 8}), "", MACHINE_DECIDING},
    {MACHINE_RETIRED, false, IN(ADOPT, .adopted = {.address = {"127.1.0.10", 10}}), "", MACHINE_RUNNING},
    {MACHINE_RETIRED, false, IN(INVOKE), "", ERR_INVALID},
};

static void every_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        const struct expected *e = &table[i];
        struct record_server r = in_state(e->from, e->holder), before;
        r.wanted = str_from(e->wanted);
        before = r;
        assert_true(machine_holds(&r));
        int rc = machine_move(&r, &e->input);
        if (e->to == ERR_INVALID
                ? rc != ERR_INVALID
                : rc != 0 || !str_eq(r.state, str_from(machine_state_name((enum machine_state)e->to))))
            fail_msg("row %zu: %s on %s gave %d, state %.*s", i, machine_state_name(e->from),
                     machine_event_name(e->input.event), rc, STR_ARG(r.state));
        assert_int_equal(machine_allows(&before, &e->input), rc == 0);
        if (rc < 0)
            assert_memory_equal(&r, &before, sizeof(r));
    }
}

/* Each (state, event) that no row above expects to move must not. */
static void nothing_else_moves(void **state)
{
    (void)state;
    for (int s = 0; s < MACHINE_STATE_COUNT; s++) {
        for (int e = 0; e < MACHINE_EVENT_COUNT; e++) {
            bool expected = false;
            for (size_t i = 0; i < ARRAY_LEN(table); i++)
                expected |= (int)table[i].from == s && (int)table[i].input.event == e && table[i].to >= 0;
            struct machine_input in = {
                .event = (enum machine_event)e, .choice = &to_create, .method = FENCE_EPOCH};
            struct record_server r = in_state((enum machine_state)s, s != MACHINE_CREATING);
            if (!expected && machine_allows(&r, &in))
                fail_msg("%s moves on %s", machine_state_name((enum machine_state)s),
                         machine_event_name(in.event));
        }
    }
}

static void move(struct record_server *r, struct machine_input in)
{
    assert_ok(machine_move(r, &in));
}

static void an_epoch_is_recorded_before_it_is_used(void **state)
{
    (void)state;
    struct record_server r = in_state(MACHINE_RUNNING, true);
    move(&r, (struct machine_input)IN(INVOKE));
    assert_int_equal(r.epoch, 7);
    move(&r, (struct machine_input)IN(PICK, .choice = &to_create, .method = FENCE_EPOCH));
    assert_int_equal(r.epoch, 8); /* the store will refuse up to this one */
    assert_int_equal(r.tries, FENCE_EPOCH);
    assert_str(r.instance.node, "east1");
    move(&r, (struct machine_input)IN(FENCED_OFF));
    assert_int_equal(r.epoch, 9);
    assert_int_equal(r.candidate.epoch, 9);
    assert_false(plan_has_instance(&r)); /* nobody holds the identity now */
    move(&r, (struct machine_input)IN(CREATE_AGAIN));
    assert_int_equal(r.candidate.epoch, 9); /* the same order comes again */
    move(&r, (struct machine_input)IN(CREATED, .pid = 11, .pid_start = 12));
    move(&r, (struct machine_input)IN(VERIFIED));
    move(&r, (struct machine_input)IN(ROUTED, .kind = PLAN_CREATE));
    assert_int_equal(r.instance.epoch, 9);
    assert_int_equal(r.instance.pid, 11);
    assert_int_equal(r.instance.pid_start, 12);
    assert_str(r.instance.address, "127.2.0.10");
    assert_int_equal(r.generation, 1);
    assert_int_equal(r.candidate.address.len, 0);
}

static void an_agent_needs_no_epoch(void **state)
{
    (void)state;
    struct record_server r = in_state(MACHINE_DECIDING, true);
    move(&r, (struct machine_input)IN(PICK, .choice = &to_create, .method = FENCE_AGENT));
    assert_int_equal(r.epoch, 7);
    move(&r, (struct machine_input)IN(FENCE_FAILED, .method = FENCE_EPOCH, .detail = {"no power", 8}));
    assert_int_equal(r.epoch, 8);
    assert_str(r.detail, "no power");
}

static void a_failed_candidate_never_gets_its_epoch_again(void **state)
{
    (void)state;
    struct record_server r = in_state(MACHINE_CREATING, false);
    move(&r, (struct machine_input)IN(STEP_FAILED));
    assert_str(r.candidate.node, "west1"); /* to be destroyed */
    move(&r, (struct machine_input)IN(UNDONE));
    move(&r, (struct machine_input)IN(PICK, .choice = &to_create, .method = FENCE_NONE));
    assert_int_equal(r.candidate.epoch, 8);
}

static void a_standby_takes_the_mail_and_gives_it_back(void **state)
{
    (void)state;
    struct record_server r = in_state(MACHINE_DECIDING, true);
    move(&r, (struct machine_input)IN(PICK, .choice = &to_standby));
    move(&r, (struct machine_input)IN(VERIFIED));
    move(&r, (struct machine_input)IN(ROUTED, .kind = PLAN_STANDBY, .standby = {"mail2", 5}));
    assert_str(r.served_by, "mail2");
    assert_str(r.instance.node, "east1"); /* it still has its own identity */
    move(&r, (struct machine_input)IN(ORDER, .wanted = {"failback", 8}));
    move(&r, (struct machine_input)IN(PICK, .choice = &to_return));
    assert_int_equal(r.candidate.epoch, 5);
    move(&r, (struct machine_input)IN(VERIFIED));
    move(&r, (struct machine_input)IN(ROUTED, .kind = PLAN_RETURN));
    assert_str(r.served_by, "");
    assert_int_equal(r.instance.epoch, 5);
    assert_int_equal(r.generation, 2);
}

static void names_are_read_back(void **state)
{
    (void)state;
    enum machine_state s = MACHINE_RETIRED;
    for (int i = 0; i < MACHINE_STATE_COUNT; i++) {
        assert_ok(machine_state_parse(str_from(machine_state_name((enum machine_state)i)), &s));
        assert_int_equal(s, i);
    }
    assert_ok(machine_state_parse(STR_EMPTY, &s));
    assert_int_equal(s, MACHINE_ABSENT);
    assert_err(machine_state_parse(STR("thinking"), &s), ERR_SYNTAX);
}

static void records_that_do_not_hold_are_seen(void **state)
{
    (void)state;
    struct record_server r = in_state(MACHINE_CREATING, false);
    r.candidate.epoch = 6;
    assert_false(machine_holds(&r));
    r = in_state(MACHINE_FENCING, false);
    assert_false(machine_holds(&r));
    r = in_state(MACHINE_RUNNING, false);
    assert_false(machine_holds(&r));
    r = in_state(MACHINE_RUNNING, true);
    r.instance.epoch = 8;
    assert_false(machine_holds(&r));
    r.state = STR("thinking");
    assert_false(machine_holds(&r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row),
        cmocka_unit_test(nothing_else_moves),
        cmocka_unit_test(an_epoch_is_recorded_before_it_is_used),
        cmocka_unit_test(an_agent_needs_no_epoch),
        cmocka_unit_test(a_failed_candidate_never_gets_its_epoch_again),
        cmocka_unit_test(a_standby_takes_the_mail_and_gives_it_back),
        cmocka_unit_test(names_are_read_back),
        cmocka_unit_test(records_that_do_not_hold_are_seen),
    };
    return cmocka_run_group_tests_name("director machine", tests, NULL, NULL);
}
