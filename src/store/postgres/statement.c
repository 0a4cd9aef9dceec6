#include "store/postgres/statement.h"

#include <stdlib.h>
#include <string.h>

static const char *add_parameter(const char *at, int *last, struct buf *out)
{
    char *end;
    long number = strtol(at + 1, &end, 10);
    *last = end == at + 1 ? *last + 1 : (int)number;
    buf_append_fmt(out, "$%d", *last);
    return end;
}

/* A quoted name or text, whole. */
static const char *add_quoted(const char *at, struct buf *out)
{
    const char *end = strchr(at + 1, *at);
    CHECK(end);
    buf_append(out, at, (size_t)(end + 1 - at));
    return end + 1;
}

void statement_translate(const char *text, struct buf *out)
{
    static const char instr[] = "instr(";
    int last = 0;
    while (*text) {
        if (*text == '?') {
            text = add_parameter(text, &last, out);
        } else if (*text == '\'' || *text == '"') {
            text = add_quoted(text, out);
        } else if (strncmp(text, instr, strlen(instr)) == 0) {
            buf_append_fmt(out, "strpos(");
            text += strlen(instr);
        } else {
            buf_append(out, text++, 1);
        }
    }
}
