#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "contract.h"
#include "loop/real.h"

static void contract_fini(struct contract *c)
{
    loop_real_free(c->l);
}

int contract_setup(void **state)
{
    struct contract *c = mem_zalloc(sizeof(*c));
    *c = (struct contract){.l = loop_real_new(), .fini = contract_fini, .ip = "127.0.0.1"};
    *state = c;
    return 0;
}

struct outcome {
    struct loop *l;
    int calls;
    struct loop_process_result result;
    char output[256], error_output[256];
};

static void on_exit_note(void *arg, const struct loop_process_result *result)
{
    struct outcome *o = arg;
    o->calls++;
    o->result = *result;
    snprintf(o->output, sizeof(o->output), "%.*s", STR_ARG(result->output));
    snprintf(o->error_output, sizeof(o->error_output), "%.*s", STR_ARG(result->error_output));
    loop_stop(o->l);
}

#define SHELL(script)                                                                                        \
    (const char *const[])                                                                                    \
    {                                                                                                        \
        "/bin/sh", "-c", (script), NULL                                                                      \
    }

static struct outcome spawn(struct contract *c, const struct loop_process_spec *spec)
{
    struct outcome o = {.l = c->l};
    struct loop_process *p = loop_process_spawn(c->l, spec, on_exit_note, &o);
    assert_int_equal(o.calls, 0);
    contract_run(c);
    assert_int_equal(o.calls, 1);
    loop_process_free(p);
    return o;
}

static void input_output_and_status(void **state)
{
    struct outcome o =
        spawn(*state, &(struct loop_process_spec){.argv = SHELL("read a; echo got $a; echo oops >&2; exit 7"),
                                                  .input = STR("holdfast\n"),
                                                  .output_max = 100});
    assert_int_equal(o.result.err, 0);
    assert_int_equal(o.result.exit_status, 7);
    assert_int_equal(o.result.signal, 0);
    assert_string_equal(o.output, "got holdfast\n");
    assert_string_equal(o.error_output, "oops\n");
}

static void no_input_is_an_empty_one(void **state)
{
    struct outcome o =
        spawn(*state, &(struct loop_process_spec){.argv = SHELL("cat; echo end"), .output_max = 100});
    assert_string_equal(o.output, "end\n");
}

static void output_beyond_the_limit_is_dropped(void **state)
{
    struct outcome o =
        spawn(*state, &(struct loop_process_spec){.argv = SHELL("head -c 300000 /dev/zero | tr '\\0' x"),
                                                  .output_max = 10});
    assert_int_equal(o.result.exit_status, 0);
    assert_string_equal(o.output, "xxxxxxxxxx");
}

static void input_that_nobody_reads(void **state)
{
    char *input = mem_zalloc(1 << 20);
    struct outcome o = spawn(
        *state,
        &(struct loop_process_spec){.argv = SHELL("exit 3"), .input = {input, 1 << 20}, .output_max = 10});
    assert_int_equal(o.result.exit_status, 3);
    free(input);
}

static void program_not_found(void **state)
{
    struct contract *c = *state;
    struct outcome o = {.l = c->l};
    struct loop_process *p = loop_process_spawn(
        c->l, &(struct loop_process_spec){.argv = (const char *const[]){"/nonexistent/program", NULL}},
        on_exit_note, &o);
    assert_int_equal(loop_process_pid(p), 0);
    loop_process_kill(p, SIGTERM);
    contract_run(c);
    assert_int_equal(o.result.err, ERR_NOT_FOUND);
    assert_int_equal(o.result.exit_status, -1);
    loop_process_free(p);
}

static void program_not_executable(void **state)
{
    struct outcome o =
        spawn(*state, &(struct loop_process_spec){.argv = (const char *const[]){"/etc/passwd", NULL}});
    assert_int_equal(o.result.err, ERR_DENIED);
}

/* Its children are killed with it, and their copies of the pipes do not matter.
 * A limit that was too short for a loaded machine to print the child's id is
 * tried again longer. */
