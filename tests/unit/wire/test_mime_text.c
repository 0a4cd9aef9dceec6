#include "wire/mime_text.h"

#include "base/err.h"
#include "base/utf8.h"
#include "unit/unit.h"
#include "wire/mime_date.h"
#include "wire/mime_decode.h"

static void encodings_decode_however_they_are_cut(void **state)
{
    (void)state;
    static const struct {
        const char *encoding, *text, *decoded;
    } cases[] = {
        {"base64", "SG9sZ\r\nGZhc3Q=\r\n", "Holdfast"},
        {"BASE64", "QQ==QkI=", "ABB"},
        {"quoted-printable", "a=3Db=\r\nc=\nd =e4 =zz =3", "a=bcd \xe4 =zz "},
        {"7bit", "a=3Db", "a=3Db"},
        {"", "x", "x"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str text = str_from(cases[i].text);
        for (size_t piece = 1; piece <= text.len; piece++) {
            struct mime_decoder d;
            struct buf out;
            buf_init(&out, 100);
            mime_decoder_init(&d, str_from(cases[i].encoding));
            for (size_t at = 0; at < text.len; at += piece)
                mime_decoder_feed(&d, str_sub(text, at, piece), &out);
            assert_str(buf_str(&out), cases[i].decoded);
            buf_fini(&out);
        }
    }
}

static void text_is_folded_however_it_is_cut(void **state)
{
    (void)state;
    static const struct {
        const char *charset, *text, *folded;
    } cases[] = {
        {"utf-8", "ÄÖÜ ΑΒΓ ЖЁ ×", "äöü αβγ жё ×"},
        {"UTF-8", "A\xff\xc3", "a\xff\xc3"},
        {"ISO-8859-1", "\xc4h", "äh"},
        {"koi8-r", "\xc4H", "\xc4h"},
        {"", "Ä", "ä"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str text = str_from(cases[i].text);
        for (size_t piece = 1; piece <= text.len; piece++) {
            struct mime_text t;
            struct buf out;
            buf_init(&out, 100);
            mime_text_init(&t, str_from(cases[i].charset));
            for (size_t at = 0; at < text.len; at += piece)
                mime_text_feed(&t, str_sub(text, at, piece), &out);
            mime_text_finish(&t, &out);
            assert_str(buf_str(&out), cases[i].folded);
            buf_fini(&out);
        }
    }
}

static void encoded_words(void **state)
{
    (void)state;
    static const struct {
        const char *value, *folded;
    } cases[] = {
        {"plain", "plain"},
        {"=?utf-8?B?w4TDlg==?= x", "äö x"},
        {"=?utf-8?q?a_=C3=84?=  =?iso-8859-1?Q?=D6?= b", "a äö b"},
        {"=?utf-8*de?Q?X?=", "x"},
        {"=?utf-8?Q?open", "=?utf-8?q?open"},
        {"a =? b", "a =? b"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        buf_init(&out, 100);
        mime_words_fold(str_from(cases[i].value), &out);
        assert_str(buf_str(&out), cases[i].folded);
        buf_fini(&out);
    }
}

static void days_of_date_fields(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        int64_t days; /* -1: ERR_SYNTAX */
    } cases[] = {
        {"Thu, 1 Jan 1970 23:59:59 -0700", 0},
        {"02 Jan 70 00:00 GMT", 1},
        {"Mon, (c) 1 (d) Jan 2024", 19723},
        {"1 Jan 24", 19723},
        {"yesterday", -1},
        {"", -1},
        {"Mon, 31 Feb 2024", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t days = -1;
        int err = mime_date_day(str_from(cases[i].value), &days);
        assert_int_equal(err, cases[i].days < 0 ? ERR_SYNTAX : 0);
        assert_int_equal(days, cases[i].days);
    }
}

static void utf8_is_strict(void **state)
{
    (void)state;
    assert_true(utf8_valid(STR("aä日\xf0\x9f\x90\x80")));
    const char *const bad[] = {"\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                               "\x80",     "\xc3",         "\xf8"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(utf8_valid(str_from(bad[i])));
    for (uint32_t point = 0; point <= 0x10ffff; point += 7) {
        char bytes[4];
        uint32_t back;
        size_t pos = 0;
        if (point >= 0xd800 && point <= 0xdfff)
            continue;
        struct str s = {bytes, utf8_put(point, bytes)};
        assert_true(utf8_next(s, &pos, &back));
        assert_int_equal(back, point);
        assert_int_equal(utf8_put(utf8_fold(point), bytes), s.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodings_decode_however_they_are_cut),
        cmocka_unit_test(text_is_folded_however_it_is_cut),
        cmocka_unit_test(encoded_words),
        cmocka_unit_test(days_of_date_fields),
        cmocka_unit_test(utf8_is_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
