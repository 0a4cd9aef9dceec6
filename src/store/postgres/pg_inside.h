/* Inside pg: what the files of a connection share. */
#ifndef HOLDFAST_STORE_POSTGRES_PG_INSIDE_H
#define HOLDFAST_STORE_POSTGRES_PG_INSIDE_H

#include "store/postgres/pg.h"

extern const struct db_driver pg_driver;

/* The first failure is kept. */
void pg_fail(struct pg *pg, enum pg_failure failure, int err, const char *detail);
/* Counts what libpq says of sending; false: the connection is lost. */
bool pg_sent(struct pg *pg, int sent);
/* Waits for all that was sent; the last one's result, for PQclear. */
PGresult *pg_answer_last(struct pg *pg);
/* Asks for the answers and waits; NULL: something has failed. */
PGresult *pg_ask(struct pg *pg);
/* Up to here an error lets the server pass over what was sent; waits for all of it. */
void pg_synchronise(struct pg *pg);
int64_t pg_i64(const PGresult *result, int row, int column);

/* To whichever host of the URL takes writes; fills conn. ERR_UNAVAILABLE, ERR_DENIED: detail says what each
 * answered. */
int pg_connect(struct pg *pg, const char *password) MUST_USE;

/* Makes the part's schema, or leads it to this program's version. */
int pg_migrate(struct pg *pg) MUST_USE;

#endif