static void time_limit_kills_the_group(void **state)
{
    struct outcome o;
    int64_t limit_ms = 50;
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* so that the grandchild's end comes to us */
    do {
        limit_ms *= 2;
        o = spawn(*state, &(struct loop_process_spec){.argv = SHELL("sleep 1000 & echo $!; sleep 1000"),
                                                      .output_max = 100,
                                                      .timeout_ms = limit_ms});
        assert_int_equal(o.result.err, ERR_TIMEOUT);
        assert_int_equal(o.result.signal, SIGKILL);
    } while (o.output[0] == '\0');
    pid_t grandchild = atoi(o.output);
    assert_true(grandchild > 1);
    while (waitpid(-1, NULL, 0) > 0) /* none goes on for its thousand seconds */
        ;
    assert_int_equal(kill(grandchild, 0), -1);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void children_left_behind_are_not_waited_for(void **state)
{
    struct outcome o =
        spawn(*state, &(struct loop_process_spec){.argv = SHELL("sleep 1000 & echo $!"), .output_max = 100});
    assert_int_equal(o.result.exit_status, 0);
    assert_true(atoi(o.output) > 1);
    kill(atoi(o.output), SIGKILL);
}

static void killed_by_a_signal(void **state)
{
    struct contract *c = *state;
    struct outcome o = {.l = c->l};
    struct loop_process *p = loop_process_spawn(
        c->l, &(struct loop_process_spec){.argv = SHELL("exec sleep 1000")}, on_exit_note, &o);
    assert_true(loop_process_pid(p) > 1);
    loop_process_kill(p, SIGTERM);
    contract_run(c);
    assert_int_equal(o.result.err, 0);
    assert_int_equal(o.result.exit_status, -1);
    assert_int_equal(o.result.signal, SIGTERM);
    loop_process_kill(p, SIGTERM);
    loop_process_free(p);
}

static void environment_is_added_and_replaced(void **state)
{
    setenv("HOLDFAST_TEST_KEPT", "kept", 1);
    setenv("HOLDFAST_TEST_REPLACED", "old", 1);
    const char *const extra[] = {"HOLDFAST_TEST_REPLACED=new", "HOLDFAST_TEST_ADDED=added", NULL};
    struct outcome o = spawn(
        *state, &(struct loop_process_spec){
                    .argv = SHELL("echo $HOLDFAST_TEST_KEPT $HOLDFAST_TEST_REPLACED $HOLDFAST_TEST_ADDED; "
                                  "tr '\\0' '\\n' </proc/$$/environ | grep -c HOLDFAST_TEST"),
                    .env_extra = extra,
                    .output_max = 100});
    assert_string_equal(o.output, "kept new added\n3\n");
}

/* Neither our descriptors nor our ignored signals (SIGPIPE) reach the child. */
static void child_gets_nothing_of_ours(void **state)
{
    assert_int_equal(dup2(STDERR_FILENO, 77), 77); /* without close-on-exec */
    struct outcome o =
        spawn(*state, &(struct loop_process_spec){.argv = SHELL("test -e /proc/$$/fd/77 || echo closed; "
                                                                "grep SigIgn /proc/$$/status"),
                                                  .output_max = 200});
    close(77);
    assert_string_equal(o.output, "closed\nSigIgn:\t0000000000000000\n");
}

static void child_gets_what_it_shall_inherit(void **state)
{
    int fds[2];
    char script[40];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    snprintf(script, sizeof(script), "echo x >/dev/fd/%d", fds[1]);
    struct outcome o = spawn(
        *state, &(struct loop_process_spec){
                    .argv = SHELL(script), .inherit_fds = &fds[1], .inherit_count = 1, .output_max = 10});
    assert_int_equal(o.result.exit_status, 0);
    char got[2];
    assert_int_equal(read(fds[0], got, sizeof(got)), 2);
    assert_int_not_equal(fcntl(fds[1], F_GETFD) & FD_CLOEXEC, 0);
    close(fds[0]);
    close(fds[1]);
}

static void detached_has_a_session_of_its_own(void **state)
{
    const char *script = "test $(cut -d' ' -f6 /proc/$$/stat) = $$ && echo leader";
    struct outcome o = spawn(
        *state, &(struct loop_process_spec){.argv = SHELL(script), .detached = true, .output_max = 100});
    assert_string_equal(o.output, "leader\n");
    o = spawn(*state, &(struct loop_process_spec){.argv = SHELL(script), .output_max = 100});
    assert_string_equal(o.output, "");
}

/* A process with a loop of its own starts a child and dies: so does the child. */
static void parent_of_one_that_must_die(int pid_pipe)
{
    struct loop *l = loop_real_new();
    struct loop_process *p = loop_process_spawn(
        l, &(struct loop_process_spec){.argv = SHELL("exec sleep 1000"), .die_with_parent = true},
        on_exit_note, NULL);
    pid_t pid = loop_process_pid(p);
    if (write(pid_pipe, &pid, sizeof(pid)) == sizeof(pid))
        raise(SIGKILL);
    _exit(1);
}

static void child_dies_with_its_parent(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* so that the grandchild's end comes to us */
    pid_t parent = fork();
    if (parent == 0)
        parent_of_one_that_must_die(fds[1]);
    pid_t grandchild;
    int status;
    assert_int_equal(read(fds[0], &grandchild, sizeof(grandchild)), sizeof(grandchild));
    assert_int_equal(waitpid(parent, &status, 0), parent);
    assert_int_equal(waitpid(grandchild, &status, 0), grandchild);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    close(fds[0]);
    close(fds[1]);
}

static void never_exit(void *arg, const struct loop_process_result *result)
{
    (void)arg;
    (void)result;
    fail();
}

static void on_reap_check(void *arg)
{
    struct contract *c = arg;
    siginfo_t info;
    if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG) == -1 && errno == ECHILD)
        loop_stop(c->l);
    else
        loop_post(c->l, on_reap_check, c);
}

