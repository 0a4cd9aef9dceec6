/* The contract suite on the PostgreSQL engine, and what is this engine's alone: commits whose end is lost,
 * connections that break, what the database refuses. */
#include "rig_postgres.h"

#include <stdio.h>
#include <unistd.h>

#include "cluster.h"
#include "store/queue_kept.h"
#include "unit/wait.h"

#define QUEUE "\"queue_relay-east\"."
/* The store's sessions. */
#define OURS "pg_stat_activity WHERE datname = current_database() AND application_name = 'holdfast'"

static struct queue *new_queue(struct rig *r, struct store *s)
{
    return own(r, s, "relay-east", "east1", 0, NULL, NULL);
}

static long count_of(struct rig *r, const char *from)
{
    char sql[256];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", from);
    return rig_administer_number(r, sql);
}

/* ---- a commit whose end is lost ---- */

static void an_accept_that_has_committed_is_answered_so(void **state)
{
    struct rig *r = *state;
    struct pg_proxy *proxy;
    struct queue *q = new_queue(r, rig_open_through_proxy(r, &proxy));
    assert_ok(accept_one(r, q, 1, "before@example.test"));
    pg_proxy_arm(proxy, PG_PROXY_LOSE_ANSWER, "lost@example.test");
    assert_ok(accept_one(r, q, 2, "lost@example.test"));
    assert_true(pg_proxy_fired(proxy));
    assert_int_equal(count_of(r, QUEUE "live WHERE recipient = 'lost@example.test'"), 1);
    assert_int_equal(count_of(r, QUEUE "message"), 2);
    assert_err(accept_one(r, q, 2, "lost@example.test"), ERR_EXISTS);
    assert_ok(accept_one(r, q, 3, "after@example.test"));
    assert_int_equal(due(r, q, "example.test", "", 0, 9).count, 3);
}

static void an_accept_that_has_not_committed_never_is_there(void **state)
{
    struct rig *r = *state;
    struct pg_proxy *proxy;
    struct queue *q = new_queue(r, rig_open_through_proxy(r, &proxy));
    assert_ok(accept_one(r, q, 1, "before@example.test"));
    assert_int_equal(due(r, q, "example.test", "", 0, 9).count, 1);
    long sessions = count_of(r, OURS);
    pg_proxy_arm(proxy, PG_PROXY_LOSE_COMMIT, "lost@example.test");
    assert_err(accept_one(r, q, 2, "lost@example.test"), ERR_UNAVAILABLE);
    assert_true(pg_proxy_fired(proxy));
    assert_int_equal(count_of(r, QUEUE "message"), 1);
    RIG_UNTIL(r, queue_health(q) == 0);
    assert_ok(accept_one(r, q, 3, "after@example.test"));
    assert_int_equal(count_of(r, QUEUE "live WHERE recipient = 'lost@example.test'"), 0);
    assert_int_equal(due(r, q, "example.test", "", 0, 9).count, 2);
    WAIT_UNTIL(count_of(r, OURS) == sessions);
}

static void a_delivery_whose_commit_is_lost(struct rig *r, enum pg_proxy_fault fault, int expect)
{
    struct pg_proxy *proxy;
    static const char *const alice[] = {"alice", NULL}, *const lost[] = {"alice", "lost-user", NULL};
    struct mail *m = begin_mail(r, rig_open_through_proxy(r, &proxy), "mail1", 1, NULL);
    assert_ok(deliver(r, m, 1, "one", alice));
    pg_proxy_arm(proxy, fault, "lost-user");
    assert_err(deliver(r, m, 2, "two", lost), expect);
    assert_true(pg_proxy_fired(proxy));
    uint32_t there = expect == 0 ? 2 : 1;
    assert_int_equal(mailbox(r, m, "alice", "INBOX", NULL).messages, there);
    RIG_UNTIL(r, mail_health(m) == 0);
    assert_ok(deliver(r, m, 3, "three", alice));
    assert_int_equal(mailbox(r, m, "alice", "INBOX", NULL).messages, there + 1);
    assert_ok(deliver(r, m, 2, "two", lost)); /* again, as it is known: a relay does so */
    assert_int_equal(mailbox(r, m, "alice", "INBOX", NULL).messages, 3);
    assert_int_equal(mailbox(r, m, "lost-user", "INBOX", NULL).messages, 1);
}

