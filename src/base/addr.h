/* A socket address, IPv4 or IPv6, with its port. */
#ifndef HOLDFAST_BASE_ADDR_H
#define HOLDFAST_BASE_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/check.h"
#include "base/str.h"

struct addr {
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } u;
};

#define ADDR_TEXT_MAX 64

/* "127.1.0.2:2525", "[::1]:25": host and port. ERR_SYNTAX. */
int addr_parse(struct str text, struct addr *ret_addr) MUST_USE;
/* An IP literal without port ("127.1.0.2", "::1"), and the port to use. */
int addr_parse_ip(struct str ip, uint16_t port, struct addr *ret_addr) MUST_USE;
void addr_format(const struct addr *a, char out[ADDR_TEXT_MAX]);    /* with port */
void addr_format_ip(const struct addr *a, char out[ADDR_TEXT_MAX]); /* without */
uint16_t addr_port(const struct addr *a);
void addr_set_port(struct addr *a, uint16_t port);
socklen_t addr_len(const struct addr *a);
bool addr_eq(const struct addr *a, const struct addr *b);    /* with port */
bool addr_ip_eq(const struct addr *a, const struct addr *b); /* without */
bool addr_is_loopback(const struct addr *a);

#endif
