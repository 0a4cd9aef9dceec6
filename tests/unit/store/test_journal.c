/* The journal of a queue below the engine's threads: its records, what of them
 * comes back after a crash, and what a damaged or torn file can do. */
#include "unit/unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "store/sql/queue.h"
#include "store/sqlite/apply.h"

#define SEGMENT_BYTES (64 << 10)

static struct segment_io small;

/* An owner that may die at any time. */
struct owner {
    char dir[64], path[96];
    struct lock lock;
    struct sqlite_db db;
    struct sqlite_tx tx;
    struct journal journal;
    int64_t epoch;
};

static void connect_db(struct owner *o)
{
    struct err_buf eb;
    sql_fini(&o->tx.sql); /* of the life before */
    assert_ok(sqlite_open(&o->db, o->path, &sqlite_queue_schema, SQLITE_TO_WRITE, &eb));
    o->tx = (struct sqlite_tx){
        .sql = {.db = &o->db.db, .special = &sqlite_owner_special, .part = PART_QUEUE, .writable = true},
        .path = o->path,
        .lock = &o->lock,
        .journal = &o->journal};
}

/* In a transaction: what the files hold; the number of the next message. */
static int64_t replay(struct owner *o)
{
    assert_ok(apply_files(&o->tx));
    queue_count_on(&o->tx.sql);
    return o->tx.sql.who.next_message;
}

static void begin(struct owner *o)
{
    assert_ok(lock_take(&o->lock));
    sql_begin(&o->tx.sql);
    sqlite_begin(&o->db);
}

static void end(struct owner *o)
{
    sql_finish(&o->tx.sql);
    space_store(&o->tx);
    sqlite_commit(&o->db);
    assert_int_equal(o->db.rc, SQLITE_OK);
    space_committed(&o->journal.space, &o->tx.space);
    space_change_clear(&o->tx.space);
    lock_release(&o->lock);
}

static void take_over(struct owner *o)
{
    begin(o);
    replay(o);
    assert_ok(apply_begin(&o->tx, &o->journal, ++o->epoch));
    end(o);
    journal_applied(&o->journal);
}

/* The process is gone; what it did not apply is in the files only. */
static void die(struct owner *o)
{
    journal_close(&o->journal);
    sqlite_close(&o->db);
    connect_db(o);
}

static int setup(void **state)
{
    struct err_buf eb;
    struct owner *o = mem_zalloc(sizeof(*o));
    small = segment_io_real;
    small.segment_bytes = SEGMENT_BYTES;
    segment_io_use(&small);
    snprintf(o->dir, sizeof(o->dir), "/tmp/holdfast-journal-XXXXXX");
    assert_non_null(mkdtemp(o->dir));
    snprintf(o->path, sizeof(o->path), "%s/queue-q.db", o->dir);
    assert_ok(lock_open(&o->lock, o->path, &eb));
    journal_init(&o->journal, o->path);
    connect_db(o);
    take_over(o);
    *state = o;
    return 0;
}

