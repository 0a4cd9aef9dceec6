/* What is recorded of a delivery that was given up for its age: that, and the last word that there was on it,
 * so that quarantine, event and report still say what the server said. Pure. */
#ifndef HOLDFAST_RELAY_EXPIRED_H
#define HOLDFAST_RELAY_EXPIRED_H

#include "base/buf.h"

#define EXPIRED_TEXT_MAX 1024

/* last: of the queue; "": it was never tried. Of one that expired before, and was released, what there was
 * then. */
void expired_format(struct buf *out, struct str last);
/* False: reply is no such text. *ret_last: as above, never such a text itself; a view. */
bool expired_parse(struct str reply, struct str *ret_last);

#endif
