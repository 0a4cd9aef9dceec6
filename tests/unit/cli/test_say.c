/* What others wrote does not reach a terminal raw. */
#include <stdlib.h>
#include <string.h>

#include "cli/say.h"
#include "unit/unit.h"

/* For free(). */
static char *shown(void (*print)(FILE *out, const char *text), const char *text)
{
    char *out = NULL;
    size_t len;
    FILE *file = open_memstream(&out, &len);
    print(file, text);
    fclose(file);
    return out;
}

static void expect(void (*print)(FILE *out, const char *text), const char *text, const char *expected)
{
    char *out = shown(print, text);
    assert_string_equal(out, expected);
    free(out);
}

static void line(FILE *out, const char *text)
{
    say_line(out, "<%s>", text);
}

static void field(FILE *out, const char *text)
{
    say_field(out, "why", str_from(text));
}

static void json(FILE *out, const char *text)
{
    json_t *value = json_string(text);
    say_json(out, value, 0);
    json_decref(value);
}

static void a_line_is_printable_and_one(void **state)
{
    (void)state;
    expect(line, "550 \"no\" \\ such", "<550 \"no\" \\ such>\n");
    expect(line, "\x1b[2J\r\n\x7f\x9b", "<\\x1b[2J\\x0d\\x0a\\x7f\\x9b>\n");
    expect(line, "gr\xc3\xbc\xc2\x9b", "<gr\\xc3\\xbc\\xc2\\x9b>\n");
}

static void json_is_the_same_value_in_ascii(void **state)
{
    (void)state;
    expect(json, "a\x7f\x7f\"b", "\"a\\u007f\\u007f\\\"b\"");
    expect(json, "\x1b\xc2\x9b", "\"\\u001B\\u009B\"");
    char *out = shown(json, "\x7fgr\xc3\xbc\xc2\x9b");
    json_t *value = json_loads(out, JSON_DECODE_ANY, NULL);
    assert_string_equal(json_string_value(value), "\x7fgr\xc3\xbc\xc2\x9b");
    json_decref(value);
    free(out);
}

static void a_value_is_one_value(void **state)
{
    (void)state;
    expect(field, "flood", "why=flood");
    expect(field, "", "why=\"\"");
    expect(field, "the disk", "why=\"the disk\"");
    expect(field, "a\" state=\"done", "why=\"a\\\" state=\\\"done\"");
    expect(field, "a\\", "why=\"a\\\\\"");
    expect(field, "a\nb", "why=\"a\\x0ab\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_printable_and_one),
        cmocka_unit_test(a_value_is_one_value),
        cmocka_unit_test(json_is_the_same_value_in_ascii),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
