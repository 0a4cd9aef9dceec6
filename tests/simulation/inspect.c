#include "simulation/inspect.h"

#include <jansson.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "simulation/senders.h"
#include "store/memory/device.h"

#define ANSWER_LIMIT_MS   60000
#define EVENTS_MAX        100000
#define MESSAGE_MAX_BYTES (1 << 20)
#define ALL_STATES        0xff

/* One question to the store, and its answer. */
struct question {
    struct world *world;
    bool answered;
    int err;
    /* queues */
    size_t waiting;
    int64_t after_id;
    bool more, tell;
    struct buf *describe; /* NULL: no */
    struct map *events;
    /* mail */
    int64_t mailbox_id;
    struct mail_message *messages;
    size_t message_count;
    struct buf *body;
};

static bool is_answered(void *arg)
{
    return ((struct question *)arg)->answered;
}

/* What the store could not say this time is asked again. */
static void wait_for(struct question *q)
{
    CHECK(world_run_until(q->world, is_answered, q, ANSWER_LIMIT_MS));
    q->answered = false;
}

/* ---- quarantine's events ---- */

static const char one, many; /* values of the map of events */

static void note_event(struct map *events, const struct network_event *event)
{
    json_t *json = json_loadb(event->detail.ptr, event->detail.len, 0, NULL);
    const char *recipient = json_string_value(json_object_get(json, "recipient"));
    char *key = mem_asprintf("%.*s %s", STR_ARG(event->subject), recipient ? recipient : "");
    map_set(events, str_from(key), (void *)(uintptr_t)(map_find(events, str_from(key)) ? &many : &one));
    free(key);
    json_decref(json);
}

static void on_events(void *arg, int err, const struct network_event *events, size_t count)
{
    struct question *q = arg;
    q->answered = true;
    q->err = err;
    for (size_t i = 0; err == 0 && i < count; i++)
        if (str_eq(events[i].kind, STR("quarantined")))
            note_event(q->events, &events[i]);
}

static void read_events(struct world *w, struct map *events)
{
    struct question q = {.world = w, .events = events};
    do {
        network_events(store_network(w->watcher.store), 0, EVENTS_MAX, on_events, &q);
        wait_for(&q);
    } while (q.err != 0);
}

/* ---- queues ---- */

static enum ledger_custody quarantine_of(const struct map *events, const struct queue_delivery *row)
{
    char id[CUSTODY_ID_TEXT_MAX];
    custody_id_format(&row->custody_id, id);
    char *key = mem_asprintf("%s %.*s", id, STR_ARG(row->recipient));
    const void *found = map_find(events, str_from(key));
    free(key);
    if (!found)
        return LEDGER_QUARANTINED_SILENTLY;
    return found == &one ? LEDGER_QUARANTINED : LEDGER_QUARANTINED_LOUDLY;
}

/* 0: it is a report. */
static int64_t tag_of(const struct queue_delivery *row)
{
    return senders_tag_of(row->reverse_path, row->envelope.envid);
}

static enum ledger_custody custody_of(const struct question *q, const struct queue_delivery *row)
{
    if (row->state == QUEUE_DELIVERED)
        return LEDGER_DELIVERED;
    if (row->state == QUEUE_BOUNCED)
        return LEDGER_BOUNCED;
    if (row->state == QUEUE_REMOVED)
        return LEDGER_REMOVED;
    if (row->state != QUEUE_QUARANTINED)
        return LEDGER_QUEUED;
    enum ledger_custody custody = quarantine_of(q->events, row);
    bool lossy = (int64_t)row->losses >= q->world->config->relays[0].losses_max;
    return custody == LEDGER_QUARANTINED && lossy ? LEDGER_STOPPED : custody;
}

static void tell_row(struct question *q, const struct queue_delivery *row)
{
    enum ledger_custody custody = custody_of(q, row);
    char id[CUSTODY_ID_TEXT_MAX];
    custody_id_format(&row->custody_id, id);
    if (tag_of(row) > 0)
        ledger_custody(q->world->ledger, tag_of(row), row->recipient, custody);
    else
        ledger_report_custody(q->world->ledger, str_from(id), custody);
}

static bool row_waits(const struct queue_delivery *row)
{
    return row->state == QUEUE_WAITING || row->state == QUEUE_HELD;
}

static void describe_row(struct question *q, const struct queue_delivery *row)
{
    int64_t due_ms = row->next_at.ms ? row->next_at.ms - loop_wall(q->world->watcher.loop).ms : 0;
    buf_append_fmt(q->describe,
                   "  tag %lld for %.*s is %s, due in %lld ms, %u attempts, %u losses, last: %.*s\n",
                   (long long)tag_of(row), STR_ARG(row->recipient), queue_state_name(row->state),
                   (long long)due_ms, row->attempts, row->losses, STR_ARG(row->last_reply));
}

