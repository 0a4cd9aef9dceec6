/* Finding what a filter selects: by the index of places where the filter allows, else by looking at the rows
 * one after the other, so many in a slice. */
#include "store/sql/queue.h"
#include "store/sql/queue_sql.h"

#define STATES_ENDED ((1U << QUEUE_DELIVERED) | (1U << QUEUE_BOUNCED) | (1U << QUEUE_REMOVED))
#define SCAN_ROWS    5000 /* looked at in a transaction: some 10 ms */

/* ---- lists of numbers ---- */

void queue_ids_add(struct store_op *op, struct queue_ids *l, int64_t id)
{
    l->ids = op_array_grow(op, l->ids, l->count, sizeof(*l->ids));
    l->ids[l->count++] = id;
}

void queue_ids_add_rows(struct store_op *op, struct queue_ids *l, struct db_row *row)
{
    for (; row; row = db_next(row))
        queue_ids_add(op, l, db_col_i64(row, 0));
}

static int id_cmp(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

void queue_ids_cut(struct queue_ids *l, size_t limit)
{
    if (l->count > 1)
        qsort(l->ids, l->count, sizeof(*l->ids), id_cmp);
    if (l->count > limit)
        l->count = limit;
}

/* l: ascending. */
static bool ids_have(const struct queue_ids *l, int64_t id)
{
    return l->count > 0 && bsearch(&id, l->ids, l->count, sizeof(*l->ids), id_cmp);
}

/* ---- places ---- */

static bool names_server(const struct queue_filter *f)
{
    return f->domain_count > 0 || f->home.ptr;
}

static bool names_place(const struct queue_filter *f)
{
    return names_server(f) || f->domain.ptr;
}

static void add_place(struct sql_tx *tx, struct store_op *op, struct queue_ids *places, struct str domain,
                      struct str home)
{
    int64_t id = queue_place_find(tx, domain, home);
    if (id != 0)
        queue_ids_add(op, places, id);
}

/* Of the servers that it names; ascending. */
static struct queue_ids places_of(struct sql_tx *tx, struct store_op *op, const struct queue_filter *f)
{
    struct queue_ids places = {0};
    for (size_t i = 0; i < f->domain_count; i++)
        add_place(tx, op, &places, f->domains[i], STR_EMPTY);
    if (f->home.len > 0)
        add_place(tx, op, &places, STR_EMPTY, f->home);
    queue_ids_cut(&places, places.count);
    return places;
}

/* ---- by the index ---- */

struct finding {
    struct sql_tx *tx;
    struct store_op *op;
    const struct queue_filter *f;
    size_t limit;
    struct queue_found found;
};

/* Those of one place; with `limit` of them, none above the last one is of interest any more. */
static void find_at(struct finding *w, int64_t place_id)
{
    struct queue_found *out = &w->found;
    for (int state = QUEUE_WAITING; state <= QUEUE_QUARANTINED; state++)
        for (int lossy = 0; lossy <= 1 && ((w->f->states >> state) & 1); lossy++)
            queue_ids_add_rows(w->op, &out->ids,
                               db_query(w->tx->db, SQL_LIVE_AT_PLACE, INT(place_id), INT(state), INT(lossy),
                                        INT(w->f->after_id), INT(out->up_to), INT(w->limit)));
    if (out->ids.count < w->limit)
        return;
    queue_ids_cut(&out->ids, w->limit);
    out->up_to = out->ids.ids[out->ids.count - 1];
}

static void find_at_places(struct finding *w, const struct queue_ids *places)
{
    for (size_t i = 0; i < places->count; i++)
        find_at(w, places->ids[i]);
}

/* ---- by looking ---- */

/* The range (first, last] of numbers that can be selected; empty: false. */
static bool range_of(struct sql_tx *tx, const struct queue_filter *f, int64_t *first, int64_t *last)
{
    *first = f->after_id;
    *last = INT64_MAX;
    if (f->delivery_id != 0) {
        *first = f->delivery_id - 1 > *first ? f->delivery_id - 1 : *first;
        *last = f->delivery_id;
    }
    if (f->custody_id) {
        struct db_row *row =
            db_query(tx->db, SQL_MESSAGE_BY_CUSTODY, BLOB(f->custody_id->bytes, CUSTODY_ID_BYTES));
        int64_t from = row ? db_col_i64(row, 1) : 0, end = row ? from + db_col_i64(row, 2) : 0;
        db_end(row);
        *first = from - 1 > *first ? from - 1 : *first;
        *last = end - 1 < *last ? end - 1 : *last;
    }
    return *first < *last;
}

static struct db_value text_or_null(struct str s)
{
    return s.ptr ? TEXT(s) : (struct db_value){.type = DB_NULL};
}

/* Of ASCII only, as the engines do it with what is in order of its bytes. */
static struct db_value lower_or_null(struct store_op *op, struct str s)
{
    struct str copy = op_str(op, s);
    if (copy.ptr)
        ascii_lower_inplace((char *)(uintptr_t)copy.ptr, copy.len);
    return text_or_null(copy);
}

static struct db_row *scan_begin(struct finding *w, enum queue_sql sql)
{
    const struct queue_filter *f = w->f;
    int64_t first, last, before = f->received_before.ms ? f->received_before.ms : INT64_MAX;
    bool of_message = f->sender.ptr || f->header_id.ptr || f->received_from.ms || f->received_before.ms;
    if (!range_of(w->tx, f, &first, &last))
        return NULL;
    return db_query(w->tx->db, sql, INT(first), INT(last), INT(f->states), lower_or_null(w->op, f->recipient),
                    lower_or_null(w->op, f->reply), INT(of_message), lower_or_null(w->op, f->sender),
                    INT(f->received_from.ms), INT(before), text_or_null(f->header_id),
                    text_or_null(f->domain), INT(SCAN_ROWS + 1));
}

static void scan(struct finding *w, enum queue_sql sql, const struct queue_ids *places)
{
    size_t found = 0, looked = 0;
    int64_t id = 0;
    struct db_row *row = scan_begin(w, sql);
    for (; row && found < w->limit && looked < SCAN_ROWS; row = db_next(row)) {
        id = db_col_i64(row, 0);
        looked++;
        if (!db_col_i64(row, 2) || (names_server(w->f) && !ids_have(places, db_col_i64(row, 1))))
            continue;
        queue_ids_add(w->op, &w->found.ids, id);
        found++;
    }
    if (row && id < w->found.up_to)
        w->found.up_to = id;
    db_end(row);
}

/* ---- all of it ---- */

/* Whether the filter asks for more than a place and a state. */
static bool looks_at_rows(const struct queue_filter *f)
{
    return f->sender.ptr || f->header_id.ptr || f->recipient.ptr || f->reply.ptr || f->custody_id ||
           f->delivery_id != 0 || f->received_from.ms != 0 || f->received_before.ms != 0;
}

/* Those that follow its route are at one place; those with an own home are found by the index of `away`, a
 * slice of it. */
static void find_of_domain(struct finding *w, const struct queue_ids *places)
{
    int64_t place_id = queue_place_find(w->tx, w->f->domain, STR_EMPTY);
    if (place_id != 0 && (!names_server(w->f) || ids_have(places, place_id)))
        find_at(w, place_id);
    scan(w, SQL_AWAY_SCAN, places);
}

static void find_live(struct finding *w, struct queue_ids *places)
{
    bool stopped_only = !((w->f->states >> QUEUE_WAITING) & 1) && !names_place(w->f);
    if (looks_at_rows(w->f) || (!names_place(w->f) && !stopped_only)) {
        scan(w, SQL_LIVE_SCAN, places);
        return;
    }
    if (w->f->domain.ptr) {
        find_of_domain(w, places);
        return;
    }
    if (stopped_only)
        queue_places_store(w->tx);
    if (stopped_only)
        queue_ids_add_rows(w->op, places, db_query(w->tx->db, SQL_PLACE_STOPPED));
    find_at_places(w, places);
}

/* What is above the end of the slice is found again in the next one. */
static void cut(struct queue_found *found, size_t limit)
{
    queue_ids_cut(&found->ids, found->ids.count);
    while (found->ids.count > 0 && found->ids.ids[found->ids.count - 1] > found->up_to)
        found->ids.count--;
    if (found->ids.count > limit)
        found->up_to = found->ids.ids[limit - 1];
    queue_ids_cut(&found->ids, limit);
}

struct queue_found queue_find(struct sql_tx *tx, struct store_op *op, const struct queue_filter *f,
                              size_t limit)
{
    struct finding w = {.tx = tx, .op = op, .f = f, .limit = limit, .found.up_to = INT64_MAX};
    struct queue_ids places = places_of(tx, op, f);
    if (f->states & QUEUE_LIVE_STATES)
        find_live(&w, &places);
    if (f->states & STATES_ENDED)
        scan(&w, SQL_ENDED_SCAN, &places);
    cut(&w.found, limit);
    return w.found;
}
