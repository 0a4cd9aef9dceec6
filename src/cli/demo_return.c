/* Act 4: a reader works in the other site; the lost site returns; a stale
 * instance is refused; the server goes home. And the end. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/demo.h"

#define STALE_LIMIT_MS    20000  /* it is told by its first question to the store */
#define FAILBACK_LIMIT_MS 130000 /* the command's own patience, and some */

/* ---- a reader sets flags ---- */

/* What is done to the first messages that the reader sees. */
static const unsigned marks[] = {LEDGER_SEEN, LEDGER_SEEN | LEDGER_FLAGGED, LEDGER_FLAGGED, LEDGER_SEEN,
                                 LEDGER_DELETED};

static int mark(struct demo *d, struct demo_imap *im, const struct demo_seen_list *list, struct err_buf *eb)
{
    size_t done = 0;
    int rc = 0;
    for (size_t i = 0; rc == 0 && done < ARRAY_LEN(marks) && i < list->count; i++) {
        const struct ledger_seen *seen = &list->items[i];
        if (seen->number == LEDGER_FOREIGN || d->ledger.entries[seen->number].fate != LEDGER_ACCEPTED)
            continue;
        rc = demo_imap_flag(im, seen->uid, marks[done], eb);
        if (rc == 0 && marks[done] == LEDGER_DELETED)
            ledger_expunge(&d->ledger, seen->number);
        else if (rc == 0)
            ledger_flag(&d->ledger, seen->number, marks[done]);
        done++;
    }
    return rc == 0 ? demo_imap_expunge(im, eb) : rc;
}

static int read_and_mark(struct demo *d, struct err_buf *eb)
{
    struct demo_login login = demo_login_of(d);
    struct addr at = demo_imap_at(d, &d->plan.away);
    struct demo_seen_list list = {0};
    struct demo_imap im;
    int rc = demo_imap_open(&im, &at, &login, eb);
    if (rc < 0)
        return rc;
    rc = demo_imap_look(&im, d->run, &list, eb);
    if (rc == 0)
        rc = mark(d, &im, &list, eb);
    demo_imap_close(&im);
    demo_seen_list_fini(&list);
    return rc;
}

static int mark_away(struct demo *d)
{
    struct err_buf eb = {""};
    timeline_act(&d->timeline, "The lost site returns: what is stale is refused, and the server goes home");
    int rc = read_and_mark(d, &eb);
    timeline_check(&d->timeline, rc == 0, "reader", "%s",
                   rc == 0 ? "sets \\Seen and \\Flagged on four messages, deletes and expunges a fifth"
                           : eb.text);
    return rc;
}

static int send_away(struct demo *d)
{
    return demo_send_on(d);
}

/* ---- the site returns ---- */

static bool is_back(struct demo *d, void *arg, struct err_buf *eb)
{
    const struct demo_plan *p = &d->plan;
    struct demo_status status;
    (void)arg;
    int rc =
        demo_network_status(&d->network, p->server->name, p->home_node->name, p->home_relay->name, &status);
    err_set(eb, rc, "status says that it or its director is not alive");
    return rc == 0 && status.node_works;
}

static int site_returns(struct demo *d)
{
    timeline_say(&d->timeline, "network", "holdfast run --node %s", d->plan.home_node->name);
    demo_network_start(&d->network, d->plan.home_node);
    int rc = demo_wait(d, DEMO_LIMIT_MS, "the node to be back", is_back, NULL);
    if (rc == 0)
        rc = demo_wait_mx(d, NULL, false, &d->plan.away, DEMO_LIMIT_MS);
    if (rc == 0)
        timeline_check(&d->timeline, true, "dns", "both sites name %s first, still in %s",
                       d->plan.server->name, d->plan.away_node->site->name);
    return rc;
}

/* ---- a stale instance ---- */

struct stale {
    struct demo_process process;
    char greeting[256]; /* it should give none */
};

static bool has_ended(struct demo *d, void *arg, struct err_buf *eb)
{
    struct stale *s = arg;
    struct err_buf heard = {""};
    if (!s->greeting[0] && !demo_is_silent(d, &d->plan.home, &heard))
        snprintf(s->greeting, sizeof(s->greeting), "%.*s", (int)sizeof(s->greeting) - 1, heard.text);
    err_set(eb, 0, "it still runs");
    return !s->process.runs;
}

static struct str last_line(const struct buf *text)
{
    struct str rest = buf_str(text), line, last = STR_EMPTY;
    while (str_split(&rest, '\n', &line))
        if (line.len > 0)
            last = line;
    return last;
}

/* Of the line of a log, what is behind time, level and "role@node:". */
static struct str log_words(struct str line)
{
    size_t role = str_find(line, '@', 0);
    size_t end = role == SIZE_MAX ? SIZE_MAX : str_find(line, ':', role);
    return end == SIZE_MAX ? line : str_trim(str_sub(line, end + 1, SIZE_MAX));
}

