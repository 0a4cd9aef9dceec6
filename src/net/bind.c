#include "net/bind.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "loop/bind.h"

static const char *advice(int err)
{
    switch (err) {
    case ERR_BUSY:
        return "another program, or another start of this one, has it: end that, or change `listen`";
    case ERR_DENIED:
        return "ports below 1024 need root or CAP_NET_BIND_SERVICE";
    case ERR_UNAVAILABLE:
        return "this machine does not have that address";
    default:
        return "see the system's message";
    }
}

int net_bind_listen(const char *role, const char *name, const struct addr *addrs, size_t count, int *ret_fds,
                    struct err_buf *eb)
{
    for (size_t i = 0; i < count; i++) {
        struct err_buf why = {""};
        int err = loop_bind(LOOP_TCP, &addrs[i], &ret_fds[i], &why);
        if (err == 0)
            continue;
        while (i-- > 0)
            close(ret_fds[i]);
        return err_set(eb, err, "%s %s cannot listen: %.300s; %s", role, name, why.text, advice(err));
    }
    return 0;
}

static int become(const struct passwd *pw)
{
    if (initgroups(pw->pw_name, pw->pw_gid) != 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0)
        return -1;
    return setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid);
}

/* A change of user makes the kernel forget that we are to die with our parent
 * (prctl(2), PR_SET_PDEATHSIG). A parent that has died since will not tell. */
static void keep_dying_with_parent(int signum, pid_t parent)
{
    if (signum == 0)
        return;
    prctl(PR_SET_PDEATHSIG, signum);
    if (getppid() != parent)
        raise(signum);
}

int net_drop_privileges(const char *user, struct err_buf *eb)
{
    if (user[0] == '\0' || geteuid() != 0)
        return 0;
    errno = 0;
    const struct passwd *pw = getpwnam(user);
    if (!pw)
        return err_set(eb, ERR_NOT_FOUND, "the system has no user '%s' to run as: make it, or change `user`",
                       user);
    int death_signal = 0;
    pid_t parent = getppid();
    prctl(PR_GET_PDEATHSIG, &death_signal);
    if (become(pw) != 0)
        return err_set(eb, ERR_DENIED, "cannot become user '%s': %s", user, strerror(errno));
    CHECK(pw->pw_uid == 0 || setuid(0) != 0); /* there is no way back */
    keep_dying_with_parent(death_signal, parent);
    return 0;
}
