#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

int addr_parse_ip(struct str ip, uint16_t port, struct addr *ret_addr)
{
    char text[INET6_ADDRSTRLEN];
    struct addr a;
    memset(&a, 0, sizeof(a));
    if (ip.len == 0 || ip.len >= sizeof(text) || memchr(ip.ptr, '\0', ip.len))
        return ERR_SYNTAX;
    memcpy(text, ip.ptr, ip.len);
    text[ip.len] = '\0';
    if (inet_pton(AF_INET, text, &a.u.in.sin_addr) == 1)
        a.u.in.sin_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &a.u.in6.sin6_addr) == 1)
        a.u.in6.sin6_family = AF_INET6;
    else
        return ERR_SYNTAX;
    addr_set_port(&a, port);
    *ret_addr = a;
    return 0;
}

int addr_parse(struct str text, struct addr *ret_addr)
{
    struct str ip;
    size_t colon = SIZE_MAX;
    if (text.len > 0 && text.ptr[0] == '[') {
        size_t close = str_find(text, ']', 0);
        if (close == SIZE_MAX)
            return ERR_SYNTAX;
        ip = str_sub(text, 1, close - 1);
        colon = close + 1;
        if (colon >= text.len || text.ptr[colon] != ':' || str_find(ip, ':', 0) == SIZE_MAX)
            return ERR_SYNTAX;
    } else {
        colon = str_find(text, ':', 0);
        if (colon == SIZE_MAX)
            return ERR_SYNTAX;
        ip = str_sub(text, 0, colon);
    }
    uint64_t port;
    if (str_to_u64(str_sub(text, colon + 1, text.len), 65535, &port) < 0)
        return ERR_SYNTAX;
    return addr_parse_ip(ip, (uint16_t)port, ret_addr);
}

void addr_format_ip(const struct addr *a, char out[ADDR_TEXT_MAX])
{
    out[0] = '\0';
    if (a->u.sa.sa_family == AF_INET)
        inet_ntop(AF_INET, &a->u.in.sin_addr, out, ADDR_TEXT_MAX);
    else if (a->u.sa.sa_family == AF_INET6)
        inet_ntop(AF_INET6, &a->u.in6.sin6_addr, out, ADDR_TEXT_MAX);
}

void addr_format(const struct addr *a, char out[ADDR_TEXT_MAX])
{
    char ip[ADDR_TEXT_MAX];
    addr_format_ip(a, ip);

    bool six = a->u.sa.sa_family == AF_INET6;
    snprintf(out, ADDR_TEXT_MAX, "%s%.46s%s:%u", six ? "[" : "", ip, six ? "]" : "", (unsigned)addr_port(a));
}

uint16_t addr_port(const struct addr *a)
{
    return ntohs(a->u.sa.sa_family == AF_INET6 ? a->u.in6.sin6_port : a->u.in.sin_port);
}

void addr_set_port(struct addr *a, uint16_t port)
{
    if (a->u.sa.sa_family == AF_INET6)
        a->u.in6.sin6_port = htons(port);
    else
        a->u.in.sin_port = htons(port);
}

socklen_t addr_len(const struct addr *a)
{
    return a->u.sa.sa_family == AF_INET6 ? sizeof(a->u.in6) : sizeof(a->u.in);
}

bool addr_ip_eq(const struct addr *a, const struct addr *b)
{
    if (a->u.sa.sa_family != b->u.sa.sa_family)
        return false;
    if (a->u.sa.sa_family == AF_INET6)
        return memcmp(&a->u.in6.sin6_addr, &b->u.in6.sin6_addr, sizeof(struct in6_addr)) == 0;
    return a->u.in.sin_addr.s_addr == b->u.in.sin_addr.s_addr;
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
    return addr_ip_eq(a, b) && addr_port(a) == addr_port(b);
}

bool addr_is_loopback(const struct addr *a)
{
    if (a->u.sa.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&a->u.in6.sin6_addr);
    return (ntohl(a->u.in.sin_addr.s_addr) >> 24) == 127;
}
