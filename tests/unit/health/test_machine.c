#include "unit/unit.h"

#include <stdio.h>

#include "health/machine.h"

/* A table's row is a script: what is heard, one letter each, and the state's
 * initial after each letter. Capitals are the first check, small letters the
 * second; o is ok, f fails, n is no evidence. Letters are a second apart. */
struct row {
    const char *name;
    struct health_rule rules[2];
    size_t count;
    const char *heard;
    const char *states; /* U unknown, O operational, S suspect, I inoperable, R recovering */
};

static const struct row rows[] = {
    {"first success is believed", {{2, 3}}, 1, "O", "O"},
    {"unknown until fall is reached", {{3, 1}}, 1, "FFF", "UUI"},
    {"suspect below fall", {{3, 1}}, 1, "OFFO", "OSSO"},
    {"a success starts the count again", {{2, 1}}, 1, "OFOFOF", "OSOSOS"},
    {"inoperable at fall", {{2, 1}}, 1, "OFF", "OSI"},
    {"fall of one has no suspect", {{1, 1}}, 1, "OFO", "OIO"},
    {"recovering below rise", {{1, 3}}, 1, "OFOOO", "OIRRO"},
    {"a failure while recovering starts the count again", {{2, 2}}, 1, "OFFOFOO", "OSIRIRO"},
    {"no evidence changes nothing", {{2, 2}}, 1, "NOFNFNONO", "UOSSIIRRO"},
    {"unknown until each check was heard", {{2, 1}, {2, 1}}, 2, "Oo", "UO"},
    {"one check down is enough", {{2, 1}, {1, 1}}, 2, "Oof", "UOI"},
    {"the other check's successes do not raise it", {{2, 1}, {1, 2}}, 2, "OofOOoo", "UOIIIRO"},
    {"suspect by either", {{2, 1}, {3, 1}}, 2, "OoFOfO", "UOSOSS"},
    {"inoperable outweighs recovering", {{1, 2}, {1, 2}}, 2, "FfOOoo", "IIIIRO"},
};

static char initial(enum health_state state)
{
    return "UOSIRFCR"[state];
}

static enum health_outcome outcome_of(char letter)
{
    char c = ascii_lower(letter);
    return c == 'o' ? HEALTH_OK : c == 'f' ? HEALTH_FAIL : HEALTH_NONE;
}

static void play(void **state)
{
    const struct row *r = *state;
    struct health_machine m;
    health_machine_init(&m, r->rules, r->count, (struct mono_time){0}, (struct wall_time){0});
    for (size_t i = 0; r->heard[i]; i++) {
        struct health_event e = {.check = r->heard[i] >= 'a',
                                 .source = HEALTH_PROBE,
                                 .outcome = outcome_of(r->heard[i]),
                                 .detail = STR("text"),
                                 .now = {(int64_t)(i + 1) * 1000 * NS_PER_MS},
                                 .wall = {(int64_t)(i + 1) * 1000}};
        health_machine_outcome(&m, &e);
        if (initial(m.word.state) != r->states[i])
            fail_msg("after %.*s: %s", (int)i + 1, r->heard, health_state_name(m.word.state));
    }
}

static bool hear(struct health_machine *m, enum health_source source, enum health_outcome outcome,
                 int64_t at_ms)
{
    struct health_event e = {.source = source,
                             .outcome = outcome,
                             .detail = STR("421 busy\r\n\033[2J"),
                             .now = {at_ms * NS_PER_MS},
                             .wall = {at_ms}};
    return health_machine_outcome(m, &e);
}

static struct health_machine machine(uint32_t fall, uint32_t rise)
{
    struct health_machine m;
    struct health_rule rule = {fall, rise};
    health_machine_init(&m, &rule, 1, (struct mono_time){0}, (struct wall_time){0});
    return m;
}

static void deliveries_broken_by_one_event_count_once(void **state)
{
    (void)state;
    struct health_machine m = machine(2, 1);
    assert_true(hear(&m, HEALTH_DELIVERY, HEALTH_OK, 1000));
    assert_true(hear(&m, HEALTH_DELIVERY, HEALTH_FAIL, 1010));
    for (int i = 0; i < 10; i++)
        assert_false(hear(&m, HEALTH_DELIVERY, HEALTH_FAIL, 1011 + i));
    assert_int_equal(m.word.state, HEALTH_SUSPECT);
    assert_int_equal(m.word.failures, 1);
    assert_true(hear(&m, HEALTH_DELIVERY, HEALTH_FAIL, 1010 + HEALTH_SAME_EVENT_MS));
    assert_int_equal(m.word.state, HEALTH_INOPERABLE);
}

