#include "base/list.h"

#include "unit/unit.h"

struct item {
    int number;
    struct list link;
};

/* The numbers in order, as one decimal number. */
static int digits(struct list *head)
{
    int value = 0;
    LIST_FOREACH (it, head)
        value = 10 * value + LIST_ENTRY(it, struct item, link)->number;
    return value;
}

static void append_and_prepend(void **state)
{
    (void)state;
    struct item a = {.number = 1}, b = {.number = 2}, c = {.number = 3};
    struct list head;
    list_init(&head);
    assert_true(list_empty(&head));
    assert_int_equal(digits(&head), 0);
    list_append(&head, &a.link);
    list_append(&head, &b.link);
    list_prepend(&head, &c.link);
    assert_false(list_empty(&head));
    assert_int_equal(digits(&head), 312);
}

static void remove_is_always_allowed(void **state)
{
    (void)state;
    struct item a = {.number = 1}, b = {.number = 2};
    struct list head;
    list_init(&head);
    list_append(&head, &a.link);
    list_append(&head, &b.link);
    list_remove(&a.link);
    list_remove(&a.link);
    assert_true(list_empty(&a.link));
    assert_int_equal(digits(&head), 2);
    list_remove(&b.link);
    assert_true(list_empty(&head));
}

static void insert_before_a_place(void **state)
{
    (void)state;
    struct item a = {.number = 1}, b = {.number = 2};
    struct list head;
    list_init(&head);
    list_append(&head, &a.link);
    list_insert_before(&a.link, &b.link);
    assert_int_equal(digits(&head), 21);
}

static void current_may_be_removed_in_a_loop(void **state)
{
    (void)state;
    struct item items[9];
    struct list head;
    list_init(&head);
    for (int i = 0; i < 9; i++) {
        items[i].number = i + 1;
        list_append(&head, &items[i].link);
    }
    LIST_FOREACH (it, &head)
        if (LIST_ENTRY(it, struct item, link)->number % 2 == 0)
            list_remove(it);
    assert_int_equal(digits(&head), 13579);
}

static void splice_moves_all(void **state)
{
    (void)state;
    struct item a = {.number = 1}, b = {.number = 2}, c = {.number = 3};
    struct list to, from;
    list_init(&to);
    list_init(&from);
    list_splice(&to, &from);
    assert_true(list_empty(&to));
    list_append(&from, &b.link);
    list_append(&from, &c.link);
    list_append(&to, &a.link);
    list_splice(&to, &from);
    assert_int_equal(digits(&to), 123);
    assert_true(list_empty(&from));
    list_splice(&from, &to);
    assert_int_equal(digits(&from), 123);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(append_and_prepend),    cmocka_unit_test(remove_is_always_allowed),
        cmocka_unit_test(insert_before_a_place), cmocka_unit_test(current_may_be_removed_in_a_loop),
        cmocka_unit_test(splice_moves_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