static int remove_one(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
    (void)sb, (void)type, (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    struct owner *o = *state;
    journal_fini(&o->journal);
    space_change_clear(&o->tx.space);
    sql_fini(&o->tx.sql);
    sqlite_close(&o->db);
    lock_close(&o->lock);
    nftw(o->dir, remove_one, 4, FTW_DEPTH | FTW_PHYS);
    free(o);
    return 0;
}

static void make_meta(struct buf *meta, int64_t number)
{
    const struct queue_recipient_in to[] = {{STR("alice@example.test"), STR("example.test"), STR_EMPTY},
                                            {STR("bob@other.test"), STR("other.test"), STR_EMPTY}};
    struct record_accept a = {.message_id = number,
                              .first_delivery = 2 * number - 1,
                              .size_bytes = 5,
                              .message = {.reverse_path = STR("sender@example.net"),
                                          .helo = STR("client"),
                                          .client = STR("127.0.0.1"),
                                          .eight_bit = true,
                                          .received_at = {number}},
                              .recipient_count = 2};
    memcpy(a.message.custody_id.bytes, &number, sizeof(number));
    record_accept_encode(meta, &a, NULL, to);
}

static int accept_sized(struct owner *o, struct str body, bool sync)
{
    struct buf meta;
    struct record_piece own;
    struct custody_id id = {{0}};
    memcpy(id.bytes, &o->tx.sql.who.next_message, sizeof(o->tx.sql.who.next_message));
    buf_init(&meta, 1 << 16);
    make_meta(&meta, o->tx.sql.who.next_message);
    assert_ok(lock_take(&o->lock));
    sql_begin(&o->tx.sql);
    journal_batch(&o->journal);
    int err = journal_append(&o->journal, RECORD_ACCEPT, buf_str(&meta), body, &own);
    if (err == 0)
        journal_note_accept(&o->journal, &id, buf_str(&meta), &own);
    if (err == 0)
        err = journal_end(&o->journal, &o->lock, sync);
    lock_release(&o->lock);
    buf_fini(&meta);
    o->tx.sql.who.next_message += err == 0;
    return err;
}

static void accept_next(struct owner *o)
{
    assert_ok(accept_sized(o, STR("hello"), true));
}

/* ---- records ---- */

static void a_record_is_as_it_was(void **state)
{
    struct buf meta;
    struct record_accept a;
    (void)state;
    buf_init(&meta, 4096);
    make_meta(&meta, 7);
    assert_ok(record_accept_decode(buf_str(&meta), &a));
    assert_int_equal(a.message_id, 7);
    assert_int_equal(a.first_delivery, 13);
    assert_str(a.message.reverse_path, "sender@example.net");
    assert_str(a.message.helo, "client");
    assert_true(a.message.eight_bit);
    assert_false(a.message.smtputf8);
    assert_str(record_next_recipient(&a).address, "alice@example.test");
    assert_str(record_next_recipient(&a).domain, "other.test");
    for (size_t len = 0; len < meta.len; len++)
        assert_err(record_accept_decode(str_sub(buf_str(&meta), 0, len), &a), ERR_CORRUPT);
    buf_fini(&meta);
}

static void encode_to(struct buf *meta, struct str home)
{
    const struct queue_recipient_in to[] = {{STR("a@x.test"), STR("x.test"), STR_EMPTY},
                                            {STR("b@y.test"), STR("y.test"), home}};
    struct record_accept a = {.message_id = 1, .first_delivery = 1, .recipient_count = 2};
    record_accept_encode(meta, &a, NULL, to);
}

/* What an older program wrote has no homes; what has none now is written the same. */
static void a_record_tells_homes_only_when_there_are_some(void **state)
{
    struct buf plain, homes;
    struct record_accept a;
    (void)state;
    buf_init(&plain, 4096);
    buf_init(&homes, 4096);
    encode_to(&plain, STR_EMPTY);
    encode_to(&homes, STR("mail2"));
    assert_int_equal(homes.len, plain.len + 2 * sizeof(uint32_t) + 5);
    assert_ok(record_accept_decode(buf_str(&plain), &a));
    assert_str(record_next_recipient(&a).home, "");
    assert_str(record_next_recipient(&a).home, "");
    assert_ok(record_accept_decode(buf_str(&homes), &a));
    assert_str(record_next_recipient(&a).home, "");
    struct queue_recipient_in second = record_next_recipient(&a);
    assert_str(second.address, "b@y.test");
    assert_str(second.home, "mail2");
    for (size_t len = 0; len < homes.len; len++)
        assert_err(record_accept_decode(str_sub(buf_str(&homes), 0, len), &a), ERR_CORRUPT);
    buf_fini(&plain);
    buf_fini(&homes);
}

static void a_record_tells_what_is_asked(void **state)
{
    const struct queue_recipient_in to[] = {
        {STR("a@x.test"), STR("x.test"), STR_EMPTY, {0, STR_EMPTY}},
        {STR("b@y.test"), STR("y.test"), STR("mail2"), {DSN_NOTIFY_NEVER, STR("rfc822;b@y.test")}}};
    struct record_accept a = {.message_id = 1, .first_delivery = 1, .recipient_count = 2};
    struct buf meta;
    (void)state;
    a.message.authenticated = true;
    a.message.dsn = (struct dsn_envelope){DSN_RET_HDRS, STR("QQ+201")};
    a.message.header_id = STR("<one@sender.test>");
    a.message.stopped = STR("5.4.6 mail loop");
    buf_init(&meta, 4096);
    record_accept_encode(&meta, &a, NULL, to);
    assert_ok(record_accept_decode(buf_str(&meta), &a));
    assert_true(a.message.authenticated);
    assert_int_equal(a.message.dsn.ret, DSN_RET_HDRS);
    assert_str(a.message.dsn.envid, "QQ+201");
    assert_str(a.message.header_id, "<one@sender.test>");
    assert_str(a.message.stopped, "5.4.6 mail loop");
    struct queue_recipient_in first = record_next_recipient(&a), second = record_next_recipient(&a);
    assert_int_equal(first.dsn.notify, 0);
    assert_str(first.home, "");
    assert_int_equal(second.dsn.notify, DSN_NOTIFY_NEVER);
    assert_str(second.dsn.orcpt, "rfc822;b@y.test");
    assert_str(second.home, "mail2");
    for (size_t len = 0; len < meta.len; len++)
        assert_err(record_accept_decode(str_sub(buf_str(&meta), 0, len), &a), ERR_CORRUPT);
    buf_fini(&meta);
}

/* As another program would have begun it. */
static int decode_version(uint32_t version)
{
    char bytes[SEGMENT_HEADER_BYTES];
    struct segment_header s = {.salt = 3, .sequence = 9, .size_bytes = 1, .number = 4};
    segment_header_encode(&s, bytes);
    memcpy(bytes + 4, &version, sizeof(version));
    uint32_t crc = crc32c(0, bytes, SEGMENT_HEADER_BYTES - sizeof(crc));
    memcpy(bytes + SEGMENT_HEADER_BYTES - sizeof(crc), &crc, sizeof(crc));
    return segment_header_decode((struct str){bytes, sizeof(bytes)}, &s);
}

static void a_segment_of_an_older_program_is_read(void **state)
{
    (void)state;
    assert_err(decode_version(0), ERR_VERSION);
    assert_ok(decode_version(1));
    assert_ok(decode_version(2));
    assert_ok(decode_version(3));
    assert_ok(decode_version(4));
    assert_ok(decode_version(5));
    assert_err(decode_version(6), ERR_VERSION);
}

static void a_header_that_was_changed_does_not_hold(void **state)
{
    char bytes[RECORD_HEADER_BYTES], segment[SEGMENT_HEADER_BYTES];
    struct record_header h = {.salt = 3, .sequence = 9, .epoch = 2, .kind = RECORD_CHUNK, .body_bytes = 7};
    struct segment_header s = {.salt = 3, .sequence = 9, .size_bytes = 1, .number = 4};
    (void)state;
    record_header_encode(&h, STR("meta"), bytes);
    assert_true(record_holds((struct str){bytes, sizeof(bytes)}, STR("meta")));
    assert_false(record_holds((struct str){bytes, sizeof(bytes)}, STR("metb")));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] ^= 4;
        assert_false(record_holds((struct str){bytes, sizeof(bytes)}, STR("meta")));
        bytes[i] ^= 4;
    }
    segment_header_encode(&s, segment);
    for (size_t i = 0; i < sizeof(segment); i++) {
        segment[i] ^= 4;
        assert_true(segment_header_decode((struct str){segment, sizeof(segment)}, &s) < 0);
        segment[i] ^= 4;
    }
    assert_ok(segment_header_decode((struct str){segment, sizeof(segment)}, &s));
    assert_int_equal(s.number, 4);
}

