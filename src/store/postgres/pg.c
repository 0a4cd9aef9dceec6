/* A connection's statements: the driver, in pipeline mode. */
#include "store/postgres/pg.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "store/postgres/pg_inside.h"

#define SLICE_MS 100 /* between two looks at `stop` */

struct pg_row {
    struct db_row row;
    PGresult *result;
    int at;
};

/* ---- failures ---- */

void pg_fail(struct pg *pg, enum pg_failure failure, int err, const char *detail)
{
    bool worse = failure == PG_LOST && pg->failure != PG_LOST;
    if (pg->failure != PG_WELL && !worse)
        return;
    pg->failure = failure;
    pg->db.err = err;
    err_set(&pg->detail, err, "%s", detail);
}

static void lose(struct pg *pg)
{
    pg_fail(pg, PG_LOST, ERR_UNAVAILABLE, PQerrorMessage(pg->conn));
}

#define LOCK_NOT_AVAILABLE "55P03" /* within lock_timeout */

struct failure_class {
    const char *state; /* SQLSTATE, or its class */
    enum pg_failure failure;
    int err;
};

static const struct failure_class classes[] = {
    {"08", PG_LOST, ERR_UNAVAILABLE},    /* connection exception */
    {"25006", PG_LOST, ERR_UNAVAILABLE}, /* read-only: a standby now */
    {"57P", PG_LOST, ERR_UNAVAILABLE},   /* the server shuts down, or starts */
    {"40003", PG_LOST, ERR_UNAVAILABLE}, /* whether it has committed is not known */
    {"40", PG_AGAIN, ERR_UNAVAILABLE},   /* serialization, deadlock */
    {"23505", PG_AGAIN, ERR_CONFLICT},   /* another transaction has made the same row */
    {LOCK_NOT_AVAILABLE, PG_AGAIN, ERR_UNAVAILABLE},
    {"53100", PG_REFUSED, ERR_FULL},    /* disk full */
    {"53", PG_LOST, ERR_UNAVAILABLE},   /* other resources */
    {"57", PG_LOST, ERR_UNAVAILABLE},   /* an operator's hand */
    {"42501", PG_REFUSED, ERR_DENIED},  /* privileges */
    {"XX001", PG_REFUSED, ERR_CORRUPT}, /* a page, an index */
    {"XX002", PG_REFUSED, ERR_CORRUPT},
};

static void refuse(struct pg *pg, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorMessage(result);
    if (!state) {
        lose(pg);
        return;
    }
    pg->blocked = pg->blocked || strcmp(state, LOCK_NOT_AVAILABLE) == 0;
    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        if (strncmp(state, classes[i].state, strlen(classes[i].state)) == 0) {
            pg_fail(pg, classes[i].failure, classes[i].err, text);
            return;
        }
    }
    pg_fail(pg, PG_REFUSED, ERR_IO, text);
}

/* ---- waiting ---- */

/* Until something can be read, or written when `writing`. False: the time is over, or the connection. */
static bool wait_for(struct pg *pg, bool writing)
{
    struct pollfd p = {.fd = PQsocket(pg->conn), .events = (short)(POLLIN | (writing ? POLLOUT : 0))};
    for (int64_t waited = 0;; waited += SLICE_MS) {
        int count = poll(&p, 1, SLICE_MS);
        if (count > 0 || (count < 0 && errno != EINTR))
            return count > 0;
        if (waited >= (atomic_load(pg->options.stop) ? PG_STOP_WAIT_MS : PG_WAIT_MS)) {
            pg_fail(pg, PG_LOST, ERR_UNAVAILABLE, "the server does not answer");
            return false;
        }
    }
}

/* What was sent is on its way; meanwhile the server may have answered. */
static bool flush(struct pg *pg)
{
    int left;
    while ((left = PQflush(pg->conn)) > 0)
        if (!wait_for(pg, true) || PQconsumeInput(pg->conn) == 0)
            break;
    if (left != 0)
        lose(pg);
    return left == 0;
}

/* The next result, NULL between two statements; the connection may be lost. */
static PGresult *result_of(struct pg *pg)
{
    while (PQisBusy(pg->conn)) {
        if (!wait_for(pg, false))
            return NULL;
        if (PQconsumeInput(pg->conn) == 0) {
            lose(pg);
            return NULL;
        }
    }
    return PQgetResult(pg->conn);
}

/* To who has deferred the statement that was just answered. */
static void give_row(struct pg *pg, PGresult *result)
{
    struct pg_row row = {{&pg->db}, result, 0};
    if (pg->later_first == pg->later_end || pg->later[pg->later_first].number != pg->answered)
        return;
    const struct pg_later later = pg->later[pg->later_first++]; /* it may defer more */
    if (pg->failure != PG_WELL)
        return;
    pg->giving = true;
    later.on_row(later.arg, PQntuples(result) > 0 ? &row.row : NULL);
    pg->giving = false;
}

