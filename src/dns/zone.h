/* One zone in memory: a tree of names with their static records, kept as a map
 * from the name's wire format in which every ancestor up to the apex is there
 * (RFC 4592 2.2: empty non-terminals exist). Names whose MX or addresses are
 * steered carry the index of the domain or server that decides. For the DNS
 * role; immutable once built, so that any thread may read it. */
#ifndef HOLDFAST_DNS_ZONE_H
#define HOLDFAST_DNS_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/map.h"
#include "wire/dns.h"
#include "wire/dns_name.h"

struct zone_rdata {
    uint16_t len;
    uint8_t *data; /* uncompressed wire format */
};

struct zone_rrset {
    struct zone_rrset *next;
    uint16_t type;
    uint32_t ttl_s;
    struct zone_rdata *records;
    size_t count; /* >= 1 */
};

#define ZONE_NOT_STEERED (-1)

/* TTL of what the configuration gives and what does not move (relays, name
 * servers, NS, SOA), and of records in a file that names none: long enough to
 * be cached, short enough to be corrected within minutes. */
#define ZONE_TTL_S 300

struct zone_node {
    struct dns_name name;
    struct zone_rrset *rrsets;
    int steered_domain; /* index in config->domains whose MX is here, or ZONE_NOT_STEERED */
    int steered_server; /* index in config->servers whose A and AAAA are here, or ZONE_NOT_STEERED */
    bool configured;    /* its A and AAAA are the configuration's, of a relay or name server */
};

struct zone {
    struct dns_name apex;
    size_t apex_labels;
    uint32_t steered_ttl_s;
    struct map nodes; /* by wire name */
};

struct zone *zone_new(const struct dns_name *apex, uint32_t steered_ttl_s);
void zone_free(struct zone *z); /* NULL is allowed */

/* The node of a name, made with its ancestors when it is not there. name must
 * be the apex or below it. */
struct zone_node *zone_node_make(struct zone *z, const struct dns_name *name);
struct zone_node *zone_node_find(const struct zone *z, const struct dns_name *name); /* or NULL */
const struct zone_rrset *zone_rrset_find(const struct zone_node *n, uint16_t type);  /* or NULL */
/* Adds a static record; one that is there already is passed over. The lowest
 * TTL of a set counts for all (RFC 2181 5.2). ERR_CONFLICT: CNAME beside other
 * data or a second CNAME (RFC 1034 3.6.2), a second SOA. ERR_LIMIT: too many. */
int zone_record_add(struct zone_node *n, uint16_t type, uint32_t ttl_s, const uint8_t *rdata,
                    size_t len) MUST_USE;

/* For who wants to be told of all that is wrong in a file, not only of the first. */
struct zone_findings {
    void (*on_finding)(void *arg, const char *text); /* "file:line: text" */
    void *arg;
    size_t count; /* that were told; at most ZONE_FINDINGS_MAX */
};
#define ZONE_FINDINGS_MAX 200 /* a file of rubbish must not make an endless report */

/* Reads an RFC 1035 master file into z. eb gets `file:line: text` of the first thing that is wrong, and the
 * reading ends there unless there are findings (NULL: not). ERR_INVALID:
 * syntax, a name outside of the zone, a conflict, $INCLUDE (write the records into
 * the file), DNAME; ERR_NOT_FOUND, ERR_DENIED, ERR_IO: cannot be read. z is to be
 * freed by the caller in any case. */
int zone_load_file(struct zone *z, const char *path, struct zone_findings *findings,
                   struct err_buf *eb) MUST_USE;

/* What a query's name meets, from the apex down. */
struct zone_match {
    const struct zone_node
        *node; /* the name's own, or the wildcard that covers it (RFC 4592 3.3.1), or NULL */
    const struct zone_node *cut; /* not NULL: the name is at or below a delegation */
};
/* name must be the apex or below it. */
void zone_lookup(const struct zone *z, const struct dns_name *name, struct zone_match *ret_match);
uint32_t zone_negative_ttl(const struct zone *z); /* RFC 2308 5 */

#endif
