#include "base/map.h"

#include <stdio.h>

#include "unit/unit.h"

static int values[1000];

static struct str key_of(int i)
{
    static char text[32];
    snprintf(text, sizeof(text), "key-%d", i);
    return str_from(text);
}

static void fill(struct map *m)
{
    map_init(m);
    for (int i = 0; i < 1000; i++)
        assert_null(map_set(m, key_of(i), &values[i]));
}

static void finds_what_was_set(void **state)
{
    (void)state;
    struct map m;
    fill(&m);
    assert_int_equal(m.len, 1000);
    for (int i = 0; i < 1000; i++)
        assert_ptr_equal(map_find(&m, key_of(i)), &values[i]);
    assert_null(map_find(&m, STR("key-1000")));
    assert_null(map_find(&m, STR("")));
    map_fini(&m);
    assert_int_equal(m.len, 0);
}

static void empty(void **state)
{
    (void)state;
    struct map m;
    map_init(&m);
    assert_null(map_find(&m, STR("x")));
    assert_null(map_remove(&m, STR("x")));
    assert_null(m.first);
    map_fini(&m);
}

static void set_again_replaces(void **state)
{
    (void)state;
    struct map m;
    map_init(&m);
    assert_null(map_set(&m, STR("a"), &values[0]));
    assert_ptr_equal(map_set(&m, STR("a"), &values[1]), &values[0]);
    assert_ptr_equal(map_find(&m, STR("a")), &values[1]);
    assert_int_equal(m.len, 1);
    map_fini(&m);
}

static void keys_are_copied_bytes(void **state)
{
    (void)state;
    struct map m;
    char key[] = {'a', '\0', 'b'};
    map_init(&m);
    map_set(&m, (struct str){key, 3}, &values[0]);
    map_set(&m, (struct str){key, 1}, &values[1]);
    map_set(&m, (struct str){NULL, 0}, &values[2]);
    key[2] = 'c';
    assert_null(map_find(&m, (struct str){key, 3}));
    key[2] = 'b';
    assert_ptr_equal(map_find(&m, (struct str){key, 3}), &values[0]);
    assert_ptr_equal(map_find(&m, STR("a")), &values[1]);
    assert_ptr_equal(map_find(&m, STR("")), &values[2]);
    assert_int_equal(m.first->key.ptr[3], '\0');
    map_fini(&m);
}

static void order_is_by_insertion(void **state)
{
    (void)state;
    struct map m;
    fill(&m);
    map_set(&m, key_of(0), &values[0]); /* a second set does not move it */
    for (int i = 1; i < 1000; i += 2)
        assert_ptr_equal(map_remove(&m, key_of(i)), &values[i]);
    int expected = 0;
    for (struct map_entry *e = m.first; e; e = e->next, expected += 2)
        assert_ptr_equal(e->value, &values[expected]);
    assert_int_equal(expected, 1000);
    for (struct map_entry *e = m.last; e; e = e->prev)
        assert_ptr_equal(e->value, &values[expected -= 2]);
    map_fini(&m);
}

static void removed_ones_are_gone_and_may_return(void **state)
{
    (void)state;
    struct map m;
    fill(&m);
    for (int i = 0; i < 1000; i++)
        assert_ptr_equal(map_remove(&m, key_of(i)), &values[i]);
    assert_int_equal(m.len, 0);
    assert_null(m.first);
    assert_null(m.last);
    assert_null(map_remove(&m, key_of(3)));
    assert_null(map_set(&m, key_of(3), &values[3]));
    assert_ptr_equal(map_find(&m, key_of(3)), &values[3]);
    map_fini(&m);
}

static void entry_at_hand_may_be_removed(void **state)
{
    (void)state;
    struct map m;
    fill(&m);
    for (struct map_entry *e = m.first, *next; e; e = next) {
        next = e->next;
        assert_ptr_equal(map_remove(&m, e->key), e->value);
    }
    assert_int_equal(m.len, 0);
    map_fini(&m);
}

/* SipHash-1-3 with key 00 01 .. 0f of the bytes 00 01 .. len-1: the reference implementation's values. */
static void hash_is_siphash(void **state)
{
    (void)state;
    uint8_t seed[16], data[16];
    for (uint8_t i = 0; i < 16; i++)
        seed[i] = data[i] = i;
    map_seed(seed);
    assert_true(map_hash((struct str){(const char *)data, 0}) == 0xabac0158050fc4dcULL);
    assert_true(map_hash((struct str){(const char *)data, 1}) == 0xc9f49bf37d57ca93ULL);
    assert_true(map_hash((struct str){(const char *)data, 8}) !=
                map_hash((struct str){(const char *)data, 9}));
    uint64_t seeded = map_hash(STR("key"));
    memset(seed, 0, sizeof(seed));
    map_seed(seed);
    assert_true(map_hash(STR("key")) != seeded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_set),
        cmocka_unit_test(empty),
        cmocka_unit_test(set_again_replaces),
        cmocka_unit_test(keys_are_copied_bytes),
        cmocka_unit_test(order_is_by_insertion),
        cmocka_unit_test(removed_ones_are_gone_and_may_return),
        cmocka_unit_test(entry_at_hand_may_be_removed),
        cmocka_unit_test(hash_is_siphash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
