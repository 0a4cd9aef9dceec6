#include "relay/expired.h"

#define REASON "expired: it was not delivered within the time that the relay's \"expire\" gives"
#define LAST   "; the last answer: "

void expired_format(struct buf *out, struct str last)
{
    buf_append_text(out, REASON);
    if (last.len > 0)
        buf_append_fmt(out, LAST "%.*s", STR_ARG(last));
}

bool expired_parse(struct str reply, struct str *ret_last)
{
    if (!str_istarts(reply, STR(REASON)))
        return false;
    struct str rest = str_sub(reply, sizeof(REASON) - 1, reply.len);
    *ret_last = str_istarts(rest, STR(LAST)) ? str_sub(rest, sizeof(LAST) - 1, rest.len) : STR_EMPTY;
    return true;
}
