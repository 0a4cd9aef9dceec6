/* The tokens of structured header fields (RFC 2045 5.1, RFC 5322 3.2): comments,
 * quoted strings, parameters. Lenient: never fails, takes what it can. Pure.
 * Used by the MIME parser and the address parser. */
#ifndef HOLDFAST_WIRE_MIME_TOKEN_H
#define HOLDFAST_WIRE_MIME_TOKEN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "wire/mime.h"

#define MIME_PARAMS_MAX 64

void mime_skip_cfws(struct str *rest);        /* blanks and comments, nested ones too */
struct str mime_take_token(struct str *rest); /* RFC 2045 token; empty when there is none */
/* A quoted string (rest begins with '"'): appends its content to out. */
void mime_take_quoted(struct str *rest, struct buf *out);
/* `; name=value` until the end; NULL when there is none. */
struct mime_param *mime_take_params(struct str *rest, struct arena *arena);

#endif
