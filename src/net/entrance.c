#include "net/entrance.h"

#include <string.h>

#include "base/log.h"

static void tell(struct log_limit *log, const char *what, const struct addr *peer, const char *protocol,
                 const char *why)
{
    char client[ADDR_TEXT_MAX];
    addr_format_ip(peer, client);
    if (log && log_limit_may(log, client))
        log_event(LOG_INFO, what, LOG_TEXT("client", client), LOG_TEXT("protocol", protocol),
                  LOG_TEXT("why", why));
}

void entrance_refuse(struct loop_stream *stream, const struct addr *peer, const char *protocol,
                     const char *line, const char *why, struct log_limit *log)
{
    tell(log, "connection refused", peer, protocol, why);
    loop_stream_write(stream, line, strlen(line));
    loop_stream_close(stream, 0);
}

bool entrance_admit(struct entrance *e, struct loop_stream *stream, const struct addr *peer, bool own,
                    const struct entrance_words *words, struct log_limit *log)
{
    struct admission_slot *idle = NULL;
    enum admission_word word = admission_ask(&e->admission, peer, own, &idle);
    if (word != ADMISSION_GRANTED) {
        bool full = word == ADMISSION_FULL;
        entrance_refuse(stream, peer, words->protocol, full ? words->full : words->client_full,
                        full ? "too many connections" : "too many connections of this client", log);
        return false;
    }
    if (idle) {
        tell(log, "idle session ended", peer, words->protocol, "to make room for this client");
        e->make_room(e->arg, idle);
    }
    return true;
}
