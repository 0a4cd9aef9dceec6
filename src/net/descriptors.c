#include "net/descriptors.h"

#include <sys/resource.h>

#include "base/check.h"

#define EVERY_ROLE 64 /* measured: 40 with the store's connections and journals */

int64_t descriptors_raise(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        limit.rlim_cur = before;
    return limit.rlim_cur > INT32_MAX ? INT32_MAX : (int64_t)limit.rlim_cur; /* RLIM_INFINITY, too */
}

int64_t descriptors_sessions(int64_t max, int64_t wanted, int64_t each, int64_t others)
{
    CHECK(each > 0);
    if (max == 0)
        return wanted;
    int64_t left = max - EVERY_ROLE - others;
    if (left < max / 4)
        left = max / 4;
    int64_t sessions = left / each > 0 ? left / each : 1;
    return sessions < wanted ? sessions : wanted;
}
