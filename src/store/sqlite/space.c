#include "store/sqlite/space.h"

#include <string.h>

#include "base/mem.h"
#include "store/sqlite/lock.h"
#include "store/sqlite/queue_sql.h"
#include "store/sqlite/segment.h"
#include "store/sqlite/tx.h"

#define PAGE_BYTES 4096

/* Used again rather than removed: their blocks are written already. */
#define SPARES_MAX 2
/* A segment so many lives behind is punched; before that it may soon be free as a whole. */
#define PUNCH_LAG 4
/* ... when this part of it can be given back at once. */
#define PUNCH_PART 8
/* 1 MiB: some ten pieces of a body; less is better left to the database. */
#define SMALLEST_PART 16

/* ---- of one transaction ---- */

void space_add(struct space_change *c, uint32_t segment, int64_t pieces)
{
    for (size_t i = 0; i < c->delta_count; i++)
        if (c->deltas[i].segment == segment) {
            c->deltas[i].pieces += pieces;
            return;
        }
    c->deltas = mem_reallocarray(c->deltas, c->delta_count + 1, sizeof(*c->deltas));
    c->deltas[c->delta_count++] = (struct space_delta){segment, pieces};
}

void space_free(struct space_change *c, const struct record_piece *piece)
{
    space_add(c, piece->segment, -1);
    c->freed = mem_grow(c->freed, c->freed_count, sizeof(*c->freed));
    c->freed[c->freed_count++] = *piece;
}

void space_store(struct sqlite_tx *tx)
{
    for (size_t i = 0; i < tx->space.delta_count; i++)
        db_run(tx->sql.db, SQL_SEGMENT_COUNT, INT(tx->space.deltas[i].segment),
               INT(tx->space.deltas[i].pieces));
}

void space_change_clear(struct space_change *c)
{
    free(c->deltas);
    free(c->freed);
    *c = (struct space_change){0};
}

/* ---- the owner's ---- */

void space_init(struct space *s, const char *path)
{
    *s = (struct space){.path = path, .segment_bytes = segment_io()->segment_bytes};
}

static void forget_dead(struct space_segment *g)
{
    free(g->dead);
    g->dead = NULL;
    g->dead_pages = 0;
}

void space_fini(struct space *s)
{
    for (uint32_t i = 0; i < s->count; i++)
        forget_dead(&s->segments[i]);
    free(s->segments);
    s->segments = NULL;
    s->count = 0;
}

static struct space_segment *segment_of(struct space *s, uint32_t number)
{
    if (number >= s->count) {
        uint32_t count = number + 1 > 2 * s->count ? number + 1 : 2 * s->count;
        s->segments = mem_reallocarray(s->segments, count, sizeof(*s->segments));
        memset(s->segments + s->count, 0, (count - s->count) * sizeof(*s->segments));
        s->count = count;
    }
    return &s->segments[number];
}

static void found(void *arg, uint32_t number, const struct stat *st)
{
    struct space *s = arg;
    struct space_segment *g = segment_of(s, number);
    g->exists = true;
    g->holes = st->st_blocks * 512 < st->st_size || (uint64_t)st->st_size != s->segment_bytes;
}

void space_load(struct space *s, struct sqlite_tx *tx)
{
    space_fini(s);
    segment_each(s->path, found, s);
    for (struct db_row *row = db_query(tx->sql.db, SQL_SEGMENT_LIST); row; row = db_next(row))
        segment_of(s, (uint32_t)db_col_i64(row, 0))->pieces = db_col_i64(row, 1);
    for (size_t i = 0; i < tx->space.delta_count; i++)
        segment_of(s, tx->space.deltas[i].segment)->pieces += tx->space.deltas[i].pieces;
}

void space_hold(struct space *s, uint32_t segment)
{
    segment_of(s, segment)->pieces++;
}

static void count_dead(struct space *s, struct space_segment *g, uint64_t from, uint64_t to)
{
    uint64_t pages = s->segment_bytes / PAGE_BYTES;
    if (!g->dead)
        g->dead = mem_calloc(pages, sizeof(*g->dead));
    for (uint64_t at = from; at < to && at / PAGE_BYTES < pages;) {
        uint64_t page = at / PAGE_BYTES, end = (page + 1) * PAGE_BYTES < to ? (page + 1) * PAGE_BYTES : to;
        g->dead[page] += (uint16_t)(end - at);
        g->dead_pages += g->dead[page] == PAGE_BYTES;
        at = end;
    }
}

