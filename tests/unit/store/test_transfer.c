/* A store moves from a folder of SQLite into a database: all of it is there, by the same numbers, and a try
 * that was cut short goes on. */
#include "rig_postgres.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/engine.h"
#include "store/queue_kept.h"
#include "store/transfer.h"
#include "store/transfer/stream.h"

#define ALICE       "alice@example.test"
#define QUEUE       "\"queue_relay1\"."
#define LARGE_BYTES 200000 /* four pieces */
#define HELD        12     /* messages in the queue, from 1 on; the first is the large one */

/* ---- a folder with something of everything ---- */

static void on_accept(void *arg, int err, int64_t message_id)
{
    (void)message_id;
    on_plain(arg, err);
}

static void fill_queue(struct rig *r)
{
    struct queue *q = own(r, r->store, "relay1", "east1", 0, NULL, NULL);
    const struct queue_recipient_in to = {STR(ALICE), STR("example.test"), STR_EMPTY};
    struct queue_message_in in = {.custody_id = id_of(1), .helo = STR("h\xff\0"), .received_at = {1000}};
    ASK(r, accepted);
    queue_accept(q, write_pattern(r, queue_body_begin(q), LARGE_BYTES), &in, &to, 1, on_accept, &accepted);
    rig_wait(r, &accepted.done);
    assert_ok(accepted.err);
    for (uint64_t i = 2; i <= HELD; i++)
        assert_ok(accept_one(r, q, i, ALICE));
    queue_keep(q, true);
    assert_ok(settle(r, q, 2, QUEUE_OUTCOME_DELIVERED, 0));
    assert_ok(settle(r, q, 3, QUEUE_OUTCOME_DEFERRED, INT64_MAX / 2));
    const struct queue_filter third = {.delivery_id = 4};
    assert_ok(act(r, q, &third, QUEUE_ACT_HOLD, "", NULL));
}

static void fill_mail(struct rig *r)
{
    static const char *const to_alice[] = {ALICE, NULL};
    struct mail *m = begin_mail(r, r->store, "mail1", 7, NULL);
    for (uint64_t i = 1; i <= 3; i++)
        assert_ok(deliver(r, m, i, "one", to_alice));
    int64_t box = mailbox(r, m, ALICE, "INBOX", NULL).id;
    uint32_t first = 1, last = 3;
    ASK(r, flagged);
    mail_flags_store(m, box, &first, 1, MAIL_FLAGS_ADD, MAIL_FLAGGED, STR("blue"), on_plain, &flagged);
    rig_wait(r, &flagged.done);
    ASK(r, expunged);
    mail_expunge(m, box, &last, 1, true, on_plain, &expunged);
    rig_wait(r, &expunged.done);
    assert_ok(flagged.err);
    assert_ok(expunged.err);
}

static void fill_network(struct rig *r)
{
    assert_ok(record_put(r, r->network, "user", ALICE, "{\"a\": 1}", NETWORK_ABSENT, NULL));
    assert_ok(record_put(r, r->network, "user", ALICE, "{\"a\": 2}", 1, NULL));
    assert_ok(recipient_put(r, "example.test", ALICE, true, 5));
}

/* For rig_teardown; no process is on it. */
static struct rig *new_folder(void)
{
    void *state;
    rig_setup_sqlite(&state);
    struct rig *r = state;
    fill_network(r);
    fill_queue(r);
    fill_mail(r);
    rig_close(r, r->store);
    return r;
}

static void drop_folder(struct rig *r)
{
    void *state = r;
    rig_teardown(&state);
}

