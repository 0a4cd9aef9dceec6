/* The contract suite on the SQLite engine, and what is its own: its files. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "rig.h"
#include "store/copy.h"
#include "store/queue_kept.h"
#include "store/queue_past.h"
#include "store/queue_report.h"
#include "store/sqlite/segment.h"

/* ---- at the files, past the engine ---- */

static void run_sql(struct rig *r, const char *file, const char *sql)
{
    char path[256];
    sqlite3 *handle;
    snprintf(path, sizeof(path), "%s/%s", r->dir, file);
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (sqlite3_exec(handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(handle));
    sqlite3_close(handle);
}

static int open_again(struct rig *r, bool read_only, struct store **ret_store, struct err_buf *eb)
{
    struct store_options options = {.engine = STORE_ENGINE_SQLITE, .path = r->dir, .read_only = read_only};
    return store_open(r->loop, &options, ret_store, eb);
}

/* ---- versions ---- */

static void a_newer_file_is_refused(void **state)
{
    struct rig *r = *state;
    struct store *s;
    struct err_buf eb;
    run_sql(r, "network.db", "PRAGMA user_version=99");
    assert_err(open_again(r, false, &s, &eb), ERR_VERSION);
    assert_non_null(strstr(eb.text, "network.db has schema version 99"));
    assert_err(open_again(r, true, &s, &eb), ERR_VERSION);
}

static void a_newer_queue_is_refused(void **state)
{
    struct rig *r = *state;
    int err;
    queue_close(own(r, r->store, "q", "east1", 0, NULL, NULL));
    run_sql(r, "queue-q.db", "PRAGMA user_version=99");
    assert_null(own(r, r->store, "q", "east1", 1, &err, NULL));
    assert_err(err, ERR_VERSION);
}

static void another_programs_file_is_refused(void **state)
{
    struct rig *r = *state;
    struct mail *m;
    struct err_buf eb;
    run_sql(r, "mail.db", "CREATE TABLE theirs(x); PRAGMA user_version=1");
    assert_err(store_mail(r->store, &m, &eb), ERR_CORRUPT);
    assert_non_null(strstr(eb.text, "mail.db is not a file of this kind"));
}

/* A queue as version 1 of the schema left it: one message that waits for one of
 * its two recipients. Never to be changed: such files are out there. */
static const char queue_v1[] =
    "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA application_id=1212576117;"
    "CREATE TABLE body(id INTEGER PRIMARY KEY AUTOINCREMENT, refs INTEGER NOT NULL, writer INTEGER NOT NULL,"
    " size_bytes INTEGER NOT NULL, chunk_bytes INTEGER NOT NULL);"
    "CREATE INDEX body_loose ON body(writer) WHERE refs = 0;"
    "CREATE TABLE chunk(id INTEGER PRIMARY KEY, crc INTEGER NOT NULL, data BLOB NOT NULL);"
    "CREATE TABLE owner(id INTEGER PRIMARY KEY CHECK(id = 1), name TEXT NOT NULL, epoch INTEGER NOT NULL,"
    " node TEXT NOT NULL);"
    "CREATE TABLE message(id INTEGER PRIMARY KEY, custody_id BLOB NOT NULL UNIQUE, body_id INTEGER NOT NULL,"
    " size_bytes INTEGER NOT NULL, reverse_path TEXT NOT NULL, helo TEXT NOT NULL, client TEXT NOT NULL,"
    " flags INTEGER NOT NULL, received_ms INTEGER NOT NULL, first_delivery INTEGER NOT NULL,"
    " deliveries INTEGER NOT NULL);"
    "CREATE TABLE place(id INTEGER PRIMARY KEY, domain TEXT NOT NULL, home TEXT NOT NULL,"
    " waiting INTEGER NOT NULL, held INTEGER NOT NULL, quarantined INTEGER NOT NULL, UNIQUE(domain, home));"
    "CREATE TABLE live(id INTEGER PRIMARY KEY, message_id INTEGER NOT NULL, place_id INTEGER NOT NULL,"
    " state INTEGER NOT NULL, lossy INTEGER NOT NULL, next_ms INTEGER NOT NULL, attempts INTEGER NOT NULL,"
    " losses INTEGER NOT NULL, recipient TEXT NOT NULL, last_reply TEXT NOT NULL);"
    "CREATE INDEX live_due ON live(place_id, state, lossy, id, next_ms);"
    "CREATE INDEX live_later ON live(place_id, lossy, next_ms) WHERE state = 0 AND next_ms > 0;"
    "CREATE TABLE ended(id INTEGER PRIMARY KEY, message_id INTEGER NOT NULL, place_id INTEGER NOT NULL,"
    " state INTEGER NOT NULL, attempts INTEGER NOT NULL, losses INTEGER NOT NULL, recipient TEXT NOT NULL,"
    " last_reply TEXT NOT NULL);"
    "CREATE TABLE attempt(id INTEGER PRIMARY KEY, outcome INTEGER NOT NULL, epoch INTEGER NOT NULL,"
    " generation INTEGER NOT NULL, at_ms INTEGER NOT NULL, server TEXT NOT NULL, instance TEXT NOT NULL,"
    " reply TEXT NOT NULL);"
    "CREATE TABLE act(id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, action INTEGER NOT NULL, home TEXT NOT "
    "NULL,"
    " who TEXT NOT NULL, why TEXT NOT NULL, changed INTEGER NOT NULL);"
    "INSERT INTO owner VALUES(1, 'q', 4, 'east1');"
    "INSERT INTO body VALUES(9, 1, 0, 9, 65464);"
    "INSERT INTO chunk VALUES(9 << 16, -486108541, '123456789');" /* CRC-32C's check value */
    "INSERT INTO message VALUES(3, x'00000000000000000700000000000000', 9, 9, 'a@example.net', 'h', "
    "'127.0.0.1', 1,"
    " 5000, 11, 2);"
    "INSERT INTO place VALUES(1, 'example.test', '', 1, 0, 0);"
    "INSERT INTO live VALUES(12, 3, 1, 0, 0, 0, 0, 0, 'bob@example.test', '');"
    "INSERT INTO ended VALUES(11, 3, 1, 3, 1, 0, 'alice@example.test', '250 ok');"
    "PRAGMA user_version=1;";

static void a_queue_of_version_1_is_understood(void **state)
{
    struct rig *r = *state;
    run_sql(r, "queue-q.db", queue_v1);
    struct queue *q = own(r, r->store, "q", "east1", 4, NULL, NULL);
    struct answer a = due(r, q, "example.test", "", 0, 9);
    assert_int_equal(a.count, 1);
    const struct queue_delivery *d = a.items;
    struct custody_id id = id_of(7);
    assert_true(custody_id_eq(&d->custody_id, &id));
    assert_true(d->eight_bit);
    assert_int_equal(d->received_at.ms, 5000);
    assert_str(read_body(r, queue_body_open(q, d->message_id)).text, "123456789");
    assert_err(accept_one(r, q, 7, "alice@example.test"), ERR_EXISTS);
    assert_ok(accept_one(r, q, 8, "alice@example.test"));
    assert_ok(settle(r, q, d->id, QUEUE_OUTCOME_DELIVERED, 0));
    a = due(r, q, "example.test", "", 0, 9);
    assert_int_equal(((const struct queue_delivery *)a.items)->id, 13);
}

/* Versions 5 to 10 counted the net by them. */
#define TRIGGERS                                                                                             \
    "CREATE TRIGGER kept_more AFTER INSERT ON kept BEGIN"                                                    \
    " UPDATE kept_total SET messages = messages + 1, bytes = bytes + NEW.size_bytes; END;"                   \
    "CREATE TRIGGER kept_less AFTER DELETE ON kept BEGIN"                                                    \
    " UPDATE kept_total SET messages = messages - 1, bytes = bytes - OLD.size_bytes; END;"

/* One that waits, and one in the safety net, as version 5 of the schema left them: what came later is taken
 * out. */
static void a_queue_of_version_5_is_understood(void **state)
{
    struct rig *r = *state;
    struct queue *q = own(r, r->store, "q", "east1", 0, NULL, NULL);
    queue_keep(q, true);
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    assert_ok(accept_one(r, q, 2, "bob@example.test"));
    assert_ok(settle(r, q, 1, QUEUE_OUTCOME_DELIVERED, 0));
    rig_close(r, r->store);
    run_sql(r, "queue-q.db",
            "ALTER TABLE message DROP COLUMN envid; DROP TABLE request; DROP TABLE debt;"
            "ALTER TABLE message DROP COLUMN header_id; DROP TABLE acted; DROP INDEX act_key;"
            "ALTER TABLE act DROP COLUMN key; ALTER TABLE act DROP COLUMN up_to;"
            "ALTER TABLE act DROP COLUMN room; ALTER TABLE act DROP COLUMN done; DROP TABLE away;"
            "ALTER TABLE kept_total DROP COLUMN let_go_ms; ALTER TABLE live DROP COLUMN last_host;" TRIGGERS
            "PRAGMA user_version=5");
    r->store = rig_open(r);
    q = own(r, r->store, "q", "east1", 1, NULL, NULL);
    struct answer a = due(r, q, "example.test", "", 0, 9);
    assert_int_equal(a.count, 1);
    const struct queue_delivery *d = a.items;
    assert_str(d->recipient, "bob@example.test");
    assert_str(d->envelope.envid, "");
    assert_int_equal(d->request.notify, 0);
    assert_ok(read_body(r, queue_body_open(q, d->message_id)).err);
    assert_ok(read_body(r, queue_body_open(q, 1)).err);
    assert_ok(settle(r, q, d->id, QUEUE_OUTCOME_BOUNCED, 0));
    assert_ok(accept_one(r, q, 3, "carol@example.test"));
}

static void accept_away(struct rig *r, struct queue *q, uint64_t id, const char *domain)
{
    struct queue_recipient_in to = {
        .address = STR("a@b.test"), .domain = str_from(domain), .home = STR(QUEUE_HOME_OUTSIDE)};
    assert_ok(accept_to(r, q, id, STR("x"), "", &to, 1, NULL));
}

/* Version 7 had a place for each stranger's domain; also one with an empty domain. */
static void a_queue_of_version_7_is_understood(void **state)
{
    struct rig *r = *state;
    struct queue *q = own(r, r->store, "q", "east1", 0, NULL, NULL);
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    accept_away(r, q, 2, "d1.test");
    accept_away(r, q, 3, "d2.test");
    accept_away(r, q, 4, "d1.test");
    assert_ok(settle(r, q, 3, QUEUE_OUTCOME_DELIVERED, 0));
    rig_close(r, r->store);
    run_sql(r, "queue-q.db",
            "INSERT INTO place VALUES(101, 'd1.test', '*', 1, 0, 0), (102, 'd2.test', '*', 0, 0, 0);"
            "UPDATE live SET place_id = 101 WHERE id = 2; UPDATE ended SET place_id = 102;"
            "UPDATE place SET waiting = 1 WHERE domain = '' AND home = '*';"
            "DROP TABLE away; ALTER TABLE kept_total DROP COLUMN let_go_ms;"
            "ALTER TABLE live DROP COLUMN last_host; ALTER TABLE debt DROP COLUMN host;" TRIGGERS
            "PRAGMA user_version=7");
    r->store = rig_open(r);
    q = own(r, r->store, "q", "east1", 1, NULL, NULL);
    struct answer a = summary(r, q);
    const struct queue_count *counts = a.items;
    assert_int_equal(a.count, 2);
    assert_str(counts[0].home, QUEUE_HOME_OUTSIDE);
    assert_str(counts[0].domain, "");
    assert_int_equal(counts[0].waiting, 2);
    assert_int_equal(counts[1].waiting, 1);
    a = due(r, q, "", QUEUE_HOME_OUTSIDE, 0, 9);
    assert_int_equal(a.count, 2);
    assert_str(((const struct queue_delivery *)a.items)->domain, "d1.test");
    struct queue_filter ended = {.domain = STR("d2.test"), .states = 1U << QUEUE_DELIVERED, .limit = 9};
    a = list_rows(r, q, &ended);
    assert_int_equal(a.count, 1);
    assert_str(((const struct queue_delivery *)a.items)->home, QUEUE_HOME_OUTSIDE);
}

static void on_owed(void *arg, int err, const struct queue_owed *owed, size_t count)
{
    struct answer *a = arg;
    a->count = count;
    a->text = rig_str(a->rig, count ? owed[0].reply : STR_EMPTY);
    a->more = count && owed[0].host.len > 0;
    on_plain(a, err);
}

/* What version 9 knew of no host: a debt, and an answer to one that waits. */
static void a_queue_of_version_9_is_understood(void **state)
{
    struct rig *r = *state;
    ASK(r, a);
    struct queue *q = own(r, r->store, "q", "east1", 0, NULL, NULL);
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    assert_ok(accept_one(r, q, 2, "bob@example.test"));
    assert_ok(settle(r, q, 1, QUEUE_OUTCOME_BOUNCED, 0));
    assert_ok(settle(r, q, 2, QUEUE_OUTCOME_DEFERRED, 0));
    rig_close(r, r->store);
    run_sql(r, "queue-q.db",
            "ALTER TABLE live DROP COLUMN last_host; ALTER TABLE debt DROP COLUMN host;" TRIGGERS
            "PRAGMA user_version=9");
    r->store = rig_open(r);
    q = own(r, r->store, "q", "east1", 1, NULL, NULL);
    queue_owed(q, 0, QUEUE_OWES_NOTHING, on_owed, &a);
    rig_wait(r, &a.done);
    assert_int_equal(a.count, 1);
    assert_str(a.text, "250 2.0.0 taken");
    assert_false(a.more);
    a = due(r, q, "example.test", "", 0, 9);
    assert_int_equal(a.count, 1);
    assert_str(((const struct queue_delivery *)a.items)->last_host, "");
    assert_ok(settle(r, q, 2, QUEUE_OUTCOME_DEFERRED, 0));
    a = due(r, q, "example.test", "", 0, 9);
    assert_str(((const struct queue_delivery *)a.items)->last_host, "mail1.d.test");
}

/* The network's file as version 1 of the schema left it, with one record. Never to be changed. */
static const char network_v1[] =
    "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA application_id=1212575351;"
    "CREATE TABLE device(id INTEGER PRIMARY KEY CHECK(id = 1), boot_id TEXT NOT NULL);"
    "INSERT INTO device VALUES(1, '');"
    "CREATE TABLE lease(name TEXT PRIMARY KEY, holder TEXT NOT NULL, token INTEGER NOT NULL,"
    " expires_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE record(kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, version INTEGER NOT "
    "NULL,"
    " written_ms INTEGER NOT NULL, PRIMARY KEY(kind, key)) WITHOUT ROWID;"
    "CREATE TABLE event(id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, kind TEXT NOT NULL,"
    " subject TEXT NOT NULL, detail TEXT NOT NULL);"
    "INSERT INTO record VALUES('user', 'alice@example.test', '{}', 7, 1);"
    "PRAGMA user_version=1;";

static void a_network_of_version_1_is_understood(void **state)
{
    struct rig *r = *state;
    char path[256];
    rig_close(r, r->store);
    snprintf(path, sizeof(path), "%s/network.db", r->dir);
    unlink(path);
    run_sql(r, "network.db", network_v1);
    r->network = store_network(rig_open(r));
    struct answer a = records(r, r->network, "user", NULL);
    assert_int_equal(a.count, 1);
    assert_int_equal(((struct network_record *)a.items)->version, 7);
    assert_ok(record_put(r, r->network, "user", "alice@example.test", "{}", 7, NULL));
    assert_ok(recipient_put(r, "t", "bob@t", true, 1));
    assert_true(recipient(r, "t", "bob@t")->known);
}

/* ---- damage ---- */

static char *segment_name(struct rig *r, const char *number)
{
    return mem_asprintf("%s/queue-q.db-segment-%s", r->dir, number);
}

/* Turns one byte of the body over, wherever in the file it lies. */
static void damage(struct rig *r, const char *text)
{
    char *name = segment_name(r, "1"), *data = mem_alloc(1 << 20);
    FILE *f = fopen(name, "r+");
    assert_non_null(f);
    size_t len = fread(data, 1, 1 << 20, f);
    char *at = memmem(data, len, text, strlen(text));
    assert_non_null(at);
    *at ^= 1;
    assert_int_equal(fseek(f, at - data, SEEK_SET), 0);
    assert_int_equal(fwrite(at, 1, 1, f), 1);
    assert_int_equal(fclose(f), 0);
    free(data);
    free(name);
}

static void a_corrupt_body_is_noticed(void **state)
{
    struct rig *r = *state;
    struct queue *q = own(r, r->store, "q", "east1", 0, NULL, NULL);
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    damage(r, "hello");
    assert_err(read_body(r, queue_body_open(q, 1)).err, ERR_CORRUPT);
}

static void a_corrupt_chunk_of_version_1_is_noticed(void **state)
{
    struct rig *r = *state;
    run_sql(r, "queue-q.db", queue_v1);
    struct queue *q = own(r, r->store, "q", "east1", 4, NULL, NULL);
    run_sql(r, "queue-q.db", "UPDATE chunk SET data = '12345678x'");
    assert_err(read_body(r, queue_body_open(q, 3)).err, ERR_CORRUPT);
}

static void a_missing_segment_is_noticed(void **state)
{
    struct rig *r = *state;
    struct queue *q = own(r, r->store, "q", "east1", 0, NULL, NULL);
    char *name = segment_name(r, "1");
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    assert_int_equal(summary(r, q).count, 1);
    assert_int_equal(unlink(name), 0);
    assert_err(read_body(r, queue_body_open(q, 1)).err, ERR_CORRUPT);
    free(name);
}

/* ---- what is removed ---- */

static int64_t number(struct rig *r, const char *file, const char *sql)
{
    char path[256];
    sqlite3 *handle;
    sqlite3_stmt *st;
    snprintf(path, sizeof(path), "%s/%s", r->dir, file);
    assert_int_equal(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(handle, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(handle);
    return value;
}

static void on_forget(void *arg, int err, const struct queue_forgotten *done)
{
    ((struct answer *)arg)->number = (int64_t)done->removed;
    on_plain(arg, err);
}

static void what_is_forgotten_leaves_no_rows(void **state)
{
    struct rig *r = *state;
    struct queue *q = own(r, r->store, "q", "east1", 0, NULL, NULL);
    struct queue_filter all = {.limit = 0};
    struct queue_recipient_in to = {
        .address = STR("a@b.test"), .domain = STR("b.test"), .dsn = {DSN_NOTIFY_NEVER}};
    ASK(r, a);
    assert_ok(accept_to(r, q, 1, STR("x"), "", &to, 1, NULL));
    assert_ok(act(r, q, &all, QUEUE_ACT_MOVE, "mail2", NULL));
    assert_ok(settle(r, q, 1, QUEUE_OUTCOME_DELIVERED, 0));
    assert_ok(accept_one(r, q, 2, "bob@example.test"));
    queue_forget(q, (struct wall_time){INT64_MAX}, 0, on_forget, &a);
    rig_wait(r, &a.done);
    assert_int_equal(a.number, 1);
    assert_int_equal(number(r, "queue-q.db", "SELECT count(*) FROM message"), 1);
    static const char *const rows[] = {"ended", "attempt", "request",
                                       "away",  "acted",   "piece WHERE id < 2 << 16"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *sql = mem_asprintf("SELECT count(*) FROM %s", rows[i]);
        assert_int_equal(number(r, "queue-q.db", sql), 0);
        free(sql);
    }
}

static void bodies_of_mail_that_nothing_uses_are_removed(void **state)
{
    struct rig *r = *state;
    struct mail *m = begin_mail(r, r->store, "mail1", 1, NULL);
    body_abort(write_pattern(r, mail_body_begin(m, false), 300000));
    RIG_UNTIL(r, number(r, "mail.db", "SELECT count(*) FROM body") == 0);
    assert_int_equal(number(r, "mail.db", "SELECT count(*) FROM chunk"), 0);
    struct body_writer *unfinished = write_pattern(r, mail_body_begin(m, false), 300000);
    RIG_UNTIL(r, number(r, "mail.db", "SELECT count(*) FROM chunk") > 0);
    begin_mail(r, rig_open(r), "mail1", 2, NULL);
    RIG_UNTIL(r, number(r, "mail.db", "SELECT count(*) FROM chunk") == 0);
    body_abort(unfinished);
}

static void a_whole_chunk_takes_eight_pages(void **state)
{
    struct rig *r = *state;
    struct mail *m = begin_mail(r, r->store, "mail1", 1, NULL);
    struct body_writer *w = write_pattern(r, mail_body_begin(m, false), 4000000); /* 61 chunks and a rest */
    RIG_UNTIL(r, number(r, "mail.db", "SELECT count(*) FROM chunk") == 61);
    /* A chunk whose checksum happens to be short leaves a byte or two. */
    assert_in_range(
        number(r, "mail.db", "SELECT count(*) FROM dbstat WHERE name = 'chunk' AND pagetype = 'overflow'"), 0,
        61 * 7);
    assert_in_range(
        number(r, "mail.db", "SELECT count(*) FROM dbstat WHERE name = 'chunk' AND pagetype = 'leaf'"), 0,
        61);
    body_abort(w);
}

/* ---- segments ---- */

static void add_blocks(void *arg, uint32_t number, const struct stat *st)
{
    (void)number;
    *(int64_t *)arg += (int64_t)st->st_blocks * 512;
}

static int64_t segment_bytes(struct rig *r)
{
    int64_t bytes = 0;
    char *path = mem_asprintf("%s/queue-q.db", r->dir);
    segment_each(path, add_blocks, &bytes);
    free(path);
    return bytes;
}

static void accept_large(struct rig *r, struct queue *q, uint64_t id)
{
    static char body[60000];
    const char *to[] = {"alice@example.test", NULL};
    assert_ok(accept_body(r, q, id, body, sizeof(body), "", to, NULL));
}

/* 30 MB through segments of 1 MiB. */
static void segments_are_used_again(void **state)
{
    struct rig *r = *state;
    struct queue *q = own(r, r->store, "q", "east1", 0, NULL, NULL);
    for (uint64_t i = 1; i <= 500; i++) {
        accept_large(r, q, i);
        assert_ok(settle(r, q, (int64_t)i, QUEUE_OUTCOME_DELIVERED, 0));
        assert_in_range(segment_bytes(r), 1, 5 << 20);
    }
    assert_int_equal(number(r, "queue-q.db", "SELECT count(*) FROM piece"), 0);
}

static void what_waits_for_long_holds_little(void **state)
{
    struct rig *r = *state;
    struct queue *q = own(r, r->store, "q", "east1", 0, NULL, NULL);
    int64_t most = 0;
    /* One of 16, that is of each segment, stays. */
    for (uint64_t i = 1; i <= 640; i++) {
        accept_large(r, q, i);
        if (i % 16 != 0)
            assert_ok(settle(r, q, (int64_t)i, QUEUE_OUTCOME_DELIVERED, 0));
        most = segment_bytes(r) > most ? segment_bytes(r) : most;
    }
    assert_in_range(most, 40 * 60000, (40 * 60000) + (10 << 20));
    struct queue_filter all = {.limit = 100};
    struct answer a = list_rows(r, q, &all);
    assert_int_equal(a.count, 40);
    for (size_t i = 0; i < a.count; i++)
        assert_int_equal(
            read_body(r, queue_body_open(q, ((struct queue_delivery *)a.items)[i].message_id)).text.len,
            60000);
}

static void aborted_bodies_hold_nothing(void **state)
{
    struct rig *r = *state;
    struct queue *q = own(r, r->store, "q", "east1", 0, NULL, NULL);
    for (uint64_t i = 1; i <= 40; i++) {
        body_abort(write_pattern(r, queue_body_begin(q), 300000));
        assert_ok(accept_one(r, q, i, "alice@example.test"));
        assert_ok(settle(r, q, (int64_t)i, QUEUE_OUTCOME_DELIVERED, 0));
        assert_in_range(segment_bytes(r), 1, 5 << 20);
    }
}

#define DYING_ACCEPTS 5

/* A process that dies right behind its last 250, mostly before it made any rows. Started anew, as a fork of
 * one with threads may do little. */
static int accept_and_die(const char *dir, uint64_t epoch)
{
    struct rig *r = rig_on_folder(dir);
    struct queue *q = own(r, r->store, "q", "east1", (int64_t)epoch, NULL, NULL);
    for (uint64_t i = 1; i <= DYING_ACCEPTS; i++)
        if (accept_one(r, q, epoch * DYING_ACCEPTS + i, "alice@example.test") != 0)
            _exit(1);
    return raise(SIGKILL);
}

static void start_dying(struct rig *r, uint64_t epoch)
{
    char text[24];
    int status;
    snprintf(text, sizeof(text), "%llu", (unsigned long long)epoch);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/proc/self/exe", "test_store_sqlite", r->dir, text, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void a_reader_shows_what_a_dead_owner_accepted(void **state)
{
    struct rig *r = *state;
    struct store *look;
    struct queue *q;
    struct err_buf eb;
    struct queue_filter all = {.limit = 100};
    uint64_t deaths = 0;
    size_t accepted;
    do { /* on a busy machine one may come too late */
        assert_in_range(deaths, 0, 9);
        start_dying(r, deaths++);
        accepted = deaths * DYING_ACCEPTS;
    } while (number(r, "queue-q.db", "SELECT count(*) FROM message") == (int64_t)accepted);
    assert_ok(open_again(r, true, &look, &eb));
    assert_ok(store_queue_read(look, STR("q"), &q, &eb));
    struct answer a = list_rows(r, q, &all);
    assert_int_equal(a.count, accepted);
    assert_str(read_body(r, queue_body_open(q, (int64_t)accepted)).text, "Subject: x\r\n\r\nhello\r\n");
    queue_close(q);
    store_close(look);
    q = own(r, r->store, "q", "west1", (int64_t)deaths, NULL, NULL);
    assert_int_equal(summary(r, q).count, 1);
    assert_err(accept_one(r, q, accepted, "alice@example.test"), ERR_EXISTS);
    assert_ok(accept_one(r, q, accepted + 1, "alice@example.test"));
    assert_int_equal(list_rows(r, q, &all).count, accepted + 1);
}

static void a_stale_owner_appends_nothing(void **state)
{
    struct rig *r = *state;
    struct queue *stale = own(r, r->store, "q", "east1", 0, NULL, NULL);
    assert_ok(accept_one(r, stale, 1, "alice@example.test"));
    struct queue *q = own(r, rig_open(r), "q", "west1", 1, NULL, NULL);
    assert_ok(accept_one(r, q, 2, "alice@example.test"));
    assert_err(accept_one(r, stale, 3, "alice@example.test"), ERR_FENCED);
    struct queue_filter all = {.limit = 100};
    assert_int_equal(list_rows(r, q, &all).count, 2);
}

static bool go_on(void *arg, const struct store_copy_progress *progress)
{
    (void)arg, (void)progress;
    return true;
}

static void assert_is_private(const char *folder, const char *name)
{
    struct stat st;
    char *path = mem_asprintf("%s/%s", folder, name);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    free(path);
}

static void a_copy_has_all_that_was_accepted(void **state)
{
    struct rig *r = *state;
    struct err_buf eb;
    struct store_copied copied;
    char *to = mem_asprintf("%s/copy", r->dir);
    struct queue *q = own(r, r->store, "q", "east1", 0, NULL, NULL);
    for (uint64_t i = 1; i <= 40; i++)
        accept_large(r, q, i);
    struct queue_filter rows_first = {.limit = 100}; /* makes rows of what was accepted */
    assert_int_equal(list_rows(r, q, &rows_first).count, 40);
    assert_ok(store_copy(r->dir, to, go_on, NULL, &copied, &eb));
    assert_int_equal(copied.files, 2);
    assert_int_equal(copied.pieces, 40);
    assert_is_private(to, "queue-q.db");
    struct rig *copy = rig_on_folder(to);
    struct queue_filter all = {.limit = 100};
    q = own(copy, copy->store, "q", "west1", 1, NULL, NULL);
    assert_int_equal(list_rows(copy, q, &all).count, 40);
    assert_int_equal(read_body(copy, queue_body_open(q, 40)).text.len, 60000);
    rig_free(copy);
    free(to);
}

static bool die(void *arg, const struct store_copy_progress *progress)
{
    if (strcmp(progress->file, arg) == 0)
        raise(SIGKILL);
    return true;
}

static int copy_and_die(const char *from, const char *to, char *file)
{
    struct store_copied copied;
    struct err_buf eb;
    return store_copy(from, to, die, file, &copied, &eb);
}

static void half_a_copy_is_refused_and_made_whole(void **state)
{
    struct rig *r = *state;
    struct err_buf eb;
    struct store_copied copied;
    int status;
    char *to = mem_asprintf("%s/copy", r->dir);
    const struct store_options options = {.engine = r->engine, .path = to};
    struct queue *q = own(r, r->store, "q", "east1", 0, NULL, NULL);
    accept_large(r, q, 1);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/proc/self/exe", "test_store_sqlite", r->dir, to, "queue-q.db", (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    struct store *s = NULL;
    assert_err(store_open(r->loop, &options, &s, &eb), ERR_BUSY);
    assert_non_null(strstr(eb.text, "half a copy"));
    assert_ok(store_copy(r->dir, to, go_on, NULL, &copied, &eb));
    assert_int_equal(copied.files, 2);
    assert_ok(store_open(r->loop, &options, &s, &eb));
    store_close(s);
    free(to);
}

static void overwrite(const char *folder, const char *name, off_t at)
{
    char *path = mem_asprintf("%s/%s", folder, name);
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "damaged", 7, at), 7);
    close(fd);
    free(path);
}

static void assert_empty(const char *folder)
{
    const struct dirent *entry;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "network.db") != 0)
            fail_msg("%s is left", entry->d_name);
    closedir(dir);
}

