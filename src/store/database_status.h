/* What the server behind a store of PostgreSQL says of itself: version, primary or standby, timeline, sizes,
 * rows that are dead and not swept away yet, standbys and how far they are behind. For `holdfast store
 * status`. By a connection of its own, to any server of the URL, a standby too. Blocking: for a command of
 * its own. */
#ifndef HOLDFAST_STORE_DATABASE_STATUS_H
#define HOLDFAST_STORE_DATABASE_STATUS_H

#include "store/store.h"

/* One JSON object for free(): `server`, an object; `parts` and `tables`, with sizes and rows; `standbys`,
 * null when this role may not see them. A member that the server did not tell is null, and its text in
 * `problems`. Takes at most 5 s for each host of the URL, and 20 s for an answer that does not come.
 * ERR_UNAVAILABLE, ERR_DENIED, with eb. */
int store_database_status(const struct store_options *options, char **ret_json, struct err_buf *eb) MUST_USE;

#endif