static void run_sql(struct rig *r, const char *file, const char *sql)
{
    char path[256];
    sqlite3 *db;
    snprintf(path, sizeof(path), "%s/%s", r->dir, file);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* ---- the database ---- */

/* The rig's, with nothing in it. */
static struct rig *empty(void **state)
{
    struct rig *r = *state;
    rig_close(r, r->store);
    rig_administer(r, "SET client_min_messages TO warning");
    rig_administer(r, "DROP SCHEMA network CASCADE");
    rig_administer(r, "DROP SCHEMA mail CASCADE");
    return r;
}

static long count_of(struct rig *r, const char *from)
{
    char sql[256];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", from);
    return rig_administer_number(r, sql);
}

static bool go_on(void *arg, const struct store_transfer_progress *progress)
{
    (void)arg, (void)progress;
    return true;
}

static int transfer_as(struct rig *from, struct rig *to,
                       bool (*on_progress)(void *arg, const struct store_transfer_progress *progress),
                       void *arg, struct store_transferred *ret, struct err_buf *eb)
{
    const struct store_transfer what = {from->loop, from->dir, to->uri, NULL};
    return store_transfer(&what, on_progress, arg, ret, eb);
}

static void transfer(struct rig *from, struct rig *to, struct store_transferred *ret)
{
    struct err_buf eb = {""};
    if (transfer_as(from, to, go_on, NULL, ret, &eb) != 0)
        fail_msg("%s", eb.text);
}

static int transfer_err(struct rig *from, struct rig *to, struct err_buf *eb)
{
    struct store_transferred done = {0};
    int err = transfer_as(from, to, go_on, NULL, &done, eb);
    store_transferred_fini(&done);
    return err;
}

static void start_on(struct rig *r)
{
    r->store = rig_open(r);
    r->network = store_network(r->store);
}

static int open_err(struct rig *r, struct err_buf *eb)
{
    const struct store_options options = {.engine = r->engine, .path = r->uri};
    struct store *s = NULL;
    int err = store_open(r->loop, &options, &s, eb);
    store_close(s);
    return err;
}

/* ---- what is there then ---- */

static void queue_is_there(struct rig *r)
{
    int err;
    int64_t epoch;
    struct queue *q = own(r, r->store, "relay1", "west1", 1, &err, &epoch);
    assert_ok(err);
    assert_int_equal(epoch, 2);
    struct answer waiting = due(r, q, "example.test", "", 0, 100);
    assert_int_equal(waiting.count, HELD - 3); /* one delivered, one put off, one held */
    assert_true(pattern_holds(read_body(r, queue_body_open(q, 1)).text));
    assert_int_equal(read_body(r, queue_body_open(q, 1)).text.len, LARGE_BYTES);
    assert_str(read_body(r, queue_body_open(q, HELD)).text, "Subject: x\r\n\r\nhello\r\n");
    assert_err(accept_one(r, q, 5, ALICE), ERR_EXISTS);
    int64_t message_id = 0;
    static const char *const to_alice[] = {ALICE, NULL};
    assert_ok(accept_body(r, q, 100, "new", 3, "", to_alice, &message_id));
    assert_int_equal(message_id, HELD + 1);
    assert_str(read_body(r, queue_body_open(q, message_id)).text, "new");
    assert_str(read_body(r, queue_body_open(q, HELD)).text, "Subject: x\r\n\r\nhello\r\n");
    assert_ok(settle(r, q, 1, QUEUE_OUTCOME_DELIVERED, 0));
}

static void mail_is_there(struct rig *r)
{
    int err;
    struct mail_messages messages;
    static const char *const to_alice[] = {ALICE, NULL}, *const to_bob[] = {"bob@example.test", NULL};
    struct mail *m = begin_mail(r, r->store, "mail1", 7, &err);
    assert_err(err, ERR_FENCED); /* that epoch has begun */
    m = begin_mail(r, r->store, "mail1", 8, NULL);
    assert_ok(deliver(r, m, 3, "one", to_alice)); /* once had, and expunged */
    struct mail_mailbox box = mailbox(r, m, ALICE, "INBOX", NULL);
    assert_int_equal(box.messages, 2);
    assert_int_equal(box.uid_next, 4);
    assert_ok(changes(r, m, box.id, 0, &messages).err);
    assert_int_equal(messages.items[0].flags, MAIL_FLAGGED);
    assert_str(messages.items[0].keywords, "blue");
    assert_str(read_body(r, mail_body_open(m, messages.items[1].body_id)).text, "one");
    assert_ok(deliver(r, m, 4, "four", to_alice));
    assert_ok(deliver(r, m, 4, "four", to_bob));
    assert_int_equal(mailbox(r, m, ALICE, "INBOX", NULL).uid_next, 5);
}

static void network_is_there(struct rig *r)
{
    struct answer a = records(r, r->network, "user", ALICE);
    assert_int_equal(a.count, 1);
    assert_str(((struct network_record *)a.items)->value, "{\"a\": 2}");
    assert_int_equal(((struct network_record *)a.items)->version, 2);
    assert_non_null(recipient(r, "example.test", ALICE));
    assert_ok(recipient_put(r, "example.test", "bob@example.test", true, 6));
    assert_int_equal(rig_administer_number(r, "SELECT count FROM network.recipient_count WHERE known = 1"),
                     2);
}

static const struct store_transferred_table *table_of(const struct store_transferred *t, const char *part,
                                                      const char *name)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->tables[i].part, part) == 0 && strcmp(t->tables[i].name, name) == 0)
            return &t->tables[i];
    fail_msg("%s %s is not told of", part, name);
    return NULL;
}

