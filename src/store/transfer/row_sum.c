#include "store/transfer/row_sum.h"

/* FNV-1a (draft-eastlake-fnv), twice: with its own offset, and with another. */
#define FNV_OFFSET 0xcbf29ce484222325u
#define FNV_PRIME  0x100000001b3u
#define OTHER      0x9e3779b97f4a7c15u /* the golden ratio's bits */

struct two {
    uint64_t a, b;
};

static void add(struct two *h, const void *data, size_t len)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < len; i++) {
        h->a = (h->a ^ bytes[i]) * FNV_PRIME;
        h->b = (h->b ^ bytes[i]) * FNV_PRIME;
    }
}

static void add_number(struct two *h, int64_t number)
{
    add(h, &number, sizeof(number));
}

/* So that a sum of them loses nothing of what tells rows apart (the end of MurmurHash3). */
static uint64_t mixed(uint64_t h)
{
    h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
    h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53u;
    return h ^ (h >> 33);
}

void row_sum_add(struct row_sum *sum, const struct db_value *row, size_t count)
{
    struct two h = {FNV_OFFSET, FNV_OFFSET ^ OTHER};
    for (size_t i = 0; i < count; i++) {
        add_number(&h, row[i].type == DB_I64 ? row[i].number : (int64_t)row[i].bytes.len);
        if (row[i].type != DB_I64)
            add(&h, row[i].bytes.ptr, row[i].bytes.len);
    }
    sum->rows++;
    sum->hash[0] += mixed(h.a);
    sum->hash[1] += mixed(h.b);
}

bool row_sum_equal(const struct row_sum *a, const struct row_sum *b)
{
    return a->rows == b->rows && a->hash[0] == b->hash[0] && a->hash[1] == b->hash[1];
}
