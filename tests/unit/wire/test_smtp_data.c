#include "wire/smtp_data.h"

#include "unit/unit.h"

/* What a reader made of bytes fed in pieces. */
struct outcome {
    struct smtp_unstuff u;
    struct buf message;
    size_t end_at; /* of the final dot's LF, plus one; 0: no end */
};

static struct outcome unstuff(const char *text, size_t len, size_t piece, bool lenient)
{
    struct outcome o = {.end_at = 0};
    smtp_unstuff_init(&o.u, lenient);
    buf_init(&o.message, 1 << 20);
    for (size_t at = 0; at < len && !o.end_at; at += piece) {
        size_t have = len - at < piece ? len - at : piece, used;
        for (size_t off = 0; off < have && !o.end_at; off += used) {
            struct str out;
            bool end = smtp_unstuff(&o.u, text + at + off, have - off, &used, &out);
            assert_true(used > 0 || out.len > 0);
            buf_append_str(&o.message, out);
            if (end)
                o.end_at = at + off + used;
        }
    }
    return o;
}

/* The same in every segmentation; message NULL: refused. */
static void expect(const char *text, size_t len, const char *message, size_t end_at)
{
    for (size_t piece = 1; piece <= len; piece++) {
        struct outcome o = unstuff(text, len, piece, false);
        assert_int_equal(o.end_at, end_at);
        assert_int_equal(o.u.bare, !message);
        if (message)
            assert_str(buf_str(&o.message), message);
        buf_fini(&o.message);
    }
}

/* Bare CRs and LFs, which end nothing, are made whole behind it. */
static void expect_normalised(const char *text, size_t len, const char *message, size_t end_at)
{
    for (size_t piece = 1; piece <= len; piece++) {
        struct outcome o = unstuff(text, len, piece, true);
        struct smtp_stuff lines;
        struct buf normalised;
        buf_init(&normalised, 1 << 20);
        smtp_stuff_init_plain(&lines);
        smtp_stuff(&lines, &normalised, buf_data(&o.message), o.message.len);
        smtp_stuff_end_line(&lines, &normalised);
        assert_int_equal(o.end_at, end_at);
        assert_false(o.u.bare);
        assert_str(buf_str(&normalised), message);
        buf_fini(&normalised);
        buf_fini(&o.message);
    }
}

#define EXPECT_NORMALISED(literal, message, end_at)                                                          \
    expect_normalised(literal, sizeof(literal) - 1, message, end_at)
#define EXPECT(literal, message, end_at) expect(literal, sizeof(literal) - 1, message, end_at)

static void dots_are_taken_off(void **state)
{
    (void)state;
    EXPECT("a\r\n.\r\nQUIT\r\n", "a\r\n", 6);
    EXPECT(".\r\n", "", 3);
    EXPECT("..\r\n.\r\n", ".\r\n", 7);
    EXPECT("a\r\n..b\r\n.c\r\n...\r\nd.\r\n.\r\n", "a\r\n.b\r\nc\r\n..\r\nd.\r\n", 24);
    EXPECT("\r\n\r\n.\r\n", "\r\n\r\n", 7);
}

static void no_end_without_crlf_dot_crlf(void **state)
{
    (void)state;
    EXPECT("a\r\n", "a\r\n", 0);
    EXPECT("a.\r\nb", "a.\r\nb", 0);
    EXPECT("a\n.\nb\r\n", NULL, 0);
    EXPECT("a\n.\r\nb\r\n", NULL, 0);
    EXPECT("a\r.\r\nb\r\n", NULL, 0);
    EXPECT("a\r.\rb\r\n", NULL, 0);
    EXPECT("a\r\n.\nb\r\n", NULL, 0);
    EXPECT("a\r\n.\rb\r\n", NULL, 0);
    EXPECT("a\r\n.\r\rb\r\n", NULL, 0);
    EXPECT("a\n\n.\r\nb\r\n", NULL, 0);
    EXPECT("a\r\n\n.\r\nb\r\n", NULL, 0);
}

static void a_bare_cr_or_lf_may_be_made_whole(void **state)
{
    (void)state;
    EXPECT_NORMALISED("a\r\n..b\r\n.\r\n", "a\r\n.b\r\n", 11);
    EXPECT_NORMALISED("a\n.\nb\r\n.\r\n", "a\r\n.\r\nb\r\n", 10);
    EXPECT_NORMALISED("a\n.\r\nb\r\n.\r\n", "a\r\n.\r\nb\r\n", 11);
    EXPECT_NORMALISED("a\r.\r\nb\r\n.\r\n", "a\r\n.\r\nb\r\n", 11);
    EXPECT_NORMALISED("a\r.\rb\r\n.\r\n", "a\r\n.\r\nb\r\n", 10);
    EXPECT_NORMALISED("a\r\n.\nb\r\n.\r\n", "a\r\n\r\nb\r\n", 11);
    EXPECT_NORMALISED("a\r\n.\rb\r\n.\r\n", "a\r\n\r\nb\r\n", 11);
    EXPECT_NORMALISED("a\r\n.\r\rb\r\n.\r\n", "a\r\n\r\n\r\nb\r\n", 12);
    EXPECT_NORMALISED("a\r\r\n.\r\n", "a\r\n\r\n", 7);
}