static void a_delivery_that_has_committed_is_answered_so(void **state)
{
    a_delivery_whose_commit_is_lost(*state, PG_PROXY_LOSE_ANSWER, 0);
}

static void a_delivery_that_has_not_committed_never_is_there(void **state)
{
    a_delivery_whose_commit_is_lost(*state, PG_PROXY_LOSE_COMMIT, ERR_UNAVAILABLE);
}

static void a_record_that_has_committed_is_answered_so(void **state)
{
    struct rig *r = *state;
    struct pg_proxy *proxy;
    struct network *n = store_network(rig_open_through_proxy(r, &proxy));
    pg_proxy_arm(proxy, PG_PROXY_LOSE_ANSWER, "lost-key");
    assert_ok(record_put(r, n, "kind", "lost-key", "{}", 0, NULL));
    assert_true(pg_proxy_fired(proxy));
    assert_int_equal(count_of(r, "network.record WHERE key = 'lost-key' AND version = 1"), 1);
    assert_ok(record_put(r, n, "kind", "lost-key", "{}", 1, NULL));
}

static void a_record_that_has_not_committed_never_is_there(void **state)
{
    struct rig *r = *state;
    struct pg_proxy *proxy;
    int err;
    struct network *n = store_network(rig_open_through_proxy(r, &proxy));
    pg_proxy_arm(proxy, PG_PROXY_LOSE_COMMIT, "lost-key");
    assert_err(record_put(r, n, "kind", "lost-key", "{}", 0, NULL), ERR_UNAVAILABLE);
    assert_true(pg_proxy_fired(proxy));
    assert_int_equal(records(r, n, "kind", NULL).count, 0);
    while ((err = record_put(r, n, "kind", "next-key", "{}", 0, NULL)) == ERR_UNAVAILABLE)
        rig_turn(r);
    assert_ok(err);
    assert_int_equal(records(r, n, "kind", NULL).count, 1);
}

/* ---- a connection that breaks ---- */

static void what_was_killed_recovers(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r, r->store);
    assert_ok(accept_one(r, q, 1, "before@example.test"));
    assert_int_equal(due(r, q, "example.test", "", 0, 9).count, 1);
    assert_int_equal(records(r, r->network, "kind", NULL).count, 0);
    assert_true(rig_administer_number(r, "SELECT count(pg_terminate_backend(pid, 20000)) FROM " OURS) >= 4);
    assert_int_equal(due(r, q, "example.test", "", 0, 9).count, 1);
    assert_ok(records(r, r->network, "kind", NULL).err);
    int err = accept_one(r, q, 2, "killed@example.test");
    assert_int_equal(count_of(r, QUEUE "message"), err == 0 ? 2 : 1);
    RIG_UNTIL(r, queue_health(q) == 0);
    assert_ok(accept_one(r, q, 3, "after@example.test"));
    assert_int_equal(due(r, q, "example.test", "", 0, 9).count, err == 0 ? 3 : 2);
}

/* ---- several at a time ---- */

static void on_accept(void *arg, int err, int64_t message_id)
{
    (void)message_id;
    on_plain(arg, err);
}

static void on_own(void *arg, int err, struct queue *q, int64_t epoch)
{
    ((struct answer *)arg)->number = epoch;
    ((struct answer *)arg)->queue = q;
    on_plain(arg, err);
}

static void start_accept(struct queue *q, uint64_t id, struct str address, struct answer *a)
{
    struct queue_message_in in = {
        .custody_id = id_of(id), .id_is_drawn = true, .helo = address, .received_at = {1000}};
    struct queue_recipient_in to = {address, STR("example.test"), STR_EMPTY};
    struct body_writer *w = queue_body_begin(q);
    body_append(w, "x", 1);
    queue_accept(q, w, &in, &to, 1, on_accept, a);
}

static void wait_for_waiters(struct rig *r, long count)
{
    WAIT_UNTIL(count_of(r, "pg_locks WHERE NOT granted") == count);
}

