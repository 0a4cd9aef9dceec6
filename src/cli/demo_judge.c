/* Comparing what readers see with the ledger. */
#include <stdio.h>

#include "cli/demo.h"

#define WORDS_MAX         256
#define READABLE_LIMIT_MS 60000 /* a drain takes a second or two; a back-off may be waited for */
/* --strict: a drain of so much and so much for each message. */
#define DRAIN_LIMIT_MS         1000
#define DRAIN_MESSAGE_LIMIT_MS 10

static int look(struct demo *d, const struct addr *address, uint32_t at_least, struct demo_seen_list *list,
                struct err_buf *eb)
{
    struct demo_login login = demo_login_of(d);
    struct addr at = demo_imap_at(d, address);
    struct demo_imap im;
    int rc = demo_imap_open(&im, &at, &login, eb);
    if (rc < 0)
        return rc;
    if (im.exists < at_least)
        rc = err_set(eb, ERR_NOT_FOUND, "%u of %u messages are there", im.exists, at_least);
    else
        rc = demo_imap_look(&im, d->run, list, eb);
    demo_imap_close(&im);
    return rc;
}

/* ---- waiting ---- */

static bool all_are_there(struct demo *d, void *arg, struct err_buf *eb)
{
    struct demo_seen_list list = {0};
    struct ledger_verdict verdict = {.lost = 1};
    if (look(d, arg, ledger_expected(&d->ledger), &list, eb) == 0) {
        ledger_compare(&d->ledger, list.items, list.count, &verdict);
        err_set(eb, 0, "%u of %u messages are missing", verdict.lost, verdict.expected);
    }
    demo_seen_list_fini(&list);
    return verdict.lost == 0;
}

int demo_wait_readable(struct demo *d, const struct addr *address, int64_t limit_ms)
{
    struct addr at = *address;
    return demo_wait(d, limit_ms, "all messages to be readable", all_are_there, &at);
}

struct first_wait {
    struct addr address;
    uint32_t number;
};

static bool first_is_there(struct demo *d, void *arg, struct err_buf *eb)
{
    const struct first_wait *w = arg;
    struct demo_seen_list list = {0};
    bool found = false;
    if (look(d, &w->address, 1, &list, eb) == 0)
        for (size_t i = 0; i < list.count; i++)
            found |= list.items[i].number >= w->number && list.items[i].number != LEDGER_FOREIGN;
    demo_seen_list_fini(&list);
    return found;
}

int demo_wait_first(struct demo *d, const struct addr *address, uint32_t number, int64_t limit_ms)
{
    struct first_wait w = {*address, number};
    return demo_wait(d, limit_ms, "the first message that waited to be readable", first_is_there, &w);
}

/* ---- judging ---- */

static void describe(const struct ledger_verdict *v, char *out, size_t size)
{
    if (ledger_holds(v)) {
        snprintf(out, size, "0 lost, 0 doubled");
        return;
    }
    snprintf(out, size,
             "%u lost, %u doubled, %u back that were expunged or refused, %u with other flags, %u damaged, "
             "%u not ours; the first is %u",
             v->lost, v->doubled, v->returned, v->misflagged, v->damaged, v->foreign, v->first_bad);
}

static void judge_list(struct demo *d, const char *protocol, const struct addr *at, int rc,
                       const struct demo_seen_list *list, const struct err_buf *eb)
{
    struct ledger_verdict verdict;
    char words[WORDS_MAX], text[ADDR_TEXT_MAX];
    addr_format(at, text);
    if (rc < 0) {
        timeline_check(&d->timeline, false, "reader", "%s at %s: %s", protocol, text, eb->text);
        return;
    }
    ledger_compare(&d->ledger, list->items, list->count, &verdict);
    describe(&verdict, words, sizeof(words));
    timeline_check(&d->timeline, ledger_holds(&verdict), "reader", "%s at %s shows all %u messages: %s",
                   protocol, text, verdict.expected, words);
}

