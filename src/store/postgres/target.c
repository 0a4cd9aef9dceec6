#include "store/postgres/target.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/postgres/pg_inside.h"
#include "store/postgres/tables.h"

#define MARK PG_NETWORK "." PG_COPY

/* Rows asked for at once: those of bodies are up to 64 KiB each. */
#define FETCH_ROWS   1000
#define FETCH_CHUNKS 32

/* The statements behind those of the streams. */
enum { DONE_GET, DONE_ADD, DONE_PUT, OWN_COUNT };

struct target_part {
    char *name;
    const struct stream_part *of;
    char **texts;            /* to insert a row of each stream; then our own */
    struct pg_schema schema; /* the part's, with texts as statements */
    struct pg pg;
};

static int failed(struct pg *pg, struct err_buf *eb)
{
    return err_set(eb, pg->db.err, "the copy's database: %s", pg->detail.text);
}

static struct pg_options options_of(const struct target_options *o, const char *part,
                                    const struct pg_schema *schema)
{
    return (struct pg_options){.uri = o->uri,
                               .password_file = o->password_file,
                               .part = part,
                               .schema = schema,
                               .mode = PG_WRITE,
                               .copies = true,
                               .stop = o->stop};
}

/* ---- the mark ---- */

static int64_t parts_there(struct pg *pg)
{
    return pg_number(pg,
                     "SELECT count(*) FROM information_schema.tables WHERE table_name = 'part'"
                     " AND (table_schema IN ('" PG_NETWORK "', '" PG_MAIL "') OR table_schema LIKE"
                     " 'queue\\_%')",
                     0);
}

static bool is_marked(struct pg *pg)
{
    return pg_number(pg,
                     "SELECT count(*) FROM information_schema.tables WHERE table_schema = '" PG_NETWORK
                     "' AND table_name = '" PG_COPY "'",
                     0) > 0;
}

/* The row without a part names the source. */
static void make_mark(struct pg *pg, const char *from)
{
    pg_begin(pg);
    pg_exec(pg, "CREATE SCHEMA IF NOT EXISTS " PG_NETWORK);
    pg_exec(pg, "CREATE TABLE " MARK "(part TEXT NOT NULL, stream TEXT NOT NULL, done " NUMBER
                ", PRIMARY KEY(part, stream))");
    pg_exec_bytes(pg, "INSERT INTO " MARK "(part, stream, done) VALUES('', encode($1, 'escape'), 0)", from,
                  strlen(from));
    pg_commit(pg);
}

static bool is_of(struct pg *pg, const char *from)
{
    return pg_number_bytes(pg,
                           "SELECT count(*) FROM " MARK " WHERE part = '' AND stream = encode($1, 'escape')",
                           from, strlen(from), 0) == 1;
}

static int look_and_mark(struct pg *pg, const struct target_options *o, struct err_buf *eb)
{
    bool marked = is_marked(pg);
    int64_t parts = marked ? 0 : parts_there(pg);
    bool other = marked && !is_of(pg, o->from);
    pg_synchronise(pg);
    if (pg->failure != PG_WELL)
        return failed(pg, eb);
    if (parts > 0)
        return err_set(eb, ERR_EXISTS,
                       "the database holds a store already, and a whole one: copy into an empty database");
    if (other)
        return err_set(eb, ERR_EXISTS,
                       "the database holds half a copy of another store: copy into an empty database");
    if (!marked)
        make_mark(pg, o->from);
    return pg->failure == PG_WELL ? 0 : failed(pg, eb);
}

static int with_network(const struct target_options *o,
                        int (*act)(struct pg *pg, const struct target_options *o, struct err_buf *eb),
                        struct err_buf *eb)
{
    struct pg_options options = options_of(o, PG_NETWORK, &pg_network_schema);
    struct pg pg;
    pg_init(&pg, &options);
    int err = pg_connect(&pg);
    if (err != 0)
        *eb = pg.detail;
    else
        err = act(&pg, o, eb);
    pg_fini(&pg);
    return err;
}

int target_mark(const struct target_options *o, struct err_buf *eb)
{
    return with_network(o, look_and_mark, eb);
}

