#include "simulation/ledger.h"

#include <stdarg.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "simulation/ledger_impl.h"

#define TAG_FIELD            "Ledger-Tag: "
#define VIOLATIONS_MAX_BYTES 16384 /* enough to understand; the rest is counted */

/* What readers were told of a mailbox while its UIDVALIDITY was the same. */
struct box {
    uint32_t uid_next;
    struct sight {
        uint32_t uid;
        int64_t tag;
    } * sights;
    size_t sight_count;
};

struct ledger *ledger_new(void)
{
    struct ledger *l = mem_zalloc(sizeof(*l));
    ledger_holders_init(l);
    ledger_reports_init(l);
    map_init(&l->boxes);
    buf_init(&l->violations, VIOLATIONS_MAX_BYTES);
    return l;
}

void ledger_free(struct ledger *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->attempt_count; i++) {
        for (size_t k = 0; k < l->attempts[i].entry_count; k++)
            free(l->attempts[i].entries[k].recipient);
        free(l->attempts[i].entries);
    }
    free(l->attempts);
    ledger_holders_fini(l);
    ledger_reports_fini(l);
    for (struct map_entry *e = l->boxes.first; e; e = e->next) {
        free(((struct box *)e->value)->sights);
        free(e->value);
    }
    map_fini(&l->boxes);
    buf_fini(&l->violations);
    free(l);
}

void ledger_violation(struct ledger *l, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    if (buf_append_vfmt(&l->violations, fmt, args) == 0)
        buf_append_char(&l->violations, '\n');
    va_end(args);
    l->violation_count++;
}

static struct attempt *attempt_find(struct ledger *l, int64_t tag)
{
    return tag >= 1 && (uint64_t)tag <= l->attempt_count ? &l->attempts[tag - 1] : NULL;
}

struct entry *ledger_entry_find(struct ledger *l, int64_t tag, struct str recipient)
{
    struct attempt *a = attempt_find(l, tag);
    for (size_t i = 0; a && i < a->entry_count; i++)
        if (str_ieq(str_from(a->entries[i].recipient), recipient))
            return &a->entries[i];
    return NULL;
}

/* ---- senders ---- */

int64_t ledger_attempt(struct ledger *l, const struct str *recipients, size_t count)
{
    l->attempts = mem_reallocarray(l->attempts, l->attempt_count + 1, sizeof(*l->attempts));
    struct attempt *a = &l->attempts[l->attempt_count++];
    *a = (struct attempt){.entries = mem_calloc(count, sizeof(*a->entries)), .entry_count = count};
    for (size_t i = 0; i < count; i++)
        a->entries[i].recipient = str_dup(recipients[i]);
    return (int64_t)l->attempt_count;
}

void ledger_content(struct ledger *l, int64_t tag, struct str message)
{
    struct attempt *a = attempt_find(l, tag);
    CHECK(a && ledger_tag_of(message) == tag);
    a->message_len = message.len;
    a->message_crc = crc32c(0, message.ptr, message.len);
}

void ledger_answer(struct ledger *l, int64_t tag, struct str recipient, enum ledger_answer answer)
{
    struct entry *e = ledger_entry_find(l, tag, recipient);
    CHECK(e && e->answer == LEDGER_OPEN);
    e->answer = answer;
}

/* ---- readers ---- */

/* The value of the first header field of that name. */
int64_t ledger_tag_of(struct str message)
{
    struct str line;
    uint64_t tag;
    while (str_split(&message, '\n', &line) && line.len > 1) {
        if (!str_istarts(line, STR(TAG_FIELD)))
            continue;
        struct str value = str_sub(line, sizeof(TAG_FIELD) - 1, line.len);
        if (str_ends(value, STR("\r")))
            value.len--;
        return str_to_u64(value, INT64_MAX, &tag) == 0 ? (int64_t)tag : 0;
    }
    return 0;
}

/* Trace fields only (RFC 5321 4.4): Return-Path first, then at least one Received. */
static bool is_trace(struct str head)
{
    struct str line;
    size_t fields = 0, received = 0;
    while (head.len > 0 && str_split(&head, '\n', &line)) {
        bool folded = str_starts(line, STR(" ")) || str_starts(line, STR("\t"));
        if (folded && fields > 0)
            continue;
        bool path = str_starts(line, STR("Return-Path: "));
        bool hop = str_starts(line, STR("Received: "));
        received += hop;
        if (!(fields++ == 0 ? path : hop))
            return false;
    }
    return received > 0;
}

