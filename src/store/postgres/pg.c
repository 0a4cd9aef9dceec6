/* A connection's statements: the driver, in pipeline mode. */
#include "store/postgres/pg.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "base/utf8.h"
#include "store/postgres/pg_inside.h"
#include "store/postgres/statement.h"
#include "store/postgres/text.h"

#define SLICE_MS       100 /* between two looks at `stop` */
#define PARAMETERS_MAX 16

/* Object identifiers of the server's types (pg_type): they are the protocol's. */
enum { OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_TEXT = 25 };

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

struct failure_class {
    const char *state; /* SQLSTATE, or its class */
    enum pg_failure failure;
    int err;
};

static const struct failure_class classes[] = {
    {"08", PG_LOST, ERR_UNAVAILABLE},     /* connection exception */
    {"25006", PG_LOST, ERR_UNAVAILABLE},  /* read-only: a standby now */
    {"57P", PG_LOST, ERR_UNAVAILABLE},    /* the server shuts down, or starts */
    {"40003", PG_LOST, ERR_UNAVAILABLE},  /* whether it has committed is not known */
    {"40", PG_AGAIN, ERR_UNAVAILABLE},    /* serialization, deadlock */
    {"23505", PG_AGAIN, ERR_CONFLICT},    /* another transaction has made the same row */
    {"55P03", PG_AGAIN, ERR_UNAVAILABLE}, /* a lock that is held for long */
    {"25P03", PG_LOST, ERR_UNAVAILABLE},  /* we stood still in a transaction */
    {"53100", PG_REFUSED, ERR_FULL},      /* disk full */
    {"53", PG_LOST, ERR_UNAVAILABLE},     /* other resources */
    {"57", PG_LOST, ERR_UNAVAILABLE},     /* an operator's hand */
    {"42501", PG_REFUSED, ERR_DENIED},    /* privileges */
    {"XX001", PG_REFUSED, ERR_CORRUPT},   /* a page, an index */
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

/* The answer to the oldest statement without one; NULL when there will be none. */
static PGresult *answer(struct pg *pg)
{
    PGresult *result = result_of(pg), *end;
    if (!result) {
        lose(pg);
        return NULL;
    }
    ExecStatusType status = PQresultStatus(result);
    pg->unanswered--;
    if (status == PGRES_PIPELINE_SYNC)
        return result;
    while ((end = result_of(pg)))
        PQclear(end); /* of a connection that breaks */
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_PIPELINE_ABORTED)
        refuse(pg, result);
    return result;
}

PGresult *pg_answer_last(struct pg *pg)
{
    PGresult *result = NULL;
    if (!flush(pg))
        return NULL;
    while (pg->unanswered > 0 && pg->failure != PG_LOST) {
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
        pg->unanswered++;
    return sent;
}

struct parameters {
    const char *values[PARAMETERS_MAX];
    int lengths[PARAMETERS_MAX], formats[PARAMETERS_MAX];
    Oid types[PARAMETERS_MAX];
    uint64_t numbers[PARAMETERS_MAX]; /* in network order */
    char *copies[PARAMETERS_MAX];     /* owned */
};

static void set_text(struct parameters *p, size_t i, struct str s)
{
    p->types[i] = OID_TEXT;
    p->values[i] = s.ptr ? s.ptr : "";
    p->lengths[i] = (int)s.len;
    if (!utf8_is_text(s))
        p->values[i] = p->copies[i] = text_made_fit(s);
}

static void set_parameters(struct parameters *p, const struct db_value *values, size_t count)
{
    CHECK(count <= PARAMETERS_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct db_value *v = &values[i];
        p->formats[i] = 1;
        p->copies[i] = NULL;
        switch (v->type) {
        case DB_I64:
            p->types[i] = OID_INT8;
            p->numbers[i] = htobe64((uint64_t)v->number);
            p->values[i] = (const char *)&p->numbers[i];
            p->lengths[i] = sizeof(p->numbers[i]);
            break;
        case DB_TEXT:
            set_text(p, i, v->bytes);
            break;
        case DB_BLOB:
            p->types[i] = OID_BYTEA;
            p->values[i] = v->bytes.ptr ? v->bytes.ptr : "";
            p->lengths[i] = (int)v->bytes.len;
            break;
        case DB_NULL:
            p->types[i] = OID_TEXT;
            p->values[i] = NULL;
            p->lengths[i] = 0;
            break;
        }
    }
}

static void append_text(const struct pg *pg, unsigned sql, struct buf *out)
{
    const struct pg_schema *schema = pg->options.schema;
    const char *otherwise = schema->otherwise ? schema->otherwise[sql] : NULL;
    statement_translate(otherwise ? otherwise : schema->statements[sql], out);
    if (pg->options.mode == PG_WRITE && schema->locks && schema->locks[sql])
        buf_append_fmt(out, " FOR UPDATE");
}

/* The types are those of its first values: they are the same each time. */
static void prepare(struct pg *pg, unsigned sql, const char *name, const struct parameters *p, size_t count)
{
    struct buf text;
    buf_init(&text, 16384);
    append_text(pg, sql, &text);
    pg->prepared[sql] = pg_sent(pg, PQsendPrepare(pg->conn, name, buf_data(&text), (int)count, p->types));
    buf_fini(&text);
}

static void send(struct pg *pg, unsigned sql, const struct db_value *values, size_t count)
{
    struct parameters p;
    char name[16];
    if (pg->failure != PG_WELL)
        return;
    CHECK(sql < pg->options.schema->statement_count);
    snprintf(name, sizeof(name), "s%u", sql);
    set_parameters(&p, values, count);
    if (!pg->prepared[sql])
        prepare(pg, sql, name, &p, count);
    if (pg->failure == PG_WELL)
        pg_sent(pg, PQsendQueryPrepared(pg->conn, name, (int)count, p.values, p.lengths, p.formats, 1));
    for (size_t i = 0; i < count; i++)
        free(p.copies[i]);
}

/* ---- the driver ---- */

struct pg_row {
    struct db_row row;
    PGresult *result;
    int at;
};

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
    send(pg_of(db), sql, values, count);
}

PGresult *pg_ask(struct pg *pg)
{
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
    send(pg_of(db), sql, values, count);
    PGresult *result = pg_ask(pg_of(db));
    int64_t changed = result ? atoll(PQcmdTuples(result)) : 0;
    PQclear(result);
    return changed;
}

static struct db_row *query(struct db *db, unsigned sql, const struct db_value *values, size_t count)
{
    send(pg_of(db), sql, values, count);
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

const struct db_driver pg_driver = {run, change, query, next, end, col_i64, col_bytes};
