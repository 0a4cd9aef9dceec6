/* The tokens of a configuration file. Pure: bytes in, tokens out; texts go to
 * the arena that the caller gives. For config/reader.c.
 *
 *   word     [A-Za-z_][A-Za-z0-9_-]*
 *   text     "..." on one line; \" and \\ are the only escapes; UTF-8 without control characters
 *   number   -?[0-9]+, at most 18 digits
 *   marks    = { } ,
 *   comment  # to the end of the line */
#ifndef HOLDFAST_CONFIG_LEXER_H
#define HOLDFAST_CONFIG_LEXER_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* Longer than any path (PATH_MAX) or URL that could be meant. */
#define LEXER_TEXT_MAX_BYTES 4096

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_TEXT,
    TOKEN_NUMBER,
    TOKEN_EQUALS,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_COMMA
};

struct token {
    enum token_kind kind;
    int line;
    const char *text; /* of a word or text: in the arena, NUL-terminated */
    int64_t number;
};

struct lexer {
    struct str input;
    size_t at;
    int line; /* of the next byte; of the error after an error */
    struct arena *arena;
};

void lexer_init(struct lexer *x, struct str input, struct arena *arena);
/* ERR_SYNTAX with eb saying what is wrong and what to write. */
int lexer_next(struct lexer *x, struct token *ret_token, struct err_buf *eb) MUST_USE;
/* "the end of the file", "\"{\"": for messages. */
const char *token_describe(const struct token *t, char out[96]);

#endif
