/* How fast an engine makes messages durable, beside a raw append and fdatasync of
 * the same bytes (SQLite), what it takes to settle them, and to adopt a queue. It
 * says numbers, it asserts nothing; store.py runs it, too.
 *
 *   bench_store accept STORE [SESSIONS [MESSAGES [BYTES]]]
 *   bench_store stream STORE [SESSIONS [MEBIBYTES]]     memory while large bodies come in
 *   bench_store adopt STORE QUEUE EPOCH DOMAIN          by another owner; the epoch that it has
 *
 * STORE: a new folder, or a postgresql:// URL. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "loop/loop.h"
#include "loop/real.h"
#include "store/store.h"

struct bench {
    struct loop *loop;
    struct store *store;
    struct queue *queue;
    uint64_t sessions, messages, bytes;
    uint64_t sent, done;
    char *body;
    uint64_t settle_from;
};

static double seconds_since(struct loop *l, struct mono_time began)
{
    return (double)(loop_now(l).ns - began.ns) / 1e9;
}

static void must(int err, const char *what)
{
    if (err == 0)
        return;
    fprintf(stderr, "%s: %s\n", what, err_name(err));
    exit(1);
}

static void report(const struct bench *b, const char *what, double seconds)
{
    printf("%-28s %6llu sessions  %8.0f messages/s  %7.1f MiB/s\n", what, (unsigned long long)b->sessions,
           (double)b->messages / seconds, (double)(b->messages * b->bytes) / seconds / 1048576);
}

/* ---- accepting ---- */

static void accept_next(struct bench *b);

static void on_accept(void *arg, int err, int64_t message_id)
{
    struct bench *b = arg;
    (void)message_id;
    must(err, "accept");
    accept_next(b);
    if (++b->done == b->messages)
        loop_stop(b->loop);
}

static void make_id(struct bench *b, uint64_t number, struct custody_id *id)
{
    uint64_t at = (uint64_t)loop_wall(b->loop).ms;
    loop_random(b->loop, id->bytes, sizeof(id->bytes));
    for (int i = 0; i < 6; i++)
        id->bytes[i] = (uint8_t)(at >> (40 - 8 * i));
    memcpy(id->bytes + 8, &number, sizeof(number));
}

static void accept_next(struct bench *b)
{
    struct queue_recipient_in to = {STR("alice@example.test"), STR("example.test"), STR_EMPTY};
    struct queue_message_in in = {.id_is_drawn = true,
                                  .reverse_path = STR("sender@example.net"),
                                  .helo = STR("client.example.net"),
                                  .client = STR("127.0.0.1"),
                                  .received_at = loop_wall(b->loop)};
    if (b->sent == b->messages)
        return;
    make_id(b, ++b->sent, &in.custody_id);
    struct body_writer *w = queue_body_begin(b->queue);
    body_append(w, b->body, b->bytes);
    queue_accept(b->queue, w, &in, &to, 1, on_accept, b);
}

static void bench_accept(struct bench *b)
{
    struct mono_time began = loop_now(b->loop);
    b->sent = b->done = 0;
    for (uint64_t i = 0; i < b->sessions; i++)
        accept_next(b);
    loop_run(b->loop);
    report(b, "durable accept", seconds_since(b->loop, began));
}

/* ---- settling ---- */

static void settle_next(struct bench *b);

static void on_settle(void *arg, int err)
{
    struct bench *b = arg;
    must(err, "settle");
    settle_next(b);
    if (++b->done == b->messages)
        loop_stop(b->loop);
}

static void settle_next(struct bench *b)
{
    if (b->sent == b->messages)
        return;
    struct queue_result r = {.delivery_id = (int64_t)(b->settle_from + b->sent++),
                             .outcome = QUEUE_OUTCOME_DELIVERED,
                             .reply = STR("250 2.0.0 taken"),
                             .server = STR("mail1"),
                             .instance = STR("east1 127.1.0.10"),
                             .at = loop_wall(b->loop)};
    queue_settle(b->queue, &r, 1, on_settle, b);
}

static void bench_settle(struct bench *b)
{
    struct mono_time began = loop_now(b->loop);
    b->sent = b->done = 0;
    for (uint64_t i = 0; i < b->sessions; i++)
        settle_next(b);
    loop_run(b->loop);
    report(b, "settle (delivered)", seconds_since(b->loop, began));
    b->settle_from += b->messages;
}

/* ---- the disk's own ---- */

static void bench_raw(struct bench *b, const char *dir)
{
    char *name = mem_asprintf("%s/raw", dir);
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    char *batch = mem_zalloc(b->sessions * b->bytes);
    struct mono_time began = loop_now(b->loop);
    for (uint64_t sent = 0; sent < b->messages; sent += b->sessions)
        if (write(fd, batch, b->sessions * b->bytes) < 0 || fdatasync(fd) != 0)
            must(ERR_IO, "raw append");
    report(b, "raw append + fdatasync", seconds_since(b->loop, began));
    close(fd);
    unlink(name);
    free(name);
    free(batch);
}

/* ---- streams ---- */

struct stream {
    struct bench *bench;
    struct body_writer *writer;
    uint64_t left;
};

static void on_streamed(void *arg, int err, int64_t message_id)
{
    struct bench *b = arg;
    (void)message_id;
    must(err, "accept");
    if (++b->done == b->messages)
        loop_stop(b->loop);
}

