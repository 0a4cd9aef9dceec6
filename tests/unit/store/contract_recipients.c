/* The contract of the network for recipients that servers were asked about. */
#include "rig.h"

#include <stdio.h>

static const struct network_recipient_bounds everything = {INT64_MAX, INT64_MAX, {INT64_MIN}, {INT64_MIN}};

static int put(struct rig *r, const char *domain, const struct network_recipient *answers, size_t count,
               const struct network_recipient_bounds *bounds)
{
    ASK(r, a);
    network_recipients_put(r->network, str_from(domain), answers, count, bounds, on_plain, &a);
    rig_wait(r, &a.done);
    return a.err;
}

int recipient_put(struct rig *r, const char *domain, const char *address, bool known, int64_t at_ms)
{
    return put(r, domain, &(struct network_recipient){str_from(address), known, {at_ms}}, 1, &everything);
}

static void on_found(void *arg, int err, const struct network_recipient *found)
{
    struct answer *a = arg;
    if (found) {
        struct network_recipient *copy = arena_alloc(&a->rig->arena, sizeof(*copy));
        *copy = *found;
        copy->address = rig_str(a->rig, found->address);
        a->items = copy;
    }
    on_plain(a, err);
}

static const struct network_recipient *find(struct rig *r, struct network *n, const char *domain,
                                            const char *address)
{
    ASK(r, a);
    network_recipient_find(n, str_from(domain), str_from(address), on_found, &a);
    rig_wait(r, &a.done);
    assert_ok(a.err);
    return a.items;
}

const struct network_recipient *recipient(struct rig *r, const char *domain, const char *address)
{
    return find(r, r->network, domain, address);
}

static void an_answer_is_read_as_it_was_put(void **state)
{
    struct rig *r = *state;
    assert_ok(recipient_put(r, "t", "bob@t", true, 1700000000123));
    assert_ok(recipient_put(r, "t", "eve@t", false, 5));
    const struct network_recipient *bob = recipient(r, "t", "bob@t"), *eve = recipient(r, "t", "eve@t");
    assert_str(bob->address, "bob@t");
    assert_true(bob->known);
    assert_int_equal(bob->at.ms, 1700000000123);
    assert_false(eve->known);
    assert_null(recipient(r, "t", "carol@t"));
    assert_null(recipient(r, "other", "bob@t"));
}

static void another_process_sees_the_answer(void **state)
{
    struct rig *r = *state;
    struct store *other = rig_open(r);
    assert_ok(recipient_put(r, "t", "bob@t", true, 1));
    assert_true(find(r, store_network(other), "t", "bob@t")->known);
}

static void of_two_answers_the_later_one_stays(void **state)
{
    struct rig *r = *state;
    assert_ok(recipient_put(r, "t", "bob@t", true, 10));
    assert_ok(recipient_put(r, "t", "bob@t", false, 9));
    assert_true(recipient(r, "t", "bob@t")->known);
    assert_ok(recipient_put(r, "t", "bob@t", false, 11));
    assert_false(recipient(r, "t", "bob@t")->known);
    assert_int_equal(recipient(r, "t", "bob@t")->at.ms, 11);
}

/* first@t .. last@t, all with one answer, from 1,000 ms on. */
static int put_many(struct rig *r, int first, int last, bool known,
                    const struct network_recipient_bounds *bounds)
{
    struct network_recipient answers[64];
    char names[64][16];
    size_t count = 0;
    for (int i = first; i <= last; i++, count++) {
        snprintf(names[count], sizeof(names[count]), "%d@t", i);
        answers[count] = (struct network_recipient){str_from(names[count]), known, {1000 + i}};
    }
    return put(r, "t", answers, count, bounds);
}

static int count_known(struct rig *r, int first, int last)
{
    char name[16];
    int count = 0;
    for (int i = first; i <= last; i++) {
        snprintf(name, sizeof(name), "%d@t", i);
        count += recipient(r, "t", name) != NULL;
    }
    return count;
}

static void the_oldest_of_too_many_go(void **state)
{
    struct rig *r = *state;
    struct network_recipient_bounds bounds = {5, 5, {0}, {0}};
    assert_ok(put_many(r, 1, 20, false, &bounds));
    assert_int_equal(count_known(r, 1, 15), 0);
    assert_int_equal(count_known(r, 16, 20), 5);
    assert_ok(put_many(r, 21, 23, false, &bounds));
    assert_int_equal(count_known(r, 1, 18), 0);
    assert_int_equal(count_known(r, 19, 23), 5);
}

