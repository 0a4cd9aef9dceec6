/* Inside the ledger: ledger.c has messages, transfers.c what was handed to servers that are not ours,
 * reports.c what senders are told, holders.c who holds what. */
#ifndef HOLDFAST_TESTS_SIMULATION_LEDGER_IMPL_H
#define HOLDFAST_TESTS_SIMULATION_LEDGER_IMPL_H

#include "base/check.h"
#include "base/map.h"
#include "simulation/ledger.h"

/* One copy's way to a server that is not ours. */
struct transfer {
    size_t dots, open; /* open: no outcome was recorded yet */
    size_t unanswered; /* recorded as such */
    bool delivered;
};

struct entry {
    char *recipient;
    enum ledger_answer answer;
    size_t shown;
    bool expunged, expunge_open;
    uint32_t flags_set, flags_seen;
    bool in_queue, delivered, bounced, quarantined, stopped, quarantined_silently;
    struct transfer transfer;
    unsigned asked;                      /* bits of reports */
    struct report *told[LEDGER_REPORTS]; /* NULL: it was not */
};

struct attempt {
    struct entry *entries;
    size_t entry_count;
    size_t message_len;
    uint32_t message_crc;
};

struct ledger {
    struct attempt *attempts;
    size_t attempt_count;
    struct map epochs;  /* int64_t by identity */
    struct map leases;  /* struct lease by lease and holder */
    struct map holders; /* struct holder by identity and epoch */
    struct map routes;  /* struct route by domain */
    struct map queues;  /* struct owner by queue */
    struct map boxes;   /* struct box by recipient and UIDVALIDITY */
    struct map reports; /* struct report by id */
    struct buf violations;
    size_t violation_count;
    size_t shown;
};

void PRINTF_LIKE(2, 3) ledger_violation(struct ledger *l, const char *fmt, ...);
struct entry *ledger_entry_find(struct ledger *l, int64_t tag, struct str recipient); /* or NULL */

/* How many copies the server may show. */
size_t transfer_allows(const struct transfer *t);

struct transfer *ledger_report_transfer(struct ledger *l, struct str id); /* or NULL */
void ledger_reports_init(struct ledger *l);
void ledger_reports_fini(struct ledger *l);
/* In the end: of one recipient, what he should have been told; of all reports, what became of them. */
void ledger_reports_check_entry(struct ledger *l, int64_t tag, const struct entry *e);
void ledger_reports_check(struct ledger *l, struct ledger_counts *counts);

void ledger_holders_init(struct ledger *l);
void ledger_holders_fini(struct ledger *l);

#endif
