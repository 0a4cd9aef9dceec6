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

int owner_become(struct context *cx)
{
    const struct config *c = cx->config;
    char database[PATH_MAX], user[LOGIN_NAME_MAX] = "";
    struct stat st;
    if (c->user[0])
        return owner_become_configured(cx, false);
    snprintf(database, sizeof(database), "%s/network.db", c->store_path);
    if (stat(database, &st) == 0 || stat(c->store_path, &st) == 0 || stat(c->state_dir, &st) == 0) {
        const struct passwd *pw = getpwuid(st.st_uid);
        snprintf(user, sizeof(user), "%s", pw ? pw->pw_name : "");
    }
    return become(cx, user, false);
}
