#include "relay/notices.h"

#include <jansson.h>

#include "base/mem.h"
#include "relay/errand.h"
#include "relay/loop_guard.h"

#define BATCH 50 /* events of a transaction: the network's file is small and hot */

struct notices {
    struct queue *queue;
    struct network *network;
    struct errand errand;
    int64_t version, told; /* of the record; the last notice that it says was told */
    int64_t telling;       /* the last one of the batch */
};

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

static struct str kind_of(const struct queue_notice *n)
{
    return loop_guard_described(n->reply) ? STR("loop") : STR("quarantined");
}

static void on_dropped(void *arg, int err)
{
    struct notices *s = arg;
    s->errand.op = NULL;
    if (err == ERR_FENCED)
        return;
    if (err)
        errand_refused(&s->errand);
    else
        errand_begin(&s->errand); /* there may be another batch */
}

static void drop(struct notices *s)
{
    s->errand.op = queue_notices_drop(s->queue, s->telling, on_dropped, s);
}

static void on_written(void *arg, int err, size_t failed)
{
    struct notices *s = arg;
    (void)failed;
    s->errand.op = NULL;
    if (err)
        errand_refused(
            &s->errand); /* with ERR_CONFLICT another owner was quicker: the record is read again */
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
    s->errand.op = network_write(s->network, changes, count + 1, NULL, on_written, s);
    for (size_t i = 0; i <= count; i++)
        free(texts[i]);
}

static void on_notices(void *arg, int err, const struct queue_notice *notices, size_t count)
{
    struct notices *s = arg;
    s->errand.op = NULL;
    if (err) {
        errand_refused(&s->errand);
        return;
    }
    if (count == 0) {
        errand_rest(&s->errand);
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
    s->errand.op = NULL;
    if (err) {
        errand_refused(&s->errand);
        return;
    }
    s->version = count ? records[0].version : NETWORK_ABSENT;
    s->told = count ? told_of(s, &records[0]) : 0;
    s->errand.op = queue_notices(s->queue, BATCH, on_notices, s);
}

static void begin(void *arg)
{
    struct notices *s = arg;
    s->errand.op = network_read(s->network, STR("notice"), str_from(queue_name(s->queue)), on_record, s);
}

/* ---- life ---- */

struct notices *notices_new(struct loop *l, struct queue *q, struct network *n)
{
    struct notices *s = mem_zalloc(sizeof(*s));
    s->queue = q;
    s->network = n;
    errand_init(&s->errand, l, begin, s);
    errand_begin(&s->errand);
    return s;
}

void notices_free(struct notices *s)
{
    errand_fini(&s->errand);
    free(s);
}

void notices_kick(struct notices *s)
{
    errand_kick(&s->errand);
}
