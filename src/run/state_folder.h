/* The state folder: made before anything is put into it, and found wanting with
 * the path that is in the way, the reason, and what to do. For the supervisors
 * and the roles' mains, before they have threads. */
#ifndef HOLDFAST_RUN_STATE_FOLDER_H
#define HOLDFAST_RUN_STATE_FOLDER_H

#include <pwd.h>

#include "base/check.h"
#include "base/err.h"
#include "config/config.h"

/* Makes c->state_dir (mode 0700) and its missing parents (0755). Started as
 * root, gives what it made to the user that roles become. A folder that is
 * there stays as it is. ERR_DENIED and the like. */
int state_folder_make(const struct config *c, struct err_buf *eb) MUST_USE;
/* The user that we shall become, to whom what we make in it is given; NULL: we
 * stay who we are, or there is no such user (which is told when we become it).
 * As getpwnam(3) keeps it. */
const struct passwd *state_folder_user(const struct config *c);
/* Whether we, as who we are now, may write there. ERR_DENIED and the like. */
int state_folder_check(const struct config *c, struct err_buf *eb) MUST_USE;

#endif
