#include "run/supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "loop/real.h"
#include "unit/unit.h"

#define CHILDREN_MAX 3

/* Children are this program again: each writes its letter into a pipe when it
 * starts, and in upper case when it is asked to end. */
struct world {
    struct loop *l;
    struct supervisor *s;
    int pipe_fds[2];
    struct loop_watch *watch;
    char heard[64];
    size_t heard_len;
    const char *stop_at; /* stops the loop when this was heard */
    int died, stop_at_deaths, ended;
    char *fifo_path;
};

static void on_ready(void *arg, bool readable, bool writable)
{
    struct world *w = arg;
    (void)readable;
    (void)writable;
    ssize_t got = read(w->pipe_fds[0], w->heard + w->heard_len, sizeof(w->heard) - 1 - w->heard_len);
    if (got > 0)
        w->heard_len += (size_t)got;
    if (w->stop_at && strstr(w->heard, w->stop_at))
        loop_stop(w->l);
}

static void on_died(void *arg, size_t child, int exit_status, int signum)
{
    struct world *w = arg;
    (void)child;
    (void)exit_status;
    (void)signum;
    if (++w->died == w->stop_at_deaths)
        loop_stop(w->l);
}

static void on_ended(void *arg)
{
    struct world *w = arg;
    w->ended++;
    loop_stop(w->l);
}

static int setup(void **state)
{
    struct world *w = mem_zalloc(sizeof(*w));
    w->l = loop_real_new();
    assert_int_equal(pipe2(w->pipe_fds, O_CLOEXEC | O_NONBLOCK), 0);
    /* Children get no descriptor of ours: they open it by our pid. */
    w->fifo_path = mem_asprintf("/proc/%d/fd/%d", (int)getpid(), w->pipe_fds[1]);
    w->watch = loop_watch_new(w->l, w->pipe_fds[0], on_ready, w);
    loop_watch_set(w->watch, true, false);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    supervisor_free(w->s);
    loop_watch_free(w->watch);
    loop_real_free(w->l);
    close(w->pipe_fds[0]);
    close(w->pipe_fds[1]);
    free(w->fifo_path);
    free(w);
    return 0;
}

static const char *child_argv[CHILDREN_MAX][5]; /* must outlive the supervisor */

static void start(struct world *w, const char *const *modes, size_t count, struct supervisor_options options)
{
    static const char *const letters[CHILDREN_MAX] = {"a", "b", "c"};
    struct supervisor_child children[CHILDREN_MAX];
    for (size_t i = 0; i < count; i++) {
        const char *const line[] = {"/proc/self/exe", modes[i], w->fifo_path, letters[i], NULL};
        memcpy(child_argv[i], line, sizeof(line));
        children[i] = (struct supervisor_child){letters[i], child_argv[i]};
    }
    options.children = children;
    options.count = count;
    assert_ok(supervisor_start(w->l, &options, &(struct supervisor_ops){.died = on_died, .ended = on_ended},
                               w, &w->s, NULL));
}

static void run_until_heard(struct world *w, const char *letters)
{
    for (const char *c = letters; *c; c++) {
        const char text[] = {*c, '\0'};
        w->stop_at = text;
        if (!strstr(w->heard, text))
            loop_run(w->l);
    }
    w->stop_at = NULL;
}

static void ends_one_after_the_other_in_reverse(void **state)
{
    struct world *w = *state;
    const char *const modes[] = {"ends", "ends", "ends"};
    start(w, modes, 3, (struct supervisor_options){.restart = true, .end_wait_ms = 60000});
    run_until_heard(w, "abc");
    supervisor_end(w->s);
    assert_int_equal(w->ended, 0);
    loop_run(w->l);
    assert_int_equal(w->ended, 1);
    assert_string_equal(w->heard + 3, "CBA");
    assert_int_equal(w->died, 0);
}

static void who_does_not_go_is_killed(void **state)
{
    struct world *w = *state;
    const char *const modes[] = {"ends", "never"};
    start(w, modes, 2, (struct supervisor_options){.restart = true, .end_wait_ms = 1});
    run_until_heard(w, "ab");
    supervisor_end(w->s);
    loop_run(w->l);
    assert_int_equal(w->ended, 1);
    assert_int_equal(supervisor_child_pid(w->s, 0), 0);
    assert_int_equal(supervisor_child_pid(w->s, 1), 0);
}