static void a_damaged_body_gives_no_copy(void **state)
{
    struct rig *r = *state;
    struct err_buf eb;
    struct store_copied copied;
    char *to = mem_asprintf("%s/copy ?%%3f#", r->dir); /* what means something in a URI */
    struct queue *q = own(r, r->store, "q", "east1", 0, NULL, NULL);
    struct queue_filter all = {.limit = 100};
    for (uint64_t i = 1; i <= 3; i++)
        accept_large(r, q, i);
    assert_int_equal(list_rows(r, q, &all).count, 3);
    overwrite(r->dir, "queue-q.db-segment-1", 70000);
    assert_err(store_copy(r->dir, to, go_on, NULL, &copied, &eb), ERR_CORRUPT);
    assert_non_null(strstr(eb.text, "does not match its checksum"));
    assert_empty(to);
    free(to);
}

static void a_lost_piece_gives_no_copy(void **state)
{
    struct rig *r = *state;
    struct err_buf eb;
    struct store_copied copied;
    char *to = mem_asprintf("%s/copy", r->dir);
    struct queue *q = own(r, r->store, "q", "east1", 0, NULL, NULL);
    struct queue_filter all = {.limit = 100};
    for (uint64_t i = 1; i <= 3; i++)
        accept_large(r, q, i);
    assert_int_equal(list_rows(r, q, &all).count, 3);
    run_sql(r, "queue-q.db", "DELETE FROM piece WHERE id = 2 << 16");
    assert_err(store_copy(r->dir, to, go_on, NULL, &copied, &eb), ERR_CORRUPT);
    assert_non_null(strstr(eb.text, "is not whole"));
    assert_empty(to);
    free(to);
}

