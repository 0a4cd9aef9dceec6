#include "run/lifeline.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop/real.h"
#include "unit/unit.h"

static void no_environment_no_lifeline(void **state)
{
    (void)state;
    unsetenv(LIFELINE_ENV);
    assert_int_equal(lifeline_fd(), -1);
    assert_null(lifeline_hold(NULL));
    const char *const bad[] = {"", "x", "-1", "99999999999", "1000000"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        setenv(LIFELINE_ENV, bad[i], 1);
        assert_int_equal(lifeline_fd(), -1);
    }
    unsetenv(LIFELINE_ENV);
}

/* A role in a process of its own: says that it holds the lifeline, then waits. */
static _Noreturn void role(const struct lifeline *lifeline, int report_fd)
{
    char number[16];
    close(lifeline->write_fd);
    snprintf(number, sizeof(number), "%d", lifeline->read_fd);
    setenv(LIFELINE_ENV, number, 1);
    struct loop *l = loop_real_new();
    if (!lifeline_hold(l) || write(report_fd, "h", 1) != 1)
        _exit(99);
    loop_run(l);
    _exit(98);
}

static void role_ends_when_the_write_end_is_gone(void **state)
{
    (void)state;
    struct lifeline lifeline;
    int report[2], status;
    char byte;
    assert_ok(lifeline_open(&lifeline, NULL));
    assert_int_not_equal(fcntl(lifeline.write_fd, F_GETFD) & FD_CLOEXEC, 0);
    assert_int_equal(pipe2(report, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0)
        role(&lifeline, report[1]);
    assert_int_equal(read(report[0], &byte, 1), 1);
    assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
    lifeline_close(&lifeline);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), LIFELINE_EXIT_STATUS);
    close(report[0]);
    close(report[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_environment_no_lifeline),
        cmocka_unit_test(role_ends_when_the_write_end_is_gone),
    };
    return cmocka_run_group_tests_name("run lifeline", tests, NULL, NULL);
}
