#include "rig.h"

#include <stdio.h>

#define KEPT INT64_C(60000) /* longer than any test */

/* ---- leases ---- */

static void a_lease_has_one_holder(void **state)
{
    struct rig *r = *state;
    struct network_lease east, other;
    assert_ok(lease_take(r->network, r, "director", "east", 0, KEPT, &east));
    assert_str(east.holder, "east");
    assert_in_range(east.remaining_ms, KEPT - 20000, KEPT);
    assert_err(lease_take(r->network, r, "director", "west", 0, KEPT, &other), ERR_BUSY);
    assert_str(other.holder, "east");
    assert_int_equal(other.token, east.token);
}

static void renewing_keeps_the_token(void **state)
{
    struct rig *r = *state;
    struct network_lease first, again;
    assert_ok(lease_take(r->network, r, "director", "east", 0, KEPT, &first));
    assert_ok(lease_take(r->network, r, "director", "east", first.token, KEPT, &again));
    assert_int_equal(again.token, first.token);
}

static void taking_anew_grows_the_token(void **state)
{
    struct rig *r = *state;
    struct network_lease first, again;
    assert_ok(lease_take(r->network, r, "director", "east", 0, KEPT, &first));
    assert_ok(lease_take(r->network, r, "director", "east", 0, KEPT, &again));
    assert_true(again.token > first.token);
    assert_err(lease_take(r->network, r, "director", "east", first.token, KEPT, NULL), ERR_BUSY);
}

static void a_lease_that_ran_out_can_be_taken(void **state)
{
    struct rig *r = *state;
    struct network_lease east, west;
    assert_ok(lease_take(r->network, r, "director", "east", 0, 0, &east));
    assert_ok(lease_take(r->network, r, "director", "west", 0, KEPT, &west));
    assert_true(west.token > east.token);
    assert_err(lease_take(r->network, r, "director", "east", east.token, KEPT, NULL), ERR_BUSY);
}

static void renewing_what_ran_out_shows_in_the_token(void **state)
{
    struct rig *r = *state;
    struct network_lease first, again;
    assert_ok(lease_take(r->network, r, "director", "east", 0, 0, &first));
    assert_ok(lease_take(r->network, r, "director", "east", first.token, KEPT, &again));
    assert_true(again.token > first.token);
}

static int release(struct rig *r, const char *name, const char *holder, int64_t token)
{
    ASK(r, a);
    network_lease_release(r->network, str_from(name), str_from(holder), token, on_plain, &a);
    rig_wait(r, &a.done);
    return a.err;
}

static void a_released_lease_is_free(void **state)
{
    struct rig *r = *state;
    struct network_lease east, west;
    assert_ok(lease_take(r->network, r, "director", "east", 0, KEPT, &east));
    assert_err(release(r, "director", "west", east.token), ERR_FENCED);
    assert_err(release(r, "director", "east", east.token + 1), ERR_FENCED);
    assert_ok(release(r, "director", "east", east.token));
    assert_ok(lease_take(r->network, r, "director", "west", 0, KEPT, &west));
    assert_true(west.token > east.token);
}

struct sight {
    struct answer answer;
    char text[128];
};

static void on_look(void *arg, int err, const struct network_sight *seen)
{
    struct sight *s = arg;
    char *out = s->text;
    for (size_t i = 0; i < seen->record_count; i++)
        out += sprintf(out, "%.*s/%.*s=%.*s ", STR_ARG(seen->records[i].kind), STR_ARG(seen->records[i].key),
                       STR_ARG(seen->records[i].value));
    for (size_t i = 0; i < seen->lease_count; i++)
        out += sprintf(out, "%.*s%c ", STR_ARG(seen->leases[i].name),
                       seen->leases[i].remaining_ms > 0 ? '+' : '-');
    on_plain(&s->answer, err);
}

static void expect_sight(struct rig *r, const struct str *kinds, size_t kind_count, const char *text)
{
    struct sight s = {.answer = {.rig = r}};
    network_look(r->network, kinds, kind_count, on_look, &s);
    rig_wait(r, &s.answer.done);
    assert_ok(s.answer.err);
    assert_string_equal(s.text, text);
}

