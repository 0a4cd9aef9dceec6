/* What the files of the schema's table share: schema*.c only. */
#ifndef HOLDFAST_CONFIG_SCHEMA_PARTS_H
#define HOLDFAST_CONFIG_SCHEMA_PARTS_H

#include "config/schema.h"

#define SECOND_MS 1000LL
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
#define KIB       1024LL
#define MIB       (1024 * KIB)
#define GIB       (1024 * MIB)

#define FIELD(key, type, member) .name = (key), .offset = offsetof(struct type, member)
#define LIMITS(least, most)      .min = (least), .max = (most)
#define ADDRESSES                LIMITS(1, 16) /* an answer with more would not fit 512 bytes of UDP */
#define TTL_MAX_MS               (7 * DAY_MS)  /* longer, and a failover is not seen */
#define MESSAGE_SIZE_LIMITS      LIMITS(64 * KIB, GIB) /* RFC 5321 4.5.3.1.7 asks for 64 KiB at least */
#define ARRAY(type, items, count)                                                                            \
    .offset = offsetof(struct type, items), .count_offset = offsetof(struct type, count)
#define CLIENT_CONNECTIONS_HELP                                                                              \
    "Sessions at once of one client, an IPv4 address or an IPv6 `/64`; more get 421. The loopback "          \
    "interface "                                                                                             \
    "and the network's own addresses are exempt."
#define PROXY_FROM_HELP                                                                                      \
    "Proxies in front of it, by address or network: a connection from one must begin with a header of the "  \
    "PROXY protocol, version 1 or 2, and the client that it names is the client from then on. Who is not "   \
    "named is not believed."
#define TLS_PORT_HELP(what, usual)                                                                           \
    "Port for " what " under TLS from the first byte (RFC 8314, usually " usual                              \
    "), with `certificates`; 0: not offered."
#define PORT_HELP(what) "Port for " what " on each address; 0: not offered."

/* schema_servers.c */
extern const struct schema_section schema_domain, schema_server;

#endif
