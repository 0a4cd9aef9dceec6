#include "net/bind.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
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

int net_drop_privileges(const char *user, struct err_buf *eb)
{
    if (user[0] == '\0' || geteuid() != 0)
        return 0;
    errno = 0;
    const struct passwd *pw = getpwnam(user);
    if (!pw)
        return err_set(eb, ERR_NOT_FOUND, "the system has no user '%s' to run as: make it, or change `user`",
                       user);
    if (initgroups(user, pw->pw_gid) != 0 || setgid(pw->pw_gid) != 0 || setuid(pw->pw_uid) != 0)
        return err_set(eb, ERR_DENIED, "cannot become user '%s': %s", user, strerror(errno));
    return 0;
}
