#include "mailbox/services.h"

#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "mailbox/role.h"
#include "net/bind.h"
#include "smtp/reply.h"

static void smtp_accept(struct instance *i, struct loop_stream *stream, const struct addr *peer, bool tls)
{
    intake_accept(i, &i->smtp_options, stream, peer, tls);
}

static void lmtp_accept(struct instance *i, struct loop_stream *stream, const struct addr *peer, bool tls)
{
    intake_accept(i, &i->lmtp_options, stream, peer, tls);
}

#define SMTP_WORDS(protocol)                                                                                 \
    {                                                                                                        \
        protocol, SMTP_LINE_FULL, SMTP_LINE_CLIENT_FULL                                                      \
    }
#define IMAP_WORDS(protocol)                                                                                 \
    {                                                                                                        \
        protocol, "* BYE [UNAVAILABLE] Too many connections, try again later\r\n",                           \
            "* BYE [LIMIT] Too many connections from your address, try again later\r\n"                      \
    }
#define POP3_WORDS(protocol)                                                                                 \
    {                                                                                                        \
        protocol, "-ERR [SYS/TEMP] Too many connections, try again later\r\n",                               \
            "-ERR [SYS/TEMP] Too many connections from your address, try again later\r\n"                    \
    }
/* Under TLS nothing can be said to who is not let in. */
#define TLS_WORDS(protocol)                                                                                  \
    {                                                                                                        \
        protocol, "", ""                                                                                     \
    }

static const struct {
    struct entrance_words words;
    size_t port_offset;
    void (*accept)(struct instance *i, struct loop_stream *stream, const struct addr *peer, bool tls);
    bool tls; /* from the first byte */
    bool takes_mail;
} services[MAILBOX_SERVICES] = {
    {SMTP_WORDS("SMTP"), offsetof(struct config_server, smtp_port), smtp_accept, false, true},
    {SMTP_WORDS("LMTP"), offsetof(struct config_server, lmtp_port), lmtp_accept, false, true},
    {SMTP_WORDS("submission"), offsetof(struct config_server, submission_port), submission_accept, false,
     true},
    {TLS_WORDS("submissions"), offsetof(struct config_server, submissions_port), submission_accept, true,
     true},
    {IMAP_WORDS("IMAP"), offsetof(struct config_server, imap_port), imap_accept, false, false},
    {TLS_WORDS("IMAPS"), offsetof(struct config_server, imaps_port), imap_accept, true, false},
    {POP3_WORDS("POP3"), offsetof(struct config_server, pop3_port), pop3_accept, false, false},
    {TLS_WORDS("POP3S"), offsetof(struct config_server, pop3s_port), pop3_accept, true, false},
};

uint16_t service_port(const struct config_server *s, size_t service)
{
    return (uint16_t) * (const int64_t *)(const void *)((const char *)s + services[service].port_offset);
}

bool service_takes_mail(size_t service)
{
    return services[service].takes_mail;
}

/* ---- sessions ---- */

bool instance_serves(const struct instance *i)
{
    return tenure_takes_mail(i->tenure) && lease_is_held(i->lease);
}

static bool is_own(const struct instance *i, const struct addr *peer)
{
    return addr_is_loopback(peer) || config_has_ip(i->config, peer);
}

void session_node_init(struct session_node *s, struct instance *i, const struct addr *peer)
{
    s->instance = i;
    list_append(&i->sessions, &s->node);
    admission_enter(&i->entrance.admission, &s->slot, peer, is_own(i, peer));
}

void session_node_fini(struct session_node *s)
{
    list_remove(&s->node);
    admission_leave(&s->slot);
}

/* Without a certificate there is nothing to say; that it could not be read was logged. */
static bool admit(struct instance *i, size_t service, struct loop_stream *stream, const struct addr *peer)
{
    bool log = i->config->log_messages == LOG_MESSAGES_ALL;
    if (!services[service].tls || tls_server_usable(i->tls))
        return entrance_admit(&i->entrance, stream, peer, is_own(i, peer), &services[service].words,
                              log ? i->log_limit : NULL);
    loop_stream_close(stream, 0);
    return false;
}

static void on_client(void *arg, struct loop_stream *stream, const struct addr *peer)
{
    const struct service_place *place = arg;
    if (admit(place->instance, place->service, stream, peer))
        services[place->service].accept(place->instance, stream, peer, services[place->service].tls);
}

void service_open(struct service_place *place, struct loop_stream *stream, const struct addr *peer)
{
    struct instance *i = place->instance;
    if (addr_blocks_have(&i->server->proxy_from, peer))
        proxies_take(i->proxies, stream, peer, services[place->service].words.protocol, on_client, place);
    else
        on_client(place, stream, peer);
}

/* ---- bound early ---- */

static void close_fds(const int *fds)
{
    for (size_t i = 0; i < MAILBOX_SERVICES; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

int mailbox_role_bind(const struct config_server *server, const struct addr *address,
                      int ret_fds[MAILBOX_SERVICES], struct err_buf *eb)
{
    int fds[MAILBOX_SERVICES];
    for (size_t i = 0; i < MAILBOX_SERVICES; i++)
        fds[i] = -1;
    for (size_t i = 0; i < MAILBOX_SERVICES; i++) {
        struct addr at = *address;
        addr_set_port(&at, service_port(server, i));
        int rc = addr_port(&at) ? net_bind_listen("server", server->name, &at, 1, &fds[i], eb) : 0;
        if (rc < 0) {
            close_fds(fds);
            return rc;
        }
    }
    memcpy(ret_fds, fds, sizeof(fds));
    return 0;
}
