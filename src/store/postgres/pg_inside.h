/* Inside pg: what the files of a connection share. */
#ifndef HOLDFAST_STORE_POSTGRES_PG_INSIDE_H
#define HOLDFAST_STORE_POSTGRES_PG_INSIDE_H

#include "store/postgres/pg.h"

/* Object identifiers of the server's types (pg_type): they are the protocol's. */
enum { OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_TEXT = 25 };

#define APPLICATION_NAME "holdfast" /* of all sessions of the store */

extern const struct db_driver pg_driver;

/* The first failure is kept. */
void pg_fail(struct pg *pg, enum pg_failure failure, int err, const char *detail);
/* Counts what libpq says of sending; false: the connection is lost. */
bool pg_sent(struct pg *pg, int sent);
/* A statement by its number; unless something has failed. */
void pg_send(struct pg *pg, unsigned sql, const struct db_value *values, size_t count);
/* The answer to the oldest statement without one, for PQclear. */
PGresult *pg_answer_first(struct pg *pg);
/* Waits for all that was sent so far; the last one's result, for PQclear. */
PGresult *pg_answer_last(struct pg *pg);
/* Asks for the answers and waits; NULL: something has failed. */
PGresult *pg_ask(struct pg *pg);
/* Up to here an error lets the server pass over what was sent; waits for all of it. */
void pg_synchronise(struct pg *pg);
int64_t pg_i64(const PGresult *result, int row, int column);

/* Connects, and makes nothing; the same errors as pg_open. */
int pg_connect(struct pg *pg) MUST_USE;
/* Its socket, to whichever host of the URL takes writes (or to any, with any_server); fills conn.
 * ERR_UNAVAILABLE, ERR_DENIED: detail says what each answered. */
int pg_find_server(struct pg *pg, const char *password) MUST_USE;

/* Makes the part's schema, or leads it to this program's version. */
int pg_migrate(struct pg *pg) MUST_USE;

#endif
