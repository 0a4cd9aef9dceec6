#include "relay/reports.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "relay/aside.h"
#include "relay/claims.h"
#include "relay/errand.h"
#include "relay/report_text.h"
#include "relay/rights.h"
#include "store/queue_report.h"

#define HELD_MS   1000 /* until what was in flight, or the right, is looked at again */
#define READ_MAX  65536
#define ARENA_MAX (4 << 20) /* QUEUE_OWED_MAX recipients with their texts */

struct reports {
    struct loop *loop;
    struct queue *queue;
    struct reports_options options;
    struct errand errand; /* the walk over what is owed: */
    bool held;            /* it went past something in flight */
    int64_t after_message_id;
    enum queue_owes after_kind;
    struct aside aside;

    /* The report at hand: */
    struct arena arena;
    struct queue_owed *owed;
    size_t count;
    struct body_reader *body;
    struct buf content;
    struct custody_id id;
};

static void look(struct reports *r);

static void close_body(struct reports *r)
{
    if (r->body)
        body_close(r->body);
    r->body = NULL;
}

static void drop(struct reports *r)
{
    close_body(r);
    buf_clear(&r->content);
    arena_clear(&r->arena);
    r->owed = NULL;
    r->count = 0;
}

static void retry(struct reports *r)
{
    drop(r);
    errand_refused(&r->errand);
}

static void go_past(struct reports *r, const struct queue_owed *owed)
{
    r->after_message_id = owed->delivery.message_id;
    r->after_kind = owed->kind;
    look(r);
}

/* ---- making it ---- */

static void log_made(const struct reports *r)
{
    char id[CUSTODY_ID_TEXT_MAX], about[CUSTODY_ID_TEXT_MAX];
    custody_id_format(&r->id, id);
    custody_id_format(&r->owed[0].delivery.custody_id, about);
    log_event(LOG_INFO, "report to the sender", LOG_TEXT("id", id), LOG_TEXT("about", about),
              LOG_TEXT("says", report_word(r->owed[0].kind)),
              LOG_STR("recipient", r->owed[0].delivery.reverse_path),
              LOG_I64("recipients", (int64_t)r->count), LOG_TEXT("queue", queue_name(r->queue)));
}

static void on_reported(void *arg, int err)
{
    struct reports *r = arg;
    r->errand.op = NULL;
    if (err == ERR_FENCED)
        return;
    if (err != 0 && err != ERR_CONFLICT) {
        retry(r);
        return;
    }
    if (err == 0) {
        struct report_place place;
        report_place_of(r->owed[0].delivery.reverse_path, r->options.config, &place);
        log_made(r);
        r->options.work->reports++;
        r->options.on_made(r->options.arg, r->queue, str_from(place.domain), place.home);
    }
    look(r); /* there may be more; after a conflict it is looked at again */
}

static void make(struct reports *r)
{
    struct wall_time now = loop_wall(r->loop);
    struct report_text_options options = {
        .relay = r->options.relay, .id = &r->id, .now = now, .content = buf_str(&r->content)};
    int64_t ids[QUEUE_OWED_MAX];
    struct report_place place;
    struct buf text;
    close_body(r);
    loop_random(r->loop, r->id.bytes, sizeof(r->id.bytes));
    report_place_of(r->owed[0].delivery.reverse_path, r->options.config, &place);
    buf_init(&text, REPORT_TEXT_MAX);
    bool eight_bit = report_text(&text, r->owed, r->count, &options);
    CHECK(!text.overflow);
    for (size_t i = 0; i < r->count; i++)
        ids[i] = r->owed[i].delivery.id;
    struct queue_message_in message = {.custody_id = r->id,
                                       .reverse_path = STR_EMPTY,
                                       .helo = str_from(r->options.relay->hostname),
                                       .eight_bit = eight_bit,
                                       .smtputf8 = report_smtputf8(&r->owed[0]),
                                       .received_at = now};
    struct queue_recipient_in recipient = {.address = r->owed[0].delivery.reverse_path,
                                           .domain = str_from(place.domain),
                                           .home = place.home,
                                           .dsn.notify = DSN_NOTIFY_NEVER};
    struct queue_report report = {.message = &message,
                                  .recipient = &recipient,
                                  .body = buf_str(&text),
                                  .kind = r->owed[0].kind,
                                  .delivery_ids = ids,
                                  .count = r->count};
    r->errand.op = queue_report(r->queue, &report, on_reported, r);
    buf_fini(&text);
}

/* ---- what is sent back ---- */

static void read_on(struct reports *r);

/* What cannot be read is not sent back: the sender is told all the same. */
static void make_without(struct reports *r)
{
    buf_clear(&r->content);
    make(r);
}

static void put_aside(struct reports *r, int err)
{
    char id[CUSTODY_ID_TEXT_MAX];
    bool first;
    const struct queue_owed *owed = &r->owed[0];
    enum aside_word word = aside_failed(&r->aside, owed->delivery.message_id, loop_now(r->loop), &first);
    custody_id_format(&owed->delivery.custody_id, id);
    if (first)
        log_event(LOG_WARNING, "report waits: its message cannot be read", LOG_TEXT("about", id),
                  LOG_TEXT("error", err_name(err)), LOG_TEXT("queue", queue_name(r->queue)));
    if (word == ASIDE_PAST)
        go_past(r, owed);
    else
        make_without(r);
}

