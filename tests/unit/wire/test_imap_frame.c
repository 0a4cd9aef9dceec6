#include "wire/imap_frame.h"

#include "unit/unit.h"

static enum imap_frame_event feed(struct imap_frame *f, const char *text)
{
    struct str input = str_from(text), data;
    return imap_frame_feed(f, &input, &data);
}

static void a_line_is_a_command(void **state)
{
    (void)state;
    struct imap_frame f;
    imap_frame_init(&f);
    assert_int_equal(feed(&f, "a NO"), IMAP_FRAME_MORE);
    assert_int_equal(feed(&f, "OP\r\n"), IMAP_FRAME_COMMAND);
    assert_str(buf_str(&f.command), "a NOOP");
    imap_frame_reset(&f);
    assert_int_equal(feed(&f, "b NOOP\n"), IMAP_FRAME_COMMAND); /* a bare LF ends a line, too */
    assert_str(buf_str(&f.command), "b NOOP");
    imap_frame_fini(&f);
}

static void literals_are_gathered_in_place(void **state)
{
    (void)state;
    struct imap_frame f;
    imap_frame_init(&f);
    assert_int_equal(feed(&f, "a LOGIN {3}\r\n"), IMAP_FRAME_LITERAL);
    assert_true(f.literal_sync);
    assert_int_equal(f.literal_bytes, 3);
    imap_frame_gather(&f);
    assert_int_equal(feed(&f, "b\nb {2+}\r\n"), IMAP_FRAME_LITERAL);
    assert_false(f.literal_sync);
    imap_frame_gather(&f);
    assert_int_equal(feed(&f, "cc\r\n"), IMAP_FRAME_COMMAND);
    assert_str(buf_str(&f.command), "a LOGIN {3}\r\nb\nb {2+}\r\ncc");
    imap_frame_fini(&f);
}

static void a_raw_line_holds_no_literal(void **state)
{
    (void)state;
    struct imap_frame f;
    imap_frame_init(&f);
    f.raw = true;
    assert_int_equal(feed(&f, "abc{3}\r\n"), IMAP_FRAME_COMMAND);
    imap_frame_fini(&f);
}

static void streaming_gives_every_byte(void **state)
{
    (void)state;
    struct imap_frame f;
    struct str input = STR("12345\r\n"), data;
    imap_frame_init(&f);
    assert_int_equal(feed(&f, "a APPEND x {5}\r\n"), IMAP_FRAME_LITERAL);
    imap_frame_stream(&f);
    assert_int_equal(imap_frame_feed(&f, &input, &data), IMAP_FRAME_DATA);
    assert_str(data, "12345");
    assert_int_equal(imap_frame_feed(&f, &input, &data), IMAP_FRAME_DATA_END);
    assert_int_equal(imap_frame_feed(&f, &input, &data), IMAP_FRAME_COMMAND);
    assert_str(buf_str(&f.command), "");
    imap_frame_fini(&f);
}

static void a_refused_literal_is_skipped_when_it_comes(void **state)
{
    (void)state;
    struct imap_frame f;
    imap_frame_init(&f);
    assert_int_equal(feed(&f, "a X {9999999+}\r\n"), IMAP_FRAME_LITERAL);
    assert_false(imap_frame_refuse(&f));
    char *zeros = test_calloc(1, 10000001);
    memset(zeros, 'b', 9999999);
    zeros[9999999] = '\n';
    assert_int_equal(feed(&f, zeros), IMAP_FRAME_TOO_LONG);
    test_free(zeros);
    imap_frame_reset(&f);
    assert_int_equal(feed(&f, "a X {9999999}\r\n"), IMAP_FRAME_LITERAL);
    assert_true(imap_frame_refuse(&f)); /* it does not come: the client waits for `+` */
    imap_frame_reset(&f);
    assert_int_equal(feed(&f, "b NOOP\r\n"), IMAP_FRAME_COMMAND);
    imap_frame_fini(&f);
}

/* A line over the bound that announces a literal: its bytes are no command. */
static void the_literal_of_an_overlong_line_is_skipped(void **state)
{
    (void)state;
    struct imap_frame f;
    struct str data;
    size_t len = 3 * IMAP_COMMAND_MAX_BYTES;
    char *text = test_malloc(len + 64);
    memset(text, 'x', len);
    strcpy(text + len, "{8+}\r\nc LOGOUT\r\n");
    for (size_t piece = 1; piece < 70000; piece += 9973) {
        enum imap_frame_event event = IMAP_FRAME_MORE;
        imap_frame_init(&f);
        for (size_t at = 0; at < strlen(text); at += piece) {
            struct str input = str_sub(str_from(text), at, piece);
            assert_int_equal(event, IMAP_FRAME_MORE);
            event = imap_frame_feed(&f, &input, &data);
        }
        assert_int_equal(event, IMAP_FRAME_TOO_LONG);
        imap_frame_fini(&f);
    }
    test_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_a_command),
        cmocka_unit_test(literals_are_gathered_in_place),
        cmocka_unit_test(a_raw_line_holds_no_literal),
        cmocka_unit_test(streaming_gives_every_byte),
        cmocka_unit_test(a_refused_literal_is_skipped_when_it_comes),
        cmocka_unit_test(the_literal_of_an_overlong_line_is_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