static void a_damaged_mail_gives_no_copy(void **state)
{
    struct rig *r = *state;
    struct err_buf eb;
    struct store_copied copied;
    char *to = mem_asprintf("%s/copy", r->dir), *again = mem_asprintf("%s/again", r->dir);
    struct mail *m = begin_mail(r, r->store, "mail1", 1, NULL);
    const char *rcpt[] = {"alice@example.test", NULL};
    assert_ok(deliver(r, m, 1, "x", rcpt));
    run_sql(r, "mail.db", "UPDATE chunk SET data = x'79'");
    assert_err(store_copy(r->dir, to, go_on, NULL, &copied, &eb), ERR_CORRUPT);
    assert_empty(to);
    run_sql(r, "mail.db", "DELETE FROM chunk");
    assert_err(store_copy(r->dir, again, go_on, NULL, &copied, &eb), ERR_CORRUPT);
    assert_empty(again);
    free(again);
    free(to);
}

/* ---- mailboxes ---- */

static void the_messages_of_a_deleted_mailbox_go(void **state)
{
    struct rig *r = *state;
    struct mail *m = begin_mail(r, r->store, "mail1", 1, NULL);
    const char *to[] = {"alice@example.test", NULL};
    ASK(r, moved);
    ASK(r, deleted);
    for (uint64_t i = 1; i <= 50; i++)
        assert_ok(deliver(r, m, i, "x", to));
    mail_mailbox_rename(m, STR("alice@example.test"), STR("INBOX"), STR("old"), on_plain, &moved);
    rig_wait(r, &moved.done);
    mail_mailbox_delete(m, STR("alice@example.test"), STR("old"), on_plain, &deleted);
    rig_wait(r, &deleted.done);
    RIG_UNTIL(r, number(r, "mail.db", "SELECT count(*) FROM body") == 0);
    assert_int_equal(number(r, "mail.db", "SELECT count(*) FROM chunk"), 0);
    assert_int_equal(number(r, "mail.db", "SELECT count(*) FROM message"), 0);
    RIG_UNTIL(r, number(r, "mail.db", "SELECT count(*) FROM mailbox") == 1);
    assert_int_equal(number(r, "mail.db", "SELECT count(*) FROM delivered"), 50);
}

