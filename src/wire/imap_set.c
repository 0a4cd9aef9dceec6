#include "wire/imap_set.h"

#include <stdlib.h>

static int by_low(const void *left, const void *right)
{
    uint32_t a = ((const struct imap_range *)left)->low, b = ((const struct imap_range *)right)->low;
    return a < b ? -1 : a > b;
}

static struct imap_range resolve_range(struct imap_range r, uint32_t greatest)
{
    uint32_t low = r.low == IMAP_SET_STAR ? greatest : r.low;
    uint32_t high = r.high == IMAP_SET_STAR ? greatest : r.high;
    return low <= high ? (struct imap_range){low, high} : (struct imap_range){high, low};
}

void imap_set_resolve(struct imap_set *set, uint32_t greatest)
{
    for (size_t i = 0; i < set->count; i++)
        set->ranges[i] = resolve_range(set->ranges[i], greatest);
    if (set->count > 1)
        qsort(set->ranges, set->count, sizeof(set->ranges[0]), by_low);
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        struct imap_range r = set->ranges[i];
        if (r.high == 0)
            continue;
        struct imap_range *last = kept > 0 ? &set->ranges[kept - 1] : NULL;
        if (last && r.low <= (uint64_t)last->high + 1) {
            if (r.high > last->high)
                last->high = r.high;
        } else {
            set->ranges[kept++] = r;
        }
    }
    set->count = kept;
}

bool imap_set_has(const struct imap_set *set, uint32_t number)
{
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (set->ranges[mid].high < number)
            low = mid + 1;
        else
            high = mid;
    }
    return low < set->count && set->ranges[low].low <= number;
}

uint32_t imap_set_high(const struct imap_set *set)
{
    return set->count > 0 ? set->ranges[set->count - 1].high : 0;
}

void imap_set_write(struct buf *out, const uint32_t *numbers, size_t count)
{
    for (size_t i = 0; i < count;) {
        size_t end = i;
        while (end + 1 < count && numbers[end + 1] == numbers[end] + 1)
            end++;
        buf_append_fmt(out, "%s%u", i > 0 ? "," : "", numbers[i]);
        if (end > i)
            buf_append_fmt(out, ":%u", numbers[end]);
        i = end + 1;
    }
}