/* Its accept is under way when the next owner takes the queue. */
static void an_owner_is_fenced_in_the_midst_of_an_accept(void **state)
{
    struct rig *r = *state;
    struct store *west = rig_open(r);
    struct queue *q = new_queue(r, r->store);
    ASK(r, owned);
    ASK(r, accepted);
    assert_ok(accept_one(r, q, 1, "before@example.test"));
    rig_administer(r, "BEGIN");
    rig_administer(r, "SELECT 1 FROM " QUEUE "owner FOR UPDATE");
    store_queue_own(west, STR("relay-east"), STR("west1"), 1, on_own, &owned);
    wait_for_waiters(r, 1);
    start_accept(q, 2, STR("stale@example.test"), &accepted);
    wait_for_waiters(r, 2);
    rig_administer(r, "COMMIT");
    rig_wait(r, &owned.done);
    rig_wait(r, &accepted.done);
    assert_ok(owned.err);
    assert_int_equal(owned.number, 2);
    assert_err(accepted.err, ERR_FENCED);
    assert_int_equal(count_of(r, QUEUE "message"), 1);
}

/* With the lock of its queue's owner, as a process that is stopped, or its machine: for as long as it likes.
 */
static void who_stands_still_in_the_midst_of_an_accept_is_in_nobodys_way(void **state)
{
    struct rig *r = *state;
    struct pg_proxy *proxy;
    struct store *east = rig_open_through_proxy(r, &proxy), *west = rig_open(r);
    struct queue *q = new_queue(r, east);
    ASK(r, accepted);
    assert_ok(accept_one(r, q, 1, "before@example.test"));
    pg_proxy_arm(proxy, PG_PROXY_STAND_STILL, "still@example.test");
    start_accept(q, 2, STR("still@example.test"), &accepted);
    WAIT_UNTIL(pg_proxy_fired(proxy));
    struct queue *taken = own(r, west, "relay-east", "west1", 1, NULL, NULL);
    assert_ok(accept_one(r, taken, 3, "after@example.test"));
    rig_wait(r, &accepted.done);
    assert_err(accepted.err, ERR_UNAVAILABLE);
    assert_int_equal(due(r, taken, "example.test", "", 0, 9).count, 2);
    assert_err(accept_one(r, q, 4, "stale@example.test"), ERR_FENCED);
}

static void a_text_that_is_none_is_kept_as_near_as_can_be(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r, r->store);
    struct answer answers[] = {{.rig = r}, {.rig = r}, {.rig = r}};
    static const struct str addresses[] = {STR("a@example.test"), STR("b\xff\0\xc3 \xc3\xa9@example.test"),
                                           STR("c@example.test")};
    for (size_t i = 0; i < ARRAY_LEN(answers); i++)
        start_accept(q, i + 1, addresses[i], &answers[i]);
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        rig_wait(r, &answers[i].done);
        assert_ok(answers[i].err);
    }
    struct answer a = due(r, q, "example.test", "", 0, 9);
    const struct queue_delivery *rows = a.items;
    assert_int_equal(a.count, 3);
    assert_str(rows[0].recipient, "a@example.test");
    assert_str(rows[1].recipient, "b??? \xc3\xa9@example.test");
    assert_str(rows[1].helo, "b??? \xc3\xa9@example.test");
    assert_str(rows[2].recipient, "c@example.test");
}

/* ---- ways to the server and back ---- */

#define MANY 100
/* A transaction: to begin it, who owns, what follows, the commit; and some for garbage. */
#define ASKED_MAX 9
/* Where, its question, and the ends of it and of the one before, for which nobody waits. */
#define READ_MAX 4

/* What was asked since *mark. */
static long asked_since(struct pg_proxy *p, unsigned long *mark)
{
    unsigned long asked = pg_proxy_asked(p), before = *mark;
    *mark = asked;
    return (long)(asked - before);
}

static void accept_many(struct rig *r, struct queue *q)
{
    static struct answer answers[MANY];
    for (size_t i = 0; i < MANY; i++) {
        answers[i] = (struct answer){.rig = r};
        start_accept(q, i + 1, STR("a@example.test"), &answers[i]);
    }
    for (size_t i = 0; i < MANY; i++) {
        rig_wait(r, &answers[i].done);
        assert_ok(answers[i].err);
    }
}

