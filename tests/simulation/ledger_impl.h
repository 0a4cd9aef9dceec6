/* Inside the ledger: ledger.c has messages, holders.c who holds what. */
#ifndef HOLDFAST_TESTS_SIMULATION_LEDGER_IMPL_H
#define HOLDFAST_TESTS_SIMULATION_LEDGER_IMPL_H

#include "base/check.h"
#include "base/map.h"
#include "simulation/ledger.h"

struct ledger {
    struct attempt *attempts;
    size_t attempt_count;
    struct map epochs;  /* int64_t by identity */
    struct map leases;  /* struct lease by lease and holder */
    struct map holders; /* struct holder by identity and epoch */
    struct map routes;  /* struct route by domain */
    struct map queues;  /* struct owner by queue */
    struct map boxes;   /* struct box by recipient and UIDVALIDITY */
    struct buf violations;
    size_t violation_count;
    size_t shown;
};

void PRINTF_LIKE(2, 3) ledger_violation(struct ledger *l, const char *fmt, ...);
void ledger_holders_init(struct ledger *l);
void ledger_holders_fini(struct ledger *l);

#endif