static void refused_to_the_true_end(void **state)
{
    (void)state;
    EXPECT("a\n.\nMAIL\r\n.\r\nNOOP\r\n", NULL, 13);
    EXPECT("a\r\r\n.\r\nNOOP\r\n", NULL, 7);
    EXPECT("a\r\n.\r\r\nb\r\n.\r\n", NULL, 13);
    EXPECT("a\r\0\r\n.\r\n", NULL, 8);
}

static void nothing_is_given_out_after_a_bare_one(void **state)
{
    (void)state;
    struct outcome o = unstuff("a\r\nb\nc\r\nd\r\n", 11, 3, false);
    assert_str(buf_str(&o.message), "a\r\n");
    buf_fini(&o.message);
}

static void what_is_in_it(void **state)
{
    (void)state;
    struct outcome o = unstuff("plain\r\n.\r\n", 10, 10, false);
    assert_false(o.u.eight_bit);
    assert_false(o.u.nul);
    buf_fini(&o.message);
    o = unstuff("long enough for a word, then \xe4\r\n.\r\n", 34, 34, false);
    assert_true(o.u.eight_bit);
    buf_fini(&o.message);
    o = unstuff("a\0b\r\n.\r\n", 8, 1, false);
    assert_true(o.u.nul);
    assert_int_equal(o.message.len, 5);
    buf_fini(&o.message);
}

static void stuff(const char *text, size_t piece, const char *expected)
{
    struct smtp_stuff st;
    struct buf out;
    smtp_stuff_init(&st);
    buf_init(&out, 1 << 16);
    for (size_t at = 0, len = strlen(text); at < len; at += piece)
        smtp_stuff(&st, &out, text + at, len - at < piece ? len - at : piece);
    smtp_stuff_end(&st, &out);
    assert_str(buf_str(&out), expected);
    buf_fini(&out);
}

static void dots_are_put_on(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 12; piece++) {
        stuff("", piece, ".\r\n");
        stuff("a\r\n", piece, "a\r\n.\r\n");
        stuff("a", piece, "a\r\n.\r\n");
        stuff(".\r\n..\r\na.b\r\n", piece, "..\r\n...\r\na.b\r\n.\r\n");
        stuff("\r\n.", piece, "\r\n..\r\n.\r\n");
    }
}

static void bare_ones_are_never_sent(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 12; piece++) {
        stuff("a\n.\nb\r\n", piece, "a\r\n..\r\nb\r\n.\r\n");
        stuff("a\r.\rb", piece, "a\r\n..\r\nb\r\n.\r\n");
        stuff("a\r\r\nb\r", piece, "a\r\n\r\nb\r\n.\r\n");
        stuff("a\n\rb", piece, "a\r\n\r\nb\r\n.\r\n");
    }
}

static void there_and_back(void **state)
{
    char text[512];
    struct smtp_stuff st;
    struct buf out;
    unsigned seed = 1;
    (void)state;
    for (int round = 0; round < 2000; round++) {
        size_t len = 0, lines = (seed >> 8) % 8;
        for (size_t i = 0; i < lines; i++) {
            seed = seed * 1103515245 + 12345;
            size_t dots = (seed >> 16) % 4, letters = (seed >> 20) % 3;
            memset(text + len, '.', dots);
            memset(text + len + dots, 'x', letters);
            memcpy(text + len + dots + letters, "\r\n", 2);
            len += dots + letters + 2;
        }
        text[len] = '\0';
        seed = seed * 1103515245 + 12345;
        smtp_stuff_init(&st);
        buf_init(&out, 1 << 16);
        smtp_stuff(&st, &out, text, len);
        smtp_stuff_end(&st, &out);
        expect(buf_data(&out), out.len, text, out.len);
        buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dots_are_taken_off),
        cmocka_unit_test(no_end_without_crlf_dot_crlf),
        cmocka_unit_test(a_bare_cr_or_lf_may_be_made_whole),
        cmocka_unit_test(refused_to_the_true_end),
        cmocka_unit_test(nothing_is_given_out_after_a_bare_one),
        cmocka_unit_test(what_is_in_it),
        cmocka_unit_test(dots_are_put_on),
        cmocka_unit_test(bare_ones_are_never_sent),
        cmocka_unit_test(there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
