#include "rig.h"

static struct queue *new_queue(struct rig *r)
{
    return own(r, r->store, "relay-east", "east1", 0, NULL, NULL);
}

static void on_accept(void *arg, int err, int64_t message_id)
{
    ((struct answer *)arg)->number = message_id;
    on_plain(arg, err);
}

static int accept_writer(struct rig *r, struct queue *q, struct body_writer *w, uint64_t id,
                         int64_t *ret_message_id)
{
    ASK(r, a);
    struct queue_message_in in = {.custody_id = id_of(id), .reverse_path = STR_EMPTY};
    struct queue_recipient_in to = {STR("alice@example.test"), STR("example.test"), STR_EMPTY};
    queue_accept(q, w, &in, &to, 1, on_accept, &a);
    rig_wait(r, &a.done);
    *ret_message_id = a.number;
    return a.err;
}

static void bodies_of_all_sizes_come_back(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    const size_t sizes[] = {0, 1, 4096, 65462, 65463, 65464, 2 * 65463, 300000, 3000000};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        int64_t message_id;
        struct body_writer *w = write_pattern(r, queue_body_begin(q), sizes[i]);
        assert_int_equal(body_writer_size_bytes(w), sizes[i]);
        assert_ok(accept_writer(r, q, w, i + 1, &message_id));
        struct answer a = read_body(r, queue_body_open(q, message_id));
        assert_ok(a.err);
        assert_int_equal(a.text.len, sizes[i]);
        assert_true(pattern_holds(a.text));
    }
}

static void on_part(void *arg, int err, const char *data, size_t len)
{
    struct answer *a = arg;
    a->text = rig_str(a->rig, (struct str){data, len});
    on_plain(a, err);
}

static struct answer read_part(struct rig *r, struct body_reader *reader, uint64_t offset, size_t len_max)
{
    ASK(r, a);
    body_read(reader, offset, len_max, on_part, &a);
    rig_wait(r, &a.done);
    return a;
}

static void a_body_is_read_in_parts(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    int64_t message_id;
    assert_ok(accept_writer(r, q, write_pattern(r, queue_body_begin(q), 200000), 1, &message_id));
    struct answer whole = read_body(r, queue_body_open(q, message_id));
    struct body_reader *reader = queue_body_open(q, message_id);
    const uint64_t offsets[] = {0, 10, 70000, 69999, 199999, 65462, 131000};
    for (size_t i = 0; i < ARRAY_LEN(offsets); i++) {
        struct answer a = read_part(r, reader, offsets[i], 100);
        assert_ok(a.err);
        assert_in_range(a.text.len, 1, 100);
        assert_memory_equal(a.text.ptr, whole.text.ptr + offsets[i], a.text.len);
    }
    assert_int_equal(body_reader_size_bytes(reader), 200000);
    assert_int_equal(read_part(r, reader, 200000, 100).text.len, 0);
    assert_int_equal(read_part(r, reader, 900000, 100).text.len, 0);
    body_close(reader);
    assert_err(read_body(r, queue_body_open(q, 12345)).err, ERR_NOT_FOUND);
}

static void many_bodies_stream_side_by_side(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    struct body_writer *writers[8];
    for (size_t i = 0; i < ARRAY_LEN(writers); i++)
        writers[i] = write_pattern(r, queue_body_begin(q), 100000 + i * 50000);
    for (size_t i = ARRAY_LEN(writers); i-- > 0;) {
        int64_t message_id;
        assert_ok(accept_writer(r, q, writers[i], i + 1, &message_id));
        struct answer a = read_body(r, queue_body_open(q, message_id));
        assert_int_equal(a.text.len, 100000 + i * 50000);
        assert_true(pattern_holds(a.text));
    }
}