/* None that was ever given is given again, though the last body is gone. */
static void numbers_go_on(struct rig *r)
{
    assert_int_equal(rig_administer_number(r, "SELECT nextval(pg_get_serial_sequence('mail.body', 'id'))"),
                     4);
    assert_int_equal(rig_administer_number(r, "SELECT nextval(pg_get_serial_sequence('mail.mailbox', 'id'))"),
                     2);
    assert_int_equal(rig_administer_number(r, "SELECT nextval(pg_get_serial_sequence('mail.user', 'id'))"),
                     2);
    assert_int_equal(
        rig_administer_number(r, "SELECT nextval(pg_get_serial_sequence('queue_relay1.place', 'id'))"), 2);
    assert_int_equal(rig_administer_number(r, "SELECT bodies FROM queue_relay1.owner"), HELD);
}

static void all_of_a_store_moves(void **state)
{
    struct store_transferred done;
    struct rig *to = empty(state), *from = new_folder();
    transfer(from, to, &done);
    assert_int_equal(table_of(&done, "queue relay1", "message")->rows, HELD);
    assert_int_equal(table_of(&done, "queue relay1", "piece")->rows, 3 + HELD);
    assert_int_equal(table_of(&done, "queue relay1", "ended")->rows, 1);
    assert_int_equal(table_of(&done, "queue relay1", "kept")->rows, 1);
    assert_int_equal(table_of(&done, "queue relay1", "act")->rows, 1);
    assert_int_equal(table_of(&done, "mail", "delivered")->rows, 3);
    assert_int_equal(table_of(&done, "mail", "expunged")->rows, 1);
    assert_true(done.body_bytes > LARGE_BYTES);
    assert_int_equal(done.texts_made_fit, 1); /* the HELO */
    assert_int_equal(done.resumed_rows, 0);
    store_transferred_fini(&done);
    assert_int_equal(count_of(to, QUEUE "message WHERE helo LIKE 'h?%'"), 1);
    numbers_go_on(to);
    start_on(to);
    queue_is_there(to);
    mail_is_there(to);
    network_is_there(to);
    drop_folder(from);
}

/* ---- cut short ---- */

struct cut {
    const char *table, *doing;
    bool fired;
};

static bool stop_at(void *arg, const struct store_transfer_progress *p)
{
    struct cut *cut = arg;
    cut->fired |= strcmp(p->table, cut->table) == 0 && strcmp(p->doing, cut->doing) == 0;
    return !cut->fired;
}

static void one_that_was_stopped_goes_on(void **state)
{
    static const struct cut cuts[] = {{"record", "copied", false},
                                      {"piece", "copied", false},
                                      {"live", "copied", false},
                                      {"debt", "copied", false},
                                      {"live", "verified", false}};
    struct rig *to = empty(state), *from = new_folder();
    struct store_transferred done = {0};
    int64_t before = 0;
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        struct cut cut = cuts[i];
        struct err_buf eb = {""};
        assert_err(transfer_as(from, to, stop_at, &cut, &done, &eb), ERR_CANCELLED);
        assert_true(cut.fired);
        assert_err(open_err(to, &eb), ERR_BUSY);
        assert_non_null(strstr(eb.text, "half a copy"));
        long there = rig_administer_number(to, "SELECT sum(done) FROM network.copy");
        assert_true(there >= before);
        before = there;
    }
    transfer(from, to, &done);
    assert_int_equal(done.resumed_rows, done.rows);
    assert_int_equal(done.resumed_rows, before);
    store_transferred_fini(&done);
    start_on(to);
    queue_is_there(to);
    mail_is_there(to);
    network_is_there(to);
    drop_folder(from);
}