int demo_judge(struct demo *d, const struct addr *address)
{
    struct demo_login login = demo_login_of(d);
    struct demo_seen_list by_imap = {0}, by_pop3 = {0};
    struct err_buf eb = {""};
    struct addr imap = demo_imap_at(d, address), pop3 = demo_plan_at(address, d->plan.server->pop3_port);
    int rc = look(d, address, 0, &by_imap, &eb);
    judge_list(d, "IMAP", &imap, rc, &by_imap, &eb);
    if (rc == 0) {
        rc = demo_pop3_look(&pop3, &login, &by_pop3, &eb);
        judge_list(d, "POP3", &pop3, rc, &by_pop3, &eb);
    }
    demo_seen_list_fini(&by_imap);
    demo_seen_list_fini(&by_pop3);
    return rc;
}

/* "120 by mail1, 85 by relay-east" */
static void describe_takers(const struct demo *d, uint32_t from, struct buf *out)
{
    for (unsigned taker = 0; taker <= d->plan.config->relay_count; taker++) {
        uint32_t taken = ledger_taken_since(&d->ledger, from, taker);
        if (taken > 0)
            buf_append_fmt(out, "%s%u by %s", out->len ? ", " : "", taken,
                           demo_plan_taker_name(&d->plan, taker));
    }
}

static void judge_sender(struct demo *d)
{
    struct ledger_totals t;
    struct buf takers;
    ledger_total(&d->ledger, &t);
    if (t.refused + t.unsent + t.open > 0) {
        timeline_check(&d->timeline, false, "sender", "%u refused, %u taken by nobody; %s", t.refused,
                       t.unsent, d->sender.problem);
        return;
    }
    buf_init(&takers, WORDS_MAX);
    describe_takers(d, d->sent_from, &takers);
    timeline_check(&d->timeline, true, "sender", "every message got 250: %s", buf_data(&takers));
    buf_fini(&takers);
}

int demo_settle(struct demo *d, const struct addr *address, int64_t *ret_ms)
{
    demo_sender_stop(&d->sender);
    judge_sender(d);
    int rc = demo_wait_readable(d, address, READABLE_LIMIT_MS);
    if (rc < 0)
        return rc;
    if (ret_ms)
        *ret_ms = demo_since_ms(d, d->killed);
    return demo_judge(d, address);
}

int demo_first_readable(struct demo *d, const struct addr *address, const char *key, const char *what)
{
    int rc = demo_wait_first(d, address, d->killed_next, DEMO_LIMIT_MS);
    if (rc < 0)
        return rc;
    d->first_ms = demo_since_ms(d, d->killed);
    timeline_say(&d->timeline, "reader", "the first message that had waited is readable");
    timeline_measure(&d->timeline, key, what, d->first_ms,
                     d->plan.server->failover.after_ms + DEMO_AGAIN_MARGIN_MS);
    return 0;
}

int demo_settle_drain(struct demo *d, const struct addr *address, const char *key, const char *what)
{
    int64_t ms = 0;
    int rc = demo_settle(d, address, &ms);
    if (rc < 0)
        return rc;
    int64_t waited = (int64_t)d->ledger.count - d->killed_next;
    timeline_measure(&d->timeline, key, what, ms - d->first_ms,
                     DRAIN_LIMIT_MS + DRAIN_MESSAGE_LIMIT_MS * waited);
    return 0;
}

bool demo_is_silent(struct demo *d, const struct addr *address, struct err_buf *eb)
{
    const int64_t ports[] = {d->plan.server->smtp_port, d->plan.server->imap_port, d->plan.server->pop3_port};
    for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
        struct addr at = demo_plan_at(address, ports[i]);
        struct demo_link l;
        struct str line = STR_EMPTY;
        if (demo_link_open(&l, &at, eb) < 0)
            continue;
        int rc = demo_link_line(&l, &line);
        if (rc == 0)
            err_set(eb, ERR_EXISTS, "%.*s", STR_ARG(line));
        demo_link_close(&l);
        if (rc == 0)
            return false;
    }
    return true;
}