static void stream_on(void *arg)
{
    struct stream *s = arg;
    struct bench *b = s->bench;
    struct queue_recipient_in to = {STR("alice@example.test"), STR("example.test"), STR_EMPTY};
    struct queue_message_in in = {.reverse_path = STR_EMPTY};
    while (s->left > 0 && !body_writer_full(s->writer)) {
        uint64_t n = s->left < 65536 ? s->left : 65536;
        body_append(s->writer, b->body, n);
        s->left -= n;
    }
    if (s->left > 0)
        return;
    body_writer_on_room(s->writer, NULL, NULL);
    make_id(b, ++b->sent, &in.custody_id);
    queue_accept(b->queue, s->writer, &in, &to, 1, on_streamed, b);
}

static void bench_stream(struct bench *b)
{
    struct stream *streams = mem_calloc(b->sessions, sizeof(*streams));
    struct mono_time began = loop_now(b->loop);
    b->messages = b->sessions;
    for (uint64_t i = 0; i < b->sessions; i++) {
        streams[i] = (struct stream){b, queue_body_begin(b->queue), b->bytes};
        body_writer_on_room(streams[i].writer, stream_on, &streams[i]);
    }
    for (uint64_t i = 0; i < b->sessions; i++)
        stream_on(&streams[i]);
    loop_run(b->loop);
    report(b, "streamed bodies", seconds_since(b->loop, began));
    free(streams);
}

/* ---- main ---- */

static void on_own(void *arg, int err, struct queue *q, int64_t epoch)
{
    struct bench *b = arg;
    (void)epoch;
    must(err, "own the queue");
    b->queue = q;
    loop_stop(b->loop);
}

static bool is_url(const char *where)
{
    return str_starts(str_from(where), STR("postgresql://"));
}

static void open_store(struct bench *b, const char *where)
{
    struct err_buf eb;
    struct store_options options = {.engine = is_url(where) ? STORE_ENGINE_POSTGRES : STORE_ENGINE_SQLITE,
                                    .path = where};
    b->loop = loop_real_new();
    if (store_open(b->loop, &options, &b->store, &eb) != 0) {
        fprintf(stderr, "%s\n", eb.text);
        exit(1);
    }
}

static void open_queue(struct bench *b, struct str name, int64_t epoch)
{
    store_queue_own(b->store, name, STR("bench"), epoch, on_own, b);
    loop_run(b->loop);
}

/* ---- adopting ---- */

static void on_due(void *arg, int err, const struct queue_rows *rows)
{
    struct bench *b = arg;
    must(err, "due");
    b->done = rows->count;
    loop_stop(b->loop);
}

static void bench_adopt(struct bench *b, char **argv)
{
    struct queue_due_filter due = {.domain = str_from(argv[5]), .limit = 64, .now = loop_wall(b->loop)};
    struct mono_time began = loop_now(b->loop);
    open_queue(b, str_from(argv[3]), strtoll(argv[4], NULL, 10));
    printf("%.1f ms to own it", seconds_since(b->loop, began) * 1000);
    queue_due(b->queue, &due, on_due, b);
    loop_run(b->loop);
    printf(", %.1f ms until the first %llu that are due were read\n", seconds_since(b->loop, began) * 1000,
           (unsigned long long)b->done);
}

static uint64_t argument(int argc, char **argv, int index, uint64_t otherwise)
{
    return argc > index ? strtoull(argv[index], NULL, 10) : otherwise;
}

static void bench_messages(struct bench *b, int argc, char **argv)
{
    bool stream = strcmp(argv[1], "stream") == 0;
    b->sessions = argument(argc, argv, 3, stream ? 100 : 64);
    b->settle_from = 1;
    b->messages = argument(argc, argv, 4, 20000);
    b->bytes = stream ? argument(argc, argv, 4, 50) << 20 : argument(argc, argv, 5, 4096);
    b->body = mem_zalloc(stream ? 65536 : b->bytes);
    open_queue(b, STR("bench"), 0);
    for (int round = 0; round < 3 && !stream; round++) {
        if (!is_url(argv[2]))
            bench_raw(b, argv[2]);
        bench_accept(b);
        bench_settle(b);
    }
    if (stream)
        bench_stream(b);
    free(b->body);
}

int main(int argc, char **argv)
{
    struct rusage usage;
    struct bench b = {.loop = NULL};
    bool adopt = argc == 6 && strcmp(argv[1], "adopt") == 0;
    if (argc < 3 || (strcmp(argv[1], "adopt") == 0 && !adopt)) {
        fprintf(stderr, "usage: bench_store accept|stream STORE [SESSIONS [MESSAGES|MEBIBYTES [BYTES]]]\n"
                        "       bench_store adopt STORE QUEUE EPOCH DOMAIN\n");
        return 2;
    }
    open_store(&b, argv[2]);
    if (adopt)
        bench_adopt(&b, argv);
    else
        bench_messages(&b, argc, argv);
    store_close(b.store);
    loop_real_free(b.loop);
    getrusage(RUSAGE_SELF, &usage);
    printf("cpu %.2f s user, %.2f s system; peak memory %ld MiB\n",
           (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6,
           (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6, usage.ru_maxrss / 1024);
    return 0;
}
