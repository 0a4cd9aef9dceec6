/* Sending: a statement, which is prepared at its first use, with its values. */
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "store/postgres/pg_inside.h"
#include "store/postgres/statement.h"
#include "store/postgres/text.h"

#define PARAMETERS_MAX 16

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

void pg_send(struct pg *pg, unsigned sql, const struct db_value *values, size_t count)
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