/* What a node that slept through it all would do: go on as its last instance. */
static int start_stale(struct demo *d, struct stale *s)
{
    char epoch[24], address[ADDR_TEXT_MAX];
    snprintf(epoch, sizeof(epoch), "%lld", (long long)d->home_epoch);
    addr_format_ip(&d->plan.home, address);
    const char *const words[] = {"mailbox",
                                 "--node",
                                 d->plan.home_node->name,
                                 "--server",
                                 d->plan.server->name,
                                 "--epoch",
                                 epoch,
                                 "--address",
                                 address,
                                 NULL};
    timeline_say(&d->timeline, d->plan.home_node->name, "starts the stale instance %s at %s", epoch, address);
    demo_process_start(&s->process, &d->network, words, STALE_LIMIT_MS);
    return demo_wait(d, 2 * STALE_LIMIT_MS, "the stale instance to end", has_ended, s);
}

/* By the store, and not by a failure of another kind. */
static bool was_refused(const struct demo_process *p)
{
    static const char words[] = "later epoch";
    return p->exit_status == EXIT_FAILED &&
           memmem(buf_data(&p->error_output), p->error_output.len, words, sizeof(words) - 1) != NULL;
}

static int stale_is_refused(struct demo *d)
{
    struct stale s = {.greeting = ""};
    int rc = start_stale(d, &s);
    if (rc == 0) {
        bool refused = was_refused(&s.process);
        timeline_check(&d->timeline, refused, d->plan.server->name, "the stale instance %lld %s: %.*s",
                       (long long)d->home_epoch, refused ? "was refused, and ended" : "did not end by itself",
                       STR_ARG(log_words(last_line(&s.process.error_output))));
        timeline_check(&d->timeline, !s.greeting[0], d->plan.server->name,
                       "nobody answered at its address%s%s", s.greeting[0] ? ": " : "", s.greeting);
    }
    demo_process_fini(&s.process);
    return rc;
}

static int away_still_serves(struct demo *d)
{
    struct addr at = demo_imap_at(d, &d->plan.away);
    struct err_buf eb = {""};
    int64_t epoch = 0;
    int rc = demo_imap_greeting(&at, &epoch, &eb);
    timeline_check(&d->timeline, rc == 0 && epoch == d->epoch, d->plan.server->name,
                   "instance %lld still serves in %s%s%s", (long long)d->epoch, d->plan.away_node->site->name,
                   rc < 0 ? ": " : "", eb.text);
    return 0;
}

/* ---- home ---- */

static int fail_back(struct demo *d)
{
    const char *const words[] = {"server", "failback", d->plan.server->name, NULL};
    struct demo_process p;
    struct mono_time start = loop_now(d->loop);
    timeline_say(&d->timeline, "operator", "holdfast server failback %s", d->plan.server->name);
    demo_process_start(&p, &d->network, words, FAILBACK_LIMIT_MS);
    demo_process_wait(&p, &d->network);
    bool done = !p.runs && p.exit_status == 0;
    struct str words_of_it = last_line(done ? &p.output : &p.error_output);
    timeline_check(&d->timeline, done, "operator", "failback: %.*s", STR_ARG(words_of_it));
    demo_process_fini(&p);
    if (done)
        timeline_measure(&d->timeline, "failback_ms", "failback: until it was done", demo_since_ms(d, start),
                         0);
    return done ? 0 : d->interrupted ? ERR_CANCELLED : ERR_UNAVAILABLE;
}

static bool away_is_silent(struct demo *d, void *arg, struct err_buf *eb)
{
    (void)arg;
    return demo_is_silent(d, &d->plan.away, eb);
}

static int is_home(struct demo *d)
{
    int rc = demo_wait_instance(d, &d->plan.home, DEMO_LIMIT_MS);
    if (rc == 0)
        rc = demo_wait_mx(d, NULL, false, &d->plan.home, DEMO_LIMIT_MS);
    if (rc < 0)
        return rc;
    timeline_check(&d->timeline, true, d->plan.server->name, "instance %lld serves at home, and DNS says so",
                   (long long)d->epoch);
    rc = demo_wait(d, DEMO_LIMIT_MS, "the instance away to end", away_is_silent, NULL);
    if (rc == 0)
        timeline_check(&d->timeline, true, d->plan.server->name, "nobody answers in %s any more",
                       d->plan.away_node->site->name);
    return rc;
}

static int all_readable(struct demo *d)
{
    int rc = demo_settle(d, &d->plan.home, NULL);
    if (rc == 0)
        timeline_say(&d->timeline, "reader",
                     "the flags are as they were set, and the expunged message stays away");
    return 0;
}

int demo_act_return(struct demo *d)
{
    static demo_step *const steps[] = {mark_away,         send_away, site_returns, stale_is_refused,
                                       away_still_serves, fail_back, is_home,      all_readable};
    return demo_play(d, steps, ARRAY_LEN(steps));
}

/* Instances end by the lifeline, a moment after those who wait for their own children. */
static bool is_all_free(struct demo *d, void *arg, struct err_buf *eb)
{
    (void)arg;
    return demo_network_addresses_free(d->plan.config, eb) == 0;
}

int demo_act_end(struct demo *d)
{
    timeline_act(&d->timeline, "The network is ended");
    demo_end_awaited(d);
    bool well = demo_network_end(&d->network);
    timeline_check(&d->timeline, well, "network", "every process has ended %s",
                   well ? "as it was asked to" : "not as it was asked to: see its log");
    int rc = demo_wait(d, DEMO_LIMIT_MS, "the addresses to be free again", is_all_free, NULL);
    if (rc == 0)
        timeline_check(&d->timeline, true, "network", "all its addresses are free again");
    return rc;
}
