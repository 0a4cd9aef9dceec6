/* What operators select: each way to name mail, in queues that are larger than a slice. */
#include "rig.h"

#include <stdio.h>

#define RECIPIENTS 1000 /* of a message: seven of them are more than a slice looks at */
#define MANY       7

static struct queue *new_queue(struct rig *r)
{
    return own(r, r->store, "relay-east", "east1", 0, NULL, NULL);
}

static const struct queue_delivery *row(const struct answer *a, size_t i)
{
    assert_true(i < a->count);
    return &((const struct queue_delivery *)a->items)[i];
}

static struct answer find(struct rig *r, struct queue *q, struct queue_filter filter)
{
    filter.limit = filter.limit ? filter.limit : 100;
    struct answer a = list_rows(r, q, &filter);
    assert_ok(a.err);
    return a;
}

static void on_accept(void *arg, int err, int64_t message_id)
{
    (void)message_id;
    on_plain(arg, err);
}

/* One message for RECIPIENTS of them; the last one's is `last`. */
static void accept_many(struct rig *r, struct queue *q, uint64_t number, const char *sender, const char *last)
{
    static char names[RECIPIENTS][32];
    static struct queue_recipient_in to[RECIPIENTS];
    struct queue_message_in in = {.custody_id = id_of(number),
                                  .reverse_path = str_from(sender),
                                  .helo = STR("client.example.test"),
                                  .client = STR("127.0.0.9"),
                                  .received_at = {(int64_t)number * 1000}};
    ASK(r, a);
    for (size_t i = 0; i < RECIPIENTS; i++) {
        snprintf(names[i], sizeof(names[i]), "u%zu@example.test", i);
        to[i] =
            (struct queue_recipient_in){str_from(i + 1 < RECIPIENTS ? names[i] : last), STR("example.test")};
    }
    struct body_writer *w = queue_body_begin(q);
    body_append(w, "x", 1);
    queue_accept(q, w, &in, to, RECIPIENTS, on_accept, &a);
    rig_wait(r, &a.done);
    assert_ok(a.err);
}

static void fill(struct rig *r, struct queue *q)
{
    for (uint64_t i = 1; i < MANY; i++)
        accept_many(r, q, i, "a@b.test", "u@example.test");
    accept_many(r, q, MANY, "rare@b.test", "rare@example.test");
}

static void it_is_found_by_what_it_has(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    for (uint64_t i = 1; i <= 4; i++)
        assert_ok(accept_one(r, q, i, i % 2 ? "Alice@example.test" : "bob@other.test"));
    struct answer first = find(r, q, (struct queue_filter){.limit = 1});
    assert_ok(settle(r, q, row(&first, 0)->id, QUEUE_OUTCOME_DEFERRED, 0)); /* 250 2.0.0 taken */
    assert_int_equal(find(r, q, (struct queue_filter){.domain = STR("other.test")}).count, 2);
    assert_int_equal(find(r, q, (struct queue_filter){.domain = STR("absent.test")}).count, 0);
    assert_int_equal(find(r, q, (struct queue_filter){.recipient = STR("aLICE@Example.test")}).count, 2);
    assert_int_equal(find(r, q, (struct queue_filter){.sender = STR("Sender@EXAMPLE.net")}).count, 4);
    assert_int_equal(find(r, q, (struct queue_filter){.reply = STR("2.0.0 TAKEN")}).count, 1);
    assert_int_equal(find(r, q, (struct queue_filter){.reply = STR("%")}).count, 0);
    struct answer a = find(r, q, (struct queue_filter){.received_from = {2000}, .received_before = {4000}});
    assert_int_equal(a.count, 2);
    assert_int_equal(row(&a, 0)->received_at.ms, 2000);
    assert_int_equal(row(&a, 1)->received_at.ms, 3000);
    a = find(r, q, (struct queue_filter){.domain = STR("other.test"), .received_from = {3000}});
    assert_int_equal(a.count, 1);
    assert_int_equal(row(&a, 0)->received_at.ms, 4000);
}

