/* Waits for a condition that another thread or process brings about. The one
 * place in C tests that sleeps; see tests/tidy/rules.py. */
#ifndef HOLDFAST_TESTS_WAIT_H
#define HOLDFAST_TESTS_WAIT_H

#include <time.h>
#include <unistd.h>

#define WAIT_LIMIT_S 20 /* a loaded machine under a sanitizer needs seconds */

/* Looks at cond each millisecond; fails the test when it does not come true. */
#define WAIT_UNTIL(cond)                                                                                     \
    do {                                                                                                     \
        time_t began_ = time(NULL);                                                                          \
        while (!(cond)) {                                                                                    \
            if (time(NULL) - began_ > WAIT_LIMIT_S)                                                          \
                fail_msg("waited in vain: %s", #cond);                                                       \
            usleep(1000);                                                                                    \
        }                                                                                                    \
    } while (0)

#endif
