#include "cli/owner.h"

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/commands.h"
#include "net/bind.h"

static void make_parents(const char *path)
{
    char part[PATH_MAX];
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
        (void)mkdir(part, 0755);
    }
}

void owner_make_state_dir(const struct config *c)
{
    make_parents(c->state_dir);
    const struct passwd *pw = c->user[0] && geteuid() == 0 ? getpwnam(c->user) : NULL;
    if (mkdir(c->state_dir, 0700) == 0 && pw && chown(c->state_dir, pw->pw_uid, pw->pw_gid) < 0)
        log_event(LOG_WARNING, "the state folder was made but not given away",
                  LOG_TEXT("folder", c->state_dir), LOG_TEXT("user", c->user));
}

static int become(const struct context *cx, const char *user)
{
    struct err_buf eb = {""};
    (void)context_who(); /* remembers who this was */
    if (net_drop_privileges(user, &eb) == 0)
        return EXIT_DONE;
    fprintf(stderr, "holdfast %s: %s\n", cx->command, eb.text);
    return EXIT_FAILED;
}

int owner_become_configured(struct context *cx)
{
    return become(cx, cx->config->user);
}

int owner_become(struct context *cx)
{
    const struct config *c = cx->config;
    char database[PATH_MAX], user[LOGIN_NAME_MAX] = "";
    struct stat st;
    if (c->user[0])
        return owner_become_configured(cx);
    snprintf(database, sizeof(database), "%s/network.db", c->store_path);
    if (stat(database, &st) == 0 || stat(c->store_path, &st) == 0 || stat(c->state_dir, &st) == 0) {
        const struct passwd *pw = getpwuid(st.st_uid);
        snprintf(user, sizeof(user), "%s", pw ? pw->pw_name : "");
    }
    return become(cx, user);
}
