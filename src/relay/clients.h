/* How the relay's sessions speak to each messaging server of the configuration: SMTP or LMTP, as whom, and
 * what must hold of TLS. For deliveries (target) and questions (verify). Nothing here survives a crash. */
#ifndef HOLDFAST_RELAY_CLIENTS_H
#define HOLDFAST_RELAY_CLIENTS_H

#include "config/config.h"
#include "net/tls_client.h"
#include "smtp/client.h"

struct clients;

/* Authorities that cannot be read are logged: those that were read before stay; without any, mail for their
 * server waits. config and relay must outlive it. */
struct clients *clients_new(struct loop *l, const struct config *config, const struct config_relay *relay);
/* All sessions must be gone. NULL is allowed. */
void clients_free(struct clients *c);

/* The configuration changed in place, or files that it names did: holds for handshakes from now on. */
void clients_reload(struct clients *c);
/* From now on our parts prove themselves to each other: only builtin servers are asked to, and told anything
 * by the key, which must outlive it. */
void clients_set_peer_key(struct clients *c, const struct peer_key *key);

const struct smtp_client_options *clients_options(const struct clients *c,
                                                  const struct config_server *server);
/* The same for questions about its recipients: as anybody, of nobody else's behalf, and not for long. */
const struct smtp_client_options *clients_questions(const struct clients *c,
                                                    const struct config_server *server);
/* What the server offered when it was last asked, by a delivery, a question or a probe; a builtin one what
 * all of them do, by the configuration. Valid as long as c; changes in place. */
const struct smtp_offers *clients_offers(const struct clients *c, const struct config_server *server);
/* To servers that are not of the network. */
const struct smtp_client_options *clients_outside(const struct clients *c);

#endif