static int remove_mark(struct pg *pg, const struct target_options *o, struct err_buf *eb)
{
    (void)o;
    pg_begin(pg);
    pg_exec(pg, "DROP TABLE " MARK);
    pg_commit(pg);
    return pg->failure == PG_WELL ? 0 : failed(pg, eb);
}

int target_unmark(const struct target_options *o, struct err_buf *eb)
{
    return with_network(o, remove_mark, eb);
}

/* ---- parts ---- */

static void add_texts(struct target_part *p)
{
    const struct stream_part *of = p->of;
    static const char *const own[OWN_COUNT] = {
        [DONE_GET] = "SELECT done FROM " MARK " WHERE part = ? AND stream = ?",
        [DONE_ADD] = "INSERT INTO " MARK "(part, stream, done) VALUES(?, ?, 0)",
        [DONE_PUT] = "UPDATE " MARK " SET done = ?4 WHERE part = ?1 AND stream = ?2 AND done = ?3"};
    struct buf text;
    p->texts = mem_calloc(of->count + OWN_COUNT, sizeof(*p->texts));
    for (size_t i = 0; i < of->count; i++) {
        buf_init(&text, 4096);
        stream_insert(&of->streams[i], &text);
        p->texts[i] = buf_steal(&text);
    }
    for (size_t i = 0; i < OWN_COUNT; i++)
        p->texts[of->count + i] = mem_strdup(own[i]);
}

static struct target_part *part_new(const struct target_options *o, enum part_kind kind, struct str name)
{
    static const struct pg_schema *const schemas[] = {
        [PART_NETWORK] = &pg_network_schema, [PART_MAIL] = &pg_mail_schema, [PART_QUEUE] = &pg_queue_schema};
    struct target_part *p = mem_zalloc(sizeof(*p));
    p->name = kind == PART_QUEUE ? mem_asprintf(PG_QUEUE "%.*s", STR_ARG(name))
                                 : mem_strdup(kind == PART_MAIL ? PG_MAIL : PG_NETWORK);
    p->of = stream_part(kind);
    add_texts(p);
    p->schema = (struct pg_schema){.migrations = schemas[kind]->migrations,
                                   .version = schemas[kind]->version,
                                   .statements = (const char *const *)p->texts,
                                   .statement_count = (unsigned)(p->of->count + OWN_COUNT)};
    struct pg_options options = options_of(o, p->name, &p->schema);
    pg_init(&p->pg, &options);
    return p;
}

/* What is committed is so together with the mark's end, or is written again. */
static void settle_in(struct pg *pg)
{
    pg_exec(pg, "SET synchronous_commit TO off");
    pg_synchronise(pg);
}

int target_part_open(const struct target_options *o, enum part_kind kind, struct str name,
                     struct target_part **ret_part, struct err_buf *eb)
{
    if (strlen(PG_QUEUE) + name.len > 63) /* of the server's names */
        return err_set(eb, ERR_INVALID, "\"%.*s\" is too long for a queue's name in a database",
                       STR_ARG(name));
    struct target_part *p = part_new(o, kind, name);
    int err = pg_open(&p->pg);
    if (err != 0)
        *eb = p->pg.detail;
    if (err == 0) {
        settle_in(&p->pg);
        err = p->pg.failure == PG_WELL ? 0 : failed(&p->pg, eb);
    }
    if (err == 0)
        *ret_part = p;
    else
        target_part_close(p);
    return err;
}

void target_part_close(struct target_part *p)
{
    if (!p)
        return;
    pg_fini(&p->pg);
    for (size_t i = 0; i < p->of->count + OWN_COUNT; i++)
        free(p->texts[i]);
    free(p->texts);
    free(p->name);
    free(p);
}

/* ---- writing ---- */

static unsigned own(const struct target_part *p, unsigned which)
{
    return (unsigned)p->of->count + which;
}

static struct str name_of(const struct target_part *p)
{
    return str_from(p->name);
}

int target_done(struct target_part *p, const struct stream *s, int64_t *ret_rows, struct err_buf *eb)
{
    struct str stream = str_from(s->name);
    pg_begin(&p->pg);
    int64_t done = db_number(&p->pg.db, own(p, DONE_GET), -1, TEXT(name_of(p)), TEXT(stream));
    if (done < 0)
        db_run(&p->pg.db, own(p, DONE_ADD), TEXT(name_of(p)), TEXT(stream));
    pg_commit(&p->pg);
    if (p->pg.failure != PG_WELL)
        return failed(&p->pg, eb);
    *ret_rows = done < 0 ? 0 : done;
    return 0;
}

