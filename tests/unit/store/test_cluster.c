/* The PostgreSQL of a test program: it serves, and it goes with the program. */
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster.h"
#include "unit/unit.h"
#include "unit/wait.h"

/* In a program of its own, which tells the folder and then stays. */
static void start_and_stay(int told)
{
    const char *folder = cluster_folder();
    if (write(told, folder, strlen(folder)) > 0)
        pause();
    _exit(1);
}

static void it_goes_with_a_program_that_is_killed(void **state)
{
    char folder[64] = "";
    int told[2];
    (void)state;
    assert_int_equal(pipe(told), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        start_and_stay(told[1]);
    close(told[1]);
    assert_true(read(told[0], folder, sizeof(folder) - 1) > 0);
    close(told[0]);
    assert_int_equal(access(folder, F_OK), 0);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    WAIT_UNTIL(access(folder, F_OK) != 0);
}

static void it_serves(void **state)
{
    char uri[128];
    (void)state;
    snprintf(uri, sizeof(uri), "postgresql://" CLUSTER_USER "@/postgres?host=%s", cluster_folder());
    assert_int_equal(PQping(uri), PQPING_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_goes_with_a_program_that_is_killed),
        cmocka_unit_test(it_serves),
    };
    return cmocka_run_group_tests_name("store, cluster of the tests", tests, NULL, NULL);
}
