/* Inside the SQL engines: a transaction (store/sql/tx.h) on a file, and what
 * executions do with the journal instead of by rows. */
#ifndef HOLDFAST_STORE_SQLITE_TX_H
#define HOLDFAST_STORE_SQLITE_TX_H

#include "store/sql/tx.h"
#include "store/sqlite/db.h"
#include "store/sqlite/lock.h"
#include "store/sqlite/space.h"

struct journal;

struct sqlite_tx {
    struct sql_tx sql;
    const char *path; /* the database's */
    struct lock *lock;
    struct journal *journal;   /* the owner's; NULL elsewhere */
    struct space_change space; /* of the transaction at hand */
};

static inline struct sqlite_tx *sqlite_tx_of(struct sql_tx *tx)
{
    return CONTAINER_OF(tx, struct sqlite_tx, sql);
}

extern const struct sqlite_schema sqlite_network_schema, sqlite_queue_schema, sqlite_mail_schema;
extern const struct sql_special sqlite_special, sqlite_owner_special; /* without, with a journal */

/* The network's: all times of another boot of the machine are past. */
void sqlite_network_boot(struct sqlite_db *db, const char *boot_id);

#endif