/* ---- coming back ---- */

static void what_was_accepted_comes_back_once(void **state)
{
    struct owner *o = *state;
    for (int i = 0; i < 5; i++)
        accept_next(o);
    die(o);
    take_over(o);
    assert_int_equal(o->tx.sql.who.next_message, 6);
    assert_int_equal(o->tx.sql.who.next_delivery, 11);
    accept_next(o);
    die(o);
    begin(o);
    assert_int_equal(replay(o), 7);
    end(o);
    begin(o);
    assert_int_equal(replay(o), 7);
    end(o);
}

static void it_goes_on_through_segments(void **state)
{
    static char body[20000];
    struct owner *o = *state;
    for (int i = 0; i < 20; i++)
        assert_ok(accept_sized(o, (struct str){body, sizeof(body)}, true));
    die(o);
    take_over(o);
    assert_int_equal(o->tx.sql.who.next_message, 21);
}

static void what_the_owner_applied_is_not_applied_again(void **state)
{
    struct owner *o = *state;
    accept_next(o);
    begin(o);
    apply_pending(&o->tx, &o->journal);
    end(o);
    journal_applied(&o->journal);
    accept_next(o);
    begin(o);
    assert_int_equal(replay(o), 3); /* a reader is faster */
    apply_pending(&o->tx, &o->journal);
    end(o);
    journal_applied(&o->journal);
    die(o);
    take_over(o);
    assert_int_equal(o->tx.sql.who.next_message, 3);
    assert_int_equal(o->tx.sql.who.next_delivery, 5);
}

