#include "store/database_status.h"

#include <jansson.h>

#include "base/mem.h"
#include "store/postgres/pg_inside.h"
#include "store/postgres/tables.h"
#include "store/postgres/text.h"

/* Its write position, or what a standby has got. */
#define POSITION "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END"

/* That of the last checkpoint lags behind a promotion. */
static const char server_sql[] =
    "SELECT current_setting('server_version') AS version, NOT pg_is_in_recovery() AS primary,"
    " CASE WHEN pg_is_in_recovery() THEN (SELECT CAST(timeline_id AS BIGINT) FROM pg_control_checkpoint())"
    " ELSE CAST(CAST(CAST('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS bit(32)) AS INT) AS"
    " BIGINT) END AS timeline,"
    " CAST(current_database() AS TEXT) AS database, CAST(current_user AS TEXT) AS role,"
    " pg_database_size(current_database()) AS size_bytes,"
    " current_setting('synchronous_standby_names') AS synchronous_standby_names,"
    " pg_has_role('pg_read_all_stats', 'MEMBER') AS sees_standbys";

/* A table's rows are the server's estimates; of its bytes, as many are dead as of its rows. */
#define OF_OURS                                                                                              \
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_stat_user_tables s"         \
    " ON s.relid = c.oid WHERE c.relkind = 'r' AND (n.nspname IN ('" PG_NETWORK "', '" PG_MAIL "')"          \
    " OR n.nspname LIKE 'queue\\_%')"
#define DEAD_BYTES                                                                                           \
    "CAST(pg_total_relation_size(c.oid) AS DOUBLE PRECISION) * s.n_dead_tup"                                 \
    " / greatest(s.n_live_tup + s.n_dead_tup, 1)"

static const char tables_sql[] =
    "SELECT CAST(n.nspname AS TEXT) AS part, CAST(c.relname AS TEXT) AS table, pg_total_relation_size(c.oid)"
    " AS size_bytes, s.n_live_tup AS live_rows, s.n_dead_tup AS dead_rows,"
    " CAST(" DEAD_BYTES " AS BIGINT) AS dead_bytes,"
    " s.n_tup_upd AS updates, s.n_tup_hot_upd AS updates_in_page" OF_OURS " ORDER BY 1, 2";
static const char parts_sql[] =
    "SELECT CAST(n.nspname AS TEXT) AS part, CAST(sum(pg_total_relation_size(c.oid)) AS BIGINT) AS "
    "size_bytes,"
    " CAST(sum(s.n_live_tup) AS BIGINT) AS live_rows, CAST(sum(s.n_dead_tup) AS BIGINT) AS dead_rows,"
    " CAST(sum(" DEAD_BYTES ") AS BIGINT) AS dead_bytes" OF_OURS " GROUP BY 1 ORDER BY 1";

#define BEHIND(what)                                                                                         \
    ", CAST(pg_wal_lsn_diff(" POSITION ", " what "_lsn) AS BIGINT) AS " what "_behind_bytes,"                \
    " CAST(extract(epoch FROM " what "_lag) * 1000 AS BIGINT) AS " what "_behind_ms"
static const char standbys_sql[] =
    "SELECT application_name AS name, host(client_addr) AS address, state, sync_state" BEHIND("write")
        BEHIND("flush") BEHIND("replay") " FROM pg_stat_replication ORDER BY 1, 2";

/* ---- from rows to JSON ---- */

static json_t *text_of(const PGresult *result, int row, int column)
{
    struct str s = {PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column)};
    char *fit = text_made_fit(s);
    json_t *value = json_stringn(fit, s.len);
    free(fit);
    return value;
}

static json_t *value_of(const PGresult *result, int row, int column)
{
    enum { BOOL = 16, TEXT_TYPE = 25 }; /* of pg_type */
    if (PQgetisnull(result, row, column))
        return json_null();
    if (PQftype(result, column) == TEXT_TYPE)
        return text_of(result, row, column);
    int64_t number = pg_i64(result, row, column);
    return PQftype(result, column) == BOOL ? json_boolean(number != 0) : json_integer(number);
}

static json_t *rows_of(const PGresult *result)
{
    json_t *rows = json_array();
    for (int row = 0; row < PQntuples(result); row++) {
        json_t *object = json_object();
        for (int column = 0; column < PQnfields(result); column++)
            json_object_set_new(object, PQfname(result, column), value_of(result, row, column));
        json_array_append_new(rows, object);
    }
    return rows;
}

/* NULL: the server did not tell; why is in problems. */
static json_t *ask(struct pg *pg, const char *sql, json_t *problems)
{
    if (!pg->conn)
        return NULL;
    pg_begin(pg);
    pg_exec(pg, sql);
    PGresult *result = pg_ask(pg);
    json_t *rows = result ? rows_of(result) : NULL;
    PQclear(result);
    if (rows)
        pg_end_read(pg);
    if (pg->failure != PG_WELL) {
        json_array_append_new(problems, json_string(pg->detail.text));
        pg_rollback(pg);
    }
    return rows;
}

static void set(json_t *into, const char *name, json_t *value)
{
    json_object_set_new(into, name, value ? value : json_null());
}

static json_t *gather(struct pg *pg)
{
    json_t *all = json_object(), *problems = json_array();
    json_t *servers = ask(pg, server_sql, problems);
    json_t *server = json_array_get(servers, 0);
    bool sees = json_is_true(json_object_get(server, "sees_standbys"));
    set(all, "server", json_incref(server));
    set(all, "parts", ask(pg, parts_sql, problems));
    set(all, "tables", ask(pg, tables_sql, problems));
    set(all, "standbys", sees ? ask(pg, standbys_sql, problems) : NULL);
    set(all, "problems", problems);
    json_decref(servers);
    return all;
}

int store_database_status(const struct store_options *options, char **ret_json, struct err_buf *eb)
{
    static const atomic_bool never;
    static const struct pg_schema none = {.statement_count = 1};
    const struct pg_options o = {.uri = options->path,
                                 .password_file = options->password_file,
                                 .part = PG_NETWORK,
                                 .schema = &none,
                                 .mode = PG_LOOK,
                                 .any_server = true,
                                 .stop = &never};
    struct pg pg;
    pg_init(&pg, &o);
    int err = pg_connect(&pg);
    if (err != 0) {
        *eb = pg.detail;
    } else {
        json_t *all = gather(&pg);
        *ret_json = json_dumps(all, JSON_COMPACT);
        json_decref(all);
    }
    pg_fini(&pg);
    return err;
}
