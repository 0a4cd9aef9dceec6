/* What RCPT is answered: each state with each event. */
#include "relay/verdict.h"
#include "unit/unit.h"

#define NOW INT64_C(1000000000)

static struct config_domain domain(enum recipients_unknown unknown)
{
    return (struct config_domain){.unknown = unknown,
                                  .verify_positive_refresh_ms = 1000,
                                  .verify_positive_expire_ms = 100000,
                                  .verify_negative_refresh_ms = 10,
                                  .verify_negative_expire_ms = 5000};
}

/* What the table of verdict.h says. */
static void every_state_and_event(void **state)
{
    static const struct {
        int seen;
        int64_t age_ms;
        enum verdict asked, down, trouble;
    } rows[] = {
        {VERDICT_KNOWN, 0, VERDICT_TAKE, VERDICT_TAKE, VERDICT_TAKE},
        {VERDICT_KNOWN, 999, VERDICT_TAKE, VERDICT_TAKE, VERDICT_TAKE},
        {VERDICT_KNOWN, 1000, VERDICT_ASK, VERDICT_TAKE, VERDICT_TAKE},
        {VERDICT_KNOWN, 99999, VERDICT_ASK, VERDICT_TAKE, VERDICT_TAKE},
        {VERDICT_KNOWN, 100000, VERDICT_ASK, VERDICT_DEFER, VERDICT_DEFER},
        {VERDICT_KNOWN, -1, VERDICT_ASK, VERDICT_TAKE, VERDICT_TAKE},
        {VERDICT_UNKNOWN, 0, VERDICT_REFUSE, VERDICT_REFUSE, VERDICT_DEFER},
        {VERDICT_UNKNOWN, 9, VERDICT_REFUSE, VERDICT_REFUSE, VERDICT_DEFER},
        {VERDICT_UNKNOWN, 10, VERDICT_ASK, VERDICT_DEFER, VERDICT_DEFER},
        {VERDICT_UNKNOWN, 4999, VERDICT_ASK, VERDICT_DEFER, VERDICT_DEFER},
        {VERDICT_UNKNOWN, 5000, VERDICT_ASK, VERDICT_DEFER, VERDICT_DEFER},
        {VERDICT_UNKNOWN, -1, VERDICT_ASK, VERDICT_DEFER, VERDICT_DEFER},
        {VERDICT_NEVER, 0, VERDICT_ASK, VERDICT_DEFER, VERDICT_DEFER},
    };
    struct config_domain d = domain(UNKNOWN_DEFER);
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct verdict_memory memory = {.at = {NOW - rows[i].age_ms}};
        memory.seen = rows[i].seen;
        struct wall_time now = {NOW};
        assert_int_equal(verdict_of(&d, VERDICT_ASKED, &memory, now), rows[i].asked);
        assert_int_equal(verdict_of(&d, VERDICT_DOWN, &memory, now), rows[i].down);
        assert_int_equal(verdict_of(&d, VERDICT_NOT_NOW, &memory, now), rows[i].down);
        assert_int_equal(verdict_of(&d, VERDICT_TROUBLE, &memory, now), rows[i].trouble);
    }
}

/* The policy rules when the server is down; trouble of a server that is there refuses and accepts nobody. */
static void the_policy_for_who_was_never_seen(void **state)
{
    static const struct {
        enum recipients_unknown unknown;
        enum verdict down, not_now;
    } rows[] = {{UNKNOWN_DEFER, VERDICT_DEFER, VERDICT_DEFER},
                {UNKNOWN_ACCEPT, VERDICT_TAKE, VERDICT_TAKE},
                {UNKNOWN_REJECT, VERDICT_REFUSE, VERDICT_DEFER}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct config_domain d = domain(rows[i].unknown);
        struct verdict_memory never = {VERDICT_NEVER, {0}};
        assert_int_equal(verdict_of(&d, VERDICT_DOWN, &never, (struct wall_time){NOW}), rows[i].down);
        assert_int_equal(verdict_of(&d, VERDICT_NOT_NOW, &never, (struct wall_time){NOW}), rows[i].not_now);
        assert_int_equal(verdict_of(&d, VERDICT_TROUBLE, &never, (struct wall_time){NOW}), VERDICT_DEFER);
        struct verdict_memory expired = {VERDICT_KNOWN, {NOW - 200000}};
        assert_int_equal(verdict_of(&d, VERDICT_DOWN, &expired, (struct wall_time){NOW}), rows[i].down);
    }
}

static void what_a_reply_says_about_the_recipient(void **state)
{
    static const struct {
        struct smtp_reply reply;
        int says;
    } rows[] = {
        {{250, {2, 1, 5}, {"ok", 0}}, VERDICT_KNOWN},
        {{250, {0, 0, 0}, {"ok", 0}}, VERDICT_KNOWN},
        {{251, {0, 0, 0}, {"will forward", 0}}, VERDICT_KNOWN},
        {{550, {5, 1, 1}, {"no such user", 0}}, VERDICT_UNKNOWN},
        {{550, {5, 1, 10}, {"no such user", 0}}, VERDICT_UNKNOWN},
        {{554, {5, 1, 1}, {"no such user", 0}}, VERDICT_UNKNOWN},
        {{551, {5, 1, 6}, {"moved", 0}}, VERDICT_UNKNOWN},
        {{550, {0, 0, 0}, {"no such user", 0}}, VERDICT_UNKNOWN},
        {{551, {0, 0, 0}, {"not local", 0}}, VERDICT_UNKNOWN},
        {{553, {0, 0, 0}, {"no such name", 0}}, VERDICT_UNKNOWN},
        {{550, {5, 7, 1}, {"we do not like you", 0}}, VERDICT_NEVER},
        {{550, {5, 1, 7}, {"your sender", 0}}, VERDICT_NEVER},
        {{550, {5, 1, 8}, {"your sender's domain", 0}}, VERDICT_NEVER},
        {{552, {5, 2, 2}, {"mailbox full", 0}}, VERDICT_NEVER},
        {{554, {0, 0, 0}, {"no", 0}}, VERDICT_NEVER},
        {{503, {5, 5, 1}, {"bad sequence", 0}}, VERDICT_NEVER},
        {{450, {4, 1, 1}, {"later", 0}}, VERDICT_NEVER},
        {{451, {4, 7, 1}, {"greylisted", 0}}, VERDICT_NEVER},
        {{421, {4, 3, 2}, {"going down", 0}}, VERDICT_NEVER},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(verdict_of_reply(&rows[i].reply), rows[i].says);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_and_event),
        cmocka_unit_test(the_policy_for_who_was_never_seen),
        cmocka_unit_test(what_a_reply_says_about_the_recipient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
