/* Only a store that cannot be reached leads into the spool. */
#include "relay/spool_choice.h"

#include "base/err.h"
#include "unit/unit.h"

static void goes(int shared, bool has_spool, int spool, bool spools, int err)
{
    struct spool_choice choice = spool_choose(shared, has_spool, spool);
    assert_int_equal(choice.spools, spools);
    assert_int_equal(choice.err, err);
}

static void test_a_store_that_works_takes_it(void **state)
{
    (void)state;
    goes(0, false, 0, false, 0);
    goes(0, true, 0, false, 0);
    goes(0, true, ERR_FULL, false, 0);
}

static void test_a_store_out_of_reach_leads_into_the_spool(void **state)
{
    (void)state;
    goes(ERR_UNAVAILABLE, true, 0, true, 0);
    goes(ERR_UNAVAILABLE, false, 0, false, ERR_UNAVAILABLE);
}

static void test_a_spool_that_takes_nothing_says_why(void **state)
{
    (void)state;
    goes(ERR_UNAVAILABLE, true, ERR_FULL, false, ERR_FULL);
    goes(ERR_UNAVAILABLE, true, ERR_SYNC, false, ERR_SYNC);
}

static void test_nothing_else_does(void **state)
{
    static const int others[] = {ERR_FENCED, ERR_FULL,   ERR_DEGRADED, ERR_SYNC,
                                 ERR_CLOSED, ERR_DENIED, ERR_UNKNOWN};
    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        goes(others[i], true, 0, false, others[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_store_that_works_takes_it),
        cmocka_unit_test(test_a_store_out_of_reach_leads_into_the_spool),
        cmocka_unit_test(test_a_spool_that_takes_nothing_says_why),
        cmocka_unit_test(test_nothing_else_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
