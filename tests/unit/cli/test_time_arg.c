#include "cli/time_arg.h"

#include "base/err.h"
#include "unit/unit.h"

#define NOW ((struct wall_time){1800000000000})

static void times(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: not one */
    } table[] = {
        {"2h", 1800000000000 - 7200000},
        {"500ms", 1800000000000 - 500},
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-28T08:02:44.682Z", 1795852964682},
        {"2024-02-29T23:59:59Z", 1709251199000},
        {"2023-02-29T00:00:00Z", -1},
        {"2026-11-28T24:00:00Z", -1},
        {"2026-11-28T08:02:44", -1},
        {"2026-11-28T08:02:44Zx", -1},
        {"2026-11-28 08:02:44Z", -1},
        {"2026-11-28T08:02:44.6Z", -1},
        {"26-11-28T08:02:44Z", -1},
        {"yesterday", -1},
        {"", -1},
        {"-2h", -1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct wall_time t = {-1};
        int rc = time_arg_parse(str_from(table[i].text), NOW, &t);
        if (rc != (table[i].ms < 0 ? ERR_SYNTAX : 0) || t.ms != table[i].ms)
            fail_msg("\"%s\": %d, %lld", table[i].text, rc, (long long)t.ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(times)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
