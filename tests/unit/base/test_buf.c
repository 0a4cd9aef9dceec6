#include "base/buf.h"

#include "base/err.h"
#include "unit/unit.h"

static void empty_is_a_text(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    assert_string_equal(buf_data(&b), "");
    assert_str(buf_str(&b), "");
    assert_ok(buf_append(&b, NULL, 0));
    buf_clear(&b);
    buf_consume(&b, 0);
    buf_truncate(&b, 0);
    assert_string_equal(buf_data(&b), "");
    buf_fini(&b);
}

static void appends_of_every_kind(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    assert_ok(buf_append(&b, "250", 3));
    assert_ok(buf_append_char(&b, '-'));
    assert_ok(buf_append_text(&b, "SIZE "));
    assert_ok(buf_append_fmt(&b, "%d", 1024));
    assert_ok(buf_append_str(&b, STR("\r\n")));
    assert_string_equal(buf_data(&b), "250-SIZE 1024\r\n");
    assert_int_equal(b.len, 15);
    buf_fini(&b);
}

static void cap_fails_whole_and_is_remembered(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 8);
    assert_ok(buf_append_text(&b, "12345"));
    assert_err(buf_append_text(&b, "6789"), ERR_LIMIT);
    assert_true(b.overflow);
    assert_string_equal(buf_data(&b), "12345");
    assert_ok(buf_append_text(&b, "678"));
    assert_err(buf_append_char(&b, '9'), ERR_LIMIT);
    assert_err(buf_append_fmt(&b, "%s", "x"), ERR_LIMIT);
    assert_err(buf_append(&b, "", SIZE_MAX), ERR_LIMIT);
    assert_null(buf_reserve(&b, 1));
    assert_string_equal(buf_data(&b), "12345678");
    assert_true(b.overflow);
    buf_clear(&b);
    assert_false(b.overflow);
    assert_ok(buf_append_text(&b, "12345678"));
    buf_fini(&b);
}

static void cap_of_zero_takes_nothing(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 0);
    assert_ok(buf_append_text(&b, ""));
    assert_err(buf_append_char(&b, 'x'), ERR_LIMIT);
    buf_fini(&b);
}

static void memory_stays_within_the_cap(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    for (int i = 0; i < 1000; i++)
        assert_ok(buf_append_char(&b, (char)('a' + i % 26)));
    assert_true(b.capacity <= 1000);
    assert_err(buf_append_char(&b, 'x'), ERR_LIMIT);
    buf_fini(&b);
}

static void consumed_room_is_used_again(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4096);
    uint32_t in = 0, out = 0;
    for (int round = 0; round < 20000; round++) {
        assert_ok(buf_append(&b, &in, sizeof(in)));
        in++;
        if (round % 64 == 63) {
            while (b.len > 16) {
                uint32_t value;
                memcpy(&value, buf_data(&b), sizeof(value));
                assert_int_equal(value, out++);
                buf_consume(&b, sizeof(value));
            }
        }
    }
    assert_true(b.capacity <= 4096);
    buf_fini(&b);
}

static void consume_and_truncate_keep_the_rest(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    buf_append_text(&b, "one two three");
    buf_consume(&b, 4);
    assert_string_equal(buf_data(&b), "two three");
    buf_truncate(&b, 3);
    assert_string_equal(buf_data(&b), "two");
    buf_append_text(&b, "!");
    assert_string_equal(buf_data(&b), "two!");
    buf_consume(&b, 4);
    assert_string_equal(buf_data(&b), "");
    buf_append_text(&b, "new");
    assert_string_equal(buf_data(&b), "new");
    buf_fini(&b);
}

static void reserve_then_commit(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    char *place = buf_reserve(&b, 600);
    assert_non_null(place);
    memset(place, 'x', 600);
    buf_commit(&b, 5);
    assert_string_equal(buf_data(&b), "xxxxx");
    buf_fini(&b);
}

static void any_byte_is_kept(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    assert_ok(buf_append(&b, "a\0\xff", 3));
    assert_memory_equal(buf_data(&b), "a\0\xff", 4);
    buf_fini(&b);
}

static void long_formats(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 5000);
    assert_ok(buf_append_fmt(&b, "%4000d|", 7));
    assert_int_equal(b.len, 4001);
    assert_err(buf_append_fmt(&b, "%4000d|", 7), ERR_LIMIT);
    assert_int_equal(b.len, 4001);
    assert_int_equal(buf_data(&b)[4000], '|');
    buf_fini(&b);
}

static void steal_leaves_it_empty(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    buf_append_text(&b, "keep this");
    buf_consume(&b, 5);
    char *text = buf_steal(&b);
    assert_string_equal(text, "this");
    free(text);
    assert_int_equal(b.len, 0);
    assert_ok(buf_append_text(&b, "again"));
    assert_string_equal(buf_data(&b), "again");
    buf_fini(&b);
}

static void fini_twice(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    buf_append_text(&b, "x");
    buf_fini(&b);
    assert_string_equal(buf_data(&b), "");
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_is_a_text),
        cmocka_unit_test(appends_of_every_kind),
        cmocka_unit_test(cap_fails_whole_and_is_remembered),
        cmocka_unit_test(cap_of_zero_takes_nothing),
        cmocka_unit_test(memory_stays_within_the_cap),
        cmocka_unit_test(consumed_room_is_used_again),
        cmocka_unit_test(consume_and_truncate_keep_the_rest),
        cmocka_unit_test(reserve_then_commit),
        cmocka_unit_test(any_byte_is_kept),
        cmocka_unit_test(long_formats),
        cmocka_unit_test(steal_leaves_it_empty),
        cmocka_unit_test(fini_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