static void a_user_without_an_inbox_loses_nothing(void **state)
{
    struct rig *r = *state;
    struct mail *m = begin_mail(r, r->store, "mail1", 1, NULL);
    const char *to[] = {"alice@example.test", "bob@example.test", NULL};
    assert_ok(deliver(r, m, 1, "x", to));
    run_sql(r, "mail.db",
            "DELETE FROM mailbox WHERE user_id ="
            " (SELECT id FROM user WHERE address = 'bob@example.test')");
    assert_err(deliver(r, m, 2, "x", to), ERR_CORRUPT);
    assert_int_equal(number(r, "mail.db", "SELECT count(*) FROM message"), 2);
    assert_int_equal(number(r, "mail.db", "SELECT count(*) FROM delivered"), 2);
    to[1] = NULL;
    assert_ok(deliver(r, m, 2, "x", to));
    assert_int_equal(number(r, "mail.db", "SELECT count(*) FROM message"), 3);
}

static void a_large_act_goes_in_slices(void **state)
{
    struct rig *r = *state;
    struct queue *q = own(r, r->store, "q", "east1", 0, NULL, NULL);
    struct queue_filter all = {.limit = 0}, most = {.limit = 2300};
    uint64_t changed;
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    run_sql(r, "queue-q.db",
            "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)"
            " INSERT INTO live SELECT i, 1, 1, 0, 0, 0, 0, 0, 'x@example.test', '', 0, '' FROM n;"
            "UPDATE place SET waiting = 2500");
    assert_ok(act(r, q, &most, QUEUE_ACT_HOLD, "", &changed));
    assert_int_equal(changed, 2300);
    assert_ok(act(r, q, &all, QUEUE_ACT_HOLD, "", &changed));
    assert_int_equal(changed, 200);
    assert_int_equal(number(r, "queue-q.db", "SELECT held FROM place"), 2500);
    assert_int_equal(number(r, "queue-q.db", "SELECT sum(changed) FROM act WHERE who = 'operator'"), 2500);
}

