#include "simulation/ledger_impl.h"

size_t transfer_allows(const struct transfer *t)
{
    return t->dots == 0 ? 1 : t->delivered + t->unanswered + t->open;
}

static struct transfer *find(struct ledger *l, const struct ledger_piece *piece)
{
    if (piece->report.len > 0)
        return ledger_report_transfer(l, piece->report);
    struct entry *e = ledger_entry_find(l, piece->tag, piece->recipient);
    return e ? &e->transfer : NULL;
}

void ledger_dot(struct ledger *l, const struct ledger_piece *piece)
{
    struct transfer *t = find(l, piece);
    if (!t) {
        ledger_violation(l, "strange: tag %lld, report \"%.*s\", is handed out for %.*s",
                         (long long)piece->tag, STR_ARG(piece->report), STR_ARG(piece->recipient));
        return;
    }
    if (t->delivered)
        ledger_violation(l,
                         "doubled: tag %lld, report \"%.*s\", for %.*s is handed out again after its "
                         "delivery was recorded",
                         (long long)piece->tag, STR_ARG(piece->report), STR_ARG(piece->recipient));
    t->dots++;
    t->open++;
}

void ledger_outcome(struct ledger *l, const struct ledger_piece *piece, enum ledger_outcome outcome)
{
    struct transfer *t = find(l, piece);
    if (!t)
        return; /* it was told of when it was handed out */
    t->delivered |= outcome == LEDGER_TAKEN;
    if (t->open == 0)
        return; /* it never came to a dot, or the time was over */
    t->open--;
    t->unanswered += outcome == LEDGER_UNANSWERED;
}
