#include "wire/mime_text.h"

#include <string.h>

#include "base/utf8.h"
#include "wire/mime_decode.h"

/* ISO-8859-15 and windows-1252 differ from the first in a few signs only. */
static const char *const latin1_names[] = {"iso-8859-1", "latin1", "windows-1252", "iso-8859-15", "cp1252"};

void mime_text_init(struct mime_text *t, struct str charset)
{
    *t = (struct mime_text){.charset = MIME_TEXT_RAW};
    if (charset.len == 0 || str_ieq(charset, STR("utf-8")) || str_ieq(charset, STR("us-ascii")) ||
        str_ieq(charset, STR("utf8")))
        t->charset = MIME_TEXT_UTF8;
    for (size_t i = 0; i < ARRAY_LEN(latin1_names); i++)
        if (str_ieq(charset, str_from(latin1_names[i])))
            t->charset = MIME_TEXT_LATIN1;
}

static void put_folded(uint32_t point, struct buf *out)
{
    char bytes[4];
    buf_append(out, bytes, utf8_put(utf8_fold(point), bytes));
}

static void drop_held(struct mime_text *t, size_t len)
{
    t->held_len -= len;
    memmove(t->held, t->held + len, t->held_len);
}

/* Gives on what is complete in `held`, and single bytes that are no UTF-8. */
static void settle(struct mime_text *t, struct buf *out, bool at_end)
{
    while (t->held_len > 0) {
        struct str held = {t->held, t->held_len};
        size_t pos = 0, want = utf8_sequence_len(t->held[0]);
        uint32_t point;
        if (utf8_next(held, &pos, &point)) {
            put_folded(point, out);
            drop_held(t, pos);
        } else if (want > t->held_len && !at_end) {
            return;
        } else {
            buf_append_char(out, t->held[0]);
            drop_held(t, 1);
        }
    }
}

static void feed_char(struct mime_text *t, char c, struct buf *out)
{
    unsigned char byte = (unsigned char)c;
    if (byte < 0x80 && t->held_len == 0) {
        buf_append_char(out, ascii_lower(c));
    } else if (t->charset == MIME_TEXT_UTF8) {
        t->held[t->held_len++] = c;
        settle(t, out, false);
    } else if (t->charset == MIME_TEXT_LATIN1) {
        put_folded(byte, out);
    } else {
        buf_append_char(out, c);
    }
}

void mime_text_feed(struct mime_text *t, struct str data, struct buf *out)
{
    for (size_t i = 0; i < data.len; i++)
        feed_char(t, data.ptr[i], out);
}

void mime_text_finish(struct mime_text *t, struct buf *out)
{
    settle(t, out, true);
}

/* ---- encoded words ---- */

struct word {
    struct str charset, encoding, text;
    size_t len; /* of all, from `=?` to `?=` */
};

static bool take_until(struct str s, size_t *pos, char end, struct str *ret_piece)
{
    size_t at = str_find(s, end, *pos);
    if (at == SIZE_MAX)
        return false;
    *ret_piece = str_sub(s, *pos, at - *pos);
    *pos = at + 1;
    return true;
}

/* `=?charset?encoding?text?=` at the start of s. */
static bool find_word(struct str s, struct word *ret_word)
{
    size_t pos = 2;
    if (!str_starts(s, STR("=?")) || !take_until(s, &pos, '?', &ret_word->charset) ||
        !take_until(s, &pos, '?', &ret_word->encoding) || !take_until(s, &pos, '?', &ret_word->text))
        return false;
    ret_word->len = pos + 1;
    size_t star = str_find(ret_word->charset, '*', 0); /* a language (RFC 2231 5) */
    ret_word->charset = str_sub(ret_word->charset, 0, star);
    return pos < s.len && s.ptr[pos] == '=' && ret_word->encoding.len == 1;
}

static void underscores_to_blanks(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++)
        buf_append_char(out, text.ptr[i] == '_' ? ' ' : text.ptr[i]);
}

static void put_word(const struct word *word, struct buf *out)
{
    struct mime_decoder decoder;
    struct mime_text text;
    struct buf spaced, decoded;
    bool quoted = ascii_lower(word->encoding.ptr[0]) == 'q';
    buf_init(&spaced, word->text.len);
    buf_init(&decoded, word->text.len);
    if (quoted)
        underscores_to_blanks(word->text, &spaced);
    mime_decoder_init(&decoder, quoted ? STR("quoted-printable") : STR("base64"));
    mime_decoder_feed(&decoder, quoted ? buf_str(&spaced) : word->text, &decoded);
    mime_text_init(&text, word->charset);
    mime_text_feed(&text, buf_str(&decoded), out);
    mime_text_finish(&text, out);
    buf_fini(&spaced);
    buf_fini(&decoded);
}

static size_t blanks(struct str s)
{
    size_t len = 0;
    while (len < s.len && (s.ptr[len] == ' ' || s.ptr[len] == '\t'))
        len++;
    return len;
}

void mime_words_fold(struct str value, struct buf *out)
{
    struct mime_text plain;
    struct word word;
    mime_text_init(&plain, STR_EMPTY);
    for (size_t pos = 0; pos < value.len;) {
        struct str rest = str_sub(value, pos, SIZE_MAX);
        if (!find_word(rest, &word)) {
            mime_text_feed(&plain, str_sub(rest, 0, 1), out);
            pos++;
            continue;
        }
        mime_text_finish(&plain, out);
        put_word(&word, out);
        pos += word.len;
        rest = str_sub(value, pos, SIZE_MAX);
        struct str after = str_sub(rest, blanks(rest), SIZE_MAX);
        if (find_word(after, &word)) /* blanks between two of them are not text */
            pos += blanks(rest);
    }
    mime_text_finish(&plain, out);
}