static void asked_twice_kills(void **state)
{
    struct world *w = *state;
    const char *const modes[] = {"never", "never"};
    start(w, modes, 2, (struct supervisor_options){.restart = true, .end_wait_ms = 600000});
    run_until_heard(w, "ab");
    supervisor_end(w->s);
    supervisor_end(w->s);
    loop_run(w->l);
    assert_int_equal(w->ended, 1);
}

static void one_that_died_is_started_again(void **state)
{
    struct world *w = *state;
    const char *const modes[] = {"ends", "ends"};
    start(w, modes, 2, (struct supervisor_options){.restart = true, .end_wait_ms = 60000});
    run_until_heard(w, "ab");
    pid_t other = supervisor_child_pid(w->s, 1);
    memset(w->heard, 0, sizeof(w->heard));
    w->heard_len = 0;
    assert_int_equal(kill(supervisor_child_pid(w->s, 0), SIGKILL), 0);
    run_until_heard(w, "a");
    assert_string_equal(w->heard, "a");
    assert_int_equal(w->died, 1);
    assert_int_equal(supervisor_child_pid(w->s, 1), other);
}

static void without_restart_ends_with_the_last(void **state)
{
    struct world *w = *state;
    const char *const modes[] = {"dies", "dies"};
    start(w, modes, 2, (struct supervisor_options){.end_wait_ms = 60000, .end_together = true});
    loop_run(w->l);
    assert_int_equal(w->ended, 1);
    assert_int_equal(w->died, 2);
    assert_int_equal(supervisor_child_pid(w->s, 0), 0);
}

static void one_that_cannot_start_ends_all(void **state)
{
    struct world *w = *state;
    const char *const modes[] = {"ends", "refuses"};
    start(w, modes, 2, (struct supervisor_options){.restart = true, .end_wait_ms = 60000});
    loop_run(w->l);
    assert_int_equal(w->ended, 1);
    assert_int_equal(w->died, 0);
    assert_true(supervisor_gave_up(w->s));
    assert_int_equal(supervisor_child_pid(w->s, 0), 0);
}

/* It could start before: what hinders it may pass. */
static void a_later_start_that_fails_ends_nothing(void **state)
{
    struct world *w = *state;
    const char *const modes[] = {"ends"};
    start(w, modes, 1, (struct supervisor_options){.restart = true, .end_wait_ms = 60000});
    run_until_heard(w, "a");
    child_argv[0][1] = "refuses";
    assert_int_equal(kill(supervisor_child_pid(w->s, 0), SIGKILL), 0);
    w->stop_at_deaths = 3;
    loop_run(w->l);
    assert_int_equal(w->died, 3);
    assert_false(supervisor_gave_up(w->s));
    assert_int_equal(w->ended, 0);
}

static void all_end_together(void **state)
{
    struct world *w = *state;
    const char *const modes[] = {"ends", "never"};
    start(w, modes, 2, (struct supervisor_options){.end_wait_ms = 600000, .end_together = true});
    run_until_heard(w, "ab");
    supervisor_end(w->s);
    run_until_heard(w, "A"); /* though b, asked first, does not go */
    supervisor_end(w->s);
    loop_run(w->l);
    assert_int_equal(w->ended, 1);
}

/* ---- the children ---- */

static void tell(const char *path, char letter)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, &letter, 1) != 1)
        _exit(9);
    close(fd);
}

static int child_main(const char *mode, const char *path, char letter)
{
    sigset_t term;
    int signum;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    if (strcmp(mode, "dies") == 0)
        return 7;
    if (strcmp(mode, "refuses") == 0)
        return supervisor_refusal();
    tell(path, letter);
    while (strcmp(mode, "never") == 0)
        pause();
    sigwait(&term, &signum);
    tell(path, ascii_upper(letter));
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4)
        return child_main(argv[1], argv[2], argv[3][0]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ends_one_after_the_other_in_reverse, setup, teardown),
        cmocka_unit_test_setup_teardown(who_does_not_go_is_killed, setup, teardown),
        cmocka_unit_test_setup_teardown(asked_twice_kills, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_died_is_started_again, setup, teardown),
        cmocka_unit_test_setup_teardown(without_restart_ends_with_the_last, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_cannot_start_ends_all, setup, teardown),
        cmocka_unit_test_setup_teardown(a_later_start_that_fails_ends_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(all_end_together, setup, teardown),
    };
    return cmocka_run_group_tests_name("run supervisor", tests, NULL, NULL);
}
