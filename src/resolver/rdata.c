#include "resolver/rdata.h"

#include <string.h>

#include "wire/dns_name.h"

/* Letters, digits, hyphens and, as seen in the wild, underscores: what may go into a log and an EHLO. */
static bool is_host(const struct dns_name *n)
{
    for (size_t at = 0; n->wire[at] != 0; at += n->wire[at] + 1U)
        for (size_t i = 1; i <= n->wire[at]; i++) {
            uint8_t c = n->wire[at + i];
            if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
                return false;
        }
    return true;
}

int rdata_parse_mx(struct str data, struct resolver_mx *ret_mx)
{
    struct dns_name name;
    char text[DNS_NAME_TEXT_MAX];
    const uint8_t *bytes = (const uint8_t *)data.ptr;
    if (data.len < 3 || dns_name_from_wire(bytes + 2, data.len - 2, &name) < 0 || !is_host(&name) ||
        name.len != data.len - 2)
        return ERR_SYNTAX;
    dns_name_format(&name, text);
    ret_mx->preference = (uint16_t)(bytes[0] << 8 | bytes[1]);
    size_t len = name.len == 1 ? 0 : strlen(text); /* without escapes, so that it fits */
    memcpy(ret_mx->host, text, len);
    ret_mx->host[len] = '\0';
    return 0;
}

int rdata_parse_addr(struct str data, enum resolver_type type, struct addr *ret_addr)
{
    struct addr a = {0};
    if (data.len != (type == RESOLVER_AAAA ? 16 : 4))
        return ERR_SYNTAX;
    if (type == RESOLVER_AAAA) {
        a.u.in6.sin6_family = AF_INET6;
        memcpy(&a.u.in6.sin6_addr, data.ptr, data.len);
    } else {
        a.u.in.sin_family = AF_INET;
        memcpy(&a.u.in.sin_addr, data.ptr, data.len);
    }
    *ret_addr = a;
    return 0;
}