static void all_of_some_kinds_and_the_leases_are_seen_at_once(void **state)
{
    struct rig *r = *state;
    const struct str kinds[] = {STR("work"), STR("node"), STR("none")};
    assert_ok(lease_take(r->network, r, "node/west", "w", 0, KEPT, NULL));
    assert_ok(lease_take(r->network, r, "node/east", "e", 0, 0, NULL));
    assert_ok(record_put(r, r->network, "work", "a", "1", NETWORK_ABSENT, NULL));
    assert_ok(record_put(r, r->network, "node", "west", "2", NETWORK_ABSENT, NULL));
    assert_ok(record_put(r, r->network, "node", "east", "3", NETWORK_ABSENT, NULL));
    assert_ok(record_put(r, r->network, "user", "alice", "4", NETWORK_ABSENT, NULL));
    expect_sight(r, kinds, ARRAY_LEN(kinds), "node/east=3 node/west=2 work/a=1 node/east- node/west+ ");
    expect_sight(r, NULL, 0, "node/east- node/west+ ");
}

/* ---- records ---- */

static void a_record_is_read_as_it_was_put(void **state)
{
    struct rig *r = *state;
    assert_ok(
        record_put(r, r->network, "route", "example.test", "{\"server\":\"mail1\"}", NETWORK_ABSENT, NULL));
    struct answer a = records(r, r->network, "route", "example.test");
    const struct network_record *record = a.items;
    assert_int_equal(a.count, 1);
    assert_str(record->kind, "route");
    assert_str(record->key, "example.test");
    assert_str(record->value, "{\"server\":\"mail1\"}");
    assert_int_equal(record->version, 1);
    assert_in_range(record->age_ms, 0, 20000);
}

static void a_kind_is_read_in_order_of_key(void **state)
{
    struct rig *r = *state;
    assert_ok(record_put(r, r->network, "node", "west", "{}", NETWORK_ABSENT, NULL));
    assert_ok(record_put(r, r->network, "node", "east", "{}", NETWORK_ABSENT, NULL));
    assert_ok(record_put(r, r->network, "site", "east", "{}", NETWORK_ABSENT, NULL));
    struct answer a = records(r, r->network, "node", NULL);
    assert_int_equal(a.count, 2);
    assert_str(((struct network_record *)a.items)[0].key, "east");
    assert_str(((struct network_record *)a.items)[1].key, "west");
    assert_int_equal(records(r, r->network, "node", "north").count, 0);
}

static void only_the_version_read_can_be_replaced(void **state)
{
    struct rig *r = *state;
    assert_ok(record_put(r, r->network, "user", "a", "1", NETWORK_ABSENT, NULL));
    assert_err(record_put(r, r->network, "user", "a", "2", NETWORK_ABSENT, NULL), ERR_CONFLICT);
    assert_err(record_put(r, r->network, "user", "a", "2", 7, NULL), ERR_CONFLICT);
    assert_err(record_put(r, r->network, "user", "b", "2", 1, NULL), ERR_CONFLICT);
    assert_ok(record_put(r, r->network, "user", "a", "2", 1, NULL));
    assert_ok(record_put(r, r->network, "user", "a", "3", NETWORK_ANY_VERSION, NULL));
    struct answer a = records(r, r->network, "user", "a");
    assert_int_equal(((struct network_record *)a.items)->version, 3);
    assert_str(((struct network_record *)a.items)->value, "3");
}

static void on_write(void *arg, int err, size_t failed)
{
    ((struct answer *)arg)->number = (int64_t)failed;
    on_plain(arg, err);
}

static struct answer write_changes(struct rig *r, const struct network_change *changes, size_t count)
{
    ASK(r, a);
    network_write(r->network, changes, count, NULL, on_write, &a);
    rig_wait(r, &a.done);
    return a;
}

static void a_write_is_all_or_nothing(void **state)
{
    struct rig *r = *state;
    struct network_change changes[] = {
        {NETWORK_PUT, STR("user"), STR("a"), STR("1"), NETWORK_ABSENT},
        {NETWORK_EVENT, STR("user-added"), STR("a"), STR("{}"), 0},
        {NETWORK_PUT, STR("user"), STR("b"), STR("1"), 5},
    };
    struct answer a = write_changes(r, changes, 3);
    assert_err(a.err, ERR_CONFLICT);
    assert_int_equal(a.number, 2);
    assert_int_equal(records(r, r->network, "user", NULL).count, 0);
    changes[2].expect_version = NETWORK_ABSENT;
    assert_ok(write_changes(r, changes, 3).err);
    assert_int_equal(records(r, r->network, "user", NULL).count, 2);
}

