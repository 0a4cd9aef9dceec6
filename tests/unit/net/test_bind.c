#include "net/bind.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/unit.h"

static struct addr address(const char *text)
{
    struct addr a;
    assert_ok(addr_parse(str_from(text), &a));
    return a;
}

static void bound_to(int fd, struct addr *ret_at)
{
    socklen_t len = sizeof(ret_at->u);
    assert_int_equal(getsockname(fd, &ret_at->u.sa, &len), 0);
}

static void binds_all(void **state)
{
    (void)state;
    struct addr at[] = {address("127.0.0.1:0"), address("127.0.0.2:0")}, bound;
    int fds[2];
    assert_ok(net_bind_listen("relay", "r", at, 2, fds, NULL));
    for (size_t i = 0; i < 2; i++) {
        bound_to(fds[i], &bound);
        assert_true(addr_ip_eq(&bound, &at[i]));
        close(fds[i]);
    }
}

/* The first one is not left open when the second fails. */
static void port_in_use_says_who_tried_what(void **state)
{
    (void)state;
    struct addr at[] = {address("127.0.0.1:0"), address("127.0.0.1:0")};
    int holder, fds[2];
    struct err_buf eb;
    assert_ok(net_bind_listen("relay", "holder", at, 1, &holder, NULL));
    assert_int_equal(listen(holder, 1), 0);
    bound_to(holder, &at[1]);
    int lowest_free = dup(holder);
    close(lowest_free);
    assert_err(net_bind_listen("relay", "relay-east", at, 2, fds, &eb), ERR_BUSY);
    char text[ADDR_TEXT_MAX];
    addr_format(&at[1], text);
    assert_non_null(strstr(eb.text, "relay relay-east cannot listen"));
    assert_non_null(strstr(eb.text, text));
    assert_non_null(strstr(eb.text, "in use"));
    int next = dup(holder);
    assert_int_equal(next, lowest_free);
    close(next);
    close(holder);
}

static void foreign_address(void **state)
{
    (void)state;
    struct addr at = address("192.0.2.1:2525");
    struct err_buf eb;
    int fd;
    assert_err(net_bind_listen("relay", "r", &at, 1, &fd, &eb), ERR_UNAVAILABLE);
}

/* ---- privileges: in a child, since there is no way back ---- */

static int status_of(int (*child)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(child());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int drop_to_nobody(void)
{
    struct passwd *pw = getpwnam("nobody");
    bool root = geteuid() == 0;
    int signum = 0;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (!pw || net_drop_privileges("nobody", false, NULL) != 0)
        return 1;
    if (root && (getuid() != pw->pw_uid || geteuid() != pw->pw_uid || getegid() != pw->pw_gid))
        return 2;
    prctl(PR_GET_PDEATHSIG, &signum);
    return signum == SIGTERM ? 0 : 3;
}

/* Of /proc/self/status: "CapEff", "CapPrm", "CapAmb". */
static unsigned long long capabilities(const char *set)
{
    char line[256];
    unsigned long long bits = ~0ULL;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, set, strlen(set)) == 0)
            bits = strtoull(line + strlen(set) + 1, NULL, 16);
    if (file)
        fclose(file);
    return bits;
}

/* First as the director, then as an instance that it has started. */
static int keep_bind_then_nothing(void)
{
    const unsigned long long bind_only = 1ULL << 10; /* CAP_NET_BIND_SERVICE */
    bool root = geteuid() == 0;
    if (net_drop_privileges("nobody", true, NULL) != 0)
        return 1;
    if (root && (capabilities("CapPrm") != bind_only || capabilities("CapEff") != bind_only ||
                 capabilities("CapAmb") != bind_only))
        return 2;
    if (net_drop_privileges("nobody", false, NULL) != 0)
        return 3;
    return capabilities("CapPrm") == 0 && capabilities("CapAmb") == 0 && capabilities("CapInh") == 0 ? 0 : 4;
}

static void keeps_one_capability_and_gives_it_up(void **state)
{
    (void)state;
    assert_int_equal(status_of(keep_bind_then_nothing), 0);
}

static int drop_to_nothing(void)
{
    uid_t before = geteuid();
    return net_drop_privileges("", false, NULL) == 0 && geteuid() == before ? 0 : 1;
}

static int drop_to_unknown(void)
{
    struct err_buf eb = {""};
    int err = net_drop_privileges("no-such-user-here", false, &eb);
    if (geteuid() != 0)
        return err; /* it is nobody's business then */
    return err == ERR_NOT_FOUND && strstr(eb.text, "no-such-user-here") ? 0 : 1;
}

static void drops_for_good_and_still_dies_with_parent(void **state)
{
    (void)state;
    assert_int_equal(status_of(drop_to_nobody), 0);
}

static void keeps_the_user_that_none_is_named_for(void **state)
{
    (void)state;
    assert_int_equal(status_of(drop_to_nothing), 0);
}

static void unknown_user(void **state)
{
    (void)state;
    assert_int_equal(status_of(drop_to_unknown), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binds_all),
        cmocka_unit_test(port_in_use_says_who_tried_what),
        cmocka_unit_test(foreign_address),
        cmocka_unit_test(drops_for_good_and_still_dies_with_parent),
        cmocka_unit_test(keeps_one_capability_and_gives_it_up),
        cmocka_unit_test(keeps_the_user_that_none_is_named_for),
        cmocka_unit_test(unknown_user),
    };
    return cmocka_run_group_tests_name("net bind", tests, NULL, NULL);
}