static void settle_many(struct rig *r, struct queue *q, enum queue_outcome outcome)
{
    struct queue_result results[MANY];
    ASK(r, a);
    for (size_t i = 0; i < MANY; i++)
        results[i] = (struct queue_result){.delivery_id = (int64_t)i + 1,
                                           .outcome = outcome,
                                           .reply = STR("250 taken"),
                                           .server = STR("mail1"),
                                           .instance = STR("east1"),
                                           .host = STR_EMPTY,
                                           .at = {2000}};
    queue_settle(q, results, MANY, on_plain, &a);
    rig_wait(r, &a.done);
    assert_ok(a.err);
}

/* On a store that is far away each takes as long as the network does. */
static void they_are_as_few_for_many_messages(void **state)
{
    struct rig *r = *state;
    struct pg_proxy *proxy;
    unsigned long mark = 0;
    struct queue *q = new_queue(r, rig_open_through_proxy(r, &proxy));
    assert_ok(accept_one(r, q, 1000, "first@example.test"));
    asked_since(proxy, &mark);
    accept_many(r, q);
    assert_in_range(asked_since(proxy, &mark), 1,
                    3 * ASKED_MAX); /* the first goes alone, more than one batch */
    assert_int_equal(due(r, q, "example.test", "", 0, MANY + 1).count, MANY + 1);
    asked_since(proxy, &mark);
    assert_int_equal(due(r, q, "example.test", "", 0, MANY + 1).count, MANY + 1);
    assert_in_range(asked_since(proxy, &mark), 1, READ_MAX);
    settle_many(r, q, QUEUE_OUTCOME_DEFERRED);
    assert_in_range(asked_since(proxy, &mark), 1, ASKED_MAX);
    assert_ok(read_body(r, queue_body_open(q, 1)).err);
    asked_since(proxy, &mark);
    assert_ok(read_body(r, queue_body_open(q, 1)).err);
    assert_in_range(asked_since(proxy, &mark), 1,
                    2 * READ_MAX); /* what there is, and that there is no more */
    queue_keep(q, true);
    settle_many(r, q, QUEUE_OUTCOME_DELIVERED);
    assert_in_range(asked_since(proxy, &mark), 1, ASKED_MAX);
    assert_int_equal(count_of(r, QUEUE "kept"), MANY);
}

static void bodies_that_go_are_asked_for_at_once(void **state)
{
    struct rig *r = *state;
    struct pg_proxy *proxy;
    unsigned long mark = 0;
    struct queue *q = new_queue(r, rig_open_through_proxy(r, &proxy));
    accept_many(r, q);
    asked_since(proxy, &mark);
    settle_many(r, q, QUEUE_OUTCOME_DELIVERED);
    assert_in_range(asked_since(proxy, &mark), 1, ASKED_MAX);
    assert_int_equal(count_of(r, QUEUE "body"), 0);
    assert_int_equal(count_of(r, QUEUE "chunk"), 0);
}

/* ---- numbers with gaps ---- */

static void on_pruned(void *arg, int err, size_t removed)
{
    ((struct answer *)arg)->number = (int64_t)removed;
    on_plain(arg, err);
}

/* A number of a transaction that was rolled back is not given again. */
static void events_are_counted_not_their_numbers(void **state)
{
    struct rig *r = *state;
    ASK(r, all);
    ASK(r, two);
    rig_administer(r, "INSERT INTO network.event(id, at_ms, kind, subject, detail) VALUES(1, 1, '', '', ''),"
                      " (2, 1, '', '', ''), (1000, 1, '', '', '')");
    network_events_prune(r->network, 3, (struct wall_time){0}, 9, NULL, on_pruned, &all);
    rig_wait(r, &all.done);
    assert_int_equal(all.number, 0);
    network_events_prune(r->network, 2, (struct wall_time){0}, 9, NULL, on_pruned, &two);
    rig_wait(r, &two.done);
    assert_int_equal(two.number, 1);
    assert_int_equal(rig_administer_number(r, "SELECT min(id) FROM network.event"), 2);
}

/* ---- what cannot be opened ---- */

static int open_with(struct rig *r, const char *password_file, struct err_buf *eb)
{
    struct store_options options = {.engine = r->engine, .path = r->uri, .password_file = password_file};
    struct store *s = NULL;
    int err = store_open(r->loop, &options, &s, eb);
    store_close(s);
    return err;
}