static void a_record_occurs_once_in_a_write(void **state)
{
    struct rig *r = *state;
    struct network_change changes[] = {
        {NETWORK_PUT, STR("user"), STR("a"), STR("1"), NETWORK_ANY_VERSION},
        {NETWORK_DELETE, STR("user"), STR("a"), STR_EMPTY, NETWORK_ANY_VERSION},
    };
    struct answer a = write_changes(r, changes, 2);
    assert_err(a.err, ERR_INVALID);
    assert_int_equal(a.number, 1);
}

static void a_deleted_record_is_gone_and_starts_anew(void **state)
{
    struct rig *r = *state;
    struct network_change remove = {NETWORK_DELETE, STR("user"), STR("a"), STR_EMPTY, 2};
    assert_ok(record_put(r, r->network, "user", "a", "1", NETWORK_ABSENT, NULL));
    assert_err(write_changes(r, &remove, 1).err, ERR_CONFLICT);
    remove.expect_version = 1;
    assert_ok(write_changes(r, &remove, 1).err);
    assert_int_equal(records(r, r->network, "user", "a").count, 0);
    assert_ok(record_put(r, r->network, "user", "a", "1", NETWORK_ABSENT, NULL));
}

static void a_guard_lets_only_the_holder_write(void **state)
{
    struct rig *r = *state;
    struct network_lease mine, stale;
    assert_ok(lease_take(r->network, r, "director", "east", 0, KEPT, &stale));
    assert_ok(lease_take(r->network, r, "director", "east", 0, KEPT, &mine));
    assert_ok(record_put(r, r->network, "server", "mail1", "1", NETWORK_ANY_VERSION, &mine));
    assert_err(record_put(r, r->network, "server", "mail1", "2", NETWORK_ANY_VERSION, &stale), ERR_FENCED);
    assert_ok(lease_take(r->network, r, "director", "east", mine.token, 0, NULL));
    assert_err(record_put(r, r->network, "server", "mail1", "3", NETWORK_ANY_VERSION, &mine), ERR_FENCED);
    assert_str(((struct network_record *)records(r, r->network, "server", "mail1").items)->value, "1");
}

static void another_process_sees_what_was_written(void **state)
{
    struct rig *r = *state;
    struct store *other = rig_open(r);
    assert_ok(record_put(r, r->network, "node", "east", "1", NETWORK_ABSENT, NULL));
    assert_int_equal(records(r, store_network(other), "node", "east").count, 1);
    assert_err(record_put(r, store_network(other), "node", "east", "2", NETWORK_ABSENT, NULL), ERR_CONFLICT);
    assert_ok(record_put(r, store_network(other), "node", "east", "2", 1, NULL));
    assert_str(((struct network_record *)records(r, r->network, "node", "east").items)->value, "2");
    rig_close(r, other);
}

/* ---- events ---- */

struct event_texts {
    struct answer answer;
    char text[256];
    int64_t last_id;
};

static void on_events(void *arg, int err, const struct network_event *events, size_t count)
{
    struct event_texts *t = arg;
    for (size_t i = 0; i < count; i++) {
        strncat(t->text, events[i].subject.ptr, events[i].subject.len);
        strcat(t->text, " ");
        assert_true(events[i].id > t->last_id);
        assert_true(events[i].at.ms > 0);
        t->last_id = events[i].id;
    }
    on_plain(&t->answer, err);
}

static struct event_texts events(struct rig *r, int64_t after_id, size_t limit)
{
    struct event_texts t = {.answer = {.rig = r}};
    network_events(r->network, after_id, limit, on_events, &t);
    rig_wait(r, &t.answer.done);
    assert_ok(t.answer.err);
    return t;
}

static void events_come_oldest_first(void **state)
{
    struct rig *r = *state;
    const char *subjects[] = {"one", "two", "three", "four"};
    for (size_t i = 0; i < 4; i++) {
        struct network_change event = {NETWORK_EVENT, STR("failover"), str_from(subjects[i]), STR("{}"), 0};
        assert_ok(write_changes(r, &event, 1).err);
    }
    struct event_texts first = events(r, 0, 2);
    assert_string_equal(first.text, "one two ");
    assert_string_equal(events(r, first.last_id, 9).text, "three four ");
    assert_string_equal(events(r, -1, 3).text, "two three four ");
}

