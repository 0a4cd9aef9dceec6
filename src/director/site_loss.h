/* Whether a whole site is gone, so that new mail waits for copies that nobody can take there, and whether one
 * that was is back. Pure: configuration and view in. For the leading director.
 *
 * Gone: each lease of each of its nodes has been over for a lease's time, and no database of the site is
 * connected, and the relays that live have no copies in another site for want of it. A site that never lived
 * is not gone. */
#ifndef HOLDFAST_DIRECTOR_SITE_LOSS_H
#define HOLDFAST_DIRECTOR_SITE_LOSS_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "store/view.h"

#define SITE_BY_DIRECTOR "director" /* record_site.who; an operator is USER@HOST */

struct site_context {
    const struct config *config;
    const struct view *view;
    const struct config_site *own; /* of who asks: it is not gone */
};

enum site_word {
    SITE_AS_RECORDED, /* nothing to do */
    SITE_GONE,        /* may be fenced: it has an agent, and is not left to operators by a server's mode */
    SITE_BACK,        /* the director recorded it as lost, and it lives and has copies */
};

enum site_word site_judge(const struct site_context *x, const struct config_site *s);

/* Some part of the site holds a lease, or did not longer than grace_ms ago: a director, a relay, an instance.
 */
bool site_shows_life(const struct config *c, const struct view *v, const struct config_site *s,
                     int64_t grace_ms);

#endif