static void a_record_that_is_too_long_is_refused(void **state)
{
    static char body[SEGMENT_BYTES];
    struct owner *o = *state;
    assert_err(accept_sized(o, (struct str){body, sizeof(body)}, true), ERR_LIMIT);
    accept_next(o);
    die(o);
    take_over(o);
    assert_int_equal(o->tx.sql.who.next_message, 2);
}

static void what_is_behind_a_cut_never_comes(void **state)
{
    struct owner *o = *state;
    accept_next(o);
    uint64_t at = o->journal.at;
    accept_next(o);
    assert_ok(lock_take(&o->lock));
    sql_begin(&o->tx.sql);
    assert_ok(lock_set_cut(&o->lock, o->journal.current.header.salt, at));
    lock_release(&o->lock);
    die(o);
    take_over(o);
    assert_int_equal(o->tx.sql.who.next_message, 2);
    accept_next(o);
    die(o);
    take_over(o); /* the cut is of another segment */
    assert_int_equal(o->tx.sql.who.next_message, 3);
}

static int fail_to_read(int fd, uint64_t at, void *data, size_t len)
{
    (void)fd, (void)at, (void)data, (void)len;
    return ERR_IO;
}

/* Else what is behind it would be lost. */
static void what_cannot_be_read_is_not_the_end(void **state)
{
    struct owner *o = *state;
    accept_next(o);
    die(o);
    small.read = fail_to_read;
    begin(o);
    struct position before = apply_position(&o->tx);
    assert_err(apply_files(&o->tx), ERR_IO);
    assert_int_equal(apply_position(&o->tx).at, before.at);
    end(o);
    small.read = segment_io_real.read;
    take_over(o);
    assert_int_equal(o->tx.sql.who.next_message, 2);
}

static void a_spare_of_an_owner_that_was_replaced_is_no_obstacle(void **state)
{
    static char body[20000];
    struct owner *o = *state;
    assert_ok(segment_make(o->path, o->journal.current.header.number + 1, SEGMENT_BYTES));
    for (int i = 0; i < 5; i++)
        assert_ok(accept_sized(o, (struct str){body, sizeof(body)}, true));
    die(o);
    take_over(o);
    assert_int_equal(o->tx.sql.who.next_message, 6);
}

static int reserve_little(int fd, uint64_t bytes)
{
    return bytes > SEGMENT_BYTES / 4 ? ERR_FULL : segment_io_real.reserve(fd, bytes);
}

static void segments_are_small_when_there_is_little_room(void **state)
{
    static char body[9000], large[20000];
    struct owner *o = *state;
    small.reserve = reserve_little;
    for (int i = 0; i < 12; i++)
        assert_ok(accept_sized(o, (struct str){body, sizeof(body)}, true));
    assert_int_equal(o->journal.current.header.size_bytes, SEGMENT_BYTES / 4);
    assert_err(accept_sized(o, (struct str){large, sizeof(large)}, true), ERR_FULL);
    accept_next(o);
    die(o);
    take_over(o);
    assert_int_equal(o->tx.sql.who.next_message, 14);
    small.reserve = segment_io_real.reserve;
    for (int i = 0; i < 2; i++)
        assert_ok(accept_sized(o, (struct str){large, sizeof(large)}, true));
}

static void it_takes_no_more_when_rows_cannot_be_made(void **state)
{
    struct owner *o = *state;
    while (!journal_is_stuck(&o->journal)) {
        assert_ok(accept_sized(o, STR("hello"), false));
        assert_true(o->tx.sql.who.next_message < 10000);
    }
    assert_true(journal_is_far_behind(&o->journal));
    begin(o);
    apply_pending(&o->tx, &o->journal);
    end(o);
    journal_applied(&o->journal);
    assert_false(journal_is_stuck(&o->journal));
}

/* ---- torn and damaged ---- */

struct image {
    int fd;
    char *data;
    size_t last, end; /* the last record */
};

/* Three messages, of which the last one's record is at `last`. */
static struct image make_image(struct owner *o)
{
    struct image im;
    char *name = segment_path(o->path, o->journal.current.header.number);
    accept_next(o);
    accept_next(o);
    im.last = o->journal.at;
    accept_next(o);
    im.end = o->journal.at;
    die(o);
    im.fd = open(name, O_RDWR);
    im.data = mem_alloc(SEGMENT_BYTES);
    assert_int_equal(pread(im.fd, im.data, SEGMENT_BYTES, 0), SEGMENT_BYTES);
    free(name);
    return im;
}

static void image_free(struct image *im)
{
    close(im->fd);
    free(im->data);
}

