/* The one place where texts that others wrote (peers, files, operators) are made fit for a terminal or a log:
 * what is not printable ASCII is shown as \xNN. That no UTF-8 stays as it is has a reason: it has control
 * characters of its own (C1, U+0080 to U+009F, of two bytes each), and bytes that belong to no character are
 * controls to a terminal that is not told of UTF-8. Used by log.h for its lines and by the CLI for all that
 * it prints. Pure. */
#ifndef HOLDFAST_BASE_PRINTABLE_H
#define HOLDFAST_BASE_PRINTABLE_H

#include "base/buf.h"
#include "base/str.h"

/* What has a backslash before it between quotes. */
#define PRINTABLE_QUOTED "\"\\"

/* Appends s; those printable ones that `also` has (NUL-terminated; "": none) get a backslash before them. As
 * much as b has room for. */
void printable_append(struct buf *b, struct str s, const char *also);

/* Appends s as a value of "name=value": between quotes, with quotes and backslashes escaped, where it is
 * empty or has anything in it that would end or hide it. Nothing that was written so can be read as another
 * value, or as two. */
void printable_append_value(struct buf *b, struct str s);

#endif