static void forgotten_is_reaped_without_callback(void **state)
{
    struct contract *c = *state;
    struct loop_process *p =
        loop_process_spawn(c->l, &(struct loop_process_spec){.argv = SHELL("exit 0")}, never_exit, NULL);
    loop_process_free(p);
    loop_post(c->l, on_reap_check, c);
    contract_run(c);
}

/* Only children that the loop started are reaped. */
static void other_children_are_left_alone(void **state)
{
    pid_t other = fork();
    if (other == 0)
        _exit(42);
    spawn(*state, &(struct loop_process_spec){.argv = SHELL("exit 0")});
    int status;
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_int_equal(WEXITSTATUS(status), 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(input_output_and_status)                 /* */
        CONTRACT_TEST(no_input_is_an_empty_one)                /* */
        CONTRACT_TEST(output_beyond_the_limit_is_dropped)      /* */
        CONTRACT_TEST(input_that_nobody_reads)                 /* */
        CONTRACT_TEST(program_not_found)                       /* */
        CONTRACT_TEST(program_not_executable)                  /* */
        CONTRACT_TEST(time_limit_kills_the_group)              /* */
        CONTRACT_TEST(children_left_behind_are_not_waited_for) /* */
        CONTRACT_TEST(killed_by_a_signal)                      /* */
        CONTRACT_TEST(environment_is_added_and_replaced)       /* */
        CONTRACT_TEST(child_gets_nothing_of_ours)              /* */
        CONTRACT_TEST(child_gets_what_it_shall_inherit)        /* */
        CONTRACT_TEST(detached_has_a_session_of_its_own)       /* */
        CONTRACT_TEST(child_dies_with_its_parent)              /* */
        CONTRACT_TEST(forgotten_is_reaped_without_callback)    /* */
        CONTRACT_TEST(other_children_are_left_alone)           /* */
    };
    return cmocka_run_group_tests_name("loop process", tests, NULL, NULL);
}