static void what_is_unknown_moves_nothing_that_is_known(void **state)
{
    struct rig *r = *state;
    struct network_recipient_bounds bounds = {5, 5, {0}, {0}};
    assert_ok(put_many(r, 1, 5, true, &bounds));
    assert_ok(put_many(r, 30, 60, false, &bounds));
    assert_int_equal(count_known(r, 1, 5), 5);
    assert_int_equal(count_known(r, 30, 60), 5);
}

/* Each turns from the one to the other: the two counts follow. */
static void an_answer_that_changes_is_counted_once(void **state)
{
    struct rig *r = *state;
    struct network_recipient_bounds bounds = {5, 5, {0}, {0}};
    for (int i = 0; i < 20; i++)
        assert_ok(put(r, "t", &(struct network_recipient){STR("x@t"), i % 2 == 0, {i}}, 1, &bounds));
    assert_ok(put_many(r, 1, 4, false, &bounds));
    assert_ok(put_many(r, 10, 14, true, &bounds));
    assert_int_equal(count_known(r, 1, 4), 4);
    assert_int_equal(count_known(r, 10, 14), 5);
    assert_non_null(recipient(r, "t", "x@t"));
}

static void what_is_too_old_goes_with_the_next_put(void **state)
{
    struct rig *r = *state;
    struct network_recipient_bounds bounds = {100, 100, {1004}, {1003}};
    assert_ok(put_many(r, 1, 5, true, &everything));
    assert_ok(put_many(r, 11, 15, false, &everything));
    assert_ok(put(r, "t", NULL, 0, &bounds));
    assert_int_equal(count_known(r, 1, 3), 0);
    assert_int_equal(count_known(r, 4, 5), 2);
    assert_int_equal(count_known(r, 11, 15), 5);
    bounds.unknown_since.ms = 1015;
    assert_ok(put(r, "t", NULL, 0, &bounds));
    assert_int_equal(count_known(r, 11, 15), 1);
}

static void domains_are_bounded_apart(void **state)
{
    struct rig *r = *state;
    struct network_recipient_bounds none = {0, 0, {INT64_MAX}, {INT64_MAX}};
    assert_ok(recipient_put(r, "other", "bob@other", true, 1));
    assert_ok(put_many(r, 1, 5, true, &none));
    assert_int_equal(count_known(r, 1, 5), 0);
    assert_non_null(recipient(r, "other", "bob@other"));
}

static void an_address_that_is_no_text_is_not_remembered(void **state)
{
    struct rig *r = *state;
    const struct network_recipient answers[] = {{STR("a\xff@example.test"), true, {1}},
                                                {STR("b@example.test"), true, {1}}};
    const struct network_recipient_bounds all = {100, 100, {0}, {0}};
    ASK(r, put);
    network_recipients_put(r->network, STR("example.test"), answers, 2, &all, on_plain, &put);
    rig_wait(r, &put.done);
    assert_ok(put.err);
    assert_non_null(recipient(r, "example.test", "b@example.test"));
    ASK(r, bad);
    network_recipients_put(r->network, STR("\xff"), answers, 1, &all, on_plain, &bad);
    rig_wait(r, &bad.done);
    assert_err(bad.err, ERR_INVALID);
}

const struct rig_test recipient_tests[] = {
    {"an address that is no text is not remembered", an_address_that_is_no_text_is_not_remembered},
    {"an answer is read as it was put", an_answer_is_read_as_it_was_put},
    {"another process sees the answer", another_process_sees_the_answer},
    {"of two answers the later one stays", of_two_answers_the_later_one_stays},
    {"the oldest of too many go", the_oldest_of_too_many_go},
    {"what is unknown moves nothing that is known", what_is_unknown_moves_nothing_that_is_known},
    {"an answer that changes is counted once", an_answer_that_changes_is_counted_once},
    {"what is too old goes with the next put", what_is_too_old_goes_with_the_next_put},
    {"domains are bounded apart", domains_are_bounded_apart},
    {NULL, NULL},
};
