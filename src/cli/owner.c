#include "cli/owner.h"

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/say.h"
#include "net/bind.h"

static int become(const struct context *cx, const char *user, bool keep_bind)
{
    struct err_buf eb = {""};
    (void)context_who(); /* remembers who this was */
    if (net_drop_privileges(user, keep_bind, &eb) == 0)
        return EXIT_DONE;
    say_line(stderr, "holdfast %s: %s", cx->command, eb.text);
    return EXIT_FAILED;
}

int owner_become_configured(struct context *cx, bool keep_bind)
{
    return become(cx, cx->config->user, keep_bind);
}

/* Of the network's database, or else of the folder that it is to be in. -1: the store is no folder, or not
 * yet. */
static int stat_store(const struct config *c, struct stat *ret_st)
{
    char database[PATH_MAX];
    if (c->store_engine != STORE_SQLITE)
        return -1;
    snprintf(database, sizeof(database), "%s/network.db", c->store_path);
    return stat(database, ret_st) == 0 ? 0 : stat(c->store_path, ret_st);
}

int owner_become(struct context *cx)
{
    const struct config *c = cx->config;
    char user[LOGIN_NAME_MAX] = "";
    struct stat st;
    if (c->user[0])
        return owner_become_configured(cx, false);
    if (stat_store(c, &st) == 0 || stat(c->state_dir, &st) == 0) {
        const struct passwd *pw = getpwuid(st.st_uid);
        snprintf(user, sizeof(user), "%s", pw ? pw->pw_name : "");
    }
    return become(cx, user, false);
}
