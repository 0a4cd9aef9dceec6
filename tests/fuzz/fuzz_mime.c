/* The parsers of messages. The first byte chooses how the rest is cut.
 *
 * Asserted, beside what the sanitizers see: a message has the same structure
 * however it is cut; parts lie inside of their parents, one behind the other; the
 * bounds hold; ENVELOPE and BODYSTRUCTURE are well-formed; every field of the
 * header is either one that HEADER.FIELDS gives or one that HEADER.FIELDS.NOT does. */
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "wire/imap_structure.h"
#include "wire/mime.h"
#include "wire/mime_date.h"
#include "wire/mime_decode.h"
#include "wire/mime_filter.h"
#include "wire/mime_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUT_MAX_BYTES (16u << 20)

static void check_part(const struct mime_part *part, size_t *count)
{
    const struct mime_part *parent = part->parent;
    CHECK(++*count <= MIME_PARTS_MAX && part->depth <= MIME_DEPTH_MAX);
    CHECK(part->header_offset <= part->body_offset && part->body_offset <= part->end_offset);
    CHECK(part->lines <= part->end_offset - part->body_offset);
    CHECK(!parent || (part->header_offset >= parent->body_offset && part->end_offset <= parent->end_offset));
    CHECK(!part->next || part->end_offset <= part->next->header_offset);
    CHECK(part->kind != MIME_MESSAGE || (part->first && part->first == part->last));
    CHECK(part->kind != MIME_LEAF || !part->first);
    for (const struct mime_part *child = part->first; child; child = child->next)
        check_part(child, count);
}

/* Lists with strings, literals and atoms; every parenthesis is closed. */
static void check_lists(struct str text)
{
    int depth = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
        CHECK(depth >= 0);
        if (c == '"')
            for (i++; text.ptr[i] != '"'; i++) {
                i += text.ptr[i] == '\\';
                CHECK(i + 1 < text.len);
            }
        if (c != '{')
            continue;
        size_t close = str_find(text, '}', i);
        uint64_t size;
        CHECK(str_to_u64(str_sub(text, i + 1, close - i - 1), text.len, &size) == 0);
        i = close + 2 + (size_t)size;
        CHECK(i < text.len);
    }
    CHECK(depth == 0);
}

static char *structure_of(struct str message, size_t piece)
{
    struct arena arena;
    struct mime_parser parser;
    struct buf out;
    size_t count = 0;
    arena_init(&arena, 1 << 20);
    buf_init(&out, OUT_MAX_BYTES);
    mime_parser_init(&parser, &arena, NULL);
    for (size_t at = 0; at < message.len; at += piece)
        mime_parser_feed(&parser, str_sub(message, at, piece));
    const struct mime_part *root = mime_parser_finish(&parser);
    mime_parser_fini(&parser);
    check_part(root, &count);
    CHECK(root->header_offset == 0 && root->end_offset == message.len);
    imap_write_structure(&out, root, true);
    buf_append_char(&out, ' ');
    imap_write_envelope(&out, root->envelope);
    CHECK(!out.overflow);
    check_lists(buf_str(&out));
    arena_fini(&arena);
    return buf_steal(&out);
}

static bool wants_short(void *arg, struct str name)
{
    return (name.len < 6) == *(bool *)arg;
}

static size_t filtered(struct str header, size_t piece, bool shorter)
{
    struct mime_filter f;
    struct buf out;
    buf_init(&out, header.len + 2);
    mime_filter_init(&f, &out, wants_short, &shorter);
    for (size_t at = 0; at < header.len; at += piece)
        mime_filter_feed(&f, str_sub(header, at, piece));
    mime_filter_finish(&f);
    CHECK(!out.overflow && str_ends(buf_str(&out), STR("\r\n")));
    size_t len = out.len - 2;
    mime_filter_fini(&f);
    buf_fini(&out);
    return len;
}

static char *text_of(struct str data, const char *encoding, const char *charset, size_t piece)
{
    struct mime_decoder decoder;
    struct mime_text text;
    struct buf decoded, out;
    buf_init(&decoded, OUT_MAX_BYTES);
    buf_init(&out, OUT_MAX_BYTES);
    mime_decoder_init(&decoder, str_from(encoding));
    mime_text_init(&text, str_from(charset));
    for (size_t at = 0; at < data.len; at += piece) {
        buf_clear(&decoded);
        mime_decoder_feed(&decoder, str_sub(data, at, piece), &decoded);
        mime_text_feed(&text, buf_str(&decoded), &out);
    }
    mime_text_finish(&text, &out);
    CHECK(!out.overflow && out.len <= 2 * data.len);
    buf_fini(&decoded);
    return buf_steal(&out);
}

static void check_same(char *whole, char *cut)
{
    CHECK(strcmp(whole, cut) == 0);
    free(whole);
    free(cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const encodings[] = {"base64", "quoted-printable", "8bit"};
    static const char *const charsets[] = {"utf-8", "iso-8859-1", "other"};
    struct buf folded;
    int64_t days;
    if (size < 1)
        return 0;
    size_t piece = 1 + data[0] % 64;
    struct str message = {(const char *)data + 1, size - 1};
    check_same(structure_of(message, message.len + 1), structure_of(message, piece));
    CHECK(filtered(message, piece, true) + filtered(message, piece, false) <= message.len);
    for (size_t i = 0; i < ARRAY_LEN(encodings); i++)
        check_same(text_of(message, encodings[i], charsets[i], message.len + 1),
                   text_of(message, encodings[i], charsets[i], piece));
    buf_init(&folded, OUT_MAX_BYTES);
    mime_words_fold(message, &folded);
    CHECK(folded.len <= 2 * message.len);
    buf_fini(&folded);
    if (mime_date_day(message, &days) == 0)
        CHECK(days > -800000 && days < 3000000);
    return 0;
}
