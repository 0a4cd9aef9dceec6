/* What a refusal is about, and when many of them are doubted. */
#include "relay/refusal.h"
#include "unit/unit.h"

static enum refusal_about about(enum smtp_stage stage, int code, int subject, int detail)
{
    struct smtp_client_result r = {.stage = stage, .reply = {.code = (uint16_t)code}};
    r.outcome = code / 100 == 4 ? SMTP_OUTCOME_DEFERRED : SMTP_OUTCOME_REFUSED;
    if (subject >= 0)
        r.reply.enhanced = (struct smtp_enhanced){(uint8_t)(code / 100), (uint16_t)subject, (uint16_t)detail};
    return refusal_about(&r);
}

static void replies(void **state)
{
    static const struct {
        enum smtp_stage stage;
        int code, subject, detail;
        enum refusal_about about;
    } rows[] = {
        {SMTP_STAGE_MAIL, 421, 3, 0, REFUSAL_SERVER}, {SMTP_STAGE_DATA_END, 421, -1, 0, REFUSAL_SERVER},
        {SMTP_STAGE_MAIL, 451, 3, 0, REFUSAL_SERVER}, {SMTP_STAGE_RCPT, 451, 3, 0, REFUSAL_NONE},
        {SMTP_STAGE_MAIL, 451, 7, 1, REFUSAL_NONE},   {SMTP_STAGE_MAIL, 530, 7, 0, REFUSAL_TERMS},
        {SMTP_STAGE_MAIL, 530, -1, 0, REFUSAL_TERMS}, {SMTP_STAGE_RCPT, 530, 7, 1, REFUSAL_TERMS},
        {SMTP_STAGE_DATA, 538, 7, 11, REFUSAL_TERMS}, {SMTP_STAGE_MAIL, 521, -1, 0, REFUSAL_TERMS},
        {SMTP_STAGE_MAIL, 503, 5, 1, REFUSAL_TERMS},  {SMTP_STAGE_DATA, 503, 5, 1, REFUSAL_NONE},
        {SMTP_STAGE_MAIL, 550, 7, 25, REFUSAL_TERMS}, {SMTP_STAGE_MAIL, 554, 3, 2, REFUSAL_TERMS},
        {SMTP_STAGE_MAIL, 552, 3, 4, REFUSAL_NONE},   {SMTP_STAGE_MAIL, 501, 5, 4, REFUSAL_NONE},
        {SMTP_STAGE_MAIL, 553, 1, 8, REFUSAL_NONE},   {SMTP_STAGE_MAIL, 554, 7, 1, REFUSAL_NONE},
        {SMTP_STAGE_RCPT, 550, 1, 1, REFUSAL_NONE},   {SMTP_STAGE_LOCAL, 553, 6, 7, REFUSAL_NONE},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (about(rows[i].stage, rows[i].code, rows[i].subject, rows[i].detail) != rows[i].about)
            fail_msg("row %zu", i);
}

static struct mono_time at(int64_t ms)
{
    return mono_add_ms((struct mono_time){0}, ms);
}

static void many_in_a_row_are_doubted_until_one_is_taken(void **state)
{
    struct refusals r = {0};
    (void)state;
    for (int i = 1; i < REFUSALS_DOUBT; i++)
        assert_false(refusals_add(&r, at(i)));
    assert_false(refusals_tell(&r));
    assert_true(refusals_add(&r, at(100)));
    assert_true(refusals_add(&r, at(200)));
    assert_true(refusals_tell(&r));
    assert_false(refusals_tell(&r));
    refusals_end(&r);
    assert_false(refusals_add(&r, at(300)));
}

/* Of mail that comes now and then each is told of at once. */
static void refusals_hours_apart_are_no_row(void **state)
{
    struct refusals r = {0};
    (void)state;
    for (int i = 0; i < 2 * REFUSALS_DOUBT; i++)
        assert_false(refusals_add(&r, at(i * (int64_t)REFUSALS_FORGET_MS)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies),
        cmocka_unit_test(many_in_a_row_are_doubted_until_one_is_taken),
        cmocka_unit_test(refusals_hours_apart_are_no_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