static void on_pruned(void *arg, int err, size_t removed)
{
    struct answer *a = arg;
    a->number = (int64_t)removed;
    on_plain(a, err);
}

static struct answer prune(struct rig *r, int64_t keep, int64_t before_ms, size_t limit,
                           const struct network_lease *guard)
{
    ASK(r, a);
    network_events_prune(r->network, keep, (struct wall_time){before_ms}, limit, guard, on_pruned, &a);
    rig_wait(r, &a.done);
    return a;
}

static void events_are_pruned_by_count_and_age_in_steps(void **state)
{
    struct rig *r = *state;
    const char *subjects[] = {"one", "two", "three", "four", "five"};
    for (size_t i = 0; i < 5; i++) {
        struct network_change event = {NETWORK_EVENT, STR("failover"), str_from(subjects[i]), STR("{}"), 0};
        assert_ok(write_changes(r, &event, 1).err);
    }
    struct network_lease nobody = {.name = STR("director"), .holder = STR("east1"), .token = 9};
    assert_err(prune(r, 0, 0, 9, &nobody).err, ERR_FENCED);
    assert_int_equal(prune(r, 9, 0, 9, NULL).number, 0);
    assert_int_equal(prune(r, 2, 0, 2, NULL).number, 2); /* a step */
    assert_string_equal(events(r, 0, 9).text, "three four five ");
    assert_int_equal(prune(r, 2, 0, 2, NULL).number, 1);
    assert_string_equal(events(r, 0, 9).text, "four five ");
    assert_string_equal(events(r, -1, 9).text, "four five ");
    assert_int_equal(prune(r, 9, INT64_MAX, 1, NULL).number, 1); /* too old */
    assert_string_equal(events(r, 0, 9).text, "five ");
    struct event_texts last = events(r, 0, 9);
    assert_int_equal(prune(r, 9, INT64_MAX, 9, NULL).number, 1);
    struct network_change event = {NETWORK_EVENT, STR("failover"), STR("six"), STR("{}"), 0};
    assert_ok(write_changes(r, &event, 1).err);
    assert_true(events(r, 0, 9).last_id > last.last_id); /* no number comes twice */
}

/* ---- watching ---- */

static void on_change(void *arg)
{
    on_plain(arg, 0);
}

static void a_watch_fires_for_another_process(void **state)
{
    struct rig *r = *state;
    struct store *other = rig_open(r);
    ASK(r, a);
    struct network_watch *w = network_watch_new(r->network, on_change, &a);
    assert_ok(record_put(r, store_network(other), "node", "east", "1", NETWORK_ABSENT, NULL));
    rig_wait(r, &a.done);
    a.done = false;
    assert_ok(lease_take(store_network(other), r, "node/east", "east", 0, KEPT, NULL));
    rig_wait(r, &a.done);
    network_watch_free(w);
    rig_close(r, other);
}

static struct network_watch *second_watch;

static void on_change_free_other(void *arg)
{
    network_watch_free(second_watch);
    second_watch = NULL;
    on_plain(arg, 0);
}

static void on_change_never(void *arg)
{
    (void)arg;
    fail_msg("a freed watch fired");
}

static void a_watch_may_be_freed_while_it_is_told(void **state)
{
    struct rig *r = *state;
    ASK(r, a);
    struct network_watch *first = network_watch_new(r->network, on_change_free_other, &a);
    second_watch = network_watch_new(r->network, on_change_never, NULL);
    assert_ok(record_put(r, r->network, "node", "east", "1", NETWORK_ABSENT, NULL));
    rig_wait(r, &a.done);
    network_watch_free(first);
}

/* ---- operations ---- */

static void on_never(void *arg, int err)
{
    (void)arg, (void)err;
    fail_msg("a forgotten operation answered");
}

static void on_write_never(void *arg, int err, size_t failed)
{
    (void)failed;
    on_never(arg, err);
}

static void a_forgotten_operation_does_not_answer(void **state)
{
    struct rig *r = *state;
    struct network_change change = {NETWORK_PUT, STR("node"), STR("east"), STR("1"), NETWORK_ABSENT};
    store_op_forget(network_write(r->network, &change, 1, NULL, on_write_never, NULL));
    assert_err(record_put(r, r->network, "node", "east", "2", NETWORK_ABSENT, NULL), ERR_CONFLICT);
}

