/* What the leading director does about a site that is gone (site_loss.h): orders a node of another site to
 * have it turned off, records it as lost once that was confirmed, orders it again after a pause when it
 * failed, and takes back, when the site is back, what it had recorded. Pure; into a batch.
 *
 * What survives a crash: the order and the record. An order is found again by its key, which holds the
 * version of the site's record: one for each loss. */
#ifndef HOLDFAST_DIRECTOR_SITE_FENCE_H
#define HOLDFAST_DIRECTOR_SITE_FENCE_H

#include "director/batch.h"
#include "director/orders.h"
#include "director/site_loss.h"

#define SITE_FENCE_AGAIN_MS     30000       /* after the first failure, then doubling */
#define SITE_FENCE_AGAIN_MAX_MS (8 * 60000) /* below what ended orders are kept for */
#define SITE_FENCE_GOOD_MS      60000       /* a confirmation that is older says nothing of now */

/* What was judged, and for how long it has been the same. */
struct site_step {
    const struct config_site *site;
    enum site_word word;
    int64_t held_ms;
};

void site_fence_step(const struct site_context *x, const struct site_step *step, int64_t now_wall_ms,
                     struct batch *b);

/* For who carries it out: it is of now, and no part of the site has come to life. */
bool site_fence_is_wanted(const struct config *c, const struct view *v, const struct view_order *o,
                          const struct order_args *args);

#endif