/* In a process of its own: killed when it says that it is there. */
static bool die_at(void *arg, const struct store_transfer_progress *p)
{
    if (strcmp(p->table, arg) == 0)
        raise(SIGKILL);
    return true;
}

static int transfer_and_die(const char *dir, const char *uri, char *table)
{
    struct rig *r = rig_on_folder(dir); /* for its loop */
    struct store_transferred done = {0};
    struct err_buf eb = {""};
    rig_close(r, r->store);
    const struct store_transfer what = {r->loop, dir, uri, NULL};
    (void)!store_transfer(&what, die_at, table, &done, &eb);
    return 1;
}

static void start_dying(const struct rig *from, const struct rig *to, const char *table)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        execl("/proc/self/exe", "test_store_transfer", from->dir, to->uri, table, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void one_that_was_killed_goes_on(void **state)
{
    struct rig *to = empty(state), *from = new_folder();
    struct store_transferred done = {0};
    start_dying(from, to, "chunk");
    start_dying(from, to, "message");
    transfer(from, to, &done);
    assert_true(done.resumed_rows > 0);
    store_transferred_fini(&done);
    start_on(to);
    queue_is_there(to);
    mail_is_there(to);
    drop_folder(from);
}

/* ---- what is refused ---- */

static void a_network_that_runs_is_refused(void **state)
{
    struct network_lease lease;
    struct err_buf eb = {""};
    struct rig *to = empty(state), *from = new_folder();
    struct store *s = rig_open(from);
    assert_ok(lease_take(store_network(s), from, "node/east", "east", 0, 60000, &lease));
    assert_err(transfer_err(from, to, &eb), ERR_BUSY);
    assert_non_null(strstr(eb.text, "stop it on all nodes"));
    ASK(from, released);
    network_lease_release(store_network(s), STR("node/east"), STR("east"), lease.token, on_plain, &released);
    rig_wait(from, &released.done);
    rig_close(from, s);
    assert_ok(transfer_err(from, to, &eb));
    start_on(to);
    assert_ok(lease_take(to->network, to, "node/east", "west", 0, 60000, &lease));
    assert_int_equal(lease.token, 2);
    drop_folder(from);
}

static bool start_a_node(void *arg, const struct store_transfer_progress *p)
{
    struct rig *r = arg;
    struct err_buf eb = {""};
    const struct store_options options = {.engine = r->engine, .path = r->dir};
    struct store *s = NULL;
    (void)p;
    r->turns = store_open(r->loop, &options, &s, &eb);
    store_close(s);
    return false;
}

static void nobody_starts_on_the_folder_meanwhile(void **state)
{
    struct rig *to = empty(state), *from = new_folder();
    struct store_transferred done = {0};
    struct err_buf eb = {""};
    assert_err(transfer_as(from, to, start_a_node, from, &done, &eb), ERR_CANCELLED);
    assert_err(from->turns, ERR_UNAVAILABLE);
    drop_folder(from);
}

static void a_database_with_a_store_is_refused(void **state)
{
    struct rig *to = *state, *from = new_folder();
    struct err_buf eb = {""};
    assert_ok(record_put(to, to->network, "kind", "key", "{}", 0, NULL));
    assert_err(transfer_err(from, to, &eb), ERR_EXISTS);
    assert_non_null(strstr(eb.text, "holds a store already"));
    assert_int_equal(count_of(to, "network.record"), 1);
    assert_ok(open_err(to, &eb));
    drop_folder(from);
}

static void half_a_copy_of_another_is_refused(void **state)
{
    struct rig *to = empty(state), *from = new_folder(), *other = new_folder();
    struct store_transferred done = {0};
    struct err_buf eb = {""};
    struct cut cut = {"record", "copied", false};
    assert_err(transfer_as(from, to, stop_at, &cut, &done, &eb), ERR_CANCELLED);
    assert_err(transfer_err(other, to, &eb), ERR_EXISTS);
    assert_non_null(strstr(eb.text, "half a copy of another"));
    drop_folder(from);
    drop_folder(other);
}

static void a_damaged_folder_gives_no_copy(void **state)
{
    struct rig *to = empty(state), *from = new_folder();
    struct err_buf eb = {""};
    run_sql(from, "mail.db", "UPDATE chunk SET data = 'two'");
    assert_err(transfer_err(from, to, &eb), ERR_CORRUPT);
    assert_non_null(strstr(eb.text, "not what its checksum says"));
    assert_err(open_err(to, &eb), ERR_BUSY);
    drop_folder(from);
}

static void a_lost_piece_gives_no_copy(void **state)
{
    struct rig *to = empty(state), *from = new_folder();
    struct err_buf eb = {""};
    run_sql(from, "queue-relay1.db", "DELETE FROM piece WHERE id = 1 << 16 | 2");
    assert_err(transfer_err(from, to, &eb), ERR_CORRUPT);
    assert_non_null(strstr(eb.text, "message body 1 is not whole"));
    drop_folder(from);
}

/* ---- what is not the same ---- */

struct meddler {
    struct rig *to;
    const char *sql;
    bool fired;
};

/* After all was written, before anything was read back. */
static bool meddle(void *arg, const struct store_transfer_progress *p)
{
    struct meddler *m = arg;
    if (!m->fired && strcmp(p->part, "queue relay1") == 0 && strcmp(p->table, "away") == 0) {
        m->fired = true;
        rig_administer(m->to, m->sql);
    }
    return true;
}

static void what_was_not_written_as_it_was_is_noticed(void **state)
{
    static const struct {
        const char *sql, *told;
    } meddlers[] = {
        {"UPDATE " QUEUE "live SET attempts = attempts + 1 WHERE id = 5", "live"},
        {"DELETE FROM " QUEUE "ended", "ended"},
        {"INSERT INTO network.event(at_ms, kind, subject, detail) VALUES(1, '', '', '')", "event"},
        {"UPDATE mail.message SET flags = 0", "message"},
        {"UPDATE " QUEUE "chunk SET data = 'hello'", "read back from the database otherwise"},
        {"UPDATE " QUEUE "chunk SET crc = crc + 1", "read back from the database otherwise"},
    };
    struct rig *to = empty(state), *from = new_folder();
    for (size_t i = 0; i < ARRAY_LEN(meddlers); i++) {
        struct meddler m = {to, meddlers[i].sql, false};
        struct store_transferred done = {0};
        struct err_buf eb = {""};
        assert_err(transfer_as(from, to, meddle, &m, &done, &eb), ERR_CORRUPT);
        assert_true(m.fired);
        if (!strstr(eb.text, meddlers[i].told))
            fail_msg("%s", eb.text);
        assert_err(open_err(to, &eb), ERR_BUSY);
        rig_administer(to, "DROP SCHEMA network CASCADE");
        rig_administer(to, "DROP SCHEMA mail CASCADE");
        rig_administer(to, "DROP SCHEMA \"queue_relay1\" CASCADE");
    }
    drop_folder(from);
}

/* ---- what a killed owner has accepted ---- */

#define DYING_ACCEPTS 5

static int accept_and_die(const char *dir)
{
    struct rig *r = rig_on_folder(dir);
    struct queue *q = own(r, r->store, "relay1", "east1", 1, NULL, NULL);
    for (uint64_t i = 1; i <= DYING_ACCEPTS; i++)
        if (accept_one(r, q, 1000 + i, ALICE) != 0)
            _exit(1);
    return raise(SIGKILL);
}

static void what_has_no_rows_yet_moves(void **state)
{
    struct rig *to = empty(state), *from = new_folder();
    struct store_transferred done = {0};
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        execl("/proc/self/exe", "test_store_transfer", from->dir, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    transfer(from, to, &done);
    assert_int_equal(table_of(&done, "queue relay1", "message")->rows, HELD + DYING_ACCEPTS);
    store_transferred_fini(&done);
    drop_folder(from);
}

/* ---- no table is forgotten ---- */

static bool is_known(const struct stream_part *part, const char *table)
{
    for (size_t i = 0; i < part->count; i++)
        if (strcmp(part->streams[i].table, table) == 0 || strcmp(part->streams[i].source, table) == 0)
            return true;
    for (const char *const *apart = part->apart; *apart; apart++)
        if (strcmp(*apart, table) == 0)
            return true;
    return false;
}

static void tables_of_a_file_are_known(struct rig *r, const char *file, enum part_kind kind)
{
    char path[256];
    sqlite3 *db;
    sqlite3_stmt *st;
    snprintf(path, sizeof(path), "%s/%s", r->dir, file);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT name FROM sqlite_master WHERE type = 'table'", -1, &st, NULL),
        SQLITE_OK);
    while (sqlite3_step(st) == SQLITE_ROW)
        if (!is_known(stream_part(kind), (const char *)sqlite3_column_text(st, 0)))
            fail_msg("%s: table %s is in no stream", file, sqlite3_column_text(st, 0));
    sqlite3_finalize(st);
    sqlite3_close(db);
}

/* In the database each column is written, or it has a default and no SQLite file knows it. */
static void columns_of_a_part_are_written(struct rig *r, const char *schema, enum part_kind kind)
{
    const struct stream_part *part = stream_part(kind);
    char sql[512];
    for (size_t i = 0; i < part->count; i++) {
        const char *table = part->streams[i].table;
        size_t columns = strlen(part->streams[i].types);
        snprintf(sql, sizeof(sql),
                 "SELECT count(*) FROM information_schema.columns WHERE table_schema = '%s' AND table_name = "
                 "trim('\"' FROM '%s') AND column_default IS NULL",
                 schema, table);
        if ((size_t)rig_administer_number(r, sql) > columns)
            fail_msg("%s.%s has columns that are not written", schema, table);
    }
}

static void no_table_is_forgotten(void **state)
{
    struct rig *to = *state, *from = new_folder();
    own(to, to->store, "relay1", "east1", 0, NULL, NULL);
    tables_of_a_file_are_known(from, "network.db", PART_NETWORK);
    tables_of_a_file_are_known(from, "mail.db", PART_MAIL);
    tables_of_a_file_are_known(from, "queue-relay1.db", PART_QUEUE);
    columns_of_a_part_are_written(to, "network", PART_NETWORK);
    columns_of_a_part_are_written(to, "mail", PART_MAIL);
    columns_of_a_part_are_written(to, "queue_relay1", PART_QUEUE);
    drop_folder(from);
}

static const struct rig_test transfer_tests[] = {
    {"all of a store moves", all_of_a_store_moves},
    {"one that was stopped goes on", one_that_was_stopped_goes_on},
    {"one that was killed goes on", one_that_was_killed_goes_on},
    {"a network that runs is refused", a_network_that_runs_is_refused},
    {"nobody starts on the folder meanwhile", nobody_starts_on_the_folder_meanwhile},
    {"a database with a store is refused", a_database_with_a_store_is_refused},
    {"half a copy of another is refused", half_a_copy_of_another_is_refused},
    {"a damaged folder gives no copy", a_damaged_folder_gives_no_copy},
    {"a lost piece gives no copy", a_lost_piece_gives_no_copy},
    {"what was not written as it was is noticed", what_was_not_written_as_it_was_is_noticed},
    {"what has no rows yet moves", what_has_no_rows_yet_moves},
    {"no table is forgotten", no_table_is_forgotten},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[ARRAY_LEN(transfer_tests)];
    size_t count = 0;
    if (argc == 2)
        return accept_and_die(argv[1]);
    if (argc == 4)
        return transfer_and_die(argv[1], argv[2], argv[3]);
    for (const struct rig_test *t = transfer_tests; t->name; t++)
        tests[count++] = (struct CMUnitTest){t->name, t->run, rig_setup_postgres, rig_teardown, NULL};
    return _cmocka_run_group_tests("store, from SQLite into PostgreSQL", tests, count, NULL, NULL);
}
