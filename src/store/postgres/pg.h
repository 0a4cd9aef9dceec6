/* Inside the PostgreSQL engine: a connection, as a db (store/sql/db.h), in
 * pipeline mode: what has no answer to wait for is sent only, so that a
 * transaction of many statements costs as many round trips as it has questions.
 *
 * It blocks its thread, never for longer than PG_WAIT_MS without a word from the
 * server, and not for longer than PG_STOP_WAIT_MS once it is to stop. */
#ifndef HOLDFAST_STORE_POSTGRES_PG_H
#define HOLDFAST_STORE_POSTGRES_PG_H

#include <libpq-fe.h>
#include <stdatomic.h>

#include "store/sql/db.h"

#define PG_CONNECT_MS   5000 /* without a word from any host */
#define PG_WAIT_MS      20000
#define PG_STOP_WAIT_MS 2000

/* The SQL of one part. */
struct pg_schema {
    const char *const *migrations; /* [v - 1] leads from version v - 1 to v; each is a transaction */
    int version;                   /* how many */
    /* Statements by number, as SQLite has them, and what is said otherwise here (NULL: it is not). */
    const char *const *statements, *const *otherwise;
    const bool *locks; /* by number: a writer locks the rows that it reads by this one */
    unsigned statement_count;
};

enum pg_mode { PG_LOOK, PG_READ, PG_WRITE }; /* LOOK: nothing is made */

struct pg_options {
    const char *uri, *password_file; /* the latter may be NULL */
    const char *part;                /* the name of its schema in the database */
    const struct pg_schema *schema;
    enum pg_mode mode;
    int lock_wait_ms;    /* how long a lock that another keeps is waited for; 0: for as long as it likes */
    bool sees_to_copies; /* a commit waits for no standby: who writes sees to copies itself */
    bool any_server;     /* one that takes no writes, too */
    bool copies;         /* it makes the copy that is not whole yet; others are refused: ERR_BUSY */
    const atomic_bool *stop;
};

enum pg_failure {
    PG_WELL,
    PG_REFUSED, /* db.err says why; the same would fail again */
    PG_AGAIN,   /* it met another transaction: the same may succeed */
    PG_LOST,    /* the connection is gone, or the server is not one that takes writes */
};

struct pg_later {
    uint64_t number; /* its statement's, of those sent */
    db_on_row on_row;
    void *arg;
};

struct pg {
    struct db db;
    struct pg_options options;
    PGconn *conn; /* NULL: not connected */
    bool *prepared;
    const char *table;       /* pg_table's question, once it is prepared */
    uint64_t sent, answered; /* of this connection: statements, and their answers that we have */
    struct pg_later *later;  /* owned; who gets the row of an answer that is still to come, in their order */
    size_t later_first, later_end, later_capacity;
    bool giving;             /* a row to one of these: who may ask nothing */
    enum pg_failure failure; /* the first one's kind */
    struct err_buf detail;   /* and its text */
    bool committing;         /* COMMIT was sent and has no answer */
    bool blocked;            /* it met another transaction that kept a lock for too long */
};

void pg_init(struct pg *pg, const struct pg_options *options);
void pg_fini(struct pg *pg);
/* Connects, and makes or migrates the part (PG_WRITE). ERR_UNAVAILABLE, ERR_DENIED (user, password),
 * ERR_VERSION, ERR_NOT_FOUND (PG_LOOK: it was never made), ERR_BUSY (half a copy). detail says what was tried
 * and what to do. */
int pg_open(struct pg *pg) MUST_USE;
void pg_close(struct pg *pg);
/* As far as can be seen without asking: one that the server has ended is closed. */
bool pg_is_connected(struct pg *pg);

/* ---- transactions ---- */

void pg_begin(struct pg *pg); /* forgets a failure; a reader's sees one state of the store throughout */
/* Err is set when it has not committed; `committing` stays when that is not known. */
void pg_commit(struct pg *pg);
/* Of a transaction that has only read: waits for nothing. */
void pg_end_read(struct pg *pg);
/* Closes the connection when even that fails. When it was blocked, sessions of the store that stand still
 * amid a transaction are ended, so that the same may succeed. */
void pg_rollback(struct pg *pg);

/* SQL outside of the statements; the answer to a question for one number. */
void pg_exec(struct pg *pg, const char *sql);
int64_t pg_number(struct pg *pg, const char *sql, int64_t none);
/* The same, for several; none is written when it has failed. */
void pg_numbers(struct pg *pg, const char *sql, int64_t *ret_numbers, size_t count);
/* The answer to a question outside of a transaction that is asked again and again, the same text, and no
 * other on this connection; for PQclear; NULL: it has failed. */
PGresult *pg_table(struct pg *pg, const char *sql);
/* The same two with bytes as $1. */
void pg_exec_bytes(struct pg *pg, const char *sql, const void *bytes, size_t len);
int64_t pg_number_bytes(struct pg *pg, const char *sql, const void *bytes, size_t len, int64_t none);

#endif