/* As a crash between two of its slices leaves it: some 1,000 of 2,300 are done. */
static void an_order_goes_on_where_it_stopped(void **state)
{
    struct rig *r = *state;
    struct queue *q = own(r, r->store, "q", "east1", 0, NULL, NULL);
    struct queue_filter most = {.limit = 2300}, none = {.delivery_id = 99};
    uint64_t changed;
    r->order_key = STR("order-1");
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    assert_ok(act(r, q, &none, QUEUE_ACT_RETRY, "", NULL));
    run_sql(
        r, "queue-q.db",
        "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)"
        " INSERT INTO live SELECT i, 1, 1, 0, 0, (i > 1000) * 9, 0, 0, 'x@example.test', '', 0, '' FROM n;"
        "UPDATE place SET waiting = 2500;"
        "UPDATE act SET changed = 1000, up_to = 1000, room = 1300, done = 0");
    for (int i = 0; i < 2; i++) { /* and once more, when its answer was lost */
        assert_ok(act(r, q, &most, QUEUE_ACT_RETRY, "", &changed));
        assert_int_equal(changed, 2300);
        assert_int_equal(number(r, "queue-q.db", "SELECT count(*) FROM live WHERE next_ms = 0"), 2300);
        assert_int_equal(number(r, "queue-q.db", "SELECT max(id) FROM live WHERE next_ms = 0"), 2300);
        assert_int_equal(number(r, "queue-q.db", "SELECT count(*) FROM act"), 1);
    }
    r->order_key = STR_EMPTY;
}

