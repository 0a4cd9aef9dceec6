/* The part's schema in the database: made, or led from version to version, each in a transaction, by one
 * process at a time: the row of its version is locked. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/postgres/pg_inside.h"
#include "store/postgres/tables.h"

#define TRIES 5 /* two processes may make a schema at once: one of them meets the other */

/* The extended protocol takes one statement at a time; ours have no semicolon within. */
static void run_all(struct pg *pg, const char *sql)
{
    while (*sql) {
        size_t len = strcspn(sql, ";");
        char *one = mem_strndup(sql, len);
        pg_exec(pg, one);
        free(one);
        sql += len + (sql[len] == ';');
    }
}

enum there { NOTHING, PART, HALF_A_COPY };

static enum there what_is_there(struct pg *pg)
{
    char sql[512];
    char *name = PQescapeLiteral(pg->conn, pg->options.part, strlen(pg->options.part));
    CHECK(name);
    snprintf(sql, sizeof(sql),
             "SELECT sum(CASE table_name WHEN '" PG_COPY "' THEN 2 ELSE 1 END) FROM information_schema.tables"
             " WHERE table_schema = %s AND table_name IN ('part', '" PG_COPY "')",
             name);
    PQfreemem(name);
    int64_t there = pg_number(pg, sql, 0);
    pg_synchronise(pg);
    if ((there & 2) && !pg->options.copies)
        return HALF_A_COPY;
    return there & 1 ? PART : NOTHING;
}

static int half_a_copy(struct pg *pg)
{
    return err_set(
        &pg->detail, ERR_BUSY,
        "the database holds half a copy of a store: `holdfast store copy`, as it was begun, goes on"
        " where it was");
}

static void make(struct pg *pg)
{
    char sql[256];
    char *name = PQescapeIdentifier(pg->conn, pg->options.part, strlen(pg->options.part));
    CHECK(name);
    snprintf(sql, sizeof(sql), "CREATE SCHEMA IF NOT EXISTS %s", name);
    PQfreemem(name);
    pg_begin(pg);
    pg_exec(pg, sql);
    pg_exec(pg, "CREATE TABLE IF NOT EXISTS part(id BIGINT PRIMARY KEY, version BIGINT NOT NULL)");
    pg_exec(pg, "INSERT INTO part(id, version) VALUES(1, 0) ON CONFLICT DO NOTHING");
    pg_commit(pg);
}

static int too_new(struct pg *pg, int64_t version)
{
    return err_set(
        &pg->detail, ERR_VERSION,
        "\"%s\" in the database has schema version %lld, this program knows up to %d: run the newer "
        "program that made it",
        pg->options.part, (long long)version, pg->options.schema->version);
}

static int lead(struct pg *pg)
{
    const struct pg_schema *schema = pg->options.schema;
    char sql[64];
    pg_begin(pg);
    int64_t version = pg_number(pg, "SELECT version FROM part WHERE id = 1 FOR UPDATE", 0);
    if (version > schema->version) {
        pg_rollback(pg);
        return too_new(pg, version);
    }
    for (; version < schema->version && pg->failure == PG_WELL; version++)
        run_all(pg, schema->migrations[version]);
    snprintf(sql, sizeof(sql), "UPDATE part SET version = %d WHERE id = 1", schema->version);
    pg_exec(pg, sql);
    pg_commit(pg);
    return pg->db.err;
}

static int64_t stored_version(struct pg *pg)
{
    int64_t version = pg_number(pg, "SELECT version FROM part WHERE id = 1", 0);
    pg_synchronise(pg);
    return pg->failure == PG_WELL ? version : -1;
}

static int make_and_lead(struct pg *pg)
{
    int err = 0;
    for (int i = 0; i < TRIES; i++) {
        pg->failure = PG_WELL;
        pg->db.err = 0;
        enum there there = what_is_there(pg);
        if (there == HALF_A_COPY)
            return half_a_copy(pg);
        if (there == NOTHING)
            make(pg);
        if (pg->failure == PG_WELL && stored_version(pg) == pg->options.schema->version)
            return 0;
        err = pg->failure == PG_WELL ? lead(pg) : pg->db.err;
        if (pg->failure == PG_WELL)
            break;
        pg_rollback(pg);
        if (!pg->conn)
            break;
    }
    return err;
}

static int look(struct pg *pg)
{
    enum there there = what_is_there(pg);
    if (there == HALF_A_COPY)
        return half_a_copy(pg);
    if (there == NOTHING)
        return err_set(&pg->detail, pg->failure == PG_WELL ? ERR_NOT_FOUND : pg->db.err,
                       "\"%s\" is not in the database", pg->options.part);
    int64_t version = stored_version(pg);
    if (pg->failure != PG_WELL)
        return pg->db.err;
    if (version < pg->options.schema->version)
        return err_set(&pg->detail, ERR_VERSION,
                       "\"%s\" in the database has the older schema version %lld: start a node on it, which "
                       "migrates it",
                       pg->options.part, (long long)version);
    return version > pg->options.schema->version ? too_new(pg, version) : 0;
}

int pg_migrate(struct pg *pg)
{
    return pg->options.mode == PG_WRITE ? make_and_lead(pg) : look(pg);
}
