#include "relay/door.h"

#include <stdio.h>

#include "net/descriptors.h"
#include "relay/asker.h"
#include "relay/outside.h"
#include "smtp/reply.h"

#define QUEUE_DESCRIPTORS 16 /* of a queue that is adopted: its files, by two connections */

#define RESOLVER_DESCRIPTORS 32 /* libunbound, linked: 16 sockets for questions, 2 of TCP, its pipes */

/* What the relay opens beside its sessions: deliveries, questions and a probe for each server, mail for
 * outside and the questions where it goes, queues. */
static int64_t other_descriptors(const struct door *d)
{
    int64_t per_server = d->relay->delivery_sessions_max + ASKER_SESSIONS_MAX + 1;
    int64_t proxied = d->relay->proxy_from.count > 0 ? PROXIES_WAITING_MAX : 0;
    return ADMISSION_DESCRIPTORS + proxied + OUTSIDE_SESSIONS_MAX + RESOLVER_DESCRIPTORS +
           (int64_t)d->config->server_count * per_server +
           (int64_t)d->config->relay_count * QUEUE_DESCRIPTORS;
}

static int64_t sessions_max(const struct door *d)
{
    return descriptors_sessions(d->descriptors_max, d->relay->connections_max, 1, other_descriptors(d));
}

void door_init(struct door *d, struct loop *l, const struct config *c, const struct config_relay *relay,
               int64_t descriptors_max, struct record_work *work,
               void (*make_room)(void *arg, struct admission_slot *slot))
{
    *d = (struct door){
        .config = c, .relay = relay, .descriptors_max = descriptors_max, .log_limit = log_limit_new(l)};
    d->entrance.make_room = make_room;
    d->proxies = proxies_new(l, d->log_limit);
    limits_init(&d->limits, l, relay, work);
    admission_init(&d->entrance.admission, sessions_max(d), relay->client_connections_max);
}

void door_fini(struct door *d)
{
    proxies_free(d->proxies);
    limits_fini(&d->limits);
    admission_fini(&d->entrance.admission);
    log_limit_free(d->log_limit);
}

void door_reload(struct door *d)
{
    admission_configure(&d->entrance.admission, sessions_max(d), d->relay->client_connections_max);
    limits_reload(&d->limits);
}

void door_open(struct door *d, struct loop_stream *stream, const struct addr *peer,
               proxy_client_fn *on_client, void *arg)
{
    if (addr_blocks_have(&d->relay->proxy_from, peer))
        proxies_take(d->proxies, stream, peer, "SMTP", on_client, arg);
    else
        on_client(arg, stream, peer);
}

static bool is_own(const struct door *d, const struct addr *peer)
{
    return addr_is_loopback(peer) || config_has_ip(d->config, peer);
}

/* Who the visitor is; true: one of the network, or of this machine, whom no limits hold for. */
static bool name_visitor(const struct door *d, struct door_visitor *visitor, const struct addr *client)
{
    bool own = is_own(d, client);
    visitor->client = *client;
    visitor->limited = !own && limits_hold_for(&d->limits, client);
    return own;
}

static void send_away(struct loop_stream *stream, const struct addr *peer, const struct smtp_reply *r,
                      struct log_limit *log)
{
    char why[SMTP_REPLY_TEXT_MAX];
    struct buf line;
    buf_init(&line, sizeof(why));
    smtp_reply_describe(r, why, sizeof(why));
    smtp_reply_format(&line, r, true);
    entrance_refuse(stream, peer, "SMTP", buf_data(&line), why, log);
    buf_fini(&line);
}

bool door_admit(struct door *d, struct loop_stream *stream, const struct addr *peer,
                struct door_visitor *visitor)
{
    static const struct entrance_words words = {"SMTP", SMTP_LINE_FULL, SMTP_LINE_CLIENT_FULL};
    char text[LIMITS_TEXT_MAX];
    bool own = name_visitor(d, visitor, peer);
    struct log_limit *log = d->config->log_messages == LOG_MESSAGES_ALL ? d->log_limit : NULL;
    struct smtp_reply no = {.code = 0};
    if (visitor->limited)
        no = limits_connect(&d->limits, peer, text);
    if (no.code != 0) {
        send_away(stream, peer, &no, log);
        return false;
    }
    if (!entrance_admit(&d->entrance, stream, peer, own, &words, log))
        return false;
    admission_enter(&d->entrance.admission, &visitor->slot, peer, own);
    return true;
}

struct smtp_reply door_exchange(struct door *d, struct door_visitor *visitor, const struct addr *client,
                                char text[LIMITS_TEXT_MAX])
{
    struct admission *a = &d->entrance.admission;
    struct admission_slot *idle, *slot = &visitor->slot;
    admission_leave(slot);
    visitor->limited = false;
    bool counted = client && !name_visitor(d, visitor, client);
    bool granted = !counted || admission_ask(a, client, false, &idle) == ADMISSION_GRANTED;
    /* It has its place already, so that nobody has to go; one that is sent away is no client's. */
    admission_enter(a, slot, client, !counted || !granted);
    if (!granted)
        return SMTP_REPLY_CLIENT_FULL;
    return visitor->limited ? limits_connect(&d->limits, client, text) : (struct smtp_reply){.code = 0};
}

struct smtp_reply door_take(struct door *d, enum rates_kind kind, const struct door_visitor *visitor,
                            char text[LIMITS_TEXT_MAX])
{
    if (!visitor->limited)
        return (struct smtp_reply){.code = 0};
    return limits_take(&d->limits, kind, &visitor->client, text);
}

void door_leave(struct door_visitor *visitor)
{
    admission_leave(&visitor->slot);
}

/* What a stranger may know: no path, no name of a file. */
void door_closed_text(const struct door *d, char out[DOOR_CLOSED_TEXT_MAX])
{
    char why[80] = "";
    if (d->refusal)
        snprintf(why, sizeof(why), ": its queue cannot be opened (%s; its log says what to do)",
                 err_name(d->refusal));
    snprintf(out, DOOR_CLOSED_TEXT_MAX, "This relay takes no mail now%s, try another one", why);
}

size_t door_session_count(const struct door *d)
{
    return (size_t)d->entrance.admission.session_count;
}
