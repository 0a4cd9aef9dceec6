#include "net/bind.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loop/bind.h"

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
        return err_set(eb, err, "%s %s cannot listen: %s", role, name, why.text);
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

/* ---- capabilities: glibc has no wrapper for capget(2) and capset(2) ---- */

#define BIND_BIT (1U << CAP_NET_BIND_SERVICE)

_Static_assert(CAP_NET_BIND_SERVICE < 32, "it is in the first of the two words");

static bool may_bind_low(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct words[_LINUX_CAPABILITY_U32S_3] = {0};
    return syscall(SYS_capget, &header, words) == 0 && (words[0].permitted & BIND_BIT);
}

/* In all sets, so that what is executed has it too; all others are gone. */
static int keep_only(unsigned bits)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct words[_LINUX_CAPABILITY_U32S_3] = {
        {.effective = bits, .permitted = bits, .inheritable = bits}};
    if (syscall(SYS_capset, &header, words) != 0)
        return -1;
    return bits ? prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) : 0;
}

static int change_user(const char *user, bool keep_bind, struct err_buf *eb)
{
    errno = 0;
    const struct passwd *pw = getpwnam(user);
    if (!pw)
        return err_set(eb, ERR_NOT_FOUND, "the system has no user '%s' to run as: make it, or change `user`",
                       user);
    prctl(PR_SET_KEEPCAPS, keep_bind ? 1 : 0);
    if (become(pw) != 0)
        return err_set(eb, ERR_DENIED, "cannot become user '%s': %s", user, strerror(errno));
    return 0;
}

int net_drop_privileges(const char *user, bool keep_bind, struct err_buf *eb)
{
    int death_signal = 0, rc = 0;
    pid_t parent = getppid();
    prctl(PR_GET_PDEATHSIG, &death_signal);
    if (user[0] != '\0' && geteuid() == 0)
        rc = change_user(user, keep_bind, eb);
    if (rc < 0 || geteuid() == 0)
        return rc;
    if (keep_only(keep_bind && may_bind_low() ? BIND_BIT : 0) != 0)
        return err_set(eb, ERR_DENIED, "cannot give up capabilities: %s", strerror(errno));
    CHECK(setuid(0) != 0); /* there is no way back */
    keep_dying_with_parent(death_signal, parent);
    return 0;
}