struct turns {
    struct rig *rig;
    bool accepted, replayed, first; /* first: the message came before the replay's end */
    struct queue_replayed done;
};

static void on_turn_accept(void *arg, int err, int64_t message_id)
{
    struct turns *t = arg;
    (void)message_id;
    assert_ok(err);
    t->accepted = true;
    t->first = !t->replayed;
}

static void on_turn_replay(void *arg, int err, const struct queue_replayed *done)
{
    struct turns *t = arg;
    assert_ok(err);
    t->replayed = true;
    t->done = *done;
}

/* What was kept before the time asked for is passed over in several transactions. */
static void a_replay_lets_others_be_served(void **state)
{
    struct rig *r = *state;
    struct queue *q = own(r, r->store, "q", "east1", 0, NULL, NULL);
    struct queue_replay which = {
        .server = STR("mail1"), .since = {1000}, .until = {2000}, .limit = 10, .key = STR("one")};
    struct turns t = {.rig = r};
    struct queue_message_in message = {.custody_id = id_of(7), .received_at = {1}};
    struct queue_recipient_in to = {.address = STR("a@example.test"), .domain = STR("example.test")};
    run_sql(r, "queue-q.db",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)"
            " INSERT INTO kept SELECT i, 999, 1 FROM n");
    queue_replay(q, &which, on_turn_replay, &t);
    queue_accept(q, queue_body_begin(q), &message, &to, 1, on_turn_accept, &t);
    rig_wait(r, &t.replayed);
    rig_wait(r, &t.accepted);
    assert_true(t.first);
    assert_int_equal(t.done.messages, 0);
    assert_false(t.done.more);
    assert_int_equal(number(r, "queue-q.db", "SELECT count(*) FROM act WHERE done = 1"), 1);
}

