#include "base/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "unit/unit.h"

static void assert_escaped(struct str s, const char *expected)
{
    struct buf b;
    buf_init(&b, 100);
    log_escape(&b, s);
    assert_string_equal(buf_data(&b), expected);
    buf_fini(&b);
}

static void escapes(void **state)
{
    (void)state;
    assert_escaped(STR("plain text"), "plain text");
    assert_escaped(STR("a\"b\\c"), "a\\\"b\\\\c");
    assert_escaped(STR("a\r\nb"), "a\\x0d\\x0ab");
    assert_escaped(STR("\x1b[2J\x7f"), "\\x1b[2J\\x7f");
    assert_escaped((struct str){"a\0b", 3}, "a\\x00b");
    assert_escaped(STR("gr\xc2\x9b"), "gr\\xc2\\x9b");
    assert_escaped(STR_EMPTY, "");
}

static void escape_stops_at_the_cap(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 5);
    log_escape(&b, STR("abc\r\n"));
    assert_true(b.overflow);
    assert_true(b.len <= 5);
    buf_fini(&b);
}

/* What fn wrote to stderr; for free(). */
static char *logged_by(void (*fn)(void))
{
    FILE *file = tmpfile();
    assert_non_null(file);
    int saved = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    fn();
    dup2(saved, STDERR_FILENO);
    close(saved);
    char *text = mem_zalloc(16384);
    rewind(file);
    size_t len = fread(text, 1, 16383, file);
    assert_true(len < 16383);
    fclose(file);
    return text;
}

static void log_one(void)
{
    log_set_role("relay");
    log_event(LOG_INFO, "queue adopted", LOG_TEXT("queue", "east 1"), LOG_I64("epoch", -3),
              LOG_TEXT("note", ""), LOG_STR("peer", STR("a\nb")), LOG_TEXT("id", "abc"));
}

static void a_line_holds_time_level_role_and_fields(void **state)
{
    (void)state;
    char *text = logged_by(log_one);
    assert_int_equal(text[10], 'T');
    assert_int_equal(text[23], 'Z');
    assert_string_equal(
        text + 24,
        " info relay: queue adopted queue=\"east 1\" epoch=-3 note=\"\" peer=\"a\\x0ab\" id=abc\n");
    free(text);
}

static void log_left_out(void)
{
    log_event(LOG_INFO, "left out");
}

static void log_low(void)
{
    log_event(LOG_DEBUG, "quiet");
}

static void below_the_level_is_silent(void **state)
{
    (void)state;
    char *text = logged_by(log_low);
    assert_string_equal(text, "");
    free(text);
    log_set_level(LOG_DEBUG);
    text = logged_by(log_low);
    assert_non_null(strstr(text, " debug "));
    free(text);
    log_set_level(LOG_INFO);
}

static void log_much(void)
{
    static char big[10000];
    memset(big, 'x', sizeof(big));
    log_event(LOG_ERROR, "long", LOG_STR("data", ((struct str){big, sizeof(big)})));
}

static void a_long_line_is_bounded_and_ends(void **state)
{
    (void)state;
    char *text = logged_by(log_much);
    size_t len = strlen(text);
    assert_in_range(len, 1, 4096);
    assert_int_equal(text[len - 1], '\n');
    free(text);
}

static void a_long_role_is_cut(void **state)
{
    (void)state;
    log_set_role("rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr");
    log_set_level(LOG_DEBUG);
    char *text = logged_by(log_low);
    assert_int_equal(strspn(strstr(text, " rrr") + 1, "r"), 63);
    free(text);
}

/* A pipe that is full, as of a pager that nobody scrolls: the line is left out, and told of later. */
static void a_full_pipe_is_not_waited_for(void **state)
{
    (void)state;
    static char fill[4096], text[1 << 20];
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    while (write(ends[1], fill, sizeof(fill)) > 0)
        ;
    assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0); /* a write would wait */
    int saved = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    log_left_out();
    log_left_out();
    while (read(ends[0], text, sizeof(text)) > 0)
        ;
    log_one();
    dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t len = read(ends[0], text, sizeof(text) - 1);
    assert_true(len > 0);
    text[len] = '\0';
    assert_non_null(strstr(text, "nobody took them count=2\n"));
    assert_non_null(strstr(text, "queue adopted"));
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes),
        cmocka_unit_test(escape_stops_at_the_cap),
        cmocka_unit_test(a_line_holds_time_level_role_and_fields),
        cmocka_unit_test(below_the_level_is_silent),
        cmocka_unit_test(a_long_line_is_bounded_and_ends),
        cmocka_unit_test(a_long_role_is_cut),
        cmocka_unit_test(a_full_pipe_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