static void it_is_found_by_its_message_id(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    char longest[QUEUE_HEADER_ID_MAX + 10];
    memset(longest, 'x', sizeof(longest));
    assert_ok(accept_one(r, q, 1, "alice@example.test"));
    r->header_id = STR("<one@sender.test>");
    assert_ok(accept_one(r, q, 2, "alice@example.test"));
    r->header_id = (struct str){longest, sizeof(longest)};
    assert_ok(accept_one(r, q, 3, "alice@example.test"));
    r->header_id = STR_EMPTY;
    queue_close(q); /* what the journal kept */
    q = own(r, r->store, "relay-east", "west1", 1, NULL, NULL);
    struct answer a = find(r, q, (struct queue_filter){.header_id = STR("<one@sender.test>")});
    assert_int_equal(a.count, 1);
    assert_int_equal(row(&a, 0)->received_at.ms, 2000);
    a = find(r, q, (struct queue_filter){.header_id = {longest, QUEUE_HEADER_ID_MAX}});
    assert_int_equal(a.count, 1);
    assert_int_equal(find(r, q, (struct queue_filter){.header_id = STR("<ONE@sender.test>")}).count, 0);
    assert_int_equal(find(r, q, (struct queue_filter){.header_id = STR_EMPTY}).count, 1);
}

static void a_domain_is_meant_with_any_home(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    struct str routed[] = {STR("example.test"), STR("other.test")};
    for (uint64_t i = 1; i <= 3; i++)
        assert_ok(accept_one(r, q, i, i == 3 ? "x@other.test" : "alice@example.test"));
    struct queue_filter first = {.limit = 1};
    assert_ok(act(r, q, &first, QUEUE_ACT_MOVE, "mail2", NULL));
    assert_int_equal(find(r, q, (struct queue_filter){.domain = STR("example.test")}).count, 2);
    assert_int_equal(
        find(r, q, (struct queue_filter){.domain = STR("example.test"), .home = STR("mail2")}).count, 1);
    assert_int_equal(
        find(r, q, (struct queue_filter){.domain = STR("example.test"), .domains = routed, .domain_count = 2})
            .count,
        1);
    struct str alice = STR("alice@example.test"), other = STR("other.test");
    assert_int_equal(
        find(r, q, (struct queue_filter){.domain = STR("example.test"), .recipient = alice}).count, 2);
    assert_int_equal(find(r, q, (struct queue_filter){.domain = other, .recipient = alice}).count, 0);
    assert_ok(act(r, q, &(struct queue_filter){.limit = 0}, QUEUE_ACT_REMOVE, "", NULL));
    assert_int_equal(find(r, q, (struct queue_filter){.domain = other, .states = 0x3f}).count, 1);
    assert_int_equal(find(r, q, (struct queue_filter){.home = STR("mail2"), .states = 0x3f}).count, 1);
}

static void what_is_stopped_is_found_wherever_it_goes(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    const uint32_t stopped = 1 << QUEUE_HELD | 1 << QUEUE_QUARANTINED;
    for (uint64_t i = 1; i <= 6; i++)
        assert_ok(accept_one(r, q, i, i % 2 ? "alice@example.test" : "bob@other.test"));
    struct queue_filter three = {.limit = 3}, one = {.limit = 1};
    assert_ok(act(r, q, &three, QUEUE_ACT_HOLD, "", NULL));
    assert_ok(act(r, q, &one, QUEUE_ACT_QUARANTINE, "", NULL));
    struct answer a = find(r, q, (struct queue_filter){.states = stopped, .limit = 2});
    assert_int_equal(a.count, 2);
    assert_true(a.more);
    assert_int_equal(row(&a, 0)->state, QUEUE_QUARANTINED);
    assert_int_equal(row(&a, 1)->received_at.ms, 2000);
    a = find(r, q, (struct queue_filter){.states = stopped, .limit = 2, .after_id = row(&a, 1)->id});
    assert_int_equal(a.count, 1);
    assert_int_equal(row(&a, 0)->received_at.ms, 3000);
    assert_false(a.more);
}