static bool is_unchanged(const struct attempt *a, struct str message)
{
    if (message.len < a->message_len)
        return false;
    size_t head = message.len - a->message_len;
    return crc32c(0, message.ptr + head, a->message_len) == a->message_crc &&
           is_trace(str_sub(message, 0, head));
}

void ledger_shown(struct ledger *l, struct str recipient, struct str message, uint32_t flags)
{
    int64_t tag = ledger_tag_of(message);
    struct attempt *a = attempt_find(l, tag);
    struct entry *e = ledger_entry_find(l, tag, recipient);
    l->shown++;
    if (!e) {
        ledger_violation(l, "strange: %.*s is shown a message of %zu bytes that has tag %lld",
                         STR_ARG(recipient), message.len, (long long)tag);
        return;
    }
    if (!is_unchanged(a, message))
        ledger_violation(l, "changed: tag %lld is shown to %s with %zu bytes, %zu were sent", (long long)tag,
                         e->recipient, message.len, a->message_len);
    e->shown++;
    e->flags_seen = flags;
}

static struct box *box_of(struct ledger *l, struct str recipient, uint32_t uid_validity)
{
    char *key = mem_asprintf("%.*s\n%u", STR_ARG(recipient), uid_validity);
    struct box *box = map_find(&l->boxes, str_from(key));
    if (!box) {
        box = mem_zalloc(sizeof(*box));
        map_set(&l->boxes, str_from(key), box);
    }
    free(key);
    return box;
}

/* True when the UID was told before, as it should be or not. */
static bool check_sights(struct ledger *l, const struct box *box, const char *recipient, uint32_t uid,
                         int64_t tag)
{
    for (size_t i = 0; i < box->sight_count; i++) {
        const struct sight *s = &box->sights[i];
        if (s->uid == uid && s->tag != tag)
            ledger_violation(l, "uids: UID %u of %s was tag %lld, and is tag %lld", uid, recipient,
                             (long long)s->tag, (long long)tag);
        if (s->uid != uid && s->tag == tag)
            ledger_violation(l, "doubled: tag %lld is shown to %s as UID %u and as UID %u", (long long)tag,
                             recipient, s->uid, uid);
        if (s->uid == uid)
            return true;
    }
    if (uid < box->uid_next)
        ledger_violation(l, "uids: UID %u of %s came after UIDNEXT was %u", uid, recipient, box->uid_next);
    return false;
}

void ledger_read(struct ledger *l, struct str recipient, uint32_t uid_validity, uint32_t uid, int64_t tag,
                 uint32_t flags)
{
    struct entry *e = ledger_entry_find(l, tag, recipient);
    struct box *box = box_of(l, recipient, uid_validity);
    if (!e) {
        ledger_violation(l, "strange: %.*s is shown UID %u that has tag %lld", STR_ARG(recipient), uid,
                         (long long)tag);
        return;
    }
    if (e->expunged)
        ledger_violation(l, "doubled: tag %lld is shown to %s after it was expunged", (long long)tag,
                         e->recipient);
    if (e->flags_set & ~flags)
        ledger_violation(l, "unflagged: tag %lld for %s is shown with flags %x of %x", (long long)tag,
                         e->recipient, flags, e->flags_set);
    if (check_sights(l, box, e->recipient, uid, tag))
        return;
    box->sights = mem_reallocarray(box->sights, box->sight_count + 1, sizeof(*box->sights));
    box->sights[box->sight_count++] = (struct sight){uid, tag};
}

void ledger_read_all(struct ledger *l, struct str recipient, uint32_t uid_validity, uint32_t uid_next)
{
    struct box *box = box_of(l, recipient, uid_validity);
    if (uid_next < box->uid_next)
        ledger_violation(l, "uids: UIDNEXT of %.*s was %u, and is %u", STR_ARG(recipient), box->uid_next,
                         uid_next);
    else
        box->uid_next = uid_next;
}

void ledger_flagged(struct ledger *l, int64_t tag, struct str recipient, uint32_t flags)
{
    struct entry *e = ledger_entry_find(l, tag, recipient);
    if (e)
        e->flags_set |= flags;
}

static void expunged(struct ledger *l, int64_t tag, struct str recipient, bool open)
{
    struct entry *e = ledger_entry_find(l, tag, recipient);
    if (!e) {
        ledger_violation(l, "strange: %.*s saw a message that has tag %lld", STR_ARG(recipient),
                         (long long)tag);
        return;
    }
    if (!open && e->expunged)
        ledger_violation(l, "doubled: tag %lld came again to %s after it was expunged", (long long)tag,
                         e->recipient);
    e->expunged |= !open;
    e->expunge_open |= open;
}

