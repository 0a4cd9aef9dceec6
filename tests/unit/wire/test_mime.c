#include "wire/mime.h"

#include <stdio.h>

#include "unit/unit.h"
#include "wire/imap_structure.h"
#include "wire/mime_filter.h"

static const char nested[] = "From: A <a@x.test>\r\n"
                             "Subject: top\r\n"
                             "Content-Type: multipart/mixed; boundary=\"out er\"\r\n"
                             "\r\n"
                             "preamble\r\n"
                             "--out er\r\n"
                             "Content-Type: text/plain; charset=utf-8\r\n"
                             "\r\n"
                             "one\r\n"
                             "two\r\n"
                             "--out er  \r\n"
                             "Content-Type: multipart/alternative; boundary=in\r\n"
                             "\r\n"
                             "--in\r\n"
                             "\r\n"
                             "plain\r\n"
                             "--in\r\n"
                             "Content-Type: text/html\r\n"
                             "\r\n"
                             "<p>\r\n"
                             "--in--\r\n"
                             "epilogue\r\n"
                             "--out er\r\n"
                             "Content-Type: message/rfc822\r\n"
                             "\r\n"
                             "Subject: inner\r\n"
                             "\r\n"
                             "inner body\r\n"
                             "--out er--\r\n"
                             "after\r\n";

struct parsed {
    struct arena arena;
    struct mime_parser parser;
    const struct mime_part *root;
};

static void parse(struct parsed *p, struct str text, size_t piece)
{
    arena_init(&p->arena, 1 << 20);
    mime_parser_init(&p->parser, &p->arena, NULL);
    for (size_t at = 0; at < text.len; at += piece)
        mime_parser_feed(&p->parser, str_sub(text, at, piece));
    p->root = mime_parser_finish(&p->parser);
    assert_non_null(p->root);
}

static void parsed_free(struct parsed *p)
{
    mime_parser_fini(&p->parser);
    arena_fini(&p->arena);
}

static struct str body_of(struct str text, const struct mime_part *part)
{
    return str_sub(text, part->body_offset, part->end_offset - part->body_offset);
}

static void assert_structure(struct str text, size_t piece, const char *expected)
{
    struct parsed p;
    struct buf out;
    buf_init(&out, 1 << 20);
    parse(&p, text, piece);
    imap_write_structure(&out, p.root, false);
    assert_str(buf_str(&out), expected);
    parsed_free(&p);
    buf_fini(&out);
}

static void the_structure_is_found_however_it_is_cut(void **state)
{
    (void)state;
    for (size_t piece = 1; piece <= sizeof(nested); piece++)
        assert_structure(
            str_from(nested), piece,
            "((\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 8 2)"
            "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 5 1)"
            "(\"text\" \"html\" NIL NIL NIL \"7bit\" 3 1) \"alternative\")"
            "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 28 "
            "(NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL NIL) "
            "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 10 1) 3) \"mixed\")");
}

static void parts_are_found_by_their_numbers(void **state)
{
    (void)state;
    static const struct {
        uint32_t path[3];
        size_t len;
        const char *body; /* NULL: there is none */
    } cases[] = {
        {{1}, 1, "one\r\ntwo"},    {{2, 1}, 2, "plain"},
        {{2, 2}, 2, "<p>"},        {{3}, 1, "Subject: inner\r\n\r\ninner body"},
        {{3, 1}, 2, "inner body"}, {{4}, 1, NULL},
        {{1, 1}, 2, NULL},         {{2, 3}, 2, NULL},
        {{3, 2}, 2, NULL},         {{3, 1, 1}, 3, NULL},
    };
    struct parsed p;
    struct str text = str_from(nested);
    parse(&p, text, text.len);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct mime_part *part = mime_part_find(p.root, cases[i].path, cases[i].len);
        if (!cases[i].body)
            assert_null(part);
        else
            assert_str(body_of(text, part), cases[i].body);
    }
    parsed_free(&p);
}

static void number_one_of_a_simple_message_is_its_body(void **state)
{
    (void)state;
    struct parsed p;
    struct str text = STR("Subject: x\r\n\r\nbody\r\n");
    parse(&p, text, 7);
    const uint32_t one[] = {1, 1};
    assert_str(body_of(text, mime_part_find(p.root, one, 1)), "body\r\n");
    assert_null(mime_part_find(p.root, one, 2));
    assert_ptr_equal(mime_part_find(p.root, one, 0), p.root);
    parsed_free(&p);
}