static void a_rare_one_is_found_among_many(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    fill(r, q);
    struct queue_filter rare = {.recipient = STR("rare@example.test"), .limit = 3};
    struct answer a = find(r, q, rare);
    assert_int_equal(a.count, 1);
    assert_false(a.more);
    assert_str(row(&a, 0)->reverse_path, "rare@b.test");
    a = find(r, q, (struct queue_filter){.sender = STR("rare@b.test"), .limit = 1000});
    assert_int_equal(a.count, RECIPIENTS);
    assert_false(a.more);
    a = find(r, q, (struct queue_filter){.recipient = STR("u7@example.test"), .limit = 3, .states = 0x3f});
    assert_int_equal(a.count, 3);
    assert_true(a.more);
    assert_int_equal(row(&a, 2)->received_at.ms, 3000);
}

static void an_act_reaches_all_that_it_names(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    uint64_t changed;
    fill(r, q);
    struct queue_filter each = {.recipient = STR("u7@example.test")}, five = {.limit = 5};
    assert_ok(act(r, q, &each, QUEUE_ACT_HOLD, "", &changed));
    assert_int_equal(changed, MANY);
    assert_ok(act(r, q, &five, QUEUE_ACT_RELEASE, "", &changed)); /* of those that can be released */
    assert_int_equal(changed, 5);
    assert_int_equal(find(r, q, (struct queue_filter){.states = 1 << QUEUE_HELD}).count, MANY - 5);
    assert_ok(act(r, q, &(struct queue_filter){.limit = 0}, QUEUE_ACT_HOLD, "", &changed));
    assert_int_equal(changed, MANY * RECIPIENTS - (MANY - 5));
    assert_ok(act(r, q, &(struct queue_filter){.limit = 0}, QUEUE_ACT_RELEASE, "", &changed));
    assert_int_equal(changed, MANY * RECIPIENTS);
    assert_ok(act(r, q, &(struct queue_filter){.limit = 0}, QUEUE_ACT_REMOVE, "", &changed));
    assert_int_equal(changed, MANY * RECIPIENTS);
    assert_int_equal(find(r, q, (struct queue_filter){.limit = 1}).count, 0);
    struct queue_filter removed = {.states = 1 << QUEUE_REMOVED, .recipient = STR("rare@example.test")};
    assert_int_equal(find(r, q, removed).count, 1);
}

/* Letters of ASCII in any case, others as they are, whatever language the store's device speaks. */
static void another_alphabet_is_found_as_it_is(void **state)
{
    struct rig *r = *state;
    struct queue *q = new_queue(r);
    assert_ok(accept_one(r, q, 1, "\xc3\x89T\xc3\x89@example.test"));
    assert_int_equal(
        find(r, q, (struct queue_filter){.recipient = STR("\xc3\x89t\xc3\x89@Example.test")}).count, 1);
    assert_int_equal(
        find(r, q, (struct queue_filter){.recipient = STR("\xc3\xa9t\xc3\xa9@example.test")}).count, 0);
}

const struct rig_test find_tests[] = {
    {"another alphabet is found as it is", another_alphabet_is_found_as_it_is},
    {"it is found by what it has", it_is_found_by_what_it_has},
    {"it is found by its Message-ID", it_is_found_by_its_message_id},
    {"a domain is meant with any home", a_domain_is_meant_with_any_home},
    {"what is stopped is found wherever it goes", what_is_stopped_is_found_wherever_it_goes},
    {"a rare one is found among many", a_rare_one_is_found_among_many},
    {"an act reaches all that it names", an_act_reaches_all_that_it_names},
    {NULL, NULL},
};