/* The answer to the oldest statement without one; NULL when there will be none. */
static PGresult *answer(struct pg *pg)
{
    PGresult *result = result_of(pg), *end;
    if (!result) {
        lose(pg);
        return NULL;
    }
    ExecStatusType status = PQresultStatus(result);
    pg->answered++;
    if (status == PGRES_PIPELINE_SYNC)
        return result;
    while ((end = result_of(pg)))
        PQclear(end); /* of a connection that breaks */
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_PIPELINE_ABORTED)
        refuse(pg, result);
    give_row(pg, result);
    return result;
}

PGresult *pg_answer_first(struct pg *pg)
{
    return flush(pg) ? answer(pg) : NULL;
}

PGresult *pg_answer_last(struct pg *pg)
{
    PGresult *result = NULL;
    uint64_t last = pg->sent; /* who gets a row may send more */
    if (!flush(pg))
        return NULL;
    while (pg->answered < last && pg->failure != PG_LOST) {
        PQclear(result);
        result = answer(pg);
    }
    return result;
}

/* ---- sending ---- */

bool pg_sent(struct pg *pg, int sent)
{
    if (!sent)
        lose(pg);
    else
        pg->sent++;
    return sent;
}

/* ---- the driver ---- */

static struct pg *pg_of(struct db *db)
{
    return CONTAINER_OF(db, struct pg, db);
}

static struct pg_row *row_of(const struct db_row *row)
{
    return CONTAINER_OF((struct db_row *)(uintptr_t)row, struct pg_row, row);
}

static void run(struct db *db, unsigned sql, const struct db_value *values, size_t count)
{
    pg_send(pg_of(db), sql, values, count);
}

static void defer(struct pg *pg, db_on_row on_row, void *arg)
{
    if (pg->later_first == pg->later_end)
        pg->later_first = pg->later_end = 0;
    if (pg->later_end == pg->later_capacity) {
        pg->later_capacity = pg->later_capacity * 2 + 64;
        pg->later = mem_realloc(pg->later, pg->later_capacity * sizeof(*pg->later));
    }
    pg->later[pg->later_end++] = (struct pg_later){pg->sent, on_row, arg};
}

static void later(struct db *db, unsigned sql, const struct db_value *values, size_t count, db_on_row on_row,
                  void *arg)
{
    struct pg *pg = pg_of(db);
    pg_send(pg, sql, values, count);
    if (pg->failure == PG_WELL)
        defer(pg, on_row, arg);
}

static void catch_up(struct db *db)
{
    struct pg *pg = pg_of(db);
    while (pg->failure == PG_WELL && pg->later_first < pg->later_end)
        PQclear(pg_ask(pg));
}

PGresult *pg_ask(struct pg *pg)
{
    CHECK(!pg->giving);
    if (pg->failure == PG_WELL && !PQsendFlushRequest(pg->conn))
        lose(pg);
    PGresult *result = pg->failure == PG_WELL ? pg_answer_last(pg) : NULL;
    if (pg->failure != PG_WELL) {
        PQclear(result);
        return NULL;
    }
    return result;
}

static int64_t change(struct db *db, unsigned sql, const struct db_value *values, size_t count)
{
    pg_send(pg_of(db), sql, values, count);
    PGresult *result = pg_ask(pg_of(db));
    int64_t changed = result ? atoll(PQcmdTuples(result)) : 0;
    PQclear(result);
    return changed;
}

static struct db_row *query(struct db *db, unsigned sql, const struct db_value *values, size_t count)
{
    pg_send(pg_of(db), sql, values, count);
    PGresult *result = pg_ask(pg_of(db));
    if (!result || PQntuples(result) == 0) {
        PQclear(result);
        return NULL;
    }
    struct pg_row *row = mem_alloc(sizeof(*row));
    *row = (struct pg_row){{db}, result, 0};
    return &row->row;
}

static void end(struct db_row *row)
{
    struct pg_row *r = row_of(row);
    PQclear(r->result);
    free(r);
}

static struct db_row *next(struct db_row *row)
{
    struct pg_row *r = row_of(row);
    if (++r->at < PQntuples(r->result))
        return row;
    end(row);
    return NULL;
}

int64_t pg_i64(const PGresult *result, int row, int column)
{
    const char *value = PQgetvalue(result, row, column);
    uint64_t eight;
    uint32_t four;
    uint16_t two;
    if (PQgetisnull(result, row, column))
        return 0;
    switch (PQftype(result, column)) {
    case OID_INT8:
        memcpy(&eight, value, sizeof(eight));
        return (int64_t)be64toh(eight);
    case OID_INT4:
        memcpy(&four, value, sizeof(four));
        return (int32_t)be32toh(four);
    case OID_INT2:
        memcpy(&two, value, sizeof(two));
        return (int16_t)be16toh(two);
    case OID_BOOL:
        return *value != 0;
    default:
        CHECK(false); /* our own SQL */
    }
}

static int64_t col_i64(const struct db_row *row, int column)
{
    return pg_i64(row_of(row)->result, row_of(row)->at, column);
}

static struct str col_bytes(const struct db_row *row, int column)
{
    const struct pg_row *r = row_of(row);
    return (struct str){PQgetvalue(r->result, r->at, column), (size_t)PQgetlength(r->result, r->at, column)};
}

const struct db_driver pg_driver = {run, later, catch_up, change, query, next, end, col_i64, col_bytes};
