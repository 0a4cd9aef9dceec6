/* The edge's door: how many sessions a relay has at once, in all and for each
 * client (net/entrance.h), by its configuration and by the descriptors of the
 * process; and who its client is, for the limits on what he does in a time
 * (relay/limits.h). For the edge; it logs who is sent away. */
#ifndef HOLDFAST_RELAY_DOOR_H
#define HOLDFAST_RELAY_DOOR_H

#include "config/config.h"
#include "net/entrance.h"
#include "net/proxies.h"
#include "relay/limits.h"

struct door {
    struct entrance entrance;
    const struct config *config;
    const struct config_relay *relay;
    int64_t descriptors_max;     /* 0: not known */
    struct log_limit *log_limit; /* of the sessions' lines, too */
    struct proxies *proxies;
    struct limits limits;
    int refusal; /* why there is no queue (base/err.h); 0: it is not known, or there is */
};

/* One in each session. All zero: not let in (yet). */
struct door_visitor {
    struct admission_slot slot;
    struct addr client;
    bool limited; /* limits on what comes in a time hold for him */
};

/* make_room: as in net/entrance.h, with arg NULL; the slot is a visitor's. The configuration must outlive it,
 * and work, which is counted into. */
void door_init(struct door *d, struct loop *l, const struct config *c, const struct config_relay *relay,
               int64_t descriptors_max, struct record_work *work,
               void (*make_room)(void *arg, struct admission_slot *slot));
void door_fini(struct door *d); /* all sessions have left */
/* The configuration changed in place. */
void door_reload(struct door *d);
/* Takes a new connection. on_client gets it with its client's address: at once, or once the proxy that it
 * comes from has named him (net/proxies.h). */
void door_open(struct door *d, struct loop_stream *stream, const struct addr *peer,
               proxy_client_fn *on_client, void *arg);
/* True: the caller has a session, of this visitor. False: the stream was answered and closed. */
bool door_admit(struct door *d, struct loop_stream *stream, const struct addr *peer,
                struct door_visitor *visitor);
/* The session is another client's from now on, by the word of a server that speaks for him (NULL: it does not
 * know him, and he is not counted). Code 0: he may come in; else 421: he has, or makes, one too many. An
 * address of the network, or of this machine, is not counted, as when it comes by itself or by a proxy. */
struct smtp_reply door_exchange(struct door *d, struct door_visitor *visitor, const struct addr *client,
                                char text[LIMITS_TEXT_MAX]);
/* The visitor does one more of kind: as limits_take, for whom limits hold. */
struct smtp_reply door_take(struct door *d, enum rates_kind kind, const struct door_visitor *visitor,
                            char text[LIMITS_TEXT_MAX]);
void door_leave(struct door_visitor *visitor);
/* What a greeting says while there is no queue. */
#define DOOR_CLOSED_TEXT_MAX 128
void door_closed_text(const struct door *d, char out[DOOR_CLOSED_TEXT_MAX]);
size_t door_session_count(const struct door *d);

#endif
