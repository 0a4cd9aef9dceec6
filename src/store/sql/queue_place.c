/* Places: where deliveries go, and how many are there. What a transaction has to do with a place is gathered
 * and written once, before its end: a row that is changed again and again within a transaction costs more
 * each time. */
#include "base/mem.h"
#include "store/sql/queue.h"
#include "store/sql/queue_sql.h"

static void store(struct sql_tx *tx, struct sql_place *p)
{
    if (p->waiting != 0 || p->held != 0 || p->quarantined != 0)
        db_run(tx->db, SQL_PLACE_COUNT, INT(p->id), INT(p->waiting), INT(p->held), INT(p->quarantined));
    p->waiting = p->held = p->quarantined = 0;
}

void queue_places_store(struct sql_tx *tx)
{
    for (size_t i = 0; i < tx->place_count; i++)
        store(tx, &tx->places[i]);
}

void queue_places_forget(struct sql_tx *tx)
{
    for (size_t i = 0; i < tx->place_count; i++) {
        free(tx->places[i].domain);
        free(tx->places[i].home);
    }
    tx->place_count = 0;
}

static struct sql_place *add(struct sql_tx *tx, int64_t id)
{
    if (tx->place_count == SQL_PLACES_MAX) {
        queue_places_store(tx);
        queue_places_forget(tx);
    }
    struct sql_place *p = &tx->places[tx->place_count++];
    *p = (struct sql_place){.id = id};
    return p;
}

static struct sql_place *by_id(struct sql_tx *tx, int64_t id)
{
    for (size_t i = 0; i < tx->place_count; i++)
        if (tx->places[i].id == id)
            return &tx->places[i];
    return add(tx, id);
}

static const struct sql_place *by_name(const struct sql_tx *tx, struct str domain, struct str home)
{
    for (size_t i = 0; i < tx->place_count; i++) {
        const struct sql_place *p = &tx->places[i];
        if (p->domain && str_eq(str_from(p->domain), domain) && str_eq(str_from(p->home), home))
            return p;
    }
    return NULL;
}

static int64_t remember(struct sql_tx *tx, int64_t id, struct str domain, struct str home)
{
    struct sql_place *p = id != 0 ? by_id(tx, id) : NULL;
    if (p && !p->domain) {
        p->domain = mem_strndup(domain.ptr, domain.len);
        p->home = mem_strndup(home.ptr, home.len);
    }
    return id;
}

int64_t queue_place_find(struct sql_tx *tx, struct str domain, struct str home)
{
    domain = home.len > 0 ? STR_EMPTY : domain;
    const struct sql_place *known = by_name(tx, domain, home);
    if (known)
        return known->id;
    int64_t id = db_number(tx->db, SQL_PLACE_FIND, 0, TEXT(domain), TEXT(home));
    return tx->writable ? remember(tx, id, domain, home) : id;
}

int64_t queue_place_of(struct sql_tx *tx, struct str domain, struct str home)
{
    int64_t id = queue_place_find(tx, domain, home);
    if (id != 0)
        return id;
    domain = home.len > 0 ? STR_EMPTY : domain;
    return remember(tx, db_number(tx->db, SQL_PLACE_ADD, 0, TEXT(domain), TEXT(home)), domain, home);
}

static void count_at(struct sql_place *p, int state, int64_t number)
{
    if (state == QUEUE_WAITING)
        p->waiting += number;
    if (state == QUEUE_HELD)
        p->held += number;
    if (state == QUEUE_QUARANTINED)
        p->quarantined += number;
}

void queue_place_count(struct sql_tx *tx, int64_t place_id, int from, int to, int64_t number)
{
    struct sql_place *p = by_id(tx, place_id);
    count_at(p, from, -number);
    count_at(p, to, number);
}

int64_t queue_place_take(struct sql_tx *tx, struct str domain, struct str home)
{
    int64_t id = queue_place_of(tx, domain, home);
    queue_place_count(tx, id, -1, QUEUE_WAITING, 1);
    return id;
}