static void odd_messages(void **state)
{
    (void)state;
    static const struct {
        const char *text, *structure;
    } cases[] = {
        {"", "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0)"},
        {"\r\n", "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0)"},
        {"no header at all", "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0)"},
        {"Content-Type: multipart/mixed\r\n\r\nx",
         "(\"application\" \"octet-stream\" NIL NIL NIL \"7bit\" 1)"},
        {"Content-Type: multipart/mixed; boundary=b\r\n\r\nx",
         "((\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0) \"mixed\")"},
        {"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--\r\n--b\r\n\r\nx",
         "((\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0) \"mixed\")"},
        {"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--bb\ny\n--b--\n",
         "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 8 3) \"mixed\")"},
        {"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: s\n\nx\n--b--\n",
         "((\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 13 (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) "
         "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 1) 3) \"digest\")"},
        {"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: image/png\r\n--b--\r\n",
         "((\"image\" \"png\" NIL NIL NIL \"7bit\" 0) \"mixed\")"},
        {"Content-Type: nonsense\r\n\r\nx\r\n",
         "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 1)"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (size_t piece = 1; piece < 100; piece += 9)
            assert_structure(str_from(cases[i].text), piece, cases[i].structure);
}

static void extension_data(void **state)
{
    (void)state;
    struct parsed p;
    struct buf out;
    struct str text = STR("Content-Type: application/pdf; (a comment) name=\"a\\\"b.pdf\"; x=y/z\r\n"
                          "Content-Transfer-Encoding: base64\r\n"
                          "Content-ID: <1@x>\r\n"
                          "Content-Description: folded\r\n text\r\n"
                          "Content-MD5: Q2hlY2s=\r\n"
                          "Content-Disposition: attachment;\r\n\tfilename=a.pdf\r\n"
                          "Content-Language: en, de\r\n"
                          "Content-Location: http://x/\r\n\r\n");
    buf_init(&out, 10000);
    parse(&p, text, 5);
    imap_write_structure(&out, p.root, true);
    assert_str(buf_str(&out),
               "(\"application\" \"pdf\" (\"name\" \"a\\\"b.pdf\" \"x\" \"y/z\") \"<1@x>\" \"folded text\" "
               "\"base64\" 0 \"Q2hlY2s=\" (\"attachment\" (\"filename\" \"a.pdf\")) (\"en\" \"de\") "
               "\"http://x/\")");
    parsed_free(&p);
    buf_fini(&out);
}

static void the_bounds_hold(void **state)
{
    (void)state;
    struct parsed p;
    struct buf text;
    buf_init(&text, 1 << 20);
    for (int i = 0; i < 100; i++)
        buf_append_text(&text, "Content-Type: message/rfc822\r\n\r\n");
    parse(&p, buf_str(&text), 1000);
    unsigned depth = 0;
    for (const struct mime_part *part = p.root; part; part = part->first)
        depth = part->depth;
    assert_int_equal(depth, MIME_DEPTH_MAX);
    parsed_free(&p);

    buf_clear(&text);
    buf_append_text(&text, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    for (int i = 0; i < MIME_PARTS_MAX + 100; i++)
        buf_append_text(&text, "--b\r\n\r\nx\r\n");
    buf_append_text(&text, "--b--\r\n");
    parse(&p, buf_str(&text), 1000);
    size_t count = 0;
    for (const struct mime_part *part = p.root->first; part; part = part->next)
        count++;
    assert_int_equal(count, MIME_PARTS_MAX - 1);
    parsed_free(&p);
    buf_fini(&text);
}

static void envelopes(void **state)
{
    (void)state;
    struct parsed p;
    struct buf out;
    struct str text = STR("Date: Mon, 1 Jan 2024 00:00:00 +0000\r\n"
                          "From: \"Doe, J. \\\"x\\\"\" <j.doe@x.test>, (a comment) b @ y.test (B. B.)\r\n"
                          "To: undisclosed: ;, Team: a@x, <b@x>;, c\r\n"
                          "To: <@r1,@r2:d@x>\r\n"
                          "Cc: =?utf-8?q?J=C3=B6rg?= <j@x>\r\n"
                          "Subject: \"quoted\"\r\n"
                          "Message-ID: <1@x>\r\n\r\n");
    buf_init(&out, 10000);
    parse(&p, text, 11);
    imap_write_envelope(&out, p.root->envelope);
    const char from[] = "((\"Doe, J. \\\"x\\\"\" NIL \"j.doe\" \"x.test\")(\"B. B.\" NIL \"b\" \"y.test\"))";
    char expected[2000];
    snprintf(expected, sizeof(expected),
             "(\"Mon, 1 Jan 2024 00:00:00 +0000\" \"\\\"quoted\\\"\" %s %s %s "
             "((NIL NIL \"undisclosed\" NIL)(NIL NIL NIL NIL)(NIL NIL \"Team\" NIL)(NIL NIL \"a\" \"x\")"
             "(NIL NIL \"b\" \"x\")(NIL NIL NIL NIL)(NIL NIL \"c\" \"\")(NIL \"@r1,@r2\" \"d\" \"x\")) "
             "((\"=?utf-8?q?J=C3=B6rg?=\" NIL \"j\" \"x\")) NIL NIL \"<1@x>\")",
             from, from, from);
    assert_str(buf_str(&out), expected);
    parsed_free(&p);
    buf_fini(&out);
}

static bool wants(void *arg, struct str name)
{
    return str_ieq(name, str_from(arg));
}

static void the_filter_keeps_fields_byte_for_byte(void **state)
{
    (void)state;
    struct str header =
        STR("A: 1\r\nSubject:  x\r\n\t folded \r\nB: 2\r\nsubject:y\nno colon\r\n folded\r\n\r\n");
    for (size_t piece = 1; piece <= header.len; piece++) {
        struct mime_filter f;
        struct buf out;
        char name[] = "SUBJECT";
        buf_init(&out, 1000);
        mime_filter_init(&f, &out, wants, name);
        for (size_t at = 0; at < header.len; at += piece)
            mime_filter_feed(&f, str_sub(header, at, piece));
        mime_filter_finish(&f);
        assert_str(buf_str(&out), "Subject:  x\r\n\t folded \r\nsubject:y\n\r\n");
        mime_filter_fini(&f);
        buf_fini(&out);
    }
}

/* The empty line that ends the inner header is the boundary's line end, too. */
static void a_message_encloses_what_is_in_it(void **state)
{
    (void)state;
    static const char text[] = "Content-Type: multipart/digest; boundary=b\r\n\r\n"
                               "--b\r\n\r\nSubject: s\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n";
    for (size_t piece = 1; piece < sizeof(text); piece++) {
        struct parsed p;
        parse(&p, str_from(text), piece);
        const struct mime_part *message = p.root->first;
        assert_non_null(message);
        assert_int_equal(message->kind, MIME_MESSAGE);
        assert_str(body_of(str_from(text), message), "Subject: s\r\n\r\n");
        assert_int_equal(message->first->end_offset, message->end_offset);
        parsed_free(&p);
    }
}

/* The line end before a boundary is not the part's (RFC 2046 5.1.1). */
static void a_blank_line_before_a_boundary_is_no_line(void **state)
{
    (void)state;
    static const struct {
        const char *body, *boundary;
        unsigned lines;
    } cases[] = {{"", "\n--b--\n", 0},    {"\n", "\n--b--\n", 1},   {"x", "\n--b--\n", 1},
                 {"x\n", "\n--b--\n", 1}, {"x\ny", "\n--b--\n", 2}, {"x\n\n", "", 2}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct parsed p;
        char text[200];
        snprintf(text, sizeof(text), "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n%s%s",
                 cases[i].body, cases[i].boundary);
        parse(&p, str_from(text), 1);
        assert_str(body_of(str_from(text), p.root->first), cases[i].body);
        assert_int_equal(p.root->first->lines, cases[i].lines);
        parsed_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_structure_is_found_however_it_is_cut),
        cmocka_unit_test(parts_are_found_by_their_numbers),
        cmocka_unit_test(number_one_of_a_simple_message_is_its_body),
        cmocka_unit_test(odd_messages),
        cmocka_unit_test(a_blank_line_before_a_boundary_is_no_line),
        cmocka_unit_test(a_message_encloses_what_is_in_it),
        cmocka_unit_test(extension_data),
        cmocka_unit_test(the_bounds_hold),
        cmocka_unit_test(envelopes),
        cmocka_unit_test(the_filter_keeps_fields_byte_for_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
