#include "config/tree.h"

#include "findings_of.h"

/* The first error only, with its line. */
static void first_syntax_error(void **state)
{
    (void)state;
    static const struct bad_case cases[] = {
        {"site", "1: expected =, a name in quotes or {, found the end of the file\n"},
        {"\n\nsite \"east\" {\n\n", "5: the file ends inside the section that line 3 opened; add }\n"},
        {"site \"east\" }", "1: expected { after the section's name, found }\n"},
        {"site { }\n}", "2: expected a section, found }\n"},
        {"site \"a\" { {", "1: expected a key, a section or }, found {\n"},
        {"users { file = }", "1: expected a value, found }\n"},
        {"users { file = name }", "1: expected a value (a text is in quotes), found the word name\n"},
        {"users { file =\n= }", "2: expected a value, found =\n"},
        {"users { file \"x\" }", "1: expected { after the section's name, found }\n"},
        {"node \"n\" { roles = {\"dns\" \"relay\"} }",
         "1: expected a comma or } in the list, found a text\n"},
        {"node \"n\" { roles = {1} }", "1: expected a text in quotes or } in the list, found a number\n"},
        {"node \"n\" { roles = {\"dns\",, } }",
         "1: expected a text in quotes or } in the list, found a comma\n"},
        {"node \"n\" { roles = {{\"dns\"}} }", "1: expected a text in quotes or } in the list, found {\n"},
        {"node \"n\" { roles = {\"dns\"",
         "1: expected a comma or } in the list, found the end of the file\n"},
        {"relay \"r\" {\n retry = 500ms }",
         "2: 500ms is no number; put a text, a duration or a size in quotes\n"},
        {"relay \"r\" { a = 1.5 }", "1: 1.5 is no number; put a text, a duration or a size in quotes\n"},
        {"relay \"r\" { a = - }", "1: - is no number; put a text, a duration or a size in quotes\n"},
        {"relay \"r\" { a = 1234567890123456789 }",
         "1: 1234567890123456789 is no number; put a text, a duration or a size in quotes\n"},
        {"users { file = \"abc\n\" }", "1: the text is not closed on its line; add the final quote\n"},
        {"users { file = \"abc", "1: the text is not closed on its line; add the final quote\n"},
        {"users { file = \"a\\n\" }", "1: unknown escape in a text; only \\\" and \\\\ are known\n"},
        {"users { file = \"a\\", "1: unknown escape in a text; only \\\" and \\\\ are known\n"},
        {"users { file = \"\x01\" }",
         "1: byte 0x01 in a text; only UTF-8 without control characters is allowed\n"},
        {"users { file = \"\xff\" }",
         "1: byte 0xff in a text; only UTF-8 without control characters is allowed\n"},
        {"users { file = \"\xc0\xaf\" }",
         "1: byte 0xc0 in a text; only UTF-8 without control characters is allowed\n"},
        {"users { file = \"\xed\xa0\x80\" }",
         "1: byte 0xed in a text; only UTF-8 without control characters is allowed\n"},
        {"users { file = \"\xc2\x9b\" }",
         "1: byte 0xc2 in a text; only UTF-8 without control characters is allowed\n"},
        {"users { file = \"\xe2\x82\" }",
         "1: byte 0xe2 in a text; only UTF-8 without control characters is allowed\n"},
        {"users { file = 'a' }", "1: unexpected '; comments start with #, texts are in double quotes\n"},
        {"// comment", "1: unexpected /; comments start with #, texts are in double quotes\n"},
        {"\xef\xbb\xbfsite \"a\" { }", "1: unexpected byte 0xef; the file must be plain text in UTF-8\n"},
        {"bogus { }\nsite", "2: expected =, a name in quotes or {, found the end of the file\n"},
        {"a { b { c { d { e { f { g { h { i { } } } } } } } } }",
         "1: more than 8 levels of sections in one file\n"},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

static void a_nul_byte_is_an_error(void **state)
{
    (void)state;
    struct config *c;
    struct config_findings f;
    assert_err(config_parse(STR("site \"a\" { }\0"), "/c", "/s", &c, &f), ERR_INVALID);
    assert_string_equal(f.items[0].text, "unexpected byte 0x00; the file must be plain text in UTF-8");
    config_findings_free(&f);
    assert_err(config_parse(STR("site \"a\0\" { }"), "/c", "/s", &c, &f), ERR_INVALID);
    assert_string_equal(f.items[0].text,
                        "byte 0x00 in a text; only UTF-8 without control characters is allowed");
    config_findings_free(&f);
}

static void check_large(const char *piece, size_t count, const char *expected)
{
    struct config *c;
    struct config_findings f;
    struct buf text;
    buf_init(&text, 8 << 20);
    for (size_t i = 0; i < count; i++)
        buf_append_text(&text, piece);
    assert_err(config_parse(buf_str(&text), "/c", "/s", &c, &f), ERR_INVALID);
    assert_int_equal(f.count, 1);
    assert_string_equal(f.items[0].text, expected);
    config_findings_free(&f);
    buf_fini(&text);
}

static void a_file_is_bounded(void **state)
{
    (void)state;
    check_large("# comment\n", TREE_FILE_MAX_BYTES / 10 + 1, "the file is larger than 1048576 bytes");
    check_large("s{}\n", TREE_SECTIONS_MAX + 1, "more than 4096 sections in one file");
    check_large("a=1\n", TREE_SETTINGS_MAX + 1, "more than 65536 settings in one file");
    check_large("a{", 100, "more than 8 levels of sections in one file");
    char list[TREE_SETTINGS_MAX * 3 + 16] = "a={";
    for (size_t i = 0; i <= TREE_SETTINGS_MAX; i++)
        memcpy(list + 3 + i * 3, "\"\",", 3);
    check_large(list, 1, "more than 65536 settings in one file");
    char text[5000] = "a = \"";
    memset(text + 5, 'x', 4200);
    check_large(text, 1, "a text of more than 4096 bytes; shorten it");
}

static void the_grammar(void **state)
{
    (void)state;
    struct arena arena;
    struct tree_section *root;
    struct err_buf eb;
    int line;
    arena_init(&arena, TREE_ARENA_MAX_BYTES);
    assert_ok(tree_parse(STR("# first\r\n"
                             "a \"t\\\"\\\\\xc3\xa4\" { x=1 y = -2 # rest\n"
                             "  z = {\"p\",\n\"q\",} b{} }a{}"),
                         &arena, &root, &line, &eb));
    struct tree_section *a = tree_first(root, "a");
    assert_string_equal(a->title, "t\"\\\xc3\xa4");
    assert_int_equal(a->line, 2);
    assert_int_equal(tree_find(a, "x")->value.number, 1);
    assert_int_equal(tree_find(a, "y")->value.number, -2);
    const struct tree_value *z = &tree_find(a, "z")->value;
    assert_int_equal(z->kind, TREE_LIST);
    assert_int_equal(z->count, 2);
    assert_string_equal(z->items->text, "p");
    assert_string_equal(z->items->next->text, "q");
    assert_int_equal(z->items->next->line, 4);
    assert_int_equal(tree_first(a, "b")->line, 4);
    assert_null(tree_find(a, "w"));
    assert_int_equal(tree_line(a, "z"), 3);
    assert_int_equal(tree_line(a, "w"), 2);
    assert_non_null(tree_following(a));
    assert_null(tree_following(a)->title);
    assert_null(tree_following(tree_following(a)));
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_syntax_error),
        cmocka_unit_test(a_nul_byte_is_an_error),
        cmocka_unit_test(a_file_is_bounded),
        cmocka_unit_test(the_grammar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