static void an_aborted_body_leaves_nothing_behind(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    int64_t message_id;
    body_abort(queue_body_begin(q));
    body_abort(write_pattern(r, queue_body_begin(q), 300000));
    assert_ok(accept_writer(r, q, write_pattern(r, queue_body_begin(q), 70000), 1, &message_id));
    assert_true(pattern_holds(read_body(r, queue_body_open(q, message_id)).text));
}

static void a_refused_accept_drops_its_body(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    int64_t message_id;
    assert_ok(accept_writer(r, q, write_pattern(r, queue_body_begin(q), 10), 1, &message_id));
    assert_err(accept_writer(r, q, write_pattern(r, queue_body_begin(q), 200000), 1, &message_id),
               ERR_EXISTS);
    assert_ok(accept_writer(r, q, write_pattern(r, queue_body_begin(q), 200000), 2, &message_id));
    assert_int_equal(read_body(r, queue_body_open(q, message_id)).text.len, 200000);
}

static void a_reader_may_be_closed_while_it_reads(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    int64_t message_id;
    ASK(r, never);
    assert_ok(accept_writer(r, q, write_pattern(r, queue_body_begin(q), 1000), 1, &message_id));
    struct body_reader *reader = queue_body_open(q, message_id);
    body_read(reader, 0, 100, on_part, &never);
    body_close(reader);
    assert_int_equal(read_body(r, queue_body_open(q, message_id)).text.len, 1000);
    assert_false(never.done);
}

struct at_room {
    struct rig *rig;
    struct queue *queue;
    struct body_writer *writer;
    struct answer accepted;
    bool abort, called;
};

static void end_at_room(void *arg)
{
    struct at_room *a = arg;
    const struct queue_message_in message = {.custody_id = id_of(7), .reverse_path = STR_EMPTY};
    const struct queue_recipient_in to = {STR("a@example.test"), STR("example.test"), STR_EMPTY};
    if (a->called)
        return;
    a->called = true;
    if (a->abort) {
        body_abort(a->writer);
        loop_stop(a->rig->loop);
    } else {
        queue_accept(a->queue, a->writer, &message, &to, 1, on_accept, &a->accepted);
    }
}

/* A session whose peer's last bytes are there already ends the body at once. */
static void a_writer_may_end_when_it_has_room(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    static char piece[50000];
    for (int abort = 0; abort < 2; abort++) {
        struct at_room a = {.rig = r, .queue = q, .accepted = {.rig = r}, .abort = abort};
        a.writer = queue_body_begin(q);
        body_writer_on_room(a.writer, end_at_room, &a);
        while (!body_writer_full(a.writer))
            body_append(a.writer, piece, sizeof(piece));
        rig_wait(r, a.abort ? &a.called : &a.accepted.done);
        assert_true(a.called);
        assert_ok(a.accepted.err);
    }
}

static void a_body_outlives_its_owner(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    int64_t message_id;
    assert_ok(accept_writer(r, q, write_pattern(r, queue_body_begin(q), 150000), 1, &message_id));
    struct body_writer *unfinished = write_pattern(r, queue_body_begin(q), 150000);
    queue_close(q);
    body_abort(unfinished);
    q = own(r, r->store, "relay-east", "west1", 1, NULL, NULL);
    struct answer a = read_body(r, queue_body_open(q, message_id));
    assert_int_equal(a.text.len, 150000);
    assert_true(pattern_holds(a.text));
}

const struct rig_test body_tests[] = {
    {"bodies of all sizes come back", bodies_of_all_sizes_come_back},
    {"a body is read in parts", a_body_is_read_in_parts},
    {"many bodies stream side by side", many_bodies_stream_side_by_side},
    {"an aborted body leaves nothing behind", an_aborted_body_leaves_nothing_behind},
    {"a refused accept drops its body", a_refused_accept_drops_its_body},
    {"a reader may be closed while it reads", a_reader_may_be_closed_while_it_reads},
    {"a writer may end when it has room", a_writer_may_end_when_it_has_room},
    {"a body outlives its owner", a_body_outlives_its_owner},
    {NULL, NULL},
};