static void deliveries_and_probes_add_up(void **state)
{
    (void)state;
    struct health_machine m = machine(2, 2);
    hear(&m, HEALTH_PROBE, HEALTH_OK, 0);
    hear(&m, HEALTH_DELIVERY, HEALTH_FAIL, 1);
    assert_true(hear(&m, HEALTH_PROBE, HEALTH_FAIL, 2));
    assert_int_equal(m.word.state, HEALTH_INOPERABLE);
    hear(&m, HEALTH_DELIVERY, HEALTH_OK, 3);
    assert_int_equal(m.word.state, HEALTH_RECOVERING);
    hear(&m, HEALTH_PROBE, HEALTH_OK, 4);
    assert_int_equal(m.word.state, HEALTH_OPERATIONAL);
}

static void the_last_64_outcomes_are_kept(void **state)
{
    (void)state;
    struct health_machine m = machine(2, 1);
    hear(&m, HEALTH_PROBE, HEALTH_OK, 0);
    hear(&m, HEALTH_PROBE, HEALTH_FAIL, 1);
    hear(&m, HEALTH_PROBE, HEALTH_OK, 2);
    assert_int_equal(m.word.history, 5);
    assert_int_equal(m.word.history_len, 3);
    for (int i = 0; i < 100; i++)
        hear(&m, HEALTH_PROBE, HEALTH_FAIL, 3 + i);
    assert_int_equal(m.word.history, 0);
    assert_int_equal(m.word.history_len, 64);
    assert_int_equal(m.word.failures, 100);
}

static void since_moves_only_with_the_state(void **state)
{
    (void)state;
    struct health_machine m = machine(3, 1);
    hear(&m, HEALTH_PROBE, HEALTH_OK, 10);
    hear(&m, HEALTH_PROBE, HEALTH_FAIL, 20);
    hear(&m, HEALTH_PROBE, HEALTH_FAIL, 30);
    assert_int_equal(m.word.since.ns, 20 * NS_PER_MS);
    assert_int_equal(m.word.since_wall.ms, 20);
}

static void detail_is_made_printable_and_cut(void **state)
{
    (void)state;
    struct health_machine m = machine(1, 1);
    hear(&m, HEALTH_PROBE, HEALTH_FAIL, 1);
    assert_string_equal(m.word.detail, "421 busy???[2J");
    char wide[500];
    memset(wide, 'x', sizeof(wide));
    struct health_event e = {.outcome = HEALTH_NONE, .detail = {wide, sizeof(wide)}};
    assert_false(health_machine_outcome(&m, &e));
    assert_int_equal(strlen(m.word.detail), HEALTH_DETAIL_MAX - 1);
}

static void reset_forgets_all_but_the_rules(void **state)
{
    (void)state;
    struct health_machine m = machine(2, 1);
    hear(&m, HEALTH_PROBE, HEALTH_FAIL, 1);
    hear(&m, HEALTH_PROBE, HEALTH_FAIL, 2);
    health_machine_reset(&m, (struct mono_time){9}, (struct wall_time){9});
    assert_int_equal(m.word.state, HEALTH_UNKNOWN);
    assert_int_equal(m.word.history_len, 0);
    hear(&m, HEALTH_PROBE, HEALTH_FAIL, 3);
    assert_int_equal(m.word.state, HEALTH_UNKNOWN);
    hear(&m, HEALTH_PROBE, HEALTH_FAIL, 4);
    assert_int_equal(m.word.state, HEALTH_INOPERABLE);
}

static void names_of_states_are_read_back(void **state)
{
    (void)state;
    for (int i = 0; i < HEALTH_STATE_COUNT; i++) {
        enum health_state s = HEALTH_UNKNOWN;
        assert_ok(health_state_parse(str_from(health_state_name((enum health_state)i)), &s));
        assert_int_equal(s, i);
    }
    enum health_state s = HEALTH_RETIRED;
    assert_err(health_state_parse(STR("dead"), &s), ERR_SYNTAX);
    assert_int_equal(s, HEALTH_RETIRED);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(rows) + 7] = {
        cmocka_unit_test(deliveries_broken_by_one_event_count_once),
        cmocka_unit_test(deliveries_and_probes_add_up),
        cmocka_unit_test(the_last_64_outcomes_are_kept),
        cmocka_unit_test(since_moves_only_with_the_state),
        cmocka_unit_test(detail_is_made_printable_and_cut),
        cmocka_unit_test(reset_forgets_all_but_the_rules),
        cmocka_unit_test(names_of_states_are_read_back),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        tests[7 + i] = (struct CMUnitTest){
            .name = rows[i].name, .test_func = play, .initial_state = (void *)(uintptr_t)&rows[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
