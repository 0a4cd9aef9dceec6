#include "rig.h"

static size_t gather(struct CMUnitTest *tests, size_t count, const struct rig_test *from,
                     int (*setup)(void **))
{
    for (; from->name; from++) {
        CHECK(count < RIG_TESTS_MAX);
        tests[count++] = (struct CMUnitTest){from->name, from->run, setup, rig_teardown, NULL};
    }
    return count;
}

int rig_run(const char *engine, int (*setup)(void **state), const struct rig_test *extra)
{
    static struct CMUnitTest tests[RIG_TESTS_MAX];
    size_t count = gather(tests, 0, network_tests, setup);
    count = gather(tests, count, recipient_tests, setup);
    count = gather(tests, count, queue_tests, setup);
    count = gather(tests, count, find_tests, setup);
    count = gather(tests, count, kept_tests, setup);
    count = gather(tests, count, replay_tests, setup);
    count = gather(tests, count, past_tests, setup);
    count = gather(tests, count, report_tests, setup);
    count = gather(tests, count, body_tests, setup);
    count = gather(tests, count, mail_tests, setup);
    count = gather(tests, count, together_tests, setup);
    count = gather(tests, count, extra, setup);
    return _cmocka_run_group_tests(engine, tests, count, NULL, NULL);
}
