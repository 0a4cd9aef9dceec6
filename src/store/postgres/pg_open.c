/* A connection's life, and its transactions. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/postgres/pg_inside.h"

#define PASSWORD_MAX 1024

/* ---- life ---- */

void pg_init(struct pg *pg, const struct pg_options *options)
{
    *pg = (struct pg){.db.driver = &pg_driver, .options = *options};
    pg->prepared = mem_calloc(options->schema->statement_count, sizeof(*pg->prepared));
}

void pg_fini(struct pg *pg)
{
    pg_close(pg);
    free(pg->prepared);
    free(pg->later);
}

/* A server that ends a connection says so, then closes: what it said is read first. */
bool pg_is_connected(struct pg *pg)
{
    struct pollfd p = {.fd = pg->conn ? PQsocket(pg->conn) : -1, .events = POLLIN};
    while (pg->conn && poll(&p, 1, 0) > 0)
        if (PQconsumeInput(pg->conn) == 0 || PQstatus(pg->conn) != CONNECTION_OK)
            pg_close(pg);
    return pg->conn;
}

void pg_close(struct pg *pg)
{
    PQfinish(pg->conn);
    pg->conn = NULL;
    pg->sent = pg->answered = 0;
    pg->later_first = pg->later_end = 0;
    pg->table = NULL;
    memset(pg->prepared, 0, pg->options.schema->statement_count * sizeof(*pg->prepared));
}

static int read_password(struct pg *pg, char password[PASSWORD_MAX])
{
    const char *path = pg->options.password_file;
    password[0] = '\0';
    if (!path)
        return 0;
    FILE *f = fopen(path, "re");
    if (!f)
        return err_set(&pg->detail, err_from_errno(errno), "password_file %s cannot be read: %s", path,
                       strerror(errno));
    bool there = fgets(password, PASSWORD_MAX, f) != NULL;
    fclose(f);
    password[strcspn(password, "\r\n")] = '\0';
    return there ? 0 : err_set(&pg->detail, ERR_INVALID, "password_file %s has no first line", path);
}

/* "already exists, skipping" and the like say nothing. Of a commit a warning says that it is not what was
 * asked for: its wait for a standby was cancelled. */
static void on_notice(void *arg, const PGresult *result)
{
    struct pg *pg = arg;
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (pg->committing && severity && strcmp(severity, "WARNING") == 0)
        pg_fail(pg, PG_LOST, ERR_UNAVAILABLE, PQresultErrorMessage(result));
}

static const char *const settings[] = {"SET client_connection_check_interval TO '2s'",
                                       "SET tcp_keepalives_idle TO 5", "SET tcp_keepalives_interval TO 2",
                                       "SET tcp_keepalives_count TO 3", "SET tcp_user_timeout TO '10s'"};

static void use_part(struct pg *pg)
{
    char sql[256];
    char *name = PQescapeIdentifier(pg->conn, pg->options.part, strlen(pg->options.part));
    CHECK(name);
    snprintf(sql, sizeof(sql), "SET search_path TO %s", name);
    PQfreemem(name);
    pg_exec(pg, sql);
    snprintf(sql, sizeof(sql), "SET lock_timeout TO %d", pg->options.lock_wait_ms);
    pg_exec(pg, sql);
    pg_exec(pg,
            pg->options.sees_to_copies ? "SET synchronous_commit TO local" : "SET synchronous_commit TO on");
    for (size_t i = 0; i < ARRAY_LEN(settings); i++)
        pg_exec(pg, settings[i]);
    pg_synchronise(pg);
}

int pg_connect(struct pg *pg)
{
    char password[PASSWORD_MAX];
    int err = read_password(pg, password);
    if (err != 0)
        return err;
    err = pg_find_server(pg, password);
    explicit_bzero(password, sizeof(password));
    pg->failure = PG_WELL;
    pg->db.err = 0;
    if (err == 0)
        PQsetNoticeReceiver(pg->conn, on_notice, pg);
    if (err == 0 && (PQsetnonblocking(pg->conn, 1) != 0 || !PQenterPipelineMode(pg->conn)))
        err = err_set(&pg->detail, ERR_UNAVAILABLE, "%s", PQerrorMessage(pg->conn));
    if (err == 0) {
        use_part(pg);
        err = pg->failure == PG_WELL ? 0 : pg->db.err;
    }
    if (err != 0)
        pg_close(pg);
    return err;
}

int pg_open(struct pg *pg)
{
    int err = pg_connect(pg);
    if (err == 0)
        err = pg_migrate(pg);
    if (err != 0)
        pg_close(pg);
    return err;
}

/* ---- SQL without statements ---- */

static void send_text(struct pg *pg, const char *sql)
{
    if (pg->failure == PG_WELL)
        pg_sent(pg, PQsendQueryParams(pg->conn, sql, 0, NULL, NULL, NULL, NULL, 1));
}

void pg_exec(struct pg *pg, const char *sql)
{
    send_text(pg, sql);
}

static int64_t number_of(struct pg *pg, int64_t none)
{
    PGresult *result = pg_ask(pg);
    int64_t number = result && PQntuples(result) > 0 ? pg_i64(result, 0, 0) : none;
    PQclear(result);
    return number;
}

int64_t pg_number(struct pg *pg, const char *sql, int64_t none)
{
    send_text(pg, sql);
    return number_of(pg, none);
}

