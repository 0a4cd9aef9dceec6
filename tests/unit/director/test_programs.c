/* The ready-made provisioner and fence agent, run as the director runs them,
 * with a shell script in the place of `holdfast mailbox`. argv: PROVISIONER
 * FENCE-AGENT. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "director/program.h"
#include "loop/real.h"
#include "unit/unit.h"

static const char *provisioner, *fence_agent;

/* What it does follows from the address that it is given. */
static const char script[] =
    "#!/bin/sh\n"
    "while [ $# -gt 0 ]; do case $1 in --ready) r=$2;; --epoch) e=$2;; --address) a=$2;; esac; shift; done\n"
    "case $a in\n"
    "127.0.0.75) echo port in use; exit 75;;\n"
    "127.0.0.1) echo no such luck; exit 1;;\n"
    "127.0.0.9) exec sleep 1000;;\n" /* never ready */
    "127.0.0.4) case $(readlink /proc/$$/fd/$HOLDFAST_LIFELINE_FD) in pipe:*);; *) exit 1;; esac;;\n"
    "esac\n"
    "printf '{\"pid\":%d,\"epoch\":%d}' $$ $e >$r.tmp; mv $r.tmp $r\n"
    "exec sleep 1000\n";

struct world {
    struct loop *l;
    char dir[32];
    struct config config;
    struct program_options options;
    int64_t exit_status, pid, pid_start;
    char text[512];
};

