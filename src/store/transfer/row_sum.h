/* Inside src/store: a sum over rows that says whether two sets of rows are the same, whatever their order.
 * Not against who means to deceive. Pure. */
#ifndef HOLDFAST_STORE_TRANSFER_ROW_SUM_H
#define HOLDFAST_STORE_TRANSFER_ROW_SUM_H

#include "store/sql/db.h"

struct row_sum {
    int64_t rows;
    uint64_t hash[2];
};

void row_sum_add(struct row_sum *sum, const struct db_value *row, size_t count);
bool row_sum_equal(const struct row_sum *a, const struct row_sum *b);

#endif
