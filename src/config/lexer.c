#include "config/lexer.h"

#include <stdio.h>
#include <string.h>

/* What an int64_t always holds. */
#define NUMBER_DIGITS_MAX 18

void lexer_init(struct lexer *x, struct str input, struct arena *arena)
{
    *x = (struct lexer){.input = input, .line = 1, .arena = arena};
}

static bool is_word_start(char c)
{
    return ascii_isalpha(c) || c == '_';
}

static bool is_word_part(char c)
{
    return ascii_isalnum(c) || c == '_' || c == '-';
}

static char peek(const struct lexer *x)
{
    return x->at < x->input.len ? x->input.ptr[x->at] : '\0';
}

static void skip_blank(struct lexer *x)
{
    for (; x->at < x->input.len; x->at++) {
        char c = x->input.ptr[x->at];
        if (c == '#') {
            size_t end = str_find(x->input, '\n', x->at);
            x->at = end == SIZE_MAX ? x->input.len : end;
            if (end == SIZE_MAX)
                return;
            c = '\n';
        }
        if (c == '\n')
            x->line++;
        else if (c != ' ' && c != '\t' && c != '\r')
            return;
    }
}

static const char *keep(struct lexer *x, struct str s)
{
    const char *copy = arena_strdup(x->arena, s);
    CHECK(copy);
    return copy;
}

static int read_word(struct lexer *x, struct token *t)
{
    size_t start = x->at;
    while (x->at < x->input.len && is_word_part(peek(x)))
        x->at++;
    t->kind = TOKEN_WORD;
    t->text = keep(x, str_sub(x->input, start, x->at - start));
    return 0;
}

static int read_number(struct lexer *x, struct token *t, struct err_buf *eb)
{
    size_t start = x->at;
    bool negative = peek(x) == '-';
    int64_t value = 0;
    x->at += negative;
    size_t first = x->at;
    for (; ascii_isdigit(peek(x)) && x->at - first < NUMBER_DIGITS_MAX; x->at++)
        value = value * 10 + (peek(x) - '0');
    if (x->at == first || is_word_part(peek(x)) || peek(x) == '.') {
        while (is_word_part(peek(x)) || peek(x) == '.')
            x->at++;
        struct str shown = str_sub(x->input, start, x->at - start < 40 ? x->at - start : 40);
        return err_set(eb, ERR_SYNTAX, "%.*s is no number; put a text, a duration or a size in quotes",
                       STR_ARG(shown));
    }
    t->kind = TOKEN_NUMBER;
    t->number = negative ? -value : value;
    return 0;
}

/* The length of the UTF-8 character at s (RFC 3629); 0 when it is none, or a control character. */
static size_t utf8_len(struct str s)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    unsigned char lead = (unsigned char)s.ptr[0];
    for (size_t more = 0; more < ARRAY_LEN(forms); more++) {
        if ((lead & forms[more].mask) != forms[more].lead)
            continue;
        uint32_t code = lead & (unsigned char)~forms[more].mask;
        for (size_t i = 1; i <= more; i++) {
            if (i >= s.len || ((unsigned char)s.ptr[i] & 0xc0) != 0x80)
                return 0;
            code = code << 6 | ((unsigned char)s.ptr[i] & 0x3f);
        }
        bool surrogate = code >= 0xd800 && code <= 0xdfff;
        bool control = code < 0x20 || (code >= 0x7f && code <= 0x9f);
        return code < forms[more].least || code > 0x10ffff || surrogate || control ? 0 : more + 1;
    }
    return 0;
}

/* Copies one character or escape to out; its length there, 0 and eb when bad. */
static size_t read_text_char(struct lexer *x, char *out, struct err_buf *eb)
{
    struct str rest = str_sub(x->input, x->at, SIZE_MAX);
    if (rest.ptr[0] == '\\') {
        if (rest.len < 2 || (rest.ptr[1] != '"' && rest.ptr[1] != '\\')) {
            err_set(eb, ERR_SYNTAX, "unknown escape in a text; only \\\" and \\\\ are known");
            return 0;
        }
        out[0] = rest.ptr[1];
        x->at += 2;
        return 1;
    }
    size_t len = utf8_len(rest);
    if (len == 0) {
        err_set(eb, ERR_SYNTAX, "byte 0x%02x in a text; only UTF-8 without control characters is allowed",
                (unsigned char)rest.ptr[0]);
        return 0;
    }
    memcpy(out, rest.ptr, len);
    x->at += len;
    return len;
}

static int read_text(struct lexer *x, struct token *t, struct err_buf *eb)
{
    char text[LEXER_TEXT_MAX_BYTES + 4];
    size_t len = 0;
    x->at++;
    while (peek(x) != '"') {
        if (x->at >= x->input.len || peek(x) == '\n')
            return err_set(eb, ERR_SYNTAX, "the text is not closed on its line; add the final quote");
        size_t more = read_text_char(x, text + len, eb);
        if (more == 0)
            return ERR_SYNTAX;
        len += more;
        if (len > LEXER_TEXT_MAX_BYTES)
            return err_set(eb, ERR_SYNTAX, "a text of more than %d bytes; shorten it", LEXER_TEXT_MAX_BYTES);
    }
    x->at++;
    t->kind = TOKEN_TEXT;
    t->text = keep(x, (struct str){text, len});
    return 0;
}

static bool read_mark(struct lexer *x, struct token *t)
{
    static const struct {
        char mark;
        enum token_kind kind;
    } marks[] = {{'=', TOKEN_EQUALS}, {'{', TOKEN_OPEN}, {'}', TOKEN_CLOSE}, {',', TOKEN_COMMA}};
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        if (peek(x) == marks[i].mark) {
            t->kind = marks[i].kind;
            x->at++;
            return true;
        }
    }
    return false;
}

int lexer_next(struct lexer *x, struct token *ret_token, struct err_buf *eb)
{
    skip_blank(x);
    struct token t = {.kind = TOKEN_END, .line = x->line};
    char c = peek(x);
    int err = 0;
    if (x->at >= x->input.len || read_mark(x, &t))
        ;
    else if (c == '"')
        err = read_text(x, &t, eb);
    else if (is_word_start(c))
        err = read_word(x, &t);
    else if (ascii_isdigit(c) || c == '-')
        err = read_number(x, &t, eb);
    else if (ascii_isprint(c))
        err = err_set(eb, ERR_SYNTAX, "unexpected %c; comments start with #, texts are in double quotes", c);
    else
        err = err_set(eb, ERR_SYNTAX, "unexpected byte 0x%02x; the file must be plain text in UTF-8",
                      (unsigned char)c);
    if (err < 0)
        return err;
    *ret_token = t;
    return 0;
}

const char *token_describe(const struct token *t, char out[96])
{
    switch (t->kind) {
    case TOKEN_END:
        return "the end of the file";
    case TOKEN_WORD:
        snprintf(out, 96, "the word %.60s", t->text);
        return out;
    case TOKEN_TEXT:
        return "a text";
    case TOKEN_NUMBER:
        return "a number";
    case TOKEN_EQUALS:
        return "=";
    case TOKEN_OPEN:
        return "{";
    case TOKEN_CLOSE:
        return "}";
    case TOKEN_COMMA:
        return "a comma";
    }
    return "";
}
