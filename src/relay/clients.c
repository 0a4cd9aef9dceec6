#include "relay/clients.h"

#include "base/log.h"
#include "base/mem.h"

/* Of each step of a question. Longer than anybody waits for it, so that the answer of a slow server is
 * remembered for the next try. */
#define QUESTION_TIMEOUT_MS 30000

struct clients {
    const struct config *config;
    const struct config_relay *relay;
    struct smtp_client_options *options;   /* by the server's place in the configuration */
    struct smtp_client_options *questions; /* the same, as are: */
    struct smtp_offers *offers;
    struct smtp_client_options
        outside; /* never with the peer key: what is ours is told to our own parts only */
};

static void set_tls(struct tls_client *t, const struct config_server *server)
{
    struct err_buf eb = {""};
    struct tls_client_options options = {.policy = server->tls,
                                         .name = server->hostname,
                                         .ca_file = server->tls_ca,
                                         .pins = server->tls_pins.pins,
                                         .pin_count = server->tls_pins.count};
    if (tls_client_set(t, &options, &eb) < 0)
        log_event(LOG_ERROR,
                  "authorities not read: those of before stay, without any mail for this server waits",
                  LOG_TEXT("server", server->name), LOG_TEXT("detail", eb.text));
}

static void set_server(struct smtp_client_options *options, const struct config_server *server)
{
    static const enum smtp_client_info infos[] = {[CLIENT_INFO_NONE] = SMTP_CLIENT_INFO_NONE,
                                                  [CLIENT_INFO_XFORWARD] = SMTP_CLIENT_INFO_XFORWARD,
                                                  [CLIENT_INFO_XCLIENT] = SMTP_CLIENT_INFO_XCLIENT};
    options->info = infos[server->client_info];
    set_tls(options->tls, server);
}

/* Our own are known by the configuration, and never asked: nobody can answer for them. */
static struct smtp_offers offers_at_first(const struct config_server *server)
{
    if (server->kind != SERVER_BUILTIN)
        return (struct smtp_offers){.known = false};
    return (struct smtp_offers){.known = true,
                                .eight_bit_mime = true,
                                .smtputf8 = true,
                                .size = true,
                                .size_max_bytes = (uint64_t)server->message_size_max_bytes};
}

static void set_outside_tls(const struct clients *c)
{
    struct err_buf eb = {""};
    struct str host = STR_EMPTY;
    uint16_t port;
    bool smarthost = config_smarthost(c->relay, &host, &port) == 0;
    char *name = str_dup(host);
    struct tls_client_options options = {.policy = c->relay->outside_tls, .name = smarthost ? name : NULL};
    if (tls_client_set(c->outside.tls, &options, &eb) < 0)
        log_event(LOG_ERROR, "authorities not read, mail for outside waits", LOG_TEXT("detail", eb.text));
    free(name);
}

static struct smtp_client_options for_deliveries(const struct clients *c, struct loop *l, size_t i)
{
    const struct config_server *server = &c->config->servers[i];
    return (struct smtp_client_options){
        .flavour = server->protocol == SERVER_LMTP ? SMTP_CLIENT_LMTP : SMTP_CLIENT_SMTP,
        .hostname = c->relay->hostname,
        .node = c->relay->node->name,
        .peer = {PEER_MAILBOX, server->name},
        .tls = tls_client_new(l),
        .offers = server->kind == SERVER_BUILTIN ? NULL : &c->offers[i],
    };
}

static struct smtp_client_options for_questions(const struct smtp_client_options *deliveries)
{
    return (struct smtp_client_options){.flavour = deliveries->flavour,
                                        .hostname = deliveries->hostname,
                                        .tls = deliveries->tls,
                                        .offers = deliveries->offers,
                                        .timeout_ms = QUESTION_TIMEOUT_MS};
}

struct clients *clients_new(struct loop *l, const struct config *config, const struct config_relay *relay)
{
    struct clients *c = mem_zalloc(sizeof(*c));
    c->config = config;
    c->relay = relay;
    c->outside = (struct smtp_client_options){
        .flavour = SMTP_CLIENT_SMTP, .hostname = relay->hostname, .tls = tls_client_new(l)};
    c->options = mem_calloc(config->server_count, sizeof(*c->options));
    c->questions = mem_calloc(config->server_count, sizeof(*c->questions));
    c->offers = mem_calloc(config->server_count, sizeof(*c->offers));
    for (size_t i = 0; i < config->server_count; i++) {
        c->offers[i] = offers_at_first(&config->servers[i]);
        c->options[i] = for_deliveries(c, l, i);
        c->questions[i] = for_questions(&c->options[i]);
    }
    clients_reload(c);
    return c;
}

void clients_free(struct clients *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->config->server_count; i++)
        tls_client_free(c->options[i].tls);
    tls_client_free(c->outside.tls);
    free(c->options);
    free(c->questions);
    free(c->offers);
    free(c);
}

void clients_reload(struct clients *c)
{
    for (size_t i = 0; i < c->config->server_count; i++)
        set_server(&c->options[i], &c->config->servers[i]);
    set_outside_tls(c);
}

void clients_set_peer_key(struct clients *c, const struct peer_key *key)
{
    for (size_t i = 0; i < c->config->server_count; i++)
        if (c->config->servers[i].kind == SERVER_BUILTIN)
            c->options[i].peer_key = key;
}

const struct smtp_client_options *clients_options(const struct clients *c, const struct config_server *server)
{
    return &c->options[server - c->config->servers];
}

const struct smtp_client_options *clients_questions(const struct clients *c,
                                                    const struct config_server *server)
{
    return &c->questions[server - c->config->servers];
}

const struct smtp_offers *clients_offers(const struct clients *c, const struct config_server *server)
{
    return &c->offers[server - c->config->servers];
}

const struct smtp_client_options *clients_outside(const struct clients *c)
{
    return &c->outside;
}
