/* What one session sees of a mailbox that others change. */
#include "imap/view.h"

#include "unit/unit.h"

static int setup(void **state)
{
    struct imap_view *v = malloc(sizeof(*v));
    imap_view_init(v);
    *state = v;
    return 0;
}

static int teardown(void **state)
{
    imap_view_fini(*state);
    free(*state);
    return 0;
}

static struct mail_message message(uint32_t uid, uint32_t flags, const char *keywords)
{
    return (struct mail_message){
        .uid = uid, .flags = flags, .keywords = str_from(keywords), .size_bytes = 10 * uid, .body_id = uid};
}

static void apply(struct imap_view *v, const struct mail_message *items, size_t count,
                  const uint32_t *expunged, size_t expunged_count)
{
    struct mail_messages changes = {.items = items,
                                    .count = count,
                                    .expunged = expunged,
                                    .expunged_count = expunged_count,
                                    .highest_modseq = v->modseq + 1,
                                    .uid_next = 100};
    imap_view_apply(v, &changes);
}

static void three_messages(struct imap_view *v)
{
    const struct mail_message items[] = {message(3, 0, ""), message(5, MAIL_SEEN, "a b"), message(9, 0, "")};
    apply(v, items, 3, NULL, 0);
    v->told_count = 3;
}

static void new_ones_are_appended_and_not_reported(void **state)
{
    struct imap_view *v = *state;
    three_messages(v);
    assert_int_equal(v->count, 3);
    assert_int_equal(imap_view_last_uid(v), 9);
    assert_int_equal(v->uid_next, 100);
    assert_null(imap_view_find(v, 4));
    assert_int_equal(imap_view_find(v, 5)->size_bytes, 50);
    for (size_t i = 0; i < v->count; i++)
        assert_false(v->messages[i].report);
}

static void only_what_changed_is_reported(void **state)
{
    struct imap_view *v = *state;
    three_messages(v);
    const struct mail_message again[] = {message(3, MAIL_FLAGGED, ""), message(5, MAIL_SEEN, "a b"),
                                         message(9, 0, "c")};
    v->keywords_grew = false;
    apply(v, again, 3, NULL, 0);
    assert_true(imap_view_find(v, 3)->report);
    assert_false(imap_view_find(v, 5)->report);
    assert_true(imap_view_find(v, 9)->report);
    assert_true(v->keywords_grew); /* FLAGS must name "c" */
}

/* RFC 3501 7.4.1: numbers stay what they are until the session may say EXPUNGE. */
static void an_expunged_message_keeps_its_number_until_it_is_dropped(void **state)
{
    struct imap_view *v = *state;
    three_messages(v);
    apply(v, NULL, 0, (const uint32_t[]){5}, 1);
    apply(v, NULL, 0, (const uint32_t[]){5}, 1); /* once is once */
    assert_int_equal(v->count, 3);
    assert_true(v->messages[1].gone);
    assert_int_equal(v->gone_count, 1);
}

struct drops {
    size_t sequences[8], count;
};

static void on_drop(void *arg, size_t sequence)
{
    struct drops *d = arg;
    d->sequences[d->count++] = sequence;
}

static void drops_are_told_from_the_highest_down(void **state)
{
    struct imap_view *v = *state;
    struct drops d = {.count = 0};
    three_messages(v);
    const struct mail_message more[] = {message(12, 0, "")};
    apply(v, more, 1, (const uint32_t[]){3, 9, 12}, 3); /* of 12 the client never heard */
    imap_view_drop_gone(v, on_drop, &d);
    assert_int_equal(d.count, 2);
    assert_int_equal(d.sequences[0], 3);
    assert_int_equal(d.sequences[1], 1);
    assert_int_equal(v->count, 1);
    assert_int_equal(v->messages[0].uid, 5);
    assert_int_equal(v->told_count, 1);
    assert_int_equal(v->gone_count, 0);
}

/* Its change comes late, out of a snapshot that began before. */
static void what_was_expunged_and_dropped_does_not_return(void **state)
{
    struct imap_view *v = *state;
    struct drops d = {.count = 0};
    three_messages(v);
    apply(v, NULL, 0, (const uint32_t[]){5}, 1);
    imap_view_drop_gone(v, on_drop, &d);
    const struct mail_message late[] = {message(5, MAIL_FLAGGED, "")};
    apply(v, late, 1, NULL, 0);
    assert_int_equal(v->count, 2);
    assert_null(imap_view_find(v, 5));
}

static void a_store_of_our_own_is_not_reported_again(void **state)
{
    struct imap_view *v = *state;
    three_messages(v);
    struct imap_message *m = imap_view_find(v, 5);
    imap_view_expect(v, m, MAIL_FLAGS_ADD, MAIL_DELETED, STR("aa c"));
    assert_int_equal(m->flags, MAIL_SEEN | MAIL_DELETED);
    assert_string_equal(m->keywords.ptr, "a aa b c");
    imap_view_expect(v, m, MAIL_FLAGS_REMOVE, MAIL_SEEN, STR("a c z"));
    assert_int_equal(m->flags, MAIL_DELETED);
    assert_string_equal(m->keywords.ptr, "aa b");
    const struct mail_message as_expected[] = {message(5, MAIL_DELETED, "aa b")};
    apply(v, as_expected, 1, NULL, 0);
    assert_false(m->report);
    imap_view_expect(v, m, MAIL_FLAGS_SET, 0, STR_EMPTY);
    assert_int_equal(m->keywords.len, 0);
}

static void recent_ones(void **state)
{
    struct imap_view *v = *state;
    three_messages(v);
    v->recent_from = 5;
    v->recent_until = 9;
    assert_false(imap_view_is_recent(v, imap_view_find(v, 3)));
    assert_true(imap_view_is_recent(v, imap_view_find(v, 5)));
    assert_false(imap_view_is_recent(v, imap_view_find(v, 9)));
    assert_int_equal(imap_view_recent_count(v), 1);
}

#define VIEW_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        VIEW_TEST(new_ones_are_appended_and_not_reported),
        VIEW_TEST(only_what_changed_is_reported),
        VIEW_TEST(an_expunged_message_keeps_its_number_until_it_is_dropped),
        VIEW_TEST(drops_are_told_from_the_highest_down),
        VIEW_TEST(what_was_expunged_and_dropped_does_not_return),
        VIEW_TEST(a_store_of_our_own_is_not_reported_again),
        VIEW_TEST(recent_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