static void on_list(void *arg, int err, const struct queue_rows *rows)
{
    struct question *q = arg;
    q->answered = true;
    q->err = err;
    for (size_t i = 0; err == 0 && i < rows->count; i++) {
        q->waiting += row_waits(&rows->items[i]);
        q->after_id = rows->items[i].id;
        if (q->tell)
            tell_row(q, &rows->items[i]);
        if (q->describe && row_waits(&rows->items[i]))
            describe_row(q, &rows->items[i]);
    }
    if (err == 0)
        q->more = rows->more;
}

/* What the device has written down: reports that are owed, and not made. */
static size_t count_owed(const struct world *w, const char *name)
{
    const struct memory_queue *queue = map_find(&w->device->queues, str_from(name));
    size_t count = 0;
    if (queue)
        LIST_FOREACH (it, &queue->debts)
            count++;
    return count;
}

static void list_queue(struct question *q, const char *name)
{
    struct queue *queue;
    struct err_buf eb;
    q->more = true;
    q->after_id = 0;
    if (store_queue_read(q->world->watcher.store, str_from(name), &queue, &eb) < 0)
        return; /* nobody has opened it yet */
    while (q->more) {
        struct queue_filter filter = {.states = ALL_STATES, .after_id = q->after_id, .limit = 1000};
        queue_list(queue, &filter, on_list, q);
        wait_for(q);
    }
    q->waiting += count_owed(q->world, name);
    queue_close(queue);
}

size_t inspect_waiting(struct world *w)
{
    struct question q = {.world = w};
    for (size_t i = 0; i < w->config->relay_count; i++)
        list_queue(&q, w->config->relays[i].name);
    return q.waiting;
}

void inspect_describe_waiting(struct world *w, struct buf *out)
{
    struct question q = {.world = w, .describe = out};
    for (size_t i = 0; i < w->config->relay_count; i++) {
        buf_append_fmt(out, "  queue %s:\n", w->config->relays[i].name);
        list_queue(&q, w->config->relays[i].name);
    }
}

void inspect_queues(struct world *w)
{
    struct map events;
    map_init(&events);
    read_events(w, &events);
    struct question q = {.world = w, .tell = true, .events = &events};
    for (size_t i = 0; i < w->config->relay_count; i++)
        list_queue(&q, w->config->relays[i].name);
    map_fini(&events);
}

/* ---- mail ---- */

static void on_find(void *arg, int err, const struct mail_mailbox *box)
{
    struct question *q = arg;
    q->answered = true;
    q->err = err;
    if (err == 0)
        q->mailbox_id = box->id;
}

static void on_changes(void *arg, int err, const struct mail_messages *messages)
{
    struct question *q = arg;
    q->answered = true;
    q->err = err;
    if (err != 0)
        return;
    q->message_count = messages->count;
    q->messages = mem_calloc(messages->count + 1, sizeof(*q->messages));
    for (size_t i = 0; i < messages->count; i++)
        q->messages[i] = messages->items[i];
}

static void on_body(void *arg, int err, const char *data, size_t len)
{
    struct question *q = arg;
    q->answered = true;
    q->err = err;
    q->more = err == 0 && len > 0;
    if (err == 0)
        buf_append(q->body, data, len);
}

/* A body that cannot be read counts with what could be. */
static void read_body(struct question *q, struct mail *mail, int64_t body_id)
{
    struct body_reader *reader = mail_body_open(mail, body_id);
    do {
        body_read(reader, q->body->len, MESSAGE_MAX_BYTES, on_body, q);
        wait_for(q);
    } while (q->more);
    body_close(reader);
}

static void inspect_inbox(struct world *w, struct mail *mail, const char *user)
{
    struct buf body;
    struct question q = {.world = w, .body = &body};
    do {
        mail_mailbox_find(mail, str_from(user), STR("INBOX"), on_find, &q);
        wait_for(&q);
    } while (q.err != 0);
    do {
        mail_changes(mail, q.mailbox_id, 0, on_changes, &q);
        wait_for(&q);
    } while (q.err != 0);
    buf_init(&body, MESSAGE_MAX_BYTES);
    for (size_t i = 0; i < q.message_count; i++) {
        buf_clear(&body);
        read_body(&q, mail, q.messages[i].body_id);
        ledger_shown(w->ledger, str_from(user), buf_str(&body), q.messages[i].flags);
    }
    buf_fini(&body);
    free(q.messages);
}

void inspect_mail(struct world *w)
{
    struct mail *mail;
    struct err_buf eb;
    if (layout_is_external(w->layout))
        return; /* its server tells what it takes */
    CHECK(store_mail(w->watcher.store, &mail, &eb) == 0);
    for (size_t i = 0; i < WORLD_USERS; i++)
        inspect_inbox(w, mail, world_users[i]);
}