static void closing_forgets_what_is_pending(void **state)
{
    struct rig *r = *state;
    struct store *other = rig_open(r);
    struct network_change change = {NETWORK_PUT, STR("node"), STR("east"), STR("1"), NETWORK_ANY_VERSION};
    for (int i = 0; i < 100; i++)
        network_write(store_network(other), &change, 1, NULL, on_write_never, NULL);
    rig_close(r, other);
    assert_ok(record_put(r, r->network, "node", "east", "2", NETWORK_ANY_VERSION, NULL));
}

static void writes_commit_in_the_order_of_the_calls(void **state)
{
    struct rig *r = *state;
    char text[16];
    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof(text), "%d", i);
        struct network_change change = {NETWORK_PUT, STR("node"), STR("east"), str_from(text), i};
        store_op_forget(network_write(r->network, &change, 1, NULL, on_write_never, NULL));
    }
    assert_ok(record_put(r, r->network, "node", "east", "last", 200, NULL));
}

/* ---- keys ---- */

/* By their bytes they would be two; made fit, one. */
static void a_key_that_is_no_text_is_refused(void **state)
{
    struct rig *r = *state;
    struct network_lease lease;
    const struct network_change changes[] = {{NETWORK_PUT, STR("kind"), STR("good"), STR("{}"), 0},
                                             {NETWORK_PUT, STR("kind"), STR("a\0b"), STR("{}"), 0}};
    assert_err(record_put(r, r->network, "kind", "a\xff", "{}", NETWORK_ABSENT, NULL), ERR_INVALID);
    assert_err(record_put(r, r->network, "\xc3", "a", "{}", NETWORK_ABSENT, NULL), ERR_INVALID);
    struct answer a = write_changes(r, changes, 2);
    assert_err(a.err, ERR_INVALID);
    assert_int_equal(a.number, 1);
    assert_int_equal(records(r, r->network, "kind", NULL).count, 0);
    assert_err(records(r, r->network, "kind", "\xff").err, ERR_INVALID);
    assert_err(lease_take(r->network, r, "node/\xff", "east", 0, 60000, &lease), ERR_INVALID);
    assert_err(lease_take(r->network, r, "node/east", "\xff", 0, 60000, &lease), ERR_INVALID);
    assert_ok(record_put(r, r->network, "kind", "caf\xc3\xa9", "{}", NETWORK_ABSENT, NULL));
}

const struct rig_test network_tests[] = {
    {"a key that is no text is refused", a_key_that_is_no_text_is_refused},
    {"a lease has one holder", a_lease_has_one_holder},
    {"renewing keeps the token", renewing_keeps_the_token},
    {"taking anew grows the token", taking_anew_grows_the_token},
    {"a lease that ran out can be taken", a_lease_that_ran_out_can_be_taken},
    {"renewing what ran out shows in the token", renewing_what_ran_out_shows_in_the_token},
    {"a released lease is free", a_released_lease_is_free},
    {"all of some kinds and the leases are seen at once", all_of_some_kinds_and_the_leases_are_seen_at_once},
    {"a record is read as it was put", a_record_is_read_as_it_was_put},
    {"a kind is read in order of key", a_kind_is_read_in_order_of_key},
    {"only the version read can be replaced", only_the_version_read_can_be_replaced},
    {"a write is all or nothing", a_write_is_all_or_nothing},
    {"a record occurs once in a write", a_record_occurs_once_in_a_write},
    {"a deleted record is gone and starts anew", a_deleted_record_is_gone_and_starts_anew},
    {"a guard lets only the holder write", a_guard_lets_only_the_holder_write},
    {"another process sees what was written", another_process_sees_what_was_written},
    {"events come oldest first", events_come_oldest_first},
    {"events are pruned by count and age in steps", events_are_pruned_by_count_and_age_in_steps},
    {"a watch fires for another process", a_watch_fires_for_another_process},
    {"a watch may be freed while it is told", a_watch_may_be_freed_while_it_is_told},
    {"a forgotten operation does not answer", a_forgotten_operation_does_not_answer},
    {"closing forgets what is pending", closing_forgets_what_is_pending},
    {"writes commit in the order of the calls", writes_commit_in_the_order_of_the_calls},
    {NULL, NULL},
};
