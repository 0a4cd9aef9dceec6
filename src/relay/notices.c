#include "relay/notices.h"

#include <jansson.h>

#include "base/mem.h"

#define BATCH    50 /* events of a transaction: the network's file is small and hot */
#define RETRY_MS 1000

struct notices {
    struct loop *loop;
    struct queue *queue;
    struct network *network;
    struct store_op *op; /* the one step under way */
    struct loop_timer *timer;
    bool again;            /* there may be more than the step under way has seen */
    int64_t version, told; /* of the record; the last notice that it says was told */
    int64_t telling;       /* the last one of the batch */
};

static void start(struct notices *s);

static void retry(struct notices *s)
{
    loop_timer_start(s->timer, RETRY_MS);
}

/* ---- the record ---- */

/* A queue that is younger than the record was made anew: its notices begin at 1 again. */
static int64_t told_of(const struct notices *s, const struct network_record *record)
{
    json_int_t told = 0, epoch = 0;
    json_t *value = json_loadb(record->value.ptr, record->value.len, 0, NULL);
    bool good = value && json_unpack(value, "{s:I, s:I}", "told", &told, "epoch", &epoch) == 0;
    json_decref(value);
    return good && queue_epoch(s->queue) >= epoch ? told : 0;
}

static char *record_text(const struct notices *s)
{
    return mem_asprintf("{\"told\":%lld,\"epoch\":%lld}", (long long)s->telling,
                        (long long)queue_epoch(s->queue));
}

/* ---- telling ---- */

static char *detail_text(const struct queue_notice *n, const char *id)
{
    json_t *detail =
        json_pack("{s:s, s:s%, s:s%, s:s%}", "id", id, "recipient", n->recipient.ptr, n->recipient.len,
                  "server", n->server.ptr, n->server.len, "reply", n->reply.ptr, n->reply.len);
    char *text = detail ? json_dumps(detail, JSON_COMPACT) : mem_strdup("{}"); /* NULL: no UTF-8 */
    json_decref(detail);
    return text;
}

/* The loop guard alone stops mail before anybody was tried. */
static struct str kind_of(const struct queue_notice *n)
{
    return n->server.len > 0 ? STR("quarantined") : STR("loop");
}

static void on_dropped(void *arg, int err)
{
    struct notices *s = arg;
    s->op = NULL;
    if (err == ERR_FENCED)
        return;
    if (err)
        retry(s);
    else
        start(s); /* there may be another batch */
}

static void drop(struct notices *s)
{
    s->op = queue_notices_drop(s->queue, s->telling, on_dropped, s);
}

static void on_written(void *arg, int err, size_t failed)
{
    struct notices *s = arg;
    (void)failed;
    s->op = NULL;
    if (err)
        retry(s); /* with ERR_CONFLICT another owner was quicker: the record is read again */
    else
        drop(s);
}

static void tell(struct notices *s, const struct queue_notice *notices, size_t count)
{
    struct network_change changes[BATCH + 1];
    char ids[BATCH][CUSTODY_ID_TEXT_MAX];
    char *texts[BATCH + 1] = {record_text(s)};
    changes[0] = (struct network_change){.type = NETWORK_PUT,
                                         .kind = STR("notice"),
                                         .key = str_from(queue_name(s->queue)),
                                         .value = str_from(texts[0]),
                                         .expect_version = s->version};
    for (size_t i = 0; i < count; i++) {
        custody_id_format(&notices[i].custody_id, ids[i]);
        texts[i + 1] = detail_text(&notices[i], ids[i]);
        changes[i + 1] = (struct network_change){.type = NETWORK_EVENT,
                                                 .kind = kind_of(&notices[i]),
                                                 .key = str_from(ids[i]),
                                                 .value = str_from(texts[i + 1])};
    }
    s->op = network_write(s->network, changes, count + 1, NULL, on_written, s);
    for (size_t i = 0; i <= count; i++)
        free(texts[i]);
}

static void on_notices(void *arg, int err, const struct queue_notice *notices, size_t count)
{
    struct notices *s = arg;
    s->op = NULL;
    if (err) {
        retry(s);
        return;
    }
    if (count == 0) {
        if (s->again)
            start(s);
        return;
    }
    s->telling = notices[count - 1].id;
    size_t known = 0; /* told before a crash, and not dropped */
    while (known < count && notices[known].id <= s->told)
        known++;
    if (known == count)
        drop(s);
    else
        tell(s, notices + known, count - known);
}

static void on_record(void *arg, int err, const struct network_record *records, size_t count)
{
    struct notices *s = arg;
    s->op = NULL;
    if (err) {
        retry(s);
        return;
    }
    s->version = count ? records[0].version : NETWORK_ABSENT;
    s->told = count ? told_of(s, &records[0]) : 0;
    s->op = queue_notices(s->queue, BATCH, on_notices, s);
}

static void start(struct notices *s)
{
    loop_timer_stop(s->timer);
    s->again = false;
    s->op = network_read(s->network, STR("notice"), str_from(queue_name(s->queue)), on_record, s);
}

static void on_timer(void *arg)
{
    start(arg);
}

/* ---- life ---- */

struct notices *notices_new(struct loop *l, struct queue *q, struct network *n)
{
    struct notices *s = mem_zalloc(sizeof(*s));
    s->loop = l;
    s->queue = q;
    s->network = n;
    s->timer = loop_timer_new(l, on_timer, s);
    start(s);
    return s;
}

void notices_free(struct notices *s)
{
    if (s->op)
        store_op_forget(s->op);
    loop_timer_free(s->timer);
    free(s);
}

void notices_kick(struct notices *s)
{
    s->again = true;
    if (!s->op && !loop_timer_active(s->timer))
        start(s);
}
