#include "relay/expired.h"

#define REASON "expired: it was not delivered within the time that the relay's \"expire\" gives"
#define LAST   "; the last answer: "

void expired_format(struct buf *out, struct str last)
{
    struct str before;
    if (expired_parse(last, &before))
        last = before;
    buf_append_text(out, REASON);
    if (last.len > 0)
        buf_append_fmt(out, LAST "%.*s", STR_ARG(last));
}

bool expired_parse(struct str reply, struct str *ret_last)
{
    if (!str_istarts(reply, STR(REASON)))
        return false;
    while (str_istarts(reply, STR(REASON))) {
        struct str rest = str_sub(reply, sizeof(REASON) - 1, reply.len);
        reply = str_istarts(rest, STR(LAST)) ? str_sub(rest, sizeof(LAST) - 1, rest.len) : STR_EMPTY;
    }
    *ret_last = reply;
    return true;
}
