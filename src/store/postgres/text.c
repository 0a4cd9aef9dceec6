#include "store/postgres/text.h"

#include "base/mem.h"
#include "base/utf8.h"

char *text_made_fit(struct str s)
{
    char *copy = mem_strndup(s.ptr, s.len);
    uint32_t point;
    for (size_t pos = 0; pos < s.len;)
        if (s.ptr[pos] == '\0' || !utf8_next(s, &pos, &point))
            copy[pos++] = '?';
    return copy;
}
