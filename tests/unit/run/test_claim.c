#include "run/claim.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "run/state_folder.h"
#include "unit/unit.h"

struct place {
    char dir[64];
    struct config config;
    struct config_node east, west;
};

static int setup(void **state)
{
    struct place *p = mem_zalloc(sizeof(*p));
    strcpy(p->dir, "/tmp/holdfast-claim-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    p->config = (struct config){.state_dir = p->dir, .user = ""};
    p->east.name = "east1";
    p->west.name = "west1";
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    char *command = mem_asprintf("rm -r %s", p->dir);
    assert_int_equal(system(command), 0);
    free(command);
    free(p);
    return 0;
}

static void one_holder_for_each_role_of_a_node(void **state)
{
    struct place *p = *state;
    struct claim relay, dns, west, run, network, second = CLAIM_NONE;
    struct err_buf eb = {""};
    char pid[32];
    assert_ok(claim_take(&p->config, "relay", &p->east, &relay, &eb));
    assert_int_equal(claim_take(&p->config, "relay", &p->east, &second, &eb), ERR_BUSY);
    assert_int_equal(second.fd, -1);
    snprintf(pid, sizeof(pid), "(pid %d, since 2", (int)getpid());
    assert_non_null(strstr(eb.text, "east1's relay is already running"));
    assert_non_null(strstr(eb.text, pid));
    assert_ok(claim_take(&p->config, "dns", &p->east, &dns, &eb));
    assert_ok(claim_take(&p->config, "relay", &p->west, &west, &eb));
    assert_ok(claim_take(&p->config, CLAIM_NODE, &p->east, &run, &eb));
    assert_ok(claim_take(&p->config, CLAIM_NETWORK, NULL, &network, &eb));
    assert_int_equal(claim_take(&p->config, CLAIM_NODE, &p->east, &second, &eb), ERR_BUSY);
    assert_non_null(strstr(eb.text, "east1 is already running"));
    claim_release(&relay);
    assert_ok(claim_take(&p->config, "relay", &p->east, &relay, &eb));
    claim_release(&relay);
    claim_release(&dns);
    claim_release(&west);
    claim_release(&run);
    claim_release(&network);
}

/* A child that holds a claim; returns its pid when it does. */
static pid_t start_holder(struct place *p)
{
    int fds[2];
    char byte;
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct claim claim;
        if (claim_take(&p->config, "relay", &p->east, &claim, NULL) == 0 && write(fds[1], "h", 1) == 1)
            pause();
        _exit(1);
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    close(fds[0]);
    return pid;
}

static void death_releases_and_a_pause_does_not(void **state)
{
    struct place *p = *state;
    struct claim claim = CLAIM_NONE;
    pid_t holder = start_holder(p);
    int status;
    kill(holder, SIGSTOP);
    assert_int_equal(waitpid(holder, &status, WUNTRACED), holder);
    assert_int_equal(claim_take(&p->config, "relay", &p->east, &claim, NULL), ERR_BUSY);
    kill(holder, SIGKILL);
    assert_int_equal(waitpid(holder, &status, 0), holder);
    assert_ok(claim_take(&p->config, "relay", &p->east, &claim, NULL));
    claim_release(&claim);
}

/* Root opens it in a folder of another user. */
static void a_link_is_no_pid_file(void **state)
{
    struct place *p = *state;
    struct claim claim = CLAIM_NONE;
    struct stat after;
    char *victim = mem_asprintf("%s/victim", p->dir), *file = mem_asprintf("%s/relay@east1.pid", p->dir);
    FILE *out = fopen(victim, "we");
    assert_true(out && fputs("precious", out) >= 0 && fclose(out) == 0);
    assert_int_equal(symlink(victim, file), 0);
    assert_true(claim_take(&p->config, "relay", &p->east, &claim, NULL) < 0);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(link(victim, file), 0);
    assert_true(claim_take(&p->config, "relay", &p->east, &claim, NULL) < 0);
    assert_int_equal(stat(victim, &after), 0);
    assert_int_equal(after.st_size, strlen("precious"));
    free(victim);
    free(file);
}

static void a_state_folder_says_what_is_in_its_way(void **state)
{
    struct place *p = *state;
    struct err_buf eb = {""};
    char *file = mem_asprintf("%s/file", p->dir), *below = mem_asprintf("%s/file/a/b", p->dir);
    FILE *out = fopen(file, "we");
    assert_true(out && fclose(out) == 0);
    p->config.state_dir = below;
    assert_true(state_folder_make(&p->config, &eb) < 0);
    char *part = mem_asprintf("cannot make %s/a: Not a directory", file);
    assert_non_null(strstr(eb.text, part));
    p->config.state_dir = "/proc/x";
    assert_true(state_folder_make(&p->config, &eb) < 0);
    assert_non_null(strstr(eb.text, "/proc/x: No such file or directory; "));
    p->config.state_dir = file;
    assert_true(state_folder_check(&p->config, &eb) < 0);
    p->config.state_dir = p->dir;
    assert_ok(state_folder_make(&p->config, &eb));
    assert_ok(state_folder_check(&p->config, &eb));
    free(part);
    free(below);
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_holder_for_each_role_of_a_node, setup, teardown),
        cmocka_unit_test_setup_teardown(death_releases_and_a_pause_does_not, setup, teardown),
        cmocka_unit_test_setup_teardown(a_link_is_no_pid_file, setup, teardown),
        cmocka_unit_test_setup_teardown(a_state_folder_says_what_is_in_its_way, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