void pg_numbers(struct pg *pg, const char *sql, int64_t *ret_numbers, size_t count)
{
    send_text(pg, sql);
    PGresult *result = pg_ask(pg);
    for (size_t i = 0; result && PQntuples(result) > 0 && i < count; i++)
        ret_numbers[i] = pg_i64(result, 0, (int)i);
    PQclear(result);
}

#define TABLE "table" /* its name as a prepared statement */

static void prepare_table(struct pg *pg, const char *sql)
{
    CHECK(!pg->table);
    if (!pg_sent(pg, PQsendPrepare(pg->conn, TABLE, sql, 0, NULL)) || !pg_sent(pg, PQpipelineSync(pg->conn)))
        return;
    PGresult *result = pg_answer_first(pg);
    if (PQresultStatus(result) == PGRES_COMMAND_OK)
        pg->table = sql;
    PQclear(result);
    PQclear(pg_answer_last(pg));
}

PGresult *pg_table(struct pg *pg, const char *sql)
{
    pg->failure = PG_WELL;
    pg->db.err = 0;
    PQclear(pg_answer_last(pg)); /* of what was only read before */
    if (pg->failure == PG_WELL && pg->table != sql)
        prepare_table(pg, sql);
    if (pg->failure != PG_WELL ||
        !pg_sent(pg, PQsendQueryPrepared(pg->conn, TABLE, 0, NULL, NULL, NULL, 1)) ||
        !pg_sent(pg, PQpipelineSync(pg->conn)))
        return NULL;
    PGresult *result = pg_answer_first(pg);
    PQclear(pg_answer_last(pg));
    if (pg->failure != PG_WELL) {
        PQclear(result);
        return NULL;
    }
    return result;
}

void pg_exec_bytes(struct pg *pg, const char *sql, const void *bytes, size_t len)
{
    const char *value = bytes;
    int length = (int)len, binary = 1;
    if (pg->failure == PG_WELL)
        pg_sent(pg, PQsendQueryParams(pg->conn, sql, 1, NULL, &value, &length, &binary, 1));
}

int64_t pg_number_bytes(struct pg *pg, const char *sql, const void *bytes, size_t len, int64_t none)
{
    pg_exec_bytes(pg, sql, bytes, len);
    return number_of(pg, none);
}

/* ---- transactions ---- */

void pg_synchronise(struct pg *pg)
{
    if (pg->failure != PG_LOST && pg_sent(pg, PQpipelineSync(pg->conn)))
        PQclear(pg_answer_last(pg));
}

void pg_begin(struct pg *pg)
{
    pg->failure = PG_WELL;
    pg->db.err = 0;
    pg->committing = pg->blocked = false;
    pg_exec(pg, pg->options.mode == PG_WRITE ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
}

void pg_commit(struct pg *pg)
{
    if (pg->failure != PG_WELL)
        return;
    pg->committing = true;
    pg_exec(pg, "COMMIT");
    pg_synchronise(pg);
    /* An answer, that of an error too, says that it is not under way any more. */
    if (pg->failure != PG_LOST)
        pg->committing = false;
}

/* Some of them may have been among what the server has passed over. */
static void forget_prepared(struct pg *pg)
{
    pg->failure = PG_WELL;
    pg_exec(pg, "DEALLOCATE ALL");
    pg_synchronise(pg);
    pg->table = NULL;
    memset(pg->prepared, 0, pg->options.schema->statement_count * sizeof(*pg->prepared));
}

void pg_end_read(struct pg *pg)
{
    pg_exec(pg, "COMMIT");
    if (pg->failure == PG_WELL && pg_sent(pg, PQpipelineSync(pg->conn)) && PQflush(pg->conn) < 0)
        pg_fail(pg, PG_LOST, ERR_UNAVAILABLE, PQerrorMessage(pg->conn));
}

/* Sessions of ours that have said nothing for a while amid a transaction that writes in this part. Their
 * process stands still (it is stopped, or its machine is), with locks that others need to take over from it.
 * No timeout of the server's looks at a pipeline that is not at its end. */
static const char end_those_that_stand_still[] =
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    " AND datname = current_database() AND usename = current_user AND application_name = '" APPLICATION_NAME
    "' AND xact_start IS NOT NULL AND wait_event_type = 'Client'"
    " AND state_change < clock_timestamp() - INTERVAL '1 s' AND pid IN (SELECT l.pid FROM pg_locks AS l"
    " JOIN pg_class AS c ON c.oid = l.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE n.nspname = current_schema() AND l.mode <> 'AccessShareLock')";

static void clear_the_way(struct pg *pg)
{
    pg->failure = PG_WELL;
    int64_t count = pg_number(pg, end_those_that_stand_still, 0);
    pg_synchronise(pg);
    if (count > 0)
        log_event(LOG_WARNING, "sessions that stood still amid a transaction were ended",
                  LOG_TEXT("part", pg->options.part), LOG_I64("count", count));
}

void pg_rollback(struct pg *pg)
{
    enum pg_failure failure = pg->failure;
    struct db db = pg->db;
    if (failure != PG_LOST)
        pg_synchronise(pg);
    if (pg->failure != PG_LOST &&
        pg_sent(pg, PQsendQueryParams(pg->conn, "ROLLBACK", 0, NULL, NULL, NULL, NULL, 1)))
        pg_synchronise(pg);
    if (pg->failure != PG_LOST)
        forget_prepared(pg);
    if (pg->failure != PG_LOST && pg->blocked)
        clear_the_way(pg);
    if (pg->failure == PG_LOST) {
        pg_close(pg);
    } else {
        pg->failure = failure;
        pg->db = db;
    }
}
