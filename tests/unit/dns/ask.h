/* Asks and reads DNS with ldns, a second opinion on our codec: a query's bytes,
 * and a reply as one line of text. For the tests of the DNS role. */
#ifndef HOLDFAST_TESTS_DNS_ASK_H
#define HOLDFAST_TESTS_DNS_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ask {
    const char *name, *type; /* "example.test", "MX" */
    uint16_t id;
    uint16_t udp_bytes; /* 0: no EDNS */
    bool dnssec_ok;
};

/* The query in wire format; returns its length. out has room for 512 bytes. */
size_t ask_format(const struct ask *a, uint8_t *out);

/* "NOERROR aa tc | owner TTL TYPE rdata; ... | authority | additional", without
 * final dots; "unreadable" when ldns cannot read it. Static memory. */
const char *ask_read(const uint8_t *reply, size_t len);

#endif