/* ---- opening ---- */

static void a_look_changes_nothing(void **state)
{
    struct rig *r = *state;
    struct store *s;
    struct err_buf eb;
    struct queue *q;
    assert_ok(record_put(r, r->network, "node", "east", "1", NETWORK_ABSENT, NULL));
    assert_ok(open_again(r, true, &s, &eb));
    assert_int_equal(records(r, store_network(s), "node", NULL).count, 1);
    assert_err(record_put(r, store_network(s), "node", "east", "2", NETWORK_ANY_VERSION, NULL), ERR_DENIED);
    assert_err(store_queue_read(s, STR("q"), &q, &eb), ERR_NOT_FOUND);
    int err;
    assert_null(own(r, s, "q", "east1", 0, &err, NULL));
    assert_err(err, ERR_DENIED);
    store_close(s);
    struct store_options absent = {.engine = STORE_ENGINE_SQLITE, .path = "/nonexistent", .read_only = true};
    assert_err(store_open(r->loop, &absent, &s, &eb), ERR_NOT_FOUND);
}

static void a_folder_that_cannot_be_made_is_told(void **state)
{
    struct rig *r = *state;
    struct store *s;
    struct err_buf eb;
    struct store_options options = {.engine = STORE_ENGINE_SQLITE, .path = "/proc/holdfast"};
    assert_true(store_open(r->loop, &options, &s, &eb) < 0);
    assert_non_null(strstr(eb.text, "/proc/holdfast"));
}