void space_drop(struct space *s, const struct record_piece *piece)
{
    struct space_segment *g = segment_of(s, piece->segment);
    g->pieces--;
    count_dead(s, g, piece->at, piece->at + piece->lead + piece->bytes);
}

void space_committed(struct space *s, const struct space_change *c)
{
    for (size_t i = 0; i < c->freed_count; i++)
        space_drop(s, &c->freed[i]);
}

/* ---- taking ---- */

static bool is_spare(const struct space *s, uint32_t number)
{
    const struct space_segment *g = &s->segments[number];
    return g->exists && g->life == 0 && g->pieces == 0 && !g->holes;
}

static uint32_t find_spare(const struct space *s)
{
    for (uint32_t i = 1; i < s->count; i++)
        if (is_spare(s, i))
            return i;
    return 0;
}

static int make_new(struct space *s, uint64_t bytes, uint32_t *ret_number)
{
    uint32_t number = 0;
    int err = ERR_EXISTS; /* an owner that was replaced may just have made its spare */
    while (err == ERR_EXISTS) {
        do
            number++;
        while (number < s->count && (s->segments[number].exists || s->segments[number].pieces > 0));
        err = segment_make(s->path, number, bytes);
    }
    if (err != 0)
        return err;
    *segment_of(s, number) = (struct space_segment){.exists = true, .holes = bytes != s->segment_bytes};
    *ret_number = number;
    return 0;
}

/* A smaller one when the disk is nearly full. */
static int make_as_large_as_possible(struct space *s, uint32_t *ret_number)
{
    int err = ERR_FULL;
    for (uint64_t part = 1; err == ERR_FULL && part <= SMALLEST_PART; part *= 4)
        err = make_new(s, s->segment_bytes / part, ret_number);
    return err;
}

int space_take(struct space *s, bool new_one, uint32_t *ret_number)
{
    uint32_t number = new_one ? 0 : find_spare(s);
    int err = number == 0 ? make_as_large_as_possible(s, &number) : 0;
    if (err != 0)
        return err;
    s->segments[number].life = ++s->lives;
    *ret_number = number;
    return 0;
}

bool space_wants_spare(const struct space *s)
{
    return s->prepared_in != s->lives && find_spare(s) == 0;
}

void space_prepare(struct space *s)
{
    uint32_t number;
    s->prepared_in = s->lives;
    if (make_new(s, s->segment_bytes, &number) != 0)
        return; /* whoever needs it will say so */
}

/* ---- giving back ---- */

static void punch(struct space *s, uint32_t number)
{
    struct space_segment *g = &s->segments[number];
    struct segment open = {.fd = -1};
    uint64_t pages = s->segment_bytes / PAGE_BYTES;
    if (segment_open(s->path, number, &open) != 0)
        return;
    for (uint64_t first = 0; first < pages; first++) {
        uint64_t end = first;
        while (end < pages && g->dead[end] == PAGE_BYTES)
            g->dead[end++]++; /* is punched */
        if (end > first && segment_io()->punch(open.fd, first * PAGE_BYTES, (end - first) * PAGE_BYTES) == 0)
            g->holes = true;
        first = end;
    }
    g->dead_pages = 0;
    segment_close(&open);
}

static void remove_segment(struct space *s, uint32_t number)
{
    struct space_segment *g = &s->segments[number];
    char *name = segment_path(s->path, number);
    if (segment_io()->remove(name) == 0)
        *g = (struct space_segment){0};
    else
        g->holes = true; /* not to be used again; the next owner tries */
    free(name);
}

void space_shed(struct space *s)
{
    for (uint32_t number = find_spare(s); number != 0; number = find_spare(s))
        remove_segment(s, number);
}

static void release(struct space *s, uint32_t number, unsigned *spares)
{
    struct space_segment *g = &s->segments[number];
    forget_dead(g);
    g->life = 0;
    if (g->holes || ++*spares > SPARES_MAX)
        remove_segment(s, number);
}

void space_give_back(struct space *s, uint32_t current, struct lock *lock)
{
    uint64_t pages = s->segment_bytes / PAGE_BYTES;
    unsigned spares = 0;
    if (!lock_space(lock))
        return;
    for (uint32_t i = 1; i < s->count; i++) {
        struct space_segment *g = &s->segments[i];
        if (!g->exists || i == current)
            continue;
        if (g->pieces == 0)
            release(s, i, &spares);
        else if (g->dead && g->dead_pages >= pages / PUNCH_PART && s->lives - g->life >= PUNCH_LAG)
            punch(s, i);
    }
    lock_space_done(lock);
}