static int setup(void **state)
{
    struct world *w = mem_zalloc(sizeof(*w));
    snprintf(w->dir, sizeof(w->dir), "/tmp/holdfast-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    char *path = mem_asprintf("%s/mailbox", w->dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    assert_int_equal(write(fd, script, sizeof(script) - 1), sizeof(script) - 1);
    close(fd);
    setenv("HOLDFAST_BIN", path, 1);
    free(path);
    w->l = loop_real_new();
    w->config = (struct config){.path = "/nowhere/holdfast.conf", .state_dir = w->dir};
    w->options = (struct program_options){&w->config, "/nowhere/holdfast", -1};
    *state = w;
    return 0;
}

static void on_end(void *arg, const struct order_result *result)
{
    struct world *w = arg;
    w->exit_status = result->exit_status;
    w->pid = result->pid;
    w->pid_start = result->pid_start;
    snprintf(w->text, sizeof(w->text), "%.*s", STR_ARG(result->text));
    loop_stop(w->l);
}

static int64_t run(struct world *w, const char *verb, struct order_args args)
{
    args.server = STR("mail1");
    args.node = STR("east1");
    args.site = STR("east");
    args.program = str_from(strcmp(verb, ORDER_FENCE) == 0 ? fence_agent : provisioner);
    if (args.timeout_ms == 0)
        args.timeout_ms = 60000;
    if (args.address.len == 0)
        args.address = STR("127.0.0.2");
    struct program *p = program_run(w->l, &w->options, verb, &args, on_end, w);
    loop_run(w->l);
    program_free(p);
    return w->exit_status;
}

static int64_t create(struct world *w, int64_t epoch)
{
    return run(w, ORDER_CREATE, (struct order_args){.epoch = epoch});
}

static int64_t destroy(struct world *w, int64_t epoch)
{
    return run(w, ORDER_DESTROY, (struct order_args){.epoch = epoch});
}

/* A zombie does not: nobody may be there to wait for it. */
static bool runs(int64_t pid)
{
    char path[64], text[512] = "";
    snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    const char *end = fgets(text, sizeof(text), f) ? strrchr(text, ')') : NULL;
    fclose(f);
    return end && strncmp(end, ") Z", 3) != 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    assert_int_equal(destroy(w, 1000000), 0);
    loop_real_free(w->l);
    char *command = mem_asprintf("rm -rf %s", w->dir);
    assert_int_equal(system(command), 0);
    free(command);
    free(w);
    return 0;
}

static void creates_once_for_an_epoch(void **state)
{
    struct world *w = *state;
    assert_int_equal(create(w, 3), 0);
    int64_t pid = w->pid, start = w->pid_start;
    assert_true(pid > 1 && start > 0 && runs(pid));
    assert_int_equal(create(w, 3), 0);
    assert_int_equal(w->pid, pid);
    assert_int_equal(w->pid_start, start);
}

static void refuses_a_lower_epoch(void **state)
{
    struct world *w = *state;
    assert_int_equal(create(w, 3), 0);
    int64_t pid = w->pid;
    assert_int_equal(create(w, 2), 1);
    assert_non_null(strstr(w->text, "stale"));
    assert_true(runs(pid));
}

static void a_higher_epoch_ends_the_stale_one(void **state)
{
    struct world *w = *state;
    assert_int_equal(create(w, 3), 0);
    int64_t pid = w->pid;
    assert_int_equal(create(w, 5), 0);
    assert_false(runs(pid));
    assert_true(runs(w->pid));
}

static void destroys_and_never_creates_that_again(void **state)
{
    struct world *w = *state;
    assert_int_equal(create(w, 3), 0);
    int64_t pid = w->pid;
    assert_int_equal(destroy(w, 3), 0);
    assert_false(runs(pid));
    assert_int_equal(destroy(w, 3), 0);
    assert_int_equal(create(w, 3), 1);
    assert_non_null(strstr(w->text, "destroyed"));
    assert_int_equal(create(w, 4), 0);
}

static void destroying_an_old_epoch_leaves_the_new_one(void **state)
{
    struct world *w = *state;
    assert_int_equal(create(w, 3), 0);
    assert_int_equal(create(w, 4), 0);
    assert_int_equal(destroy(w, 3), 0);
    assert_int_equal(create(w, 4), 0);
    assert_true(runs(w->pid));
}

static void what_was_never_created_is_destroyed_beforehand(void **state)
{
    struct world *w = *state;
    assert_int_equal(destroy(w, 7), 0);
    assert_int_equal(create(w, 7), 1);
}

static void failures_are_told(void **state)
{
    struct world *w = *state;
    assert_int_equal(run(w, ORDER_CREATE, (struct order_args){.epoch = 1, .address = STR("127.0.0.75")}), 75);
    assert_non_null(strstr(w->text, "port in use"));
    assert_int_equal(run(w, ORDER_CREATE, (struct order_args){.epoch = 1, .address = STR("127.0.0.1")}), 1);
    assert_non_null(strstr(w->text, "no such luck"));
    assert_int_equal(create(w, 1), 0); /* the same epoch, since it was never ready */
}

static void one_that_is_not_ready_in_time_is_killed(void **state)
{
    struct world *w = *state;
    struct order_args args = {.epoch = 1, .address = STR("127.0.0.9"), .timeout_ms = 1600};
    assert_int_equal(run(w, ORDER_CREATE, args), 1);
    assert_non_null(strstr(w->text, "not ready"));
    assert_int_equal(create(w, 1), 0);
}

static void one_that_ended_is_not_created_again(void **state)
{
    struct world *w = *state;
    assert_int_equal(create(w, 3), 0);
    assert_int_equal(
        run(w, ORDER_FENCE, (struct order_args){.epoch = 3, .pid = w->pid, .pid_start = w->pid_start}), 0);
    assert_int_equal(create(w, 3), 1);
    assert_non_null(strstr(w->text, "has ended"));
}

static void the_lifeline_reaches_the_instance(void **state)
{
    struct world *w = *state;
    int fds[2];
    char number[16];
    struct order_args args = {.epoch = 1, .address = STR("127.0.0.4")};
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    snprintf(number, sizeof(number), "%d", fds[0]);
    setenv("HOLDFAST_LIFELINE_FD", number, 1);
    assert_int_equal(run(w, ORDER_CREATE, args), 1);
    w->options.lifeline_fd = fds[0];
    assert_int_equal(run(w, ORDER_CREATE, args), 0);
    unsetenv("HOLDFAST_LIFELINE_FD");
    close(fds[0]);
    close(fds[1]);
}

static void names_are_no_paths(void **state)
{
    struct world *w = *state;
    struct order_args args = {.epoch = 1, .server = STR("../x"), .node = STR("n"), .timeout_ms = 60000};
    args.program = str_from(provisioner);
    struct program *p = program_run(w->l, &w->options, ORDER_CREATE, &args, on_end, w);
    loop_run(w->l);
    program_free(p);
    assert_int_equal(w->exit_status, 1);
}

/* ---- the fence agent ---- */

static void fence_kills_only_the_one_named(void **state)
{
    struct world *w = *state;
    assert_int_equal(create(w, 1), 0);
    struct order_args args = {.epoch = 1, .pid = w->pid, .pid_start = w->pid_start + 1};
    assert_int_equal(run(w, ORDER_FENCE, args), 0); /* that one is off: the pid is another's now */
    assert_true(runs(args.pid));
    args.pid_start--;
    assert_int_equal(run(w, ORDER_FENCE, args), 0);
    assert_false(runs(args.pid));
    assert_int_equal(run(w, ORDER_FENCE, args), 0);
}

static int agent_status(const char *lines)
{
    char *command = mem_asprintf("printf '%s' | %s 2>/dev/null", lines, fence_agent);
    int status = system(command);
    free(command);
    return WEXITSTATUS(status);
}

static void fence_tells_the_status(void **state)
{
    struct world *w = *state;
    char lines[128];
    assert_int_equal(create(w, 1), 0);
    snprintf(lines, sizeof(lines), "# comment\\nnodename=x\\naction=status\\nplug=%lld:%lld\\n",
             (long long)w->pid, (long long)w->pid_start);
    assert_int_equal(agent_status(lines), 0);
    assert_int_equal(destroy(w, 1), 0);
    assert_int_equal(agent_status(lines), 2);
}

/* "Off" is said of what is certainly off, and of nothing else. */
static void fence_does_not_take_its_own_trouble_for_off(void **state)
{
    struct world *w = *state;
    char lines[160];
    struct stat st;
    assert_int_equal(create(w, 1), 0);
    assert_int_equal(stat("/proc/self/ns/pid", &st), 0);
    struct order_args args = {
        .epoch = 1, .pid = w->pid, .pid_start = w->pid_start, .pid_ns = (int64_t)st.st_ino + 1};
    assert_int_equal(run(w, ORDER_FENCE, args), 1); /* of another pid namespace */
    assert_non_null(strstr(w->text, "pid namespace"));
    assert_true(runs(args.pid));
    /* One descriptor beside the standard ones: not enough for the process and its start time. */
    snprintf(lines, sizeof(lines), "action=off\\nplug=%lld:%lld\\n", (long long)w->pid,
             (long long)w->pid_start);
    char *command =
        mem_asprintf("printf '%s' | sh -c 'ulimit -n 4; exec %s' 2>/dev/null", lines, fence_agent);
    assert_int_equal(WEXITSTATUS(system(command)), 1);
    free(command);
    assert_true(runs(args.pid));
    args.pid_ns--;
    assert_int_equal(run(w, ORDER_FENCE, args), 0);
    assert_false(runs(args.pid));
}

static void a_zombie_is_off(void **state)
{
    char lines[128], path[64], text[512];
    (void)state;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    assert_non_null(fgets(text, sizeof(text), f));
    fclose(f);
    char *rest = strrchr(text, ')') + 2, *field = NULL;
    for (int i = 3; i <= 22; i++)
        field = strsep(&rest, " ");
    snprintf(lines, sizeof(lines), "action=off\\nplug=%d:%s\\n", (int)pid, field);
    assert_int_equal(agent_status(lines), 0);
    waitpid(pid, NULL, 0);
}

static void fence_refuses_what_it_does_not_understand(void **state)
{
    (void)state;
    assert_int_equal(agent_status("action=off\\nplug=1:1\\n"), 1);
    assert_int_equal(agent_status("action=off\\nplug=mail1\\n"), 1);
    assert_int_equal(agent_status("action=off\\n"), 1);
    assert_int_equal(agent_status("action=reboot\\nplug=99:1\\n"), 1);
    assert_int_equal(agent_status(""), 1);
    assert_int_equal(agent_status("action=monitor\\n"), 0);
}

/* ---- finding programs ---- */

static void programs_are_found_by_name_or_path(void **state)
{
    char *path;
    (void)state;
    assert_ok(program_find("/opt/bin/holdfast", "fence", STR("/sbin/fence_x"), &path));
    assert_string_equal(path, "/sbin/fence_x");
    free(path);
    assert_ok(program_find("/opt/bin/holdfast", "fence", STR("process"), &path));
    assert_string_equal(path, "/opt/bin/fence/process");
    free(path);
    assert_err(program_find("/opt/bin/holdfast", "fence", STR("../x"), &path), ERR_INVALID);
    assert_err(program_find("/opt/bin/holdfast", "fence", STR_EMPTY, &path), ERR_INVALID);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    provisioner = argv[1];
    fence_agent = argv[2];
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        WITH_WORLD(creates_once_for_an_epoch),
        WITH_WORLD(refuses_a_lower_epoch),
        WITH_WORLD(a_higher_epoch_ends_the_stale_one),
        WITH_WORLD(destroys_and_never_creates_that_again),
        WITH_WORLD(destroying_an_old_epoch_leaves_the_new_one),
        WITH_WORLD(what_was_never_created_is_destroyed_beforehand),
        WITH_WORLD(failures_are_told),
        WITH_WORLD(one_that_is_not_ready_in_time_is_killed),
        WITH_WORLD(one_that_ended_is_not_created_again),
        WITH_WORLD(the_lifeline_reaches_the_instance),
        WITH_WORLD(names_are_no_paths),
        WITH_WORLD(fence_kills_only_the_one_named),
        WITH_WORLD(fence_tells_the_status),
        WITH_WORLD(fence_does_not_take_its_own_trouble_for_off),
        cmocka_unit_test(a_zombie_is_off),
        cmocka_unit_test(fence_refuses_what_it_does_not_understand),
        cmocka_unit_test(programs_are_found_by_name_or_path),
    };
    return cmocka_run_group_tests_name("director programs", tests, NULL, NULL);
}
