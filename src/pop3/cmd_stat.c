/* STAT (RFC 1939 5). */
#include "pop3/command.h"

void pop3_cmd_stat(struct pop3_session *s, const struct pop3_command *c)
{
    (void)c;
    size_t count = 0;
    uint64_t size_bytes = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (s->messages[i].deleted)
            continue;
        count++;
        size_bytes += s->messages[i].size_bytes;
    }
    pop3_ok(s, "%zu %llu", count, (unsigned long long)size_bytes);
}
