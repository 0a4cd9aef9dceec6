#include "base/printable.h"

#include <string.h>

static bool is_plain(char c, const char *also)
{
    return ascii_isprint(c) && !strchr(also, c);
}

void printable_append(struct buf *b, struct str s, const char *also)
{
    size_t done = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (is_plain(s.ptr[i], also))
            continue;
        buf_append(b, s.ptr + done, i - done);
        buf_append_fmt(b, ascii_isprint(s.ptr[i]) ? "\\%c" : "\\x%02x", (unsigned char)s.ptr[i]);
        done = i + 1;
    }
    if (s.len > done)
        buf_append(b, s.ptr + done, s.len - done);
}

static bool needs_quotes(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_plain(s.ptr[i], PRINTABLE_QUOTED " ="))
            return true;
    return s.len == 0;
}

void printable_append_value(struct buf *b, struct str s)
{
    const char *quote = needs_quotes(s) ? "\"" : "";
    buf_append_text(b, quote);
    printable_append(b, s, PRINTABLE_QUOTED);
    buf_append_text(b, quote);
}
