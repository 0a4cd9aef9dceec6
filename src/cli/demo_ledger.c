#include "cli/demo_ledger.h"

#include "base/check.h"
#include "base/mem.h"

void ledger_init(struct ledger *l)
{
    *l = (struct ledger){0};
}

void ledger_fini(struct ledger *l)
{
    free(l->entries);
    *l = (struct ledger){0};
}

uint32_t ledger_begin(struct ledger *l)
{
    if (l->count == l->capacity) {
        l->capacity = l->capacity ? 2 * l->capacity : 256;
        l->entries = mem_reallocarray(l->entries, l->capacity, sizeof(*l->entries));
    }
    l->entries[l->count] = (struct ledger_entry){.fate = LEDGER_OPEN};
    return l->count++;
}

static struct ledger_entry *entry(struct ledger *l, uint32_t number)
{
    CHECK(number < l->count);
    return &l->entries[number];
}

void ledger_settle(struct ledger *l, uint32_t number, enum ledger_fate fate, unsigned taker)
{
    struct ledger_entry *e = entry(l, number);
    e->fate = fate;
    e->taker = taker;
}

void ledger_flag(struct ledger *l, uint32_t number, unsigned flags)
{
    entry(l, number)->flags |= flags;
}

void ledger_expunge(struct ledger *l, uint32_t number)
{
    entry(l, number)->expunged = true;
}

void ledger_total(const struct ledger *l, struct ledger_totals *ret_totals)
{
    struct ledger_totals t = {0};
    uint32_t *const counters[] = {
        [LEDGER_OPEN] = &t.open,       [LEDGER_ACCEPTED] = &t.accepted, [LEDGER_UNCERTAIN] = &t.uncertain,
        [LEDGER_REFUSED] = &t.refused, [LEDGER_UNSENT] = &t.unsent,
    };
    for (uint32_t i = 0; i < l->count; i++)
        ++*counters[l->entries[i].fate];
    *ret_totals = t;
}

static bool is_expected(const struct ledger_entry *e)
{
    return e->fate == LEDGER_ACCEPTED && !e->expunged;
}

static bool is_allowed(const struct ledger_entry *e)
{
    return is_expected(e) || (e->fate == LEDGER_UNCERTAIN && !e->expunged);
}

uint32_t ledger_expected(const struct ledger *l)
{
    uint32_t expected = 0;
    for (uint32_t i = 0; i < l->count; i++)
        expected += is_expected(&l->entries[i]);
    return expected;
}

uint32_t ledger_taken_since(const struct ledger *l, uint32_t from, unsigned taker)
{
    uint32_t taken = 0;
    for (uint32_t i = from; i < l->count; i++)
        taken += l->entries[i].fate == LEDGER_ACCEPTED && l->entries[i].taker == taker;
    return taken;
}

static void count_bad(struct ledger_verdict *v, uint32_t number, uint32_t *counter)
{
    ++*counter;
    if (number < v->first_bad)
        v->first_bad = number;
}

static void compare_one(const struct ledger *l, const struct ledger_seen *s, uint32_t *times,
                        struct ledger_verdict *v)
{
    if (s->number >= l->count) {
        v->foreign++;
        return;
    }
    const struct ledger_entry *e = &l->entries[s->number];
    if (!is_allowed(e))
        count_bad(v, s->number, &v->returned);
    else if (times[s->number]++ > 0)
        count_bad(v, s->number, &v->doubled);
    if (s->flags_known && s->flags != e->flags)
        count_bad(v, s->number, &v->misflagged);
    if (!s->whole)
        count_bad(v, s->number, &v->damaged);
}

void ledger_compare(const struct ledger *l, const struct ledger_seen *seen, size_t count,
                    struct ledger_verdict *ret_verdict)
{
    struct ledger_verdict v = {.expected = ledger_expected(l), .first_bad = LEDGER_FOREIGN};
    uint32_t *times = mem_calloc(l->count + 1, sizeof(*times));
    for (size_t i = 0; i < count; i++)
        compare_one(l, &seen[i], times, &v);
    for (uint32_t i = 0; i < l->count; i++)
        if (is_expected(&l->entries[i]) && times[i] == 0)
            count_bad(&v, i, &v.lost);
    free(times);
    *ret_verdict = v;
}

bool ledger_holds(const struct ledger_verdict *v)
{
    return v->lost + v->doubled + v->returned + v->misflagged + v->damaged + v->foreign == 0;
}
