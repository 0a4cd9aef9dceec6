/* Who counts as one client: an IPv4 address (mapped into IPv6 or not), or an IPv6 /64, which is what one
 * customer has. For who counts clients. */
#ifndef HOLDFAST_NET_CLIENT_KEY_H
#define HOLDFAST_NET_CLIENT_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/str.h"

#define CLIENT_KEY_BYTES 8 /* a /64 */

struct client_key {
    uint8_t bytes[CLIENT_KEY_BYTES];
    size_t len; /* 4 for IPv4 */
};

struct client_key client_key_of(const struct addr *client);
struct str client_key_str(const struct client_key *key); /* a view of it */

#endif
