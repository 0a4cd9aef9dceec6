#include "base/heap.h"

#include "base/check.h"
#include "unit/unit.h"

struct item {
    int key;
    struct heap_node node;
};

static struct item *item_of(const struct heap_node *n)
{
    return (struct item *)((uintptr_t)n - offsetof(struct item, node));
}

static bool item_less(const struct heap_node *a, const struct heap_node *b)
{
    return item_of(a)->key < item_of(b)->key;
}

static struct item items[200];

/* A fixed walk through keys, with doubles. */
static void fill(struct heap *h)
{
    heap_init(h, item_less);
    for (size_t i = 0; i < ARRAY_LEN(items); i++) {
        items[i].key = (int)(i * 7919 % 151);
        heap_node_init(&items[i].node);
        assert_false(heap_contains(&items[i].node));
        heap_push(h, &items[i].node);
        assert_true(heap_contains(&items[i].node));
    }
}

static void assert_drains_in_order(struct heap *h, size_t count)
{
    int last = -1;
    for (size_t i = 0; i < count; i++) {
        struct heap_node *peeked = heap_peek(h), *n = heap_pop(h);
        assert_ptr_equal(peeked, n);
        assert_false(heap_contains(n));
        assert_true(item_of(n)->key >= last);
        last = item_of(n)->key;
    }
    assert_null(heap_pop(h));
}

static void empty(void **state)
{
    (void)state;
    struct heap h;
    heap_init(&h, item_less);
    assert_null(heap_peek(&h));
    assert_null(heap_pop(&h));
    heap_fini(&h);
}

static void pops_in_order(void **state)
{
    (void)state;
    struct heap h;
    fill(&h);
    assert_drains_in_order(&h, ARRAY_LEN(items));
    heap_fini(&h);
}

static void removal_from_the_middle(void **state)
{
    (void)state;
    struct heap h;
    fill(&h);
    for (size_t i = 0; i < ARRAY_LEN(items); i += 3) {
        heap_remove(&h, &items[i].node);
        assert_false(heap_contains(&items[i].node));
    }
    assert_drains_in_order(&h, ARRAY_LEN(items) - (ARRAY_LEN(items) + 2) / 3);
    heap_fini(&h);
}

static void updates_move_both_ways(void **state)
{
    (void)state;
    struct heap h;
    fill(&h);
    items[50].key = -1;
    heap_update(&h, &items[50].node);
    assert_ptr_equal(heap_peek(&h), &items[50].node);
    items[50].key = 1000;
    heap_update(&h, &items[50].node);
    for (size_t i = 1; i < ARRAY_LEN(items); i++)
        assert_ptr_not_equal(heap_pop(&h), &items[50].node);
    assert_ptr_equal(heap_pop(&h), &items[50].node);
    heap_fini(&h);
}

static void fini_sets_the_items_free(void **state)
{
    (void)state;
    struct heap h;
    fill(&h);
    heap_fini(&h);
    for (size_t i = 0; i < ARRAY_LEN(items); i++)
        assert_false(heap_contains(&items[i].node));
    heap_push(&h, &items[0].node);
    assert_ptr_equal(heap_pop(&h), &items[0].node);
    heap_fini(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty),
        cmocka_unit_test(pops_in_order),
        cmocka_unit_test(removal_from_the_middle),
        cmocka_unit_test(updates_move_both_ways),
        cmocka_unit_test(fini_sets_the_items_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
