#include "net/client_key.h"

#include <string.h>

struct client_key client_key_of(const struct addr *client)
{
    struct client_key key = {.len = sizeof(struct in_addr)};
    const struct in6_addr *six = &client->u.in6.sin6_addr;
    if (client->u.sa.sa_family != AF_INET6) {
        memcpy(key.bytes, &client->u.in.sin_addr, key.len);
    } else if (IN6_IS_ADDR_V4MAPPED(six)) {
        memcpy(key.bytes, six->s6_addr + 12, key.len);
    } else {
        key.len = CLIENT_KEY_BYTES;
        memcpy(key.bytes, six->s6_addr, key.len);
    }
    return key;
}

struct str client_key_str(const struct client_key *key)
{
    return (struct str){(const char *)key->bytes, key->len};
}
