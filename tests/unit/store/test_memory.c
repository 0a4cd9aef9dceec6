/* The contract suite on the memory engine, and the faults that it can play. */
#include "rig.h"

static uint64_t number_state;

static uint64_t next_number(void *arg, uint64_t n)
{
    (void)arg;
    number_state = number_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (number_state >> 33) % n;
}

static void play(struct rig *r, struct store_memory_faults faults)
{
    store_memory_set_faults(r->memory, &faults, next_number, NULL);
}

static void a_failed_sync_keeps_nothing(void **state)
{
    struct rig *r = *state;
    struct queue *q = own(r, r->store, "q", "east1", 0, NULL, NULL);
    play(r, (struct store_memory_faults){.sync_fail_ppm = 1000000});
    assert_err(accept_one(r, q, 1, "alice@example.test"), ERR_SYNC);
    assert_err(queue_health(q), ERR_SYNC);
    assert_null(queue_body_begin(q));
    play(r, (struct store_memory_faults){0});
    while (queue_health(q) != 0) /* until it has recovered */
        records(r, r->network, "node", NULL);
    assert_int_equal(due(r, q, "example.test", "", 0, 9).count, 0);
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
}

static void a_lost_reply_is_settled(void **state)
{
    struct rig *r = *state;
    struct queue *q = own(r, r->store, "q", "east1", 0, NULL, NULL);
    size_t accepted = 0;
    play(r, (struct store_memory_faults){.unknown_ppm = 1000000});
    for (uint64_t i = 1; i <= 20; i++) {
        int err = accept_one(r, q, i, "alice@example.test");
        assert_true(err == 0 || err == ERR_UNAVAILABLE);
        accepted += err == 0;
    }
    assert_in_range(accepted, 1, 19);
    assert_int_equal(due(r, q, "example.test", "", 0, 99).count, accepted);
}

static void a_full_device_takes_no_mail(void **state)
{
    struct rig *r = *state;
    struct queue *q = own(r, r->store, "q", "east1", 0, NULL, NULL);
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    play(r, (struct store_memory_faults){.full = true});
    assert_err(accept_one(r, q, 2, "alice@example.test"), ERR_FULL);
    assert_ok(settle(r, q, 1, QUEUE_OUTCOME_DELIVERED, 0));
    play(r, (struct store_memory_faults){.degraded = true});
    assert_err(accept_one(r, q, 2, "alice@example.test"), ERR_DEGRADED);
    play(r, (struct store_memory_faults){0});
    assert_ok(accept_one(r, q, 2, "alice@example.test"));
}

static void a_process_cut_off_gets_nothing(void **state)
{
    struct rig *r = *state;
    struct store *other = rig_open(r);
    store_memory_cut(other, true);
    assert_err(records(r, store_network(other), "node", NULL).err, ERR_UNAVAILABLE);
    assert_ok(records(r, r->network, "node", NULL).err);
    store_memory_cut(other, false);
    assert_ok(records(r, store_network(other), "node", NULL).err);
    rig_close(r, other);
}

static void a_corrupt_body_is_noticed(void **state)
{
    struct rig *r = *state;
    struct queue *q = own(r, r->store, "q", "east1", 0, NULL, NULL);
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    store_memory_corrupt(r->memory);
    assert_err(read_body(r, queue_body_open(q, 1)).err, ERR_CORRUPT);
}

static void uncommitted_work_dies_with_its_process(void **state)
{
    struct rig *r = *state;
    struct store *other = rig_open(r);
    struct network_change change = {NETWORK_PUT, STR("node"), STR("east"), STR("1"), NETWORK_ABSENT};
    network_write(store_network(other), &change, 1, NULL, NULL, NULL);
    rig_close(r, other);
    assert_int_equal(records(r, r->network, "node", NULL).count, 0);
}

/* Each mutant breaks a promise that the contract suite holds the engine to. */

static void the_mutant_that_answers_early_loses(void **state)
{
    struct rig *r = *state;
    struct store *other = rig_open(r);
    struct queue *q = own(r, other, "q", "east1", 0, NULL, NULL);
    play(r, (struct store_memory_faults){.mutant_ack_before_commit = true});
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    rig_close(r, other);
    q = own(r, r->store, "q", "east1", 1, NULL, NULL);
    assert_int_equal(due(r, q, "example.test", "", 0, 9).count, 0);
}

static void the_mutant_without_epochs_lets_a_stale_owner_write(void **state)
{
    struct rig *r = *state;
    struct queue *q = own(r, r->store, "q", "east1", 0, NULL, NULL);
    own(r, r->store, "q", "west1", 1, NULL, NULL);
    play(r, (struct store_memory_faults){.mutant_no_queue_epoch = true});
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
}

static void the_mutant_without_dedupe_shows_twice(void **state)
{
    struct rig *r = *state;
    struct mail *m = begin_mail(r, r->store, "mail1", 1, NULL);
    const char *to[] = {"alice@example.test", NULL};
    play(r, (struct store_memory_faults){.mutant_no_dedupe = true});
    assert_ok(deliver(r, m, 1, "x", to));
    assert_ok(deliver(r, m, 1, "x", to));
    assert_int_equal(mailbox(r, m, "alice@example.test", "INBOX", NULL).messages, 2);
}

static void the_mutant_that_loses_a_chunk_loses(void **state)
{
    struct rig *r = *state;
    struct queue *q = own(r, r->store, "q", "east1", 0, NULL, NULL);
    play(r, (struct store_memory_faults){.mutant_lose_last_chunk = true});
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    assert_int_equal(read_body(r, queue_body_open(q, 1)).text.len, 0);
}

static const struct rig_test memory_tests[] = {
    {"a failed sync keeps nothing", a_failed_sync_keeps_nothing},
    {"a lost reply is settled", a_lost_reply_is_settled},
    {"a full device takes no mail", a_full_device_takes_no_mail},
    {"a process cut off gets nothing", a_process_cut_off_gets_nothing},
    {"a corrupt body is noticed", a_corrupt_body_is_noticed},
    {"uncommitted work dies with its process", uncommitted_work_dies_with_its_process},
    {"the mutant that answers early loses", the_mutant_that_answers_early_loses},
    {"the mutant without epochs lets a stale owner write",
     the_mutant_without_epochs_lets_a_stale_owner_write},
    {"the mutant without dedupe shows twice", the_mutant_without_dedupe_shows_twice},
    {"the mutant that loses a chunk loses", the_mutant_that_loses_a_chunk_loses},
    {NULL, NULL},
};

int main(void)
{
    return rig_run("store, memory engine", rig_setup_memory, memory_tests);
}
