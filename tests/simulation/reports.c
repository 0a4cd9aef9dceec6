#include <stdlib.h>

#include "base/mem.h"
#include "simulation/ledger_impl.h"

/* One that was accepted for a sender. */
struct report {
    char *id;
    int64_t tag;
    enum ledger_report kind;
    size_t about,
        shown; /* recipients: that it tells of; that copies of it, at the sender's server, told of */
    struct transfer transfer;
    bool in_queue, delivered, quarantined, known; /* known: a queue has it */
};

static const char *const words[] = {"failed", "delayed", "succeeded"};

void ledger_reports_init(struct ledger *l)
{
    map_init(&l->reports);
}

void ledger_reports_fini(struct ledger *l)
{
    for (struct map_entry *e = l->reports.first; e; e = e->next) {
        free(((struct report *)e->value)->id);
        free(e->value);
    }
    map_fini(&l->reports);
}

struct transfer *ledger_report_transfer(struct ledger *l, struct str id)
{
    struct report *r = map_find(&l->reports, id);
    return r ? &r->transfer : NULL;
}

/* ---- making ---- */

void ledger_asked(struct ledger *l, int64_t tag, struct str recipient, unsigned kinds)
{
    struct entry *e = ledger_entry_find(l, tag, recipient);
    CHECK(e);
    e->asked = kinds;
}

static struct report *report_of(struct ledger *l, struct str id, int64_t tag, enum ledger_report kind)
{
    struct report *r = map_find(&l->reports, id);
    if (r)
        return r;
    r = mem_zalloc(sizeof(*r));
    r->id = str_dup(id);
    r->tag = tag;
    r->kind = kind;
    map_set(&l->reports, id, r);
    return r;
}

void ledger_reported(struct ledger *l, struct str id, int64_t tag, struct str recipient,
                     enum ledger_report kind)
{
    struct entry *e = ledger_entry_find(l, tag, recipient);
    struct report *r = report_of(l, id, tag, kind);
    r->about++;
    if (!e) {
        ledger_violation(l, "strange: report %s tells of tag %lld for %.*s", r->id, (long long)tag,
                         STR_ARG(recipient));
        return;
    }
    if (!(e->asked & 1U << kind))
        ledger_violation(l, "reports: that tag %lld for %s %s is told, and nobody asked", (long long)tag,
                         e->recipient, words[kind]);
    if (e->told[kind])
        ledger_violation(l, "reports: that tag %lld for %s %s is told twice", (long long)tag, e->recipient,
                         words[kind]);
    e->told[kind] = r;
}

/* ---- arriving ---- */

void ledger_report_shown(struct ledger *l, struct str id, int64_t tag, struct str recipient,
                         enum ledger_report kind)
{
    struct report *r = map_find(&l->reports, id);
    const struct entry *e = ledger_entry_find(l, tag, recipient);
    if (!r || !e || e->told[kind] != r) {
        ledger_violation(l, "strange: a report %.*s says that tag %lld for %.*s %s", STR_ARG(id),
                         (long long)tag, STR_ARG(recipient), words[kind]);
        return;
    }
    r->shown++;
}

void ledger_report_custody(struct ledger *l, struct str id, enum ledger_custody custody)
{
    struct report *r = map_find(&l->reports, id);
    if (!r || r->known) {
        ledger_violation(
            l, r ? "doubled: report %.*s is in the queues twice" : "strange: a queue holds a report %.*s",
            STR_ARG(id));
        return;
    }
    r->known = true;
    r->in_queue = custody == LEDGER_QUEUED;
    r->delivered = custody == LEDGER_DELIVERED;
    r->quarantined = custody == LEDGER_QUARANTINED || custody == LEDGER_STOPPED;
}

/* ---- the end ---- */

/* A report about a failure ends custody, as a delivery does: never both. */
static void check_ends(struct ledger *l, long long tag, const struct entry *e)
{
    bool delivered = e->delivered || e->transfer.delivered;
    if (e->bounced && !e->told[LEDGER_FAILED])
        ledger_violation(l, "reports: tag %lld for %s is bounced, and its sender is not told", tag,
                         e->recipient);
    if (!e->bounced && e->told[LEDGER_FAILED])
        ledger_violation(l, "reports: that tag %lld for %s failed is told, and it is not bounced", tag,
                         e->recipient);
    if (e->bounced && delivered)
        ledger_violation(l, "reports: tag %lld for %s is bounced, and its delivery is recorded", tag,
                         e->recipient);
    if (e->told[LEDGER_SUCCEEDED] && !delivered)
        ledger_violation(l, "reports: that tag %lld for %s succeeded is told, and it did not", tag,
                         e->recipient);
}

void ledger_reports_check_entry(struct ledger *l, int64_t tag, const struct entry *e)
{
    check_ends(l, tag, e);
    if (e->quarantined && !e->stopped && (e->asked & 1U << LEDGER_FAILED))
        ledger_violation(l, "reports: tag %lld for %s is in quarantine, and its sender is not told",
                         (long long)tag, e->recipient);
    if (e->delivered && (e->asked & 1U << LEDGER_SUCCEEDED) && !e->told[LEDGER_SUCCEEDED])
        ledger_violation(l, "reports: that tag %lld for %s succeeded is not told", (long long)tag,
                         e->recipient);
}

static void check_report(struct ledger *l, const struct report *r)
{
    size_t allowed = transfer_allows(&r->transfer) * r->about;
    if (r->shown > allowed)
        ledger_violation(l, "doubled: report %s, about tag %lld, is shown %zu times, and may be %zu times",
                         r->id, (long long)r->tag, r->shown / r->about, allowed / r->about);
    if (r->shown == 0 && !r->in_queue && !r->quarantined)
        ledger_violation(l, "lost: report %s, that tag %lld %s, was accepted, but is not shown: %s", r->id,
                         (long long)r->tag, words[r->kind],
                         r->delivered ? "it is recorded as delivered"
                         : r->known   ? "it has ended without a word"
                                      : "nothing knows of it");
    if (r->shown % r->about != 0)
        ledger_violation(l, "changed: report %s, about tag %lld, does not tell of all its recipients", r->id,
                         (long long)r->tag);
}

void ledger_reports_check(struct ledger *l, struct ledger_counts *c)
{
    for (const struct map_entry *e = l->reports.first; e; e = e->next) {
        const struct report *r = e->value;
        check_report(l, r);
        c->reports[r->kind]++;
        c->doubles += r->shown > r->about ? r->shown / r->about - 1 : 0;
    }
}