void target_begin(struct target_part *p, const struct stream *s, int64_t done)
{
    char sql[64];
    pg_begin(&p->pg);
    if (!s->seeded || done > 0)
        return;
    snprintf(sql, sizeof(sql), "DELETE FROM %s", s->table);
    pg_exec(&p->pg, sql);
}

void target_put(struct target_part *p, const struct stream *s, const struct db_value *row)
{
    p->pg.db.driver->run(&p->pg.db, (unsigned)(s - p->of->streams), row, strlen(s->types));
}

int target_commit(struct target_part *p, const struct stream *s, int64_t done, int64_t done_then,
                  struct err_buf *eb)
{
    bool ours = db_change(&p->pg.db, own(p, DONE_PUT), TEXT(name_of(p)), TEXT(str_from(s->name)), INT(done),
                          INT(done_then)) == 1;
    if (p->pg.failure == PG_WELL && !ours)
        return err_set(eb, ERR_CONFLICT, "another `holdfast store copy` writes to the same database");
    pg_commit(&p->pg);
    return p->pg.failure == PG_WELL ? 0 : failed(&p->pg, eb);
}

int target_number(struct target_part *p, const char *table, int64_t highest, struct err_buf *eb)
{
    char sql[128];
    snprintf(sql, sizeof(sql), "ALTER TABLE %s ALTER COLUMN id RESTART WITH %lld", table,
             (long long)highest + 1);
    pg_begin(&p->pg);
    pg_exec(&p->pg, sql);
    pg_commit(&p->pg);
    return p->pg.failure == PG_WELL ? 0 : failed(&p->pg, eb);
}

/* ---- reading ---- */

struct target_rows {
    struct target_part *part;
    const struct stream *stream;
    PGresult *fetched; /* NULL at first */
    int at;
};

int target_rows_open(struct target_part *p, const struct stream *s, int64_t bodies,
                     struct target_rows **ret_rows, struct err_buf *eb)
{
    struct buf sql;
    buf_init(&sql, 4096);
    buf_append_text(&sql, "DECLARE walk NO SCROLL CURSOR FOR ");
    stream_select(s, bodies, &sql);
    pg_begin(&p->pg);
    pg_exec(&p->pg, buf_data(&sql));
    buf_fini(&sql);
    if (p->pg.failure != PG_WELL)
        return failed(&p->pg, eb);
    struct target_rows *r = mem_zalloc(sizeof(*r));
    r->part = p;
    r->stream = s;
    *ret_rows = r;
    return 0;
}

static bool fetch(struct target_rows *r)
{
    struct pg *pg = &r->part->pg;
    char sql[64];
    snprintf(sql, sizeof(sql), "FETCH %d FROM walk",
             stream_is_of_chunks(r->stream) ? FETCH_CHUNKS : FETCH_ROWS);
    PQclear(r->fetched);
    pg_exec(pg, sql);
    r->fetched = pg_ask(pg);
    r->at = 0;
    return r->fetched;
}

static struct db_value value_of(const struct target_rows *r, int column, char type)
{
    if (type == 'i' || type == 'n')
        return INT(pg_i64(r->fetched, r->at, column));
    struct str bytes = {PQgetvalue(r->fetched, r->at, column),
                        (size_t)PQgetlength(r->fetched, r->at, column)};
    return (struct db_value){.type = type == 't' ? DB_TEXT : DB_BLOB, .bytes = bytes};
}

int target_rows_next(struct target_rows *r, struct db_value *ret_values, struct err_buf *eb)
{
    r->at++;
    if ((!r->fetched || r->at >= PQntuples(r->fetched)) && !fetch(r))
        return failed(&r->part->pg, eb);
    if (PQntuples(r->fetched) == 0)
        return 0;
    for (int i = 0; r->stream->types[i]; i++)
        ret_values[i] = value_of(r, i, r->stream->types[i]);
    return 1;
}

void target_rows_close(struct target_rows *r)
{
    if (!r)
        return;
    PQclear(r->fetched);
    pg_rollback(&r->part->pg);
    free(r);
}
