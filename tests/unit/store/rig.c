#include "rig.h"

#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "loop/real.h"
#include "store/sqlite/segment_io.h"

#define WAIT_LIMIT_MS 20000 /* a loaded machine under a sanitizer needs seconds */

#define TURN_MS 5

/* Small segments, so that tests come to their ends. */
#define SEGMENT_BYTES (1 << 20)

/* ---- life ---- */

static struct mono_time device_clock(void *arg)
{
    return loop_now(arg);
}

static void use_small_segments(void)
{
    static struct segment_io small;
    if (segment_io()->segment_bytes == SEGMENT_BYTES)
        return;
    small = *segment_io();
    small.segment_bytes = SEGMENT_BYTES;
    segment_io_use(&small);
}

/* place: a folder, or a database's URI; NULL: a folder is made, if one is needed. */
static struct rig *rig_new(enum store_engine_kind engine, const char *place)
{
    struct rig *r = mem_zalloc(sizeof(*r));
    r->engine = engine;
    r->loop = loop_real_new();
    arena_init(&r->arena, SIZE_MAX / 2);
    use_small_segments();
    if (engine == STORE_ENGINE_MEMORY) {
        r->memory = store_memory_new(device_clock, r->loop);
    } else if (engine == STORE_ENGINE_POSTGRES) {
        snprintf(r->uri, sizeof(r->uri), "%s", place);
    } else if (place) {
        snprintf(r->dir, sizeof(r->dir), "%s", place);
    } else {
        snprintf(r->dir, sizeof(r->dir), "/tmp/holdfast-store-XXXXXX");
        assert_non_null(mkdtemp(r->dir));
    }
    r->store = rig_open(r);
    r->network = store_network(r->store);
    return r;
}

struct rig *rig_on_folder(const char *dir)
{
    return rig_new(STORE_ENGINE_SQLITE, dir);
}

struct rig *rig_on_database(const char *uri, void (*drop)(int database), int database)
{
    struct rig *r = rig_new(STORE_ENGINE_POSTGRES, uri);
    r->drop = drop;
    r->database = database;
    return r;
}

int rig_setup_memory(void **state)
{
    *state = rig_new(STORE_ENGINE_MEMORY, NULL);
    return 0;
}

int rig_setup_sqlite(void **state)
{
    *state = rig_new(STORE_ENGINE_SQLITE, NULL);
    return 0;
}

static int remove_one(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
    (void)sb, (void)type, (void)ftw;
    return remove(path);
}

void rig_free(struct rig *r)
{
    for (size_t i = 0; i < ARRAY_LEN(r->stores); i++)
        store_close(r->stores[i]);
    if (r->memory)
        store_memory_free(r->memory);
    loop_real_free(r->loop);
    arena_fini(&r->arena);
    free(r);
}