static int64_t look(struct owner *o)
{
    begin(o);
    int64_t next = replay(o);
    sqlite_rollback(&o->db);
    space_change_clear(&o->tx.space);
    lock_release(&o->lock);
    return next;
}

static void a_torn_tail_ends_it(void **state)
{
    struct owner *o = *state;
    struct image im = make_image(o);
    static const char zeroes[4096];
    assert_int_equal(look(o), 4);
    for (size_t at = im.last; at < im.end; at++) {
        if (im.data[at] == 0)
            continue; /* the same file */
        assert_true(pwrite(im.fd, zeroes, im.end - at, (off_t)at) > 0);
        assert_int_equal(look(o), 3);
        assert_true(pwrite(im.fd, im.data + at, im.end - at, (off_t)at) > 0);
    }
    assert_int_equal(look(o), 4);
    image_free(&im);
}

static void a_changed_byte_ends_it(void **state)
{
    struct owner *o = *state;
    struct image im = make_image(o);
    for (size_t at = 0; at < im.end; at++) {
        char changed = (char)(im.data[at] ^ (1 << at % 8));
        assert_int_equal(pwrite(im.fd, &changed, 1, (off_t)at), 1);
        int64_t next = look(o);
        assert_true(at < SEGMENT_HEADER_BYTES ? next == 1 : at < im.last ? next < 3 : next == 3);
        assert_int_equal(pwrite(im.fd, im.data + at, 1, (off_t)at), 1);
    }
    assert_int_equal(look(o), 4);
    image_free(&im);
}

static void a_cut_file_ends_it(void **state)
{
    struct owner *o = *state;
    struct image im = make_image(o);
    for (size_t len = im.end; len-- > 0;) {
        assert_int_equal(ftruncate(im.fd, (off_t)len), 0);
        int64_t next = look(o);
        assert_true(len < im.last ? next < 3 : next == 3); /* what is whole comes back */
    }
    image_free(&im);
}

/* A body that looks like the record which would come next. */
static void a_message_cannot_forge_a_record(void **state)
{
    struct owner *o = *state;
    char forged[RECORD_HEADER_BYTES + 512];
    struct buf meta;
    buf_init(&meta, 512);
    make_meta(&meta, 2);
    struct record_header h = {.salt = o->journal.current.header.salt ^ 1, /* which it does not know */
                              .sequence = o->journal.sequence + 1,
                              .epoch = o->epoch,
                              .kind = RECORD_ACCEPT,
                              .meta_bytes = (uint32_t)meta.len};
    record_header_encode(&h, buf_str(&meta), forged);
    memcpy(forged + RECORD_HEADER_BYTES, buf_data(&meta), meta.len);
    accept_next(o);
    char *name = segment_path(o->path, o->journal.current.header.number);
    int fd = open(name, O_RDWR);
    assert_true(pwrite(fd, forged, RECORD_HEADER_BYTES + meta.len, (off_t)o->journal.at) > 0);
    die(o);
    assert_int_equal(look(o), 2);
    close(fd);
    free(name);
    buf_fini(&meta);
}

#define JOURNAL_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_as_it_was),
        cmocka_unit_test(a_record_tells_homes_only_when_there_are_some),
        cmocka_unit_test(a_record_tells_what_is_asked),
        cmocka_unit_test(a_segment_of_an_older_program_is_read),
        cmocka_unit_test(a_header_that_was_changed_does_not_hold),
        JOURNAL_TEST(what_was_accepted_comes_back_once),
        JOURNAL_TEST(it_goes_on_through_segments),
        JOURNAL_TEST(what_the_owner_applied_is_not_applied_again),
        JOURNAL_TEST(a_record_that_is_too_long_is_refused),
        JOURNAL_TEST(what_is_behind_a_cut_never_comes),
        JOURNAL_TEST(what_cannot_be_read_is_not_the_end),
        JOURNAL_TEST(a_spare_of_an_owner_that_was_replaced_is_no_obstacle),
        JOURNAL_TEST(segments_are_small_when_there_is_little_room),
        JOURNAL_TEST(it_takes_no_more_when_rows_cannot_be_made),
        JOURNAL_TEST(a_torn_tail_ends_it),
        JOURNAL_TEST(a_changed_byte_ends_it),
        JOURNAL_TEST(a_cut_file_ends_it),
        JOURNAL_TEST(a_message_cannot_forge_a_record),
    };
    return cmocka_run_group_tests_name("store, journal", tests, NULL, NULL);
}
