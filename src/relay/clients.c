#include "relay/clients.h"

#include "base/log.h"
#include "base/mem.h"

struct clients {
    const struct config *config;
    struct smtp_client_options *options; /* by the server's place in the configuration */
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

struct clients *clients_new(struct loop *l, const struct config *config, const struct config_relay *relay)
{
    struct clients *c = mem_zalloc(sizeof(*c));
    c->config = config;
    c->options = mem_calloc(config->server_count, sizeof(*c->options));
    for (size_t i = 0; i < config->server_count; i++)
        c->options[i] = (struct smtp_client_options){
            .flavour = config->servers[i].protocol == SERVER_LMTP ? SMTP_CLIENT_LMTP : SMTP_CLIENT_SMTP,
            .hostname = relay->hostname,
            .node = relay->node->name,
            .tls = tls_client_new(l),
        };
    clients_reload(c);
    return c;
}

void clients_free(struct clients *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->config->server_count; i++)
        tls_client_free(c->options[i].tls);
    free(c->options);
    free(c);
}

void clients_reload(struct clients *c)
{
    for (size_t i = 0; i < c->config->server_count; i++)
        set_tls(c->options[i].tls, &c->config->servers[i]);
}

void clients_set_peer_key(struct clients *c, const struct peer_key *key)
{
    for (size_t i = 0; i < c->config->server_count; i++)
        c->options[i].peer_key = key;
}

const struct smtp_client_options *clients_options(const struct clients *c, const struct config_server *server)
{
    return &c->options[server - c->config->servers];
}