int rig_teardown(void **state)
{
    struct rig *r = *state, was = *r;
    rig_free(r);
    if (was.dir[0])
        nftw(was.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    if (was.drop)
        was.drop(was.database);
    return 0;
}

struct store *rig_open(struct rig *r)
{
    struct store_options options = {.engine = r->engine,
                                    .path = r->uri[0] ? r->uri : r->dir,
                                    .memory = r->memory,
                                    .durability = r->durability};
    struct store *s;
    struct err_buf eb;
    int err = store_open(r->loop, &options, &s, &eb);
    if (err != 0)
        fail_msg("store_open: %s", eb.text);
    for (size_t i = 0; i < ARRAY_LEN(r->stores); i++) {
        if (!r->stores[i]) {
            r->stores[i] = s;
            break;
        }
    }
    return s;
}

void rig_close(struct rig *r, struct store *s)
{
    for (size_t i = 0; i < ARRAY_LEN(r->stores); i++)
        if (r->stores[i] == s)
            r->stores[i] = NULL;
    store_close(s);
}

/* ---- waiting ---- */

struct limit {
    struct loop *loop;
    bool passed;
};

static void on_limit(void *arg)
{
    struct limit *limit = arg;
    limit->passed = true;
    loop_stop(limit->loop);
}

void rig_wait(struct rig *r, const bool *done)
{
    struct limit limit = {r->loop, false};
    struct loop_timer *timer = loop_timer_new(r->loop, on_limit, &limit);
    loop_timer_start(timer, WAIT_LIMIT_MS);
    while (!*done && !limit.passed)
        loop_run(r->loop);
    loop_timer_free(timer);
    if (!*done)
        fail_msg("waited in vain");
}

void rig_turn(struct rig *r)
{
    struct limit stop = {r->loop, false};
    struct loop_timer *timer = loop_timer_new(r->loop, on_limit, &stop);
    loop_timer_start(timer, TURN_MS);
    while (!stop.passed)
        loop_run(r->loop);
    loop_timer_free(timer);
    if (++r->turns > WAIT_LIMIT_MS / TURN_MS)
        fail_msg("waited in vain");
}

static void answered(struct answer *a, int err)
{
    a->err = err;
    a->done = true;
    loop_stop(a->rig->loop);
}

void on_plain(void *arg, int err)
{
    answered(arg, err);
}

static int wait_for(struct answer *a)
{
    rig_wait(a->rig, &a->done);
    return a->err;
}

struct str rig_str(struct rig *r, struct str s)
{
    return s.ptr ? arena_str(&r->arena, s) : s;
}

static void *rig_copy(struct rig *r, const void *items, size_t count, size_t size)
{
    void *copy = arena_alloc(&r->arena, count * size + 1);
    if (count > 0)
        memcpy(copy, items, count * size);
    return copy;
}

/* ---- network ---- */

static void on_take(void *arg, int err, const struct network_lease *current)
{
    struct answer *a = arg;
    if (current) {
        struct network_lease *copy = rig_copy(a->rig, current, 1, sizeof(*current));
        copy->name = rig_str(a->rig, current->name);
        copy->holder = rig_str(a->rig, current->holder);
        a->items = copy;
    }
    answered(a, err);
}

int lease_take(struct network *n, struct rig *r, const char *name, const char *holder, int64_t token,
               int64_t ttl_ms, struct network_lease *ret)
{
    ASK(r, a);
    network_lease_take(n, str_from(name), str_from(holder), token, ttl_ms, on_take, &a);
    wait_for(&a);
    if (a.items && ret)
        *ret = *(struct network_lease *)a.items;
    return a.err;
}

static void on_write(void *arg, int err, size_t failed)
{
    struct answer *a = arg;
    a->number = (int64_t)failed;
    answered(a, err);
}

int record_put(struct rig *r, struct network *n, const char *kind, const char *key, const char *value,
               int64_t expect_version, const struct network_lease *guard)
{
    ASK(r, a);
    struct network_change change = {NETWORK_PUT, str_from(kind), str_from(key), str_from(value),
                                    expect_version};
    network_write(n, &change, 1, guard, on_write, &a);
    return wait_for(&a);
}

static void on_records(void *arg, int err, const struct network_record *items, size_t count)
{
    struct answer *a = arg;
    struct network_record *copy = rig_copy(a->rig, items, count, sizeof(*items));
    for (size_t i = 0; i < count; i++) {
        copy[i].kind = rig_str(a->rig, items[i].kind);
        copy[i].key = rig_str(a->rig, items[i].key);
        copy[i].value = rig_str(a->rig, items[i].value);
    }
    a->items = copy;
    a->count = count;
    answered(a, err);
}

struct answer records(struct rig *r, struct network *n, const char *kind, const char *key)
{
    ASK(r, a);
    network_read(n, str_from(kind), key ? str_from(key) : (struct str){NULL, 0}, on_records, &a);
    wait_for(&a);
    return a;
}

/* ---- queue ---- */

static void on_own(void *arg, int err, struct queue *q, int64_t epoch)
{
    struct answer *a = arg;
    a->queue = q;
    a->number = epoch;
    answered(a, err);
}

struct queue *own(struct rig *r, struct store *s, const char *name, const char *owner, int64_t expect_epoch,
                  int *ret_err, int64_t *ret_epoch)
{
    ASK(r, a);
    store_queue_own(s, str_from(name), str_from(owner), expect_epoch, on_own, &a);
    int err = wait_for(&a);
    if (ret_err)
        *ret_err = err;
    else
        assert_ok(err);
    if (ret_epoch)
        *ret_epoch = a.number;
    return a.queue;
}

struct custody_id id_of(uint64_t number)
{
    struct custody_id id = {{0}};
    memcpy(id.bytes + 8, &number, sizeof(number));
    return id;
}

static void on_accept(void *arg, int err, int64_t message_id)
{
    struct answer *a = arg;
    a->number = message_id;
    answered(a, err);
}

int accept_to(struct rig *r, struct queue *q, uint64_t id, struct str body, const char *sender,
              const struct queue_recipient_in *to, size_t count, int64_t *ret_message_id)
{
    ASK(r, a);
    struct queue_message_in in = {.custody_id = id_of(id),
                                  .reverse_path = str_from(sender),
                                  .helo = STR("client.example.test"),
                                  .client = STR("127.0.0.9"),
                                  .header_id = r->header_id,
                                  .stopped = r->stopped,
                                  .received_at = {(int64_t)id * 1000}};
    struct body_writer *w = queue_body_begin(q);
    if (!w)
        return queue_health(q);
    body_append(w, body.ptr, body.len);
    queue_accept(q, w, &in, to, count, on_accept, &a);
    wait_for(&a);
    if (ret_message_id)
        *ret_message_id = a.number;
    return a.err;
}

int accept_body(struct rig *r, struct queue *q, uint64_t id, const char *body, size_t len, const char *sender,
                const char *const *recipients, int64_t *ret_message_id)
{
    struct queue_recipient_in to[16];
    size_t count = 0;
    for (; recipients[count]; count++) {
        struct str address = str_from(recipients[count]);
        struct str domain = str_sub(address, str_find(address, '@', 0) + 1, SIZE_MAX);
        to[count] = (struct queue_recipient_in){address, domain, STR_EMPTY};
    }
    return accept_to(r, q, id, (struct str){body, len}, sender, to, count, ret_message_id);
}

int accept_one(struct rig *r, struct queue *q, uint64_t id, const char *recipient)
{
    const char *recipients[] = {recipient, NULL};
    return accept_body(r, q, id, "Subject: x\r\n\r\nhello\r\n", 21, "sender@example.net", recipients, NULL);
}

static void copy_rows(struct answer *a, const struct queue_rows *rows)
{
    struct queue_delivery *copy = rig_copy(a->rig, rows->items, rows->count, sizeof(*rows->items));
    for (size_t i = 0; i < rows->count; i++) {
        copy[i].reverse_path = rig_str(a->rig, rows->items[i].reverse_path);
        copy[i].helo = rig_str(a->rig, rows->items[i].helo);
        copy[i].client = rig_str(a->rig, rows->items[i].client);
        copy[i].recipient = rig_str(a->rig, rows->items[i].recipient);
        copy[i].domain = rig_str(a->rig, rows->items[i].domain);
        copy[i].home = rig_str(a->rig, rows->items[i].home);
        copy[i].last_reply = rig_str(a->rig, rows->items[i].last_reply);
        copy[i].last_host = rig_str(a->rig, rows->items[i].last_host);
        copy[i].header_id = rig_str(a->rig, rows->items[i].header_id);
        copy[i].envelope.envid = rig_str(a->rig, rows->items[i].envelope.envid);
        copy[i].request.orcpt = rig_str(a->rig, rows->items[i].request.orcpt);
    }
    a->items = copy;
    a->count = rows->count;
    a->more = rows->more;
}

static void on_rows(void *arg, int err, const struct queue_rows *rows)
{
    if (err == 0)
        copy_rows(arg, rows);
    answered(arg, err);
}

struct answer due(struct rig *r, struct queue *q, const char *domain, const char *home, int64_t after_id,
                  size_t limit)
{
    ASK(r, a);
    struct queue_due_filter filter = {.domain = str_from(domain),
                                      .home = str_from(home),
                                      .after_id = after_id,
                                      .now = {1000000},
                                      .limit = limit};
    queue_due(q, &filter, on_rows, &a);
    wait_for(&a);
    return a;
}

struct answer oldest(struct rig *r, struct queue *q, const char *domain, const char *home, size_t limit)
{
    ASK(r, a);
    struct queue_due_filter filter = {.domain = str_from(domain), .home = str_from(home), .limit = limit};
    queue_oldest(q, &filter, on_rows, &a);
    wait_for(&a);
    return a;
}

struct answer list_rows(struct rig *r, struct queue *q, const struct queue_filter *filter)
{
    ASK(r, a);
    queue_list(q, filter, on_rows, &a);
    wait_for(&a);
    return a;
}

int settle_result(struct rig *r, struct queue *q, const struct queue_result *result)
{
    ASK(r, a);
    queue_settle(q, result, 1, on_plain, &a);
    return wait_for(&a);
}

int settle(struct rig *r, struct queue *q, int64_t delivery_id, enum queue_outcome outcome,
           int64_t next_at_ms)
{
    struct queue_result result = {.delivery_id = delivery_id,
                                  .outcome = outcome,
                                  .next_at = {next_at_ms},
                                  .reply = STR("250 2.0.0 taken"),
                                  .host = STR("mail1.d.test"),
                                  .server = STR("mail1"),
                                  .instance = STR("east1 127.1.0.10"),
                                  .epoch = 7,
                                  .generation = 3,
                                  .at = {5000}};
    return settle_result(r, q, &result);
}

static void on_notices(void *arg, int err, const struct queue_notice *found, size_t count)
{
    struct answer *a = arg;
    struct queue_notice *copies = arena_alloc(&a->rig->arena, count * sizeof(*copies));
    for (size_t i = 0; i < count; i++) {
        copies[i] = found[i];
        copies[i].recipient = rig_str(a->rig, found[i].recipient);
        copies[i].server = rig_str(a->rig, found[i].server);
        copies[i].reply = rig_str(a->rig, found[i].reply);
    }
    a->items = copies;
    a->count = count;
    answered(a, err);
}

struct answer notices(struct rig *r, struct queue *q, size_t limit)
{
    ASK(r, a);
    queue_notices(q, limit, on_notices, &a);
    wait_for(&a);
    return a;
}

int notices_drop(struct rig *r, struct queue *q, int64_t up_to_id)
{
    ASK(r, a);
    queue_notices_drop(q, up_to_id, on_plain, &a);
    return wait_for(&a);
}

static void on_act(void *arg, int err, uint64_t changed)
{
    ((struct answer *)arg)->number = (int64_t)changed;
    answered(arg, err);
}

int act(struct rig *r, struct queue *q, const struct queue_filter *filter, enum queue_action action,
        const char *home, uint64_t *ret_changed)
{
    ASK(r, a);
    const struct queue_order order = {.action = action,
                                      .home = str_from(home),
                                      .who = STR("operator"),
                                      .why = STR("a test"),
                                      .key = r->order_key};
    queue_act(q, filter, &order, on_act, &a);
    wait_for(&a);
    if (ret_changed)
        *ret_changed = (uint64_t)a.number;
    return a.err;
}

static void on_summary(void *arg, int err, const struct queue_count *counts, size_t count)
{
    struct answer *a = arg;
    struct queue_count *copy = rig_copy(a->rig, counts, count, sizeof(*counts));
    for (size_t i = 0; i < count; i++) {
        copy[i].domain = rig_str(a->rig, counts[i].domain);
        copy[i].home = rig_str(a->rig, counts[i].home);
    }
    a->items = copy;
    a->count = count;
    answered(a, err);
}

struct answer summary(struct rig *r, struct queue *q)
{
    ASK(r, a);
    queue_summary(q, on_summary, &a);
    wait_for(&a);
    return a;
}

/* ---- bodies ---- */

static void on_body_read(void *arg, int err, const char *data, size_t len)
{
    struct answer *a = arg;
    a->text = rig_str(a->rig, (struct str){data, len});
    answered(a, err);
}

struct answer read_body(struct rig *r, struct body_reader *reader)
{
    struct buf all;
    ASK(r, a);
    buf_init(&all, SIZE_MAX / 4);
    do {
        a.done = false;
        body_read(reader, all.len, 65536, on_body_read, &a);
        if (wait_for(&a) == 0)
            assert_ok(buf_append_str(&all, a.text));
    } while (a.err == 0 && a.text.len > 0);
    a.text = rig_str(r, buf_str(&all));
    buf_fini(&all);
    body_close(reader);
    return a;
}

static char pattern_at(size_t i)
{
    return (char)((i * 2654435761U) >> 13);
}

static void on_room(void *arg)
{
    answered(arg, 0);
}

struct body_writer *write_pattern(struct rig *r, struct body_writer *w, size_t len)
{
    char piece[16384];
    for (size_t at = 0; at < len;) {
        ASK(r, a);
        size_t n = len - at < sizeof(piece) ? len - at : sizeof(piece);
        for (size_t i = 0; i < n; i++)
            piece[i] = pattern_at(at + i);
        body_append(w, piece, n);
        at += n;
        if (!body_writer_full(w))
            continue;
        body_writer_on_room(w, on_room, &a);
        wait_for(&a);
        body_writer_on_room(w, NULL, NULL);
    }
    return w;
}

bool pattern_holds(struct str data)
{
    for (size_t i = 0; i < data.len; i++)
        if (data.ptr[i] != pattern_at(i))
            return false;
    return true;
}

/* ---- mail ---- */

struct mail *begin_mail(struct rig *r, struct store *s, const char *server, int64_t epoch, int *ret_err)
{
    ASK(r, a);
    struct mail *m;
    struct err_buf eb;
    assert_ok(store_mail(s, &m, &eb));
    mail_instance_begin(m, str_from(server), epoch, on_plain, &a);
    wait_for(&a);
    if (ret_err)
        *ret_err = a.err;
    else
        assert_ok(a.err);
    return m;
}

int deliver(struct rig *r, struct mail *m, uint64_t custody, const char *body, const char *const *users)
{
    ASK(r, a);
    struct str to[16];
    size_t count = 0;
    struct custody_id id = id_of(custody);
    for (; users[count]; count++)
        to[count] = str_from(users[count]);
    struct body_writer *w = mail_body_begin(m, false);
    if (!w)
        return mail_health(m);
    body_append(w, body, strlen(body));
    mail_deliver(m, w, custody ? &id : NULL, to, count, (struct wall_time){1234000}, on_plain, &a);
    return wait_for(&a);
}

static void on_find(void *arg, int err, const struct mail_mailbox *box)
{
    struct answer *a = arg;
    if (box) {
        struct mail_mailbox *copy = rig_copy(a->rig, box, 1, sizeof(*box));
        copy->name = rig_str(a->rig, box->name);
        a->items = copy;
    }
    answered(a, err);
}

struct mail_mailbox mailbox(struct rig *r, struct mail *m, const char *user, const char *name, int *ret_err)
{
    ASK(r, a);
    mail_mailbox_find(m, str_from(user), str_from(name), on_find, &a);
    wait_for(&a);
    if (ret_err)
        *ret_err = a.err;
    else
        assert_ok(a.err);
    return a.items ? *(struct mail_mailbox *)a.items : (struct mail_mailbox){0};
}

static void on_changes(void *arg, int err, const struct mail_messages *m)
{
    struct answer *a = arg;
    if (err == 0) {
        struct mail_messages *copy = rig_copy(a->rig, m, 1, sizeof(*m));
        struct mail_message *items = rig_copy(a->rig, m->items, m->count, sizeof(*m->items));
        for (size_t i = 0; i < m->count; i++)
            items[i].keywords = rig_str(a->rig, m->items[i].keywords);
        copy->items = items;
        copy->expunged = rig_copy(a->rig, m->expunged, m->expunged_count, sizeof(*m->expunged));
        a->items = copy;
    }
    answered(a, err);
}

struct answer changes(struct rig *r, struct mail *m, int64_t mailbox_id, uint64_t since,
                      struct mail_messages *ret)
{
    ASK(r, a);
    mail_changes(m, mailbox_id, since, on_changes, &a);
    if (wait_for(&a) == 0)
        *ret = *(struct mail_messages *)a.items;
    return a;
}
