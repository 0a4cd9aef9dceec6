#include "wire/imap_parse.h"

#include <string.h>

#include "base/err.h"

static bool is_atom_char(char c)
{
    return ascii_isprint(c) && c != ' ' && !strchr("(){%*\"\\]", c);
}

static bool is_astring_char(char c)
{
    return is_atom_char(c) || c == ']';
}

static bool is_tag_char(char c)
{
    return is_astring_char(c) && c != '+';
}

bool imap_at_end(const struct imap_cursor *c)
{
    return c->rest.len == 0;
}

int imap_expect_end(const struct imap_cursor *c)
{
    return imap_at_end(c) ? 0 : ERR_SYNTAX;
}

static struct str take(struct imap_cursor *c, size_t len)
{
    struct str piece = str_sub(c->rest, 0, len);
    c->rest = str_sub(c->rest, len, SIZE_MAX);
    return piece;
}

bool imap_skip_char(struct imap_cursor *c, char wanted)
{
    if (c->rest.len == 0 || c->rest.ptr[0] != wanted)
        return false;
    take(c, 1);
    return true;
}

int imap_expect_char(struct imap_cursor *c, char wanted)
{
    return imap_skip_char(c, wanted) ? 0 : ERR_SYNTAX;
}

static size_t span(struct str s, bool (*accepts)(char c))
{
    size_t len = 0;
    while (len < s.len && accepts(s.ptr[len]))
        len++;
    return len;
}

static int parse_span(struct imap_cursor *c, bool (*accepts)(char c), struct str *ret_text)
{
    size_t len = span(c->rest, accepts);
    if (len == 0)
        return ERR_SYNTAX;
    *ret_text = take(c, len);
    return 0;
}

bool imap_skip_word(struct imap_cursor *c, const char *word)
{
    size_t len = span(c->rest, is_atom_char);
    if (!str_ieq(str_sub(c->rest, 0, len), str_from(word)))
        return false;
    take(c, len);
    return true;
}

int imap_parse_tag(struct imap_cursor *c, struct str *ret_tag)
{
    return parse_span(c, is_tag_char, ret_tag);
}

int imap_parse_atom(struct imap_cursor *c, struct str *ret_atom)
{
    return parse_span(c, is_atom_char, ret_atom);
}

static int parse_quoted(struct imap_cursor *c, struct str *ret_text)
{
    char *out = arena_alloc(c->arena, c->rest.len + 1);
    if (!out)
        return ERR_LIMIT;
    size_t len = 0, i = 1;
    for (; i < c->rest.len && c->rest.ptr[i] != '"'; i++) {
        char byte = c->rest.ptr[i];
        if (byte == '\\') {
            if (++i == c->rest.len)
                return ERR_SYNTAX;
            byte = c->rest.ptr[i];
            if (byte != '"' && byte != '\\')
                return ERR_SYNTAX;
        }
        if (byte == '\0' || byte == '\r' || byte == '\n')
            return ERR_SYNTAX;
        out[len++] = byte;
    }
    if (i >= c->rest.len)
        return ERR_SYNTAX;
    take(c, i + 1);
    *ret_text = (struct str){out, len};
    return 0;
}

/* The framing put it here as sent: `{n}` or `{n+}`, line end, n bytes. */
static int parse_literal(struct imap_cursor *c, struct str *ret_text)
{
    size_t close = str_find(c->rest, '}', 1);
    if (close == SIZE_MAX)
        return ERR_SYNTAX;
    struct str digits = str_sub(c->rest, 1, close - 1);
    if (str_ends(digits, STR("+")))
        digits.len--;
    uint64_t size;
    if (str_to_u64(digits, UINT32_MAX, &size) != 0)
        return ERR_SYNTAX;
    take(c, close + 1);
    imap_skip_char(c, '\r');
    if (!imap_skip_char(c, '\n') || size > c->rest.len)
        return ERR_SYNTAX;
    *ret_text = take(c, (size_t)size);
    return memchr(ret_text->ptr ? ret_text->ptr : "", '\0', ret_text->len) ? ERR_SYNTAX : 0;
}

int imap_parse_string(struct imap_cursor *c, struct str *ret_text)
{
    char first = c->rest.len > 0 ? c->rest.ptr[0] : '\0';
    if (first == '"')
        return parse_quoted(c, ret_text);
    return first == '{' ? parse_literal(c, ret_text) : ERR_SYNTAX;
}

int imap_parse_astring(struct imap_cursor *c, struct str *ret_text)
{
    if (parse_span(c, is_astring_char, ret_text) == 0)
        return 0;
    return imap_parse_string(c, ret_text);
}

int imap_parse_nstring(struct imap_cursor *c, struct str *ret_text)
{
    if (imap_skip_word(c, "NIL")) {
        *ret_text = (struct str){NULL, 0};
        return 0;
    }
    return imap_parse_string(c, ret_text);
}

int imap_parse_number(struct imap_cursor *c, uint64_t max, uint64_t *ret_number)
{
    struct str digits;
    if (parse_span(c, ascii_isdigit, &digits) != 0)
        return ERR_SYNTAX;
    return str_to_u64(digits, max, ret_number) == 0 ? 0 : ERR_SYNTAX;
}

static int parse_set_number(struct imap_cursor *c, uint32_t *ret_number)
{
    if (imap_skip_char(c, '*')) {
        *ret_number = IMAP_SET_STAR;
        return 0;
    }
    uint64_t number;
    if (imap_parse_number(c, UINT32_MAX, &number) != 0 || number == 0)
        return ERR_SYNTAX;
    *ret_number = (uint32_t)number;
    return 0;
}

static size_t count_ranges(struct str text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.len && text.ptr[i] != ' '; i++)
        count += text.ptr[i] == ',';
    return count;
}

int imap_parse_set(struct imap_cursor *c, struct imap_set *ret_set)
{
    struct imap_set set = {0};
    set.ranges = arena_alloc(c->arena, count_ranges(c->rest) * sizeof(set.ranges[0]));
    if (!set.ranges)
        return ERR_LIMIT;
    do {
        struct imap_range *range = &set.ranges[set.count++];
        if (parse_set_number(c, &range->low) != 0)
            return ERR_SYNTAX;
        range->high = range->low;
        if (imap_skip_char(c, ':') && parse_set_number(c, &range->high) != 0)
            return ERR_SYNTAX;
    } while (imap_skip_char(c, ','));
    *ret_set = set;
    return 0;
}