static void what_a_newer_program_made_is_refused(void **state)
{
    struct rig *r = *state;
    struct err_buf eb;
    assert_ok(open_with(r, NULL, &eb));
    rig_administer(r, "UPDATE network.part SET version = 999");
    assert_err(open_with(r, NULL, &eb), ERR_VERSION);
    assert_non_null(strstr(eb.text, "has schema version 999"));
    assert_non_null(strstr(eb.text, "run the newer program"));
    assert_int_equal(rig_administer_number(r, "SELECT version FROM network.part"), 999);
}

static void a_password_file_that_is_missing_is_told(void **state)
{
    struct err_buf eb;
    assert_err(open_with(*state, "/proc/none/password", &eb), ERR_NOT_FOUND);
    assert_non_null(strstr(eb.text, "password_file /proc/none/password cannot be read"));
}

/* ---- what is away at the start ---- */

/* A way to the server that is not there yet. */
static void make_way(const struct rig *r, char way[64], char uri[192])
{
    const char *host = strstr(r->uri, "?host=");
    assert_non_null(host);
    snprintf(way, 64, "%s/way-%d", cluster_folder(), r->database);
    snprintf(uri, 192, "%.*s?host=%s", (int)(host - r->uri), r->uri, way);
}

static void open_way(const char *way)
{
    assert_int_equal(symlink(cluster_folder(), way), 0);
}

static void what_may_be_away_is_opened_and_found_later(void **state)
{
    struct rig *r = *state;
    struct err_buf eb;
    struct store *s;
    char way[64], uri[192];
    make_way(r, way, uri);
    struct store_options options = {.engine = r->engine, .path = uri};
    assert_err(store_open(r->loop, &options, &s, &eb), ERR_UNAVAILABLE);
    options.may_be_away = true;
    assert_ok(store_open(r->loop, &options, &s, &eb));
    assert_true(store_is_away(s));
    assert_err(records(r, store_network(s), "kind", NULL).err, ERR_UNAVAILABLE);
    assert_err(record_put(r, store_network(s), "kind", "key", "{}", NETWORK_ABSENT, NULL), ERR_UNAVAILABLE);
    rig_administer(r, "UPDATE network.part SET version = version + 999");
    open_way(way);
    for (int i = 0; i < 300; i++) /* longer than the writer waits between two tries */
        rig_turn(r);
    assert_true(store_is_away(s)); /* it is not taken for what it is not */
    assert_err(records(r, store_network(s), "kind", NULL).err, ERR_UNAVAILABLE);
    rig_administer(r, "UPDATE network.part SET version = version - 999");
    RIG_UNTIL(r, !store_is_away(s));
    assert_ok(record_put(r, store_network(s), "kind", "key", "{}", NETWORK_ABSENT, NULL));
    assert_int_equal(records(r, r->network, "kind", "key").count, 1);
    store_close(s);
    assert_int_equal(unlink(way), 0);
}

static const struct rig_test postgres_tests[] = {
    {"an accept that has committed is answered so", an_accept_that_has_committed_is_answered_so},
    {"an accept that has not committed never is there", an_accept_that_has_not_committed_never_is_there},
    {"a delivery that has committed is answered so", a_delivery_that_has_committed_is_answered_so},
    {"a delivery that has not committed never is there", a_delivery_that_has_not_committed_never_is_there},
    {"a record that has committed is answered so", a_record_that_has_committed_is_answered_so},
    {"a record that has not committed never is there", a_record_that_has_not_committed_never_is_there},
    {"what was killed recovers", what_was_killed_recovers},
    {"an owner is fenced in the midst of an accept", an_owner_is_fenced_in_the_midst_of_an_accept},
    {"who stands still in the midst of an accept is in nobody's way",
     who_stands_still_in_the_midst_of_an_accept_is_in_nobodys_way},
    {"a text that is none is kept as near as can be", a_text_that_is_none_is_kept_as_near_as_can_be},
    {"they are as few for many messages", they_are_as_few_for_many_messages},
    {"bodies that go are asked for at once", bodies_that_go_are_asked_for_at_once},
    {"events are counted, not their numbers", events_are_counted_not_their_numbers},
    {"what a newer program made is refused", what_a_newer_program_made_is_refused},
    {"a password file that is missing is told", a_password_file_that_is_missing_is_told},
    {"what may be away is opened, and found later", what_may_be_away_is_opened_and_found_later},
    {NULL, NULL},
};

int main(void)
{
    return rig_run("store, PostgreSQL engine", rig_setup_postgres, postgres_tests);
}