static void a_name_that_climbs_is_no_queue(void **state)
{
    struct rig *r = *state;
    int err;
    struct queue *q;
    struct err_buf eb;
    assert_null(own(r, r->store, "../q", "east1", 0, &err, NULL));
    assert_err(err, ERR_INVALID);
    assert_err(store_queue_read(r->store, STR("a/b"), &q, &eb), ERR_INVALID);
}

static void leases_end_with_the_boot(void **state)
{
    struct rig *r = *state;
    struct network_lease lease;
    assert_ok(lease_take(r->network, r, "director", "east", 0, 60000, &lease));
    assert_ok(record_put(r, r->network, "node", "east", "1", NETWORK_ABSENT, NULL));
    run_sql(r, "network.db", "UPDATE device SET boot_id = 'another'");
    struct store *other = rig_open(r);
    assert_err(record_put(r, r->network, "node", "east", "2", 1, &lease), ERR_FENCED);
    struct answer a = records(r, store_network(other), "node", "east");
    assert_true(((struct network_record *)a.items)->age_ms > INT64_C(1) << 50);
    assert_ok(lease_take(store_network(other), r, "director", "west", 0, 60000, &lease));
    assert_int_equal(lease.token, 2);
}

static void a_status_tells_of_each_file(void **state)
{
    struct rig *r = *state;
    own(r, r->store, "q", "east1", 0, NULL, NULL);
    begin_mail(r, r->store, "mail1", 1, NULL);
    char *text = store_status_json(r->store);
    assert_non_null(strstr(text, "\"engine\":\"sqlite\""));
    assert_non_null(strstr(text, "queue-q.db"));
    assert_non_null(strstr(text, "mail.db"));
    assert_non_null(strstr(text, "\"health\":\"ok\""));
    free(text);
}

static const struct rig_test sqlite_tests[] = {
    {"a newer file is refused", a_newer_file_is_refused},
    {"a newer queue is refused", a_newer_queue_is_refused},
    {"another program's file is refused", another_programs_file_is_refused},
    {"a queue of version 1 is understood", a_queue_of_version_1_is_understood},
    {"a queue of version 5 is understood", a_queue_of_version_5_is_understood},
    {"a queue of version 7 is understood", a_queue_of_version_7_is_understood},
    {"a queue of version 9 is understood", a_queue_of_version_9_is_understood},
    {"a network of version 1 is understood", a_network_of_version_1_is_understood},
    {"a corrupt body is noticed", a_corrupt_body_is_noticed},
    {"a corrupt chunk of version 1 is noticed", a_corrupt_chunk_of_version_1_is_noticed},
    {"a missing segment is noticed", a_missing_segment_is_noticed},
    {"what is forgotten leaves no rows", what_is_forgotten_leaves_no_rows},
    {"bodies of mail that nothing uses are removed", bodies_of_mail_that_nothing_uses_are_removed},
    {"a whole chunk takes eight pages", a_whole_chunk_takes_eight_pages},
    {"segments are used again", segments_are_used_again},
    {"what waits for long holds little", what_waits_for_long_holds_little},
    {"aborted bodies hold nothing", aborted_bodies_hold_nothing},
    {"a reader shows what a dead owner accepted", a_reader_shows_what_a_dead_owner_accepted},
    {"a stale owner appends nothing", a_stale_owner_appends_nothing},
    {"a copy has all that was accepted", a_copy_has_all_that_was_accepted},
    {"half a copy is refused and made whole", half_a_copy_is_refused_and_made_whole},
    {"a damaged body gives no copy", a_damaged_body_gives_no_copy},
    {"a lost piece gives no copy", a_lost_piece_gives_no_copy},
    {"a damaged mail gives no copy", a_damaged_mail_gives_no_copy},
    {"the messages of a deleted mailbox go", the_messages_of_a_deleted_mailbox_go},
    {"a user without an inbox loses nothing", a_user_without_an_inbox_loses_nothing},
    {"a large act goes in slices", a_large_act_goes_in_slices},
    {"an order goes on where it stopped", an_order_goes_on_where_it_stopped},
    {"a replay lets others be served", a_replay_lets_others_be_served},
    {"a look changes nothing", a_look_changes_nothing},
    {"a folder that cannot be made is told", a_folder_that_cannot_be_made_is_told},
    {"a name that climbs is no queue", a_name_that_climbs_is_no_queue},
    {"leases end with the boot", leases_end_with_the_boot},
    {"a status tells of each file", a_status_tells_of_each_file},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    if (argc == 4)
        return copy_and_die(argv[1], argv[2], argv[3]);
    if (argc == 3)
        return accept_and_die(argv[1], strtoull(argv[2], NULL, 10));
    return rig_run("store, SQLite engine", rig_setup_sqlite, sqlite_tests);
}