void ledger_expunged(struct ledger *l, int64_t tag, struct str recipient)
{
    expunged(l, tag, recipient, false);
}

void ledger_expunge_open(struct ledger *l, int64_t tag, struct str recipient)
{
    expunged(l, tag, recipient, true);
}

/* ---- queues ---- */

void ledger_custody(struct ledger *l, int64_t tag, struct str recipient, enum ledger_custody custody)
{
    struct entry *e = ledger_entry_find(l, tag, recipient);
    if (!e) {
        ledger_violation(l, "strange: a queue holds tag %lld for %.*s", (long long)tag, STR_ARG(recipient));
        return;
    }
    if (e->in_queue || e->delivered || e->bounced || e->quarantined || e->quarantined_silently)
        ledger_violation(l, "doubled: tag %lld for %s is in the queues twice", (long long)tag, e->recipient);
    e->in_queue |= custody == LEDGER_QUEUED;
    e->delivered |= custody == LEDGER_DELIVERED;
    e->bounced |= custody == LEDGER_BOUNCED;
    if (custody == LEDGER_QUARANTINED_LOUDLY)
        ledger_violation(l, "doubled: the quarantine of tag %lld for %s is told more than once",
                         (long long)tag, e->recipient);
    e->stopped |= custody == LEDGER_STOPPED;
    e->quarantined |= e->stopped || custody == LEDGER_QUARANTINED || custody == LEDGER_QUARANTINED_LOUDLY;
    e->quarantined_silently |= custody == LEDGER_QUARANTINED_SILENTLY;
}

/* ---- the end ---- */

static void check_accepted(struct ledger *l, int64_t tag, const struct entry *e)
{
    const char *said = e->delivered              ? "it is recorded as delivered"
                       : e->quarantined_silently ? "it is in quarantine, and no event says so"
                                                 : "nothing knows of it";
    bool gone = e->expunged || e->expunge_open || e->bounced;
    bool accounted = e->shown > 0 || gone || e->in_queue || e->quarantined;
    if (!accounted)
        ledger_violation(l, "lost: tag %lld for %s was accepted, but is not shown: %s", (long long)tag,
                         e->recipient, said);
}

static void check_entry(struct ledger *l, int64_t tag, const struct entry *e)
{
    long long n = tag;
    size_t allowed = transfer_allows(&e->transfer);
    if (e->shown > allowed)
        ledger_violation(l, "doubled: tag %lld is shown to %s %zu times, and may be %zu times", n,
                         e->recipient, e->shown, allowed);
    if (e->shown > 0 && e->expunged)
        ledger_violation(l, "doubled: tag %lld is shown to %s after it was expunged", n, e->recipient);
    if (e->shown > 0 && (e->flags_set & ~e->flags_seen))
        ledger_violation(l, "unflagged: tag %lld for %s has flags %x of %x", n, e->recipient, e->flags_seen,
                         e->flags_set);
    if (e->answer == LEDGER_ACCEPTED)
        check_accepted(l, tag, e);
    if (e->answer == LEDGER_REFUSED &&
        (e->shown > 0 || e->expunged || e->in_queue || e->delivered || e->bounced || e->quarantined))
        ledger_violation(l, "refused: tag %lld for %s was not accepted, but is kept", n, e->recipient);
    ledger_reports_check_entry(l, tag, e);
}

static void count_entry(const struct entry *e, struct ledger_counts *c)
{
    c->accepted += e->answer == LEDGER_ACCEPTED;
    c->refused += e->answer == LEDGER_REFUSED;
    c->open += e->answer == LEDGER_OPEN;
    c->expunged += e->expunged;
    c->quarantined += e->quarantined;
    c->bounced += e->bounced;
    c->doubles += e->shown > 1 ? e->shown - 1 : 0;
}

void ledger_check(struct ledger *l, struct buf *out, struct ledger_counts *ret_counts)
{
    struct ledger_counts c = {.attempts = l->attempt_count, .shown = l->shown};
    for (size_t i = 0; i < l->attempt_count; i++) {
        for (size_t k = 0; k < l->attempts[i].entry_count; k++) {
            check_entry(l, (int64_t)i + 1, &l->attempts[i].entries[k]);
            count_entry(&l->attempts[i].entries[k], &c);
        }
    }
    ledger_reports_check(l, &c);
    c.violations = l->violation_count;
    if (out)
        buf_append_str(out, buf_str(&l->violations));
    *ret_counts = c;
}

size_t ledger_violations(const struct ledger *l)
{
    return l->violation_count;
}
