/* Asks a name server, by UDP, as a sending mail server does: who takes the mail
 * of a domain, and at which addresses. Blocking, bounded. The parser is pure:
 * anything may be in a response. */
#ifndef HOLDFAST_CLI_DEMO_DNS_H
#define HOLDFAST_CLI_DEMO_DNS_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "wire/dns_name.h"

#define DEMO_DNS_HOSTS_MAX 8
#define DEMO_DNS_WAIT_MS   1000 /* loopback loses nothing: who is silent that long is dead */

struct demo_mx_host {
    uint16_t preference;
    char name[DNS_NAME_TEXT_MAX];
    bool has_address;
    struct addr address; /* IPv4; port 0 */
};

/* The most preferred first. */
struct demo_mx {
    struct demo_mx_host hosts[DEMO_DNS_HOSTS_MAX];
    size_t count;
};

/* MX of a domain with the hosts' A records, asked for one by one where the
 * answer does not carry them. ERR_REFUSED (nobody answers there), ERR_TIMEOUT,
 * ERR_SYNTAX (no proper response), ERR_NOT_FOUND (no MX); eb says of whom. */
int demo_dns_mx(const struct addr *server, const char *domain, struct demo_mx *ret_mx,
                struct err_buf *eb) MUST_USE;

/* ---- pure ---- */

/* A query for name and type into out (room for DNS_UDP_MIN_BYTES). Its length. */
size_t demo_dns_query(uint16_t id, const struct dns_name *name, uint16_t type, uint8_t *out);
/* Reads the MX of a response's answer section, by preference (those of equal
 * preference in their order), and any A records of its hosts. ERR_SYNTAX;
 * ERR_NOT_FOUND when another id or rcode, or none. */
int demo_dns_mx_read(const uint8_t *message, size_t len, uint16_t id, struct demo_mx *ret_mx) MUST_USE;
/* The addresses that a response has for hosts of mx. ERR_SYNTAX, ERR_NOT_FOUND
 * (another id or rcode). */
int demo_dns_addresses_read(const uint8_t *message, size_t len, uint16_t id, struct demo_mx *mx) MUST_USE;

#endif