/* Of the whole queue, and not for long. */
static bool may_pass(int err)
{
    return err == ERR_SYNC || err == ERR_UNAVAILABLE || err == ERR_UNKNOWN;
}

static void body_failed(struct reports *r, int err)
{
    if (err == ERR_CORRUPT || err == ERR_NOT_FOUND)
        make_without(r);
    else if (may_pass(err))
        retry(r);
    else
        put_aside(r, err);
}

static void on_body(void *arg, int err, const char *data, size_t len)
{
    struct reports *r = arg;
    size_t wanted = report_content_bytes(&r->owed[0]);
    r->errand.op = NULL;
    if (err) {
        body_failed(r, err);
        return;
    }
    buf_append(&r->content, data, len < wanted - r->content.len ? len : wanted - r->content.len);
    if (r->content.len < wanted && r->content.len < body_reader_size_bytes(r->body)) {
        read_on(r);
        return;
    }
    aside_drop(&r->aside, r->owed[0].delivery.message_id);
    make(r);
}

static void read_on(struct reports *r)
{
    r->errand.op = body_read(r->body, r->content.len, READ_MAX, on_body, r);
}

/* ---- what is owed ---- */

static struct queue_owed copy(struct reports *r, const struct queue_owed *owed)
{
    struct queue_owed kept = *owed;
    struct queue_delivery *d = &kept.delivery;
    d->reverse_path = arena_str(&r->arena, d->reverse_path);
    d->recipient = arena_str(&r->arena, d->recipient);
    d->envelope.envid = arena_str(&r->arena, d->envelope.envid);
    d->request.orcpt = arena_str(&r->arena, d->request.orcpt);
    kept.server = arena_str(&r->arena, owed->server);
    kept.reply = arena_str(&r->arena, owed->reply);
    kept.host = arena_str(&r->arena, owed->host);
    return kept;
}

/* What is in flight may be delivered yet. */
static bool may_be_said(const struct reports *r, const struct queue_owed *owed)
{
    return owed->kind != QUEUE_OWES_FAILED || !claims_in_flight(r->options.claims, owed->delivery.id);
}

static void keep_owed(struct reports *r, const struct queue_owed *owed, size_t count)
{
    r->owed = arena_alloc(&r->arena, count * sizeof(*owed));
    for (size_t i = 0; i < count; i++)
        if (may_be_said(r, &owed[i]))
            r->owed[r->count++] = copy(r, &owed[i]);
    r->held |= r->count < count;
}

static void begin(void *arg)
{
    struct reports *r = arg;
    r->held = false;
    r->after_message_id = 0;
    r->after_kind = QUEUE_OWES_NOTHING;
    aside_walk_begin(&r->aside);
    look(r);
}

static void wait_for_some(struct reports *r)
{
    struct mono_time next = aside_next(&r->aside);
    int64_t delay_ms = next.ns == MONO_NEVER.ns ? INT64_MAX : mono_diff_ms(next, loop_now(r->loop)) + 1;
    if (r->held && delay_ms > HELD_MS)
        delay_ms = HELD_MS;
    if (delay_ms != INT64_MAX)
        errand_look_in(&r->errand, delay_ms);
}

static void end_walk(struct reports *r)
{
    aside_walk_end(&r->aside);
    if (errand_rest(&r->errand))
        wait_for_some(r);
}

static void take(struct reports *r)
{
    int64_t message_id = r->owed[0].delivery.message_id;
    switch (aside_ask(&r->aside, message_id, loop_now(r->loop))) {
    case ASIDE_PAST:
        go_past(r, &r->owed[0]);
        return;
    case ASIDE_WITHOUT:
        make_without(r);
        return;
    case ASIDE_READ:
        break;
    }
    r->body = queue_body_open(r->queue, message_id);
    read_on(r);
}

static void on_owed(void *arg, int err, const struct queue_owed *owed, size_t count)
{
    struct reports *r = arg;
    r->errand.op = NULL;
    if (err) {
        retry(r);
        return;
    }
    if (count == 0) {
        end_walk(r);
        return;
    }
    keep_owed(r, owed, count);
    if (r->count > 0)
        take(r);
    else
        go_past(r, owed);
}

/* Without the right no report could leave either. */
static void look(struct reports *r)
{
    drop(r);
    if (!right_is_held(r->options.right)) {
        errand_look_in(&r->errand, HELD_MS);
        return;
    }
    r->errand.op = queue_owed(r->queue, r->after_message_id, r->after_kind, on_owed, r);
}

/* ---- life ---- */

struct reports *reports_new(struct loop *l, struct queue *q, const struct reports_options *options)
{
    struct reports *r = mem_zalloc(sizeof(*r));
    r->loop = l;
    r->queue = q;
    r->options = *options;
    errand_init(&r->errand, l, begin, r);
    aside_init(&r->aside);
    arena_init(&r->arena, ARENA_MAX);
    buf_init(&r->content, REPORT_CONTENT_MAX);
    errand_begin(&r->errand);
    return r;
}

void reports_free(struct reports *r)
{
    errand_fini(&r->errand);
    drop(r);
    arena_fini(&r->arena);
    buf_fini(&r->content);
    free(r);
}

void reports_kick(struct reports *r)
{
    errand_kick(&r->errand);
}
