#include "run/state_folder.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ADVICE "give it to that user, or name another folder by --state-dir"

static const char *user_name(void)
{
    const struct passwd *pw = getpwuid(geteuid());
    return pw ? pw->pw_name : "of an unknown name";
}

static int cannot_make(const struct config *c, const char *part, struct err_buf *eb)
{
    int errno_value = errno;
    return err_set(eb, err_from_errno(errno_value),
                   "the state folder %s cannot be made: user %s cannot make %s: %s; make it and " ADVICE,
                   c->state_dir, user_name(), part, strerror(errno_value));
}

static int make_parents(const struct config *c, struct err_buf *eb)
{
    char part[PATH_MAX];
    for (const char *slash = strchr(c->state_dir + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        int len = snprintf(part, sizeof(part), "%.*s", (int)(slash - c->state_dir), c->state_dir);
        if (len < 0 || (size_t)len >= sizeof(part))
            return err_set(eb, ERR_LIMIT, "the state folder's path is too long");
        if (mkdir(part, 0755) != 0 && errno != EEXIST)
            return cannot_make(c, part, eb);
    }
    return 0;
}

const struct passwd *state_folder_user(const struct config *c)
{
    return c->user[0] && geteuid() == 0 ? getpwnam(c->user) : NULL;
}

int state_folder_make(const struct config *c, struct err_buf *eb)
{
    int rc = make_parents(c, eb);
    if (rc < 0)
        return rc;
    if (mkdir(c->state_dir, 0700) != 0)
        return errno == EEXIST ? 0 : cannot_make(c, c->state_dir, eb);
    const struct passwd *pw = state_folder_user(c);
    if (pw && chown(c->state_dir, pw->pw_uid, pw->pw_gid) != 0)
        return err_set(eb, err_from_errno(errno),
                       "the state folder %s was made, but not given to user %s: %m", c->state_dir, c->user);
    return 0;
}

int state_folder_check(const struct config *c, struct err_buf *eb)
{
    struct stat status;
    if (stat(c->state_dir, &status) == 0 && !S_ISDIR(status.st_mode))
        return err_set(eb, ERR_INVALID, "the state folder %s is no folder; name another by --state-dir",
                       c->state_dir);
    if (access(c->state_dir, R_OK | W_OK | X_OK) == 0)
        return 0;
    return err_set(eb, err_from_errno(errno), "user %s cannot write in the state folder %s: %m; " ADVICE,
                   user_name(), c->state_dir);
}
