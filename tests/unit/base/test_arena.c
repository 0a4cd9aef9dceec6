#include "base/arena.h"

#include "unit/unit.h"

static void allocations_are_aligned_zeroed_and_apart(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 16);
    char *last = NULL;
    for (size_t size = 0; size < 100; size++) {
        char *ptr = arena_alloc(&a, size);
        assert_non_null(ptr);
        assert_int_equal((uintptr_t)ptr % _Alignof(max_align_t), 0);
        assert_ptr_not_equal(ptr, last);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(ptr[i], 0);
        memset(ptr, 0xff, size);
        last = ptr;
    }
    arena_fini(&a);
}

static void cap_is_hard(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 100);
    assert_non_null(arena_alloc(&a, 60));
    assert_null(arena_alloc(&a, 41));
    assert_int_equal(a.used_bytes, 60);
    assert_non_null(arena_alloc(&a, 40));
    assert_null(arena_alloc(&a, 1));
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_non_null(arena_alloc(&a, 0));
    arena_fini(&a);
}

static void clear_gives_the_cap_back(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 100000);
    for (int round = 0; round < 3; round++) {
        char *big = arena_alloc(&a, 90000);
        assert_non_null(big);
        assert_int_equal(big[0] | big[89999], 0);
        memset(big, 0xff, 90000);
        assert_null(arena_alloc(&a, 20000));
        arena_clear(&a);
        assert_int_equal(a.used_bytes, 0);
    }
    char *small = arena_alloc(&a, 16);
    for (int i = 0; i < 16; i++)
        assert_int_equal(small[i], 0);
    arena_fini(&a);
}

static void clear_of_an_unused_one(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 10);
    arena_clear(&a);
    arena_fini(&a);
    arena_fini(&a);
}

static void copies_are_terminated(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 64);
    assert_string_equal(arena_strdup(&a, str_sub(STR("holdfast"), 0, 4)), "hold");
    struct str copy = arena_str(&a, (struct str){"a\0b", 3});
    assert_int_equal(copy.len, 3);
    assert_memory_equal(copy.ptr, "a\0b", 4);
    struct str empty = arena_str(&a, (struct str){NULL, 0});
    assert_non_null(empty.ptr);
    assert_int_equal(empty.len, 0);
    arena_fini(&a);
}

static void copies_over_the_cap_are_null(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 4);
    assert_null(arena_strdup(&a, STR("hold"))); /* its NUL counts */
    struct str none = arena_str(&a, STR("hold"));
    assert_null(none.ptr);
    assert_int_equal(none.len, 0);
    assert_non_null(arena_strdup(&a, STR("hol")));
    arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_zeroed_and_apart),
        cmocka_unit_test(cap_is_hard),
        cmocka_unit_test(clear_gives_the_cap_back),
        cmocka_unit_test(clear_of_an_unused_one),
        cmocka_unit_test(copies_are_terminated),
        cmocka_unit_test(copies_over_the_cap_are_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
